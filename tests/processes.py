"""Real processes for journeys: start `python -m pos ...`, wait for its `ready` line, stop or kill it.

Nothing here knows what the process does; whoever needs its HTTP interface talks to `Served.url`.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
READY_WITHIN_S = 30.0  # a cold start without .pyc files on two busy cores
STOP_WITHIN_S = 5.0
LINES_KEPT = 2000  # per stream; enough to explain a failure


class DidNotServe(AssertionError):
    """The process ended, or said something else, before it was ready. Carries what it printed."""


class Served:
    """A running process that printed `ready <address>`; `url` is that address."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = ""
        self.output: list[str] = []
        self.errors: list[str] = []
        self._first: queue.Queue[str] = queue.Queue()
        self._readers = [
            self._reader(process.stdout, self.output, self._first),
            self._reader(process.stderr, self.errors, None),
        ]

    @staticmethod
    def _reader(stream: IO[str] | None, kept: list[str], first: queue.Queue[str] | None) -> threading.Thread:
        assert stream is not None

        def drain() -> None:
            for line in stream:
                if first is not None and not kept:
                    first.put(line)
                if len(kept) < LINES_KEPT:
                    kept.append(line.rstrip("\n"))
            if first is not None and not kept:
                first.put("")  # ended without a word: wake up whoever waits

        thread = threading.Thread(target=drain, daemon=True)
        thread.start()
        return thread

    def wait_ready(self, within_s: float = READY_WITHIN_S) -> str:
        """The address of the `ready` line. Raises DidNotServe with standard error's text."""
        try:
            line = self._first.get(timeout=within_s)
        except queue.Empty:
            line = f"(nothing within {within_s} s)"
        word, _, address = line.strip().partition(" ")
        if word != "ready" or not address:
            self.kill()
            raise DidNotServe(f"expected `ready <address>`, got {line!r}\n" + "\n".join(self.errors[-40:]))
        self.url = address.rstrip("/")
        return self.url

    def stop(self, within_s: float = STOP_WITHIN_S) -> int:
        """SIGTERM and wait; the exit status. Kills, and fails the test, when it does not leave in time."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not leave within {within_s} s of SIGTERM\n" + self._where()) from None
        self._close()
        return status

    def _where(self) -> str:
        """End a process that hangs; what each of its threads was doing, as Python's fault handler writes it."""
        self.process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_WITHIN_S)
        self.kill()
        home = os.environ.get("POS_HOME")  # the till's own file for crashes; other commands write to standard error
        crashes = Path(home) / "logs" / "crash.log" if home else None
        told = crashes.read_text("utf-8").splitlines() if crashes is not None and crashes.is_file() else []
        return "\n".join([*self.errors[-60:], *told[-120:]])

    def kill(self) -> None:
        """Pull the plug: SIGKILL, no goodbye. The process can save nothing."""
        self.process.kill()
        self.process.wait(STOP_WITHIN_S)
        self._close()

    def _close(self) -> None:
        for reader in self._readers:
            reader.join(STOP_WITHIN_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment plus `env`; bytecode is kept, or every start would take seconds."""
    merged = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", **(env or {})}
    merged.pop("PYTHONDONTWRITEBYTECODE", None)
    return merged


def start(args: Sequence[str], env: Mapping[str, str] | None = None) -> Served:
    """Start `python -m pos <args>` and return at once; call `wait_ready` before using its address."""
    return begin([sys.executable, "-m", "pos", *args], env)


def begin(command: Sequence[str], env: Mapping[str, str] | None = None) -> Served:
    """As `start`, any command that says when it is ready."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Served(process)


@contextlib.contextmanager
def serve(
    args: Sequence[str], env: Mapping[str, str] | None = None, *, ready_s: float = READY_WITHIN_S
) -> Iterator[Served]:
    """`with serve(["sandbox", "serve", "--port", "0", ...]) as bank: bank.url`. Stopped at the end if still up."""
    served = start(args, env)
    try:
        served.wait_ready(ready_s)
        yield served
    finally:
        if served.process.poll() is None:
            served.stop()
        else:
            served._close()


def run_pos(
    args: Sequence[str], env: Mapping[str, str] | None = None, *, stdin: str = "", within_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run one `pos` command to its end; text output, exit status not checked."""
    return subprocess.run(
        [sys.executable, "-m", "pos", *args],
        cwd=ROOT,
        env=environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
