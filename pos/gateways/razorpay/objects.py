"""The parts of Razorpay's objects that we read, as strict shapes: types, limits and listed words.

Whatever does not fit is no fact. No rule of money here; `facts` says what an object means.
Field names and words: Razorpay's API reference (payment links, QR codes, payments, refunds, disputes, settlements).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

MAX_AMOUNT = 999_999_999_999
MAX_TIME_S = 253_402_300_799  # the end of the year 9999
PAGE_ROWS_MAX = 1000  # rows of one page we read

Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_]{1,60}\Z")]
Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
Time = Annotated[int, Meta(ge=0, le=MAX_TIME_S)]
Code = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
Notes = dict[str, Any] | list[Any] | None
"""An object of texts; where there are none Razorpay writes an empty list."""

LinkStatus = Literal["created", "partially_paid", "paid", "expired", "cancelled"]
PaymentStatus = Literal["created", "pending", "authorized", "captured", "refunded", "failed"]
"""`pending` is cash on delivery of a web shop on the same account (webhooks, "payment.pending")."""
RefundStatus = Literal["pending", "processed", "failed"]
DisputeStatus = Literal["open", "under_review", "won", "lost", "closed"]


def note(notes: Notes, name: str) -> str:
    """One of our marks among an object's notes, "" where there is none."""
    value = notes.get(name) if isinstance(notes, dict) else None
    return value if isinstance(value, str) else ""


class LinkPayment(Struct):
    """A payment as its link names it: the id is all that we take from here."""

    payment_id: Id


class PaymentLink(Struct):
    id: Id
    amount: Amount
    currency: Code
    status: LinkStatus
    created_at: Time
    reference_id: str | None = None
    short_url: str | None = None
    expire_by: Time | None = None
    order_id: Id | None = None
    payments: list[LinkPayment] | None = None


class LinkHead(Struct):
    """Of a link just what ties payments to it: it may be anybody's on the account, in any state."""

    id: Id
    reference_id: str | None = None
    order_id: Id | None = None
    payments: list[LinkPayment] | None = None
    notes: Notes = None


class CodeHead(Struct):
    """Of a QR code just what ties payments to it: it may be anybody's, of any kind."""

    id: Id
    notes: Notes = None


class QrCode(Struct):
    id: Id
    entity: Literal["qr_code"]
    created_at: Time
    usage: Literal["single_use", "multiple_use"]
    type: Literal["upi_qr"]
    status: Literal["active", "closed"]
    fixed_amount: bool
    payment_amount: Amount | None = None
    payments_amount_received: Amount = 0
    payments_count_received: Amount = 0
    image_content: str | None = None
    notes: Notes = None
    close_by: Time | None = None
    close_reason: Literal["on_demand", "paid"] | None = None


class Payment(Struct):
    """One try to pay. Names no link, no mode, and (made through a link) no reference of ours."""

    id: Id
    entity: Literal["payment"]
    amount: Amount
    currency: Code
    status: PaymentStatus
    created_at: Time
    captured: bool | None
    order_id: Id | None = None
    amount_refunded: Amount = 0
    method: str | None = None
    fee: Amount | None = None
    base_currency: Code | None = None
    notes: Notes = None


class Refund(Struct):
    id: Id
    entity: Literal["refund"]
    amount: Amount
    currency: Code
    payment_id: Id
    status: RefundStatus
    created_at: Time
    notes: Notes = None


class Dispute(Struct):
    id: Id
    entity: Literal["dispute"]
    payment_id: Id
    amount: Amount
    currency: Code
    amount_deducted: Amount
    status: DisputeStatus
    phase: str
    created_at: Time


class ReconRow(Struct):
    """One line of a day's settlements: `credit` came in, `debit` went out, both less the fee (tax inside)."""

    entity_id: Id
    type: str
    debit: Amount
    credit: Amount
    amount: Amount
    currency: Code
    fee: Amount | None = None
    settled: bool = False
    settlement_id: Id | None = None


class Head(Struct):
    """Just enough of any row to page by."""

    id: Id


class Page(Struct):
    entity: Literal["collection"]
    count: Amount
    items: Annotated[list[Raw], Meta(max_length=PAGE_ROWS_MAX)]


class LinkPage(Struct):
    payment_links: Annotated[list[Raw], Meta(max_length=PAGE_ROWS_MAX)]


class Error(Struct):
    code: str
    description: str | None = None


class ErrorBody(Struct):
    error: Error
