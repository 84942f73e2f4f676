"""The journal: a chain of digests over what was done, so that a changed entry is found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """`seq` counts from 1 without gaps per till; `hash` covers everything here and the hash before."""

    till: str
    seq: int
    at_ms: int
    actor: str
    act: str
    subject: str
    body: str
    previous: str
    hash: str


def chain(previous: str, fields: tuple[str, int, int, str, str, str, str]) -> str:
    """SHA-256 over the previous hash and (till, seq, at_ms, actor, act, subject, body)."""
    text = "\x1e".join([previous, *(str(field) for field in fields)])
    return hashlib.sha256(text.encode()).hexdigest()


def z_hash(previous: str, scope: str, no: int, body: str) -> str:
    """SHA-256 over the hash before, the scope, the number and the body of a closed report."""
    return hashlib.sha256("\x1e".join([previous, scope, str(no), body]).encode()).hexdigest()


def verify(entries: list[Entry], previous: str = GENESIS) -> int | None:
    """The sequence number of the first entry that does not fit, or None when the chain holds."""
    expected = entries[0].seq if entries else 1
    for entry in entries:
        fields = (entry.till, entry.seq, entry.at_ms, entry.actor, entry.act, entry.subject, entry.body)
        if entry.seq != expected or entry.previous != previous or entry.hash != chain(previous, fields):
            return entry.seq
        previous, expected = entry.hash, expected + 1
    return None
