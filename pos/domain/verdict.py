"""The verdict: an order's money, computed from all facts. Nothing else decides a status.

Pure functions over a `Bundle`. `pos.domain.joins` says what each payment, refund and dispute is; here they become an
order's money, by sums over distinct objects. Rules: design/payment-truth.md section 2, kept in docs/money-rules.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pos.domain.cash import Method, Tender
from pos.domain.joins import (
    FAILED,
    IN_FLIGHT,
    Bundle,
    PaymentState,
    RefundState,
    disputes_of,
    known_of,
    payments_of,
    refunds_of,
)
from pos.domain.order import Life, Order
from pos.domain.payment import CALL_TIMEOUT_S, Attempt, Phase
from pos.domain.refund import Purpose

LOOK_LATE_S = 60
LOOKS_FAILED = 3


class Money(StrEnum):
    UNPAID = "unpaid"
    PART_PAID = "part_paid"
    PAID = "paid"
    OVERPAID = "overpaid"


class Certainty(StrEnum):
    UNKNOWN = "unknown"
    WAITING = "waiting"
    SETTLED = "settled"


class Flag(StrEnum):
    LATE = "late"
    AFTER_CANCEL = "after_cancel"
    DOUBLE = "double"
    DOUBLE_TENDER = "double_tender"
    AMOUNT = "amount"
    CURRENCY = "currency"
    ACCOUNT = "account"
    DISPUTED = "disputed"
    REFUND_FAILED = "refund_failed"
    REVERSED = "reversed"
    UNFENCED = "unfenced"
    RETURNED = "returned"
    """Goods came back that are worth the whole of the sale; money alone that went back is no return."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Give `amount_minor` back to this payment."""

    gateway: str
    account: str
    payment: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an order's money is. `kept_firm_minor` counts only undo refunds that succeeded."""

    money: Money
    due_minor: int
    kept_minor: int
    kept_firm_minor: int
    captured_minor: int
    tendered_minor: int
    refunded_minor: int
    returned_minor: int
    flags: tuple[Flag, ...]
    payments: tuple[PaymentState, ...]
    refunds: tuple[RefundState, ...]
    in_flight: bool
    proposals: tuple[Proposal, ...]
    disputes_open_minor: int = 0
    backs: tuple[RefundState, ...] = ()
    """Money of a payment that was given back in another way: in the same caps as its refunds."""

    @property
    def owed_minor(self) -> int:
        return max(0, self.kept_minor - self.due_minor)

    @property
    def left_minor(self) -> int:
        return max(0, self.due_minor - self.kept_minor)


def fold(bundle: Bundle) -> Verdict:
    """The verdict over everything known; the same for every order of the same facts."""
    known = known_of(bundle.facts)
    payments = payments_of(bundle, known)
    # what went back of money that was never the order's (another currency or account) is no money of the order either
    counts = {p.id: p.counts for p in payments}
    refunds = [r for r in refunds_of(bundle, known) if counts.get(r.payment, bool(r.ours))]
    disputes = {key: value for key, value in disputes_of(known).items() if counts.get(key[1])}
    backs = _backs(bundle)
    given = [*refunds, *backs]
    tendered = _tendered(bundle, payments)
    due = bundle.order.due_minor
    kept, undone_elsewhere = _kept(payments, given, tendered, due, firm=False)
    # the same where every refund is done, as most are
    sure = all(r.state == "succeeded" for r in given)
    firm = kept if sure else _kept(payments, given, tendered, due, firm=True)[0]
    lost = sum(amount for state, amount in disputes.values() if state == "lost")
    kept -= min(lost, max(0, kept - due))
    firm -= min(lost, max(0, firm - due))
    mine = [p for p in payments if p.counts]
    given_back = sum(r.amount_minor for r in given if r.state == "succeeded")
    return Verdict(
        money=_money(bundle.order, kept, due),
        due_minor=due,
        kept_minor=kept,
        kept_firm_minor=firm,
        captured_minor=sum(p.captured_minor for p in mine),
        tendered_minor=tendered,
        refunded_minor=given_back,
        returned_minor=_returned(given, undone_elsewhere) + _returned_otherwise(bundle.tenders),
        flags=_flags(bundle, payments, given, disputes, tendered),
        payments=tuple(payments),
        refunds=tuple(refunds),
        in_flight=_in_flight(bundle, payments),
        proposals=_proposals(mine, given, disputes, max(0, kept - due)),
        disputes_open_minor=sum(amount for state, amount in disputes.values() if state == "open"),
        backs=tuple(backs),
    )


def _money(order: Order, kept: int, due: int) -> Money:
    if kept <= 0:
        return Money.PAID if order.completed and order.life is Life.PLACED and due == 0 else Money.UNPAID
    if kept < due:
        return Money.PART_PAID
    return Money.PAID if kept == due else Money.OVERPAID


def _backs(bundle: Bundle) -> list[RefundState]:
    """Tenders that gave a payment's money back: done when they were written, and counted as that payment's refunds."""
    bound = sorted({t.id: t for t in bundle.tenders if t.payment}.values(), key=lambda t: t.id)
    return [RefundState(t.id, "", t.payment, -t.amount_minor, "succeeded", t.purpose) for t in bound]


def _tendered(bundle: Bundle, payments: Sequence[PaymentState]) -> int:
    """Tenders in less given back; one accepted by hand counts only what its attempt's captures do not.

    What was given back of a payment counts there; what was given for goods that came back changes nothing here.
    """
    total = 0
    by_hand: dict[str, int] = defaultdict(int)
    for tender in {t.id: t for t in bundle.tenders if not t.payment and not t.return_id}.values():
        if tender.method is Method.BY_HAND and tender.attempt_id:
            by_hand[tender.attempt_id] += tender.amount_minor
        else:
            total += tender.amount_minor + tender.rounding_minor
    for attempt_id, amount in by_hand.items():
        captured = sum(p.captured_minor for p in payments if p.attempt_id == attempt_id)
        total += max(0, amount - captured)
    return total


def _kept(
    payments: Sequence[PaymentState], refunds: Sequence[RefundState], tendered: int, due: int, *, firm: bool
) -> tuple[int, int]:
    """(kept, of it undone elsewhere). Refunds made elsewhere are pooled: what exceeds due is undo, the rest return."""
    kept = tendered
    for payment in payments:
        if not payment.counts:
            continue
        undone = sum(
            r.amount_minor
            for r in refunds
            if r.payment == payment.id
            and r.purpose == Purpose.UNDO
            and r.counts
            and (not firm or r.state == "succeeded")
        )
        kept += max(0, payment.captured_minor - payment.reversed_minor - undone)
    mine = {p.id for p in payments if p.counts}
    pool = sum(
        r.amount_minor
        for r in refunds
        if r.purpose == "elsewhere" and r.counts and r.payment in mine and (not firm or r.state == "succeeded")
    )
    elsewhere = min(pool, max(0, kept - due))
    return kept - elsewhere, elsewhere


def _returned(refunds: Sequence[RefundState], undone_elsewhere: int) -> int:
    counted = [r for r in refunds if r.counts]
    ours = sum(r.amount_minor for r in counted if r.purpose == Purpose.RETURN)
    pool = sum(r.amount_minor for r in counted if r.purpose == "elsewhere")
    return ours + max(0, pool - undone_elsewhere)


def _returned_otherwise(tenders: Sequence[Tender]) -> int:
    """Given for goods that came back, in cash or by terminal; what is bound to a payment counts with its refunds."""
    given = [t for t in {t.id: t for t in tenders}.values() if t.return_id and not t.payment]
    return -sum(t.amount_minor + t.rounding_minor for t in given)


def _goods_back(bundle: Bundle, given: Sequence[RefundState]) -> int:
    """Money that went back for goods that came back: whatever names a credit note."""
    notes = {row.id for row in bundle.refunds if row.return_id}
    notes |= {t.id for t in bundle.tenders if t.return_id and t.payment}
    counted = sum(r.amount_minor for r in given if r.counts and (r.ours or r.id) in notes) if notes else 0
    return counted + _returned_otherwise(bundle.tenders)


def _in_flight(bundle: Bundle, payments: Sequence[PaymentState]) -> bool:
    released = {a.id for a in bundle.attempts if a.phase is Phase.RELEASED}
    return any(p.state in IN_FLIGHT and p.attempt_id not in released for p in payments)


def _flags(
    bundle: Bundle,
    payments: Sequence[PaymentState],
    refunds: Sequence[RefundState],
    disputes: Mapping[tuple[str, str], tuple[str, int]],
    tendered: int,
) -> tuple[Flag, ...]:
    paid = [p for p in payments if p.captured_minor > 0]
    total = sum(p.captured_minor for p in paid)
    due = bundle.order.due_minor
    tests = {
        Flag.LATE: any(p.late for p in paid),
        Flag.AFTER_CANCEL: bool(paid) and bundle.order.life is not Life.PLACED,
        Flag.DOUBLE: len(paid) > 1 and total > bundle.order.total_minor,
        Flag.DOUBLE_TENDER: bool(paid) and tendered > 0 and total + tendered > due,
        Flag.AMOUNT: any(p.amount_differs for p in payments),
        Flag.CURRENCY: any(p.wrong == "currency" for p in payments) or any(r.wrong for r in refunds),
        Flag.ACCOUNT: any(p.wrong == "account" for p in payments),
        Flag.DISPUTED: any(state in {"open", "lost"} for state, _ in disputes.values()),
        Flag.REFUND_FAILED: bool(unreplaced(refunds, bundle)),
        Flag.REVERSED: any(p.reversed_minor > 0 for p in payments),
        Flag.RETURNED: 0 < due <= _goods_back(bundle, refunds),
        Flag.UNFENCED: any(a.phase is Phase.RELEASED or a.fence_kind == "override" for a in bundle.attempts),
    }
    return tuple(flag for flag, holds in tests.items() if holds)


def unreplaced(refunds: Sequence[RefundState], bundle: Bundle) -> list[RefundState]:
    """Failed or bounced refunds that nothing later of ours was to make good: the customer waits for them.

    Another refund of the same payment is no replacement by itself; the row that replaces says so (72), be it a refund
    or money that was given back in another way.
    """
    failed = [r for r in refunds if r.state in FAILED]
    if not failed:
        return []
    replacing = [row.replaces for row in bundle.refunds] + [tender.replaces for tender in bundle.tenders]
    made_good = {name for names in replacing for name in names.split()}
    return [r for r in failed if not made_good & {r.ours or r.id}]


def _proposals(
    mine: Sequence[PaymentState],
    refunds: Sequence[RefundState],
    disputes: Mapping[tuple[str, str], tuple[str, int]],
    owed: int,
) -> tuple[Proposal, ...]:
    """From the newest capture backwards, from each at most captured - refunds - disputes open or lost."""
    proposals = []
    for payment in newest_first(mine):
        amount = min(owed, refundable_minor(payment, refunds, disputes))
        if amount > 0:
            proposals.append(Proposal(payment.gateway, payment.account, payment.id, amount))
            owed -= amount
    return tuple(proposals)


def newest_first(payments: Iterable[PaymentState]) -> list[PaymentState]:
    """In the order in which they give money back."""
    return sorted(payments, key=lambda p: (p.captured_at_ms or 0, p.id), reverse=True)


def refundable_minor(
    payment: PaymentState,
    refunds: Sequence[RefundState],
    disputes: Mapping[tuple[str, str], tuple[str, int]],
) -> int:
    """What may still be given back of this payment: captured less reversals, less what went back, in whatever way, less

    disputes open or lost.
    """
    given = sum(r.amount_minor for r in refunds if r.payment == payment.id and r.counts)
    held = sum(amount for (_, of), (state, amount) in disputes.items() if of == payment.id and state != "won")
    return max(0, payment.captured_minor - payment.reversed_minor - given - held)


def certainty(attempts: Sequence[Attempt], in_flight: bool, now_ms: int) -> Certainty:
    """How sure we are, computed on read and never stored.

    Unknown: a live attempt's call is past its timeout, or its due look is 60 s late, or three looks failed.
    """
    for attempt in attempts:
        if not attempt.live:
            continue
        overdue = attempt.looks_failed > 0 or now_ms > attempt.drafted_at_ms + CALL_TIMEOUT_S * 1000
        asked = attempt.phase is Phase.REQUESTING and overdue
        late = attempt.look_due_at_ms is not None and now_ms > attempt.look_due_at_ms + LOOK_LATE_S * 1000
        if asked or late or attempt.looks_failed >= LOOKS_FAILED:
            return Certainty.UNKNOWN
    if in_flight or any(attempt.live for attempt in attempts):
        return Certainty.WAITING
    return Certainty.SETTLED
