"""Power cuts: one write log is recorded under a real till, then the machine fails at a thousand points of it.

    python -m tests.crash.powercut --cuts 1000 --seed 1            record, cut, look
    python -m tests.crash.powercut --plant normal                  the same with synchronous=NORMAL: must lose
    python -m tests.crash.powercut --log FOLDER --at 812 --mode torn     one cut again, of a log that was kept

At each point the disk holds what was synced for sure; of what came later nothing (`none`), any sectors (`random`), or
all up to one write that is torn (`torn`); `writelog.py` says what is taken for granted. On that disk the till is opened
by its own code. Its books must stand as they did after the last commit that was answered, or after the one that was
under way: row by row, `books verify` clean, every promise kept, and it must sell on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pos.app.config import load
from pos.app.wiring import open_database
from pos.domain.errors import PosError
from tests.crash import writelog
from tests.crash.driver import KEYS, _Address
from tests.crash.plants import PLANTS
from tests.crash.promises import PAYMENT, Found, Promise, digest, examine, promise_of
from tests.crash.recorded import STATE
from tests.crash.writelog import MODES, NONE, Disk, Record
from tests.processes import ROOT, environment
from tests.shop import TEA, Bank, MovedClock, Shop, bank_process, reopen, settings_text

CUTS, ORDERS, SEED = 1_000, 50, 1
WITHIN_S = 300
BOOKS, WAL, INDEX = "till.db", "till.db-wal", "till.db-shm"
INDEX_BYTES = 32_768
KEPT = ROOT / "out" / "crash"
FAILURES_TOLD = 10
TOLD_EVERY = 100
FAST = Path("/dev/shm")  # the disks that are cut are made here, where there is such a place


@dataclass
class Log:
    """What was recorded, in a folder: `before/`, the home as it was first; `home/`, as it is at the end; `log`."""

    folder: Path
    bank_url: str = ""

    @property
    def records(self) -> list[Record]:
        return writelog.read(self.folder / "log")

    @property
    def keys(self) -> dict[str, str]:
        keys: dict[str, str] = json.loads((self.folder / KEYS).read_text(encoding="utf-8"))
        return keys


def record(bank: Bank, folder: Path, orders: int, seed: int, plant: str = "") -> Log:
    """Raises RuntimeError with what the recorded process said."""
    library = writelog.build(folder)
    if library is None:
        raise RuntimeError("no C compiler: `apt-get install gcc libc6-dev`; `./run test` does it")
    for name in ("home", "before"):
        (folder / name).mkdir()
        (folder / name / "settings.toml").write_text(settings_text(bank.url), encoding="utf-8")
    (folder / KEYS).write_text(json.dumps(bank.new_keys()), encoding="utf-8")
    home = folder / "home"
    command = [sys.executable, "-m", "tests.crash.recorded", "--bank", bank.url, "--home", str(home)]
    command += ["--orders", str(orders), "--seed", str(seed), *(["--plant", plant] if plant else [])]
    logged = writelog.environment(library, home, folder / "log", folder / "marks")
    done = subprocess.run(
        command, cwd=ROOT, env=environment(logged), capture_output=True, text=True, check=False, timeout=WITHIN_S
    )
    if done.returncode:
        raise RuntimeError(f"the recorded till ended with {done.returncode}: {done.stderr[-2000:]}")
    return Log(folder, bank.url)


@dataclass
class Story:
    """What the marks of a log say. `states`: where a commit was answered, and the digest of the books it left.

    The first are new books, which an interrupted start leaves.
    """

    states: list[tuple[int, str]] = field(default_factory=list)
    promises: list[tuple[int, Promise]] = field(default_factory=list)

    @classmethod
    def of(cls, records: list[Record], new_books: str) -> Story:
        story = cls([(0, new_books)])
        for at, each in enumerate(records, 1):
            if each.what != "M":
                continue
            words = each.data.decode()
            if words.startswith(STATE):
                story.states.append((at, words.removeprefix(STATE).strip()))
            else:
                story.promises.append((at, promise_of(words)))
        return story

    def told(self, at: int) -> list[Promise]:
        return [promise for when, promise in self.promises if when <= at]

    def misplaced(self, at: int, found: str) -> Found:
        """How the books that were found after a cut at `at` differ from what two commits allow."""
        answered = sum(when <= at for when, _ in self.states)
        known = [number for number, (_, state) in enumerate(self.states, 1) if state == found]
        if not known:
            return Found([], ["half-written: the books are as no commit left them"], [])
        if answered in known or answered + 1 in known:
            return Found([], [], [])
        return Found([f"lost: commit {answered} was answered, the books are as after {max(known)}"], [], [])


@dataclass
class Tally:
    """All cuts of one log."""

    cuts: Counter[str] = field(default_factory=Counter)
    undone: int = 0
    orders: int = 0
    payments: int = 0
    lossy: int = 0
    lost_orders: int = 0
    lost_payments: int = 0
    half: int = 0
    broken: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, at: int, mode: str, pending: int, told: list[Promise], found: Found) -> None:
        self.cuts[mode] += 1
        self.undone += bool(pending)
        self.orders += sum(p.word == "order" for p in told)
        self.payments += sum(p.word == PAYMENT for p in told)
        self.lossy += bool(found.lost)
        self.lost_orders += sum(why.startswith("lost: order ") for why in found.lost)
        self.lost_payments += sum(why.startswith(f"lost: {PAYMENT} ") for why in found.lost)
        self.half += bool(found.half)
        self.broken += bool(found.broken)
        self.failures += [f"at {at}, {mode}: {'; '.join(found.wrong[:3])}"] if found.wrong else []

    def __str__(self) -> str:
        modes = ", ".join(f"{self.cuts[mode]} {mode}" for mode in MODES)
        return (
            f"{self.cuts.total()} power cuts ({modes}; {self.undone} with writes under way): acknowledged and looked "
            f"for {self.orders} orders, {self.payments} payments; cuts that lost something {self.lossy} "
            f"({self.lost_orders} orders, {self.lost_payments} payments), half-written {self.half}, "
            f"broken {self.broken}"
        )


def points(length: int, cuts: int, seed: int) -> Iterator[tuple[int, str]]:
    """Where to cut, in order, each mode equally often."""
    chance = random.Random(seed)
    chosen = [(chance.randint(0, length), MODES[number % len(MODES)]) for number in range(cuts)]
    yield from sorted(chosen)


def replay(log: Log, wanted: Iterator[tuple[int, str]], seed: int) -> Tally:
    """Cut, look, count. Raises RuntimeError where the log itself is not what was written."""
    records = log.records
    disk, tally = Disk.holding(log.folder / "before"), Tally()
    with tempfile.TemporaryDirectory(dir=FAST if FAST.is_dir() else None, prefix="truetill-cut-") as scratch:
        put(disk.whole(), Path(scratch) / "new")
        story = Story.of(records, look(Path(scratch) / "new"))
        for at, mode in wanted:
            for each in records[disk.taken : at]:
                disk.take(each)
            chance = random.Random(f"{seed}:{at}:{mode}")
            home = Path(scratch) / f"{at}-{mode}-{tally.cuts.total()}"
            put(disk.cut(mode, chance), home, rubbish=chance.randbytes(INDEX_BYTES) if mode != NONE else b"")
            told = story.told(at)
            found = asyncio.run(judge(log, home, at, story, told))
            tally.add(at, mode, disk.pending, told, found)
            shutil.rmtree(home)
            if tally.cuts.total() % TOLD_EVERY == 0:
                print(f"{tally.cuts.total()} power cuts, {len(tally.failures)} failures", flush=True)
    for each in records[disk.taken :]:
        disk.take(each)
    check_whole(disk, log.folder / "home")
    return tally


def put(files: dict[str, bytes], home: Path, *, rubbish: bytes = b"") -> None:
    """`rubbish`: in SQLite's index of its log, which no sync ever brings to a disk."""
    home.mkdir()
    for name, content in files.items():
        (home / name).write_bytes(content)
    if rubbish and WAL in files:
        (home / INDEX).write_bytes(rubbish)


def check_whole(disk: Disk, home: Path) -> None:
    """The log, replayed whole, must give the files that lie there: else something was written past it."""
    real = {path.name: path.read_bytes() for path in home.iterdir() if path.name != INDEX}
    replayed = disk.whole()
    if real != replayed:
        names = sorted(name for name in real.keys() | replayed.keys() if real.get(name) != replayed.get(name))
        raise RuntimeError(f"the log does not give the files that were written: {', '.join(names)}")


async def judge(log: Log, home: Path, at: int, story: Story, told: list[Promise]) -> Found:
    try:
        standing = look(home)
    except (PosError, sqlite3.Error) as error:
        return Found([], [], [f"does not open: {error}"])
    placed = story.misplaced(at, standing)
    bank = Bank(_Address(log.bank_url), Path())  # type: ignore[arg-type]
    shop = reopen(Shop(None, bank, MovedClock(), home, log.keys))  # type: ignore[arg-type]
    try:
        found = await examine(shop.till, told)
        sale = await shop.till.cash.sell(shop.lines(TEA), TEA.price_minor, key="after")
        if (await shop.till.queries.order("after")).kept_minor != sale.kept_minor:
            found.broken.append("the next sale is not there")
    except PosError as error:
        return Found([], [], [f"does not go on: {error}"])
    finally:
        await shop.till.close()
    return Found(placed.lost + found.lost, placed.half + found.half, found.broken)


def look(home: Path) -> str:
    """Open the books as a till does; the digest of what stands in them. Raises PosError, sqlite3.Error."""
    database = open_database(home, load(home))
    try:
        with database.engine.connect() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        if said != ["ok"]:
            raise sqlite3.DatabaseError(f"integrity_check: {said[:3]}")
        return digest(home / BOOKS)
    finally:
        database.close()


def main() -> int:
    given = _arguments()
    started = time.monotonic()
    if given.log:
        log = Log(given.log)
        one = iter([(given.at, given.mode)])
        wanted = one if given.at is not None else points(len(log.records), given.cuts, given.seed)
        return told(replay(log, wanted, given.seed), given, log)
    with tempfile.TemporaryDirectory(prefix="truetill-log-") as name:
        folder = Path(name) / "log"
        folder.mkdir()
        with bank_process(Path(name) / "bank") as bank:
            log = record(bank, folder, given.orders, given.seed, given.plant)
        written = Counter(each.what for each in log.records)
        print(f"recorded in {time.monotonic() - started:.0f} s: {dict(sorted(written.items()))}", flush=True)
        tally = replay(log, points(written.total(), given.cuts, given.seed), given.seed)
        if tally.failures and not given.plant:
            log = keep(log)
    print(f"{time.monotonic() - started:.0f} s")
    return told(tally, given, log)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.powercut")
    parser.add_argument("--cuts", type=int, default=CUTS)
    parser.add_argument("--orders", type=int, default=ORDERS, help="sales of the day that is recorded")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--plant", choices=PLANTS, default="", help="a fault in the recorded till, which must show")
    parser.add_argument("--log", type=Path, help="cut a log that was kept, instead of recording one")
    parser.add_argument("--at", type=int, help="the one point of --log to cut at")
    parser.add_argument("--mode", choices=MODES, default=NONE)
    return parser.parse_args()


def keep(log: Log) -> Log:
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = Path(tempfile.mkdtemp(dir=KEPT, prefix="powercut-"))
    shutil.copytree(log.folder, kept, dirs_exist_ok=True)
    return Log(kept, log.bank_url)


def told(tally: Tally, given: argparse.Namespace, log: Log) -> int:
    """Say it. 0: nothing was lost; with a plant: something was, as it must be."""
    print(f"seed {given.seed}, {given.plant or 'as shipped'}: {tally}", flush=True)
    for failure in tally.failures[:FAILURES_TOLD]:
        print(f"  {failure}")
    if given.plant:
        return 0 if tally.failures else 1
    if tally.failures:
        print(f"again: python -m tests.crash.powercut --seed {given.seed} --log {log.folder} --at POINT --mode MODE")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
