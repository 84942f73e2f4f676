"""What the bank keeps, in the bank's own words: one frozen record per table. No behaviour but reading itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar


def _load(text: str) -> dict[str, Any]:
    loaded = json.loads(text)
    return loaded if isinstance(loaded, dict) else {}


@dataclass(frozen=True, slots=True)
class Account:
    TABLE: ClassVar[str] = "account"
    id: str
    dialect: str
    name: str
    created: int
    options: str = "{}"  # what was set for this account alone; the dialect says what can be

    @property
    def more(self) -> dict[str, Any]:
        return _load(self.options)


@dataclass(frozen=True, slots=True)
class Link:
    """One request for money (a Checkout Session, a payment link, a QR code). Amounts in minor units, times in seconds.

    `completes`: it takes no more tries once a payment was accepted, or only once one was captured. `kind`: page, code
    (a QR code for the customer's own app), or order (no page of its own: the shop's own checkout).
    """

    TABLE: ClassVar[str] = "link"
    seq: int
    id: str
    account: str
    created: int
    amount_minor: int
    currency: str  # lower case ISO 4217
    state: str  # open | complete | expired
    expires_at: int
    reference: str | None
    title: str
    success_url: str
    cancel_url: str | None
    manual_capture: int
    metadata: str
    payment_metadata: str
    details: str  # what the dialect wants to say back later: lines, locale, ...
    kind: str  # page | code | order
    page: str | None  # the last part of its page's path, where that is not the id
    completes: str  # accepted | captured
    capture_within_s: float | None  # an authorized payment that nobody captures is let go after this time
    closed_at: int | None
    close_reason: str | None  # asked | time | paid

    @property
    def more(self) -> dict[str, Any]:
        return _load(self.details)


@dataclass(frozen=True, slots=True)
class Intent:
    """What the tries to pay one link have in common (a PaymentIntent). Not a payment."""

    TABLE: ClassVar[str] = "intent"
    seq: int
    id: str
    account: str
    created: int
    link: str
    amount_minor: int
    currency: str
    canceled_at: int | None
    forced: int
    metadata: str


@dataclass(frozen=True, slots=True)
class Payment:
    """One try to pay (a charge). `forced` payments were made by a drill, past the rule of one per link."""

    TABLE: ClassVar[str] = "payment"
    seq: int
    id: str
    account: str
    created: int
    intent: str
    link: str
    amount_minor: int
    captured_minor: int
    currency: str
    method: str
    state: str  # pending | failed | authorized | voided | captured
    captured_at: int | None
    failure_code: str | None
    entry: str | None
    forced: int
    settles_at: float | None
    settles_as: str | None
    metadata: str
    authorized_at: int | None
    closed_at: int | None  # when it was voided


@dataclass(frozen=True, slots=True)
class Refund:
    TABLE: ClassVar[str] = "refund"
    seq: int
    id: str
    account: str
    created: int
    payment: str
    amount_minor: int
    currency: str
    state: str  # pending | succeeded | failed
    reason: str | None
    failure_reason: str | None
    entry: str | None
    failure_entry: str | None
    settles_at: float | None
    settles_as: str | None
    metadata: str
    details: str  # what the dialect wants to say back later: speed, receipt

    @property
    def more(self) -> dict[str, Any]:
        return _load(self.details)


@dataclass(frozen=True, slots=True)
class Dispute:
    TABLE: ClassVar[str] = "dispute"
    seq: int
    id: str
    account: str
    created: int
    payment: str
    amount_minor: int
    fee_minor: int
    currency: str
    reason: str
    state: str  # open | won | lost
    entry: str
    reversal_entry: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of an account's balance; net = amount - fee."""

    TABLE: ClassVar[str] = "entry"
    seq: int
    id: str
    account: str
    created: int
    kind: str  # payment | refund | refund_failure | dispute | dispute_reversal | payout
    amount_minor: int
    fee_minor: int
    currency: str
    source: str
    method: str
    available_at: int
    payout: str | None
    tax_minor: int  # inside the fee

    @property
    def net_minor(self) -> int:
        return self.amount_minor - self.fee_minor


@dataclass(frozen=True, slots=True)
class Payout:
    TABLE: ClassVar[str] = "payout"
    seq: int
    id: str
    account: str
    created: int
    amount_minor: int
    currency: str
    entry: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was announced, with the object as it was then, already in the dialect's words."""

    TABLE: ClassVar[str] = "event"
    seq: int
    id: str
    account: str
    created: int
    type: str
    object: str
    request: str | None
    request_key: str | None

    @property
    def said(self) -> dict[str, Any]:
        return _load(self.object)


@dataclass(frozen=True, slots=True)
class Endpoint:
    TABLE: ClassVar[str] = "endpoint"
    seq: int
    id: str
    account: str
    created: int
    url: str
    secret: str
    source: str  # cli | control
    enabled: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint; `next_at` is the machine's clock, not the bank's."""

    TABLE: ClassVar[str] = "delivery"
    seq: int
    id: str
    event: str
    endpoint: str
    state: str  # pending | delivered | dropped | given_up
    tries: int
    next_at: float
    met_faults: int
    last_status: int | None
    secret: str | None  # the endpoint's when the event happened


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered under an idempotency key, for replay."""

    TABLE: ClassVar[str] = "answer"
    account: str
    key: str
    target: str  # method and path
    digest: str  # SHA-256 of the parameters
    created: int
    status: int
    body: str
    request: str


@dataclass(frozen=True, slots=True)
class Fault:
    TABLE: ClassVar[str] = "fault"
    seq: int
    id: str
    operation: str
    kind: str
    options: str
    total: int
    remaining: int

    @property
    def more(self) -> dict[str, Any]:
        return _load(self.options)


@dataclass(frozen=True, slots=True)
class PageToken:
    """Permission for one state change from one showing of a pay page."""

    TABLE: ClassVar[str] = "page_token"
    token: str
    link: str
    created: int
    outcome: str | None
