"""Short forms of the kills and of PostgreSQL's stops of `./run prove crash`; each is the command that it prints.

They are commands because they fork, which a process of the tests with its threads must not.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.crash.__main__ import JOBS
from tests.processes import ROOT, environment
from tests.prove import PROOFS

KILLS, STOPS, SEED = 15, 2, 3
WITHIN_S = 600


def run(module: str, *words: str) -> str:
    """Its last words. Fails with all of them."""
    command = ["-m", f"tests.crash.{module}", *words, "--seed", str(SEED)]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
    print(f"python {' '.join(command)}\n{done.stdout}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_acknowledged_is_lost_by_kills_at_any_moment() -> None:
    assert f"{KILLS} kills" in run("kills", "--kills", str(KILLS))


def test_kills_find_a_till_that_acknowledges_too_early() -> None:
    assert "lost: " in run("kills", "--kills", "60", "--plant", "early")


@pytest.mark.xdist_group("a server that is stopped")
def test_nothing_acknowledged_is_lost_when_postgresql_stops_at_once() -> None:
    assert f"{STOPS} immediate stops" in run("pg_stops", "--stops", str(STOPS))


@pytest.mark.xdist_group("a server that is stopped")
def test_stops_find_a_till_that_acknowledges_too_early() -> None:
    assert "lost: " in run("pg_stops", "--stops", "8", "--plant", "early")


def test_the_proof_is_as_long_as_it_says() -> None:
    """A thousand kills and a thousand power cuts, and the same harness with what it must find."""

    def total(module: str, option: str) -> int:
        honest = [words for words in JOBS.values() if words[1] == f"tests.crash.{module}" and "--plant" not in words]
        return sum(int(words[words.index(option) + 1]) for words in honest)

    assert PROOFS["crash"] == ["-m", "tests.crash"]
    assert (total("kills", "--kills"), total("powercut", "--cuts")) == (1_000, 1_000)
    assert total("pg_stops", "--stops") >= 60
    assert [words for words in JOBS.values() if words[-2:] == ["--plant", "normal"]]
