"""What one write changes: gathered while its orders are folded, then written, each kind of row in one go. No rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pos.domain.movement import Effect, ZEntry
from pos.domain.payment import Attempt
from pos.domain.rows import Cached
from pos.domain.store_port import Healed, Problem, Tx


@dataclass(slots=True)
class Changes:
    """`attempts` and `money` by id, the last state alone; `lines` (order, body) for the journal.

    `found`: (gateway, payment) whose order is known, so that they need not stay parked.
    """

    attempts: dict[str, Attempt] = field(default_factory=dict)
    money: dict[str, Cached] = field(default_factory=dict)
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    healed: list[Healed] = field(default_factory=list)
    entries: list[ZEntry] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    found: set[tuple[str, str]] = field(default_factory=set)

    def write(self, tx: Tx, now_ms: int) -> None:
        """Raises Broken when an attempt may not be what it became."""
        tx.attempts.update_all(self.attempts.values())
        tx.orders.cache(self.money)
        tx.journal.append_all(now_ms, "", "order.money", self.lines)
        tx.problems.heal(self.healed)
        tx.money.enter(self.entries)
        tx.facts.unpark(self.found)
        tx.money.add_effects(self.effects)
        tx.problems.put_all(self.problems)
