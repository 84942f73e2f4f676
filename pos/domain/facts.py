"""Facts and bindings: what a gateway told us itself that is true for ever. Only added, never changed.

A fact has no order: bindings tie objects together, and it does not matter which is learnt first.
Webhooks and callbacks are hints and never become facts.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Kinds of facts; those named `x.of.y` are bindings, whose `target` is the y."""

    LINK_OPENED = "link.opened"
    LINK_CLOSED = "link.closed"
    LINK_EXPIRED = "link.expired"
    PAYMENT_PENDING = "payment.pending"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_AUTHORIZED = "payment.authorized"
    PAYMENT_VOIDED = "payment.voided"
    PAYMENT_CAPTURED = "payment.captured"
    PAYMENT_REVERSED = "payment.reversed"
    PAYMENT_FEE = "payment.fee"
    REFUND_PENDING = "refund.pending"
    REFUND_SUCCEEDED = "refund.succeeded"
    REFUND_FAILED = "refund.failed"
    REFUND_REVERSED = "refund.reversed"
    DISPUTE_OPEN = "dispute.open"
    DISPUTE_LOST = "dispute.lost"
    DISPUTE_WON = "dispute.won"
    PAYOUT_INCLUDED = "payout.included"
    PAYMENT_OF_LINK = "payment.of.link"
    PAYMENT_OF_REFERENCE = "payment.of.reference"
    PAYMENT_ATTACHED = "payment.attached"
    PAYMENT_OF_SHOP = "payment.of.shop"
    REFUND_OF_PAYMENT = "refund.of.payment"
    REFUND_OF_OURS = "refund.of.ours"
    DISPUTE_OF_PAYMENT = "dispute.of.payment"

    @property
    def is_binding(self) -> bool:
        return self in _BINDINGS


_BINDINGS = frozenset(
    {
        Kind.PAYMENT_OF_LINK,
        Kind.PAYMENT_OF_REFERENCE,
        Kind.PAYMENT_ATTACHED,
        Kind.PAYMENT_OF_SHOP,
        Kind.REFUND_OF_PAYMENT,
        Kind.REFUND_OF_OURS,
        Kind.DISPUTE_OF_PAYMENT,
    }
)


class Mode(StrEnum):
    TEST = "test"
    LIVE = "live"


class Source(StrEnum):
    """How we came to know a fact."""

    ANSWER = "answer"
    FETCH = "fetch"
    REPORT = "report"
    PERSON = "person"


class Fact(NamedTuple):
    """One thing that is true for ever at one gateway account, in one mode.

    `object` is the gateway's id of the link, payment, refund, dispute or payout; `target` the other end of a
    binding; `at_ms` the gateway's own time in milliseconds since 1970 UTC, where it names one. For
    `payout.included` the object is the payment or refund, the target the payout, the amount gross and the fee its fee.
    The target of `payment.of.shop` is `<shop id>/<till>`, from marks that a till of ours left at the gateway.
    """

    gateway: str
    account: str
    mode: Mode
    kind: Kind
    object: str
    target: str = ""
    amount_minor: int | None = None
    currency: str = ""
    at_ms: int | None = None
    fee_minor: int | None = None

    @property
    def id(self) -> str:
        """SHA-256 over account, mode, kind, ids and the values that matter; two messages that say the same are one.

        A link's or a pending state's time does not matter (gateways round it); a capture's does: it decides the day.
        """
        at = self.at_ms if self.kind is Kind.PAYMENT_CAPTURED else None
        parts = (self.gateway, self.account, self.mode, self.kind, self.object, self.target)
        values = (self.amount_minor, self.currency, at, self.fee_minor)
        text = "\x1f".join([*parts, *("" if v is None else str(v) for v in values)])
        return hashlib.sha256(text.encode()).hexdigest()


class Sighting(NamedTuple):
    """How and when we learnt a fact: the source, the hint that caused it, and a digest of the raw bytes."""

    source: Source
    hint: str
    seen_at_ms: int
    raw_sha256: str = ""


def shop_mark(shop: str, till: str) -> str:
    """The target of `payment.of.shop`; "" where the marks name no shop, or are longer than any of ours."""
    return f"{shop}/{till}" if 0 < len(shop) <= 100 and len(till) <= 40 and "/" not in shop else ""
