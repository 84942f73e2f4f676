"""Listening to the relay: a hint comes, the gateway is asked, what it says is settled, the cursor moves with it.

1. Connect with the cursor of the last event that is in the books.
2. A notice (new epoch, a place the relay does not know): sweep the gateways' reports, then take its cursor.
3. An event: hand it to `services.hints`. Events for different objects are worked on side by side, a few at a time,
   but the cursor moves in their order, so that nothing is skipped when we stop in the middle.
4. Any bytes are a heartbeat. Silence for 30 s, an error, an end: back off and connect again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pos.domain.errors import Refused
from pos.domain.store_port import Hint
from pos.services.context import Context
from pos.services.hints import Hints
from pos.services.queries import RelayHealth
from pos.sync.relay_client import Beat, RelayClient, TokenLocked
from pos.wire import Event, Notice


class Listener:
    def __init__(
        self,
        context: Context,
        client: RelayClient,
        hints: Hints,
        health: RelayHealth,
        sweep: Callable[[], Awaitable[object]],
    ) -> None:
        self._context = context
        self._client = client
        self._hints = hints
        self._health = health
        self._sweep = sweep

    async def run(self) -> None:
        """One connection; returns or raises when it ends, and the supervisor starts the next."""
        try:
            await self._introduce()
            cursor = await self._context.store.read(lambda tx: tx.sync.cursor())
            async for said in self._client.events(cursor):
                self._health.heard_at_ms, self._health.connected = self._context.now_ms(), True
                await self._take(said)
        except TokenLocked:
            self._health.locked = True
            raise
        except Refused:
            # another shop's cursor, or a token that was revoked: start without one, the sweep covers what is between
            await self._context.store.write(lambda tx: tx.sync.set_cursor(""))
            raise
        finally:
            self._health.connected = False

    async def _introduce(self) -> None:
        """Our shop's id at the relay, for the addresses of return pages."""
        who = await self._client.whoami()
        self._health.locked = False
        await self._context.store.write(lambda tx: tx.shop.set_meta("relay_shop", who.shop))

    async def _take(self, said: Event | Notice | Beat) -> None:
        if isinstance(said, Event):
            await self._hints.take(hint_of(said), said.id)
        elif isinstance(said, Notice):
            # the sweep before the cursor: pulled out in between, we are told again
            first_order = await self._context.store.read(lambda tx: tx.sync.first_order_ms())
            if said.reason != "first" or first_order is not None:
                await self._sweep()
            await self._context.store.write(lambda tx: tx.sync.set_cursor(said.cursor))


def hint_of(event: Event) -> Hint:
    refs = event.refs
    received = int(event.received_at.timestamp() * 1000)
    return Hint(event.id, event.gateway, event.kind, refs.link, refs.payment, refs.refund, refs.reference, received)
