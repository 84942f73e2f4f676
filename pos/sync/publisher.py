"""Telling the relay what a customer's page may say: a link is open, paid, replaced, expired. Best effort, never money.

The page shows what the till last said; a relay that is down costs the customer a friendlier page, nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from pos.domain.errors import PosError
from pos.domain.payment import Attempt, Phase
from pos.domain.verdict import Money
from pos.services.bus import Bus, Event, LinkIssued, OrderChanged
from pos.services.context import Context
from pos.services.views import OrderView
from pos.sync.relay_client import RelayClient

QUEUE_MAX = 200
AGAIN_S = 2.0
PAUSE_S = 0.25
"""Several changes of one order are told as one, and after what the counter waits for."""


class Publisher:
    def __init__(
        self,
        context: Context,
        client: RelayClient,
        bus: Bus,
        view: Callable[[str], Any],
        money: Callable[[int], str],
        when: Callable[[int], str],
    ) -> None:
        self._context = context
        self._client = client
        self._view = view
        self._money = money
        self._when = when
        self._orders: asyncio.Queue[str] = asyncio.Queue(QUEUE_MAX)
        self._told: dict[str, str] = {}
        bus.subscribe(self._heard)

    def _heard(self, event: Event) -> None:
        order_id = event.row.order_id if isinstance(event, OrderChanged) else ""
        order_id = event.order_id if isinstance(event, LinkIssued) else order_id
        if order_id and not self._orders.full():
            self._orders.put_nowait(order_id)

    async def run(self) -> None:
        """For ever; a state that could not be told is told a little later."""
        waiting: dict[str, None] = {}  # in the order in which they changed, each once
        while True:
            with contextlib.suppress(TimeoutError):
                waiting[await asyncio.wait_for(self._orders.get(), AGAIN_S if waiting else None)] = None
                await asyncio.sleep(PAUSE_S)
            while not self._orders.empty():
                waiting[self._orders.get_nowait()] = None
            with contextlib.suppress(PosError):
                for order_id in list(waiting)[-QUEUE_MAX:]:
                    await self._tell(order_id)
                    del waiting[order_id]
            waiting = dict.fromkeys(list(waiting)[-QUEUE_MAX:])

    async def _tell(self, order_id: str) -> None:
        attempts = await self._context.store.read(lambda tx: tx.attempts.of_order(order_id))
        view: OrderView = await self._view(order_id)
        for attempt in attempts:
            if not attempt.url or not attempt.was_shown:
                continue
            state = _state(attempt, view)
            if self._told.get(attempt.token) == state:
                continue
            await self._client.put_link(attempt.token, self._body(attempt, view, state))
            self._told[attempt.token] = state

    def _body(self, attempt: Attempt, view: OrderView, state: str) -> dict[str, Any]:
        return {
            "gateway": attempt.gateway,
            "url": attempt.url,
            "state": state,
            "reference": attempt.reference,
            "link": attempt.link_id,
            "order": view.number,
            "amount": self._money(attempt.amount_minor),
            "when": self._when(view.paid_at_ms) if view.paid_at_ms and state == "paid" else "",
        }


def _state(attempt: Attempt, view: OrderView) -> str:
    paid_here = any(p.attempt_no == attempt.no and p.captured_minor for p in view.payments)
    if paid_here:
        return "paid"
    if attempt.phase is Phase.OPEN:
        return "open"
    if view.money in (Money.PAID, Money.OVERPAID):
        return "replaced"
    return "expired" if attempt.fenced else "replaced"
