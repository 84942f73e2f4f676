"""Stripe objects as its API writes them, small: only what differs between situations is named by a test."""

from __future__ import annotations

import json
from typing import Any

from pos.domain.ports import Answer

CREATED_S = 1_790_000_000
REFERENCE = "0198f2b4-7c1a-7000-8000-00000000abcd_1"
Json = dict[str, Any]


def answer(body: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers, raw)


def error(status: int, message: str = "no", code: str | None = None, kind: str = "invalid_request_error") -> Answer:
    return answer({"error": {"type": kind, "message": message, "code": code}}, status)


def balance(**changes: Any) -> Json:
    line: Json = {
        "id": "txn_1",
        "object": "balance_transaction",
        "amount": 1250,
        "fee": 45,
        "net": 1205,
        "currency": "eur",
        "type": "charge",
        "source": "ch_1",
    }
    return line | changes


def charge(**changes: Any) -> Json:
    made: Json = {
        "id": "ch_1",
        "object": "charge",
        "amount": 1250,
        "amount_captured": 1250,
        "amount_refunded": 0,
        "captured": True,
        "created": CREATED_S + 60,
        "currency": "eur",
        "disputed": False,
        "livemode": False,
        "metadata": {"truetill_reference": REFERENCE, "truetill_shop": "s", "truetill_till": "1"},
        "payment_intent": "pi_1",
        "refunded": False,
        "refunds": {"object": "list", "data": [], "has_more": False},
        "status": "succeeded",
        "balance_transaction": balance(),
    }
    return made | changes


def failed(**changes: Any) -> Json:
    return charge(status="failed", captured=False, amount_captured=0, balance_transaction=None, **changes)


def intent(latest: Any, status: str = "succeeded", **changes: Any) -> Json:
    made: Json = {
        "id": "pi_1",
        "object": "payment_intent",
        "status": status,
        "livemode": False,
        "latest_charge": latest,
    }
    return made | changes


def session(**changes: Any) -> Json:
    made: Json = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "status": "open",
        "payment_status": "unpaid",
        "livemode": False,
        "created": CREATED_S,
        "expires_at": CREATED_S + 86_400,
        "amount_total": 1250,
        "currency": "eur",
        "client_reference_id": REFERENCE,
        "payment_intent": None,
        "url": "https://checkout.stripe.com/c/pay/cs_test_1",
    }
    return made | changes


def paid(**changes: Any) -> Json:
    return session(status="complete", payment_status="paid", payment_intent=intent(charge()), url=None) | changes


def refund(**changes: Any) -> Json:
    made: Json = {
        "id": "re_1",
        "object": "refund",
        "amount": 500,
        "currency": "eur",
        "created": CREATED_S + 600,
        "status": "succeeded",
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "metadata": {"truetill_refund": "rf-1", "truetill_reference": REFERENCE},
    }
    return made | changes


def dispute(**changes: Any) -> Json:
    made: Json = {
        "id": "dp_1",
        "object": "dispute",
        "amount": 1250,
        "currency": "eur",
        "created": CREATED_S + 9000,
        "livemode": False,
        "status": "needs_response",
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "balance_transactions": [balance(id="txn_9", amount=-1250, fee=1500, type="adjustment", source="dp_1")],
    }
    return made | changes


def listed(*rows: Any, more: bool = False) -> Json:
    return {"object": "list", "url": "/v1/x", "has_more": more, "data": list(rows)}
