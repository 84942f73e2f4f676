"""The relay's log as a port: what is appended, what is read back, and where a till may go on.

Values and protocols only; `log_sqlite` keeps them. No gateway body and no amount that counts ever enters here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pos import wire
from pos.domain.envelope import Envelope

LINK_STATES = ("open", "checking", "paid", "replaced", "expired", "closed")


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing to be appended to a shop's stream."""

    shop: str
    kind: str
    gateway: str
    event: str
    type: str
    refs: wire.Refs
    received_at_ms: int


def webhook_hint(shop: str, envelope: Envelope, received_at_ms: int) -> Hint:
    """A verified webhook as a hint; words that cannot travel are left out, an odd event id becomes its digest."""
    event = envelope.event
    if _word(event) != event or not event:
        event = "sha256:" + hashlib.sha256(event.encode("utf-8", "replace")).hexdigest()[:32]
    refs = envelope.refs
    kept = wire.Refs(_word(refs.link), _word(refs.payment), _word(refs.refund), _word(refs.reference))
    return Hint(shop, "webhook", envelope.gateway, event, _word(envelope.type), kept, received_at_ms)


def _word(text: str) -> str:
    return text if len(text) <= wire.MAX_TEXT and text.isprintable() else ""


class Entry(NamedTuple):
    """An event as it was stored: its number in the shop's stream, and what was said."""

    seq: int
    tag: str
    hint: Hint

    def event(self, epoch: str) -> wire.Event:
        hint = self.hint
        return wire.Event(
            id=f"{epoch}:{self.seq}:{self.tag}",
            kind=hint.kind,
            gateway=hint.gateway,
            event=hint.event,
            type=hint.type,
            refs=hint.refs,
            received_at=wire.at(hint.received_at_ms),
        )


class Head(NamedTuple):
    """The end of a shop's stream. A shop without events has `seq` 0 and tag "0"."""

    epoch: str
    seq: int
    tag: str

    @property
    def cursor(self) -> wire.Cursor:
        return wire.Cursor(self.epoch, self.seq, self.tag)


class Resume(NamedTuple):
    """Where a stream goes on: after `seq`. `reason` is why the till must sweep, empty if nothing was missed."""

    head: Head
    seq: int
    tag: str
    reason: str

    @property
    def notice(self) -> wire.Notice:
        cursor = wire.Cursor(self.head.epoch, self.seq, self.tag)
        return wire.Notice(epoch=self.head.epoch, cursor=str(cursor), reason=self.reason)


@dataclass(frozen=True, slots=True)
class Link:
    """A short link as its till last described it. Texts are the till's own words for the customer's page."""

    shop: str
    gateway: str
    url: str
    state: str
    reference: str = ""
    link: str = ""
    order: str = ""
    amount: str = ""
    method: str = ""
    when: str = ""
    receipt: str = ""
    updated_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of a till's journal, left outside the till so that a cut-off tail is noticed."""

    shop: str
    till: str
    count: int
    head: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """An e-receipt as plain text, kept until `until_ms`."""

    shop: str
    text: str
    until_ms: int


Published = Callable[[str, list[Entry]], None]
"""Called on the loop with an epoch and new entries of one shop, in the same turn as their acknowledgements."""


class Log(Protocol):
    """Whatever is awaited from a writing method is durable when it returns.

    Raises:
        Broken: not stored (disk full, read-only, closing). Nothing may be acknowledged then.
    """

    on_published: Published
    on_new_epoch: Callable[[str], None]
    """Called with a shop whose cursors have all become old."""

    async def append(self, hint: Hint) -> bool:
        """True if it was new, False for an event that is there already (same shop, gateway and event id)."""
        ...

    async def head(self, shop: str) -> Head: ...
    async def resume(self, shop: str, cursor: wire.Cursor | None) -> Resume:
        """Where to go on. Raises NotFound when the cursor belongs to another shop."""
        ...

    async def page(self, shop: str, after: int, limit: int) -> list[Entry]: ...
    async def put_link(self, token: str, link: Link) -> bool:
        """True if it was new. Raises NotFound when another shop has that token."""
        ...

    async def link(self, token: str) -> Link | None: ...
    async def put_receipt(self, token: str, receipt: Receipt) -> None: ...
    async def receipt(self, token: str, now_ms: int) -> Receipt | None: ...
    async def put_anchor(self, anchor: Anchor) -> None: ...
    async def anchor(self, shop: str, till: str) -> Anchor | None: ...
    async def prune(self, before_ms: int, now_ms: int) -> int: ...
    def healthy(self) -> bool: ...
    async def close(self) -> None: ...
