"""Loops that keep the till true; no rules of their own, no Qt."""
