"""What one answer of a gateway said and how we came to see it. No rule about what it means: that is `settle`."""

from __future__ import annotations

from dataclasses import dataclass

from pos.domain.errors import PosError
from pos.domain.facts import Fact, Sighting, Source
from pos.domain.ports import Asked, LinkInfo, NoAnswer, NotSent


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one answer of a gateway said, and how we came to see it.

    `hint` names what made us ask: `webhook:<event>`, `callback:<event>`, `opened:<event>`, `poll`, `probe`, `check`,
    `create`, `close`, `refund`, `sweep`. `cursor` and `drop_hint` move in the same write.
    """

    gateway: str
    facts: tuple[Fact, ...]
    source: Source
    hint: str
    links: tuple[LinkInfo, ...] = ()
    raw_sha256: str = ""
    cursor: str = ""
    drop_hint: str = ""

    def sighting(self, now_ms: int) -> Sighting:
        return Sighting(self.source, self.hint, now_ms, self.raw_sha256)


def evidence_of(
    gateway: str, asked: Asked, source: Source, hint: str, cursor: str = "", drop_hint: str = ""
) -> Evidence:
    reading = asked.reading
    return Evidence(gateway, reading.facts, source, hint, reading.links, asked.raw_sha256, cursor, drop_hint)


def unanswered_word(error: PosError) -> str:
    """For the call log: why there is no answer."""
    if isinstance(error, NotSent):
        return "not_sent"
    return "no_answer" if isinstance(error, NoAnswer) else "not_asked"
