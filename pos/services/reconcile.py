"""Sweeps: a window of the gateway's report is read, page by page, and its facts are settled.

1. The window: from `min(watermark, gateway's now - y hours)` to the gateway's now less a margin. The gateway's clock,
   from its `Date` header; a till whose clock is wrong reads the same window.
2. Every part of the report (payments, refunds, disputes, payouts), every page; each page is settled as it comes.
   Where a report does not say whose a payment is, the payments that are not known yet are asked for, each once.
3. A page that does not come ends the run as partial: shown as partial, the watermark stays.
4. All pages in: the watermark moves. Running it again is harmless: facts are a set.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pos.domain.errors import PosError
from pos.domain.facts import Fact, Kind, Source
from pos.domain.ports import Asked, Gateway, NoAnswer, NotSent, Outcome, Part, PreparedCall
from pos.domain.store_port import SweepRun, Tx
from pos.services.absence import note_absences
from pos.services.bus import ReconcileDone
from pos.services.captures import Captures
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.evidence import Evidence, evidence_of
from pos.services.settle import Settle

MARGIN_MS = 1_000
MAX_PAGES = 2_000
PAGE_TRIES = 3
WAIT_MAX_S = 20.0
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LOOK_UPS_MAX = 200
"""Payments of one sweep that are asked for by themselves, each once in its life; the next sweep goes on."""
LOOK_UPS_FAILED_MAX = 10
"""Look-ups of one sweep that may fail: a gateway in trouble is not asked on and on. What failed is asked for last by

the next sweep, so that odd payments keep no other from being looked up.
"""
ODD_NAMED = 5
"""Rows that were not understood which a run's note names; one is enough to keep the run from being whole."""
LOOK_UP_CHUNK = 500
LOOK_UP_PAGES = 6
WORTH_ASKING = (Kind.PAYMENT_CAPTURED, Kind.PAYMENT_AUTHORIZED)
DEEP = ((35, 7 * DAY_MS), (7, DAY_MS))
"""(days back, how often), the widest first: it covers the others."""


@dataclass(slots=True)
class Seen:
    """What one run was told of: how often each row, and which captured payments."""

    rows: Counter[str] = field(default_factory=Counter)
    captured: set[str] = field(default_factory=set)


class Reconcile:
    def __init__(self, context: Context, desk: Desk, settle: Settle, captures: Captures) -> None:
        self._context = context
        self._desk = desk
        self._settle = settle
        self._captures = captures
        self._odd: dict[str, set[str]] = {}
        """By gateway: payments that could not be looked up by the last sweep that tried."""

    async def sweep_all(self) -> list[SweepRun]:
        """One sweep of every enrolled gateway; one that cannot be reached leaves a partial run."""
        return [await self.sweep(name) for name in self._desk.names()]

    async def sweep(self, name: str, *, from_ms: int | None = None, to_ms: int | None = None) -> SweepRun:
        """Read a window of one gateway's report; without bounds, the periodic window."""
        started = self._context.now_ms()
        run = SweepRun(self._context.ids.uuid7(), name, 0, 0, started)
        seen = Seen()
        try:
            gate = await self._desk.get(name)
            since, until = await self._window(gate, from_ms, to_ms)
            run = replace(run, from_ms=since, to_ms=until)
            run = await self._read(gate, run, seen)
        except (NotSent, NoAnswer) as error:
            run = replace(run, note=error.title)
        except PosError as error:
            run = replace(run, note=str(error))
        return await self._finish(run, seen, periodic=from_ms is None and to_ms is None)

    async def sweep_deep(self) -> list[SweepRun]:
        """Further back, once a day 7 days and once a week 35: refunds that bounce and disputes come late.

        Never further than the first order here; a run that was not complete is tried again.
        """
        done = []
        for name in self._desk.names():
            for days, every_ms in DEEP:
                since = await self._context.store.read(
                    partial(self._deep_from, name=name, days=days, every_ms=every_ms)
                )
                if since is not None:
                    done.append(await self.sweep(name, from_ms=since))
        return done

    def _deep_from(self, tx: Tx, name: str, days: int, every_ms: int) -> int | None:
        now, first = self._context.now_ms(), tx.sync.first_order_ms()
        if first is None:
            return None
        since = max(now - days * DAY_MS, first - HOUR_MS)
        reached = tx.sync.reached_back_ms(name, now - every_ms)
        near = now - int(self._context.shop.look_back_hours * HOUR_MS)
        enough = near if reached is None else min(near, reached)
        return None if enough <= since + HOUR_MS else since

    async def _window(self, gate: Gateway, from_ms: int | None, to_ms: int | None) -> tuple[int, int]:
        name = gate.adapter.name
        if to_ms is None:
            await self._desk.ask(gate, gate.adapter.whoami())  # for its clock, now: ours may have been set since
        now = self._context.now_ms() + self._desk.health[name].skew_ms
        until = now - MARGIN_MS if to_ms is None else to_ms
        if from_ms is None:
            watermark = await self._context.store.read(lambda tx: tx.sync.watermark(name))
            back = now - int(self._context.shop.look_back_hours * HOUR_MS)
            from_ms = min(watermark, back) if watermark is not None else back
        return from_ms, until

    async def _read(self, gate: Gateway, run: SweepRun, seen: Seen) -> SweepRun:
        notes = []
        for part in gate.adapter.capabilities.parts:  # one part that cannot be read hides none of the others
            rows, note = await self._read_part(gate, run, part, seen)
            run = replace(run, rows=run.rows + rows)
            notes += [note] if note else []
        duplicates = sum(count - 1 for count in seen.rows.values())
        return replace(run, duplicates=duplicates, complete=not notes, note="; ".join(notes))

    async def _read_part(self, gate: Gateway, run: SweepRun, part: Part, seen: Seen) -> tuple[int, str]:
        """(rows, what kept us from reading all of it or "")."""
        rows = 0
        told: list[Fact] = []
        odd: list[str] = []
        call: PreparedCall | None = gate.adapter.report(part, run.from_ms, run.to_ms)
        for _ in range(MAX_PAGES):
            if call is None:
                notes = [f"not understood: {'; '.join(odd[:ODD_NAMED])}"] if odd else []
                return rows, "; ".join(filter(None, [*notes, await self._look_up(gate, told)]))
            asked = await self._page(gate, call)
            if asked.reading.outcome is not Outcome.OK:
                return rows, asked.reading.message or asked.reading.outcome.value
            evidence = evidence_of(gate.adapter.name, asked, Source.REPORT, "sweep")
            await self._captures.follow(gate, [evidence], await self._settle.take_in(evidence))
            told += [fact for fact in asked.reading.facts if fact.kind in WORTH_ASKING]
            rows += asked.reading.rows
            odd += asked.reading.odd
            seen.rows.update(f"{part} {row}" for row in asked.reading.row_ids)
            seen.captured |= {f.object for f in asked.reading.facts if f.kind is Kind.PAYMENT_CAPTURED}
            call = asked.reading.next
        return rows, f"more than {MAX_PAGES} pages of {part}"

    async def _look_up(self, gate: Gateway, told: Sequence[Fact]) -> str:
        """Ask for payments whose order the report does not name, each once; "" or what kept us from asking for all."""
        if gate.adapter.capabilities.report_names_reference:
            return ""
        name, payments = gate.adapter.name, list(dict.fromkeys(fact.object for fact in told))
        unbound: list[str] = []
        for start in range(0, len(payments), LOOK_UP_CHUNK):
            part = payments[start : start + LOOK_UP_CHUNK]
            unbound += await self._context.store.read(partial(_unbound, gateway=name, payments=part))
        if not unbound:
            return ""
        odd = self._odd[name] = self._odd.get(name, set()).intersection(unbound)
        failed: list[str] = []
        for done, payment in enumerate(sorted(unbound, key=odd.__contains__)):
            if done == LOOK_UPS_MAX or len(failed) == LOOK_UPS_FAILED_MAX:
                return f"{len(unbound) - done + len(failed)} payments are still to be looked up"
            if not await self._ask_for(gate, payment):
                failed.append(payment)
                odd.add(payment)
        return f"{', '.join(failed)} could not be looked up" if failed else ""

    async def _ask_for(self, gate: Gateway, payment: str) -> bool:
        """One payment with what ties it to a link, in one write; False when the gateway did not say all of it."""
        call: PreparedCall | None = gate.adapter.fetch_payment(payment)
        told: list[Evidence] = []
        for _ in range(LOOK_UP_PAGES):
            if call is None:
                break
            try:
                asked = await self._page(gate, call)
            except PosError:
                return False
            if asked.reading.outcome is not Outcome.OK:
                return False
            told.append(evidence_of(gate.adapter.name, asked, Source.FETCH, "sweep"))
            call = asked.reading.next
        await self._captures.follow(gate, told, await self._settle.take_in_all(told))
        return True

    async def _page(self, gate: Gateway, call: PreparedCall) -> Asked:
        for _ in range(PAGE_TRIES - 1):
            asked = await self._desk.ask(gate, call)
            if asked.reading.outcome is not Outcome.BUSY:
                return asked
            await asyncio.sleep(min(asked.reading.retry_after_s or 1.0, WAIT_MAX_S))
        return await self._desk.ask(gate, call)

    async def _finish(self, run: SweepRun, seen: Seen, *, periodic: bool) -> SweepRun:
        now, gate = self._context.now_ms(), self._desk.at_hand(run.gateway)

        def write(tx: Tx) -> tuple[SweepRun, int]:
            corrected = len(
                {h.order_id for h in tx.problems.healed(run.started_at_ms, now + 1) if h.source == "report"}
            )
            ended = replace(run, ended_at_ms=now, corrected=corrected)
            tx.sync.put_run(ended)
            if run.complete and gate is not None:
                note_absences(tx, self._context.ids, ended, seen.captured, gate.adapter)
            if run.complete and periodic:
                tx.sync.set_watermark(run.gateway, run.to_ms)
            return ended, len(tx.problems.listed(open_only=True))

        ended, exceptions = await self._context.store.write(write)
        self._context.bus.publish(ReconcileDone(run.gateway, ended.corrected, exceptions, run.complete))
        return ended


def _unbound(tx: Tx, gateway: str, payments: Sequence[str]) -> list[str]:
    return tx.facts.unbound(gateway, payments)
