"""The helper that starts processes tells the truth about those that do not start."""

from __future__ import annotations

import pytest

from tests.processes import DidNotServe, run_pos, serve, start


def test_a_process_that_ends_without_serving_is_reported_with_its_words() -> None:
    with pytest.raises(DidNotServe, match="no-such-command"), serve(["no-such-command"]):
        raise AssertionError("must not be reached")


def test_kill_ends_a_process_at_once() -> None:
    served = start(["--version"])
    served.kill()
    assert served.process.returncode is not None


def test_a_command_runs_to_its_end() -> None:
    done = run_pos(["--version"])
    assert done.returncode == 0
    assert "truetill" in done.stdout
