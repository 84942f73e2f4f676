"""The single entrance to an order's money.

Callback, webhook, probe, report, the answer to our own call, a manager's decision: all come in here and differ only
in their sighting's source. One write does, in this order:

1. insert facts and sightings (what is known already changes nothing);
2. lock every order they touch, in the order of ids;
3. apply what was learnt about links to the attempts (phases, fence);
4. fold; end live attempts that ask for more than is still due;
5. cache the money status, write Z entries and effects, open and close exceptions, park what has no order;
6. journal, move the relay's cursor; commit. Then `OrderChanged` goes out.

"Correcting a status" never writes a status: it adds facts and folds again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pos.domain import verdict as verdicts
from pos.domain.facts import Fact, Kind, Source
from pos.domain.matching import Action, Finding, findings
from pos.domain.order import Life
from pos.domain.payment import WATCH_CLOSED_DAYS, Attempt, Phase
from pos.domain.ports import LinkInfo
from pos.domain.refund import Refund
from pos.domain.store_port import Cached, Healed, Parked, Problem, Tx, ZEntry
from pos.domain.verdict import Bundle, Money, PaymentState, Verdict
from pos.services import schedule
from pos.services.bus import OrderChanged
from pos.services.context import Context, ShopSettings
from pos.services.evidence import Evidence
from pos.services.orderview import row_of
from pos.services.parking import whose
from pos.services.views import OrderRow

RECEIPT_VALID_MS = 10 * 60_000
DRAWER_VALID_MS = 5_000


@dataclass(frozen=True, slots=True)
class Settled:
    """An order after a write: its line for the bus, and its bundle as the transaction left it."""

    row: OrderRow
    bundle: Bundle


class Settle:
    """Takes evidence in and tells the bus."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def take_in(self, evidence: Evidence) -> list[OrderRow]:
        """One write for one answer; returns the new rows of the orders that it changed or confirmed."""
        return await self.take_in_all([evidence])

    async def take_in_all(self, evidence: Sequence[Evidence]) -> list[OrderRow]:
        """One write for several answers (a page of events, a report page)."""
        now = self._context.now_ms()
        rows = await self._context.store.write(lambda tx: self.apply(tx, evidence, now))
        self.announce(rows)
        return rows

    def announce(self, rows: Sequence[OrderRow]) -> None:
        for row in rows:
            self._context.bus.publish(OrderChanged(row))

    def apply(self, tx: Tx, evidence: Sequence[Evidence], now_ms: int) -> list[OrderRow]:
        """The write itself, for callers that have more to write in the same transaction."""
        return [settled.row for settled in self.settle(tx, evidence, now_ms)]

    def settle(self, tx: Tx, evidence: Sequence[Evidence], now_ms: int) -> list[Settled]:
        """As `apply`, with each order's bundle as it is after the write."""
        touched: dict[str, Evidence] = {}
        for item in evidence:
            new = tx.facts.add(item.facts, item.sighting(now_ms))
            orders = tx.facts.orders_of(new)  # what was known already has been folded already
            orders |= {a.order_id for info in item.links if (a := tx.attempts.by_link(item.gateway, info.id))}
            touched |= dict.fromkeys(orders, item)
            _park(tx, self._context.shop, item.gateway, new)
            if item.cursor:
                tx.sync.set_cursor(item.cursor)
            if item.drop_hint:
                tx.sync.drop_hint(item.drop_hint)
        done = []
        for order_id in sorted(touched):
            bundle = tx.facts.bundle(order_id, tx.orders.lock(order_id))
            for item in evidence:
                bundle = _apply_links(tx, bundle, item, now_ms)
            done.append(self._refold(tx, bundle, now_ms, touched[order_id]))
        return done

    def refold(self, tx: Tx, order_id: str, now_ms: int) -> OrderRow:
        """Compute an order's money anew from everything known, under its lock, and write what follows from it."""
        return self._refold(tx, tx.facts.bundle(order_id, tx.orders.lock(order_id)), now_ms, None).row

    def _refold(self, tx: Tx, bundle: Bundle, now_ms: int, cause: Evidence | None) -> Settled:
        order_id = bundle.order.id
        verdict = verdicts.fold(bundle)
        if self._end_excess(tx, bundle, verdict, now_ms):
            bundle = tx.facts.bundle(order_id, bundle.order)
        before = tx.orders.cached(order_id)
        cached = cached_of(verdict)
        if cached != before:
            tx.orders.cache(order_id, cached)
            bundle = replace(bundle, order=replace(bundle.order, version=bundle.order.version + 1))
            body = {"money": cached.money, "kept_minor": cached.kept_minor, "due_minor": verdict.due_minor}
            body |= {"source": cause.source.value, "hint": cause.hint} if cause else {}
            tx.journal.append(now_ms, "", "order.money", order_id, body)
        self._heal(tx, bundle, verdict, before, cause, now_ms)
        self._note_movements(tx, bundle, verdict, now_ms)
        self._sync_problems(tx, bundle, verdict, now_ms)
        return Settled(row_of(bundle, verdict, now_ms), bundle)

    def _end_excess(self, tx: Tx, bundle: Bundle, verdict: Verdict, now_ms: int) -> bool:
        """A live attempt that asks for more than is due ends in this write: one link, one payment."""
        ended = False
        for attempt in bundle.attempts:
            if not attempt.live or attempt.amount_minor <= verdict.due_minor - verdict.kept_minor:
                continue
            if attempt.phase in (Phase.DRAFTED, Phase.REQUESTING):
                tx.attempts.update(schedule.abandoned(attempt, "no longer due", now_ms))
                ended = True
            elif attempt.phase is Phase.OPEN:
                tx.attempts.update(schedule.closing(attempt, now_ms))
                ended = True
        return ended

    def _heal(
        self, tx: Tx, bundle: Bundle, verdict: Verdict, before: Cached, cause: Evidence | None, now_ms: int
    ) -> None:
        """M02, M03: what the report or a background probe put right by itself, so that a manager sees it."""
        if cause is None or cause.hint not in ("probe", "sweep"):
            return
        source = Source.REPORT if cause.hint == "sweep" else cause.source
        became_paid = before.money in (Money.UNPAID, Money.PART_PAID) and verdict.money in (Money.PAID, Money.OVERPAID)
        if became_paid and verdict.captured_minor and bundle.order.life is Life.PLACED:
            tx.problems.heal(Healed(bundle.order.id, "M02", cause.gateway, now_ms, source))

    def _note_movements(self, tx: Tx, bundle: Bundle, verdict: Verdict, now_ms: int) -> None:
        order = bundle.order
        for payment in verdict.payments:
            if payment.captured_minor and payment.counts:
                entry = _entry(order.id, order.till, payment, "capture", payment.captured_minor, now_ms)
                if tx.money.enter(entry):
                    tx.facts.unpark(payment.gateway, payment.id)  # its order may be learnt later than the money
                    tx.money.effect_once(order.id, "receipt", payment.id, now_ms, now_ms + RECEIPT_VALID_MS)
            if payment.reversed_minor and payment.counts:
                tx.money.enter(_entry(order.id, order.till, payment, "reversal", -payment.reversed_minor, now_ms))
        gateways = {p.id: p.gateway for p in verdict.payments}
        for refund in verdict.refunds:
            subject = refund.id or refund.ours  # the gateway's: which row of ours it is may be learnt later
            gateway = gateways.get(refund.payment, "")
            if refund.state == "succeeded":
                tx.money.enter(
                    _moved("refund", subject, order.id, order.till, gateway, -refund.amount_minor, bundle, now_ms)
                )
            elif refund.state in {"failed", "reversed"} and tx.money.entered("refund", subject):
                tx.money.enter(
                    _moved("bounce", subject, order.id, order.till, gateway, refund.amount_minor, bundle, now_ms)
                )

    def _sync_problems(self, tx: Tx, bundle: Bundle, verdict: Verdict, now_ms: int) -> None:
        """Open what stands now, close what stands no longer; a manager's own resolution is not opened again."""
        standing = {(f.code, f.subject): f for f in findings(bundle, verdict)}
        if _unknown_too_long(bundle, now_ms):
            standing[("M23", "")] = Finding("M23", Action.ASK, verdict.left_minor)
        for refund in bundle.refunds:
            if _unsent_too_long(refund, verdict, now_ms):
                standing.setdefault(("M14", refund.id), Finding("M14", Action.ASK, refund.amount_minor, refund.id))
        known = {(p.code, p.subject): p for p in tx.problems.of_order(bundle.order.id)}
        for key, finding in standing.items():
            problem = known.get(key)
            if problem is None:
                tx.problems.put(self._problem(bundle, verdict, finding, now_ms))
            elif problem.closed_at_ms is not None and not problem.closed_by:
                tx.problems.reopen(problem.id, now_ms, finding.action, finding.amount_minor)
            elif problem.closed_at_ms is None and (problem.action, problem.amount_minor) != (
                finding.action,
                finding.amount_minor,
            ):
                tx.problems.put(replace(problem, action=finding.action, amount_minor=finding.amount_minor))
        for key, problem in known.items():
            if key not in standing and problem.closed_at_ms is None and problem.code not in TIMED:
                tx.problems.close(problem.id, now_ms, "", "settled by facts")

    def _problem(self, bundle: Bundle, verdict: Verdict, finding: Finding, now_ms: int) -> Problem:
        payments = sorted(verdict.payments, key=lambda p: p.captured_at_ms or 0)
        newest = payments[-1] if payments else None
        return Problem(
            id=self._context.ids.uuid7(),
            order_id=bundle.order.id,
            code=finding.code,
            subject=finding.subject,
            action=finding.action,
            amount_minor=finding.amount_minor,
            opened_at_ms=now_ms,
            gateway=newest.gateway if newest else "",
            payment=finding.subject or (newest.id if newest else ""),
        )


TIMED = frozenset({"M12", "M18", "M22"})
"""Findings that do not come from an order's facts alone; those who open them close them."""


UNKNOWN_LIMIT_MS = 10 * 60_000


def _unknown_too_long(bundle: Bundle, now_ms: int) -> bool:
    """M23: a live attempt whose looks have failed for more than ten minutes."""
    return any(
        a.live
        and a.looks_failed > 0
        and now_ms - (a.looked_at_ms or a.shown_at_ms or a.drafted_at_ms) > UNKNOWN_LIMIT_MS
        for a in bundle.attempts
    )


def _unsent_too_long(refund: Refund, verdict: Verdict, now_ms: int) -> bool:
    """M14: the gateway has not taken a refund for more than ten minutes; the customer may have been told it is done."""
    state = next((r.state for r in verdict.refunds if r.ours == refund.id), "requested")
    return state == "requested" and now_ms - refund.asked_at_ms > UNKNOWN_LIMIT_MS


def cached_of(verdict: Verdict) -> Cached:
    return Cached(
        money=verdict.money.value,
        kept_minor=verdict.kept_minor,
        captured_minor=verdict.captured_minor,
        refunded_minor=verdict.refunded_minor,
        returned_minor=verdict.returned_minor,
        owed_minor=verdict.owed_minor,
        flags=" ".join(verdict.flags),
    )


def _apply_links(tx: Tx, bundle: Bundle, item: Evidence, now_ms: int) -> Bundle:
    """Phases and the fence, from what the gateway said of the order's links; the bundle with its attempts as they are

    after that.
    """
    for info in item.links:
        attempts = {(a.gateway, a.link_id): a for a in bundle.attempts}
        attempt = attempts.get((item.gateway, info.id))
        if attempt is None or not attempt.link_id:
            continue
        verdict = verdicts.fold(bundle)
        states = {p.state for p in verdict.payments if p.attempt_id == attempt.id}
        in_flight, paid = bool(states & {"pending", "authorized"}), "captured" in states
        after = _after_look(attempt, info, in_flight=in_flight, paid=paid, now_ms=now_ms)
        tx.attempts.update(after)
        if item.hint == "probe" and attempt.live and after.phase is Phase.CLOSED and not paid:
            tx.problems.heal(Healed(bundle.order.id, "M03", item.gateway, now_ms, item.source))
        bundle = replace(bundle, attempts=[after if a.id == after.id else a for a in bundle.attempts])
    return bundle


def _after_look(attempt: Attempt, info: LinkInfo, *, in_flight: bool, paid: bool, now_ms: int) -> Attempt:
    """The attempt after a look at its link. Closed only when nothing of it is in flight and the look was complete."""
    seen = replace(attempt, looks_failed=0, looked_at_ms=now_ms)
    if info.expires_at_ms is not None:
        seen = replace(seen, expires_at_ms=info.expires_at_ms)
    over = info.state in {"closed", "expired"}
    if not over:
        return replace(seen, look_due_at_ms=schedule.next_look_ms(seen, now_ms))
    if in_flight or not info.complete_look:
        phase = Phase.CLOSING if attempt.phase is Phase.OPEN else attempt.phase
        seen = replace(seen, phase=phase, closing_at_ms=attempt.closing_at_ms or now_ms)
        # in flight: somebody waits for it, so it is looked at often even where the link was fenced before
        return replace(seen, look_due_at_ms=schedule.next_look_ms(replace(seen, fenced_at_ms=None), now_ms))
    ended = attempt.phase in (Phase.OPEN, Phase.CLOSING, Phase.RELEASED)
    seen = replace(
        seen,
        phase=Phase.CLOSED if ended else attempt.phase,
        fenced_at_ms=attempt.fenced_at_ms or now_ms,
        fence_kind=attempt.fence_kind or info.state,
        ended_at_ms=attempt.ended_at_ms or now_ms,
    )
    watch_until = (seen.fenced_at_ms or now_ms) + WATCH_CLOSED_DAYS * 86_400_000
    due = None if paid or now_ms > watch_until else schedule.next_look_ms(seen, now_ms)
    return replace(seen, look_due_at_ms=due)


def _park(tx: Tx, shop: ShopSettings, gateway: str, new: Sequence[Fact]) -> None:
    """Captured payments without an order here stay visible: orphan, another of ours, or foreign."""
    for payment in sorted({f.object for f in new if f.kind.startswith("payment.")}):
        facts = tx.facts.of_payment(gateway, payment)
        captures = [f for f in facts if f.kind is Kind.PAYMENT_CAPTURED]
        if not captures:
            continue
        if tx.facts.orders_of(captures):
            tx.facts.unpark(gateway, payment)
            continue
        newest = captures[-1]
        kind, owner = whose(tx, shop, facts)
        amount, currency = newest.amount_minor or 0, newest.currency
        row = Parked(gateway, newest.account, newest.mode, payment, owner, kind, amount, currency, newest.at_ms)
        tx.facts.park(row)


def _entry(order_id: str, till: str, payment: PaymentState, kind: str, amount: int, now_ms: int) -> ZEntry:
    subject = f"{payment.gateway}:{payment.id}"
    return ZEntry(
        kind, subject, order_id, till, payment.gateway, amount, payment.currency, now_ms, payment.captured_at_ms
    )


def _moved(
    kind: str, subject: str, order_id: str, till: str, gateway: str, amount: int, bundle: Bundle, now_ms: int
) -> ZEntry:
    return ZEntry(kind, subject, order_id, till, gateway, amount, bundle.order.currency, now_ms)
