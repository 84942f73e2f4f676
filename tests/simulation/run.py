"""Running seeds: one after the other in each process, printed with what they met.

python -m tests.simulation.run --seeds 2000 --steps 100      all of them
python -m tests.simulation.run --seed 17 --steps 100         one, with what happened in it
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.acts import Crowd
from tests.simulation.checks import Watch, evidence
from tests.simulation.places import Crash
from tests.simulation.world import TILLS, Ground, World, simulated

STEPS = 100
SEEDS = 2_000
MINUTES = 60.0
PROCESSES = 2
FAILED_MAX = 20
"""Failing seeds after which a run is not worth going on."""


@dataclass
class Played:
    """One seed. `failures` is empty when all held."""

    seed: int
    steps: int = 0
    commits: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    story: str = ""


def play(ground: Ground, seed: int, steps: int = STEPS, *, story: bool = False) -> Played:
    """One seed, from the first sale to the day after; it stops at the first step after which something is wrong."""
    done = Played(seed)
    with simulated(ground, seed) as (loop, world):
        try:
            loop.run_until_complete(play_on(world, steps, done))
        except BaseException as error:  # noqa: BLE001 - whatever it is, this seed fails
            world.failures.append(f"the simulation broke: {error!r}")
            if story or not isinstance(error, Exception | Crash):
                traceback.print_exc()
        if story:
            done.story = evidence(world)
            if (error := world.last_error) is not None:
                done.story += "".join(traceback.format_exception(error))
        loop.run_until_complete(world.close())
        done.commits, done.hits, done.failures = world.commits, world.hits, world.failures
    return done


async def play_on(world: World, steps: int, done: Played) -> None:
    watch = Watch(world)
    world.in_write = watch.in_write
    for name in TILLS:
        world.start_till(name)
    crowd = Crowd(world, watch)
    for _ in range(steps):
        await crowd.step()
        done.steps += 1
        watch.look()
        if world.failures:
            world.failures[:] = [f"step {done.steps}: {what}" for what in world.failures]
            return
    await watch.end()


def orphaned() -> bool:
    """Whether who started this process was killed: nobody listens any more."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def _worker(seeds: list[int], steps: int, results: multiprocessing.Queue[Played | None]) -> None:
    ground = Ground()
    try:
        for seed in seeds:
            if orphaned():
                return
            results.put(play(ground, seed, steps))
    finally:
        ground.close()
        results.put(None)


def run(seeds: list[int], steps: int, processes: int, within_s: float) -> list[Played]:
    """Seeds, spread over processes, told as they come; ends early when too many fail, or the time is over."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[Played | None] = context.Queue()
    parts = [seeds[index::processes] for index in range(processes)]
    workers = [context.Process(target=_worker, args=(part, steps, results)) for part in parts if part]
    for worker in workers:
        worker.start()
    played: list[Played] = []
    waiting, started = len(workers), time.monotonic()
    while waiting:
        one = results.get()
        if one is None:
            waiting -= 1
            continue
        played.append(one)
        if one.failures:
            print(f"seed {one.seed} fails: {'; '.join(one.failures[:3])}", flush=True)
        if len(played) % 100 == 0:
            print(f"{len(played)} seeds in {time.monotonic() - started:.0f} s", flush=True)
        if sum(bool(p.failures) for p in played) >= FAILED_MAX:
            print("too many fail; stopped", flush=True)
            break
        if time.monotonic() - started > within_s:
            print("the time is over; stopped", flush=True)
            break
    for worker in workers:
        if waiting:
            worker.terminate()
        worker.join()
    return played


def told(played: list[Played]) -> str:
    hits: Counter[str] = sum((p.hits for p in played), Counter())
    failed = [p.seed for p in played if p.failures]
    lines = [f"  {count:>8} {name}" for name, count in sorted(hits.items())]
    lines.append(
        f"{len(played)} seeds, {sum(p.steps for p in played)} steps, {sum(p.commits for p in played)} commits; "
        f"{len(failed)} seeds fail{': ' + ', '.join(map(str, failed)) if failed else ''}"
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run prove simulation")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="stop then, however many were played")
    parser.add_argument("--seed", type=int, help="this one alone, with its story")
    given = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets of words must come in one order, or a seed is no seed
        again = [sys.executable, "-m", "tests.simulation.run", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | {"PYTHONHASHSEED": "0"})
    if given.seed is not None:
        ground = Ground()
        one = play(ground, given.seed, given.steps, story=True)
        ground.close()
        print(one.story)
        print(told([one]))
        print("\n".join(one.failures) or "all holds")
        return 1 if one.failures else 0
    seeds = list(range(given.first, given.first + given.seeds))
    played = run(seeds, given.steps, PROCESSES, given.minutes * 60)
    print(told(played))
    return 1 if any(p.failures for p in played) else 0


if __name__ == "__main__":
    sys.exit(main())
