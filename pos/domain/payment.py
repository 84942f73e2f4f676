"""Attempts: our permission to act. Phases, keys, references.

    drafted -> requesting -> open -> closing -> closed
       |           |          |        |
       +-> abandoned <-+      +-> released <-+------+   (released: given up by a manager, watched on)

*Live* = drafted, requesting, open, closing. *Shown* = committed as open. Only drafted or requesting can be
abandoned. `ALLOWED` is the drawing, executable; a test compares the two.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum

from pos.domain.facts import Mode

SEND_BY_S = 60
"""Seconds in which a create call may be sent; later the background only looks up and closes."""
CALL_TIMEOUT_S = 10
"""Seconds we wait for a gateway's answer; an attempt whose call is older is unknown."""
PAUSE_MAX_MS = 4 * 3_600_000
"""No look is put off longer,"""
FAILED_PAUSE_MAX_MS = 300_000
"""and none after a failed one: what says so is from before the clock was set back."""
WATCH_CLOSED_DAYS = 5
"""Days a closed link without a capture is still looked at: late authorisation."""
FENCE_WAIT_S = 90
"""Seconds a payment in flight may hold up the counter before a manager may override."""


class Phase(StrEnum):
    DRAFTED = "drafted"
    REQUESTING = "requesting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    RELEASED = "released"
    ABANDONED = "abandoned"


ALLOWED: dict[Phase, frozenset[Phase]] = {
    Phase.DRAFTED: frozenset({Phase.REQUESTING, Phase.ABANDONED}),
    Phase.REQUESTING: frozenset({Phase.OPEN, Phase.ABANDONED}),
    Phase.OPEN: frozenset({Phase.CLOSING, Phase.CLOSED, Phase.RELEASED}),
    Phase.CLOSING: frozenset({Phase.CLOSED, Phase.RELEASED}),
    Phase.CLOSED: frozenset({Phase.RELEASED}),
    Phase.RELEASED: frozenset({Phase.CLOSED}),
    Phase.ABANDONED: frozenset(),
}
LIVE = frozenset({Phase.DRAFTED, Phase.REQUESTING, Phase.OPEN, Phase.CLOSING})
SHOWN = frozenset({Phase.OPEN, Phase.CLOSING, Phase.CLOSED, Phase.RELEASED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to collect an order's money through one gateway: one link at the most. Times in ms since 1970 UTC.

    `token` (128 bits) names the attempt on the relay's public pages; `qr_url` is the relay's short link where the
    code carries that instead of the gateway's `url`. `fenced_at_ms`: when a complete look after the link's end showed
    nothing in flight; None = it may still be paid. It and `shown_at_ms` follow the order's tenders, whatever the till's
    clock said. `share_minor`, `due_minor` and `kept_minor` are what the amount was computed from when it was drafted
    (None in books from before that was kept), the share being part of plan `plan_no` where that is not 0.
    """

    id: str
    order_id: str
    no: int
    revision: int
    gateway: str
    account: str
    mode: Mode
    amount_minor: int
    currency: str
    key: str
    reference: str
    phase: Phase
    drafted_at_ms: int
    send_by_ms: int
    link_id: str = ""
    url: str = ""
    token: str = ""
    qr_url: str = ""
    expires_at_ms: int | None = None
    shown_at_ms: int | None = None
    closing_at_ms: int | None = None
    fenced_at_ms: int | None = None
    fence_kind: str = ""
    ended_at_ms: int | None = None
    reason: str = ""
    look_due_at_ms: int | None = None
    looks_failed: int = 0
    looked_at_ms: int | None = None
    share_minor: int | None = None
    due_minor: int | None = None
    kept_minor: int | None = None
    plan_no: int = 0

    @property
    def live(self) -> bool:
        return self.phase in LIVE

    @property
    def was_shown(self) -> bool:
        return self.phase in SHOWN

    @property
    def fenced(self) -> bool:
        return self.fenced_at_ms is not None


@dataclass(frozen=True, slots=True)
class KeyParts:
    """What an idempotency key is made of; same parts, same key, for ever."""

    shop: str
    order_id: str
    revision: int
    attempt_no: int
    operation: str
    subject: str
    amount_minor: int
    currency: str
    account: str


def idempotency_key(parts: KeyParts) -> str:
    """`tt1-` + base32(SHA-256(shop|order|revision|attempt|operation|subject|amount|currency|account)).

    The base32 text is cut to 40 characters, lower case.
    """
    fields = (
        parts.shop,
        parts.order_id,
        str(parts.revision),
        str(parts.attempt_no),
        parts.operation,
        parts.subject,
        str(parts.amount_minor),
        parts.currency,
        parts.account,
    )
    digest = hashlib.sha256("|".join(fields).encode()).digest()
    return "tt1-" + base64.b32encode(digest).decode()[:40].lower()


def reference(order_id: str, attempt_no: int) -> str:
    """Our reference at the gateway: `<order id>_<attempt no>`."""
    return f"{order_id}_{attempt_no}"


def parse_reference(text: str) -> tuple[str, int] | None:
    """Order id and attempt number of a reference of ours, else None."""
    order_id, separator, number = text.rpartition("_")
    if not separator or len(order_id) != 36 or not number.isascii() or not number.isdigit() or len(number) > 6:
        return None
    return order_id, int(number)
