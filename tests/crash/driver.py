"""Pulls the plug at every commit and every call of a day at the counter, one process each, and looks what is left.

Run as a program: forks a child per kill point (imports are shared, nothing else), kills it there with SIGKILL,
then opens the same home again, lets the background work heal it, and checks what was promised before the kill.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pos.domain.facts import Fact, Kind
from pos.domain.ports import Asked, Gateway, Part, PreparedCall
from pos.domain.store_port import Hint
from pos.domain.verdict import Money
from pos.gateways.http import HttpGateway
from pos.services.views import OrderView
from tests.shop import CAKE, TEA, Bank, MovedClock, Shop, open_shop, reopen

HEAL_ROUNDS = 40
DAY_MS = 86_400_000
KEYS = "keys.json"
OTHER = {"stripe": "razorpay", "razorpay": "stripe"}


@dataclass(frozen=True)
class Way:
    """What a day is sold through, what its codes carry, and how the account at the bank is set."""

    gateway: str
    qr: dict[str, str] = field(default_factory=dict)
    account: dict[str, bool] = field(default_factory=dict)


WAYS = {
    "stripe": Way("stripe"),
    "razorpay": Way("razorpay"),
    "upi": Way("razorpay", {"razorpay": "upi"}),
    "captures": Way("razorpay", account={"manual_capture": True}),
}


@dataclass
class Points:
    """Counts commits and calls as they pass; kills this process at the chosen one."""

    kill_at: int | None
    names: list[str] = field(default_factory=list)
    act: str = ""

    def pass_(self, name: str) -> None:
        self.names.append(f"{self.act}: {name}")
        if self.kill_at is not None and len(self.names) - 1 == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def watched(shop: Shop, points: Points) -> Iterator[None]:
    """While the day goes on, everything that may be its last is told to `points`."""
    database = shop.till.database
    database.before_commit = lambda: points.pass_("before a commit")
    database.after_commit = lambda: points.pass_("after a commit, before anybody is told")
    ask = HttpGateway.ask

    async def told(self: HttpGateway, call: PreparedCall, *, timeout_s: float) -> Asked:
        points.pass_(f"before the call {call.operation}")
        asked = await ask(self, call, timeout_s=timeout_s)
        points.pass_(f"after the call {call.operation}, its answer unread")
        return asked

    HttpGateway.ask = told  # type: ignore[method-assign]
    try:
        yield
    finally:
        HttpGateway.ask = ask  # type: ignore[method-assign]


async def day(shop: Shop, points: Points, promise: Callable[[str, str, str], None]) -> None:
    """A small day; `promise` is what the cashier has seen, written down the moment it was seen."""
    till = shop.till

    async def by_link(name: str) -> None:
        view = await shop.sell(TEA, key=name)
        await paid(name, view)

    async def paid(name: str, view: OrderView) -> None:
        promise("shown" if view.attempt and view.attempt.qr_text else "order", name, view.number)
        await shop.pays(view)
        promise("customer paid", name, view.number)
        assert view.attempt is not None
        hint = Hint(f"e:{len(points.names)}:t", view.attempt.gateway, "webhook", view.attempt.link_id, "", "", "", 1)
        await till.hints.take(hint, hint.id)
        promise("paid", name, view.number)

    async def by_cash() -> None:
        view = await till.cash.sell(shop.lines(CAKE), 20_000, key="cash")
        promise("paid", "cash", view.number)

    async def cash_instead() -> None:
        view = await shop.sell(CAKE, key="instead")
        promise("shown", "instead", view.number)
        await till.cash.take(view.order_id)
        promise("paid", "instead", view.number)

    async def other_gateway() -> None:
        view = await shop.sell(TEA, key="switched")
        promise("shown", "switched", view.number)
        await paid("switched", await till.checkout.issue(view.order_id, OTHER[shop.gateway]))

    async def refund() -> None:
        view = await till.queries.order("first")
        after = await till.refunds.refund(view.order_id, amount_minor=1_000, reason="cold", actor="Owner")
        promise("refunded" if after.refunded_minor else "asked", "first", view.number)

    async def cancel() -> None:
        view = await shop.sell(TEA, key="cancelled")
        await till.checkout.cancel(view.order_id, reason="left")
        promise("voided", "cancelled", view.number)

    async def sweep_and_close() -> None:
        await till.reconcile.sweep_all()
        await till.day.close(actor="Owner")
        promise("closed", "day", till.shop.business_day(shop.clock.now_ms()))

    acts: dict[str, Callable[[], Awaitable[None]]] = {
        "first sale": lambda: by_link("first"),
        "cash": by_cash,
        "cash instead": cash_instead,
        "other gateway": other_gateway,
        "refund": refund,
        "cancel": cancel,
        "end of day": sweep_and_close,
    }
    for points.act, act in acts.items():
        await act()


async def live(bank: Bank, home: Path, way: Way, kill_at: int | None, promises: Path) -> list[str]:
    points = Points(kill_at)
    shop = open_shop(bank, home, way.gateway, qr=way.qr)
    (home / KEYS).write_text(json.dumps(shop.keys), encoding="utf-8")
    if way.account:
        bank.account_setting(shop.keys["gateways.razorpay.key_id"], **way.account)
    with promises.open("ab", buffering=0) as file, watched(shop, points):

        def promise(*words: str) -> None:
            file.write((json.dumps(words) + "\n").encode())

        await day(shop, points, promise)
    await shop.till.close()
    return points.names


async def heal_and_judge(bank: Bank, home: Path, way: Way, promises: Path) -> list[str]:
    """What is wrong after the restart; empty is good."""
    if not (home / KEYS).exists():
        return []
    keys = json.loads((home / KEYS).read_text(encoding="utf-8"))
    shop = reopen(Shop(None, bank, MovedClock(), home, keys, way.gateway))  # type: ignore[arg-type]
    for _ in range(HEAL_ROUNDS):
        shop.clock.advance(70)
        if not await shop.probe():
            break
    now_ms = shop.clock.now_ms()
    for name in OTHER:
        await shop.till.reconcile.sweep(name, from_ms=now_ms - DAY_MS, to_ms=now_ms)
    wrong = [str(b) for b in await shop.till.books.verify()]
    said = [json.loads(line) for line in promises.read_text().splitlines()] if promises.exists() else []
    for word, key, number in said:
        wrong += await broken_promise(shop, word, key, number)
    wrong += await double_charges(shop)
    await shop.till.close()
    return wrong


async def broken_promise(shop: Shop, word: str, key: str, number: str) -> list[str]:
    if word == "closed":
        days = shop.till.database.read_now(lambda tx: tx.days.zs("day"))
        return [] if [z.day for z in days] == [number] else [f"the closed day {number} is gone"]
    view = await shop.till.queries.order(key)
    good = {
        "order": True,
        "shown": view.attempt is not None and bool(view.attempt.link_id),
        "customer paid": view.kept_minor > 0,
        "paid": view.money is Money.PAID,
        "asked": len(shop.till.database.read_now(lambda tx: tx.money.refunds(view.order_id))) == 1,
        "refunded": view.refunded_minor == 1_000,
        "voided": view.life == "voided",
    }[word]
    return [] if good and view.number == number else [f"{key} was {word}, now {view.shown} ({view.number})"]


async def double_charges(shop: Shop) -> list[str]:
    """At most one capture per order, and one refund per wish of ours, as the banks themselves list them, together."""
    captured: list[str] = []
    refunded: list[str] = []
    for name in OTHER:
        gate = await shop.till.desk.get(name)
        facts = await _listed(shop, gate, gate.adapter.report(Part.PAYMENTS, 0, shop.clock.now_ms() + DAY_MS))
        captured += [await _order_of(shop, gate, f.object, facts) for f in facts if f.kind is Kind.PAYMENT_CAPTURED]
        facts = await _listed(shop, gate, gate.adapter.report(Part.REFUNDS, 0, shop.clock.now_ms() + DAY_MS))
        ours = {f.object: f.target for f in facts if f.kind is Kind.REFUND_OF_OURS}
        given = {f.object for f in facts if f.kind is Kind.REFUND_SUCCEEDED}
        refunded += [f"refund {ours.get(refund, 'without our mark')}" for refund in given]
    counts = Counter(captured) + Counter(refunded)
    return [f"{what}: {count} times at the bank" for what, count in counts.items() if count > 1]


async def _order_of(shop: Shop, gate: Gateway, payment: str, facts: list[Fact]) -> str:
    """Whose payment the bank says it is; a report that does not name it is asked for the payment itself."""
    if not gate.adapter.capabilities.report_names_reference:
        facts = await _listed(shop, gate, gate.adapter.fetch_payment(payment))
    reference = next(f.target for f in facts if f.kind is Kind.PAYMENT_OF_REFERENCE and f.object == payment)
    return reference.rpartition("_")[0] or reference


async def _listed(shop: Shop, gate: Gateway, first: PreparedCall) -> list[Fact]:
    facts: list[Fact] = []
    call: PreparedCall | None = first
    while call is not None:
        reading = (await shop.till.desk.ask(gate, call)).reading
        facts += reading.facts
        call = reading.next
    return facts


def in_child(work: Callable[[], Awaitable[object]]) -> tuple[int, str]:
    """Run in a forked process; (how it ended, what it said)."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            said = json.dumps(asyncio.run(work()))  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001 - the parent must hear of it
            said = json.dumps([f"{type(error).__name__}: {error}"])
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return status, said


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bank", required=True)
    parser.add_argument("--way", choices=WAYS, default="stripe", help="what most of the day is sold through")
    parser.add_argument("--first", type=int, default=0, help="the first point at which the plug is pulled")
    parser.add_argument("--step", type=int, default=1, help="how many points further the next one is")
    given = parser.parse_args()
    bank, way = Bank(_Address(given.bank), Path()), WAYS[given.way]  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        names = _observed(bank, way, Path(folder))
        print(json.dumps({"points": names}), flush=True)
        for point in range(given.first, len(names), given.step):
            wrong = _one(bank, way, Path(folder), point)
            print(json.dumps({"point": point, "name": names[point], "wrong": wrong}), flush=True)


def _observed(bank: Bank, way: Way, folder: Path) -> list[str]:
    """The points of a day that nobody interrupts. It is lived here, so that the forked ones find everything loaded."""
    home, promises = folder / "observed", folder / "observed.txt"
    names = asyncio.run(live(bank, home, way, None, promises))
    if wrong := asyncio.run(heal_and_judge(bank, home, way, promises)):
        raise SystemExit(f"wrong without a kill: {'; '.join(wrong)}")
    gc.freeze()  # nor is it looked through for garbage in each of them
    return names


def _one(bank: Bank, way: Way, folder: Path, point: int) -> list[str]:
    home, promises = folder / f"home{point}", folder / f"promises{point}.txt"
    status, said = in_child(lambda: live(bank, home, way, point, promises))
    if not os.WIFSIGNALED(status):
        return [f"was not killed: {said[:300]}"]
    _, said = in_child(lambda: heal_and_judge(bank, home, way, promises))
    wrong: list[str] = json.loads(said)
    return wrong


class _Address:
    """Where the bank serves; its process belongs to somebody else."""

    def __init__(self, url: str) -> None:
        self.url = url


if __name__ == "__main__":
    sys.exit(main())
