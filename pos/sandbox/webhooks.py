"""Sending events to the shops' endpoints: signed, in no promised order, again and again until somebody says 2xx.

The one place where webhook faults are carried out. The work of one round, as prose:
1. Take the deliveries that are due, at most as many as may be under way.
2. A delivery that has met no fault yet meets the next one that waits, once: it may be dropped, put off or doubled.
3. Send the rest. 2xx ends a delivery; anything else puts it off, twice as long each time, until it is given up.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass

import httpx

from pos.sandbox import faults
from pos.sandbox.bank import Bank
from pos.sandbox.dialect import random_text
from pos.sandbox.records import Account, Delivery, Endpoint, Event, Fault
from pos.sandbox.store import Tx

TIMEOUT_S = 10.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
MOST_TRIES = 16  # about 40 minutes in all
MOST_UNDER_WAY = 8
LOOK_AGAIN_S = 0.25


def pause_after(tries: int) -> float:
    """Seconds until the next try: 1, 2, 4, ... up to five minutes."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (tries - 1))


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery, ready to be sent."""

    delivery: Delivery
    url: str
    body: bytes
    headers: dict[str, str]


class Dispatcher:
    """Sends what is due, until it is cancelled."""

    def __init__(self, bank: Bank, client: httpx.AsyncClient) -> None:
        self._bank = bank
        self._client = client
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        try:
            while True:
                self._bank.news.clear()
                await self.round()
                await self._wait()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def round(self) -> None:
        for delivery in await self._bank.read(self._due):
            if len(self._under_way) >= MOST_UNDER_WAY:
                return
            parcel = await self._bank.run(lambda tx, due=delivery: self._prepare(tx, due))  # type: ignore[misc]
            if parcel is not None:
                self._under_way[delivery.id] = asyncio.create_task(self._send(parcel))

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._bank.news.wait()
        except TimeoutError:
            pass

    def _due(self, tx: Tx) -> list[Delivery]:
        where = "WHERE state = 'pending' AND next_at <= ? ORDER BY next_at, seq LIMIT ?"
        found = tx.many(Delivery, where, time.time(), 4 * MOST_UNDER_WAY)
        return [delivery for delivery in found if delivery.id not in self._under_way]

    # -- in the bank's thread ------------------------------------------------------------------------------------------

    def _prepare(self, tx: Tx, delivery: Delivery) -> Parcel | None:
        """The signed request, or nothing where a fault has other plans for this delivery."""
        event = tx.one(Event, "WHERE id = ?", delivery.event)
        endpoint = tx.one(Endpoint, "WHERE id = ?", delivery.endpoint)
        assert event is not None
        assert endpoint is not None
        fault = None
        if not delivery.met_faults:
            fault = faults.take(tx, f"webhook.{event.type}")
            delivery = tx.update(delivery, met_faults=1)
        if fault is not None and self._put_aside(tx, delivery, fault):
            return None
        return self._parcel(tx, delivery, event, endpoint, fault)

    @staticmethod
    def _put_aside(tx: Tx, delivery: Delivery, fault: Fault) -> bool:
        """Whether the delivery is not to be sent now."""
        more = fault.more
        if fault.kind == "dropped":
            tx.update(delivery, state="dropped")
            return True
        pause = float(more["delay_s"])
        if fault.kind == "reversed":  # of n, the first waits longest; the last goes at once
            pause += (fault.remaining - 1) * float(more["gap_s"])
        if fault.kind == "duplicated":
            for _ in range(int(more["times"]) - 1):
                row = {"id": "dlv_" + random_text(16), "event": delivery.event, "endpoint": delivery.endpoint}
                again = {"state": "pending", "tries": 0, "met_faults": 1, "next_at": time.time() + pause}
                tx.insert("delivery", {**row, **again, "secret": delivery.secret})
        if pause > 0:
            tx.update(delivery, next_at=time.time() + pause)
        return pause > 0

    def _parcel(self, tx: Tx, delivery: Delivery, event: Event, endpoint: Endpoint, fault: Fault | None) -> Parcel:
        account = tx.one(Account, "WHERE id = ?", event.account)
        assert account is not None
        dialect = self._bank.dialects[account.dialect]
        waiting = tx.value("SELECT count(*) FROM delivery WHERE event = ? AND state = 'pending'", event.id)
        body = json.dumps(dialect.envelope(event, int(waiting)), indent=2).encode()
        secret = delivery.secret if dialect.retries_keep_secret and delivery.secret else endpoint.secret
        wrong = "-wrong" if fault is not None and fault.kind == "bad_signature" else ""
        signature = dialect.sign(secret + wrong, body, int(time.time()), event.id)
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Truetill-Sandbox/1.0", **signature}
        return Parcel(delivery, endpoint.url, body, headers)

    # -- on the wire ---------------------------------------------------------------------------------------------------

    async def _send(self, parcel: Parcel) -> None:
        try:
            status = await self._post(parcel)
            await self._bank.run(lambda tx: self._sent(tx, parcel.delivery, status))
        finally:
            self._under_way.pop(parcel.delivery.id, None)
            self._bank.news.set()

    async def _post(self, parcel: Parcel) -> int | None:
        """The status, or nothing where nobody answered in time."""
        try:
            answer = await self._client.post(parcel.url, content=parcel.body, headers=parcel.headers, timeout=TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL):
            return None
        return answer.status_code

    @staticmethod
    def _sent(tx: Tx, delivery: Delivery, status: int | None) -> None:
        tries = delivery.tries + 1
        state = "pending"
        if status is not None and 200 <= status < 300:
            state = "delivered"
        elif tries >= MOST_TRIES:
            state = "given_up"
        again = time.time() + pause_after(tries)
        tx.execute(
            "UPDATE delivery SET state = ?, tries = ?, last_status = ?, next_at = ? WHERE id = ? AND state = 'pending'",
            state, tries, status, again, delivery.id,
        )  # fmt: skip
