"""The end of the day: what the gateways' reports and the till's books say, side by side; then the close.

Nothing blocks the close: open exceptions are carried over under the manager's name, broken integrity is printed.
Preview, close, screen and export come from one function, `_figures`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pos.domain.cash import Method
from pos.domain.errors import NotFound, Refused
from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.giving import owed_at
from pos.domain.journal import GENESIS, z_hash
from pos.domain.matching import Action
from pos.domain.movement import ZEntry
from pos.domain.order import Order
from pos.domain.payment import Attempt, reference
from pos.domain.rows import OrderFilter
from pos.domain.shown import Shown
from pos.domain.store_port import Parked, Problem, SweepRun, Tx, ZReport
from pos.domain.verdict import fold
from pos.services.books import Books
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.evidence import Evidence
from pos.services.exceptions import exception_view, orphan_view
from pos.services.orderview import find_order, row_of_line, view_of
from pos.services.parking import ORPHAN
from pos.services.people import People
from pos.services.planview import METHOD_WORDS
from pos.services.reconcile import Reconcile
from pos.services.settle import Settle
from pos.services.shifts import open_shift
from pos.services.views import DayView, ExceptionView, MatchRow, OrderView, TotalRow
from pos.words.ways import gateway_title

MAX_ORDERS = 50_000


@dataclass(frozen=True, slots=True)
class Movements:
    """Sums of a set of Z entries, in minor units."""

    cash: int
    terminal: int
    by_gateway: dict[str, int]
    refunds: int
    count: int
    returns: int = 0
    """Worth of the goods that came back: sales less returns is what these sums are made of."""


class DayEnd:
    def __init__(
        self, context: Context, reconcile: Reconcile, settle: Settle, people: People, books: Books, desk: Desk
    ) -> None:
        self._context = context
        self._reconcile = reconcile
        self._settle = settle
        self._people = people
        self._books = books
        self._desk = desk

    @property
    def _names(self) -> tuple[str, ...]:
        """Gateways come and go while the till runs. One that does not load is among them: its report is not read."""
        return (*self._desk.names(), *self._desk.unloaded)

    async def preview(self, *, refresh: bool = True, day: str = "") -> DayView:
        """The day as it stands; `refresh` reads the gateways' reports of the day first."""
        day = day or self._context.shop.business_day(self._context.now_ms())
        runs = await self._sweep(day) if refresh else []
        return await self._context.store.read(lambda tx: self._figures(tx, day, runs))

    async def _sweep(self, day: str) -> list[SweepRun]:
        start, _ = self._context.shop.day_bounds_ms(day)
        runs = [await self._reconcile.sweep(name) for name in self._names]
        back = self._context.now_ms() - int(self._context.shop.look_back_hours * 3_600_000)
        if start < back:  # the periodic window does not reach the morning of this day
            runs = [await self._reconcile.sweep(name, from_ms=start) for name in self._names]
        return runs

    async def close(self, *, actor: str, counted_minor: int | None = None, reason: str = "") -> DayView:
        """Close this till's shift with its Z, then the business day. `reason`: why the drawer is over or short (M18).

        Raises:
            NotAllowed: the actor may not close the day.
            Refused: this day is closed already.
        """
        self._people.allow("close_day", actor)
        now = self._context.now_ms()
        day = self._context.shop.business_day(now)
        runs = await self._sweep(day)
        problems = await self._books.verify()
        texts = tuple(str(p) for p in problems)

        def write(tx: Tx) -> DayView:
            if any(z.day == day for z in tx.days.zs("day")):
                raise Refused(f"The day {day} is closed already.", "Sales from now on belong to the next one.")
            view = replace(self._figures(tx, day, runs), problems=texts)
            if counted_minor is not None:
                mine = tx.money.entries(open_only=True, till=self._context.shop.till)
                view = _counted(view, counted_minor, _tendered(mine, Method.CASH))
                view = self._told_of_drawer(tx, view, actor, reason.strip(), now)
            self._close_shift(tx, actor, counted_minor, now)
            view = replace(view, closed_at_ms=now, closed_by=actor)
            report = self._chain(tx, "day", day, actor, _plain(view), now)
            for alarm in _alarms(tx):  # it stands on this report now; it is raised anew if it comes back
                tx.problems.close(alarm.id, now, actor, f"carried into the report of {day}")
            tx.journal.append(now, actor, "day.closed", day, {"no": report.no, "hash": report.hash})
            return replace(view, z_number=report.no, hash=report.hash)

        return await self._context.store.write(write)

    async def show(self, day: str) -> DayView:
        """A closed day as it was closed; NotFound where it is still open."""
        reports = await self._context.store.read(lambda tx: tx.days.zs("day"))
        found = next((z for z in reports if z.day == day), None)
        if found is None:
            raise NotFound(f"The day {day} is not closed.", "Use `pos day preview` for a day that is still open.")
        return replace(_view(json.loads(found.body)), z_number=found.no, hash=found.hash)

    async def attach(self, payment: str, order_number: str, *, actor: str, reason: str) -> OrderView:
        """A manager ties a payment without an order to one; the gateway's own word would outrank this.

        Raises:
            NotAllowed: the actor may not override.
            NotFound: no such payment waits, or there is no such order.
            Refused: it can be no money of this order: another currency, or live where the order's links are tests.
        """
        self._people.allow("override", actor)
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            order = find_order(tx, order_number)
            parked = next((p for p in tx.facts.parked() if p.payment == payment), None)
            if parked is None:
                raise NotFound(f"No payment {payment} waits for an order.", "Run the reconciliation again.")
            attempts = tx.attempts.of_order(order.id)
            _check_fit(parked, order, attempts)
            where = (parked.gateway, parked.account, parked.mode)
            there = [a for a in attempts if (a.gateway, a.account, a.mode) == where]
            to = reference(order.id, max((a.no for a in there or attempts), default=1))
            fact = Fact(parked.gateway, parked.account, Mode(parked.mode), Kind.PAYMENT_ATTACHED, payment, to)
            tx.journal.append(now, actor, "payment.attached", order.id, {"payment": payment, "reason": reason})
            self._settle.apply(tx, [Evidence(parked.gateway, (fact,), Source.PERSON, f"attach:{actor}")], now)
            return view_of(tx, order.id, now)

        return await self._context.store.write(write)

    # -- one function for preview, close, screen and export ----------------------------------------------------------

    def _figures(self, tx: Tx, day: str, runs: Sequence[SweepRun]) -> DayView:
        shop, now = self._context.shop, self._context.now_ms()
        start, end = shop.day_bounds_ms(day)
        runs = runs or [run for name in self._names if (run := tx.sync.last_run(name))]
        problems = tx.problems.listed(open_only=True)
        parked = tx.facts.parked(start, end)
        entries = tx.money.entries(open_only=True)
        names = self._names_of(entries)
        matched, corrected = self._matches(tx, names, start, end, {p.order_id for p in problems})
        lines = tx.orders.lines_of(OrderFilter(live_only=True, limit=MAX_ORDERS))
        words = [row_of_line(line, now).shown for line in lines]
        return DayView(
            day=day,
            from_ms=start,
            to_ms=end,
            currency=shop.currency,
            gateways=names,
            report_at_ms=max((run.ended_at_ms or 0 for run in runs), default=0) or None,
            rows_read=sum(run.rows for run in runs),
            complete=bool(runs) and all(run.complete for run in runs),
            matched=tuple(matched),
            corrected=tuple(corrected),
            exceptions=(
                *(exception_view(tx, p, shop.currency) for p in problems),
                *(orphan_view(p) for p in parked if p.kind == ORPHAN),
            ),
            waiting=words.count(Shown.WAITING),
            unknown=words.count(Shown.UNKNOWN),
            totals=tuple(self._totals(tx, names, entries, start, end)),
            cash_difference_minor=None,
            parked_count=sum(1 for p in parked if p.kind != ORPHAN),
            parked_minor=sum(p.amount_minor for p in parked if p.kind != ORPHAN and p.currency == shop.currency),
            closed_at_ms=None,
            unread=tuple(run.note for run in runs if run.note),
            test=shop.test_mode,
            noted=tuple(_of_other_days(tx, [e for e in entries if e.till == shop.till], start, end)),
        )

    def _names_of(self, entries: Sequence[ZEntry]) -> tuple[str, ...]:
        """The gateways that take payments, and those that did today and were switched off since."""
        names = self._names
        gone = {e.method for e in entries if e.kind == "capture"} - set(names)
        return (*names, *sorted(gone))

    def _matches(
        self, tx: Tx, names: Sequence[str], start: int, end: int, open_orders: set[str]
    ) -> tuple[list[MatchRow], list[MatchRow]]:
        """Captures of the day by the gateway's clock: matched (M01), or corrected by a report or a probe (M02, M03)."""
        healed = {h.order_id: h for h in tx.problems.healed(start, end + 86_400_000)}
        matched: list[MatchRow] = []
        corrected: list[MatchRow] = []
        told: set[str] = set()
        for name in names:
            for fact in tx.facts.in_window(name, start, end):
                for order_id in _owners(tx, [fact]) - open_orders:
                    order = tx.orders.get(order_id)
                    assert order is not None
                    code = healed[order_id].code if order_id in healed else "M01"
                    row = MatchRow(
                        code, order_id, order.number, fact.at_ms or start, name, fact.amount_minor, fact.amount_minor
                    )
                    (corrected if code != "M01" else matched).append(row)
                    told.add(order_id)
        for order_id, heal in healed.items():
            order = tx.orders.get(order_id)
            if order_id not in told and order is not None and heal.code == "M03" and start <= heal.at_ms < end:
                corrected.append(MatchRow("M03", order_id, order.number, heal.at_ms, heal.gateway, 0, 0))
        return matched, corrected

    def _totals(self, tx: Tx, names: Sequence[str], entries: Sequence[ZEntry], start: int, end: int) -> list[TotalRow]:
        """Cash from the till's own entries; each gateway's captures beside what the orders are due from it.

        In the shop's currency alone: what the same account took in another is no part of these sums.
        """
        money = self._context.shop.currency
        rows = [TotalRow("cash", "Cash", _tendered(entries, Method.CASH), None)]
        if any(e.kind == "tender" and e.method == Method.TERMINAL for e in entries):
            rows.append(TotalRow("terminal", METHOD_WORDS[Method.TERMINAL], _tendered(entries, Method.TERMINAL), None))
        captured_all = fees = 0
        for name in names:
            facts = [fact for fact in tx.facts.in_window(name, start, end) if fact.currency == money]
            taken = {f.object: f.amount_minor or 0 for f in facts}
            captured = sum(taken.values())
            verdicts = [fold(tx.facts.bundle(order_id)) for order_id in _owners(tx, facts)]
            owed = sum(owed_at(verdict, name) for verdict in verdicts)
            strange = {p.id for v in verdicts for p in v.payments if p.gateway == name and not p.counts}
            owed += sum(amount for payment, amount in taken.items() if payment in strange)
            here = (p for p in tx.facts.parked(start, end) if (p.gateway, p.currency) == (name, money))
            parked = sum(p.amount_minor for p in here)
            rows.append(TotalRow(name, gateway_title(name), captured - owed - parked, captured))
            captured_all += captured
            fees += self._fees(tx, facts)
        refunds = sum(e.amount_minor for e in entries if e.kind in {"refund", "bounce", "reversal"})
        rows.append(TotalRow("refunds", "Refunds", refunds, refunds))
        returns = sum(e.amount_minor for e in entries if e.kind == "return")
        rows += [TotalRow("returns", "Goods taken back", returns, None)] if returns else []
        rows.append(TotalRow("fees", "Gateway fees", None, -fees))
        rows.append(TotalRow("payout", "Payout due", None, captured_all + refunds - fees))
        return rows

    def _fees(self, tx: Tx, captures: Sequence[Fact]) -> int:
        total, money = 0, self._context.shop.currency
        for facts in tx.facts.of_payments({(f.gateway, f.object) for f in captures}).values():
            known = [f.amount_minor or 0 for f in facts if f.kind is Kind.PAYMENT_FEE and f.currency == money]
            total += max(known, default=0)
        return total

    def _told_of_drawer(self, tx: Tx, view: DayView, actor: str, reason: str, now_ms: int) -> DayView:
        """M18: a drawer that is off by more than the shop allows stands before the manager until somebody says why."""
        off = abs(view.cash_difference_minor or 0)
        if off <= self._context.shop.cash_tolerance_minor:
            return view
        subject = f"till:{self._context.shop.till} {view.day}"
        problem = Problem(self._context.ids.uuid7(), "", "M18", subject, Action.REASON, off, now_ms)
        tx.problems.put(problem)
        body = {"difference_minor": view.cash_difference_minor, "reason": reason}
        tx.journal.append(now_ms, actor, "drawer.differs", subject, body)
        if reason:
            tx.problems.close(problem.id, now_ms, actor, reason)
            return view
        told = exception_view(tx, problem, view.currency)
        return replace(view, exceptions=(*view.exceptions, told))

    # -- shift and chain ---------------------------------------------------------------------------------------------

    def _close_shift(self, tx: Tx, actor: str, counted_minor: int | None, now_ms: int) -> None:
        """The till's Z: every open entry of this till, under the shift's lock."""
        till = self._context.shop.till
        shift = tx.days.open_shift(till) or open_shift(tx, self._context, actor)
        entries = tx.money.entries(open_only=True, till=till)
        closed = replace(shift, closed_at_ms=now_ms, closed_by=actor, counted_minor=counted_minor)
        tx.days.put_shift(closed)
        body = {"shift": asdict(closed), "entries": [asdict(e) for e in entries], "sums": asdict(movements(entries))}
        day = self._context.shop.business_day(now_ms)
        report = self._chain(tx, f"till:{till}", day, actor, body, now_ms)
        tx.money.put_in_z(report.id, till)

    def _chain(self, tx: Tx, scope: str, day: str, actor: str, body: dict[str, Any], now_ms: int) -> ZReport:
        last = tx.days.last_z(scope)
        previous = last.hash if last else GENESIS
        text = json.dumps(body, ensure_ascii=False, sort_keys=True)
        number = last.no + 1 if last else 1
        digest = z_hash(previous, scope, number, text)
        report = ZReport(self._context.ids.uuid7(), scope, number, day, now_ms, actor, text, previous, digest)
        tx.days.put_z(report)
        return report


def _check_fit(parked: Parked, order: Order, attempts: Sequence[Attempt]) -> None:
    """Before it is written, since an attach is not taken back. Raises Refused."""
    if parked.currency and parked.currency != order.currency:
        hint = "Give it back at the gateway, or find the order it was meant for."
        raise Refused(f"This payment is in {parked.currency}, order {order.number} in {order.currency}.", hint)
    if attempts and parked.mode not in {a.mode for a in attempts}:
        hint = "Look at the gateway where it comes from."
        raise Refused(f"This is a {parked.mode} payment, and the links of order {order.number} are not.", hint)


def _owners(tx: Tx, captures: Sequence[Fact]) -> set[str]:
    """The orders here that these payments belong to."""
    return {touch.owner for touch in tx.facts.touched_by(captures) if touch.owner}


def _of_other_days(tx: Tx, mine: Sequence[ZEntry], start: int, end: int) -> Iterator[MatchRow]:
    """M21: captures that this till's Z tells of, whose own day is another: it stands in that day's reconciliation."""
    for entry in mine:
        at_ms = entry.captured_at_ms
        if entry.kind == "capture" and at_ms is not None and not start <= at_ms < end:
            order = tx.orders.get(entry.order_id)
            assert order is not None
            here, there = entry.amount_minor, entry.amount_minor
            yield MatchRow("M21", order.id, order.number, at_ms, entry.method, here, there)


def _counted(view: DayView, counted_minor: int, expected_minor: int) -> DayView:
    """The day with what was counted in this till's drawer, and how far that is off what should lie there."""
    totals = tuple(replace(row, there_minor=counted_minor) if row.key == "cash" else row for row in view.totals)
    return replace(view, totals=totals, cash_difference_minor=counted_minor - expected_minor)


def _tendered(entries: Sequence[ZEntry], method: Method) -> int:
    """What came in this way, less what went back: of what is taken at the counter only cash lies in the drawer."""
    return sum(e.amount_minor for e in entries if e.kind == "tender" and e.method == method)


def movements(entries: Sequence[ZEntry]) -> Movements:
    by_gateway: dict[str, int] = {}
    for entry in entries:
        if entry.kind == "capture":
            by_gateway[entry.method] = by_gateway.get(entry.method, 0) + entry.amount_minor
    return Movements(
        cash=_tendered(entries, Method.CASH),
        terminal=_tendered(entries, Method.TERMINAL),
        by_gateway=by_gateway,
        refunds=sum(e.amount_minor for e in entries if e.kind in {"refund", "bounce", "reversal"}),
        count=len(entries),
        returns=sum(e.amount_minor for e in entries if e.kind == "return"),
    )


def _alarms(tx: Tx) -> list[Problem]:
    """M22 about no order: a copied till."""
    return [p for p in tx.problems.listed(open_only=True) if p.code == "M22" and not p.order_id]


def _plain(view: DayView) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(view)))
    return plain


def _view(plain: dict[str, Any]) -> DayView:
    """A stored day as a view again."""
    for name, cls in (("matched", MatchRow), ("corrected", MatchRow), ("noted", MatchRow), ("totals", TotalRow)):
        plain[name] = tuple(cls(**row) for row in plain.get(name, ()))  # `noted` came later than the first days
    plain["exceptions"] = tuple(
        ExceptionView(**{**row, "action": Action(row["action"])}) for row in plain["exceptions"]
    )
    for name in ("gateways", "problems", "unread"):
        plain[name] = tuple(plain[name])
    return DayView(**plain)
