"""What must hold: after every step for the orders that were touched, at the end for all of them.

Beside the invariants that `pos.services.books` reads from the books alone, the simulation knows what the books cannot:
what truly happened at the bank.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pos.domain.joins import Bundle
from pos.domain.order import Life as OrderLife
from pos.domain.payment import Attempt, Phase
from pos.domain.plan import ask_of, standing
from pos.domain.store_port import Tx
from pos.domain.verdict import Certainty, Verdict, fold
from pos.sandbox import drills, faults
from pos.services.books import CHECKS, Case
from pos.services.orderview import state_of
from tests.simulation.virtual import EPOCH_S
from tests.simulation.world import SHOP_ID, TILLS, World

QUIET_AFTER_S = 60.0
"""Longer than any call, with its repeats."""
TIME_PASSES_S = (60.0, 600.0, 2_400.0, 7_200.0, 6 * 3_600.0, 26 * 3_600.0, 1_200.0)
CLOSING_TIME = 2
"""Before which of them every link that is still open is given up."""
SWEPT = (1, 5, 6)
"""After which of them the reports are read."""
ROUNDS = 2
TICKS_MAX = 50


@dataclass
class Watch:
    """Looks at what is written and compares it with the bank. `excused`: orders whose customer may have paid more

    than was due through no fault of ours (late authorisation, money that was forced, a manager's override).
    """

    world: World
    touch: int = 0
    drafted: set[str] = field(default_factory=set)
    fences: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)

    # -- inside each write ---------------------------------------------------------------------------------------------

    def in_write(self, tx: Any) -> None:
        """I3: a new attempt asks for what is left to pay, or for the next part of the plan, as both stand in its own

        transaction; and keeps what that was.
        """
        requesting = "SELECT id, order_id FROM attempt WHERE phase = 'requesting'"
        for attempt_id, order_id in rows_of(tx, requesting):
            if attempt_id in self.drafted:
                continue
            self.drafted.add(attempt_id)
            bundle = tx.facts.bundle(order_id)
            verdict, attempt = fold(bundle), tx.attempts.get(attempt_id)
            due, kept = verdict.due_minor, verdict.kept_minor
            ask, _ = ask_of(standing(tx.plans.last(order_id), bundle.order), due, kept)
            said = (attempt.amount_minor, attempt.share_minor, attempt.due_minor, attempt.kept_minor)
            if said != (min(ask.share_minor, due - kept), ask.share_minor, due, kept):
                self._say(f"I3 {bundle.order.number}: the attempt asks for {attempt.amount_minor}")

    # -- after each step -----------------------------------------------------------------------------------------------

    def look(self, *, at_all: bool = False) -> None:
        life = next(iter(self.world.lives.values()))
        if life.process.dead:
            return
        life.database.read_now(lambda tx: self._look(tx, at_all=at_all))

    def _look(self, tx: Any, *, at_all: bool) -> None:
        changed = "SELECT id, touch FROM orders WHERE touch > ? ORDER BY id"
        rows = rows_of(tx, changed, 0 if at_all else self.touch)
        for order_id, touch in rows:
            self.touch = max(self.touch, touch)
            self._look_at(tx, order_id)

    def _look_at(self, tx: Tx, order_id: str) -> None:
        bundle = tx.facts.bundle(order_id)
        verdict = fold(bundle)
        case = Case(tx, SHOP_ID, self.world.now_ms(), bundle, verdict)
        for name, check in CHECKS.items():
            for why in check(case):
                self._say(f"{name} {bundle.order.number}: {why}")
        if any(a.phase is Phase.RELEASED or a.fence_kind == "override" for a in bundle.attempts):
            self.excused.add(order_id)
        for why in self._with_the_bank(bundle, verdict):
            self._say(f"{bundle.order.number}: {why}")

    def _with_the_bank(self, bundle: Bundle, verdict: Verdict) -> Iterator[str]:
        """Never paid here unless paid there; a fence is true when it is written; nobody pays more than is due."""
        there = {p["id"]: p for p in payments_at_bank(self.world, bundle.order.id)}
        for payment in verdict.payments:
            found = there.get(payment.id)
            if payment.captured_minor and (found is None or found["captured_minor"] < payment.captured_minor):
                yield f"{payment.id} is paid here, and not at the bank"
        for attempt in bundle.attempts:
            if attempt.fenced and attempt.id not in self.fences:
                self.fences.add(attempt.id)
                yield from self._fence_holds(attempt)
        if bundle.order.id in self.excused:
            return
        taken = sum(p["captured_minor"] - p["refunded_minor"] for p in there.values())
        taken += sum(t.amount_minor for t in bundle.tenders)
        due = bundle.order.total_minor if bundle.order.life is not OrderLife.VOIDED else 0
        if taken > due:
            yield f"{taken} was taken, {due} is due, and nothing excuses it"

    def _fence_holds(self, attempt: Attempt) -> Iterator[str]:
        link = self._bank("SELECT state FROM link WHERE id = ?", attempt.link_id) if attempt.link_id else []
        flying = "SELECT id FROM payment WHERE link = ? AND state IN ('pending', 'authorized') AND forced = 0"
        if link and link[0][0] == "open":
            yield f"link {attempt.no} is fenced and open at the bank"
        if attempt.order_id not in self.excused and self._bank(flying, attempt.link_id):
            yield f"link {attempt.no} is fenced while a payment of it is in flight"

    def _bank(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return rows_at_bank(self.world, sql, *values)

    def _say(self, what: str) -> None:
        self.world.failures.append(what)

    # -- at the end ----------------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """All faults off, time passes, everything drains; then everything must be settled and agree with the bank."""
        world = self.world
        world.network.trouble = world.relay.trouble = 0.0
        world.network.cut.clear()
        await world.bank.run(faults.clear)
        for clock in world.clocks.values():
            clock.off_ms = 0
        await asyncio.sleep(QUIET_AFTER_S)
        for turn, gap_s in enumerate(TIME_PASSES_S):
            await asyncio.sleep(gap_s)
            if turn == CLOSING_TIME:
                await self._give_up_all()
                self._end_what_waits_for_ever()
            await self._drain(sweep=turn in SWEPT)
            self.look()
        self.look(at_all=True)
        life = world.lives["1"]
        for broken in await life.till.books.verify():
            self._say(f"books: {broken}")
        life.database.read_now(self._all_is_settled)

    async def _give_up_all(self) -> None:
        """The shop closes: a link without an expiry of its own would wait for months."""
        database = self.world.lives["1"].database
        sql = "SELECT DISTINCT order_id FROM attempt WHERE phase IN ('drafted', 'requesting', 'open', 'closing')"
        live = database.read_now(lambda tx: sorted(tx.connection.exec_driver_sql(sql).scalars()))  # type: ignore[attr-defined]
        for order in live:
            await self.world.begin("1", "give up", lambda t, order=order: t.checkout.give_up(order))

    def _end_what_waits_for_ever(self) -> None:
        """A payment that was to arrive when its link ends does not, where money was forced through that link before."""
        bank = self.world.bank
        sql = """SELECT p.id FROM payment p JOIN link l ON l.id = p.link
                 WHERE p.state = 'pending' AND p.settles_at IS NULL AND l.state = 'complete'"""
        for (payment,) in self._bank(sql):
            bank.write_now(lambda tx, payment=payment: drills.settle_payment(bank, tx, payment, {"as": "failed"}))

    async def _drain(self, *, sweep: bool) -> None:
        world = self.world
        for turn in range(ROUNDS):
            for _ in range(TICKS_MAX):
                if not await world.bank.tick():
                    break
            await world.dispatcher.round()
            await asyncio.sleep(1.0)
            for life in world.lives.values():
                life.process.ends_in.clear()  # no more crashes: of a life that begins later none is drawn
            for name in TILLS:
                world.listen(world.lives[name])
                await world.probe(name)
            await asyncio.sleep(5.0)
            if sweep and not turn:
                await asyncio.gather(*(world.sweep(name) for name in TILLS))

    def _all_is_settled(self, tx: Tx) -> None:
        now = self.world.now_ms()
        known: dict[str, Attempt] = {}
        for order_id in tx.orders.ids():
            bundle = tx.facts.bundle(order_id)
            verdict = fold(bundle)
            number = bundle.order.number
            told = any(p.code == "M23" and p.closed_at_ms is None for p in tx.problems.of_order(order_id))
            # where money was forced past the gateway's own rules its answers may contradict each other for ever
            if state_of(bundle, verdict, now).certainty is not Certainty.SETTLED and not (
                told and order_id in self.excused
            ):
                self._say(f"{number} is not settled in the end")
            here = {p.id: p.captured_minor for p in verdict.payments if p.captured_minor}
            there = {
                p["id"]: p["captured_minor"] for p in payments_at_bank(self.world, order_id) if p["captured_minor"]
            }
            if here != there:
                self._say(f"{number}: paid here {here}, at the bank {there}")
            known |= {a.link_id: a for a in bundle.attempts if a.link_id}
            for row in bundle.refunds:
                self._refund_agrees(number, row.id, verdict)
        for link, reference, state in self._bank("SELECT id, reference, state FROM link ORDER BY seq"):
            watched = link in known and known[link].phase is Phase.RELEASED  # given up by a manager: only looked at
            if link not in known:
                self._say(f"link {link} of {reference} is not known in the end")
            elif state == "open" and not watched:
                self._say(f"link {link} of {reference} is open in the end")

    def _refund_agrees(self, number: str, refund_id: str, verdict: Verdict) -> None:
        made = self._bank("SELECT state FROM refund WHERE metadata LIKE ?", f"%{refund_id}%")
        here = next((r.state for r in verdict.refunds if r.ours == refund_id), "")
        if len(made) > 1:
            self._say(f"{number}: refund {refund_id} was made {len(made)} times")
        there = made[0][0] if made else "failed"
        if here != there:
            self._say(f"{number}: refund {refund_id} is {here} here, {there} at the bank")


def rows_of(tx: Any, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Of the shop's books, from SQLite's driver itself: it is asked in every write."""
    found: list[tuple[Any, ...]] = tx.connection.connection.driver_connection.execute(sql, values).fetchall()
    return found


def rows_at_bank(world: World, sql: str, *values: object) -> list[tuple[Any, ...]]:
    return world.bank._store.read(lambda tx: tx.execute(sql, *values).fetchall())


def payments_at_bank(world: World, order_id: str) -> list[dict[str, Any]]:
    """Payments of the order's links: id, link, state, captured_minor, refunded_minor."""
    sql = """SELECT p.id, p.link, p.state, p.captured_minor, coalesce((SELECT sum(r.amount_minor) FROM refund r
             WHERE r.payment = p.id AND r.state != 'failed'), 0) FROM payment p JOIN link l ON l.id = p.link
             WHERE l.reference LIKE ? ORDER BY p.seq"""
    names = ("id", "link", "state", "captured_minor", "refunded_minor")
    return [dict(zip(names, row, strict=True)) for row in rows_at_bank(world, sql, f"{order_id}%")]


def evidence(world: World) -> str:
    """What happened, and how every order stands here and at the bank: for whoever looks at a failing seed."""
    database = next(iter(world.lives.values())).database
    database._process.dead = False
    lines = database.read_now(lambda tx: [line for order in tx.orders.ids() for line in _order_lines(world, tx, order)])
    return "\n".join([*world.trail, *lines])


def _order_lines(world: World, tx: Tx, order_id: str) -> Iterator[str]:
    bundle = tx.facts.bundle(order_id)
    verdict = fold(bundle)
    state = state_of(bundle, verdict, world.now_ms())
    order, here = bundle.order, (verdict.money.value, verdict.kept_minor, state.certainty.value)
    yield f"order {order.number} {order_id} {order.life} due {verdict.due_minor} {here}"
    for a in bundle.attempts:
        times = (a.drafted_at_ms, a.shown_at_ms, a.closing_at_ms, a.fenced_at_ms, a.looked_at_ms, a.look_due_at_ms)
        since = [None if t is None else round(t / 1000 - EPOCH_S, 1) for t in times]
        yield f"  attempt {a.no} {a.gateway} {a.phase} {a.amount_minor} {a.link_id[:24]} {a.fence_kind!r} {a.reason!r}"
        yield f"    drafted, shown, closing, fenced, looked, due: {since}, failed {a.looks_failed}"
    for payment in verdict.payments:
        yield f"  here {payment.id} {payment.state} {payment.captured_minor} counts={payment.counts}"
    yield from (f"  bank {payment}" for payment in payments_at_bank(world, order_id))
    yield from (f"  tender {t.method} {t.amount_minor} at {round(t.at_ms / 1000 - EPOCH_S, 1)}" for t in bundle.tenders)
    yield from (f"  refund here {refund}" for refund in verdict.refunds)
    yield from (
        f"  exception {p.code} {p.subject} open={p.closed_at_ms is None}" for p in tx.problems.of_order(order_id)
    )
