"""What a gateway's dialect must be able to do for the bank, which itself speaks none.

No dialect is named here.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pos.sandbox.books import Books
    from pos.sandbox.records import Event

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Change:
    """Something that just became true in the ledger.

    kind: link.completed | link.expired | link.settled | link.settle_failed | intent.created | intent.canceled |
    payment.pending | payment.authorized | payment.captured | payment.failed | payment.voided | refund.created |
    refund.updated | refund.failed | dispute.opened | dispute.closed | payout.created | payout.paid.
    subject: the id of the thing that changed.
    """

    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A change in a gateway's words: its event type, and its object as it is now."""

    type: str
    object: dict[str, Any]


class Dialect(Protocol):
    """One gateway's way to name, show, announce and sign."""

    name: str  # "stripe"
    title: str  # "Stripe", for people
    test_key: str  # how its test keys begin

    def new_id(self, what: str, method: str = "") -> str:
        """An id for a new link, intent, payment, refund, dispute, entry, payout or event."""

    def spell(self, books: Books, change: Change) -> list[Spoken]:
        """The events that announce `change`, in order; empty where the gateway says nothing."""

    def envelope(self, event: Event, undelivered: int) -> dict[str, Any]:
        """The event as it is listed and sent."""

    def sign(self, secret: str, body: bytes, at: int) -> dict[str, str]:
        """The headers that prove where `body` comes from; `at` is Unix time."""

    def page_path(self, link_id: str) -> str:
        """The path of a link's hosted page."""


def random_text(length: int) -> str:
    """Unguessable letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
