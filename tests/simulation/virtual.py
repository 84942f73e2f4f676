"""Time, chance and identity of a simulation: all of them from the seed, none from the machine.

An event loop that jumps to its next timer instead of waiting; clocks of it; and the seams through which the sandbox
and the few places that draw noise get the same. No rule about money lives here.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pos.sandbox import accounts, bank, books, dialect, webhooks

EPOCH_S = 1_780_000_000.0
"""When every simulation begins, seconds since 1970 UTC."""
TOLD_BY_THE_LOOP = (accounts, bank, books, webhooks)
"""The sandbox's modules that read the time; they are given the loop's."""


class Stuck(AssertionError):
    """Nothing is ready and no timer is set: somebody waits for what can never come."""


class _Jump(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stuck("the simulation waits for what can never come")
        self.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers come due at once, in the order of their times; nothing outside can wake it."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now_s


class _LoopTime:
    """Stands for the module `time` in the sandbox."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def time(self) -> float:
        return EPOCH_S + self._loop.time()


class _LoopChance:
    """Stands for the module `secrets` in the sandbox."""

    def __init__(self, rng: random.Random) -> None:
        self.choice = rng.choice


@contextmanager
def told_by(loop: VirtualLoop, seed: int) -> Iterator[None]:
    """The sandbox reads this loop's time, and all noise comes from the seed."""
    before = [(module, "time", module.time) for module in TOLD_BY_THE_LOOP] + [(dialect, "secrets", dialect.secrets)]
    noise = random.getstate()
    try:
        for module in TOLD_BY_THE_LOOP:
            module.time = _LoopTime(loop)  # type: ignore[attr-defined]
        dialect.secrets = _LoopChance(random.Random(f"bank {seed}"))  # type: ignore[attr-defined]
        random.seed(f"noise {seed}")
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
        random.setstate(noise)


class TillClock:
    """A till's clock: the loop's, and off by what somebody has set it to. Its pauses are measured truly."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.off_ms = 0

    def now_ms(self) -> int:
        return int((EPOCH_S + self._loop.time()) * 1000) + self.off_ms

    def monotonic_s(self) -> float:
        return self._loop.time()


class TillIds:
    """UUIDs of version 7 whose random part comes from the seed."""

    def __init__(self, rng: random.Random, clock: TillClock) -> None:
        self._rng = rng
        self._clock = clock
        self._last = 0

    def uuid7(self) -> str:
        tick = max(self._clock.now_ms() << 12, self._last + 1)
        self._last = tick
        low = self._rng.getrandbits(62)
        return str(uuid.UUID(int=(tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | low))

    def token(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"
