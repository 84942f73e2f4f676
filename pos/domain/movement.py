"""What money has moved, for the Z that tells of it, and what is to be done at the counter because of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ZEntry:
    """One movement of money that counts for an order; in exactly one Z. `captured_at_ms`: the gateway's time."""

    kind: str
    subject: str
    order_id: str
    till: str
    method: str
    amount_minor: int
    currency: str
    at_ms: int
    captured_at_ms: int | None = None
    z_id: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to be done once on the counter: `receipt`, `drawer`. Unique by order, effect and subject."""

    order_id: str
    effect: str
    subject: str
    made_at_ms: int
    valid_until_ms: int
