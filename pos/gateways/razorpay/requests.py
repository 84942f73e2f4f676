"""Razorpay's requests, byte for byte, without credentials. Pure.

Never here: reading answers, clocks, connections.

Razorpay has no idempotency key but for refunds, so a call's `key` is free for all others: what the reader must
remember (what was asked for, the pages still to come) is kept there and not sent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

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
from pos.gateways.razorpay.amounts import check_amount, check_charge

NAME = "razorpay"
LINKS = "/v1/payment_links"
QR_CODES = "/v1/payments/qr_codes"
PAYMENTS = "/v1/payments"
ORDERS = "/v1/orders"
REFUNDS = "/v1/refunds"
DISPUTES = "/v1/disputes"
RECON = "/v1/settlements/recon/combined"
QR_PREFIX = "qr_"

PAGE_ROWS = 100  # the most Razorpay gives at once
OVERLAP_ROWS = 3
"""Rows of a page that the next one reads again: paging by number shifts when rows come in between."""
REFERENCE_CHARS = 40
DESCRIPTION_CHARS = 200
NAME_CHARS = 40
DISPUTE_DAYS = 540  # the longest that card schemes let a dispute run
IST = timezone(timedelta(hours=5, minutes=30), "IST")
"""Settlement days are India's, whatever the shop's zone."""
JSON_BODY = ("Content-Type", "application/json")


def get(operation: Operation, path: str, pairs: Pairs = (), memo: str = "") -> PreparedCall:
    return PreparedCall(NAME, operation, "GET", with_query(path, pairs), key=memo)


def post(
    operation: Operation, path: str, body: Mapping[str, Any] | None, key: str = "", more: Pairs = ()
) -> PreparedCall:
    raw = json.dumps(body, separators=(",", ":")).encode() if body is not None else b""
    return PreparedCall(NAME, operation, "POST", path, (JSON_BODY, *more), raw, key)


def memo(**values: object) -> str:
    return form([(name, str(value)) for name, value in values.items()]).decode()


# --- links ---------------------------------------------------------------------------------------------------------


def create(request: LinkRequest) -> PreparedCall:
    """A payment link for exactly this amount, or a single-use UPI code; nothing is sent to the customer by Razorpay.

    Raises:
        BadInput: an amount Razorpay cannot take, a reference that is too long, or a UPI code in another currency.
    """
    check_charge(request.amount_minor, request.currency)
    if not 0 < len(request.reference) <= REFERENCE_CHARS:
        raise BadInput("The reference is empty or too long for Razorpay.", f"At most {REFERENCE_CHARS} characters.")
    if request.collect == "upi":
        return _create_qr(request)
    body: dict[str, Any] = {
        "amount": request.amount_minor,
        "currency": request.currency,
        "accept_partial": False,
        "reference_id": request.reference,
        "description": _words(request.description, DESCRIPTION_CHARS) or request.reference,
        "notify": {"sms": False, "email": False},
        "reminder_enable": False,
        "notes": _marks(request),
    }
    if request.return_url:
        body |= {"callback_url": request.return_url, "callback_method": "get"}
    if request.expires_at_ms is not None:
        body["expire_by"] = request.expires_at_ms // 1000
    return post(Operation.CREATE, LINKS, body, request.key)


def _create_qr(request: LinkRequest) -> PreparedCall:
    if request.currency != "INR":
        raise BadInput("UPI takes rupees only.", "Set gateways.razorpay.qr to auto, or take cash.")
    body: dict[str, Any] = {
        "type": "upi_qr",
        "name": _words(request.description, NAME_CHARS) or request.reference,
        "usage": "single_use",
        "fixed_amount": True,
        "payment_amount": request.amount_minor,
        "description": _words(request.description, DESCRIPTION_CHARS) or request.reference,
        "notes": _marks(request),
    }
    if request.expires_at_ms is not None:
        body["close_by"] = request.expires_at_ms // 1000
    return post(Operation.CREATE, QR_CODES, body, request.key)


def _words(text: str, most: int) -> str:
    return " ".join(text.split())[:most]


def _marks(request: LinkRequest) -> dict[str, str]:
    marks = {"truetill_reference": request.reference, "truetill_shop": request.shop, "truetill_till": request.till}
    return {name: value for name, value in marks.items() if value}


def find(reference: str, since_ms: int, until_ms: int) -> PreparedCall:
    """Links by our reference; UPI codes, which cannot be searched, in the window when no link is found."""
    wanted = memo(reference=reference, since=since_ms // 1000, until=math.ceil(until_ms / 1000))
    return get(Operation.FIND, LINKS, [("reference_id", reference)], wanted)


def find_qr(wanted: Mapping[str, str]) -> PreparedCall:
    return _page(Operation.FIND, QR_CODES, int(wanted["since"]), int(wanted["until"]), memo(**wanted))


def is_qr(link_id: str) -> bool:
    return link_id.startswith(QR_PREFIX)


def fetch(link_id: str) -> PreparedCall:
    return get(Operation.FETCH, f"{QR_CODES if is_qr(link_id) else LINKS}/{segment(link_id)}")


def close(link_id: str) -> PreparedCall:
    if is_qr(link_id):
        return post(Operation.CLOSE, f"{QR_CODES}/{segment(link_id)}/close", None)
    return post(Operation.CLOSE, f"{LINKS}/{segment(link_id)}/cancel", None)


def payments_of_order(operation: Operation, order_id: str, link: str) -> PreparedCall:
    """Every try to pay a link: declined, on its way, authorized, captured. `link` is the memo of the link looked at."""
    return get(operation, f"{ORDERS}/{segment(order_id)}/payments", memo=link)


def payments_of_qr(operation: Operation, qr_id: str, link: str) -> PreparedCall:
    return get(operation, f"{QR_CODES}/{segment(qr_id)}/payments", [("count", str(PAGE_ROWS))], link)


# --- payments and refunds ------------------------------------------------------------------------------------------


def fetch_payment(payment_id: str) -> PreparedCall:
    return get(Operation.FETCH_PAYMENT, f"{PAYMENTS}/{segment(payment_id)}")


def links_of_payment(payment_id: str, order_id: str) -> PreparedCall:
    """The payment itself does not say which link it came through."""
    told = memo(payment=payment_id, order=order_id)
    return get(Operation.FETCH_PAYMENT, LINKS, [("payment_id", payment_id)], told)


def qr_of_payment(payment_id: str) -> PreparedCall:
    return get(Operation.FETCH_PAYMENT, QR_CODES, [("payment_id", payment_id)], memo(payment=payment_id))


def refunds_of(operation: Operation, payments: Sequence[str], skip: int = 0) -> PreparedCall | None:
    """What was given back to the first of these payments; the others are remembered for later."""
    if not payments:
        return None
    first, *later = payments
    pairs = [("count", str(PAGE_ROWS)), ("skip", str(skip))]
    return get(operation, f"{PAYMENTS}/{segment(first)}/refunds", pairs, " ".join(later))


def fetch_refund(refund_id: str) -> PreparedCall:
    return get(Operation.FETCH_REFUND, f"{REFUNDS}/{segment(refund_id)}")


def capture(payment_id: str, amount_minor: int, currency: str, key: str) -> PreparedCall:
    """Razorpay captures the whole of what was authorized; it refuses another amount.

    Raises:
        BadInput: an amount Razorpay cannot take.
    """
    body = {"amount": check_charge(amount_minor, currency), "currency": currency}
    return post(Operation.CAPTURE, f"{PAYMENTS}/{segment(payment_id)}/capture", body, key)


def refund(request: RefundRequest) -> PreparedCall:
    """Raises:
    BadInput: nothing, or an amount Razorpay cannot give back exactly.
    """
    amount = check_amount(request.amount_minor, request.currency)
    if amount <= 0:
        raise BadInput("There is nothing to give back.", "Type an amount above zero.")
    notes = {"truetill_refund": request.refund_id}
    if request.reference:
        notes["truetill_reference"] = request.reference
    body = {"amount": amount, "speed": "normal", "receipt": request.refund_id[:REFERENCE_CHARS], "notes": notes}
    path = f"{PAYMENTS}/{segment(request.payment)}/refund"
    return post(Operation.REFUND, path, body, request.key, (("X-Refund-Idempotency", request.key),))


# --- the report ----------------------------------------------------------------------------------------------------

_REPORTS = {Part.PAYMENTS: PAYMENTS, Part.REFUNDS: REFUNDS, Part.DISPUTES: DISPUTES}


def _page(operation: Operation, path: str, since_s: int, until_s: int, told: str = "") -> PreparedCall:
    pairs = [("from", str(since_s)), ("to", str(until_s)), ("count", str(PAGE_ROWS)), ("skip", "0")]
    return get(operation, path, pairs, told)


def report(part: Part, from_ms: int, to_ms: int) -> PreparedCall:
    """A window by when things were made, newest first, its end fixed: what comes in later shifts no page.

    Disputes are decided long after they were opened: their window reaches back `DISPUTE_DAYS`. Payouts are read day
    by day, as Razorpay settles.
    """
    if part is Part.PAYOUTS:
        first, last = _ist_day(from_ms), _ist_day(to_ms)
        return settled_on(first, last)
    if part is Part.DISPUTES:
        from_ms = max(0, from_ms - DISPUTE_DAYS * DAY_S * 1000)
    return _page(Operation.REPORT, _REPORTS[part], from_ms // 1000, math.ceil(to_ms / 1000))


def _ist_day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, IST).date()


def settled_on(day: date, last: date, skip: int = 0) -> PreparedCall:
    pairs = [("year", str(day.year)), ("month", f"{day.month:02d}"), ("day", f"{day.day:02d}")]
    paging = [("count", str(PAGE_ROWS)), ("skip", str(skip))]
    return get(Operation.REPORT, RECON, [*pairs, *paging], memo(day=day.isoformat(), last=last.isoformat()))


def whoami() -> PreparedCall:
    """Razorpay has no call that says whose key it is; any list tells whether it is accepted."""
    return get(Operation.WHOAMI, PAYMENTS, [("count", "1")])


def has_qr() -> PreparedCall:
    """UPI codes are switched on by Razorpay for an account that asks for them."""
    return get(Operation.WHOAMI, QR_CODES, [("count", "1")])
