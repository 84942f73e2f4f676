"""Counters and gauges as Prometheus text. No shop, till or token ever becomes a label: the page is public."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

PREFIX = "truetill_relay_"
HELP = {
    "hooks_total": "Webhooks by outcome",
    "events_total": "Events stored, by kind",
    "notices_total": "Tills told to sweep, by reason",
    "pages_total": "Pages for customers, by page",
    "refused_total": "Requests refused before they were looked at, by reason",
    "contradictions_total": "Webhooks with a known event id and other words",
    "streams": "Open event streams",
    "writes_queued": "Writes waiting for the disk",
    "commits_total": "Transactions written",
    "writes_total": "Writes in those transactions",
}


class Metrics:
    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._gauges: dict[str, Callable[[], float]] = {}

    def add(self, name: str, label: str = "") -> None:
        """`label` as `outcome="stored"`."""
        self._counts[name, label] += 1

    def count(self, name: str, label: str = "") -> int:
        return self._counts[name, label]

    def watch(self, name: str, read: Callable[[], float]) -> None:
        self._gauges[name] = read

    def text(self) -> str:
        lines: list[str] = []
        for name, about in HELP.items():
            values = [(label, float(n)) for (of, label), n in sorted(self._counts.items()) if of == name]
            values += [("", self._gauges[name]())] if name in self._gauges else []
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP {PREFIX}{name} {about}", f"# TYPE {PREFIX}{name} {kind}"]
            lines += [f"{PREFIX}{name}{'{' + label + '}' if label else ''} {value:g}" for label, value in values]
        return "\n".join(lines) + "\n"
