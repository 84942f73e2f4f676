"""Stripe's requests, byte for byte, without credentials. Pure.

Never here: reading answers, clocks, connections. The API version is pinned: an upgrade in the shop's dashboard must
not change what an answer means.

A GET has no idempotency key at Stripe, so its `key` is free: where Stripe has no parameter for something the reader
must remember (the reference that is looked for, the page to go on with), it is kept there and not sent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pos.domain.errors import BadInput
from pos.domain.ports import DAY_S
from pos.gateways.base import (
    LinkRequest,
    Operation,
    Pairs,
    Part,
    PreparedCall,
    RefundRequest,
    form,
    segment,
    with_query,
)
from pos.gateways.stripe.amounts import check_charge, to_stripe

NAME = "stripe"
API_VERSION = "2026-08-26.dahlia"
"""The last version that takes `payment_method_types`; from 2026-09-30 on it is `allowed_payment_method_types`."""
PAGE_ROWS = 100  # the most Stripe gives at once
SESSIONS = "/v1/checkout/sessions"
CHARGES = "/v1/charges"
REFUNDS = "/v1/refunds"
DISPUTES = "/v1/disputes"
PAYOUTS = "/v1/payouts"
BALANCE = "/v1/balance_transactions"
INTENTS = "/v1/payment_intents"
REFERENCE_CHARS = 200  # client_reference_id
NAME_CHARS = 250
DISPUTE_DAYS = 540  # the longest that card schemes let a dispute run

# Four levels is the most Stripe expands. `refunds` is a list inside the charge, its newest ten.
LOOK = ("payment_intent.latest_charge.refunds", "payment_intent.latest_charge.balance_transaction")
LISTED_LOOK = tuple(f"data.{path}" for path in LOOK[:1])
CHARGE_LOOK = ("refunds", "balance_transaction", "payment_intent")
CAPTURE_LOOK = ("latest_charge.refunds", "latest_charge.balance_transaction")


def _expand(paths: Sequence[str]) -> Pairs:
    return [("expand[]", path) for path in paths]


def get(operation: Operation, path: str, pairs: Pairs = (), memo: str = "") -> PreparedCall:
    headers = (("Stripe-Version", API_VERSION),)
    return PreparedCall(NAME, operation, "GET", with_query(path, pairs), headers, key=memo)


def post(operation: Operation, path: str, pairs: Pairs, key: str = "") -> PreparedCall:
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Stripe-Version", API_VERSION)]
    if key:
        headers.append(("Idempotency-Key", key))
    return PreparedCall(NAME, operation, "POST", path, tuple(headers), form(pairs), key)


def whoami() -> PreparedCall:
    return get(Operation.WHOAMI, "/v1/account")


def create(request: LinkRequest) -> PreparedCall:
    """A Checkout Session for exactly this amount, once, by card: methods that answer at once.

    Adaptive pricing is off: with it the customer would pay in another currency than the order's. Our marks go on the
    session, and through `payment_intent_data` on the charge, where the report shows them.

    Raises:
        BadInput: an amount Stripe cannot take, no page to come back to, or no reference.
    """
    amount = check_charge(request.amount_minor, request.currency)
    if not request.return_url:
        raise BadInput(
            "Stripe needs a page to send the customer back to.", "Set gateways.stripe.return_url or a relay."
        )
    if not 0 < len(request.reference) <= REFERENCE_CHARS:
        raise BadInput("The reference is empty or too long for Stripe.", f"At most {REFERENCE_CHARS} characters.")
    pairs = [
        ("mode", "payment"),
        ("payment_method_types[]", "card"),
        ("adaptive_pricing[enabled]", "false"),
        ("client_reference_id", request.reference),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", request.currency.lower()),
        ("line_items[0][price_data][unit_amount]", str(amount)),
        ("line_items[0][price_data][product_data][name]", _product_name(request)),
        ("success_url", request.return_url),
        ("cancel_url", request.return_url),
        *_marks("metadata", request),
        *_marks("payment_intent_data[metadata]", request),
    ]
    if request.expires_at_ms is not None:
        pairs.append(("expires_at", str(request.expires_at_ms // 1000)))
    return post(Operation.CREATE, SESSIONS, pairs, request.key)


def _product_name(request: LinkRequest) -> str:
    return " ".join(request.description.split())[:NAME_CHARS] or request.reference


def _marks(prefix: str, request: LinkRequest) -> Pairs:
    marks = {"truetill_reference": request.reference, "truetill_shop": request.shop, "truetill_till": request.till}
    return [(f"{prefix}[{name}]", value) for name, value in marks.items() if value]


def _window(from_ms: int, to_ms: int) -> Pairs:
    """Whole seconds that hold the window; a second too many is better than one too few."""
    return [("created[gte]", str(from_ms // 1000)), ("created[lte]", str(math.ceil(to_ms / 1000)))]


def find(reference: str, since_ms: int, until_ms: int) -> PreparedCall:
    """Stripe cannot search sessions by our reference: walk those of the window."""
    pairs = [("limit", str(PAGE_ROWS)), *_window(since_ms, until_ms), *_expand(LISTED_LOOK)]
    return get(Operation.FIND, SESSIONS, pairs, memo=reference)


def fetch(link_id: str) -> PreparedCall:
    return get(Operation.FETCH, f"{SESSIONS}/{segment(link_id)}", _expand(LOOK))


def close(link_id: str) -> PreparedCall:
    """No key: expiring twice is harmless, and a replayed answer would be an old look."""
    return post(Operation.CLOSE, f"{SESSIONS}/{segment(link_id)}/expire", _expand(LOOK))


def fetch_payment(payment_id: str) -> PreparedCall:
    return get(Operation.FETCH_PAYMENT, f"{CHARGES}/{segment(payment_id)}", _expand(CHARGE_LOOK))


def fetch_refund(refund_id: str) -> PreparedCall:
    return get(Operation.FETCH_REFUND, f"{REFUNDS}/{segment(refund_id)}", _expand(("charge",)))


def capture(payment_id: str, amount_minor: int, currency: str, key: str) -> PreparedCall:
    """Stripe captures by PaymentIntent, and only the charge is known: this asks for it; `next` is the capture.

    Raises:
        BadInput: an amount Stripe cannot take.
    """
    amount = check_charge(amount_minor, currency)
    return get(
        Operation.CAPTURE, f"{CHARGES}/{segment(payment_id)}", _expand(CHARGE_LOOK), memo=f"{key} {amount} {currency}"
    )


def capture_intent(intent_id: str, memo: str) -> PreparedCall:
    key, amount, _ = memo.split(" ")
    pairs = [("amount_to_capture", amount), *_expand(CAPTURE_LOOK)]
    return post(Operation.CAPTURE, f"{INTENTS}/{segment(intent_id)}/capture", pairs, key)


def refund(request: RefundRequest) -> PreparedCall:
    """Raises:
    BadInput: an amount Stripe cannot give back exactly.
    """
    amount = to_stripe(request.amount_minor, request.currency)
    if amount <= 0:
        raise BadInput("There is nothing to give back.", "Type an amount above zero.")
    pairs = [
        ("charge", request.payment),
        ("amount", str(amount)),
        ("metadata[truetill_refund]", request.refund_id),
        *([("metadata[truetill_reference]", request.reference)] if request.reference else []),
    ]
    return post(Operation.REFUND, REFUNDS, pairs, request.key)


_REPORTS: dict[Part, tuple[str, tuple[str, ...], int]] = {
    Part.PAYMENTS: (CHARGES, ("data.balance_transaction",), PAGE_ROWS),
    Part.REFUNDS: (REFUNDS, ("data.charge",), PAGE_ROWS),
    Part.DISPUTES: (DISPUTES, (), PAGE_ROWS),
    Part.PAYOUTS: (PAYOUTS, (), 1),  # one at a time: each is followed by its own lines
}


def report(part: Part, from_ms: int, to_ms: int) -> PreparedCall:
    """Disputes are listed by when they were opened but decided up to `DISPUTE_DAYS` later: their window is longer."""
    path, expand, rows = _REPORTS[part]
    if part is Part.DISPUTES:
        from_ms = max(0, from_ms - DISPUTE_DAYS * DAY_S * 1000)
    return get(Operation.REPORT, path, [("limit", str(rows)), *_window(from_ms, to_ms), *_expand(expand)])


def payout_lines(payout_id: str, then: str) -> PreparedCall:
    """The lines of one payout; `then` is the path of the payouts' page to go on with, or empty."""
    return get(Operation.REPORT, BALANCE, [("limit", str(PAGE_ROWS)), ("payout", payout_id)], memo=then)


def listed_by(operation: Operation, path: str, intent_id: str, charge_id: str) -> PreparedCall:
    """Refunds, disputes or sessions of one PaymentIntent, read for the sake of one charge of it."""
    expand = {REFUNDS: ("data.charge",), SESSIONS: LISTED_LOOK}.get(path, ())
    pairs = [("limit", str(PAGE_ROWS)), ("payment_intent", intent_id), *_expand(expand)]
    return get(operation, path, pairs, memo=charge_id)


def following(call: PreparedCall, last_id: str) -> PreparedCall:
    """The page after the row `last_id`."""
    return call._replace(path=after(call.path, last_id))


def after(path: str, last_id: str) -> str:
    """A list's path, its cursor set to `last_id`."""
    kept = [part for part in path.partition("?")[2].split("&") if part and not part.startswith("starting_after=")]
    return f"{path.partition('?')[0]}?{'&'.join([*kept, f'starting_after={segment(last_id)}'])}"
