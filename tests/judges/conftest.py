"""Starts a judge as a process of its own, and keeps what it was asked.

`npm ci` in this folder installs them (`./run test` does it once). Both listen on 127.0.0.1 only (`loopback.cjs`) and
note every request they answer themselves; each test's part of that goes to `out/judges`, and there must be some.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.judges.go_between import GoBetween, go_between
from tests.processes import ROOT, Served

HERE = Path(__file__).parent
LOGS = ROOT / "out" / "judges"
NODE_MIN = 18  # the first with `fetch`, which emulate needs to send webhooks
NOTED_WITHIN_S = 5.0


@dataclass
class Judge:
    """A running judge and the file in which it notes what it was asked."""

    name: str
    url: str
    log: Path
    pid: int

    def asked(self, since: int = 0) -> list[dict[str, object]]:
        """Method, path and status of its requests, from that byte of its log on."""
        with self.log.open("rb") as log:
            log.seek(since)
            return [json.loads(line) for line in log if line.endswith(b"\n")]


def _node() -> str:
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / ".package-lock.json").exists():
        pytest.skip("needs node and `npm ci --ignore-scripts` in tests/judges; ./run test does that where npm is there")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < NODE_MIN:
        pytest.skip(f"needs node {NODE_MIN} or newer, this is {version.strip()}")
    return node


@contextlib.contextmanager
def _serve(name: str, folder: Path, *command: str) -> Iterator[Judge]:
    log = folder / f"{name}.jsonl"
    log.touch()
    process = subprocess.Popen(
        [_node(), "--require", str(HERE / "loopback.cjs"), *command],
        cwd=HERE,
        env={**os.environ, "JUDGE_LOG": str(log), "NO_UPDATE_NOTIFIER": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    served = Served(process)
    try:
        yield Judge(name, served.wait_ready(), log, process.pid)
    finally:
        served.kill()


@contextlib.contextmanager
def _watched(judge: Judge, test: str) -> Iterator[None]:
    """What this test asked of the judge, into a file of its own; and there must be something."""
    before = judge.log.stat().st_size
    yield
    ends = time.monotonic() + NOTED_WITHIN_S
    while not judge.asked(before) and time.monotonic() < ends:
        threading.Event().wait(0.02)  # it notes a request when the answer has left, which may be a moment ago
    asked = judge.asked(before)
    assert asked, f"{judge.name} was asked nothing"
    LOGS.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    (LOGS / f"{judge.name}-{test[:80].replace('/', '_')}.jsonl").write_text(lines)


@pytest.fixture(scope="module")
def stateful_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with _serve("stateful", tmp_path_factory.mktemp("stateful"), "stateful.cjs") as judge:
        yield judge


@pytest.fixture
def stateful(stateful_process: Judge, request: pytest.FixtureRequest) -> Iterator[Judge]:
    """stripe-stateful-mock: charges, refunds and idempotency keys as Stripe had them in 2020."""
    with _watched(stateful_process, request.node.name):
        yield stateful_process


@pytest.fixture(scope="module")
def emulate_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Judge, GoBetween]]:
    folder = tmp_path_factory.mktemp("emulate")
    with go_between() as between:
        seed = folder / "seed.json"
        hook = {"url": f"{between.url}/hooks", "secret": between.secret, "events": ["*"]}
        seed.write_text(json.dumps({"stripe": {"webhooks": [hook]}}))
        program = "node_modules/emulate/dist/index.js"
        options = ["start", "--service", "stripe", "--seed", str(seed), "--base-url", between.url]
        with _serve("emulate", folder, program, *options) as judge:
            between.to = judge.url
            yield judge, between


@pytest.fixture
def emulate(emulate_process: tuple[Judge, GoBetween], request: pytest.FixtureRequest) -> Iterator[GoBetween]:
    """emulate's Checkout Sessions, behind the go-between that our adapter talks to."""
    judge, between = emulate_process
    between.heard.clear()
    with _watched(judge, request.node.name):
        yield between
