"""Who approves what would un-pay, refund or write off: a manager, and above the shop's limit a second one.

A port, so that a window may ask for PINs one day: services ask inside their write, with the amount that they found
under the order's lock, and store the name that is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pos.domain.errors import NotAllowed, SecondNeeded
from pos.services.context import Context
from pos.services.people import People


class Act(StrEnum):
    REFUND = "refund"
    RETURN = "return"
    GIVE_BACK = "give_back"
    BY_HAND = "by_hand"
    RELEASE = "release"
    ACCEPT = "accept"
    SETTLE = "settle"
    CASH_BACK = "cash_back"


NEEDS = {
    Act.REFUND: "refund",
    Act.RETURN: "refund",
    Act.GIVE_BACK: "refund",
    Act.BY_HAND: "override",
    Act.RELEASE: "override",
    Act.ACCEPT: "override",
    Act.SETTLE: "override",
    Act.CASH_BACK: "override",
}
"""What of a role allows it (`pos.services.people.ROLES`)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """`amount_minor` with what was given back of the order before, so that many small parts are no way around.

    `second` names another manager who agrees, or nobody.
    """

    act: Act
    order_id: str
    amount_minor: int
    actor: str
    second: str = ""


class Approvals(Protocol):
    def allow(self, act: Act, actor: str) -> None:
        """Raises NotAllowed where the actor's role does not cover the act: said before anything is looked at."""
        ...

    def approve(self, ask: Ask) -> str:
        """The name of who approved.

        Raises:
            NotAllowed: the role does not cover it.
            SecondNeeded: it is above the limit, and no second person is named.
        """
        ...


class NamedApprovals:
    """The second person is named, and must be another one whose role covers the act."""

    def __init__(self, context: Context, people: People) -> None:
        self._context = context
        self._people = people

    def allow(self, act: Act, actor: str) -> None:
        self._people.allow(NEEDS[act], actor)

    def approve(self, ask: Ask) -> str:
        action, actor = NEEDS[ask.act], ask.actor or self._people.current()
        self._people.allow(action, actor)
        if ask.second:
            if ask.second == actor:
                raise NotAllowed(f"{actor} cannot be the second person.", "Name another manager.")
            self._people.allow(action, ask.second)
            return ask.second
        limit = self._context.shop.second_above_minor
        if limit is not None and ask.amount_minor > limit:
            raise SecondNeeded(
                "This is above the shop's limit for one person.", "A second manager must approve: give that name."
            )
        return actor
