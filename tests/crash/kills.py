"""Kill -9 at any moment: a till sells until it is killed, is looked at, and the next one goes on with its books.

    python -m tests.crash.kills --kills 1000 --seed 1

Each till is a process of its own, on real services, both gateways and a bank in another process. What people were told
goes to the parent through a pipe the moment it was told. After every kill the books are opened and each promise since
they were new is looked for; `books verify` runs after every tenth kill and at the end of a home, when the background
work has also healed what hung, and the banks are asked whether they charged anybody twice.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pos.app.config import load
from pos.app.wiring import open_database
from pos.domain.errors import PosError
from pos.store import postgresql as server_rules
from tests.crash.child import Child, Silent
from tests.crash.driver import HEAL_ROUNDS, KEYS, double_charges, in_child
from tests.crash.plants import PLANTS
from tests.crash.promises import PAYMENT, REFUND, Promise, examine, look_for, promise_of
from tests.crash.seller import ACTS, Seller
from tests.shop import Bank, MovedClock, Shop, bank_process, open_shop, reopen

KILLS, SEED, PER_HOME = 1_000, 1, 50
VERIFY_EVERY = 10
WHEN = {"opening": 0.15, "starting": 0.2, "selling": 0.65}
"""Shares of the kills: counted from the till's birth, from when it has opened, from its first sale on."""
LATEST_S = {"opening": 0.06, "starting": 0.3, "selling": 0.3}
LINES = {"opening": 0, "starting": 1, "selling": 2}
"""What it has said by then."""
READY_S = 60.0
AGAIN_S = 0.05
READY, REFUSED = b"ready\n", "refused: "
ENOUGH = 4
"""Kills for each order that was acknowledged, at the most: otherwise nothing much was tried."""
PROBES = 0.15
"""How often the till's background work is done between two sales."""


@dataclass
class Tally:
    kills: int = 0
    when: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    payments: int = 0
    looked_for: int = 0
    refused: int = 0
    verified: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        when = ", ".join(f"{self.when[name]} {name}" for name in WHEN)
        return (
            f"{self.kills} kills ({when}): acknowledged {self.orders} orders and {self.payments} payments, looked for "
            f"{self.looked_for} times; {self.refused} sales refused; books verified {self.verified} times; "
            f"{len(self.failures)} failures"
        )


@dataclass
class Home:
    """One till's home over many kills. `told`: every promise since it was new."""

    bank: Bank
    path: Path
    chance: random.Random
    plant: str = ""
    database: str = ""
    """The address of a server's; else a file in the home."""
    told: list[Promise] = field(default_factory=list)
    kills: int = 0
    heard: dict[int, int] = field(default_factory=dict)
    refused: int = 0

    def shop(self) -> Shop:
        keys = json.loads((self.path / KEYS).read_text(encoding="utf-8"))
        return reopen(Shop(None, self.bank, MovedClock(), self.path, keys))  # type: ignore[arg-type]

    def make(self) -> None:
        async def made() -> list[str]:
            sections = {"database": f'url = "{self.database}"'} if self.database else {}
            shop = open_shop(self.bank, self.path, **sections)
            (self.path / KEYS).write_text(json.dumps(shop.keys), encoding="utf-8")
            await shop.till.close()
            return []

        if said := self._in_child(made):
            raise RuntimeError(said[0])

    def kill_one(self, number: int) -> tuple[str, str]:
        """Sell until the kill; when it came, and what went wrong before it."""
        child = Child(lambda tell: self.sell_on(tell, number))
        when = self.chance.choices(list(WHEN), list(WHEN.values()))[0]
        try:
            child.wait(LINES[when], READY_S)
            time.sleep(self.chance.uniform(0, LATEST_S[when]))
        except Silent as error:
            child.kill()
            return when, f"does not sell: {error}"
        killed = child.kill()
        self.hear(child)
        return when, "" if killed else f"ended by itself: {child.lines[-1].decode()}"

    def hear(self, child: Child) -> None:
        """Take over what it has said, once."""
        news = child.lines[self.heard.get(child.pid, 0) :]
        self.heard[child.pid] = len(child.lines)
        self.told += [promise_of(line) for line in news if line.startswith(b"{")]
        self.refused += sum(line.startswith(REFUSED.encode()) for line in news)

    async def sell_on(self, tell: Callable[[bytes], object], number: int) -> None:
        if self.plant:
            PLANTS[self.plant]()
        server_rules.ASK_FOR_S = AGAIN_S * 10  # a server that was stopped does not say what became of a commit
        asyncio.get_running_loop().set_exception_handler(_unheard)
        shop = self.shop()
        tell(READY)
        chance = random.Random(f"{self.path.name}:{number}:{self.chance.random()}")
        seller = Seller(shop, chance, lambda promise: tell(promise.line()), name=f"k{number}")
        given_back = {promise.subject for promise in self.told if promise.word == REFUND}
        paid = {promise.subject for promise in self.told if promise.word == PAYMENT and promise.thing}
        seller.paid_by_link = sorted(paid - given_back)
        while True:
            try:
                if chance.random() < PROBES:
                    await shop.probe()
                await seller.act()
            except* PosError as group:  # the cashier reads it and goes on; nothing was promised
                tell(f"{REFUSED}{group.exceptions[0]}\n".encode())
                await asyncio.sleep(AGAIN_S)

    def wrong(self, *, verify: bool) -> list[str]:
        """What the books say after a kill, to a till that opens them."""
        if verify:
            return self._in_child(self._verified)
        try:
            database = open_database(self.path, load(self.path))
        except PosError as error:
            return [f"does not open: {error}"]
        try:
            return look_for(database, self.told).wrong
        finally:
            database.close()

    async def _verified(self) -> list[str]:
        shop = self.shop()
        found = await examine(shop.till, self.told)
        await shop.till.close()
        return found.wrong

    def wrong_at_last(self) -> list[str]:
        """After the background work has asked about everything that hung."""

        async def healed() -> list[str]:
            shop = self.shop()
            for _ in range(HEAL_ROUNDS):
                shop.clock.advance(70)
                if not await shop.probe():
                    break
            found = (await examine(shop.till, self.told)).wrong + await double_charges(shop)
            await shop.till.close()
            return found

        return self._in_child(healed)

    def _in_child(self, work: Callable[[], Awaitable[list[str]]]) -> list[str]:
        _, said = in_child(work)
        found: list[str] = json.loads(said)
        return found


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Looks that nobody waits for, since another one of them was refused already, are no news."""
    if not isinstance(context.get("exception"), PosError):
        loop.default_exception_handler(context)


def warm_up(bank: Bank, folder: Path) -> None:
    """One sale of each kind in this process, so that forked tills sell as one that has run for a day."""

    async def sales() -> None:
        shop = open_shop(bank, folder / "warm")
        seller = Seller(shop, random.Random(1), lambda promise: None)
        for name in (*ACTS, "refund"):
            seller.sold += 1
            await getattr(seller, name)()
        await examine(shop.till, [])
        await shop.till.close()

    asyncio.run(sales())
    gc.freeze()  # what is here already is not looked through again in every child


def run(bank: Bank, folder: Path, kills: int, seed: int, plant: str = "", *, failures_max: int = 10) -> Tally:
    tally, chance = Tally(), random.Random(seed)
    warm_up(bank, folder)
    home: Home | None = None
    while tally.kills < kills and len(tally.failures) < failures_max:
        if home is None:
            home = Home(bank, folder / f"home{tally.kills}", chance, plant)
            home.make()
        when, wrong = home.kill_one(tally.kills)
        tally.kills += 1
        tally.when[when] += 1
        home.kills += 1
        last = home.kills == PER_HOME or tally.kills == kills
        verify = last or home.kills % VERIFY_EVERY == 0
        found = [wrong] if wrong else home.wrong_at_last() if last else home.wrong(verify=verify)
        tally.looked_for += len(home.told)
        tally.verified += verify
        tally.failures += [f"kill {tally.kills} in {home.path.name}: {'; '.join(found[:3])}"] if found else []
        if last or found:
            tally.orders += sum(promise.word == "order" for promise in home.told)
            tally.payments += sum(promise.word == PAYMENT for promise in home.told)
            tally.refused += home.refused
            home = None
            print(f"{tally.kills} kills, {len(tally.failures)} failures", flush=True)
    if tally.orders * ENOUGH < tally.kills and not tally.failures:
        tally.failures.append("hardly anything was sold")
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.kills")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--plant", choices=PLANTS, default="", help="a fault in the till, which must be found")
    given = parser.parse_args()
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="truetill-kills-") as folder,
        bank_process(Path(folder) / "bank") as bank,
    ):
        tally = run(bank, Path(folder), given.kills, given.seed, given.plant)
    print(f"seed {given.seed}, {given.plant or 'as shipped'}: {tally} ({time.monotonic() - started:.0f} s)")
    print("\n".join(f"  {failure}" for failure in tally.failures))
    return int(bool(tally.failures) != bool(given.plant))


if __name__ == "__main__":
    sys.exit(main())
