"""A forked process that tells its parent line by line what it does; imports are shared, nothing else is."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import time
from collections.abc import Awaitable, Callable

READ_BYTES = 65_536


class Silent(AssertionError):
    """The process did not say what was waited for."""


class Child:
    """Runs `work(tell)` until it is killed. `lines`: what it has said; each is written with one call, whole or not."""

    def __init__(self, work: Callable[[Callable[[bytes], object]], Awaitable[object]]) -> None:
        self._reader, writer = os.pipe()
        self.lines: list[bytes] = []
        self._rest = b""
        self._over = False
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._reader)
            _run(work, writer)
        os.close(writer)

    def wait(self, count: int, within_s: float) -> None:
        """Until it has said `count` lines. Raises Silent."""
        until = time.monotonic() + within_s
        while len(self.lines) < count:
            if self._over or not self._read(until - time.monotonic()):
                raise Silent(f"{len(self.lines)} lines of {count}; the last: {self.lines[-1:]}")

    def drain(self) -> None:
        """What it has said until now."""
        while not self._over and self._read(0):
            pass

    def _read(self, within_s: float) -> bool:
        """False when nothing came in time."""
        if not select.select([self._reader], [], [], max(within_s, 0))[0]:
            return False
        said = os.read(self._reader, READ_BYTES)
        self._over = not said
        *lines, self._rest = (self._rest + said).split(b"\n")
        self.lines += lines
        return True

    def kill(self) -> bool:
        """SIGKILL, now. False when it had ended by itself."""
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        while not self._over:
            self._read(1)
        os.close(self._reader)
        return os.WIFSIGNALED(status)


def _run(work: Callable[[Callable[[bytes], object]], Awaitable[object]], writer: int) -> None:
    said = b"ended\n"
    try:
        asyncio.run(work(lambda line: os.write(writer, line)))  # type: ignore[arg-type]
    except BaseException as error:  # noqa: BLE001 - the parent must hear of it
        said = f"{type(error).__name__}: {error}".replace("\n", " ").encode() + b"\n"
    os.write(writer, said)
    os._exit(0)
