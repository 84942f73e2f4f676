"""What may happen to money after it was captured: refunds, disputes, payouts. No HTTP, no dialect."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pos.sandbox.books import Books, Refusal
from pos.sandbox.records import Dispute, Entry, Payment, Payout, Refund


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What somebody asks to be given back; no amount means all that is left.

    `ends`: how it goes on - None (succeeded at once), or `succeeded`, `failed` after `after_s`; with `succeed_first`
    a refund that will fail looks succeeded until then.
    """

    amount_minor: int | None = None
    reason: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    ends: str | None = None
    after_s: float = 0.0
    succeed_first: bool = False
    details: dict[str, Any] = field(default_factory=dict)


def refund(books: Books, payment: Payment, order: RefundOrder) -> Refund:
    """Give back captured money, never more than is left of it.

    Raises:
        Refusal: `not_captured`, `disputed`, `already_refunded`, `refund_too_much` (with what is left).
    """
    amount = _refundable(books, payment, order.amount_minor)
    waits = order.ends is not None and not order.succeed_first
    made = books.add(
        Refund,
        payment=payment.id,
        amount_minor=amount,
        currency=payment.currency,
        state="pending" if waits else "succeeded",
        reason=order.reason,
        settles_at=None if order.ends is None else books.clock + order.after_s,
        settles_as=order.ends,
        metadata=json.dumps(order.metadata),
        details=json.dumps(order.details),
    )
    entry = books.post("refund", made.id, -amount, 0, like=payment, currency=payment.currency)
    made = books.tx.update(made, entry=entry.id)
    books.announce("refund.created", made.id)
    return made


def _refundable(books: Books, payment: Payment, wanted_minor: int | None) -> int:
    if payment.state != "captured":
        raise Refusal("not_captured", id=payment.id, state=payment.state)
    if any(dispute.state != "won" for dispute in books.disputes_of(payment)):
        raise Refusal("disputed", id=payment.id)
    left = payment.captured_minor - books.refunded_minor(payment)
    if left == 0:
        raise Refusal("already_refunded", id=payment.id)
    amount = left if wanted_minor is None else wanted_minor
    if amount > left:
        raise Refusal(
            "refund_too_much", amount_minor=amount, left_minor=left, payment_minor=payment.captured_minor,
            currency=payment.currency,
        )  # fmt: skip
    return amount


def settle_refund(books: Books, waiting: Refund) -> Refund:
    """What was to happen to this refund later happens now."""
    if waiting.settles_as == "failed":
        return fail_refund(books, waiting, "expired_or_canceled_card")
    done = books.tx.update(waiting, state="succeeded", settles_at=None, settles_as=None)
    books.announce("refund.updated", waiting.id)
    return done


def fail_refund(books: Books, made: Refund, why: str) -> Refund:
    """The money comes back to the shop: a refund can bounce, also one that had succeeded.

    Raises:
        Refusal: `refund_over`: it has failed before.
    """
    if made.state == "failed":
        raise Refusal("refund_over", id=made.id)
    payment = books.get(Payment, made.payment)
    entry = books.post("refund_failure", made.id, made.amount_minor, 0, like=payment, currency=made.currency)
    values = {"state": "failed", "failure_reason": why, "failure_entry": entry.id}
    failed = books.tx.update(made, **values, settles_at=None, settles_as=None)
    books.announce("refund.failed", made.id)
    return failed


def open_dispute(books: Books, payment: Payment, amount_minor: int | None, reason: str) -> Dispute:
    """The customer's bank takes the money back, for now.

    Raises:
        Refusal: `not_captured`; `disputed`: it is already; `dispute_too_much`.
    """
    if payment.state != "captured":
        raise Refusal("not_captured", id=payment.id, state=payment.state)
    if books.disputes_of(payment):
        raise Refusal("disputed", id=payment.id)
    amount = payment.captured_minor if amount_minor is None else amount_minor
    if not 0 < amount <= payment.captured_minor:
        raise Refusal("dispute_too_much", amount_minor=amount, most_minor=payment.captured_minor)
    fee = books.settings.dispute_fee_minor
    values = {"payment": payment.id, "amount_minor": amount, "fee_minor": fee, "currency": payment.currency}
    dispute = books.add(Dispute, **values, reason=reason, state="open", entry="")
    entry = books.post("dispute", dispute.id, -amount, fee, like=payment, currency=payment.currency)
    dispute = books.tx.update(dispute, entry=entry.id)
    books.announce("dispute.opened", dispute.id)
    return dispute


def close_dispute(books: Books, dispute: Dispute, state: str) -> Dispute:
    """`won`: the money returns to the shop, the fee does not. `lost`: it stays away.

    Raises:
        Refusal: `dispute_over`.
    """
    if dispute.state != "open":
        raise Refusal("dispute_over", state=dispute.state)
    reversal = None
    if state == "won":
        payment = books.get(Payment, dispute.payment)
        back = books.post(
            "dispute_reversal", dispute.id, dispute.amount_minor, 0, like=payment, currency=dispute.currency
        )
        reversal = back.id
    closed = books.tx.update(dispute, state=state, reversal_entry=reversal)
    books.announce("dispute.closed", dispute.id)
    return closed


def pay_out(books: Books) -> list[Payout]:
    """One payout per currency of all that is available and not yet paid out; nothing where that is not above zero."""
    due = "WHERE account = ? AND payout IS NULL AND available_at <= ? ORDER BY seq"
    waiting = books.tx.many(Entry, due, books.account.id, books.now)
    made = []
    for currency in sorted({entry.currency for entry in waiting}):
        entries = [entry for entry in waiting if entry.currency == currency]
        total = sum(entry.net_minor for entry in entries)
        if total > 0:
            made.append(_one_payout(books, currency, total, entries))
    return made


def _one_payout(books: Books, currency: str, total_minor: int, entries: list[Entry]) -> Payout:
    payout = books.add(Payout, amount_minor=total_minor, currency=currency, entry="")
    entry = books.post("payout", payout.id, -total_minor, 0, like=None, currency=currency)
    for included in [*entries, entry]:
        books.tx.update(included, payout=payout.id)
    payout = books.tx.update(payout, entry=entry.id)
    books.announce("payout.created", payout.id)
    books.announce("payout.paid", payout.id)
    return payout
