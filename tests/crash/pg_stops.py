"""PostgreSQL stopped as when its machine fails, again and again, in the middle of what a till writes.

    python -m tests.crash.pg_stops --stops 60 --seed 1

One till, a process of its own, sells through both gateways and goes on by itself when the server is back; what people
were told goes to the parent through a pipe. After each start every promise is looked for, and what is written together
must be there together; `books verify` runs after every fifth stop and at the end. (`tests/sync/test_server_down.py`
shows what a till says while its server is away, with cash sales of one process.)
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.child import Child, Silent
from tests.crash.kills import REFUSED, Home, warm_up
from tests.crash.plants import PLANTS
from tests.crash.promises import PAYMENT
from tests.postgres import Cluster, cluster
from tests.shop import Bank, bank_process

STOPS, SEED, PER_BOOKS = 60, 1, 20
VERIFY_EVERY = 5
LATEST_S = 0.2
SAYS_WITHIN_S = 60.0
MOST_SAID = 4
"""Things that are told between a start and the next stop, at the most, before the time of the stop is drawn."""


@dataclass
class Tally:
    stops: int = 0
    met: int = 0
    """Stops after which a sale was refused."""
    orders: int = 0
    payments: int = 0
    looked_for: int = 0
    verified: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.stops} immediate stops ({self.met} noticed by the till): acknowledged {self.orders} orders and "
            f"{self.payments} payments, looked for {self.looked_for} times; books verified {self.verified} times; "
            f"{len(self.failures)} failures"
        )


@dataclass
class Selling:
    """A till that sells on in a shop's home, whatever its server does."""

    home: Home
    till: Child

    def stop(self, server: Cluster) -> bool:
        """The server, at once, and started again; True when a sale was refused for it."""
        chance = self.home.chance
        self.till.drain()
        self.till.wait(len(self.till.lines) + chance.randint(1, MOST_SAID), SAYS_WITHIN_S)
        time.sleep(chance.uniform(0, LATEST_S))
        server.stop("immediate")
        self.till.drain()
        before = self._refused()
        server.start()
        self.till.wait(len(self.till.lines) + 1, SAYS_WITHIN_S)
        self.home.hear(self.till)
        return self._refused() > before

    def _refused(self) -> int:
        return sum(line.startswith(REFUSED.encode()) for line in self.till.lines)


def run(bank: Bank, folder: Path, stops: int, seed: int, plant: str = "") -> Tally:
    """Ends at the first stop after which something is wrong."""
    tally, chance = Tally(), random.Random(seed)
    warm_up(bank, folder)
    with cluster(fast=False) as server:
        while tally.stops < stops and not tally.failures:
            with server.database() as url:
                home = Home(bank, folder / f"home{tally.stops}", chance, plant, database=url)
                home.make()
                _books(home, server, min(PER_BOOKS, stops - tally.stops), tally)
    return tally


def _books(home: Home, server: Cluster, stops: int, tally: Tally) -> None:
    selling = Selling(home, Child(lambda tell: home.sell_on(tell, tally.stops)))
    found: list[str] = []
    try:
        for number in range(1, stops + 1):
            tally.met += selling.stop(server)
            tally.stops += 1
            verify = number % VERIFY_EVERY == 0
            found = home.wrong(verify=verify)
            tally.verified += verify
            tally.looked_for += len(home.told)
            if found:
                break
    except Silent as error:
        found = [f"does not go on: {error}"]
    finally:
        selling.till.kill()
    if not found:
        home.hear(selling.till)
        found = home.wrong_at_last()
        tally.verified += 1
    tally.failures += [f"stop {tally.stops}: {'; '.join(found[:3])}"] if found else []
    tally.orders += sum(promise.word == "order" for promise in home.told)
    tally.payments += sum(promise.word == PAYMENT for promise in home.told)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.pg_stops")
    parser.add_argument("--stops", type=int, default=STOPS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--plant", choices=PLANTS, default="", help="a fault in the till, which must be found")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="truetill-stops-") as name, bank_process(Path(name) / "bank") as bank:
        tally = run(bank, Path(name), given.stops, given.seed, given.plant)
    print(f"seed {given.seed}, {given.plant or 'as shipped'}: {tally} ({time.monotonic() - started:.0f} s)")
    print("\n".join(f"  {failure}" for failure in tally.failures))
    return int(bool(tally.failures) != bool(given.plant))


if __name__ == "__main__":
    sys.exit(main())
