"""Where secrets come from: keyring, environment, a file of mode 600. Never written in plain text by us."""
