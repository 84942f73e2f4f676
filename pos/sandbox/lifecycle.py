"""What may happen to a link and its payments, and what follows. One transaction per change; no HTTP, no dialect.

    link     open -> complete (a payment succeeded, or a slow one is on its way) | expired (closed, or its time is over)
    payment  pending -> captured | failed;   authorized -> captured | voided;   failed (declined)

A declined payment leaves its link open: the customer may try again. Drills may break the rules, through `force`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pos.sandbox.books import Books, Refusal
from pos.sandbox.records import Intent, Link, Payment

LIVE = ("pending", "authorized", "captured")
OUTCOMES = ("paid", "declined", "pending", "pending_fails", "late")


@dataclass(frozen=True, slots=True)
class LinkOrder:
    """What somebody asks of a new link. Amount in minor units, currency lower case, expiry in Unix seconds."""

    amount_minor: int
    currency: str
    title: str
    expires_at: int
    success_url: str
    cancel_url: str | None = None
    reference: str | None = None
    manual_capture: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    payment_metadata: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a customer: how it ends, by which method, and for which amount if a drill says another."""

    outcome: str
    method: str = "card"
    amount_minor: int | None = None


def open_link(books: Books, order: LinkOrder) -> Link:
    return books.add(
        Link,
        amount_minor=order.amount_minor,
        currency=order.currency,
        state="open",
        expires_at=order.expires_at,
        reference=order.reference,
        title=order.title,
        success_url=order.success_url,
        cancel_url=order.cancel_url,
        manual_capture=int(order.manual_capture),
        metadata=json.dumps(order.metadata),
        payment_metadata=json.dumps(order.payment_metadata),
        details=json.dumps(order.details),
    )


def close_link(books: Books, link: Link) -> Link:
    """Nothing can be paid through it from now on; a payment already in flight still settles.

    Raises:
        Refusal: `not_open`, with the link's state.
    """
    if link.state != "open":
        raise Refusal("not_open", state=link.state)
    closed = books.tx.update(link, state="expired")
    for intent in books.intents_of(link):
        if not _live(books, link) and intent.canceled_at is None:
            books.tx.update(intent, canceled_at=books.now)
            books.announce("intent.canceled", intent.id)
    for payment in _live(books, link):
        if payment.state == "pending" and payment.settles_as == "late":
            settles_at = books.clock + books.settings.pending_s
            books.tx.update(payment, settles_at=settles_at, settles_as="captured")
    books.announce("link.expired", link.id)
    return closed


def _live(books: Books, link: Link) -> list[Payment]:
    return [payment for payment in books.payments_of_link(link) if payment.state in LIVE]


def is_payable(books: Books, link: Link) -> bool:
    return link.state == "open" and books.now < link.expires_at and not _live(books, link)


def try_to_pay(books: Books, link: Link, attempt: Try) -> Payment:
    """A customer acts on the page.

    Raises:
        Refusal: `not_payable`, with the link's state.
    """
    if not is_payable(books, link):
        raise Refusal("not_payable", state=link.state)
    amount_minor = attempt.amount_minor or link.amount_minor
    intent = _intent(books, link, amount_minor)
    payment = _new_payment(books, link, intent, attempt.method, amount_minor)
    if attempt.outcome == "declined":
        return _fail(books, payment, "card_declined")
    if attempt.outcome == "late":
        books.announce("payment.pending", payment.id)
        return books.tx.update(payment, settles_as="late")
    if attempt.outcome in ("pending", "pending_fails"):
        return _keep_waiting(books, link, payment, attempt.outcome)
    if link.manual_capture:
        return _authorize(books, link, payment)
    payment = _capture(books, payment, payment.amount_minor)
    _complete(books, link)
    return payment


def _intent(books: Books, link: Link, amount_minor: int, *, forced: bool = False) -> Intent:
    known = [intent for intent in books.intents_of(link) if not intent.forced]
    if known and not forced:
        return books.tx.update(known[0], amount_minor=amount_minor)
    values = {"amount_minor": amount_minor, "currency": link.currency, "metadata": link.payment_metadata}
    intent = books.add(Intent, link=link.id, forced=int(forced), **values)
    books.announce("intent.created", intent.id)
    return intent


def _new_payment(
    books: Books, link: Link, intent: Intent, method: str, amount_minor: int, *, forced: bool = False
) -> Payment:
    return books.add(
        Payment,
        intent=intent.id,
        link=link.id,
        amount_minor=amount_minor,
        captured_minor=0,
        currency=link.currency,
        method=method,
        state="pending",
        forced=int(forced),
        metadata=intent.metadata,
    )


def _fail(books: Books, payment: Payment, code: str) -> Payment:
    failed = books.tx.update(payment, state="failed", failure_code=code, settles_at=None, settles_as=None)
    books.announce("payment.failed", payment.id)
    return failed


def _keep_waiting(books: Books, link: Link, payment: Payment, outcome: str) -> Payment:
    ends = "captured" if outcome == "pending" else "failed"
    waiting = books.tx.update(payment, settles_at=books.clock + books.settings.pending_s, settles_as=ends)
    books.announce("payment.pending", payment.id)
    _complete(books, link)
    return waiting


def _authorize(books: Books, link: Link, payment: Payment) -> Payment:
    authorized = books.tx.update(payment, state="authorized")
    books.announce("payment.authorized", payment.id)
    _complete(books, link)
    return authorized


def _complete(books: Books, link: Link) -> None:
    books.tx.update(link, state="complete")
    books.announce("link.completed", link.id)


def _capture(books: Books, payment: Payment, amount_minor: int) -> Payment:
    fee = books.fee_of(amount_minor)
    entry = books.post("payment", payment.id, amount_minor, fee, like=payment, currency=payment.currency)
    captured = books.tx.update(
        payment,
        state="captured",
        captured_minor=amount_minor,
        captured_at=books.now,
        entry=entry.id,
        settles_at=None,
        settles_as=None,
    )
    books.announce("payment.captured", payment.id)
    return captured


def settle(books: Books, payment: Payment) -> Payment:
    """A payment that was on its way arrives, or does not. Money counts also where its link has expired meanwhile."""
    link = books.get(Link, payment.link)
    if payment.settles_as == "failed":
        failed = _fail(books, payment, "payment_method_provider_decline")
        books.announce("link.settle_failed", link.id)
        return failed
    captured = _capture(books, payment, payment.amount_minor)
    if link.state == "complete":
        books.announce("link.settled", link.id)
    return captured


def capture_authorized(books: Books, payment: Payment, amount_minor: int | None) -> Payment:
    """Take the money of an authorized payment, or a part of it.

    Raises:
        Refusal: `not_authorized`, with the state; `too_much`, with what may be captured.
    """
    if payment.state != "authorized":
        raise Refusal("not_authorized", state=payment.state)
    amount = payment.amount_minor if amount_minor is None else amount_minor
    if not 0 < amount <= payment.amount_minor:
        raise Refusal("capture_too_much", amount_minor=amount, most_minor=payment.amount_minor)
    return _capture(books, payment, amount)


def void(books: Books, intent: Intent) -> Intent:
    """Let go of an authorized payment; nothing can be captured any more.

    Raises:
        Refusal: `not_authorized`, with the state of the newest payment.
    """
    newest = next(iter(books.payments_of_intent(intent)), None)
    if newest is None or newest.state != "authorized":
        raise Refusal("not_authorized", state=newest.state if newest else "none")
    books.tx.update(newest, state="voided")
    canceled = books.tx.update(intent, canceled_at=books.now)
    books.announce("payment.voided", newest.id)
    books.announce("intent.canceled", intent.id)
    return canceled


def force_capture(books: Books, link: Link, amount_minor: int | None, *, own_intent: bool = True) -> Payment:
    """A drill: money arrives through a link whatever its state. On a link that is paid, it is paid twice.

    `own_intent`: the second payment has an intent of its own, with the same metadata; else it hangs on the first.
    """
    amount = amount_minor or link.amount_minor
    known = [intent for intent in books.intents_of(link) if not intent.forced]
    twice = bool(known) and bool(_live(books, link))
    intent = known[0] if twice and not own_intent else _intent(books, link, amount, forced=twice)
    intent = books.tx.update(intent, canceled_at=None)
    payment = _new_payment(books, link, intent, "card", amount, forced=twice)
    payment = _capture(books, payment, amount)
    if link.state == "open":
        _complete(books, link)
    return payment
