"""What a webhook or a callback says: ids and the gateway's own word, nothing else.

An envelope is a hint to fetch something with our own key. No amount, no status and no personal data may ever be
added here: whoever could forge an envelope could then make an order paid.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refs:
    """Gateway ids that the message names, and our own reference; the empty string where it names none."""

    link: str = ""
    payment: str = ""
    refund: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message of a gateway. `event` is its id (duplicates carry the same one), `type` the gateway's word.

    `account` and `live` are what the message itself claims; None where it says nothing.
    """

    gateway: str
    event: str
    type: str
    refs: Refs = field(default_factory=Refs)
    account: str | None = None
    live: bool | None = None
