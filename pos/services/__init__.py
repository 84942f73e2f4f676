"""What people want to do, one file per intention. Ports come in, results go out; no SQL, no HTTP, no Qt."""
