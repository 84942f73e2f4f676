"""Every call of every adapter with an answer to it that is understood: what tests of broken answers begin from."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pos.domain.facts import Mode
from pos.domain.ports import Adapter, LinkRequest, Operation, Part, PreparedCall, RefundRequest
from pos.gateways.razorpay import requests
from pos.gateways.razorpay.adapter import RazorpayAdapter
from pos.gateways.stripe.adapter import StripeAdapter
from tests.gateways import razorpay_shapes as rzp
from tests.gateways import stripe_shapes as stp

STRIPE = StripeAdapter(account="acct_1", mode=Mode.TEST)
RAZORPAY = RazorpayAdapter(account="rzp_test_1", mode=Mode.TEST)
RETURN = "https://relay.example/return/1"
STRIPE_REQUEST = LinkRequest("tt1-key", stp.REFERENCE, 1250, "EUR", "Order 17", "shop-1", "1", RETURN)
RAZORPAY_REQUEST = LinkRequest("tt1-key-key", rzp.REFERENCE, 1250, "INR", "Order 17", "shop-1", "1", RETURN)
UPI_REQUEST = LinkRequest("tt1-key-key", rzp.REFERENCE, 1250, "INR", "Order 17", "s", "1", RETURN, collect="upi")
STRIPE_REFUND = RefundRequest("tt1-refund", "rf-1", "ch_1", 500, "EUR", stp.REFERENCE)
RAZORPAY_REFUND = RefundRequest("tt1-refund", "rf-1", "pay_1", 500, "INR", rzp.REFERENCE)
ACCOUNT = {"id": "acct_1", "object": "account", "settings": {"dashboard": {"display_name": "Shop"}}}


@dataclass(frozen=True)
class Case:
    adapter: Adapter
    call: PreparedCall
    body: Any

    def __str__(self) -> str:
        return f"{self.adapter.name} {self.call.method} {self.call.path.partition('?')[0]} ({self.call.operation})"


def _next(adapter: Adapter, call: PreparedCall, body: Any) -> PreparedCall:
    following = adapter.read(call, stp.answer(body)).next
    assert following is not None
    return following


_FULL = stp.charge(refunds=stp.listed(stp.refund()))
_SESSION = stp.paid(payment_intent=stp.intent(_FULL))
_TRIES = _next(RAZORPAY, RAZORPAY.fetch("plink_1"), rzp.paid_link())
_OF_CODE = _next(RAZORPAY, RAZORPAY.fetch("qr_1"), rzp.code(payments_count_received=1, close_reason="paid"))
_LINKS_OF = _next(RAZORPAY, RAZORPAY.fetch_payment("pay_1"), rzp.payment())
_CODES_OF = requests.qr_of_payment("pay_1")
_IS_OF_CODE = _next(RAZORPAY, _CODES_OF, rzp.page(rzp.code()))
_REFUNDS_OF = requests.refunds_of(Operation.FETCH, ["pay_1"])
assert _REFUNDS_OF is not None

CASES = [
    Case(STRIPE, STRIPE.create(STRIPE_REQUEST), stp.session()),
    Case(STRIPE, STRIPE.fetch("cs_test_1"), _SESSION),
    Case(STRIPE, STRIPE.close("cs_test_1"), _SESSION),
    Case(STRIPE, STRIPE.find(stp.REFERENCE, 0, 1), stp.listed(_SESSION)),
    Case(STRIPE, STRIPE.fetch_payment("ch_1"), _FULL),
    Case(STRIPE, STRIPE.fetch_refund("re_1"), stp.refund(charge=stp.charge())),
    Case(STRIPE, STRIPE.capture("ch_1", 1250, "EUR", "k"), _FULL),
    Case(STRIPE, STRIPE.refund(STRIPE_REFUND), stp.refund()),
    Case(STRIPE, STRIPE.report(Part.PAYMENTS, 0, 1), stp.listed(_FULL)),
    Case(STRIPE, STRIPE.report(Part.REFUNDS, 0, 1), stp.listed(stp.refund(charge=stp.charge()))),
    Case(STRIPE, STRIPE.report(Part.DISPUTES, 0, 1), stp.listed(stp.dispute())),
    Case(STRIPE, STRIPE.whoami(), ACCOUNT),
    Case(RAZORPAY, RAZORPAY.create(RAZORPAY_REQUEST), rzp.link()),
    Case(RAZORPAY, RAZORPAY.create(UPI_REQUEST), rzp.code()),
    Case(RAZORPAY, RAZORPAY.fetch("plink_1"), rzp.paid_link()),
    Case(RAZORPAY, RAZORPAY.fetch("qr_1"), rzp.code()),
    Case(RAZORPAY, RAZORPAY.close("plink_1"), rzp.link(status="cancelled")),
    Case(RAZORPAY, RAZORPAY.close("qr_1"), rzp.code(status="closed", close_reason="on_demand")),
    Case(RAZORPAY, _TRIES, rzp.page(rzp.unpaid("failed", id="pay_0"), rzp.payment())),
    Case(RAZORPAY, _OF_CODE, rzp.page(rzp.payment(order_id=None))),
    Case(RAZORPAY, RAZORPAY.find(rzp.REFERENCE, 0, 1), rzp.links(rzp.paid_link())),
    Case(RAZORPAY, RAZORPAY.fetch_payment("pay_1"), rzp.payment()),
    Case(RAZORPAY, _LINKS_OF, rzp.links(rzp.paid_link())),
    Case(RAZORPAY, _CODES_OF, rzp.page(rzp.code())),
    Case(RAZORPAY, _IS_OF_CODE, rzp.page(rzp.payment(order_id=None))),
    Case(RAZORPAY, _REFUNDS_OF, rzp.page(rzp.refund())),
    Case(RAZORPAY, RAZORPAY.fetch_refund("rfnd_1"), rzp.refund()),
    Case(RAZORPAY, RAZORPAY.capture("pay_1", 1250, "INR", "k"), rzp.payment()),
    Case(RAZORPAY, RAZORPAY.refund(RAZORPAY_REFUND), rzp.refund()),
    Case(RAZORPAY, RAZORPAY.report(Part.PAYMENTS, 0, 1), rzp.page(rzp.payment())),
    Case(RAZORPAY, RAZORPAY.report(Part.REFUNDS, 0, 1), rzp.page(rzp.refund())),
    Case(RAZORPAY, RAZORPAY.report(Part.DISPUTES, 0, 1), rzp.page(rzp.dispute())),
    Case(RAZORPAY, RAZORPAY.report(Part.PAYOUTS, 0, 1), rzp.page(rzp.recon())),
    Case(RAZORPAY, RAZORPAY.whoami(), rzp.page(rzp.payment())),
]
BROKEN = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"0",
    b'"paid"',
    b"\xff\xfe",
    b"<!doctype html><title>Paid</title>",
    b"[" * 100_000,
    b'{"id":' * 50_000,
    b'{"error":null}',
    json.dumps({"error": {"type": "card_error", "message": "x"}}).encode(),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to everything in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with one place replaced, or removed where `new` is Ellipsis."""
    whole = copy.deepcopy(value)
    at = whole
    for key in path[:-1]:
        at = at[key]
    if new is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return whole
