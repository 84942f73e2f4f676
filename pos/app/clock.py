"""The machine's clock and its sources of identity."""

from __future__ import annotations

import secrets
import threading
import time
import uuid


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()


class SystemIds:
    """UUIDs of version 7 (RFC 9562): time-ordered, increasing within this process even when the clock steps back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def uuid7(self) -> str:
        with self._lock:
            # 48 bits of milliseconds and 12 bits of a counter, which also carries a clock that stands still
            tick = max(time.time_ns() // 1_000_000 << 12, self._last + 1)
            self._last = tick
        value = (tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | secrets.randbits(62)
        return str(uuid.UUID(int=value))

    def token(self) -> str:
        return secrets.token_urlsafe(16)
