"""For all tests: patience while a fresh checkout warms up, and a line that says what the judges were asked."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import Cluster, cluster
from tests.processes import ROOT

# A first run builds Hypothesis's tables of letters in the middle of a test, which takes a second on a busy machine.
settings.register_profile("house", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

JUDGES = ROOT / "out" / "judges"
STARTED = pytest.StashKey[float]()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """One server for all tests of a worker."""
    with cluster() as made:
        yield made


@pytest.fixture
def postgresql_url(postgresql: Cluster) -> Iterator[str]:
    """A database of the test's own."""
    with postgresql.database() as url:
        yield url


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STARTED] = time.time()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Requests per judge in this run, by the logs that tests leave in `out/judges`: `<judge>-<test>.jsonl`."""
    asked = Counter[str]()
    for log in JUDGES.glob("*.jsonl"):
        if log.stat().st_mtime >= config.stash[STARTED] - 1:  # a file system may keep whole seconds
            asked[log.name.partition("-")[0]] += len(log.read_text().splitlines())
    if asked:
        counts = ", ".join(f"{judge} {count}" for judge, count in sorted(asked.items()))
        terminalreporter.write_line(f"requests that judges answered or sent: {counts}")
