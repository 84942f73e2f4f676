"""The Razorpay adapter: a payment link, or a single-use UPI code, per attempt. Pure.

No connection, no clock, no credential here. Reading order: `requests`, `reading`, `facts`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from pos.domain.ports import DAY_S
from pos.gateways.base import (
    Adapter,
    Answer,
    Capabilities,
    LinkRequest,
    Mode,
    Part,
    PreparedCall,
    Reading,
    RefundRequest,
)
from pos.gateways.razorpay import reading, requests
from pos.gateways.razorpay.amounts import MINIMUM_MINOR
from pos.gateways.razorpay.facts import Teller

CAPABILITIES = Capabilities(
    title="Razorpay",
    key_life_s=0,  # links have no idempotency key; refunds have one, whose life is not documented
    can_close=True,
    single_use=True,
    expiry_min_s=15 * 60,
    expiry_max_s=180 * DAY_S,
    find_by_reference="search",
    report_lag_s=60,
    paging="skip",
    refund_key=True,
    signed_webhooks=True,
    hosts=("api.razorpay.com",),
    page_hosts=("rzp.io",),
    parts=(Part.PAYMENTS, Part.REFUNDS, Part.DISPUTES, Part.PAYOUTS),
    secrets=("key_id", "secret_key"),
    minimum_minor=MINIMUM_MINOR,
    link_title="Payment Link",
    collects=("link", "upi"),
    report_names_reference=False,
    names_shop=True,
    names_account=False,
)


def make(mode: Mode) -> Adapter:
    """The entry point in group `pos.gateways`. The account is named after the key's id."""
    return RazorpayAdapter(mode=mode)


@dataclass(frozen=True, slots=True)
class RazorpayAdapter:
    """See `pos.domain.ports.Adapter`. `account` is what `account_of` named it first, `mode` the credential's."""

    account: str = ""
    mode: Mode = Mode.TEST
    name: ClassVar[str] = requests.NAME
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def authorization(self, secrets: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """HTTP Basic: the key's id and its secret (RFC 7617)."""
        pair = f"{secrets['key_id']}:{secrets['secret_key']}".encode()
        return (("Authorization", "Basic " + base64.b64encode(pair).decode("ascii")),)

    def account_of(self, secrets: Mapping[str, str]) -> str:
        return secrets.get("key_id", "")

    def with_account(self, account: str) -> RazorpayAdapter:
        return replace(self, account=account)

    def whoami(self) -> PreparedCall:
        return requests.whoami()

    def create(self, request: LinkRequest) -> PreparedCall:
        return requests.create(request)

    def find(self, reference: str, since_ms: int, until_ms: int) -> PreparedCall:
        return requests.find(reference, since_ms, until_ms)

    def fetch(self, link_id: str) -> PreparedCall:
        return requests.fetch(link_id)

    def fetch_payment(self, payment_id: str) -> PreparedCall:
        return requests.fetch_payment(payment_id)

    def fetch_refund(self, refund_id: str) -> PreparedCall:
        return requests.fetch_refund(refund_id)

    def close(self, link_id: str) -> PreparedCall:
        return requests.close(link_id)

    def capture(self, payment_id: str, amount_minor: int, currency: str, key: str) -> PreparedCall:
        return requests.capture(payment_id, amount_minor, currency, key)

    def refund(self, request: RefundRequest) -> PreparedCall:
        return requests.refund(request)

    def report(self, part: Part, from_ms: int, to_ms: int) -> PreparedCall:
        return requests.report(part, from_ms, to_ms)

    def read(self, call: PreparedCall, answer: Answer) -> Reading:
        return reading.read(Teller(self.name, self.account, self.mode), call, answer)
