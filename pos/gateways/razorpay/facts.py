"""What Razorpay's objects mean: facts and bindings. Pure; nothing about requests or pages.

A payment is `pay_...`; `captured_at` is its `created_at`, the only time it has, whatever the way we learnt it. No
object names its mode: the credential's counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pos.domain.errors import BadInput
from pos.domain.money import parse_major
from pos.gateways.base import Fact, Kind, LinkInfo, Mode, NotUnderstood, shop_mark
from pos.gateways.razorpay.objects import (
    Dispute,
    Notes,
    Payment,
    PaymentLink,
    QrCode,
    ReconRow,
    Refund,
    note,
)

REFERENCE = "truetill_reference"
OUR_REFUND = "truetill_refund"
OUR_SHOP, OUR_TILL = "truetill_shop", "truetill_till"
ID_CHARS = 255  # the longest mark of ours that is believed

LINK_STATES = {
    "created": "open",
    "partially_paid": "open",  # never ours: we take no part payments
    "paid": "closed",
    "cancelled": "expired",  # ended unpaid, whoever ended it
    "expired": "expired",
}
_LINK_KINDS = {"open": Kind.LINK_OPENED, "closed": Kind.LINK_CLOSED, "expired": Kind.LINK_EXPIRED}
_REFUND_KINDS = {
    "pending": Kind.REFUND_PENDING,
    "processed": Kind.REFUND_SUCCEEDED,
    "failed": Kind.REFUND_FAILED,
}
_DISPUTE_KINDS = {
    "open": Kind.DISPUTE_OPEN,
    "under_review": Kind.DISPUTE_OPEN,
    "lost": Kind.DISPUTE_LOST,
    "won": Kind.DISPUTE_WON,
    "closed": Kind.DISPUTE_WON,
}
_HOLDS_MONEY = {"chargeback", "pre_arbitration", "arbitration"}
"""Phases in which money is at stake; `fraud` and `retrieval` only ask."""
_PAYEE = re.compile(r"[A-Za-z0-9._-]{1,255}@[A-Za-z0-9.-]{1,64}")


class Teller(NamedTuple):
    """Tells facts of one gateway account in the credential's mode."""

    gateway: str
    account: str
    mode: Mode

    def link(self, info: LinkInfo, created_s: int) -> Fact:
        at_ms = created_s * 1000 if info.state == "open" else None
        return self._fact(_LINK_KINDS[info.state], info.id)._replace(at_ms=at_ms)

    def of_link(self, payment_id: str, link_id: str) -> Fact:
        return self._fact(Kind.PAYMENT_OF_LINK, payment_id)._replace(target=link_id)

    def of_reference(self, payment_id: str, reference: str) -> Iterator[Fact]:
        if 0 < len(reference) <= ID_CHARS:
            yield self._fact(Kind.PAYMENT_OF_REFERENCE, payment_id)._replace(target=reference)

    def of_shop(self, payment_id: str, notes: Notes) -> Iterator[Fact]:
        """Which shop and till of ours made the link, from its notes: those of a payment come from a browser."""
        if mark := shop_mark(note(notes, OUR_SHOP), note(notes, OUR_TILL)):
            yield self._fact(Kind.PAYMENT_OF_SHOP, payment_id)._replace(target=mark)

    def payment(self, payment: Payment) -> Iterator[Fact]:
        """One payment: its state and its fee. Its notes say nothing: checkout takes them from a customer's browser."""
        yield self._state(payment)
        at_home = payment.base_currency in (None, payment.currency)
        if payment.captured and payment.fee and at_home:  # else the fee is in a currency that is not named beside it
            fee = self._fact(Kind.PAYMENT_FEE, payment.id)
            yield fee._replace(amount_minor=payment.fee, currency=payment.currency)

    def _state(self, payment: Payment) -> Fact:
        """Refunded without having been captured: an authorization that lapsed and went back by itself."""
        if payment.status == "refunded":
            kind = Kind.PAYMENT_CAPTURED if payment.captured else Kind.PAYMENT_VOIDED
        else:
            kind = {
                "created": Kind.PAYMENT_PENDING,
                "pending": Kind.PAYMENT_PENDING,
                "authorized": Kind.PAYMENT_AUTHORIZED,
                "captured": Kind.PAYMENT_CAPTURED,
                "failed": Kind.PAYMENT_FAILED,
            }[payment.status]
        if kind is Kind.PAYMENT_CAPTURED and (payment.captured is not True or payment.amount <= 0):
            raise NotUnderstood(f"{payment.id} is captured, but nothing of it")
        fact = self._fact(kind, payment.id)
        at_ms = payment.created_at * 1000
        return fact._replace(amount_minor=payment.amount, currency=payment.currency, at_ms=at_ms)

    def refund(self, refund: Refund) -> Iterator[Fact]:
        fact = self._fact(_REFUND_KINDS[refund.status], refund.id)
        at_ms = refund.created_at * 1000
        yield fact._replace(amount_minor=refund.amount, currency=refund.currency, at_ms=at_ms)
        yield self._fact(Kind.REFUND_OF_PAYMENT, refund.id)._replace(target=refund.payment_id)
        ours = note(refund.notes, OUR_REFUND)
        if 0 < len(ours) <= ID_CHARS:
            yield self._fact(Kind.REFUND_OF_OURS, refund.id)._replace(target=ours)

    def refused_refund(self, refund_id: str) -> Fact:
        """Our own refund call was refused for good: a failed refund under our row's id, which knows the amount."""
        return self._fact(Kind.REFUND_FAILED, refund_id)

    def dispute(self, dispute: Dispute) -> Iterator[Fact]:
        """A mere inquiry holds no money: its amount is 0, so that it can still be refunded."""
        held = dispute.amount if dispute.phase in _HOLDS_MONEY else 0
        if dispute.status == "lost":
            held = dispute.amount_deducted or dispute.amount
        fact = self._fact(_DISPUTE_KINDS[dispute.status], dispute.id)
        yield fact._replace(amount_minor=held, currency=dispute.currency, at_ms=dispute.created_at * 1000)
        yield self._fact(Kind.DISPUTE_OF_PAYMENT, dispute.id)._replace(target=dispute.payment_id)

    def payout_line(self, row: ReconRow) -> Iterator[Fact]:
        """What of a settlement came from one object, gross with its sign; what is not settled yet says nothing."""
        if not row.settled or row.settlement_id is None:
            return
        gross = row.amount if row.credit or row.type == "payment" else -row.amount
        fact = self._fact(Kind.PAYOUT_INCLUDED, row.entity_id)
        yield fact._replace(target=row.settlement_id, amount_minor=gross, currency=row.currency, fee_minor=row.fee or 0)

    def _fact(self, kind: Kind, thing: str) -> Fact:
        return Fact(self.gateway, self.account, self.mode, kind, thing)


def link_info(link: PaymentLink) -> LinkInfo:
    """A look is complete by the link alone while nobody has tried to pay: then it has no order and no payments yet."""
    return LinkInfo(
        id=link.id,
        state=LINK_STATES[link.status],
        url=link.short_url or "",
        reference=link.reference_id or "",
        expires_at_ms=link.expire_by * 1000 if link.expire_by else None,
        complete_look=link.order_id is None and not link.payments and link.status not in ("paid", "partially_paid"),
        amount_minor=link.amount,
        currency=link.currency,
    )


def qr_info(code: QrCode) -> LinkInfo:
    """A UPI code as a link. Its text is shown only if it asks for exactly the code's amount; `url` is else empty.

    A code that closed unpaid, by its time or by us, is *expired*, as a link is. It counts what it has received, so
    what is authorized or on its way stands in the list of its payments alone: no look is complete without that.
    """
    ended = "closed" if is_paid(code) else "expired"
    return LinkInfo(
        id=code.id,
        state="open" if code.status == "active" else ended,
        url=_upi_text(code),
        reference=note(code.notes, REFERENCE),
        expires_at_ms=code.close_by * 1000 if code.close_by else None,
        amount_minor=code.payment_amount if code.fixed_amount else None,
        currency="INR",
        collect="upi",
    )


def is_paid(code: QrCode) -> bool:
    return code.close_reason == "paid" or code.payments_count_received > 0


def _upi_text(code: QrCode) -> str:
    """The `upi://pay?...` text, "" where the account's codes come as pictures only.

    Raises:
        NotUnderstood: a text for another amount or currency, or without a payee.
    """
    text = code.image_content
    if not text or not code.fixed_amount or code.usage != "single_use":
        return ""
    parts = urlsplit(text)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    said = {name.lower(): value for name, value in pairs}
    if (parts.scheme, parts.netloc) != ("upi", "pay") or len(said) != len(pairs):
        raise NotUnderstood(f"{code.id} carries no UPI text")
    if "mam" in said:  # the least that may be paid: the amount could then be changed
        raise NotUnderstood(f"{code.id} lets the customer choose the amount")
    if said.get("cu", "INR") != "INR" or not _PAYEE.fullmatch(said.get("pa", "")):
        raise NotUnderstood(f"{code.id} names another currency, or no payee")
    try:
        amount_minor = parse_major(said.get("am", ""), "INR")
    except BadInput:
        raise NotUnderstood(f"{code.id} names no amount") from None
    if amount_minor != code.payment_amount:
        raise NotUnderstood(f"{code.id} asks for another amount than it was made for")
    return text
