"""What may happen to a link and its payments, and what follows. One transaction per change; no HTTP, no dialect.

    link     open -> complete (a payment succeeded, or a slow one is on its way) | expired (closed, or its time is over)
    payment  pending -> captured | authorized | failed;   authorized -> captured | voided;   failed (declined)
             failed -> authorized | captured, late, where the dialect's gateway knows that

A declined payment leaves its link open: the customer may try again. Some gateways keep a link open until a payment
was captured, others until one was accepted (`Link.completes`); a payment in flight bars another try at both. Drills may
break the rules, through `force`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pos.sandbox.books import Books, Refusal
from pos.sandbox.records import Intent, Link, Payment

LIVE = ("pending", "authorized", "captured")
STRANGER_S = 3600
"""How long a stranger's checkout of a drill stays open."""
OUTCOMES = ("paid", "declined", "pending", "pending_fails", "late", "failed_then_late")


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
    kind: str = "page"
    page: str | None = None
    completes: str = "accepted"
    capture_within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a customer: how it ends, by which method, and for which amount if a drill says another."""

    outcome: str
    method: str = "card"
    amount_minor: int | None = None


def open_link(books: Books, order: LinkOrder) -> Link:
    link = books.add(
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
        kind=order.kind,
        page=order.page,
        completes=order.completes,
        capture_within_s=order.capture_within_s,
    )
    books.announce("link.opened", link.id)
    return link


def open_order(books: Books, order: LinkOrder) -> Intent:
    """A link whose intent is there from the beginning: the intent is what the shop knows it by."""
    link = open_link(books, order)
    return _intent(books, link, link.amount_minor)


def close_link(books: Books, link: Link, reason: str = "asked") -> Link:
    """Nothing can be paid through it from now on; a payment already in flight still settles.

    `reason`: it was asked for, or its time is over.

    Raises:
        Refusal: `not_open`, with the link's kind and state, and why it was closed.
    """
    if link.state != "open":
        raise Refusal("not_open", state=link.state, kind=link.kind, closed=link.close_reason)
    closed = books.tx.update(link, state="expired", closed_at=books.now, close_reason=reason)
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


def usual_method(link: Link) -> str:
    """How a drill pays, where it is not told."""
    return str((link.more.get("methods") or ["card"])[0])


def is_payable(books: Books, link: Link) -> bool:
    return link.state == "open" and books.now < link.expires_at and not _live(books, link)


def try_to_pay(books: Books, link: Link, attempt: Try) -> Payment:
    """A customer acts on the page.

    Raises:
        Refusal: `not_payable`, with the link's state; `never_late`: this gateway's failed payments stay failed.
    """
    if attempt.outcome == "failed_then_late" and not books.dialect.late_authorization:
        raise Refusal("never_late")
    if not is_payable(books, link):
        raise Refusal("not_payable", state=link.state)
    amount_minor = attempt.amount_minor or link.amount_minor
    intent = _intent(books, link, amount_minor)
    payment = _new_payment(books, link, intent, attempt.method, amount_minor)
    if attempt.outcome == "declined":
        return _fail(books, payment, "card_declined")
    if attempt.outcome == "failed_then_late":
        failed = _fail(books, payment, "timed_out")
        return books.tx.update(failed, settles_at=books.clock + books.settings.pending_s, settles_as="captured")
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
    if link.completes == "accepted":
        _complete(books, link)
    return waiting


def _authorize(books: Books, link: Link, payment: Payment) -> Payment:
    """The money is held for the shop: until it is captured, or its time is over."""
    within_s = link.capture_within_s
    lapses: dict[str, object] = {"settles_at": None, "settles_as": None}
    if within_s is not None:
        lapses = {"settles_at": books.clock + within_s, "settles_as": "voided"}
    authorized = books.tx.update(payment, state="authorized", authorized_at=books.now, failure_code=None, **lapses)
    books.announce("payment.authorized", payment.id)
    if link.completes == "accepted":
        _complete(books, link)
    return authorized


def _complete(books: Books, link: Link) -> None:
    books.tx.update(link, state="complete", closed_at=books.now, close_reason="paid")
    books.announce("link.completed", link.id)


def _complete_captured(books: Books, link_id: str) -> None:
    """A link that stayed open until money was captured takes no more of it."""
    link = books.get(Link, link_id)
    if link.state == "open" and link.completes == "captured":
        _complete(books, link)


def _capture(books: Books, payment: Payment, amount_minor: int) -> Payment:
    fee, tax = books.fee_of(amount_minor)
    entry = books.post("payment", payment.id, amount_minor, fee, like=payment, currency=payment.currency, tax=tax)
    captured = books.tx.update(
        payment,
        state="captured",
        captured_minor=amount_minor,
        captured_at=books.now,
        failure_code=None,
        entry=entry.id,
        settles_at=None,
        settles_as=None,
    )
    books.announce("payment.captured", payment.id)
    return captured


def settle(books: Books, payment: Payment) -> Payment:
    """What was to happen to this payment later happens now.

    One that was on its way arrives, or does not; one that had failed turns out to have been authorized; one that nobody
    captured is let go. Money counts also where its link has expired meanwhile.
    """
    link = books.get(Link, payment.link)
    if payment.state == "authorized":
        return _let_go(books, payment)
    if payment.state == "failed":
        return _authorize_late(books, link, payment)
    if payment.settles_as == "failed":
        failed = _fail(books, payment, "payment_method_provider_decline")
        books.announce("link.settle_failed", link.id)
        return failed
    if link.manual_capture and link.completes == "captured":
        return _authorize(books, link, payment)
    captured = _capture(books, payment, payment.amount_minor)
    if link.state == "complete":
        books.announce("link.settled", link.id)
    _complete_captured(books, link.id)
    return captured


def _authorize_late(books: Books, link: Link, payment: Payment) -> Payment:
    """Beside another payment that counts by now, it is the second of two."""
    twice = bool(_live(books, link))
    payment = books.tx.update(payment, forced=int(twice or bool(payment.forced)))
    if link.manual_capture or payment.settles_as == "authorized":
        return _authorize(books, link, payment)
    captured = _capture(books, payment, payment.amount_minor)
    _complete_captured(books, link.id)
    return captured


def _let_go(books: Books, payment: Payment) -> Payment:
    voided = books.tx.update(payment, state="voided", closed_at=books.now, settles_at=None, settles_as=None)
    books.announce("payment.voided", payment.id)
    return voided


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
    captured = _capture(books, payment, amount)
    _complete_captured(books, payment.link)
    return captured


def void(books: Books, intent: Intent) -> Intent:
    """Let go of an authorized payment; nothing can be captured any more.

    Raises:
        Refusal: `not_authorized`, with the state of the newest payment.
    """
    newest = next(iter(books.payments_of_intent(intent)), None)
    if newest is None or newest.state != "authorized":
        raise Refusal("not_authorized", state=newest.state if newest else "none")
    _let_go(books, newest)
    canceled = books.tx.update(intent, canceled_at=books.now)
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
    payment = _new_payment(books, link, intent, usual_method(link), amount, forced=twice)
    payment = _capture(books, payment, amount)
    if link.state == "open":
        _complete(books, link)
    return payment


def stranger_pays(books: Books, amount_minor: int) -> Payment:
    """A drill: money comes in that has nothing to do with this shop's till, through a checkout of its own.

    In the currency of the account's newest link.
    """
    newest = books.tx.many(Link, "WHERE account = ? ORDER BY seq DESC LIMIT 1", books.account.id)
    intent = open_order(
        books,
        LinkOrder(
            amount_minor=amount_minor,
            currency=newest[0].currency if newest else "eur",
            title="Somebody else's",
            expires_at=books.now + STRANGER_S,
            success_url="",
            kind="order",
        ),
    )
    return try_to_pay(books, books.get(Link, intent.link), Try("paid"))
