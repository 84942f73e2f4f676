"""A sale that is killed in the middle, one process for each point: real SIGKILL, nothing is said goodbye to.

Run as a program: forks a child per point (imports are shared, nothing else), which opens a shop of its own in
`<folder>/<point>`, rings up, asks for a link, and is killed there. What is left is for the tests to open.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from pos.domain.ports import Asked, Operation, PreparedCall
from pos.gateways.http import HttpGateway
from tests.crash.driver import KEYS, _Address, in_child
from tests.failures.outside import links
from tests.shop import CAKE, TEA, Bank, MovedClock, Shop, open_shop, reopen

POINTS = ("saving", "drafting", "drafted", "sent", "answered", "stored", "shown")
"""In the order in which a sale passes them: the rows 1 to 7 of the catalogue."""
SLOW_S = 3.0
FIRST, SECOND = 1, 2


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Counting:
    """Kills at the first or second commit, before or after it, once it is told to."""

    def __init__(self, shop: Shop) -> None:
        self.seen = 0
        self._database = shop.till.database

    def before(self, number: int) -> None:
        self.seen = 0
        self._database.before_commit = lambda: self._count(number)

    def after(self, number: int) -> None:
        self.seen = 0
        self._database.after_commit = lambda: self._count(number)

    def _count(self, number: int) -> None:
        self.seen += 1
        if self.seen == number:
            kill()


def arm_call(shop: Shop, point: str) -> None:
    """Kill while the gateway works on the create call, or with its answer unread."""
    true_ask = HttpGateway.ask
    if point == "sent":
        shop.bank.fault("link.create", "delay", 1, delay_s=SLOW_S)

    async def ask(self: HttpGateway, call: PreparedCall, *, timeout_s: float) -> Asked:
        if call.operation is not Operation.CREATE:
            return await true_ask(self, call, timeout_s=timeout_s)
        asking = asyncio.ensure_future(true_ask(self, call, timeout_s=timeout_s))
        while point == "sent" and not await asyncio.to_thread(links, shop):
            assert not asking.done()
        asked = await asking
        kill()
        return asked

    HttpGateway.ask = ask  # type: ignore[method-assign]


async def live(bank: Bank, home: Path, gateway: str, point: str) -> None:
    shop = open_shop(bank, home, gateway)
    (home / KEYS).write_text(json.dumps(shop.keys), encoding="utf-8")
    await shop.till.desk.get(gateway)
    counting = Counting(shop)
    draft = await shop.till.selling.save(shop.lines(TEA))
    if point == "saving":
        counting.before(FIRST)
    await shop.till.selling.save(shop.lines(TEA, CAKE), order_id=draft.order_id)
    if point == "drafting":
        counting.before(FIRST)
    if point == "drafted":
        counting.after(FIRST)
    if point in ("sent", "answered"):
        arm_call(shop, point)
    if point == "stored":
        counting.after(SECOND)
    await shop.till.checkout.issue(draft.order_id, gateway)
    kill()


def left(bank: Bank, folder: Path, gateway: str, point: str) -> Shop:
    """The shop as the next start finds it."""
    home = folder / point
    keys = json.loads((home / KEYS).read_text(encoding="utf-8"))
    return reopen(Shop(None, bank, MovedClock(), home, keys, gateway))  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bank", required=True)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    bank = Bank(_Address(given.bank), Path())  # type: ignore[arg-type]
    for point in POINTS:
        home = given.folder / point
        status, said = in_child(lambda home=home, point=point: live(bank, home, given.gateway, point))  # type: ignore[misc]
        if not os.WIFSIGNALED(status):
            print(f"{point}: was not killed: {said[:500]}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
