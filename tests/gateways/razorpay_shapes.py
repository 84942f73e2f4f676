"""Razorpay objects as its API writes them, small: only what differs between situations is named by a test."""

from __future__ import annotations

import json
from typing import Any

from pos.domain.ports import Answer

CREATED_S = 1_790_000_000
REFERENCE = "0198f2b4-7c1a-7000-8000-00000000abcd_1"
MARKS = {"truetill_reference": REFERENCE, "truetill_shop": "s", "truetill_till": "1"}
Json = dict[str, Any]


def answer(body: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers, raw)


def error(status: int, description: str = "no", code: str = "BAD_REQUEST_ERROR") -> Answer:
    more = {"source": "NA", "step": "NA", "reason": "NA", "metadata": {}}
    return answer({"error": {"code": code, "description": description, **more}}, status)


def link(**changes: Any) -> Json:
    made: Json = {
        "accept_partial": False,
        "amount": 1250,
        "amount_paid": 0,
        "cancelled_at": 0,
        "created_at": CREATED_S,
        "currency": "INR",
        "customer": {},
        "description": "Order 17",
        "expire_by": CREATED_S + 960,
        "expired_at": 0,
        "id": "plink_1",
        "notes": MARKS,
        "notify": {"email": False, "sms": False},
        "payments": None,
        "reference_id": REFERENCE,
        "reminder_enable": False,
        "reminders": [],
        "short_url": "https://rzp.io/i/abc",
        "status": "created",
        "updated_at": CREATED_S,
        "upi_link": False,
        "user_id": "",
    }
    return made | changes


def paid_link(**changes: Any) -> Json:
    payments = [{"amount": 1250, "created_at": CREATED_S, "method": "upi", "payment_id": "pay_1", "status": "captured"}]
    return link(status="paid", amount_paid=1250, order_id="order_1", payments=payments) | changes


def code(**changes: Any) -> Json:
    made: Json = {
        "id": "qr_1",
        "entity": "qr_code",
        "created_at": CREATED_S,
        "name": "Order 17",
        "usage": "single_use",
        "type": "upi_qr",
        "image_url": "https://rzp.io/i/qr",
        "image_content": "upi://pay?pa=rzr.shop@icic&pn=Shop&tr=RZP1qrv2&tn=PaymenttoShop&cu=INR&mc=5811&am=12.5",
        "payment_amount": 1250,
        "status": "active",
        "description": "Order 17",
        "fixed_amount": True,
        "payments_amount_received": 0,
        "payments_count_received": 0,
        "notes": MARKS,
        "customer_id": None,
        "close_by": CREATED_S + 960,
        "closed_at": None,
        "close_reason": None,
    }
    return made | changes


def payment(**changes: Any) -> Json:
    made: Json = {
        "id": "pay_1",
        "entity": "payment",
        "amount": 1250,
        "currency": "INR",
        "status": "captured",
        "order_id": "order_1",
        "invoice_id": None,
        "international": False,
        "method": "upi",
        "amount_refunded": 0,
        "refund_status": None,
        "captured": True,
        "description": "#1",
        "card_id": None,
        "vpa": "someone@upi",
        "email": "void@razorpay.com",
        "contact": "+910000000000",
        "notes": [],
        "fee": 30,
        "tax": 4,
        "error_code": None,
        "error_description": None,
        "acquirer_data": {"rrn": "1"},
        "created_at": CREATED_S + 60,
    }
    return made | changes


def unpaid(status: str, **changes: Any) -> Json:
    return payment(status=status, captured=False, fee=None, tax=None) | changes


def refund(**changes: Any) -> Json:
    made: Json = {
        "id": "rfnd_1",
        "entity": "refund",
        "amount": 500,
        "receipt": "rf-1",
        "currency": "INR",
        "payment_id": "pay_1",
        "notes": {"truetill_refund": "rf-1", "truetill_reference": REFERENCE},
        "acquirer_data": {"arn": None},
        "created_at": CREATED_S + 120,
        "batch_id": None,
        "status": "processed",
        "speed_processed": "normal",
        "speed_requested": "normal",
    }
    return made | changes


def dispute(**changes: Any) -> Json:
    made: Json = {
        "id": "disp_1",
        "entity": "dispute",
        "payment_id": "pay_1",
        "amount": 1250,
        "currency": "INR",
        "amount_deducted": 0,
        "reason_code": "goods_not_received",
        "respond_by": CREATED_S + 999,
        "status": "open",
        "phase": "chargeback",
        "created_at": CREATED_S + 200,
    }
    return made | changes


def recon(**changes: Any) -> Json:
    made: Json = {
        "entity_id": "pay_1",
        "type": "payment",
        "debit": 0,
        "credit": 1220,
        "amount": 1250,
        "currency": "INR",
        "fee": 30,
        "tax": 4,
        "on_hold": False,
        "settled": True,
        "created_at": CREATED_S + 60,
        "settled_at": CREATED_S + 90_000,
        "settlement_id": "setl_1",
        "payment_id": None,
        "order_id": "order_1",
        "notes": "{}",
    }
    return made | changes


def page(*items: Json) -> Json:
    return {"entity": "collection", "count": len(items), "items": list(items)}


def links(*items: Json) -> Json:
    return {"payment_links": list(items)}
