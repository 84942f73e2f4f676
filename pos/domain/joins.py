"""Joins: what is known of each payment, refund and dispute of an order, in whatever order it was learnt.

Every join is a maximum over ranks or amounts, a minimum over names, or a set: duplicates and the order of facts never
matter. Rules: design/payment-truth.md section 2, kept in docs/money-rules.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pos.domain.cash import Tender
from pos.domain.facts import Fact, Kind
from pos.domain.order import Order
from pos.domain.payment import Attempt, parse_reference
from pos.domain.refund import Purpose, Refund

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
Place = tuple[int, str]
"""A rank, and the word of the state that has it; of one rank the later word is the higher."""


def _ranked(ranks: Mapping[Kind, int]) -> dict[Kind, Place]:
    return {kind: (rank, kind.partition(".")[2]) for kind, rank in ranks.items()}


_PAYMENTS, _REFUNDS, _DISPUTES = _ranked(PAYMENT_RANK), _ranked(REFUND_RANK), _ranked(DISPUTE_RANK)
_NOTHING: Place = (0, "")
_PURPOSES = {purpose: purpose.value for purpose in Purpose}


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
    """One refund at the gateway or of ours. `ours` is our row's id or empty; `state` a word of the join.

    `wrong`: `currency` where the gateway gave it back in another one than the order's. What was asked for counts then:
    it must not go back a second time.
    """

    id: str
    ours: str
    payment: str
    amount_minor: int
    state: str
    purpose: str
    wrong: str = ""

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


def order_of(
    bindings: Iterable[Fact], links: Mapping[tuple[str, str], str], absent: Collection[str] = ()
) -> tuple[str, bool]:
    """The order id a payment belongs to ("" if none), and whether its bindings disagree.

    Link before reference, the gateway before a person. A reference to an order that is not here (`absent`) names none.
    """
    linked, named, attached = set[str](), set[str](), set[str]()
    for fact in bindings:
        if fact.kind is Kind.PAYMENT_OF_LINK:
            if owner := links.get((fact.gateway, fact.target)):
                linked.add(owner)
        elif fact.kind is Kind.PAYMENT_OF_SHOP:
            continue
        elif (parsed := parse_reference(fact.target)) and parsed[0] not in absent:
            (attached if fact.kind is Kind.PAYMENT_ATTACHED else named).add(parsed[0])
    said = linked or named or attached
    return (min(said), len(linked | named) > 1) if said else ("", False)


PaymentKey = tuple[str, str, str, str]
"""Gateway, account, mode and the gateway's id: a payment's whole name."""
_FAMILY = {kind: kind.partition(".")[0] for kind in Kind}


@dataclass(slots=True)
class Known:
    """Facts by what they are of. `expired`: (gateway, link) of links that the gateway said were over."""

    payments: dict[PaymentKey, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    refunds: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    disputes: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    expired: set[tuple[str, str]] = field(default_factory=set)


def known_of(facts: Iterable[Fact]) -> Known:
    known = Known()
    for fact in facts:
        family = _FAMILY[fact.kind]
        if family == "payment":
            known.payments[(fact.gateway, fact.account, fact.mode, fact.object)].append(fact)
        elif family == "refund":
            known.refunds[fact.object].append(fact)
        elif family == "dispute":
            known.disputes[fact.object].append(fact)
        elif fact.kind is Kind.LINK_EXPIRED:
            known.expired.add((fact.gateway, fact.object))
    return known


def payments_of(bundle: Bundle, known: Known) -> list[PaymentState]:
    """Those that are of this order, whether they count or not."""
    by_link = {(a.gateway, a.link_id): a for a in bundle.attempts if a.link_id}
    by_reference = {a.reference: a for a in bundle.attempts}
    links = bundle.links or {link: a.order_id for link, a in by_link.items()}
    states = []
    for key, own in sorted(known.payments.items()):
        bindings = [fact for fact in own if fact.kind.is_binding]
        owner, _ = order_of(bindings, links, bundle.absent)
        if owner == bundle.order.id:
            attempt = _attempt_of(bindings, by_link, by_reference, key[:3])
            states.append(_payment(bundle, key, own, attempt, known.expired))
    return states


def _attempt_of(
    bindings: Iterable[Fact],
    by_link: Mapping[tuple[str, str], Attempt],
    by_reference: Mapping[str, Attempt],
    taken_at: tuple[str, str, str],
) -> Attempt | None:
    """Link before reference; of several the first that was made.

    A reference only says which order, unless its attempt was made where the money was taken (gateway, account, mode):
    a person's *attach* knows of no attempt, and after a restore from a backup its number may be another's.
    """
    linked, named = list[Attempt](), list[Attempt]()
    for fact in bindings:
        if fact.kind is Kind.PAYMENT_OF_LINK and (fact.gateway, fact.target) in by_link:
            linked.append(by_link[(fact.gateway, fact.target)])
        elif fact.kind in (Kind.PAYMENT_OF_REFERENCE, Kind.PAYMENT_ATTACHED):
            attempt = by_reference.get(fact.target)
            if attempt is not None and (attempt.gateway, attempt.account, attempt.mode) == taken_at:
                named.append(attempt)
    return min(linked or named, key=lambda attempt: attempt.no, default=None)


def _payment(
    bundle: Bundle, key: PaymentKey, own: Sequence[Fact], attempt: Attempt | None, expired: Collection[tuple[str, str]]
) -> PaymentState:
    gateway, account, _, payment = key
    captures = [f for f in own if f.kind is Kind.PAYMENT_CAPTURED]
    in_currency = [f for f in captures if f.currency == bundle.order.currency]
    captured = max((f.amount_minor or 0 for f in in_currency), default=0)
    wrong = ""
    if _is_elsewhere(bundle, key, own, attempt):
        wrong = "account"
    elif captures and not in_currency:
        wrong = "currency"
    amounts = {f.amount_minor for f in in_currency}
    expected = attempt.amount_minor if attempt else None
    late = attempt is not None and (gateway, attempt.link_id) in expired
    fees = [f.amount_minor for f in own if f.kind is Kind.PAYMENT_FEE and f.amount_minor is not None]
    return PaymentState(
        gateway=gateway,
        account=account,
        id=payment,
        attempt_id=attempt.id if attempt else "",
        state=_highest(own, _PAYMENTS) or "none",
        captured_minor=0 if wrong else captured,
        reversed_minor=max((f.amount_minor or 0 for f in own if f.kind is Kind.PAYMENT_REVERSED), default=0),
        currency=min((f.currency for f in in_currency or captures), default=bundle.order.currency),
        captured_at_ms=min((f.at_ms for f in captures if f.at_ms is not None), default=None),
        counts=not wrong,
        amount_differs=bool(in_currency) and (len(amounts) > 1 or (expected is not None and amounts != {expected})),
        late=late and bool(captures),
        wrong=wrong,
        fee_minor=max(fees, default=None),
    )


def _is_elsewhere(bundle: Bundle, key: PaymentKey, own: Iterable[Fact], attempt: Attempt | None) -> bool:
    """Whether it is at an account where this order has no link, or live in books of test mode.

    What only a person attached was taken without any link of this order, so there only the mode is asked.
    """
    if attempt is not None:
        return (attempt.gateway, attempt.account, attempt.mode) != key[:3]
    places = {(a.gateway, a.account, a.mode) for a in bundle.attempts}
    if not places or key[:3] in places:
        return False
    if key[2] not in {mode for _, _, mode in places}:
        return True
    named = {parse_reference(f.target) for f in own if f.kind is Kind.PAYMENT_OF_REFERENCE}
    return bundle.order.id in {parsed[0] for parsed in named if parsed}


def _highest(facts: Iterable[Fact], ranked: Mapping[Kind, Place]) -> str:
    best = _NOTHING
    for fact in facts:
        place = ranked.get(fact.kind)
        if place is not None and place > best:
            best = place
    return best[1]


def refunds_of(bundle: Bundle, known: Known) -> list[RefundState]:
    """Refunds that facts tell of, whoever made them, and rows of ours that none tells of yet.

    What went back is what the gateway says, even where a row of ours had asked for another amount.
    """
    rows = {row.id: row for row in bundle.refunds}
    currency = bundle.order.currency
    states = [_refund(refund, own, rows, currency) for refund, own in sorted(known.refunds.items())]
    seen = {state.ours for state in states}
    for row in sorted(rows.values(), key=lambda r: r.id):
        if row.id not in seen:
            states.append(RefundState("", row.id, row.payment, row.amount_minor, "requested", _PURPOSES[row.purpose]))
    return _one_per_row(states)


def _refund(refund: str, own: Iterable[Fact], rows: Mapping[str, Refund], currency: str) -> RefundState:
    """In one pass: the least row of ours and payment that are named, the largest amount, the highest state."""
    ours, payment, amount, best, wrong = "", "", 0, _NOTHING, ""
    for fact in own:
        kind, target = fact.kind, fact.target
        if fact.currency and fact.currency != currency:
            wrong = "currency"
        if fact.amount_minor is not None and fact.amount_minor > amount:
            amount = fact.amount_minor
        if kind is Kind.REFUND_OF_OURS:
            if target in rows and (not ours or target < ours):
                ours = target
        elif kind is Kind.REFUND_OF_PAYMENT:
            if target and (not payment or target < payment):
                payment = target
        elif (place := _REFUNDS[kind]) > best:
            best = place
    ours = ours or (refund if refund in rows else "")
    state = best[1] or "requested"
    if (row := rows.get(ours)) is None:
        return RefundState(refund, ours, payment, amount, state, "elsewhere", wrong)
    counted = row.amount_minor if wrong else amount or row.amount_minor
    return RefundState(refund, ours, row.payment, counted, state, _PURPOSES[row.purpose], wrong)


def _target(facts: Iterable[Fact], kind: Kind) -> str:
    return min((f.target for f in facts if f.kind is kind), default="")


def _one_per_row(states: list[RefundState]) -> list[RefundState]:
    """A refusal is a fact of our row's id; where the gateway later names an id of its own, that one speaks."""
    named = {s.ours for s in states if s.ours and s.id != s.ours and s.id}
    return [s for s in states if not (s.ours in named and s.id == s.ours)]


def disputes_of(known: Known) -> dict[tuple[str, str], tuple[str, int]]:
    """(dispute, payment) -> (open | lost | won, amount)."""
    found = {}
    for dispute, own in known.disputes.items():
        state = _highest(own, _DISPUTES)
        if state:
            payment, amount = _target(own, Kind.DISPUTE_OF_PAYMENT), max((f.amount_minor or 0 for f in own), default=0)
            found[(dispute, payment)] = (state, amount)
    return found
