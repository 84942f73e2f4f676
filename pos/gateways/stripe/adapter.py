"""The Stripe adapter: a Checkout Session per attempt. Pure: `prepare -> bytes`, `read -> facts and bindings`.

No connection, no clock, no credential here. Reading order: `requests`, `reading`, `facts`.
"""

from __future__ import annotations

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
from pos.gateways.stripe import reading, requests
from pos.gateways.stripe.amounts import MINIMUM_MINOR
from pos.gateways.stripe.facts import Teller

CAPABILITIES = Capabilities(
    title="Stripe",
    names_shop=True,
    key_life_s=DAY_S,  # keys can be forgotten after 24 hours
    can_close=True,
    single_use=True,
    expiry_min_s=30 * 60,
    expiry_max_s=DAY_S,
    find_by_reference="list",
    report_lag_s=60,
    paging="cursor",
    refund_key=True,
    signed_webhooks=True,
    hosts=("api.stripe.com",),
    page_hosts=("checkout.stripe.com",),
    parts=(Part.PAYMENTS, Part.REFUNDS, Part.DISPUTES, Part.PAYOUTS),
    minimum_minor=MINIMUM_MINOR,
    link_title="Checkout Session",
    timed_webhooks=True,
)


def make(mode: Mode) -> Adapter:
    """The entry point in group `pos.gateways`. The account is learnt by asking `whoami`."""
    return StripeAdapter(mode=mode)


@dataclass(frozen=True, slots=True)
class StripeAdapter:
    """See `pos.domain.ports.Adapter`. `account` is Stripe's (`acct_...`), `mode` the credential's."""

    account: str = ""
    mode: Mode = Mode.TEST
    name: ClassVar[str] = requests.NAME
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def with_account(self, account: str) -> StripeAdapter:
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
