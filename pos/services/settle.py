"""The single entrance to an order's money.

Callback, webhook, probe, report, the answer to our own call, a manager's decision: all come in here and differ only
in their sighting's source. One write does, for one order or for a whole page of them, in this order:

1. insert facts and sightings (what is known already changes nothing); park what has no order;
2. lock every order they touch, in the order of ids, and read all that is known of them;
3. apply what was learnt about links to the attempts (phases, fence);
4. fold; end live attempts that ask for more than is still due;
5. cache the money status, write Z entries and effects, open and close exceptions;
6. journal, move the relay's cursor; commit. Then `OrderChanged` goes out.

Steps 3 and 4 happen in memory; before and after them each kind of row is read and written once, however many orders
there are.

"Correcting a status" never writes a status: it adds facts and folds again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pos.domain import verdict as verdicts
from pos.domain.cash import follows_ms
from pos.domain.facts import Kind, Source
from pos.domain.joins import IN_FLIGHT, Bundle
from pos.domain.order import Life
from pos.domain.payment import WATCH_CLOSED_DAYS, Attempt, Phase
from pos.domain.ports import LinkInfo
from pos.domain.rows import Cached
from pos.domain.store_port import Healed, Parked, Tx
from pos.domain.verdict import Money, Verdict
from pos.services import schedule
from pos.services.bus import OrderChanged
from pos.services.changes import Changes
from pos.services.context import Context, ShopSettings
from pos.services.evidence import Evidence
from pos.services.movements import asked_of, movements, new_of, payment_of, receipt_of
from pos.services.orderview import row_of
from pos.services.parking import whose
from pos.services.standing import changed_problems
from pos.services.views import OrderRow

ENDS = frozenset({Kind.PAYMENT_CAPTURED, Kind.PAYMENT_FAILED, Kind.PAYMENT_VOIDED})
"""What ends a payment's time in flight."""
TOLD_AT_ONCE = 20
"""Orders of a page that the bus is told of in one turn of the loop."""


@dataclass(frozen=True, slots=True)
class Settled:
    """An order after a write: its line for the bus, and its bundle as the transaction left it."""

    row: OrderRow
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class Folded:
    """An order as this write found it: what is known now, the verdict, the money that was cached, what made us look."""

    bundle: Bundle
    verdict: Verdict
    before: Cached
    cause: Evidence | None


class Settle:
    """Takes evidence in and tells the bus."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: list[dict[str, OrderRow]] = []
        """Rows of pages that the bus is still to be told of."""

    async def take_in(self, evidence: Evidence) -> list[OrderRow]:
        """One write for one answer; returns the new rows of the orders that it changed or confirmed."""
        return await self.take_in_all([evidence])

    async def take_in_all(self, evidence: Sequence[Evidence]) -> list[OrderRow]:
        """One write for several answers (a page of events, a report page)."""
        now = self._context.now_ms()
        rows = await self._context.store.write(lambda tx: self.apply(tx, evidence, now))
        await self._tell(rows)
        return rows

    async def _tell(self, rows: Sequence[OrderRow]) -> None:
        """In parts, so that the window paints between; what is told of an order meanwhile is newer than what waits."""
        self._forget_older(rows)
        waiting = {row.order_id: row for row in rows}
        self._waiting.append(waiting)
        try:
            while len(waiting) > TOLD_AT_ONCE:
                self._publish([waiting.pop(order_id) for order_id in list(waiting)[:TOLD_AT_ONCE]])
                await asyncio.sleep(0)
        finally:
            self._waiting = [each for each in self._waiting if each is not waiting]
            self._publish(waiting.values())

    def announce(self, rows: Sequence[OrderRow]) -> None:
        """Tell the bus at once of what was just written."""
        self._forget_older(rows)
        self._publish(rows)

    def _forget_older(self, rows: Sequence[OrderRow]) -> None:
        for row in rows:
            for waiting in self._waiting:
                waiting.pop(row.order_id, None)

    def _publish(self, rows: Iterable[OrderRow]) -> None:
        for row in rows:
            self._context.bus.publish(OrderChanged(row))

    def apply(self, tx: Tx, evidence: Sequence[Evidence], now_ms: int) -> list[OrderRow]:
        """The write itself, for callers that have more to write in the same transaction."""
        return [settled.row for settled in self.settle(tx, evidence, now_ms)]

    def settle(self, tx: Tx, evidence: Sequence[Evidence], now_ms: int) -> list[Settled]:
        """As `apply`, with each order's bundle as it is after the write."""
        changes = Changes()
        touched = _keep(tx, self._context.shop, evidence, changes, now_ms)
        bundles = tx.facts.bundles(tx.orders.lock_all(touched))
        looked = [
            _landed(_apply_links(bundle, evidence, changes, now_ms), evidence, changes, now_ms) for bundle in bundles
        ]
        return self._refold(tx, looked, touched, changes, now_ms)

    def refold(self, tx: Tx, order_id: str, now_ms: int) -> OrderRow:
        """Compute an order's money anew from everything known, under its lock, and write what follows from it."""
        bundles = tx.facts.bundles(tx.orders.lock_all([order_id]))
        return self._refold(tx, bundles, {}, Changes(), now_ms)[0].row

    def _refold(
        self, tx: Tx, bundles: Sequence[Bundle], causes: Mapping[str, Evidence], changes: Changes, now_ms: int
    ) -> list[Settled]:
        before = tx.orders.cached([bundle.order.id for bundle in bundles])
        folded = []
        for bundle in bundles:
            order_id, verdict = bundle.order.id, verdicts.fold(bundle)
            ended = _end_excess(bundle, verdict, changes, now_ms)
            folded.append(Folded(ended, verdict, before[order_id], causes.get(order_id)))
        done = [_cache(each, changes, now_ms) for each in folded]
        _note_movements(tx, folded, changes, now_ms)
        self._sync_problems(tx, folded, changes, now_ms)
        changes.write(tx, now_ms)
        return done

    def _sync_problems(self, tx: Tx, folded: Sequence[Folded], changes: Changes, now_ms: int) -> None:
        known = tx.problems.of_orders([each.bundle.order.id for each in folded])
        new_id, tolerance = self._context.ids.uuid7, self._context.shop.payout_tolerance_minor
        for each in folded:
            mine = known[each.bundle.order.id]
            changes.problems += changed_problems(each.bundle, each.verdict, mine, now_ms, new_id, tolerance)


def _keep(
    tx: Tx, shop: ShopSettings, evidence: Sequence[Evidence], changes: Changes, now_ms: int
) -> dict[str, Evidence]:
    """Insert and sight; the orders that what is new may change, each with the last that told of it."""
    touched: dict[str, Evidence] = {}
    news = [(item, tx.facts.add(item.facts, item.sighting(now_ms))) for item in evidence]
    # what was known already has been folded already
    touches = iter(tx.facts.touched_by([fact for _, new in news for fact in new]))
    links = tx.attempts.owners({(item.gateway, info.id) for item in evidence for info in item.links if info.id})
    lost: set[tuple[str, str]] = set()
    for item, new in news:
        for fact in new:
            touch = next(touches)
            touched |= dict.fromkeys(touch.orders, item)
            if fact.kind.startswith("payment."):
                (changes.found if touch.owner else lost).add((item.gateway, fact.object))
        touched |= {links[name]: item for info in item.links if (name := (item.gateway, info.id)) in links}
        if item.cursor:
            tx.sync.set_cursor(item.cursor)
        if item.drop_hint:
            tx.sync.drop_hint(item.drop_hint)
    _park(tx, shop, lost)
    return touched


def _park(tx: Tx, shop: ShopSettings, payments: Collection[tuple[str, str]]) -> None:
    """Captured payments without an order here stay visible: orphan, another of ours, or foreign."""
    told = tx.facts.of_payments(payments)
    rows = []
    for gateway, payment in sorted(payments):
        facts = told[(gateway, payment)]
        captures = [f for f in facts if f.kind is Kind.PAYMENT_CAPTURED]
        if not captures:
            continue
        newest = captures[-1]
        kind, owner = whose(tx, shop, facts)
        amount, currency = newest.amount_minor or 0, newest.currency
        rows.append(Parked(gateway, newest.account, newest.mode, payment, owner, kind, amount, currency, newest.at_ms))
    tx.facts.park(rows)


def _cache(folded: Folded, changes: Changes, now_ms: int) -> Settled:
    """The money status, its line in the journal, and what healed by itself."""
    bundle, verdict, cause = folded.bundle, folded.verdict, folded.cause
    cached, order = cached_of(verdict), bundle.order
    if cached != folded.before:
        changes.money[order.id] = cached
        bundle = replace(bundle, order=replace(order, version=order.version + 1))
        body = {"money": cached.money, "kept_minor": cached.kept_minor, "due_minor": verdict.due_minor}
        body |= {"source": cause.source.value, "hint": cause.hint} if cause else {}
        changes.lines.append((order.id, body))
    changes.healed += _healed(folded, now_ms)
    return Settled(row_of(bundle, verdict, now_ms), bundle)


def _healed(folded: Folded, now_ms: int) -> list[Healed]:
    """M02, M03: what the report or a background probe put right by itself, so that a manager sees it."""
    verdict, cause, order = folded.verdict, folded.cause, folded.bundle.order
    if cause is None or cause.hint not in ("probe", "sweep"):
        return []
    source = Source.REPORT if cause.hint == "sweep" else cause.source
    was_due = folded.before.money in (Money.UNPAID, Money.PART_PAID)
    became_paid = was_due and verdict.money in (Money.PAID, Money.OVERPAID)
    if became_paid and verdict.captured_minor and order.life is Life.PLACED:
        return [Healed(order.id, "M02", cause.gateway, now_ms, source)]
    return []


def _end_excess(bundle: Bundle, verdict: Verdict, changes: Changes, now_ms: int) -> Bundle:
    """A live attempt that asks for more than is due ends in this write: one link, one payment."""
    ended: dict[str, Attempt] = {}
    for attempt in bundle.attempts:
        if not attempt.live or attempt.amount_minor <= verdict.due_minor - verdict.kept_minor:
            continue
        if attempt.phase in (Phase.DRAFTED, Phase.REQUESTING):
            ended[attempt.id] = schedule.abandoned(attempt, "no longer due", now_ms)
        elif attempt.phase is Phase.OPEN:
            ended[attempt.id] = schedule.closing(attempt, now_ms)
    changes.attempts |= ended
    return replace(bundle, attempts=[ended.get(a.id, a) for a in bundle.attempts]) if ended else bundle


def _note_movements(tx: Tx, folded: Sequence[Folded], changes: Changes, now_ms: int) -> None:
    moved = [entry for each in folded for entry in movements(each.bundle, each.verdict, now_ms)]
    entered = tx.money.entered(asked_of(moved))
    for entry in new_of(moved, entered):
        changes.entries.append(entry)
        if entry.kind == "capture":
            changes.found.add(payment_of(entry))  # its order may be learnt later than the money
            changes.effects.append(receipt_of(entry, now_ms))


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


def _apply_links(bundle: Bundle, evidence: Sequence[Evidence], changes: Changes, now_ms: int) -> Bundle:
    """Phases and the fence, from what the gateway said of the order's links; the bundle with its attempts as they are

    after that.
    """
    for item in evidence:
        for info in item.links:
            attempts = {(a.gateway, a.link_id): a for a in bundle.attempts}
            attempt = attempts.get((item.gateway, info.id))
            if attempt is None or not attempt.link_id:
                continue
            verdict = verdicts.fold(bundle)
            states = {p.state for p in verdict.payments if p.attempt_id == attempt.id}
            in_flight, paid = bool(states & IN_FLIGHT), "captured" in states
            after = _after_look(attempt, info, in_flight=in_flight, paid=paid, now_ms=now_ms)
            if after.fenced and not attempt.fenced:
                after = replace(after, fenced_at_ms=follows_ms(bundle.tenders, now_ms, after.shown_at_ms))
            changes.attempts[after.id] = after
            if item.hint == "probe" and attempt.live and after.phase is Phase.CLOSED and not paid:
                changes.healed.append(Healed(bundle.order.id, "M03", item.gateway, now_ms, item.source))
            bundle = replace(bundle, attempts=[after if a.id == after.id else a for a in bundle.attempts])
    return bundle


def _landed(bundle: Bundle, evidence: Sequence[Evidence], changes: Changes, now_ms: int) -> Bundle:
    """A closing link whose last payment in flight has ended, as something else than a look at the link told: looked at

    at once, for only a look shows whether it is fenced. (A gateway that shows a link's last payment alone does not
    show the one before it end.)
    """
    closing = [a for a in bundle.attempts if a.phase is Phase.CLOSING and a.id not in changes.attempts]
    if not closing:
        return bundle
    told = {(item.gateway, fact.object) for item in evidence for fact in item.facts if fact.kind in ENDS}
    payments = verdicts.fold(bundle).payments
    flying = {p.attempt_id for p in payments if p.state in IN_FLIGHT}
    ended = {p.attempt_id for p in payments if (p.gateway, p.id) in told} - flying
    again = {a.id: replace(a, look_due_at_ms=min(now_ms, a.look_due_at_ms or now_ms)) for a in closing if a.id in ended}
    changes.attempts |= again
    return replace(bundle, attempts=[again.get(a.id, a) for a in bundle.attempts]) if again else bundle


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
        seen = replace(
            seen, phase=phase, closing_at_ms=attempt.closing_at_ms or schedule.not_before_shown_ms(seen, now_ms)
        )
        # in flight: somebody waits for it, so it is looked at often even where the link was fenced before
        return replace(seen, look_due_at_ms=schedule.next_look_ms(replace(seen, fenced_at_ms=None), now_ms))
    ended = attempt.phase in (Phase.OPEN, Phase.CLOSING, Phase.RELEASED)
    seen = replace(
        seen,
        phase=Phase.CLOSED if ended else attempt.phase,
        fenced_at_ms=attempt.fenced_at_ms or now_ms,
        fence_kind=attempt.fence_kind or info.state,
        ended_at_ms=attempt.ended_at_ms or schedule.not_before_shown_ms(attempt, now_ms),
    )
    watch_until = (seen.fenced_at_ms or now_ms) + WATCH_CLOSED_DAYS * 86_400_000
    due = None if paid or now_ms > watch_until else schedule.next_look_ms(seen, now_ms)
    return replace(seen, look_due_at_ms=due)
