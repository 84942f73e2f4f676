"""What Stripe's objects mean: facts and bindings. Pure; nothing about requests or pages.

A payment is a charge (`ch_...`), never a PaymentIntent. `captured_at` is the charge's `created`, whatever the way we
learnt it. An object's own mode counts, where it names one, never ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pos.gateways.base import Fact, Kind, LinkInfo, Mode, NotUnderstood, shop_mark
from pos.gateways.stripe.amounts import from_stripe
from pos.gateways.stripe.objects import BalanceTransaction, Charge, Dispute, PaymentIntent, Refund, Session

REFERENCE = "truetill_reference"
OUR_REFUND = "truetill_refund"
OUR_SHOP, OUR_TILL = "truetill_shop", "truetill_till"
ID_CHARS = 255  # the longest mark of ours that is believed

_LINK_KINDS = {"open": Kind.LINK_OPENED, "complete": Kind.LINK_CLOSED, "expired": Kind.LINK_EXPIRED}
_LINK_STATES = {"open": "open", "complete": "closed", "expired": "expired"}
_REFUND_KINDS = {
    "pending": Kind.REFUND_PENDING,
    "requires_action": Kind.REFUND_PENDING,
    "succeeded": Kind.REFUND_SUCCEEDED,
    "failed": Kind.REFUND_FAILED,
    "canceled": Kind.REFUND_FAILED,
}
_DISPUTE_KINDS = {
    "needs_response": Kind.DISPUTE_OPEN,
    "under_review": Kind.DISPUTE_OPEN,
    "warning_needs_response": Kind.DISPUTE_OPEN,
    "warning_under_review": Kind.DISPUTE_OPEN,
    "lost": Kind.DISPUTE_LOST,
    "won": Kind.DISPUTE_WON,
    "warning_closed": Kind.DISPUTE_WON,
    "prevented": Kind.DISPUTE_WON,
    "charge_refunded": Kind.DISPUTE_WON,
}
# A look is complete when the newest charge is the one the PaymentIntent's state speaks of; older ones have failed.
_AGREES = {
    "succeeded": {"succeeded"},
    "requires_capture": {"succeeded"},
    "processing": {"pending"},
    "canceled": {"failed", "succeeded"},
    "requires_payment_method": {"failed"},
    "requires_confirmation": {"failed"},
    "requires_action": {"failed"},
}
_NO_CHARGE_YET = {"requires_payment_method", "requires_confirmation", "requires_action", "canceled"}


def mode_of(livemode: bool) -> Mode:
    return Mode.LIVE if livemode else Mode.TEST


class Teller(NamedTuple):
    """Tells facts of one gateway account. `mode` serves only objects that name none."""

    gateway: str
    account: str
    mode: Mode

    def session(self, session: Session) -> Iterator[Fact]:
        """The link's own state, and everything about the payments that are expanded in it."""
        mode = mode_of(session.livemode)
        opened_ms = session.created * 1000 if session.status == "open" else None
        yield self._fact(_LINK_KINDS[session.status], session.id, mode)._replace(at_ms=opened_ms)
        intent = session.payment_intent
        if not isinstance(intent, PaymentIntent) or not isinstance(intent.latest_charge, Charge):
            return
        charge = intent.latest_charge
        if charge.intent_id not in ("", intent.id):
            raise NotUnderstood(f"{charge.id} belongs to another payment intent than {intent.id}")
        yield from self.charge(charge, voided=intent.status == "canceled")
        yield self.of_link(charge.id, session)
        if session.client_reference_id:
            yield from self._of_reference(charge, session.client_reference_id)

    def intent(self, intent: PaymentIntent) -> Iterator[Fact]:
        if isinstance(intent.latest_charge, Charge):
            yield from self.charge(intent.latest_charge, voided=intent.status == "canceled")

    def of_link(self, charge_id: str, session: Session) -> Fact:
        return self._fact(Kind.PAYMENT_OF_LINK, charge_id, mode_of(session.livemode))._replace(target=session.id)

    def charge(self, charge: Charge, *, voided: bool = False) -> Iterator[Fact]:
        """One payment: its state, its reference, its fee and the refunds listed in it.

        `voided`: the PaymentIntent was cancelled; an uncaptured charge was let go with it.
        """
        yield self._state(charge, voided=voided)
        marks = charge.metadata or {}
        yield from self._of_reference(charge, marks.get(REFERENCE, ""))
        if mark := shop_mark(marks.get(OUR_SHOP, ""), marks.get(OUR_TILL, "")):
            yield self._fact(Kind.PAYMENT_OF_SHOP, charge.id, mode_of(charge.livemode))._replace(target=mark)
        if charge.status == "failed" and charge.failure_balance_transaction:
            yield self._payment(Kind.PAYMENT_REVERSED, charge)._replace(at_ms=None)
        if charge.captured and isinstance(charge.balance_transaction, BalanceTransaction):
            yield self._fee(charge, charge.balance_transaction)
        for refund in charge.refunds.data if charge.refunds else ():
            yield from self.refund(refund, of=charge)

    def _state(self, charge: Charge, *, voided: bool) -> Fact:
        if charge.status != "succeeded":
            kind = Kind.PAYMENT_PENDING if charge.status == "pending" else Kind.PAYMENT_FAILED
            return self._payment(kind, charge)
        if not charge.captured:
            gone = voided or charge.refunded
            return self._payment(Kind.PAYMENT_VOIDED if gone else Kind.PAYMENT_AUTHORIZED, charge)
        if charge.amount_captured <= 0:
            raise NotUnderstood(f"{charge.id} is captured, but nothing of it")
        amount, currency = from_stripe(charge.amount_captured, charge.currency)
        return self._payment(Kind.PAYMENT_CAPTURED, charge)._replace(amount_minor=amount, currency=currency)

    def _payment(self, kind: Kind, charge: Charge) -> Fact:
        amount, currency = from_stripe(charge.amount, charge.currency)
        fact = self._fact(kind, charge.id, mode_of(charge.livemode))
        return fact._replace(amount_minor=amount, currency=currency, at_ms=charge.created * 1000)

    def _of_reference(self, charge: Charge, reference: str) -> Iterator[Fact]:
        if 0 < len(reference) <= ID_CHARS:
            fact = self._fact(Kind.PAYMENT_OF_REFERENCE, charge.id, mode_of(charge.livemode))
            yield fact._replace(target=reference)

    def _fee(self, charge: Charge, line: BalanceTransaction) -> Fact:
        """In the currency the account is settled in, which need not be the payment's."""
        fee, currency = from_stripe(line.fee, line.currency)
        fact = self._fact(Kind.PAYMENT_FEE, charge.id, mode_of(charge.livemode))
        return fact._replace(amount_minor=fee, currency=currency)

    def refund(self, refund: Refund, of: Charge | None = None) -> Iterator[Fact]:
        """One refund; with the facts of its charge where that is expanded in it."""
        whole = refund.charge if isinstance(refund.charge, Charge) else None
        charge_id = whole.id if whole else refund.charge
        if of is not None and charge_id not in (None, of.id):
            raise NotUnderstood(f"{refund.id} is listed under {of.id} but belongs to another charge")
        known = of or whole
        mode = mode_of(known.livemode) if known else self.mode
        amount, currency = from_stripe(refund.amount, refund.currency)
        fact = self._fact(_REFUND_KINDS[refund.status], refund.id, mode)
        yield fact._replace(amount_minor=amount, currency=currency, at_ms=refund.created * 1000)
        target = of.id if of else charge_id
        if isinstance(target, str):
            yield self._fact(Kind.REFUND_OF_PAYMENT, refund.id, mode)._replace(target=target)
        ours = (refund.metadata or {}).get(OUR_REFUND, "")
        if 0 < len(ours) <= ID_CHARS:
            yield self._fact(Kind.REFUND_OF_OURS, refund.id, mode)._replace(target=ours)
        if whole:
            yield from self.charge(whole)

    def refused_refund(self, refund_id: str) -> Fact:
        """Our own refund call was refused for good: a failed refund under our row's id, which knows the amount."""
        return self._fact(Kind.REFUND_FAILED, refund_id, self.mode)

    def dispute(self, dispute: Dispute) -> Iterator[Fact]:
        """An inquiry (`warning_...`) holds no money yet: its amount is 0, so that it can still be refunded."""
        mode = mode_of(dispute.livemode)
        amount, currency = from_stripe(dispute.amount, dispute.currency)
        held = 0 if dispute.status.startswith("warning_") else amount
        fee = sum(line.fee for line in dispute.balance_transactions if line.currency == dispute.currency)
        fact = self._fact(_DISPUTE_KINDS[dispute.status], dispute.id, mode)
        yield fact._replace(
            amount_minor=held,
            currency=currency,
            at_ms=dispute.created * 1000,
            fee_minor=from_stripe(fee, dispute.currency)[0] if fee else None,
        )
        charge_id = dispute.charge.id if isinstance(dispute.charge, Charge) else dispute.charge
        yield self._fact(Kind.DISPUTE_OF_PAYMENT, dispute.id, mode)._replace(target=charge_id)

    def payout_line(self, line: BalanceTransaction, payout_id: str, mode: Mode) -> Fact:
        """What of a payout came from one object. Refunds and disputes are negative; a line without one is its own."""
        gross, currency = from_stripe(line.amount, line.currency)
        fact = self._fact(Kind.PAYOUT_INCLUDED, line.source or line.id, mode)
        fee = from_stripe(line.fee, line.currency)[0]
        return fact._replace(target=payout_id, amount_minor=gross, currency=currency, fee_minor=fee)

    def _fact(self, kind: Kind, thing: str, mode: Mode) -> Fact:
        return Fact(self.gateway, self.account, mode, kind, thing)


def link_info(session: Session, *, fresh: bool) -> LinkInfo:
    """`fresh`: the answer shows the session as it is now; a replayed answer to a create call does not."""
    amount, currency = None, ""
    if session.amount_total is not None and session.currency is not None:
        amount, currency = from_stripe(session.amount_total, session.currency)
    return LinkInfo(
        id=session.id,
        state=_LINK_STATES[session.status],
        url=session.url or "",
        reference=session.client_reference_id or "",
        expires_at_ms=session.expires_at * 1000 if session.expires_at is not None else None,
        complete_look=fresh and complete_look(session),
        amount_minor=amount,
        currency=currency,
    )


def complete_look(session: Session) -> bool:
    """Whether the answer lists every payment that can still count, as of the session's own state.

    One PaymentIntent has at most one charge that is not failed, its latest. The look is complete when that charge is
    there and fits the intent's state, or no charge was made yet and none is being made. A complete session without a
    payment, a charge that is named but not shown, and a payment that is being processed without a charge are not.
    """
    intent = session.payment_intent
    if intent is None:
        return session.status != "complete" or session.payment_status == "no_payment_required"
    if not isinstance(intent, PaymentIntent):
        return False
    if session.status == "expired" and intent.status == "requires_action":
        return False  # the customer is at the bank's page; Stripe cancels the intent of an expired session
    if intent.latest_charge is None:
        return intent.status in _NO_CHARGE_YET and session.status != "complete"
    charge = intent.latest_charge
    return isinstance(charge, Charge) and charge.status in _AGREES[intent.status]
