"""Loops go on: one that fails is started again and takes no other down; other processes are heard; pages are told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pos.domain.errors import Refused, Unreachable
from pos.services.bus import Event, OrderChanged
from pos.sync import follower, supervisor
from pos.sync.follower import Follower
from pos.sync.publisher import Publisher
from pos.sync.supervisor import Supervisor
from tests.services.test_money import sweep
from tests.shop import TEA, Shop, reopen

BOUND_S = 10.0


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("error", [Refused("no", "x"), ValueError("a bug")])
async def test_a_loop_that_fails_is_started_again_beside_one_that_runs(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_FIRST_S", 0.001)
    enough, calm = asyncio.Event(), asyncio.Event()
    starts = 0

    async def failing() -> None:
        nonlocal starts
        starts += 1
        if starts >= 4:
            enough.set()
        raise error

    async def running() -> None:
        await enough.wait()
        calm.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(Supervisor({"bad": failing, "good": running}).run())
    await asyncio.wait_for(calm.wait(), BOUND_S)
    await ended(task)


async def test_only_one_loop_may_be_asked_for() -> None:
    ran: list[str] = []
    done = asyncio.Event()

    def loop(name: str) -> Any:
        async def run() -> None:
            ran.append(name)
            done.set()
            await asyncio.Event().wait()

        return run

    task = asyncio.create_task(Supervisor({"a": loop("a"), "b": loop("b")}, only="b").run())
    await asyncio.wait_for(done.wait(), BOUND_S)
    await ended(task)
    assert ran == ["b"]


async def test_what_another_process_changes_reaches_the_screens(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "PAUSE_S", 0.01)
    other = reopen(shop)
    heard: asyncio.Queue[Event] = asyncio.Queue()
    shop.till.bus.subscribe(heard.put_nowait)
    task = asyncio.create_task(Follower(shop.till.context, shop.till.queries).run())

    async def until_heard(order_id: str) -> None:
        while True:
            event = await heard.get()
            if isinstance(event, OrderChanged) and event.row.order_id == order_id:
                return

    await asyncio.wait_for(heard.get(), BOUND_S)  # it has begun
    view = await other.sell(TEA)
    await asyncio.wait_for(until_heard(view.order_id), BOUND_S)
    await ended(task)
    await other.till.close()


async def test_what_this_process_announced_is_not_told_again(shop: Shop) -> None:
    """A page of a report changes a hundred orders; the screens hear of each once, and nobody reads them again."""
    other = reopen(shop)
    looking = Follower(shop.till.context, shop.till.queries)
    shop.till.bus.subscribe(looking.heard)
    await looking.tell()
    mine = await shop.sell(TEA)
    theirs = await other.sell(TEA)
    told: list[str] = []
    shop.till.bus.subscribe(lambda e: told.append(e.row.order_id) if isinstance(e, OrderChanged) else None)
    await looking.tell()
    assert told == [theirs.order_id]
    await shop.pays(mine)
    await other.check(mine)
    await looking.tell()
    assert told == [theirs.order_id, mine.order_id]  # what another process makes of it is news
    await other.till.close()


class GivenPages:
    """The relay's pages, as they were told; the first call may fail."""

    def __init__(self, *, fails: int = 0) -> None:
        self.fails = fails
        self.told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def put_link(self, token: str, body: dict[str, Any]) -> None:
        if self.fails:
            self.fails -= 1
            raise Unreachable("The relay cannot be reached.", "x")
        self.told.put_nowait((token, body["state"]))


async def test_a_customers_page_is_told_open_then_paid_and_nothing_twice(shop: Shop) -> None:
    pages: Any = GivenPages(fails=1)
    till = shop.till
    publisher = Publisher(till.context, pages, till.bus, till.queries.order, str, str)
    task = asyncio.create_task(publisher.run())
    view = await shop.sell(TEA)
    token = till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1].token
    await shop.pays(view)
    till.bus.publish(OrderChanged((await till.queries.orders())[0]))
    assert await asyncio.wait_for(pages.told.get(), BOUND_S) == (token, "open")
    await shop.check(view)
    assert await asyncio.wait_for(pages.told.get(), BOUND_S) == (token, "paid")
    await sweep(shop)
    await ended(task)
    assert pages.told.empty()
