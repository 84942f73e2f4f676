"""The parts of Stripe's objects that we read, as strict shapes: types, limits and listed words.

Whatever does not fit is no fact. No rule of money here; `facts` says what an object means.
Field names and words: Stripe's API reference, version pinned in `requests`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct, field

MAX_AMOUNT = 999_999_999_999  # twelve digits, the most Stripe takes in any currency
MAX_TIME_S = 253_402_300_799  # the end of the year 9999
PAGE_ROWS_MAX = 1000  # rows of one page we read; we ask for a hundred

Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_]{1,255}\Z")]
Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
Signed = Annotated[int, Meta(ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
Time = Annotated[int, Meta(ge=0, le=MAX_TIME_S)]
Code = Annotated[str, Meta(pattern=r"\A[a-z]{3,5}\Z")]
Metadata = dict[str, str]

ChargeStatus = Literal["succeeded", "pending", "failed"]
RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
SessionStatus = Literal["open", "complete", "expired"]
IntentStatus = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "canceled",
    "succeeded",
]
DisputeStatus = Literal[
    "needs_response",
    "under_review",
    "won",
    "lost",
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "prevented",
    "charge_refunded",
]


class BalanceTransaction(Struct):
    id: Id
    object: Literal["balance_transaction"]
    amount: Signed
    fee: Signed
    currency: Code
    type: str = ""
    source: Id | None = None


class Refund(Struct):
    """Names no mode of its own; where its charge is expanded, the charge does."""

    id: Id
    object: Literal["refund"]
    amount: Amount
    currency: Code
    created: Time
    status: RefundStatus
    charge: Id | Charge | None
    payment_intent: Id | None = None
    metadata: Metadata | None = None


class RefundList(Struct):
    data: list[Refund]
    has_more: bool


class Charge(Struct):
    """One try to pay: what we call a payment."""

    id: Id
    object: Literal["charge"]
    amount: Amount
    amount_captured: Amount
    captured: bool
    created: Time
    currency: Code
    livemode: bool
    refunded: bool
    status: ChargeStatus
    payment_intent: Id | PaymentIntent | None
    disputed: bool = False
    amount_refunded: Amount = 0
    refunds: RefundList | None = None
    balance_transaction: Id | BalanceTransaction | None = None
    failure_balance_transaction: Any = None
    metadata: Metadata | None = None

    @property
    def intent_id(self) -> str:
        intent = self.payment_intent
        return intent.id if isinstance(intent, PaymentIntent) else intent or ""


class PaymentIntent(Struct):
    """Can be tried again and again: never a payment itself, only the way to the charges."""

    id: Id
    object: Literal["payment_intent"]
    status: IntentStatus
    livemode: bool
    latest_charge: Id | Charge | None


class Session(Struct):
    """A Checkout Session: our link."""

    id: Id
    object: Literal["checkout.session"]
    status: SessionStatus
    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    livemode: bool
    created: Time
    payment_intent: Id | PaymentIntent | None
    amount_total: Amount | None = None
    currency: Code | None = None
    expires_at: Time | None = None
    client_reference_id: str | None = None
    url: str | None = None


class Head(Struct):
    """Just enough of any row to page by."""

    id: Id


class SessionHead(Struct):
    """Just enough to see whether a session in a list is the one that is looked for."""

    id: Id
    client_reference_id: str | None = None


class Dispute(Struct):
    id: Id
    object: Literal["dispute"]
    amount: Amount
    currency: Code
    created: Time
    livemode: bool
    status: DisputeStatus
    charge: Id | Charge
    balance_transactions: list[BalanceTransaction] = field(default_factory=list)


class Payout(Struct):
    id: Id
    object: Literal["payout"]
    livemode: bool
    automatic: bool
    status: Literal["paid", "pending", "in_transit", "canceled", "failed"]


class DashboardSettings(Struct):
    display_name: str | None = None


class AccountSettings(Struct):
    dashboard: DashboardSettings | None = None


class BusinessProfile(Struct):
    name: str | None = None


class Account(Struct):
    id: Id
    object: Literal["account"]
    settings: AccountSettings | None = None
    business_profile: BusinessProfile | None = None


class Page(Struct):
    object: Literal["list"]
    data: Annotated[list[Raw], Meta(max_length=PAGE_ROWS_MAX)]
    has_more: bool


class Error(Struct):
    type: str
    code: str | None = None
    message: str | None = None


class ErrorBody(Struct):
    error: Error
