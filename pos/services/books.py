"""The books: do they hold, and everything in them as JSON lines.

`verify` checks the invariants of design/payment-truth.md section 8 over the whole database and says which order
breaks which one, and why. It trusts nothing that is cached.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pos.domain.cash import Method
from pos.domain.errors import BadInput
from pos.domain.facts import Kind
from pos.domain.joins import Bundle
from pos.domain.order import Life
from pos.domain.payment import KeyParts, Phase, idempotency_key, reference
from pos.domain.plan import Ask, Plan, Way, ask_of
from pos.domain.refund import Purpose
from pos.domain.returning import Pick, return_lines, returned_milli, total_minor
from pos.domain.shown import shown
from pos.domain.store_port import Tx
from pos.domain.verdict import Money, Verdict, fold
from pos.services.context import Context
from pos.services.orderview import attempt_of, state_of
from pos.services.settle import cached_of
from pos.services.standing import UNKNOWN_LIMIT_MS
from pos.services.wholebooks import WHOLE_BOOKS, Break

__all__ = ["CHECKS", "WHOLE_BOOKS", "Books", "Break"]


@dataclass(frozen=True, slots=True)
class Case:
    """One order under examination."""

    tx: Tx
    shop: str
    now_ms: int
    bundle: Bundle
    verdict: Verdict


class Books:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def verify(self) -> list[Break]:
        """Every break of every invariant; empty when the books hold."""
        return await self._context.store.read(self.verify_in)

    def verify_in(self, tx: Tx) -> list[Break]:
        found: list[Break] = []
        now, shop = self._context.now_ms(), self._context.shop.shop_id
        for order_id in tx.orders.ids():
            bundle = tx.facts.bundle(order_id)
            case = Case(tx, shop, now, bundle, fold(bundle))
            for name, check in CHECKS.items():
                found += [Break(name, bundle.order.number, why) for why in check(case)]
        for look in WHOLE_BOOKS:
            found += look(tx, self._context.shop)
        return found

    async def export(self) -> list[str]:
        """All that is in the books as JSON lines; docs/export.md names every type and field."""
        now = self._context.now_ms()
        return await self._context.store.read(
            lambda tx: [json.dumps(row, ensure_ascii=False) for row in _export(tx, now)]
        )


def _shown_needs_link(case: Case) -> Iterator[str]:
    for attempt in case.bundle.attempts:
        if attempt.was_shown and not (attempt.link_id and attempt.shown_at_ms):
            yield f"attempt {attempt.no} was shown without a link on record"


def _one_live(case: Case) -> Iterator[str]:
    if sum(a.live for a in case.bundle.attempts) > 1:
        yield "two live attempts"


def _as_drafted(case: Case) -> Iterator[str]:
    """I3: amount, key and reference of every attempt are what their formulas give."""
    yield from _keys(case)
    yield from _asked_as_planned(case)


def _keys(case: Case) -> Iterator[str]:
    for a in case.bundle.attempts:
        parts = KeyParts(case.shop, a.order_id, a.revision, a.no, "create", "", a.amount_minor, a.currency, a.account)
        if a.key != idempotency_key(parts) or a.reference != reference(a.order_id, a.no):
            yield f"attempt {a.no} has another key or reference than its formula gives"


def _asked_as_planned(case: Case) -> Iterator[str]:
    """I3: what was asked for is min(share, due - kept) as they stood when it was drafted."""
    plans: dict[int, Plan] | None = None
    for a in case.bundle.attempts:
        if a.share_minor is None or a.due_minor is None or a.kept_minor is None:
            continue  # drafted before this was kept
        if plans is None:
            plans = {plan.no: plan for plan in case.tx.plans.all(a.order_id)}
        if a.amount_minor != min(a.share_minor, a.due_minor - a.kept_minor):
            yield f"attempt {a.no} asks for {a.amount_minor}, which is not min(share, due - kept)"
        if a.due_minor != case.tx.plans.total_of(a.order_id, a.revision):
            yield f"attempt {a.no} was drafted for another total than its revision has"
        plan = plans.get(a.plan_no)
        if plan is not None and plan.revision != a.revision:
            yield f"attempt {a.no} is part of a plan of another revision"
        ask, way = ask_of(plan, a.due_minor, a.kept_minor)
        if ask != Ask(a.share_minor, a.due_minor, a.kept_minor, a.plan_no) or way not in (None, Way.QR):
            yield f"the share of attempt {a.no} is not what its plan says"


def _paid_has_proof(case: Case) -> Iterator[str]:
    verdict = case.verdict
    if verdict.money is Money.PAID and not case.bundle.order.completed and verdict.kept_minor != verdict.due_minor:
        yield "paid, but what was kept is not what was due"
    if verdict.captured_minor and not any(f.kind is Kind.PAYMENT_CAPTURED for f in case.bundle.facts):
        yield "money without a fact"


def _cache_is_verdict(case: Case) -> Iterator[str]:
    order_id = case.bundle.order.id
    if case.tx.orders.cached([order_id])[order_id] != cached_of(case.verdict):
        yield "the cached money differs from the verdict over all facts"


def _caps(case: Case) -> Iterator[str]:
    for payment in case.verdict.payments:
        back = (*case.verdict.refunds, *case.verdict.backs)
        given = sum(r.amount_minor for r in back if r.payment == payment.id and r.counts)
        if given > payment.captured_minor:
            yield f"more was given back to {payment.id} than it captured"


def _accounts(case: Case) -> Iterator[str]:
    attempts = {a.id: a for a in case.bundle.attempts}
    for payment in case.verdict.payments:
        attempt = attempts.get(payment.attempt_id)
        if attempt and payment.counts and payment.account != attempt.account:
            yield f"{payment.id} counts although it is of another account"


def _tender_fenced(case: Case) -> Iterator[str]:
    tenders = [t for t in case.bundle.tenders if t.amount_minor > 0 and t.method is not Method.BY_HAND]
    for attempt in case.bundle.attempts:
        if not attempt.was_shown or attempt.phase is Phase.RELEASED or attempt.fence_kind == "override":
            continue
        for tender in tenders:
            shown_before = (attempt.shown_at_ms or 0) <= tender.at_ms
            if shown_before and (attempt.fenced_at_ms is None or attempt.fenced_at_ms > tender.at_ms):
                yield f"a tender was taken while link {attempt.no} could be paid"


def _excess_is_seen(case: Case) -> Iterator[str]:
    excess = case.verdict.kept_firm_minor - case.verdict.due_minor
    if excess <= 0:
        return
    codes = {p.code for p in case.tx.problems.of_order(case.bundle.order.id)}
    if not codes & {"M06", "M07", "M09"}:
        yield f"{excess} too much was kept and nobody is told"


def _unknown_is_seen(case: Case) -> Iterator[str]:
    for a in case.bundle.attempts:
        since = a.looked_at_ms or a.shown_at_ms or a.drafted_at_ms
        long = a.live and a.looks_failed and case.now_ms - since > 2 * UNKNOWN_LIMIT_MS
        if long and not any(p.code == "M23" for p in case.tx.problems.of_order(a.order_id)):
            yield f"attempt {a.no} is unknown and nobody is told"


def _links_watched(case: Case) -> Iterator[str]:
    for a in case.bundle.attempts:
        if not a.fenced and a.look_due_at_ms is None:
            yield f"link {a.no} was asked for and nobody looks for it"


def _life_fits(case: Case) -> Iterator[str]:
    order = case.bundle.order
    if order.life in (Life.DRAFT, Life.HELD) and (case.bundle.attempts or case.bundle.tenders):
        yield "money was asked for before the order was placed"


def _entered(case: Case) -> Iterator[str]:
    """I12: every movement of money that counts was noted for a Z."""
    wanted = {
        ("capture", f"{p.gateway}:{p.id}"): f"the capture {p.id}"
        for p in case.verdict.payments
        if p.counts and p.captured_minor
    }
    wanted |= {("tender", tender.id): "a tender" for tender in case.bundle.tenders}
    wanted |= {("refund", r.id): f"the refund {r.id}" for r in case.verdict.refunds if r.state == "succeeded"}
    entered = case.tx.money.entered(wanted)
    yield from (f"{what} is in no Z and waits for none" for key, what in wanted.items() if key not in entered)


def _returns_fit(case: Case) -> Iterator[str]:
    """A credit note is worth what its lines are, nothing comes back twice, and its money is not more than it says."""
    order, notes = case.bundle.order, case.tx.returns.of_order(case.bundle.order.id)
    included, before = case.tx.orders.tax_included(order.id), dict[int, int]()
    failed = {r.ours for r in case.verdict.refunds if not r.counts}
    for note in sorted(notes, key=lambda n: (n.at_ms, n.id)):
        picks = [Pick(line.line, line.quantity_milli) for line in note.lines]
        try:
            lines = return_lines(order.lines, before, picks, tax_included=included)
        except BadInput as error:
            yield f"credit note {note.number}: {error.title}"
            continue
        before = returned_milli([*(n for n in notes if (n.at_ms, n.id) <= (note.at_ms, note.id))])
        if (lines, total_minor(lines, tax_included=included)) != (note.lines, note.total_minor):
            yield f"credit note {note.number} is not worth what its lines are"
        back = sum(r.amount_minor for r in case.bundle.refunds if r.return_id == note.id and r.id not in failed)
        back -= sum(t.amount_minor + t.rounding_minor for t in case.bundle.tenders if t.return_id == note.id)
        if back > note.total_minor:
            yield f"more money went back for credit note {note.number} than it says"
        if not case.tx.money.entered([("return", note.id)]):
            yield f"credit note {note.number} is in no Z and waits for none"


CHECKS: dict[str, Callable[[Case], Iterator[str]]] = {
    "I1": _shown_needs_link,
    "I2": _one_live,
    "I3": _as_drafted,
    "I4": _paid_has_proof,
    "I5": _cache_is_verdict,
    "I6": _caps,
    "I7": _accounts,
    "I8": _tender_fenced,
    "I12": _entered,
    "I14": _excess_is_seen,
    "I16": _unknown_is_seen,
    "I17": _links_watched,
    "life": _life_fits,
    "returns": _returns_fit,
}


def _exceptions(tx: Tx, order_id: str) -> Iterator[dict[str, Any]]:
    """Of one order; of "": what concerns the shop and no order."""
    for problem in tx.problems.of_order(order_id):
        yield {"type": "exception", **asdict(problem), "open": problem.closed_at_ms is None}


def _export(tx: Tx, now_ms: int) -> Iterator[dict[str, Any]]:
    for order_id in tx.orders.ids():
        bundle = tx.facts.bundle(order_id)
        yield _order_line(tx, bundle, now_ms)
        for attempt in bundle.attempts:
            yield {"type": "attempt", **asdict(attempt)}
        yield from _exceptions(tx, order_id)
    yield from _exceptions(tx, "")
    for fact, seen in tx.facts.all():
        kind = "binding" if fact.kind.is_binding else "fact"
        yield {"type": kind, "id": fact.id, **fact._asdict(), "seen_at_ms": seen}
    for fact_id, sighting in tx.facts.sightings():
        yield {"type": "sighting", "fact_id": fact_id, **sighting._asdict()}
    for call in tx.outbox.calls():
        yield {"type": "call", **asdict(call)}
    for plan in tx.plans.all():
        yield {"type": "plan", **asdict(plan)}
    for tender in tx.money.tenders():
        yield {"type": "tender", **asdict(tender)}
    for refund in tx.money.refunds():
        kind = "return" if refund.purpose is Purpose.RETURN else "refund"
        yield {"type": "refund", "kind": kind, **asdict(refund)}
    for note in tx.returns.all():
        yield {"type": "return", **asdict(note)}
    for shift in tx.days.shifts():
        yield {"type": "shift", **asdict(shift)}
    for z in tx.days.zs():
        yield {"type": "z", **asdict(z)}
    for entry in tx.journal.entries():
        yield {"type": "journal", **asdict(entry)}


def _order_line(tx: Tx, bundle: Bundle, now_ms: int) -> dict[str, Any]:
    order, cached = bundle.order, tx.orders.cached([bundle.order.id])[bundle.order.id]
    state = state_of(bundle, fold(bundle), now_ms)
    attempt = attempt_of(bundle)
    return {
        "type": "order",
        "order_id": order.id,
        **{k: v for k, v in asdict(order).items() if k != "id"},
        **asdict(cached),
        "due_minor": order.due_minor,
        "flags": cached.flags.split(),
        "certainty": state.certainty.value,
        "shown": shown(state).value,
        "attempt": attempt.id if attempt else None,
    }
