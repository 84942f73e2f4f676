"""Rate limits in memory: token buckets per key, and "at most once per minute". Bounded, whatever keys come."""

from __future__ import annotations

from collections import OrderedDict

MAX_KEYS = 10_000


class Buckets:
    """One token bucket per key, refilled at `per_s` up to `burst`. The least recently used keys are forgotten."""

    def __init__(self, per_s: float, burst: float, max_keys: int = MAX_KEYS) -> None:
        self._per_s, self._burst, self._max = per_s, burst, max_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, now: float) -> float:
        """Take one token: 0 if it was there, else the seconds until the next one. `now` is monotonic."""
        if self._per_s <= 0:
            return 0.0
        level, then = self._buckets.pop(key, (self._burst, now))
        level = min(self._burst, level + (now - then) * self._per_s)
        allowed = level >= 1.0
        self._buckets[key] = (level - 1.0 if allowed else level, now)
        if len(self._buckets) > self._max:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - level) / self._per_s


class OncePer:
    """Whether a key may act again: at most once per `every_s`."""

    def __init__(self, every_s: float, max_keys: int = MAX_KEYS) -> None:
        self._every_s, self._max = every_s, max_keys
        self._last: OrderedDict[str, float] = OrderedDict()

    def may(self, key: str, now: float) -> bool:
        last = self._last.get(key)
        if last is not None and now - last < self._every_s:
            return False
        self._last.pop(key, None)
        self._last[key] = now
        if len(self._last) > self._max:
            self._last.popitem(last=False)
        return True
