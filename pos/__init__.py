"""Truetill: a point of sale that knows what was paid."""
