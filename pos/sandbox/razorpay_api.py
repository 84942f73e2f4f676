"""Razorpay's paths: which operation each is, and how the ledger carries it out. No rule about money lives here."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

from pos.sandbox import aftermath, lifecycle, razorpay_links, razorpay_lists
from pos.sandbox import razorpay_objects as objects
from pos.sandbox.aftermath import RefundOrder
from pos.sandbox.books import Books, Refusal
from pos.sandbox.front import ApiError, Call, Route
from pos.sandbox.razorpay_dialect import RazorpayDialect
from pos.sandbox.razorpay_errors import least, missing, problem, refused
from pos.sandbox.razorpay_params import Params, decode
from pos.sandbox.records import Dispute, Intent, Link, Payment, Payout, Refund
from pos.sandbox.store import R

LEAST_REFUND_MINOR = 100  # of rupees
LONGEST_RECEIPT = 40  # characters
Object = dict[str, Any]
_KEY = re.compile(r"[A-Za-z0-9_-]{10,255}")
_REFUND = re.compile(r"/v1/payments/[^/]+/refund")


class RazorpayApi:
    """Implements `front.Api`."""

    def __init__(self, dialect: RazorpayDialect) -> None:
        self.dialect = dialect

    def claims(self, credential: str) -> bool:
        return credential.startswith("rzp_")

    def credential(self, headers: Mapping[str, str]) -> str | None:
        """`id:secret`, as Basic carries it."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            return base64.b64decode(value, validate=True).decode("ascii").removeprefix(":") or None
        except (binascii.Error, UnicodeDecodeError):
            return None

    def key(self, headers: Mapping[str, str], path: str) -> str | None:
        """Refunds alone can be made safe to repeat."""
        return headers.get("x-refund-idempotency") if _REFUND.fullmatch(path) else None

    def is_key(self, key: str) -> bool:
        return _KEY.fullmatch(key) is not None

    def decode(self, query: str, body: bytes) -> Object:
        return decode(query, body)

    def find(self, method: str, path: str) -> Route | None:
        for wanted, pattern, operation, handle in _ROUTES:
            match = pattern.fullmatch(path) if wanted == method else None
            if match is not None:
                return Route(operation, "/".join(match.groups()), handle)
        return None

    def problem(self, name: str, **facts: Any) -> ApiError:
        return problem(name, **facts)

    def refused(self, refusal: Refusal) -> ApiError:
        return refused(refusal)

    def headers(self, incoming: Mapping[str, str], request_id: str, key: str | None) -> dict[str, str]:
        return {"Request-Id": request_id, "Cache-Control": "no-cache, private"}

    def replayed(self, original: str) -> dict[str, str]:
        return {}  # a repeated answer does not say that it is one


# -- operations --------------------------------------------------------------------------------------------------------


def _named(books: Books, record: type[R], subject: str) -> R:
    """The record that the path names."""
    found = books.find(record, subject)
    if found is None:
        raise missing()
    return found


def _link(books: Books, call: Call, kind: str) -> Link:
    link = _named(books, Link, call.subject)
    if link.kind != kind:
        raise missing()
    return link


def _order(books: Books, call: Call) -> Intent:
    """An order; what a QR code has in its stead is none."""
    order = _named(books, Intent, call.subject)
    if books.get(Link, order.link).kind == "code":
        raise missing()
    return order


def _fetch(record: type[R], render: Callable[[Books, R], Object]) -> Callable[[Books, Call], Object]:
    def handle(books: Books, call: Call) -> Object:
        Params(call.params).done()
        return render(books, _named(books, record, call.subject))

    return handle


def _list(make: Callable[[Books, Params], Object]) -> Callable[[Books, Call], Object]:
    def handle(books: Books, call: Call) -> Object:
        return make(books, Params(call.params))

    return handle


def _create_link(books: Books, call: Call) -> Object:
    return objects.payment_link(books, razorpay_links.create_link(books, Params(call.params)))


def _fetch_link(books: Books, call: Call) -> Object:
    Params(call.params).done()
    return objects.payment_link(books, _link(books, call, "page"))


def _update_link(books: Books, call: Call) -> Object:
    link = razorpay_links.update_link(books, _link(books, call, "page"), Params(call.params))
    return objects.payment_link(books, link)


def _cancel_link(books: Books, call: Call) -> Object:
    Params(call.params).done()
    return objects.payment_link(books, lifecycle.close_link(books, _link(books, call, "page")))


def _create_code(books: Books, call: Call) -> Object:
    return objects.qr_code(books, razorpay_links.create_code(books, Params(call.params)))


def _fetch_code(books: Books, call: Call) -> Object:
    Params(call.params).done()
    return objects.qr_code(books, _link(books, call, "code"))


def _close_code(books: Books, call: Call) -> Object:
    Params(call.params).done()
    return objects.qr_code(books, lifecycle.close_link(books, _link(books, call, "code")))


def _code_payments(books: Books, call: Call) -> Object:
    return razorpay_lists.payments_of_code(books, Params(call.params), _link(books, call, "code"))


def _create_order(books: Books, call: Call) -> Object:
    return objects.order(books, razorpay_links.create_order(books, Params(call.params)))


def _fetch_order(books: Books, call: Call) -> Object:
    Params(call.params).done()
    return objects.order(books, _order(books, call))


def _order_payments(books: Books, call: Call) -> Object:
    return razorpay_lists.payments_of_order(books, Params(call.params), _order(books, call))


def _capture(books: Books, call: Call) -> Object:
    """Exactly what was authorized; less or more is refused."""
    params = Params(call.params)
    amount_minor, currency = params.integer("amount"), params.text("currency")
    params.done()
    payment = _named(books, Payment, call.subject)
    if amount_minor is None:
        raise params.missing("amount")
    if payment.state == "authorized":
        if amount_minor != payment.amount_minor:
            raise Refusal("capture_too_much")
        if currency is not None and currency != payment.currency.upper():
            raise params.wrong("currency", "must be the currency of the payment.")
    lifecycle.capture_authorized(books, payment, amount_minor)
    return objects.payment(books, books.get(Payment, payment.id))


def _create_refund(books: Books, call: Call) -> Object:
    params = Params(call.params)
    payment = _named(books, Payment, call.subject)
    amount_minor = params.integer("amount")
    smallest = LEAST_REFUND_MINOR if payment.currency == "inr" else 1
    if amount_minor is not None and amount_minor < smallest:
        raise params.wrong("amount", f"amount should be minimum {least(smallest, payment.currency)}.")
    ends, options = _refund_drill(call)
    order = RefundOrder(
        amount_minor=amount_minor,
        metadata=params.notes(),
        ends=ends,
        after_s=options.get("after_s", 0.0),
        succeed_first=options.get("succeed_first", False),
        details={
            "speed": params.choice("speed", "normal", "optimum") or "normal",
            "receipt": params.text("receipt", most=LONGEST_RECEIPT),
        },
    )
    params.done()
    return objects.refund(books, aftermath.refund(books, payment, order))


def _refund_drill(call: Call) -> tuple[str | None, Object]:
    for kind, ends in (("refund_pending", "succeeded"), ("refund_fails", "failed")):
        options = call.twist(kind)
        if options is not None:
            return ends, options
    return None, {}


def _payment_refunds(books: Books, call: Call) -> Object:
    return razorpay_lists.refunds_of_payment(books, Params(call.params), _named(books, Payment, call.subject))


def _payment_refund(books: Books, call: Call) -> Object:
    Params(call.params).done()
    payment_id, _, refund_id = call.subject.partition("/")
    refund = _named(books, Refund, refund_id)
    if refund.payment != payment_id:
        raise missing()
    return objects.refund(books, refund)


_Handler = Callable[[Books, Call], Object]
_LINK, _CODE, _ORDER, _PAYMENT = "/v1/payment_links", "/v1/payments/qr_codes", "/v1/orders", "/v1/payments"
_SETTLEMENT = "/v1/settlements"
_PATHS: list[tuple[str, str, str, _Handler]] = [
    ("POST", _LINK, "link.create", _create_link),
    ("GET", _LINK, "link.list", _list(razorpay_lists.links)),
    ("GET", f"{_LINK}/ID", "link.fetch", _fetch_link),
    ("PATCH", f"{_LINK}/ID", "link.update", _update_link),
    ("POST", f"{_LINK}/ID/cancel", "link.close", _cancel_link),
    ("POST", _CODE, "qr.create", _create_code),
    ("GET", _CODE, "qr.list", _list(razorpay_lists.codes)),
    ("GET", f"{_CODE}/ID", "qr.fetch", _fetch_code),
    ("POST", f"{_CODE}/ID/close", "qr.close", _close_code),
    ("GET", f"{_CODE}/ID/payments", "qr.payments", _code_payments),
    ("POST", _ORDER, "order.create", _create_order),
    ("GET", _ORDER, "order.list", _list(razorpay_lists.orders)),
    ("GET", f"{_ORDER}/ID", "order.fetch", _fetch_order),
    ("GET", f"{_ORDER}/ID/payments", "order.payments", _order_payments),
    ("GET", _PAYMENT, "payment.list", _list(razorpay_lists.payments)),
    ("GET", f"{_PAYMENT}/ID", "payment.fetch", _fetch(Payment, objects.payment)),
    ("POST", f"{_PAYMENT}/ID/capture", "payment.capture", _capture),
    ("POST", f"{_PAYMENT}/ID/refund", "refund.create", _create_refund),
    ("GET", f"{_PAYMENT}/ID/refunds", "refund.list", _payment_refunds),
    ("GET", f"{_PAYMENT}/ID/refunds/ID", "refund.fetch", _payment_refund),
    ("GET", "/v1/refunds", "refund.list", _list(razorpay_lists.refunds)),
    ("GET", "/v1/refunds/ID", "refund.fetch", _fetch(Refund, objects.refund)),
    ("GET", "/v1/disputes", "dispute.list", _list(razorpay_lists.disputes)),
    ("GET", "/v1/disputes/ID", "dispute.fetch", _fetch(Dispute, objects.dispute)),
    ("GET", _SETTLEMENT, "settlement.list", _list(razorpay_lists.settlements)),
    ("GET", f"{_SETTLEMENT}/recon/combined", "settlement.recon", _list(razorpay_lists.recon)),
    ("GET", f"{_SETTLEMENT}/ID", "settlement.fetch", _fetch(Payout, objects.settlement)),
]
_ID = "([A-Za-z0-9_]{1,255})"
_ROUTES = [(method, re.compile(path.replace("ID", _ID)), name, handle) for method, path, name, handle in _PATHS]
