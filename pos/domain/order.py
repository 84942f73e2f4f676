"""An order: what the customer buys. Its life is ours alone; its money is computed from facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pos.domain.basket import Line


class Life(StrEnum):
    DRAFT = "draft"
    HELD = "held"
    PLACED = "placed"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Order:
    """`id` is a UUIDv7, `number` what people read, `key` the caller's own idempotency key.

    `total_minor` is of the current revision; a revision is frozen when an attempt is drafted or money is taken.
    `completed` marks a sale with nothing to pay that was finished by an explicit act. `day` is the business day
    (ISO date) in the shop's zone, set when the order is made.
    """

    id: str
    number: str
    till: str
    currency: str
    life: Life
    revision: int
    total_minor: int
    created_at_ms: int
    day: str
    key: str = ""
    cashier: str = ""
    completed: bool = False
    void_reason: str = ""
    version: int = 0
    lines: tuple[Line, ...] = ()

    @property
    def due_minor(self) -> int:
        return self.total_minor if self.life is Life.PLACED else 0
