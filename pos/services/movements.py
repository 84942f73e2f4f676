"""Movements of money that the next Z tells of, each once, and the receipt that a capture brings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pos.domain.joins import Bundle, PaymentState, RefundState
from pos.domain.movement import Effect, ZEntry
from pos.domain.verdict import Verdict

RECEIPT_VALID_MS = 10 * 60_000
DRAWER_VALID_MS = 5_000
Movement = tuple[str, str]
"""(kind, subject): what a Z entry is unique by."""


def movements(bundle: Bundle, verdict: Verdict, now_ms: int) -> Iterator[ZEntry]:
    """Everything that has moved by the verdict, entered before or not; a bounce stands where its refund was entered."""
    gateways = {p.id: p.gateway for p in verdict.payments}
    for payment in verdict.payments:
        if payment.counts and payment.captured_minor:
            yield _of_payment("capture", bundle, payment, payment.captured_minor, now_ms)
        if payment.counts and payment.reversed_minor:
            yield _of_payment("reversal", bundle, payment, -payment.reversed_minor, now_ms)
    for refund in verdict.refunds:
        gateway = gateways.get(refund.payment, "")
        if refund.state == "succeeded":
            yield _of_refund("refund", bundle, refund, gateway, now_ms)
        elif refund.state in {"failed", "reversed"}:
            yield _of_refund("bounce", bundle, refund, gateway, now_ms)


def asked_of(entries: Iterable[ZEntry]) -> set[Movement]:
    """Which movements must be looked up before it is known which of these are new."""
    return {
        key for e in entries for key in ((e.kind, e.subject), ("refund" if e.kind == "bounce" else e.kind, e.subject))
    }


def new_of(entries: Iterable[ZEntry], entered: set[Movement]) -> Iterator[ZEntry]:
    """Those that were not entered yet, which they are from here on."""
    for entry in entries:
        key = (entry.kind, entry.subject)
        known = entry.kind != "bounce" or ("refund", entry.subject) in entered
        if known and key not in entered:
            entered.add(key)
            yield entry


def payment_of(entry: ZEntry) -> tuple[str, str]:
    """(gateway, payment) of a capture."""
    return entry.method, entry.subject.removeprefix(f"{entry.method}:")


def receipt_of(entry: ZEntry, now_ms: int) -> Effect:
    """One for each capture."""
    _, payment = payment_of(entry)
    return Effect(entry.order_id, "receipt", payment, now_ms, now_ms + RECEIPT_VALID_MS)


def _of_payment(kind: str, bundle: Bundle, payment: PaymentState, amount_minor: int, now_ms: int) -> ZEntry:
    return ZEntry(
        kind=kind,
        subject=f"{payment.gateway}:{payment.id}",
        order_id=bundle.order.id,
        till=bundle.order.till,
        method=payment.gateway,
        amount_minor=amount_minor,
        currency=payment.currency,
        at_ms=now_ms,
        captured_at_ms=payment.captured_at_ms,
    )


def _of_refund(kind: str, bundle: Bundle, refund: RefundState, gateway: str, now_ms: int) -> ZEntry:
    """`subject` is the gateway's id: which row of ours it is may be learnt later."""
    return ZEntry(
        kind=kind,
        subject=refund.id or refund.ours,
        order_id=bundle.order.id,
        till=bundle.order.till,
        method=gateway,
        amount_minor=refund.amount_minor if kind == "bounce" else -refund.amount_minor,
        currency=bundle.order.currency,
        at_ms=now_ms,
    )
