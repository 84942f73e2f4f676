"""Stripe's paths: which operation each is, and how it is carried out on the ledger. No rule about money lives here."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

from pos.sandbox import aftermath, lifecycle, stripe_lists, stripe_objects, stripe_sessions
from pos.sandbox.aftermath import RefundOrder
from pos.sandbox.books import Books, Refusal
from pos.sandbox.front import ApiError, Call, Route
from pos.sandbox.idempotency import LONGEST_KEY
from pos.sandbox.records import Dispute, Entry, Event, Intent, Link, Payment, Payout, Refund
from pos.sandbox.store import R
from pos.sandbox.stripe_dialect import API_VERSION, StripeDialect
from pos.sandbox.stripe_errors import invalid, missing, problem, refused
from pos.sandbox.stripe_expand import expand
from pos.sandbox.stripe_params import Params, decode

PREFIX = "/v1/"
Object = dict[str, Any]


class StripeApi:
    """Implements `front.Api`."""

    def __init__(self, dialect: StripeDialect) -> None:
        self.dialect = dialect

    def claims(self, credential: str) -> bool:
        return credential.startswith(("sk_", "rk_", "pk_"))

    def credential(self, headers: Mapping[str, str]) -> str | None:
        """Bearer, or Basic with the key as user name and no password."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return value.strip() or None
        if scheme.lower() != "basic":
            return None
        try:
            return base64.b64decode(value, validate=True).decode("ascii").partition(":")[0] or None
        except (binascii.Error, UnicodeDecodeError):
            return None

    def key(self, headers: Mapping[str, str], path: str) -> str | None:
        return headers.get("idempotency-key")

    def is_key(self, key: str) -> bool:
        return 0 < len(key) <= LONGEST_KEY

    def replayed(self, original: str) -> dict[str, str]:
        return {"Idempotent-Replayed": "true", "Original-Request": original}

    def decode(self, query: str, body: bytes) -> Object:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            raise invalid("Invalid UTF-8 in the request body.") from None
        return decode("&".join(part for part in (query, text) if part))

    def find(self, method: str, path: str) -> Route | None:
        for wanted, pattern, operation, handle in _ROUTES:
            match = pattern.fullmatch(path) if wanted == method else None
            if match is not None:
                return Route(operation, next(iter(match.groups()), ""), handle)
        return None

    def problem(self, name: str, **facts: Any) -> ApiError:
        return problem(name, **facts)

    def refused(self, refusal: Refusal) -> ApiError:
        return refused(refusal)

    def headers(self, incoming: Mapping[str, str], request_id: str, key: str | None) -> dict[str, str]:
        said = {"Request-Id": request_id, "Stripe-Version": incoming.get("stripe-version", API_VERSION)}
        if key is not None:
            said["Idempotency-Key"] = key
        return {**said, "Cache-Control": "no-cache, no-store"}


# -- operations --------------------------------------------------------------------------------------------------------


def _named(books: Books, record: type[R], call: Call, param: str) -> R:
    """The record that the path names."""
    found = books.find(record, call.subject)
    if found is None:
        raise missing(record.TABLE, call.subject, param, in_path=True)
    return found


def _fetch(record: type[R], param: str, render: Callable[[Books, R], Object]) -> Callable[[Books, Call], Object]:
    def handle(books: Books, call: Call) -> Object:
        params = Params(call.params)
        paths = params.words("expand")
        params.done()
        return expand(books, render(books, _named(books, record, call, param)), paths)

    return handle


def _list(make: Callable[[Books, Params], Object]) -> Callable[[Books, Call], Object]:
    def handle(books: Books, call: Call) -> Object:
        return make(books, Params(call.params))

    return handle


def _create_session(books: Books, call: Call) -> Object:
    params = Params(call.params)
    paths = params.words("expand")
    link = stripe_sessions.create(books, params)
    return expand(books, stripe_objects.session(books, link), paths)


def _expire_session(books: Books, call: Call) -> Object:
    params = Params(call.params)
    paths = params.words("expand")
    params.done()
    link = lifecycle.close_link(books, _named(books, Link, call, "session"))
    return expand(books, stripe_objects.session(books, link), paths)


def _session_lines(books: Books, call: Call) -> Object:
    return stripe_objects.line_items(books, _named(books, Link, call, "session"))


def _capture_intent(books: Books, call: Call) -> Object:
    params = Params(call.params)
    paths, amount_minor = params.words("expand"), params.integer("amount_to_capture")
    params.done()
    intent = _named(books, Intent, call, "intent")
    newest = next(iter(books.payments_of_intent(intent)), None)
    if newest is None:
        raise Refusal("not_authorized", state="none")
    lifecycle.capture_authorized(books, newest, amount_minor)
    return expand(books, stripe_objects.intent(books, intent), paths)


def _cancel_intent(books: Books, call: Call) -> Object:
    params = Params(call.params)
    paths = params.words("expand")
    params.text("cancellation_reason")
    params.done()
    intent = lifecycle.void(books, _named(books, Intent, call, "intent"))
    return expand(books, stripe_objects.intent(books, intent), paths)


def _create_refund(books: Books, call: Call) -> Object:
    params = Params(call.params)
    paths = params.words("expand")
    amount_minor = params.integer("amount")
    if amount_minor is not None and amount_minor < 1:
        raise invalid("Invalid positive integer", param="amount", code="parameter_invalid_integer")
    ends, options = _refund_drill(call)
    order = RefundOrder(
        amount_minor=amount_minor,
        reason=params.choice("reason", "duplicate", "fraudulent", "requested_by_customer"),
        metadata=params.metadata(),
        ends=ends,
        after_s=options.get("after_s", 0.0),
        succeed_first=options.get("succeed_first", False),
    )
    payment = _refunded_payment(books, params)
    params.done()
    return expand(books, stripe_objects.refund(books, aftermath.refund(books, payment, order)), paths)


def _refund_drill(call: Call) -> tuple[str | None, Object]:
    pending = call.twist("refund_pending")
    if pending is not None:
        return "succeeded", pending
    fails = call.twist("refund_fails")
    return (None, {}) if fails is None else ("failed", fails)


def _refunded_payment(books: Books, params: Params) -> Payment:
    """The payment that `charge` or `payment_intent` means: of an intent, the one that was captured."""
    charge, intent = params.text("charge"), params.text("payment_intent")
    if charge:
        found = books.find(Payment, charge)
        if found is None:
            raise missing("payment", charge, "charge")
        if intent and found.intent != intent:
            raise invalid("The charge does not belong to this payment_intent.", param="charge")
        return found
    if not intent:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    record = books.find(Intent, intent)
    if record is None:
        raise missing("intent", intent, "payment_intent")
    for payment in reversed(books.payments_of_intent(record)):
        if payment.state == "captured":
            return payment
    message = f"This PaymentIntent ({intent}) does not have a successful charge to refund."
    raise invalid(message, param="payment_intent", code="payment_intent_unexpected_state")


def _charge_refunds(books: Books, call: Call) -> Object:
    _named(books, Payment, call, "charge")
    return stripe_lists.refunds(books, Params({**call.params, "charge": call.subject}))


def _balance(books: Books, call: Call) -> Object:
    """What is ready to be paid out, and what is not yet."""
    Params(call.params).done()
    entries = books.tx.many(Entry, "WHERE account = ?", books.account.id)
    sums: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for entry in entries:
        by_currency = sums[entry.available_at <= books.now]
        by_currency[entry.currency] = by_currency.get(entry.currency, 0) + entry.net_minor

    def rows(available: bool) -> list[Object]:
        return [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency, amount in sorted(sums[available].items())
        ]

    return {"object": "balance", "available": rows(True), "pending": rows(False), "livemode": False}


def _account(books: Books, call: Call) -> Object:
    Params(call.params).done()
    account = books.account
    return {
        "id": account.id,
        "object": "account",
        "business_profile": {"name": account.name, "url": None},
        "charges_enabled": True,
        "created": account.created,
        "details_submitted": True,
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": account.name, "timezone": "Etc/UTC"}},
        "type": "standard",
    }


_Handler = Callable[[Books, Call], Object]
_LINK, _INTENT, _CHARGE, _REFUND = "/v1/checkout/sessions", "/v1/payment_intents", "/v1/charges", "/v1/refunds"
_PATHS: list[tuple[str, str, str, _Handler]] = [
    ("POST", _LINK, "link.create", _create_session),
    ("GET", _LINK, "link.list", _list(stripe_lists.sessions)),
    ("GET", f"{_LINK}/ID", "link.fetch", _fetch(Link, "session", stripe_objects.session)),
    ("POST", f"{_LINK}/ID/expire", "link.close", _expire_session),
    ("GET", f"{_LINK}/ID/line_items", "link.lines", _session_lines),
    ("GET", _INTENT, "intent.list", _list(stripe_lists.intents)),
    ("GET", f"{_INTENT}/ID", "intent.fetch", _fetch(Intent, "intent", stripe_objects.intent)),
    ("POST", f"{_INTENT}/ID/capture", "intent.capture", _capture_intent),
    ("POST", f"{_INTENT}/ID/cancel", "intent.cancel", _cancel_intent),
    ("GET", _CHARGE, "payment.list", _list(stripe_lists.charges)),
    ("GET", f"{_CHARGE}/ID", "payment.fetch", _fetch(Payment, "charge", stripe_objects.charge)),
    ("GET", f"{_CHARGE}/ID/refunds", "refund.list", _charge_refunds),
    ("POST", _REFUND, "refund.create", _create_refund),
    ("GET", _REFUND, "refund.list", _list(stripe_lists.refunds)),
    ("GET", f"{_REFUND}/ID", "refund.fetch", _fetch(Refund, "refund", stripe_objects.refund)),
    ("GET", "/v1/disputes", "dispute.list", _list(stripe_lists.disputes)),
    ("GET", "/v1/disputes/ID", "dispute.fetch", _fetch(Dispute, "dispute", stripe_objects.dispute)),
    ("GET", "/v1/balance_transactions", "entry.list", _list(stripe_lists.balance_transactions)),
    ("GET", "/v1/balance_transactions/ID", "entry.fetch", _fetch(Entry, "id", stripe_objects.balance_transaction)),
    ("GET", "/v1/payouts", "payout.list", _list(stripe_lists.payouts)),
    ("GET", "/v1/payouts/ID", "payout.fetch", _fetch(Payout, "payout", stripe_objects.payout)),
    ("GET", "/v1/events", "event.list", _list(stripe_lists.events)),
    ("GET", "/v1/events/ID", "event.fetch", _fetch(Event, "id", stripe_lists.event)),
    ("GET", "/v1/balance", "balance.fetch", _balance),
    ("GET", "/v1/account", "account.fetch", _account),
]
_ID = "([A-Za-z0-9_]{1,255})"
_ROUTES = [(method, re.compile(path.replace("ID", _ID)), name, handle) for method, path, name, handle in _PATHS]
