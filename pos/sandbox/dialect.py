"""What a gateway's dialect must be able to do for the bank, which itself speaks none.

No dialect is named here.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pos.sandbox.books import Books
    from pos.sandbox.records import Event, Link

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Change:
    """Something that just became true in the ledger.

    kind: link.opened | link.completed | link.expired | link.settled | link.settle_failed | intent.created |
    intent.canceled |
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
    accent: str  # its colour on the pay page, as CSS writes it
    test_key: str  # how its test keys begin
    key_form: str  # what a whole test key looks like, for people
    account_prefix: str  # how the ids of its accounts begin
    account_options: Mapping[str, Any]  # what can be set for one account, with what it is otherwise
    late_authorization: bool  # a payment that failed may turn out to have been authorized
    retries_keep_secret: bool  # a webhook sent again is signed with the secret of its first try

    def key_name(self, credential: str) -> str | None:
        """The public part of a well-formed test key, which says whose it is; None where it is none."""

    def new_id(self, what: str, variety: str = "") -> str:
        """An id for a new link, intent, payment, refund, dispute, entry, payout or event.

        `variety`: a payment's method, a link's kind.
        """

    def spell(self, books: Books, change: Change) -> list[Spoken]:
        """The events that announce `change`, in order; empty where the gateway says nothing."""

    def envelope(self, event: Event, undelivered: int) -> dict[str, Any]:
        """The event as it is listed and sent."""

    def sign(self, secret: str, body: bytes, at: int, event: str) -> dict[str, str]:
        """The headers that prove where `body` comes from, and name its event; `at` is Unix time."""

    def page_path(self, link: Link) -> str:
        """The path of a link's hosted page."""

    def return_url(self, books: Books, link: Link, outcome: str) -> str | None:
        """Where the customer's browser goes after `outcome` (paid, pending, left); None: it stays on the page."""


def random_text(length: int) -> str:
    """Unguessable letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
