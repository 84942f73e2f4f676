"""Kill -9 at every commit and every call of a day: nothing acknowledged is lost, nobody is charged twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.processes import ROOT
from tests.shop import Bank, bank_process

SHARDS = 4
LEAST_POINTS = 60
WITHIN_S = 240


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with bank_process(tmp_path_factory.mktemp("bank")) as made:
        yield made


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_plug_is_pulled_at_every_point(bank: Bank, shard: int) -> None:
    command = [sys.executable, "-m", "tests.crash.driver", "--bank", bank.url, "--shard", f"{shard}/{SHARDS}"]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=WITHIN_S)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr[-2000:]
    points = lines[0]["points"]
    assert len(points) >= LEAST_POINTS, points
    print("\n".join(f"{number:3} {name}" for number, name in enumerate(points)))
    tried = lines[1:]
    assert len(tried) == len(range(shard, len(points), SHARDS))
    assert [line for line in tried if line["wrong"]] == []
