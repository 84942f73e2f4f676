"""10,000 random orders of hearing of one order's payment, on real services: one end state whatever the order.

    python -m tests.interleavings.run --runs 10000

Each run: an order, its link, a story at the bank. Then the ways to hear of it - the answer to a question, a hint,
a look, the report, a person who checks, a restart of the till - in a random order, some twice, some never, some cut
off before or after the bank was asked. At the end one look and one report, and the order must stand as in every other
run of the same story.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import sys
import time
from collections import defaultdict
from typing import Any

from pos.domain.facts import Kind
from pos.domain.store_port import Hint
from pos.domain.verdict import fold
from pos.sandbox import aftermath, drills
from pos.sandbox.accounts import account
from pos.sandbox.records import Payment
from pos.services.orderview import state_of
from tests.shop import TEA
from tests.simulation.acts import line_of
from tests.simulation.checks import rows_at_bank
from tests.simulation.run import PROCESSES, orphaned
from tests.simulation.world import Ground, World, prober, simulated

RUNS = 10_000
TILL = "1"
SETTLED_AFTER_S = 7_200.0

Story = tuple[tuple[str, dict[str, Any]], ...]
PAID = ("pay", {"outcome": "paid"})
DECLINED = ("pay", {"outcome": "declined"})
STORIES: dict[str, Story] = {
    "paid": (PAID,),
    "declined, then paid": (DECLINED, PAID),
    "declined twice, link over": (DECLINED, DECLINED, ("expire", {})),
    "slow, then there": (("pay", {"outcome": "pending"}),),
    "slow, then not": (("pay", {"outcome": "pending_fails"}),),
    "paid, and late once more": (PAID, ("force", {})),
    "paid after the link was over": (("expire", {}), ("force", {})),
    "too little": (("force", {"amount_minor": 1_000}),),
    "paid, and given back elsewhere": (PAID, ("refund", {})),
    "paid and disputed": (PAID, ("dispute", {})),
}
NAMES = [f"{gateway}: {story}" for gateway in ("stripe", "razorpay") for story in STORIES]
WAYS = ("hint", "hint", "look", "look", "report", "check", "restart", "till 2 looks", "time")
PASSING = frozenset(
    {Kind.LINK_OPENED, Kind.LINK_CLOSED, Kind.PAYMENT_PENDING, Kind.PAYMENT_AUTHORIZED, Kind.PAYMENT_OF_SHOP}
)
"""True only for a while at the bank, or said by some answers only: who asked later never heard of them."""
TROUBLE = ("", "", "", "lost_before", "lost_after", "crash")


class Run:
    """One run of a story."""

    def __init__(self, world: World, rng: random.Random, gateway: str) -> None:
        self.world, self.rng, self.gateway = world, rng, gateway
        self.order = self.link = ""
        self._hints = 0

    async def play(self, story: Story) -> str:
        self.world.listens = False  # what the relay says is one of the ways, taken by hand
        self.world.start_till(TILL)
        self.world.start_till("2")
        till = self.world.lives[TILL].till
        view = await till.checkout.sell([line_of(TEA)], self.gateway)
        assert view.attempt is not None
        self.order = view.order_id
        self.link = rows_at_bank(self.world, "SELECT id FROM link")[0][0]
        events: list[str | tuple[str, dict[str, Any]]] = list(story)
        for _ in range(self.rng.randint(2, 9)):  # the story keeps its own order; what is heard falls in between
            events.insert(self.rng.randint(0, len(events)), self.rng.choice(WAYS))
        for event in events:
            if isinstance(event, str):
                await self._hear(event)
            else:
                self._at_bank(*event)
            await asyncio.sleep(self.rng.uniform(0.0, 2.0))
        return await self._end()

    # -- the bank's story ----------------------------------------------------------------------------------------------

    def _at_bank(self, act: str, body: dict[str, Any]) -> None:
        bank = self.world.bank
        if act in ("dispute", "refund"):
            payment = rows_at_bank(self.world, "SELECT id FROM payment WHERE state = 'captured'")[0][0]
            if act == "dispute":
                bank.write_now(lambda tx: drills.dispute_payment(bank, tx, payment, body))
            else:
                bank.write_now(lambda tx: refund_elsewhere(bank, tx, payment))
            return
        drill = {"pay": drills.pay_link, "force": drills.capture_link, "expire": drills.expire_link}[act]
        bank.write_now(lambda tx: drill(bank, tx, self.link, body))

    # -- hearing of it -------------------------------------------------------------------------------------------------

    async def _hear(self, way: str) -> None:
        world = self.world
        trouble = self.rng.choice(TROUBLE)
        world.network.trouble = 1.0 if trouble.startswith("lost") else 0.0
        if trouble == "crash":
            place = self.rng.choice(("before_commit", "after_commit", "before_call", "after_call"))
            world.lives[TILL].process.ends_in[place] = self.rng.randint(0, 2)
        await self._do(way)
        world.network.trouble = 0.0
        for life in world.lives.values():
            life.process.ends_in.clear()

    async def _do(self, way: str) -> None:
        world = self.world
        life, other = world.lives[TILL], world.lives["2"]
        if way == "hint":
            hint = self._hint()
            await world.begin(TILL, "hint", lambda t: t.hints.take(hint, ""))
        elif way == "look":
            await world.begin(TILL, "look", lambda _: prober(life).drain())
        elif way == "till 2 looks":
            await world.begin("2", "check", lambda t: t.checkout.check_now(self.order))
        elif way == "check":
            await world.begin(TILL, "check", lambda t: t.checkout.check_now(self.order))
        elif way == "report":
            await world.begin("2", "sweep", lambda _: other.till.reconcile.sweep(self.gateway))
        elif way == "restart":
            world.restart(life)
        else:
            await asyncio.sleep(self.rng.uniform(5.0, 30.0))
            await world.bank.tick()

    def _hint(self) -> Hint:
        """By its link, its payment or our reference: whatever an event of the gateway names."""
        self._hints += 1
        payments = [row[0] for row in rows_at_bank(self.world, "SELECT id FROM payment ORDER BY seq")]
        payment = self.rng.choice(payments) if payments and self.rng.random() < 0.5 else ""
        link = "" if payment else self.link
        received = self.world.now_ms()
        return Hint(f"h{self._hints}", self.gateway, "webhook", link, payment, "", "", received)

    # -- the end -------------------------------------------------------------------------------------------------------

    async def _end(self) -> str:
        world = self.world
        await asyncio.sleep(90.0)
        await world.bank.tick()
        await world.begin(TILL, "give up", lambda t: t.checkout.give_up(self.order))
        await self._time_passes()
        await world.begin(TILL, "sweep", lambda t: t.reconcile.sweep(self.gateway))
        await self._time_passes()
        database = world.lives[TILL].database
        for broken in await world.lives[TILL].till.books.verify():
            world.failures.append(str(broken))
        return database.read_now(self._stands)

    async def _time_passes(self) -> None:
        """Until everything is due that was to be, and is looked at."""
        await asyncio.sleep(SETTLED_AFTER_S)
        await self.world.bank.tick()
        life = self.world.lives[TILL]
        await self.world.begin(TILL, "look", lambda _: prober(life).drain())

    def _stands(self, tx: Any) -> str:
        """Everything about the order that must not depend on how it was heard of, in one line."""
        bundle = tx.facts.bundle(self.order)
        verdict = fold(bundle)
        state = state_of(bundle, verdict, self.world.now_ms())
        codes = sorted(p.code for p in tx.problems.of_order(self.order) if p.closed_at_ms is None)
        payments = sorted((p.state, p.captured_minor, p.counts, p.late) for p in verdict.payments)
        refunds = sorted((r.state, r.amount_minor, r.purpose) for r in verdict.refunds)
        kinds = sorted({f.kind.value for f in bundle.facts if f.kind not in PASSING})
        entries = sorted((e.kind, e.amount_minor) for e in tx.money.entries(open_only=False))
        attempts = [(a.no, a.phase.value, a.fenced) for a in bundle.attempts]
        parts = (verdict.money.value, verdict.kept_minor, verdict.owed_minor, verdict.returned_minor)
        return str((parts, state.certainty.value, verdict.flags, payments, refunds, codes, kinds, entries, attempts))


def refund_elsewhere(bank: Any, tx: Any, payment: str) -> None:
    """Somebody gives money back on the gateway's own pages."""
    found = tx.one(Payment, "WHERE id = ?", payment)
    aftermath.refund(bank.books(tx, account(tx, found.account)), found, aftermath.RefundOrder(2_000))


def numbers_of(name: str, count: int) -> list[int]:
    """The first runs that play this story."""
    return [NAMES.index(name) + turn * len(NAMES) for turn in range(count)]


def play(ground: Ground, number: int) -> tuple[str, str, list[str]]:
    """(which story, how it ended, what must not happen) of one run."""
    name = NAMES[number % len(NAMES)]
    gateway, _, story = name.partition(": ")
    with simulated(ground, number, only_authorizes=0.0) as (loop, world):
        end = ""
        try:
            end = loop.run_until_complete(Run(world, random.Random(f"ways {number}"), gateway).play(STORIES[story]))
        except BaseException as error:  # noqa: BLE001 - whatever it is, this run fails
            world.failures.append(f"the run broke: {error!r}")
        loop.run_until_complete(world.close())
    return name, end, world.failures


def _worker(numbers: range, results: multiprocessing.Queue[Any]) -> None:
    ground = Ground()
    for number in numbers:
        if orphaned():
            break
        results.put((number, *play(ground, number)))
    ground.close()
    results.put(None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run prove interleavings")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--run", type=int, help="this one alone")
    given = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        again = [sys.executable, "-m", "tests.interleavings.run", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | {"PYTHONHASHSEED": "0"})
    if given.run is not None:
        print(*play(Ground(), given.run), sep="\n")
        return 0
    return _all(given.runs)


def _all(runs: int) -> int:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    parts = [range(index, runs, PROCESSES) for index in range(PROCESSES)]
    workers = [context.Process(target=_worker, args=(part, results)) for part in parts]
    for worker in workers:
        worker.start()
    ends: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    failed, waiting, started = 0, len(workers), time.monotonic()
    while waiting:
        said = results.get()
        if said is None:
            waiting -= 1
            continue
        number, name, end, failures = said
        if failures:
            failed += 1
            print(f"run {number} ({name}) fails: {'; '.join(failures[:3])}", flush=True)
        ends[name][end].append(number)
    for worker in workers:
        worker.join()
    return _told(ends, failed, runs, time.monotonic() - started)


def _told(ends: dict[str, dict[str, list[int]]], failed: int, runs: int, took_s: float) -> int:
    for name, found in sorted(ends.items()):
        print(f"{name}: {sum(map(len, found.values()))} runs, {len(found)} end{'s' if len(found) != 1 else ''}")
        if len(found) > 1:
            for end, numbers in found.items():
                print(f"    {len(numbers)} as run {numbers[0]}: {end}")
    several = sum(len(found) > 1 for found in ends.values())
    print(f"{runs} runs of {len(ends)} stories in {took_s:.0f} s; {failed} fail, {several} stories end in several ways")
    return 1 if failed or several else 0


if __name__ == "__main__":
    sys.exit(main())
