"""Putting it together: configuration, secrets, logs, wiring; `desktop` alone knows Qt."""
