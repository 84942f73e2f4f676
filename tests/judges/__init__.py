"""Judges from outside: servers that speak like Stripe and that nobody here wrote."""
