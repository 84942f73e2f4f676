"""Logs: one line of JSON each, rotated, without secrets."""
