"""What became of the simulation's orders, followed in the model: the model must admit it, or one of the two is wrong.

    python -m tests.model.traces --seeds 64

After each commit of a simulated till every order is looked at: the phases of its attempts, what is known of their
payments, cash, and what the bank has captured. The sequence of these is the order's trace. For each trace the model
gets an observer (a never claim, in lockstep with it) that walks along only while the model's own variables take these
values, one after the other; a run that brings it to its end does what the code did. Several variables may change in one
commit, which the model does in steps: between two looks each has its old or its new value.

Orders outside of the model's scope are left out and counted: more than two attempts, refunds, other tenders than cash,
a share of the price, another amount than the link asked for, or money forced past the gateway's own rules.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from tests.model.__main__ import MODEL, RUN_S, available
from tests.simulation.checks import rows_at_bank
from tests.simulation.places import InlineDatabase
from tests.simulation.run import Played, play_on
from tests.simulation.world import Ground, World, simulated

SEEDS, STEPS = 64, 100
PROCESSES = 2
LINKS = 2
PHASES = {
    "drafted": "REQUESTING",
    "requesting": "REQUESTING",
    "open": "OPEN",
    "closing": "CLOSING",
    "closed": "CLOSED",
    "released": "RELEASED",
    "abandoned": "ABANDONED",
}
DEPTH = 200_000
WORLD = ("LATE", "OVERRIDE")


class Seen(NamedTuple):
    """One order after one commit; the model's variables of the same names."""

    phase: tuple[str, ...] = ("NONE",) * LINKS
    known: tuple[bool, ...] = (False,) * LINKS
    cash: bool = False
    captured: tuple[bool, ...] = (False,) * LINKS
    """At the bank."""

    @property
    def values(self) -> dict[str, str]:
        """The till's, as Promela says them."""
        found = {f"phase[{i}]": self.phase[i] for i in range(LINKS)}
        found |= {f"known[{i}]": str(self.known[i]).lower() for i in range(LINKS)}
        return found | {"cash": str(self.cash).lower()}


Trace = tuple[Seen, ...]


@dataclass
class Observer:
    """Of one seed."""

    world: World
    traces: dict[str, list[Seen]] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)

    def look(self, database: InlineDatabase) -> None:
        with database.engine.connect() as connection:
            rows = connection.exec_driver_sql
            attempts = rows(
                "SELECT a.order_id, a.no, a.phase, a.reference, a.link_id, a.amount_minor = o.total_minor AS whole"
                " FROM attempt a JOIN orders o ON o.id = a.order_id ORDER BY a.order_id, a.no"
            ).all()
            captured = set(
                rows(
                    "SELECT b.target FROM fact b JOIN fact c ON c.object = b.object AND c.kind = 'payment.captured'"
                    " WHERE b.kind IN ('payment.of.link', 'payment.of.reference')"
                ).scalars()
            )
            tenders = rows("SELECT order_id, method, amount_minor FROM tender").all()
            refunds = rows("SELECT order_id FROM refund").scalars().all()
            ids = rows("SELECT id FROM orders").scalars().all()
        self.outside |= dict.fromkeys(refunds, "a refund")
        self.outside |= {
            row.order_id: "another tender" for row in tenders if row.method != "cash" or row.amount_minor < 0
        }
        self.outside |= {row.order_id: "a third attempt" for row in attempts if row.no > LINKS}
        self.outside |= {row.order_id: "a share" for row in attempts if not row.whole}
        cash = {row.order_id for row in tenders}
        there = {reference for (reference,) in self._bank("p.captured_minor > 0")}
        self.outside |= {ref.rpartition("_")[0]: "forced money" for (ref,) in self._bank("p.forced = 1")}
        other = "p.captured_minor NOT IN (0, l.amount_minor)"
        self.outside |= {ref.rpartition("_")[0]: "another amount" for (ref,) in self._bank(other)}
        for order_id in ids:
            own = {row.no: row for row in attempts if row.order_id == order_id}
            self._note(order_id, _seen(own, captured, there, cash=order_id in cash))

    def _bank(self, condition: str) -> list[tuple[Any, ...]]:
        sql = f"SELECT l.reference FROM payment p JOIN link l ON l.id = p.link WHERE {condition}"
        return rows_at_bank(self.world, sql)

    def _note(self, order_id: str, seen: Seen) -> None:
        trace = self.traces.setdefault(order_id, [Seen()])
        if trace[-1] != seen:
            trace.append(seen)


def _seen(own: Mapping[int, Any], captured: set[str], there: set[str], *, cash: bool) -> Seen:
    rows = [own.get(no) for no in range(1, LINKS + 1)]
    return Seen(
        tuple(PHASES[row.phase] if row else "NONE" for row in rows),
        tuple(bool(row and {row.reference, row.link_id} & captured) for row in rows),
        cash,
        tuple(bool(row and row.reference in there) for row in rows),
    )


@contextmanager
def observed(world: World) -> Iterator[Observer]:
    """Every commit of its tills, also one after which the till crashed; never what was not committed."""
    observer, transact = Observer(world), InlineDatabase._transact

    def traced(self: InlineDatabase, fn: Any) -> Any:
        try:
            return transact(self, fn)
        finally:
            observer.look(self)

    InlineDatabase._transact = traced  # type: ignore[method-assign]
    try:
        yield observer
    finally:
        InlineDatabase._transact = transact  # type: ignore[method-assign]


def recorded(ground: Ground, seed: int, steps: int = STEPS, *, may_fail: bool = False) -> Observer:
    """A seed of the simulation, observed. Raises RuntimeError when the seed fails by itself, unless it may."""
    done = Played(seed)
    with simulated(ground, seed) as (loop, world), observed(world) as observer:
        loop.run_until_complete(play_on(world, steps, done))
        loop.run_until_complete(world.close())
    if world.failures and not may_fail:
        raise RuntimeError(f"seed {seed} fails: {world.failures[:3]}")
    return observer


# --- the model's side -------------------------------------------------------------------------------------------------


WANTED = """c_decl {
    static int wanted;
    __attribute__((constructor)) static void read_wanted(void) { wanted = atoi(getenv("WANTED")); }
}"""


def claim(traces: Sequence[Trace]) -> str:
    """An observer for all of them; `WANTED` in the environment says which one it walks along."""
    lines = [
        WANTED,
        "never traces {",
        "    if",
        *(f"    :: c_expr {{ wanted == {number} }} -> goto at_{number}_0" for number in range(len(traces))),
        "    fi;",
    ]
    for number, trace in enumerate(traces):
        for at, (now, then) in enumerate(pairwise(trace)):
            last = at == len(trace) - 2
            lines += [
                f"at_{number}_{at}:",
                "    if",
                f"    :: {_between(now, then)} -> goto at_{number}_{at}",
                f"    :: {_exactly(then)} -> goto {'found' if last else f'at_{number}_{at + 1}'}",
                "    fi;",
            ]
    return "\n".join([*lines, "found: skip", "}", ""])


def _exactly(seen: Seen) -> str:
    words = [f"{name} == {value}" for name, value in seen.values.items()]
    words += [f"pay[{i}] {'==' if seen.captured[i] else '!='} P_CAPTURED" for i in range(LINKS)]
    return "(" + " && ".join(words) + ")"


def _between(now: Seen, then: Seen) -> str:
    after = then.values
    words = []
    for name, value in now.values.items():
        words.append(
            f"{name} == {value}" if after[name] == value else f"({name} == {value} || {name} == {after[name]})"
        )
    return "(" + " && ".join(words) + ")"


class Follower:
    """The model with an observer for these traces, built once in `folder`."""

    def __init__(self, folder: Path, traces: Sequence[Trace]) -> None:
        self._folder = folder
        text = MODEL.read_text(encoding="utf-8").partition("/* One settlement at most")[0]
        (folder / "traced.pml").write_text(text + claim(traces), encoding="utf-8")
        self._run(["spin", "-a", *(f"-D{switch}" for switch in WORLD), "traced.pml"])
        # NOREDUCE: the observer sees each step; SAFETY: it asks only whether its end is reached
        self._run(["cc", "-O1", "-w", "-DSAFETY", "-DNOREDUCE", "-DCOLLAPSE", "-o", "pan", "pan.c"])

    def admits(self, number: int) -> bool:
        said = self._run(["./pan", f"-m{DEPTH}"], {"WANTED": str(number)})
        if "max search depth too small" in said or "errors:" not in said:
            raise RuntimeError(f"the checker did not finish: {said[-1000:]}")
        return "errors: 0" not in said

    def _run(self, command: list[str], env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=os.environ | (env or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_S,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout[-1500:]}{done.stderr[-1000:]}")
        return done.stdout


NEW, ASKED, SHOWN = Seen(), Seen(("REQUESTING", "NONE")), Seen(("OPEN", "NONE"))
FORGED: dict[str, Trace] = {
    "paid here, not captured there": (NEW, ASKED, SHOWN, SHOWN._replace(known=(True, False))),
    "a second link while the first is open": (NEW, ASKED, SHOWN, Seen(("OPEN", "REQUESTING"))),
    "cash beside an open link": (NEW, ASKED, SHOWN, SHOWN._replace(cash=True)),
    "shown after it was given up": (NEW, ASKED, Seen(("ABANDONED", "NONE")), SHOWN),
    "cash for what is paid": (
        NEW, ASKED, SHOWN, Seen(("CLOSED", "NONE")), Seen(("CLOSED", "REQUESTING")), Seen(("CLOSED", "OPEN")),
        Seen(("CLOSED", "OPEN"), (False, False), False, (False, True)),
        Seen(("CLOSED", "CLOSED"), (False, True), False, (False, True)),
        Seen(("CLOSED", "CLOSED"), (False, True), True, (False, True)),
    ),
}  # fmt: skip
"""Traces that no till may make."""


@dataclass
class Tally:
    seeds: int = 0
    orders: int = 0
    outside: Counter[str] = field(default_factory=Counter)
    distinct: dict[Trace, tuple[int, str]] = field(default_factory=dict)
    """With the first seed and order that made it."""

    def add(self, seed: int, observer: Observer) -> None:
        self.seeds += 1
        self.orders += len(observer.traces)
        self.outside.update(observer.outside.values())
        for order_id, trace in observer.traces.items():
            if order_id not in observer.outside and len(trace) > 1:
                self.distinct.setdefault(tuple(trace), (seed, order_id))

    def join(self, other: Tally) -> None:
        self.seeds += other.seeds
        self.orders += other.orders
        self.outside += other.outside
        self.distinct = other.distinct | self.distinct

    def __str__(self) -> str:
        left_out = ", ".join(f"{count} {why}" for why, count in sorted(self.outside.items()))
        return f"{self.seeds} seeds, {self.orders} orders (left out: {left_out}), {len(self.distinct)} different traces"


def played(seeds: Sequence[int]) -> Tally:
    ground, tally = Ground(), Tally()
    try:
        for seed in seeds:
            tally.add(seed, recorded(ground, seed))
    finally:
        ground.close()
    return tally


def not_admitted(folder: Path, tally: Tally) -> list[str]:
    """Traces of the code that the model does not have, and forged ones that it has."""
    traces = list(tally.distinct)
    follower = Follower(folder, [*traces, *FORGED.values()])
    wrong = []
    for number, trace in enumerate(traces):
        if not follower.admits(number):
            seed, order_id = tally.distinct[trace]
            steps = "\n    ".join(str(seen) for seen in trace)
            wrong.append(f"not in the model: order {order_id} of seed {seed}\n    {steps}")
    for number, name in enumerate(FORGED, len(traces)):
        if follower.admits(number):
            wrong.append(f"the model admits a forged trace: {name}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.model.traces")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first", type=int, default=1)
    given = parser.parse_args()
    if not available():
        print("NOT RUN: it needs Debian's packages spin and gcc", file=sys.stderr)
        return 1
    if os.environ.get("PYTHONHASHSEED") != "0":  # as the simulation: a seed is one order of everything
        again = [sys.executable, "-m", "tests.model.traces", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | {"PYTHONHASHSEED": "0"})
    started, tally = time.monotonic(), Tally()
    seeds = range(given.first, given.first + given.seeds)
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(played, [seeds[index::PROCESSES] for index in range(PROCESSES)]):
            tally.join(part)
    print(f"{tally} ({time.monotonic() - started:.0f} s)", flush=True)
    with tempfile.TemporaryDirectory(prefix="truetill-traces-") as folder:
        wrong = not_admitted(Path(folder), tally)
    print("\n".join(wrong) or f"the model admits every one, and none of {len(FORGED)} forged ones")
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if wrong or not tally.distinct else 0


if __name__ == "__main__":
    sys.exit(main())
