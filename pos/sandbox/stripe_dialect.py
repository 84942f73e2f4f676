"""How Stripe names, announces and signs what happens in the bank. No HTTP here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pos.sandbox import stripe_objects
from pos.sandbox.books import Books
from pos.sandbox.dialect import Change, Spoken, random_text
from pos.sandbox.records import Dispute, Event, Intent, Link, Payment, Payout, Refund
from pos.sandbox.signing import stripe_signature

API_VERSION = "2026-10-28.endive"
_PREFIXES = {"intent": "pi", "refund": "re", "dispute": "dp", "entry": "txn", "payout": "po", "event": "evt"}


class StripeDialect:
    """Implements `dialect.Dialect`."""

    name = "stripe"
    title = "Stripe"
    accent = "#0b6e6e"
    test_key = "sk_test_"
    key_form = "sk_test_..."
    account_prefix = "acct"
    account_options: Mapping[str, Any] = {}
    late_authorization = False
    retries_keep_secret = False

    def key_name(self, credential: str) -> str | None:
        return credential if credential.startswith(self.test_key) else None

    def new_id(self, what: str, variety: str = "") -> str:
        """Cards make `ch_...`, other methods `py_...`, as at Stripe."""
        if what == "link":
            return "cs_test_a1" + random_text(56)
        if what == "payment":
            return ("ch_3" if variety == "card" else "py_3") + random_text(23)
        return f"{_PREFIXES[what]}_3{random_text(23)}"

    def spell(self, books: Books, change: Change) -> list[Spoken]:
        return _SPELLING[change.kind](books, change.subject)

    def envelope(self, event: Event, undelivered: int) -> dict[str, Any]:
        return stripe_objects.event(event, undelivered, API_VERSION)

    def sign(self, secret: str, body: bytes, at: int, event: str) -> dict[str, str]:
        return {"Stripe-Signature": stripe_signature(secret, body, at)}

    def page_path(self, link: Link) -> str:
        return stripe_objects.PAGE_PREFIX + link.id

    def return_url(self, books: Books, link: Link, outcome: str) -> str | None:
        if outcome == "left":
            return link.cancel_url
        return link.success_url.replace("{CHECKOUT_SESSION_ID}", link.id)


def _link(event_type: str) -> Callable[[Books, str], list[Spoken]]:
    def spell(books: Books, subject: str) -> list[Spoken]:
        return [Spoken(event_type, stripe_objects.session(books, books.get(Link, subject)))]

    return spell


def _intent(event_type: str) -> Callable[[Books, str], list[Spoken]]:
    def spell(books: Books, subject: str) -> list[Spoken]:
        return [Spoken(event_type, stripe_objects.intent(books, books.get(Intent, subject)))]

    return spell


def _payment(charge_type: str, intent_type: str | None) -> Callable[[Books, str], list[Spoken]]:
    def spell(books: Books, subject: str) -> list[Spoken]:
        payment = books.get(Payment, subject)
        spoken = [Spoken(charge_type, stripe_objects.charge(books, payment))]
        if intent_type is not None:
            spoken += _intent(intent_type)(books, payment.intent)
        return spoken

    return spell


def _captured(books: Books, subject: str) -> list[Spoken]:
    """A payment that had been authorized had already succeeded, in Stripe's words; now it is captured."""
    payment = books.get(Payment, subject)
    apart = books.get(Link, payment.link).manual_capture and not payment.forced
    return _payment("charge.captured" if apart else "charge.succeeded", "payment_intent.succeeded")(books, subject)


def _refund(*refund_types: str, charge_type: str | None = None) -> Callable[[Books, str], list[Spoken]]:
    def spell(books: Books, subject: str) -> list[Spoken]:
        refund = books.get(Refund, subject)
        spoken = [Spoken(kind, stripe_objects.refund(books, refund)) for kind in refund_types]
        if charge_type is not None:
            spoken.append(Spoken(charge_type, stripe_objects.charge(books, books.get(Payment, refund.payment))))
        return spoken

    return spell


def _dispute_opened(books: Books, subject: str) -> list[Spoken]:
    dispute = stripe_objects.dispute(books, books.get(Dispute, subject))
    return [Spoken("charge.dispute.created", dispute), Spoken("charge.dispute.funds_withdrawn", dispute)]


def _dispute_closed(books: Books, subject: str) -> list[Spoken]:
    record = books.get(Dispute, subject)
    dispute = stripe_objects.dispute(books, record)
    back = [Spoken("charge.dispute.funds_reinstated", dispute)] if record.state == "won" else []
    return [*back, Spoken("charge.dispute.closed", dispute)]


def _payout(event_type: str) -> Callable[[Books, str], list[Spoken]]:
    def spell(books: Books, subject: str) -> list[Spoken]:
        return [Spoken(event_type, stripe_objects.payout(books, books.get(Payout, subject)))]

    return spell


_SPELLING: dict[str, Callable[[Books, str], list[Spoken]]] = {
    "link.opened": lambda books, subject: [],
    "link.completed": _link("checkout.session.completed"),
    "link.expired": _link("checkout.session.expired"),
    "link.settled": _link("checkout.session.async_payment_succeeded"),
    "link.settle_failed": _link("checkout.session.async_payment_failed"),
    "intent.created": _intent("payment_intent.created"),
    "intent.canceled": _intent("payment_intent.canceled"),
    "payment.pending": _payment("charge.pending", "payment_intent.processing"),
    "payment.authorized": _payment("charge.succeeded", "payment_intent.amount_capturable_updated"),
    "payment.captured": _captured,
    "payment.failed": _payment("charge.failed", "payment_intent.payment_failed"),
    "payment.voided": _payment("charge.refunded", None),
    "refund.created": _refund("refund.created", charge_type="charge.refunded"),
    "refund.updated": _refund("refund.updated", "charge.refund.updated"),
    "refund.failed": _refund("refund.updated", "charge.refund.updated", "refund.failed"),
    "dispute.opened": _dispute_opened,
    "dispute.closed": _dispute_closed,
    "payout.created": _payout("payout.created"),
    "payout.paid": _payout("payout.paid"),
}
