"""Notes and coins: what a customer is likely to hand over, and how change is counted out. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from pos.domain.money import exponent

SUGGESTIONS = 5
# Issued by their central banks; the first coin of each list follows the smallest note.
_NOTES = {
    "INR": ((500, 200, 100, 50, 20, 10), (5, 2, 1)),
    "EUR": ((200, 100, 50, 20, 10, 5), (2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)),
    "USD": ((100, 50, 20, 10, 5, 1), (0.25, 0.1, 0.05, 0.01)),
    "GBP": ((50, 20, 10, 5), (2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """`count` notes or coins of one value, in minor units."""

    value_minor: int
    count: int
    coin: bool


def suggestions(due_minor: int, currency: str) -> list[int]:
    """Five round amounts above what is due, in minor units: the next round sums, then larger steps."""
    if due_minor <= 0:
        return []
    one = 10 ** exponent(currency)
    unit = one
    while unit * 100 <= due_minor or (unit * 10 <= due_minor and due_minor // unit >= 50):
        unit *= 10
    first = (due_minor // unit + 1) * unit
    near = [first, first + unit, first + 2 * unit]
    half = (near[-1] // (5 * unit) + 1) * 5 * unit
    whole = (half // (10 * unit) + 1) * 10 * unit
    return [*near, half, whole][:SUGGESTIONS]


def pieces(amount_minor: int, currency: str) -> list[Piece]:
    """The fewest notes and coins that make `amount_minor`; empty where the currency's are not known or do not fit."""
    if currency not in _NOTES or amount_minor <= 0:
        return []
    one = 10 ** exponent(currency)
    found, rest = [], amount_minor
    for values, coin in zip(_NOTES[currency], (False, True), strict=True):
        for value in values:
            minor = round(value * one)
            count, rest = divmod(rest, minor)
            if count:
                found.append(Piece(minor, count, coin))
    return [] if rest else found
