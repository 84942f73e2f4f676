"""Commands that are forked from a warmed process behave as started ones do: text, exit status, environment, end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.warmed import Warmed

SETTINGS = '[shop]\nname = "Corner"\ncurrency = "INR"\n'


@pytest.fixture(scope="module")
def warmed() -> Iterator[Warmed]:
    made = Warmed()
    yield made
    made.close()


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("POS_") and k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT), "POS_HOME": str(home)} | more


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (["orders", "--json"], ""),
        (["order", "none"], ""),
        (["sell"], ""),
        (["--help"], ""),
        (["nonsense"], ""),
        (["gateways", "add", "stripe", "--mode", "test"], "sk_live_1\n"),
    ],
)
def test_a_command_says_and_ends_as_one_that_was_started(
    warmed: Warmed, home: Path, words: list[str], stdin: str
) -> None:
    env = environment(home)
    started = subprocess.run(
        [sys.executable, "-m", "pos", *words],
        input=stdin, capture_output=True, text=True, check=False, cwd=ROOT, env=env, timeout=60,
    )  # fmt: skip
    forked = warmed.run(words, env, stdin=stdin, within_s=60)
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)


def test_nothing_of_one_command_is_left_for_the_next(warmed: Warmed, home: Path, tmp_path: Path) -> None:
    german = tmp_path / "german"
    german.mkdir()
    (german / "settings.toml").write_text('[shop]\nname = "Ecke"\ncurrency = "EUR"\n', encoding="utf-8")
    shown = [warmed.run(["doctor"], environment(folder), within_s=60).stdout for folder in (home, german, home)]
    assert ("Corner" in shown[0], "Ecke" in shown[1], "Corner" in shown[2], "Ecke" in shown[2]) == (
        True,
        True,
        True,
        False,
    )


def test_a_command_that_takes_too_long_is_ended(warmed: Warmed, home: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        warmed.run(["sync", "--follow"], environment(home), within_s=3)
    assert warmed.run(["orders"], environment(home), within_s=60).returncode == 0


def test_an_environment_that_counts_at_the_start_is_not_served(warmed: Warmed, home: Path) -> None:
    assert warmed.fits(environment(home))
    assert warmed.fits(environment(home, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring", POS_TRACE="1"))
    for name in ("PYTHONPATH", "LD_PRELOAD", "PYTHONWARNINGS"):
        assert not warmed.fits(environment(home, **{name: "x"}))
