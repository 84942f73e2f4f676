"""Probes: attempts whose look is due are fetched, the one on screen most often.

1. Take what is due of this till, the longest due first; add the attempts of the order on screen.
2. Leave out what was looked at within its pause: 3 s on screen, 15 s where a live relay would tell us anyway.
3. Look at the rest, a few at a time; each look settles what it learnt and sets its next time.
4. Send refunds whose time has come; ask again for hints that got no answer.
5. Sleep until the next is due, or until somebody rings.
"""

from __future__ import annotations

import asyncio

from pos.domain.payment import Attempt, Phase
from pos.domain.rows import OrderFilter
from pos.domain.store_port import Tx
from pos.services.context import Context
from pos.services.hints import Hints
from pos.services.looks import Looks
from pos.services.queries import RelayHealth
from pos.services.refunds import Refunds
from pos.services.schedule import is_set_back
from pos.sync.watching import Watching

AT_ONCE = 4
BATCH = 50
SLEEP_MIN_S, SLEEP_MAX_S = 0.2, 1.0
ON_SCREEN_PAUSE_MS = 3_000
LIVE_RELAY_PAUSE_MS = 15_000
DRAIN_ROUNDS = 40


class Prober:
    def __init__(
        self, context: Context, looks: Looks, refunds: Refunds, hints: Hints, relay: RelayHealth, watching: Watching
    ) -> None:
        self._context = context
        self._looks = looks
        self._refunds = refunds
        self._hints = hints
        self._relay = relay
        self._watching = watching

    async def run(self) -> None:
        """For ever; cancelled from outside."""
        while True:
            await self.tick()
            await self._watching.wait(await self._pause_s())

    async def tick(self) -> int:
        """One round; returns how many attempts were looked at."""
        if not self._watching.order_id and not await self._context.store.read(self._anything_due):
            return 0
        attempts = await self._due()
        gate = asyncio.Semaphore(AT_ONCE)

        async def look(attempt: Attempt) -> None:
            async with gate:
                await self._looks.look(attempt.id, hint=self._why())

        async with asyncio.TaskGroup() as group:
            for attempt in attempts:
                group.create_task(look(attempt))
        return len(attempts) + await self.send_outbox() + await self._hints.retry_due()

    def _anything_due(self, tx: Tx) -> bool:
        """One read instead of three for the rounds that have nothing to do, which most have."""
        now, till = self._context.now_ms(), self._context.shop.till
        return bool(tx.attempts.due(now, 1, till) or tx.outbox.due(now, 1) or tx.sync.hints(now, 1))

    async def drain(self) -> int:
        """Look at every open payment, then rounds until nothing is due; for `pos sync --once`."""
        looked = await self._look_at_live()
        for _ in range(DRAIN_ROUNDS):
            done = await self.tick()
            looked += done
            if not done:
                break
        return looked

    async def _look_at_live(self) -> int:
        lines = await self._context.store.read(lambda tx: tx.orders.lines_of(OrderFilter(live_only=True)))
        live = [a for line in lines for a in line.attempts if a.live and line.order.till == self._context.shop.till]
        for attempt in live:
            await self._looks.look(attempt.id, hint=self._why())
        return len(live)

    async def run_outbox(self) -> None:
        """Only what is to be sent; for ever. Claims keep this and the probes from sending the same call twice."""
        while True:
            await self.send_outbox()
            await asyncio.sleep(SLEEP_MAX_S)

    async def send_outbox(self) -> int:
        """Refund calls that got no answer: the same bytes with the same key. Create calls are never sent from here."""
        now = self._context.now_ms()
        due = await self._context.store.read(lambda tx: tx.outbox.due(now, BATCH))
        sent = 0
        for row in due:
            if not row.refund_id:
                await self._retire(row.id, row.send_by_ms, now)
                continue
            claimed = await self._refunds.claim(row.order_id, row.refund_id)
            if claimed is not None:
                await self._refunds.send(claimed)
                sent += 1
        return sent

    async def _retire(self, row_id: str, send_by_ms: int | None, now_ms: int) -> None:
        """A create call past its time is never sent again; its link is looked for instead."""
        if send_by_ms is not None and now_ms > send_by_ms:
            await self._context.store.write(lambda tx: tx.outbox.finish(row_id, "dead"))

    async def _due(self) -> list[Attempt]:
        now, till = self._context.now_ms(), self._context.shop.till
        on_screen = self._watching.order_id

        def read(tx: Tx) -> list[Attempt]:
            due = tx.attempts.due(now, BATCH, till)
            if on_screen:
                known = {a.id for a in due}
                due += [a for a in tx.attempts.of_order(on_screen) if a.live and a.id not in known]
            return due

        pause = LIVE_RELAY_PAUSE_MS if self._relay_is_live() else ON_SCREEN_PAUSE_MS
        return [a for a in await self._context.store.read(read) if self._is_time(a, now, pause)]

    def _is_time(self, attempt: Attempt, now_ms: int, pause_ms: int) -> bool:
        if is_set_back(attempt, now_ms):
            return True
        last = attempt.looked_at_ms or attempt.shown_at_ms or attempt.drafted_at_ms
        if attempt.phase is not Phase.OPEN or attempt.looks_failed:
            return attempt.look_due_at_ms is not None and attempt.look_due_at_ms <= now_ms
        return now_ms - last >= pause_ms

    def _relay_is_live(self) -> bool:
        return self._relay.word(bool(self._context.shop.relay_url), self._context.now_ms()) == "ok"

    def _why(self) -> str:
        """`probe` where a relay should have told us first: what it finds is listed as corrected."""
        return "probe" if self._context.shop.relay_url else "poll"

    async def _pause_s(self) -> float:
        till = self._context.shop.till
        due = await self._context.store.read(lambda tx: tx.attempts.next_due_ms(till))
        if due is None:
            return SLEEP_MAX_S
        return min(SLEEP_MAX_S, max(SLEEP_MIN_S, (due - self._context.now_ms()) / 1000))
