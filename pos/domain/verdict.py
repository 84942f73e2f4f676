"""The verdict: an order's money, computed from all facts. Nothing else decides a status.

Pure functions over a `Bundle`. The order in which facts came, duplicates and batches never matter: everything is a
maximum, a sum over distinct objects, or a set. Rules: design/payment-truth.md section 2, kept in docs/money-rules.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pos.domain.cash import Method, Tender
from pos.domain.facts import Fact, Kind
from pos.domain.order import Life, Order
from pos.domain.payment import CALL_TIMEOUT_S, Attempt, Phase, parse_reference
from pos.domain.refund import Purpose, Refund

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


PAYMENT_RANK = {
    Kind.PAYMENT_PENDING: 1,
    Kind.PAYMENT_FAILED: 2,
    Kind.PAYMENT_AUTHORIZED: 3,
    Kind.PAYMENT_VOIDED: 4,
    Kind.PAYMENT_CAPTURED: 5,
}
REFUND_RANK = {Kind.REFUND_PENDING: 1, Kind.REFUND_SUCCEEDED: 2, Kind.REFUND_FAILED: 3, Kind.REFUND_REVERSED: 3}
FAILED = frozenset({"failed", "reversed"})
"""States of a refund whose money is with us again."""
IN_FLIGHT = frozenset({"pending", "authorized"})
"""States of a payment that may still become money."""
DISPUTE_RANK = {Kind.DISPUTE_OPEN: 1, Kind.DISPUTE_LOST: 2, Kind.DISPUTE_WON: 3}


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that counts for one order. `links` says which order a gateway's link belongs to."""

    order: Order
    attempts: Sequence[Attempt] = ()
    facts: Sequence[Fact] = ()
    tenders: Sequence[Tender] = ()
    refunds: Sequence[Refund] = ()
    links: Mapping[tuple[str, str], str] | None = None
    absent: frozenset[str] = frozenset()
    """Orders that references of these payments name and that are not here; asked for only where a person attached."""


@dataclass(frozen=True, slots=True)
class RefundState:
    """One refund at the gateway or of ours. `ours` is our row's id or empty; `state` a word of the join."""

    id: str
    ours: str
    payment: str
    amount_minor: int
    state: str
    purpose: str

    @property
    def counts(self) -> bool:
        return self.state in {"requested", "pending", "succeeded"}


@dataclass(frozen=True, slots=True)
class PaymentState:
    """One payment after the fold; amounts in minor units of its currency. `counts`: it is money of the order."""

    gateway: str
    account: str
    id: str
    attempt_id: str
    state: str
    captured_minor: int
    reversed_minor: int
    currency: str
    captured_at_ms: int | None
    counts: bool
    amount_differs: bool
    late: bool
    wrong: str
    fee_minor: int | None = None


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


def order_of(
    bindings: Iterable[Fact], links: Mapping[tuple[str, str], str], absent: Collection[str] = ()
) -> tuple[str, bool]:
    """The order id a payment belongs to ("" if none), and whether its bindings disagree.

    Link before reference, the gateway before a person. A reference to an order that is not here (`absent`) names none.
    """
    found: dict[Kind, set[str]] = defaultdict(set)
    for fact in bindings:
        if fact.kind is Kind.PAYMENT_OF_LINK:
            owner = links.get((fact.gateway, fact.target), "")
        else:
            parsed = parse_reference(fact.target) if fact.kind is not Kind.PAYMENT_OF_SHOP else None
            owner = parsed[0] if parsed and parsed[0] not in absent else ""
        if owner:
            found[fact.kind].add(owner)
    by_gateway = found[Kind.PAYMENT_OF_LINK] | found[Kind.PAYMENT_OF_REFERENCE]
    for kind in (Kind.PAYMENT_OF_LINK, Kind.PAYMENT_OF_REFERENCE, Kind.PAYMENT_ATTACHED):
        if found[kind]:
            return min(found[kind]), len(by_gateway) > 1
    return "", False


def fold(bundle: Bundle) -> Verdict:
    """The verdict over everything known; the same for every order of the same facts."""
    facts = _canonical(bundle.facts)
    payments = _payments(bundle, facts)
    owned = {p.id for p in payments}
    refunds = [r for r in _refunds(bundle, facts) if r.ours or r.payment in owned]
    disputes = {key: value for key, value in disputes_of(facts).items() if key[1] in owned}
    backs = _backs(bundle)
    given = [*refunds, *backs]
    tendered = _tendered(bundle, payments)
    due = bundle.order.due_minor
    kept, undone_elsewhere = _kept(payments, given, tendered, due, firm=False)
    firm, _ = _kept(payments, given, tendered, due, firm=True)
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
        flags=_flags(bundle, payments, refunds, disputes, tendered),
        payments=tuple(payments),
        refunds=tuple(refunds),
        in_flight=_in_flight(bundle, payments),
        proposals=_proposals(mine, given, disputes, max(0, kept - due)),
        disputes_open_minor=sum(amount for state, amount in disputes.values() if state == "open"),
        backs=tuple(backs),
    )


def _canonical(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Each fact once, in an order that does not depend on how they came."""
    unique = {fact.id: fact for fact in facts}
    return tuple(unique[key] for key in sorted(unique))


def _money(order: Order, kept: int, due: int) -> Money:
    if kept <= 0:
        return Money.PAID if order.completed and order.life is Life.PLACED and due == 0 else Money.UNPAID
    if kept < due:
        return Money.PART_PAID
    return Money.PAID if kept == due else Money.OVERPAID


def _payments(bundle: Bundle, facts: Sequence[Fact]) -> list[PaymentState]:
    links = bundle.links or {(a.gateway, a.link_id): a.order_id for a in bundle.attempts if a.link_id}
    grouped: dict[tuple[str, str, str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind.startswith("payment."):
            grouped[(fact.gateway, fact.account, fact.mode, fact.object)].append(fact)
    states = []
    for (gateway, account, mode, payment), own in sorted(grouped.items()):
        bindings = [fact for fact in own if fact.kind.is_binding]
        owner, _ = order_of(bindings, links, bundle.absent)
        if owner == bundle.order.id:
            states.append(_payment(bundle, (gateway, account, mode, payment), own, facts))
    return states


def _attempt_of(bundle: Bundle, gateway: str, own: Sequence[Fact]) -> Attempt | None:
    by_link = {(a.gateway, a.link_id): a for a in bundle.attempts if a.link_id}
    for fact in own:
        if fact.kind is Kind.PAYMENT_OF_LINK and (gateway, fact.target) in by_link:
            return by_link[(gateway, fact.target)]
    by_reference = {a.reference: a for a in bundle.attempts}
    for fact in own:
        if fact.kind in (Kind.PAYMENT_OF_REFERENCE, Kind.PAYMENT_ATTACHED) and fact.target in by_reference:
            return by_reference[fact.target]
    return None


def _payment(
    bundle: Bundle, key: tuple[str, str, str, str], own: Sequence[Fact], facts: Sequence[Fact]
) -> PaymentState:
    gateway, account, mode, payment = key
    attempt = _attempt_of(bundle, gateway, own)
    captures = [f for f in own if f.kind is Kind.PAYMENT_CAPTURED]
    in_currency = [f for f in captures if f.currency == bundle.order.currency]
    captured = max((f.amount_minor or 0 for f in in_currency), default=0)
    wrong = ""
    accounts = {(a.gateway, a.account, a.mode) for a in ([attempt] if attempt else bundle.attempts)}
    if accounts and (gateway, account, mode) not in accounts:
        wrong = "account"
    elif captures and not in_currency:
        wrong = "currency"
    amounts = {f.amount_minor for f in in_currency}
    expected = attempt.amount_minor if attempt else None
    expired = attempt is not None and any(
        f.kind is Kind.LINK_EXPIRED and f.object == attempt.link_id and f.gateway == gateway for f in facts
    )
    fees = [f.amount_minor for f in own if f.kind is Kind.PAYMENT_FEE and f.amount_minor is not None]
    return PaymentState(
        gateway=gateway,
        account=account,
        id=payment,
        attempt_id=attempt.id if attempt else "",
        state=_highest(own, PAYMENT_RANK, "payment.") or "none",
        captured_minor=0 if wrong else captured,
        reversed_minor=max((f.amount_minor or 0 for f in own if f.kind is Kind.PAYMENT_REVERSED), default=0),
        currency=next((f.currency for f in in_currency or captures), bundle.order.currency),
        captured_at_ms=min((f.at_ms for f in captures if f.at_ms is not None), default=None),
        counts=not wrong,
        amount_differs=bool(in_currency) and (len(amounts) > 1 or (expected is not None and amounts != {expected})),
        late=expired and bool(captures),
        wrong=wrong,
        fee_minor=max(fees, default=None),
    )


def _highest(facts: Iterable[Fact], rank: Mapping[Kind, int], prefix: str) -> str:
    best = max((f.kind for f in facts if f.kind in rank), key=lambda kind: (rank[kind], kind), default=None)
    return best.removeprefix(prefix) if best else ""


def _refunds(bundle: Bundle, facts: Sequence[Fact]) -> list[RefundState]:
    grouped: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind.startswith("refund."):
            grouped[fact.object].append(fact)
    rows = {row.id: row for row in bundle.refunds}
    states, seen = [], set()
    for refund, own in sorted(grouped.items()):
        ours = next((f.target for f in own if f.kind is Kind.REFUND_OF_OURS and f.target in rows), "")
        ours = ours or (refund if refund in rows else "")
        row = rows.get(ours)
        payment = row.payment if row else next((f.target for f in own if f.kind is Kind.REFUND_OF_PAYMENT), "")
        amount = row.amount_minor if row else max((f.amount_minor or 0 for f in own), default=0)
        purpose = row.purpose.value if row else "elsewhere"
        state = _highest(own, REFUND_RANK, "refund.") or "requested"
        states.append(RefundState(refund, ours, payment, amount, state, purpose))
        seen.add(ours)
    for row in sorted(bundle.refunds, key=lambda r: r.id):
        if row.id not in seen:
            states.append(RefundState("", row.id, row.payment, row.amount_minor, "requested", row.purpose.value))
    return _one_per_row(states)


def _one_per_row(states: list[RefundState]) -> list[RefundState]:
    """A refusal is a fact of our row's id; where the gateway later names an id of its own, that one speaks."""
    named = {s.ours for s in states if s.ours and s.id != s.ours and s.id}
    return [s for s in states if not (s.ours in named and s.id == s.ours)]


def disputes_of(facts: Sequence[Fact]) -> dict[tuple[str, str], tuple[str, int]]:
    """(dispute, payment) -> (open | lost | won, amount)."""
    grouped: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind.startswith("dispute."):
            grouped[fact.object].append(fact)
    found = {}
    for dispute, own in grouped.items():
        payment = next((f.target for f in own if f.kind is Kind.DISPUTE_OF_PAYMENT), "")
        state = _highest(own, DISPUTE_RANK, "dispute.")
        if state:
            found[(dispute, payment)] = (state, max((f.amount_minor or 0 for f in own), default=0))
    return found


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
        Flag.CURRENCY: any(p.wrong == "currency" for p in payments),
        Flag.ACCOUNT: any(p.wrong == "account" for p in payments),
        Flag.DISPUTED: any(state in {"open", "lost"} for state, _ in disputes.values()),
        Flag.REFUND_FAILED: bool(unreplaced(refunds, bundle)),
        Flag.REVERSED: any(p.reversed_minor > 0 for p in payments),
        Flag.UNFENCED: any(a.phase is Phase.RELEASED or a.fence_kind == "override" for a in bundle.attempts),
    }
    return tuple(flag for flag, holds in tests.items() if holds)


def unreplaced(refunds: Sequence[RefundState], bundle: Bundle) -> list[RefundState]:
    """Failed or bounced refunds that nothing later of ours was to make good: the customer waits for them.

    Another refund of the same payment is no replacement by itself; the row that replaces says so (72), be it a refund
    or money that was given back in another way.
    """
    replacing = [row.replaces for row in bundle.refunds] + [tender.replaces for tender in bundle.tenders]
    made_good = {name for names in replacing for name in names.split()}
    failed = [r for r in refunds if r.state in FAILED]
    return [r for r in failed if not made_good & {r.ours or r.id}]


def _proposals(
    mine: Sequence[PaymentState],
    refunds: Sequence[RefundState],
    disputes: Mapping[tuple[str, str], tuple[str, int]],
    owed: int,
) -> tuple[Proposal, ...]:
    """From the newest capture backwards, from each at most captured - refunds - disputes open or lost."""
    proposals = []
    for payment in sorted(mine, key=lambda p: (p.captured_at_ms or 0, p.id), reverse=True):
        amount = min(owed, refundable_minor(payment, refunds, disputes))
        if amount > 0:
            proposals.append(Proposal(payment.gateway, payment.account, payment.id, amount))
            owed -= amount
    return tuple(proposals)


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
