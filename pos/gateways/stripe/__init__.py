"""Stripe: Checkout Sessions, one per attempt. `envelope` reads messages and needs no HTTP client; `adapter` asks."""
