"""Kill -9 at every commit and every call of a day: nothing acknowledged is lost, nobody is charged twice.

Here at one point in fourteen. `./run prove crash` kills at each of them through one gateway, at every second one
through the other, and at every fourth one of the two days that differ from these in little.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.crash.driver import WAYS
from tests.processes import ROOT
from tests.shop import Bank, bank_process

ALL = "TRUETILL_EVERY_KILL_POINT"
EVERY = {"stripe": 1, "razorpay": 2, "upi": 4, "captures": 4} if os.environ.get(ALL) else dict.fromkeys(WAYS, 14)
SHARDS = 2
LEAST_POINTS = 100
WITHIN_S = 600


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with bank_process(tmp_path_factory.mktemp("bank")) as made:
        yield made


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("way", WAYS)
def test_the_plug_is_pulled_at_every_point(bank: Bank, way: str, shard: int) -> None:
    every = EVERY[way]
    first, step = shard * every + list(WAYS).index(way) % every, SHARDS * every
    command = [sys.executable, "-m", "tests.crash.driver", "--bank", bank.url, "--way", way]
    command += ["--first", str(first), "--step", str(step)]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=WITHIN_S)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr[-2000:]
    points = lines[0]["points"]
    assert len(points) >= LEAST_POINTS, points
    tried = lines[1:]
    print("\n".join(f"{way} {line['point']:3} {line['name']}" for line in tried))
    assert len(tried) == len(range(first, len(points), step))
    assert [line for line in tried if line["wrong"]] == []
