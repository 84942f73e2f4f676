"""Who may do what. One seeded owner; PINs and approvals come with the people's screens."""

from __future__ import annotations

from collections.abc import Mapping

from pos.domain.errors import NotAllowed
from pos.domain.rows import Person
from pos.domain.store_port import Tx

OWNER = Person("Owner", "owner")
ROLES: Mapping[str, frozenset[str]] = {
    "cashier": frozenset({"sell"}),
    "manager": frozenset({"sell", "refund", "override", "close_day", "gateways"}),
    "owner": frozenset({"sell", "refund", "override", "close_day", "gateways", "settings", "people"}),
}


class People:
    """Roles, read once at start and again after a change."""

    def __init__(self, people: list[Person], current: str) -> None:
        self._people = {p.name: p for p in people if p.active}
        self._current = current

    def allow(self, action: str, actor: str) -> None:
        """Raises NotAllowed when `actor` is nobody here, or their role does not cover the action."""
        person = self._people.get(actor or self._current)
        if person is None:
            raise NotAllowed(f"Nobody here is called {actor!r}.", "Sign in with your own name.")
        if action not in ROLES.get(person.role, frozenset()):
            raise NotAllowed(f"{person.name} may not do this.", "Ask a manager.")

    def current(self) -> str:
        return self._current

    def role(self, actor: str) -> str:
        person = self._people.get(actor)
        return person.role if person else ""


def seed(tx: Tx) -> list[Person]:
    """The people of the shop; the first start makes one owner."""
    people = tx.shop.people()
    if not people:
        tx.shop.put_person(OWNER)
        people = [OWNER]
    return people
