"""Drills: things that happen to money without anybody asking for them over the gateway's API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pos.domain.errors import BadInput, NotFound
from pos.sandbox import aftermath, lifecycle
from pos.sandbox.accounts import account
from pos.sandbox.bank import Bank
from pos.sandbox.books import Books
from pos.sandbox.dialect import random_text
from pos.sandbox.lifecycle import Try
from pos.sandbox.records import Dispute, Endpoint, Event, Intent, Link, Payment, Refund
from pos.sandbox.store import Tx

Json = dict[str, Any]


def _found(bank: Bank, tx: Tx, record: type[Any], subject: str) -> tuple[Books, Any]:
    found = tx.one(record, "WHERE id = ?", subject)
    if found is None:
        raise NotFound(f"There is no {record.TABLE} {subject}.", "The gateway's API lists them.")
    return bank.books(tx, account(tx, found.account)), found


def _amount(body: Json) -> int | None:
    value = body.get("amount_minor")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadInput("amount_minor must be a whole number above zero.", "It is in minor units.")
    return value


def pay_link(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    """A customer pays, without a page."""
    books, link = _found(bank, tx, Link, subject)
    outcome = body.get("outcome", "paid")
    if outcome not in lifecycle.OUTCOMES:
        raise BadInput(f"There is no outcome {outcome!r}.", f"Known: {', '.join(lifecycle.OUTCOMES)}.")
    method = str(body.get("method", lifecycle.usual_method(link)))
    return asdict(lifecycle.try_to_pay(books, link, Try(outcome, method, _amount(body))))


def capture_link(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    """Money arrives whatever the state: late on an expired link, twice on a paid one."""
    books, link = _found(bank, tx, Link, subject)
    own_intent = bool(body.get("own_intent", True))
    return asdict(lifecycle.force_capture(books, link, _amount(body), own_intent=own_intent))


def expire_link(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    books, link = _found(bank, tx, Link, subject)
    return asdict(lifecycle.close_link(books, link, "time"))


def pay_order(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    """A customer pays an order at the shop's own checkout, or through the link it belongs to."""
    _, order = _found(bank, tx, Intent, subject)
    return pay_link(bank, tx, order.link, body)


_SETTLES = {"pending": ("captured", "failed"), "failed": ("captured", "authorized"), "authorized": ("voided",)}


def settle_payment(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    """A pending payment arrives now (`as`: captured, the default) or never will (`failed`); one that had failed turns
    out to have been authorized (captured, or authorized to wait for it); one that waits for capture is let go (voided).
    """
    books, payment = _found(bank, tx, Payment, subject)
    allowed = _SETTLES.get(payment.state, ())
    if payment.state == "failed" and not books.dialect.late_authorization:
        allowed = ()
    if not allowed:
        raise BadInput(f"{subject} is {payment.state}.", "Only a payment that is not over can settle.")
    ends = body.get("as", allowed[0])
    if ends not in allowed:
        raise BadInput(f"A payment cannot settle as {ends!r}.", f"{' or '.join(allowed)}.")
    return asdict(lifecycle.settle(books, tx.update(payment, settles_as=ends)))


def dispute_payment(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    books, payment = _found(bank, tx, Payment, subject)
    return asdict(aftermath.open_dispute(books, payment, _amount(body), str(body.get("reason", "general"))))


def close_dispute(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    books, dispute = _found(bank, tx, Dispute, subject)
    state = body.get("outcome")
    if state not in ("won", "lost"):
        raise BadInput("outcome is missing.", "won or lost.")
    return asdict(aftermath.close_dispute(books, dispute, state))


def fail_refund(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    books, refund = _found(bank, tx, Refund, subject)
    return asdict(aftermath.fail_refund(books, refund, str(body.get("reason", "expired_or_canceled_card"))))


def settle_refund(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    books, refund = _found(bank, tx, Refund, subject)
    if refund.state != "pending":
        raise BadInput(f"{subject} is {refund.state}.", "Only a pending refund can settle.")
    return asdict(aftermath.settle_refund(books, refund))


def resend_event(bank: Bank, tx: Tx, subject: str, body: Json) -> Json:
    """Send an event once more to every endpoint, as a gateway's dashboard can."""
    event = tx.one(Event, "WHERE id = ?", subject)
    if event is None:
        raise NotFound(f"There is no event {subject}.", "The gateway's API lists them.")
    endpoints = tx.many(Endpoint, "WHERE account = ? AND enabled = 1", event.account)
    for endpoint in endpoints:
        row: Json = {"id": "dlv_" + random_text(16), "event": event.id, "endpoint": endpoint.id, "state": "pending"}
        tx.insert("delivery", {**row, "tries": 0, "next_at": 0.0, "met_faults": 1, "secret": endpoint.secret})
    return {"event": event.id, "sent_to": len(endpoints)}


def pay_out(bank: Bank, tx: Tx, subject: str, body: Json) -> list[Json]:
    """Pay out all that is available, one payout per currency."""
    return [asdict(payout) for payout in aftermath.pay_out(bank.books(tx, account(tx, subject)))]


DRILLS: dict[str, Callable[[Bank, Tx, str, Json], Any]] = {
    "links.pay": pay_link,
    "links.capture": capture_link,
    "links.expire": expire_link,
    "orders.pay": pay_order,
    "payments.settle": settle_payment,
    "payments.dispute": dispute_payment,
    "disputes.close": close_dispute,
    "refunds.fail": fail_refund,
    "refunds.settle": settle_refund,
    "events.resend": resend_event,
    "accounts.payout": pay_out,
}
