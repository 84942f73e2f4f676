"""Forgeries: valid bytes, changed a little. No test lives here, and no chance but the one that is handed in."""

from __future__ import annotations

import random
from collections.abc import Callable

NOISE = ("é", "€", "٠", "０", "\u202e", "😀", "\x00", "\ufeff", "ſ", "\u212a")
"""Accents, other digits, a reversing mark, NUL, a byte order mark, letters whose lower case is ASCII."""
SURROGATES = (b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xff", b"\xc0\xaf")

Change = Callable[[bytes, bytes, random.Random], bytes]


def flip(good: bytes, other: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(good))
    return good[:place] + bytes([good[place] ^ (1 << chance.randrange(8))]) + good[place + 1 :]


def cut(good: bytes, other: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(good))
    return good[:place] if chance.random() < 0.5 else good[place + 1 :]


def drop(good: bytes, other: bytes, chance: random.Random) -> bytes:
    start, length = chance.randrange(len(good)), chance.randrange(1, 9)
    return good[:start] + good[start + length :]


def turn_case(good: bytes, other: bytes, chance: random.Random) -> bytes:
    start, length = chance.randrange(len(good)), chance.randrange(1, len(good) + 1)
    return good[:start] + good[start : start + length].swapcase() + good[start + length :]


def repeat(good: bytes, other: bytes, chance: random.Random) -> bytes:
    start, length = chance.randrange(len(good)), chance.randrange(1, len(good) + 1)
    return good[: start + length] + good[start:]


def add(good: bytes, other: bytes, chance: random.Random) -> bytes:
    noise = chance.choice(SURROGATES) if chance.random() < 0.3 else chance.choice(NOISE).encode()
    place = chance.randrange(len(good) + 1)
    return good[:place] + noise + good[place:]


def splice(good: bytes, other: bytes, chance: random.Random) -> bytes:
    """The beginning of one message and the end of another."""
    ours, theirs = (good, other) if chance.random() < 0.5 else (other, good)
    place = chance.randrange(min(len(ours), len(theirs)) + 1)
    return ours[:place] + theirs[place:]


CHANGES: tuple[Change, ...] = (flip, cut, drop, turn_case, repeat, add, splice)


def changed(good: bytes, other: bytes, chance: random.Random) -> bytes:
    """`good`, once more or less changed, and never as it was."""
    made = good
    while made == good:
        made = chance.choice(CHANGES)(good, other, chance) if good else b"\x00"
    return made
