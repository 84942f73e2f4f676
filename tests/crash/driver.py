"""Pulls the plug at every commit and every call of a day at the counter, one process each, and looks what is left.

Run as a program: forks a child per kill point (imports are shared, nothing else), kills it there with SIGKILL,
then opens the same home again, lets the background work heal it, and checks what was promised before the kill.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pos.domain.facts import Kind
from pos.domain.ports import Asked, Part, PreparedCall
from pos.domain.store_port import Hint
from pos.domain.verdict import Money
from pos.gateways.http import HttpGateway
from tests.shop import CAKE, TEA, Bank, Shop, open_shop, reopen

CHILD_WITHIN_S = 60
HEAL_ROUNDS = 40


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


def watch(shop: Shop, points: Points) -> None:
    database = shop.till.database
    database.before_commit = lambda: points.pass_("before a commit")
    database.after_commit = lambda: points.pass_("after a commit, before anybody is told")
    ask = HttpGateway.ask

    async def watched(self: HttpGateway, call: PreparedCall, *, timeout_s: float) -> Asked:
        points.pass_(f"before the call {call.operation}")
        asked = await ask(self, call, timeout_s=timeout_s)
        points.pass_(f"after the call {call.operation}, its answer unread")
        return asked

    HttpGateway.ask = watched  # type: ignore[method-assign]


async def day(shop: Shop, points: Points, promise: Callable[[str, str, str], None]) -> None:
    """A small day; `promise` is what the cashier has seen, written down the moment it was seen."""
    till = shop.till

    async def by_link(name: str) -> None:
        view = await shop.sell(TEA, key=name)
        promise("shown" if view.attempt and view.attempt.qr_text else "order", name, view.number)
        await shop.pays(view)
        promise("customer paid", name, view.number)
        assert view.attempt is not None
        hint = Hint(f"e:{len(points.names)}:t", "stripe", "webhook", view.attempt.link_id, "", "", "", 1)
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
        "refund": refund,
        "cancel": cancel,
        "end of day": sweep_and_close,
    }
    for points.act, act in acts.items():
        await act()


async def live(bank: Bank, home: Path, kill_at: int | None, promises: Path) -> list[str]:
    points = Points(kill_at)
    shop = open_shop(bank, home)
    (home / "key").write_text(shop.key, encoding="utf-8")
    watch(shop, points)
    with promises.open("ab", buffering=0) as file:

        def promise(*words: str) -> None:
            file.write((json.dumps(words) + "\n").encode())

        await day(shop, points, promise)
    await shop.till.close()
    return points.names


async def heal_and_judge(bank: Bank, home: Path, promises: Path) -> list[str]:
    """What is wrong after the restart; empty is good."""
    if not (home / "key").exists():
        return []
    first = Shop(None, bank, _clock(), home, (home / "key").read_text())  # type: ignore[arg-type]
    shop = reopen(first)
    for _ in range(HEAL_ROUNDS):
        shop.clock.advance(70)
        if not await shop.probe():
            break
    await shop.till.reconcile.sweep("stripe", from_ms=shop.clock.now_ms() - 86_400_000, to_ms=shop.clock.now_ms())
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
    """At most one capture per order, and one refund, as the bank itself lists them."""
    gate = await shop.till.desk.get("stripe")
    found: list[str] = []
    for part, kind in ((Part.PAYMENTS, Kind.PAYMENT_CAPTURED), (Part.REFUNDS, Kind.REFUND_SUCCEEDED)):
        seen: list[str] = []
        call: PreparedCall | None = gate.adapter.report(part, 0, shop.clock.now_ms() + 86_400_000)
        while call is not None:
            asked = await shop.till.desk.ask(gate, call)
            payments = {f.object: f.target for f in asked.reading.facts if f.kind is Kind.PAYMENT_OF_REFERENCE}
            seen += [payments.get(f.object, "refund") for f in asked.reading.facts if f.kind is kind]
            call = asked.reading.next
        orders = [reference.rpartition("_")[0] or reference for reference in seen]
        found += [
            f"{order} was charged or refunded {orders.count(order)} times"
            for order in {*orders}
            if orders.count(order) > 1
        ]
    return found


def _clock() -> Any:
    from tests.shop import MovedClock

    return MovedClock()


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
    parser.add_argument("--shard", default="0/1")
    given = parser.parse_args()
    shard, shards = (int(part) for part in given.shard.split("/"))
    bank = Bank(_Address(given.bank), Path())  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        names = _observed(bank, Path(folder))
        print(json.dumps({"points": names}), flush=True)
        for point in range(shard, len(names), shards):
            print(
                json.dumps({"point": point, "name": names[point], "wrong": _one(bank, Path(folder), point)}), flush=True
            )


def _observed(bank: Bank, folder: Path) -> list[str]:
    _, said = in_child(lambda: live(bank, folder / "observed", None, folder / "observed.txt"))
    names: list[str] = json.loads(said)
    return names


def _one(bank: Bank, folder: Path, point: int) -> list[str]:
    home, promises = folder / f"home{point}", folder / f"promises{point}.txt"
    status, said = in_child(lambda: live(bank, home, point, promises))
    if not os.WIFSIGNALED(status):
        return [f"was not killed: {said[:300]}"]
    _, said = in_child(lambda: heal_and_judge(bank, home, promises))
    wrong: list[str] = json.loads(said)
    return wrong


class _Address:
    """Where the bank serves; its process belongs to somebody else."""

    def __init__(self, url: str) -> None:
        self.url = url


if __name__ == "__main__":
    sys.exit(main())
