"""A saved plan of tenders: how the people at the counter want to share what is left to pay.

A plan decides what is *asked* next and never what was paid: money is the verdict's alone. What was kept since the plan
was made fills its shares in their order; what the first unfilled share still lacks is the next part. So late money, a
share paid twice or one that was paid in part need no rule of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pos.domain.errors import BadInput
from pos.domain.order import Order

SHARES_MAX = 10
"""Parts of one plan: a table of ten friends."""


class Way(StrEnum):
    """How a share is to be paid. The order of these words is the order in which shares come."""

    QR = "qr"
    TERMINAL = "terminal"
    CASH = "cash"


@dataclass(frozen=True, slots=True)
class Share:
    """One part, in minor units of the order's currency. `gateway`: where a link for it was meant to be made, or ""."""

    way: Way
    amount_minor: int
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan of an order's revision; the one with the highest `no` counts, and one without shares takes it back.

    `kept_minor` is what was kept when it was made: the shares are of what was left then.
    """

    id: str
    order_id: str
    no: int
    revision: int
    kept_minor: int
    shares: tuple[Share, ...]
    made_at_ms: int
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A share and how much of it has come."""

    share: Share
    filled_minor: int

    @property
    def lacks_minor(self) -> int:
        return self.share.amount_minor - self.filled_minor


@dataclass(frozen=True, slots=True)
class Ask:
    """What may be asked for now: `share_minor` is all that is left, or what the next part of plan `plan_no` lacks."""

    share_minor: int
    due_minor: int
    kept_minor: int
    plan_no: int = 0

    @property
    def amount_minor(self) -> int:
        return min(self.share_minor, self.due_minor - self.kept_minor)


def standing(plan: Plan | None, order: Order) -> Plan | None:
    """The plan, if it still is one: of this revision, and not taken back. An edit of the basket ends it."""
    if plan is None or not plan.shares or plan.revision != order.revision:
        return None
    return plan


def parts(plan: Plan, kept_minor: int) -> list[Part]:
    """Each share with what has come of it, filled in the order of the shares."""
    come = max(0, kept_minor - plan.kept_minor)
    found = []
    for share in plan.shares:
        filled = min(come, share.amount_minor)
        found.append(Part(share, filled))
        come -= filled
    return found


def next_part(plan: Plan, kept_minor: int) -> Part | None:
    """The first share that is not filled; None when all of them are."""
    return next((part for part in parts(plan, kept_minor) if part.lacks_minor > 0), None)


def ask_of(plan: Plan | None, due_minor: int, kept_minor: int) -> tuple[Ask, Way | None]:
    """What may be asked for now, and how; None where every way is free: no plan, or nothing of it left."""
    part = next_part(plan, kept_minor) if plan else None
    if plan is None or part is None:
        return Ask(max(0, due_minor - kept_minor), due_minor, kept_minor), None
    return Ask(part.lacks_minor, due_minor, kept_minor, plan.no), part.share.way


def check_shares(shares: Sequence[Share], left_minor: int) -> None:
    """Raises BadInput: not two to ten shares above zero that make up what is left, links first and cash last."""
    if not 2 <= len(shares) <= SHARES_MAX:
        raise BadInput("That is no split.", f"Give two to {SHARES_MAX} parts.")
    if any(share.amount_minor <= 0 for share in shares):
        raise BadInput("A part is not above zero.", "Give each part a positive amount, or leave it out.")
    ranks = [list(Way).index(share.way) for share in shares]
    if ranks != sorted(ranks):
        raise BadInput("These parts are not in order.", "Links come first, then the card terminal, cash comes last.")
    total = sum(share.amount_minor for share in shares)
    if total != left_minor:
        raise BadInput(
            f"The parts make {total} minor units, and {left_minor} are to pay.", "Change one of them until they agree."
        )
