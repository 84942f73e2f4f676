"""How Razorpay names, announces and signs what happens in the bank. No HTTP here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from pos.sandbox import razorpay_objects as objects
from pos.sandbox.accounts import signing_secret
from pos.sandbox.books import Books
from pos.sandbox.dialect import Change, Spoken, random_text
from pos.sandbox.records import Dispute, Event, Intent, Link, Payment, Payout, Refund
from pos.sandbox.signing import razorpay_callback_signature, razorpay_webhook_signature

_PREFIXES = {
    "intent": "order", "payment": "pay", "refund": "rfnd", "dispute": "disp", "entry": "adj", "payout": "setl",
    "page": "plink", "code": "qr", "order": "checkout",
}  # fmt: skip
_LENGTH = 14  # of what follows the prefix


class RazorpayDialect:
    """Implements `dialect.Dialect`."""

    name = "razorpay"
    title = "Razorpay"
    accent = "#0a52d6"
    test_key = "rzp_test_"
    key_form = "rzp_test_...:SECRET"
    account_prefix = "acc"
    account_options: Mapping[str, Any] = {
        "manual_capture": False,
        "capture_within_s": 3 * 24 * 3600.0,  # authorized for longer than this: refunded by itself
        "qr_codes": True,  # the feature must be switched on for an account
        "vpa": "sandbox.rzp@razorpay",
        "fee_per_mille": 20,
        "fee_fixed_minor": 0,
        "fee_tax_percent": 18,  # GST, on the fee and inside what is called the fee
    }
    late_authorization = True
    retries_keep_secret = True

    def key_name(self, credential: str) -> str | None:
        """The key id; a pair needs a secret."""
        name, _, secret = credential.partition(":")
        return name if name.startswith(self.test_key) and len(name) > len(self.test_key) and secret else None

    def new_id(self, what: str, variety: str = "") -> str:
        if what == "event":
            return random_text(_LENGTH)  # sent as x-razorpay-event-id, without a prefix
        return f"{_PREFIXES[variety if what == 'link' else what]}_{random_text(_LENGTH)}"

    def spell(self, books: Books, change: Change) -> list[Spoken]:
        return _SPELLING[change.kind](books, change.subject)

    def envelope(self, event: Event, undelivered: int) -> dict[str, Any]:
        payload = event.said
        return {
            "entity": "event",
            "account_id": event.account,
            "event": event.type,
            "contains": list(payload),
            "payload": payload,
            "created_at": event.created,
        }

    def sign(self, secret: str, body: bytes, at: int, event: str) -> dict[str, str]:
        return {"X-Razorpay-Signature": razorpay_webhook_signature(secret, body), "x-razorpay-event-id": event}

    def page_path(self, link: Link) -> str:
        return f"{objects.PAGE_PREFIX}{link.page}"

    def return_url(self, books: Books, link: Link, outcome: str) -> str | None:
        """The callback with its signed query; only once something was paid, and only if the shop asked for it."""
        payment = next(
            (found for found in books.payments_of_link(link) if found.state in ("captured", "authorized")), None
        )
        if outcome != "paid" or payment is None or not link.success_url:
            return None
        status, reference = objects.link_status(link), link.reference or ""
        secret = signing_secret(books.tx, link.account)
        query = {
            "razorpay_payment_id": payment.id,
            "razorpay_payment_link_id": link.id,
            "razorpay_payment_link_reference_id": reference,
            "razorpay_payment_link_status": status,
            "razorpay_signature": razorpay_callback_signature(secret, link.id, reference, status, payment.id),
        }
        joined = "&" if urlsplit(link.success_url).query else "?"
        return f"{link.success_url}{joined}{urlencode(query)}"


def _entities(**named: dict[str, Any]) -> dict[str, Any]:
    return {name: {"entity": entity} for name, entity in named.items()}


def _nothing(books: Books, subject: str) -> list[Spoken]:
    return []


# -- payments ----------------------------------------------------------------------------------------------------------


def _of_payment(event_type: str) -> Callable[[Books, str], list[Spoken]]:
    def spell(books: Books, subject: str) -> list[Spoken]:
        payment = objects.payment(books, books.get(Payment, subject))
        return [Spoken(event_type, _entities(payment=payment))]

    return spell


def _captured(books: Books, subject: str) -> list[Spoken]:
    """Authorized first, as it was then; then captured; then the order is paid, and a QR code is credited."""
    record = books.get(Payment, subject)
    said = []
    if record.authorized_at is None:
        before = dataclasses.replace(record, state="authorized", captured_minor=0, entry=None)
        said.append(Spoken("payment.authorized", _entities(payment=objects.payment(books, before))))
    payment = objects.payment(books, record)
    said.append(Spoken("payment.captured", _entities(payment=payment)))
    link = books.get(Link, record.link)
    if link.kind == "code":
        return [*said, Spoken("qr_code.credited", _entities(payment=payment, qr_code=objects.qr_code(books, link)))]
    order = books.get(Intent, record.intent)
    if [paid.id for paid in books.payments_of_intent(order) if paid.state == "captured"] == [record.id]:
        said.append(Spoken("order.paid", _entities(payment=payment, order=objects.order(books, order))))
    return said


# -- links -------------------------------------------------------------------------------------------------------------


def _opened(books: Books, subject: str) -> list[Spoken]:
    link = books.get(Link, subject)
    if link.kind != "code":
        return []
    return [Spoken("qr_code.created", _entities(qr_code=objects.qr_code(books, link)))]


def _completed(books: Books, subject: str) -> list[Spoken]:
    link = books.get(Link, subject)
    if link.kind == "code":
        return _closed_code(books, link)
    paid = objects.captured_of(books, link)
    if link.kind == "order" or not paid:
        return []
    entities = _entities(
        payment_link=objects.payment_link(books, link),
        order=objects.order(books, books.get(Intent, paid[-1].intent)),
        payment=objects.payment(books, paid[-1]),
    )
    return [Spoken("payment_link.paid", entities)]


def _closed(books: Books, subject: str) -> list[Spoken]:
    link = books.get(Link, subject)
    if link.kind == "code":
        return _closed_code(books, link)
    if link.kind == "order":
        return []
    word = objects.link_status(link)
    return [Spoken(f"payment_link.{word}", _entities(payment_link=objects.payment_link(books, link)))]


def _closed_code(books: Books, link: Link) -> list[Spoken]:
    return [Spoken("qr_code.closed", _entities(qr_code=objects.qr_code(books, link)))]


# -- what comes after --------------------------------------------------------------------------------------------------


def _of_refund(*event_types: str) -> Callable[[Books, str], list[Spoken]]:
    def spell(books: Books, subject: str) -> list[Spoken]:
        record = books.get(Refund, subject)
        payment = objects.payment(books, books.get(Payment, record.payment))
        entities = _entities(refund=objects.refund(books, record), payment=payment)
        known = [kind for kind in event_types if kind != "refund.processed" or record.state == "succeeded"]
        return [Spoken(kind, entities) for kind in known]

    return spell


def _of_dispute(books: Books, subject: str) -> list[Spoken]:
    record = books.get(Dispute, subject)
    word = "created" if record.state == "open" else record.state
    payment = objects.payment(books, books.get(Payment, record.payment))
    return [Spoken(f"payment.dispute.{word}", _entities(payment=payment, dispute=objects.dispute(books, record)))]


def _settled(books: Books, subject: str) -> list[Spoken]:
    settlement = objects.settlement(books, books.get(Payout, subject))
    return [Spoken("settlement.processed", _entities(settlement=settlement))]


_SPELLING: dict[str, Callable[[Books, str], list[Spoken]]] = {
    "link.opened": _opened,
    "link.completed": _completed,
    "link.expired": _closed,
    "link.settled": _nothing,
    "link.settle_failed": _nothing,
    "intent.created": _nothing,
    "intent.canceled": _nothing,
    "payment.pending": _nothing,
    "payment.authorized": _of_payment("payment.authorized"),
    "payment.captured": _captured,
    "payment.failed": _of_payment("payment.failed"),
    "payment.voided": _nothing,
    "refund.created": _of_refund("refund.created", "refund.processed"),
    "refund.updated": _of_refund("refund.processed"),
    "refund.failed": _of_refund("refund.failed"),
    "dispute.opened": _of_dispute,
    "dispute.closed": _of_dispute,
    "payout.created": _nothing,
    "payout.paid": _settled,
}
