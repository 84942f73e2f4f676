"""A hint leads to a question and the cursor follows; whatever the relay says, it makes no money."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from pos.domain.errors import Refused, Unreachable
from pos.domain.shown import Shown
from pos.domain.verdict import Money
from pos.services.queries import RelayHealth
from pos.sync.listener import Listener
from pos.sync.relay_client import Beat, TokenLocked, Who
from pos.wire import Event, Notice, Refs
from tests.services.test_money import link_of
from tests.shop import TEA, Bank, Shop

Said = Event | Notice | Beat | Exception


class GivenRelay:
    """Says what the test gives; then the connection ends."""

    def __init__(self, *said: Said) -> None:
        self.said: Sequence[Said] = said
        self.asked_from: list[str] = []

    async def whoami(self) -> Who:
        return Who("shop-1", "1", "ep")

    async def events(self, cursor: str) -> AsyncIterator[Event | Notice | Beat]:
        self.asked_from.append(cursor)
        for one in self.said:
            if isinstance(one, Exception):
                raise one
            yield one


def event(number: int, gateway: str, **refs: str) -> Event:
    return Event(
        id=f"ep:{number}:t",
        kind="webhook",
        gateway=gateway,
        event=f"evt_{number}",
        type="x",
        refs=Refs(**refs),
        received_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


async def listen(shop: Shop, relay: GivenRelay) -> list[str]:
    """One connection; returns where the cursor stood at each sweep."""
    swept: list[str] = []

    async def sweep() -> None:
        swept.append(cursor_of(shop))

    client: Any = relay
    health = RelayHealth()
    await Listener(shop.till.context, client, shop.till.hints, health, sweep).run()
    assert not health.connected
    return swept


def cursor_of(shop: Shop) -> str:
    return shop.till.database.read_now(lambda tx: tx.sync.cursor())


async def test_an_event_makes_the_till_ask_and_the_next_connection_goes_on_behind_it(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    relay = GivenRelay(Beat(), event(1, shop.gateway, link=link_of(view)))
    await listen(shop, relay)
    assert (await shop.again(view)).shown is Shown.PAID
    await listen(shop, relay)
    assert relay.asked_from == ["", "ep:1:t"]


async def test_a_relay_whose_token_is_locked_away_is_not_called_down(shop: Shop) -> None:
    health, locked = RelayHealth(), [True]

    class Locked(GivenRelay):
        async def whoami(self) -> Who:
            if locked[0]:
                raise TokenLocked("locked", "open it")
            return await super().whoami()

    async def sweep() -> None:
        return

    client: Any = Locked(Beat())
    listener = Listener(shop.till.context, client, shop.till.hints, health, sweep)
    with pytest.raises(TokenLocked):
        await listener.run()
    assert health.word(True, shop.clock.now_ms()) == "locked"
    locked[0] = False
    await listener.run()
    assert health.word(True, shop.clock.now_ms()) == "down", "heard, and the stream has ended"


async def test_an_event_alone_makes_no_order_paid(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await listen(shop, GivenRelay(event(1, shop.gateway, link=link_of(view), payment="ch_forged")))
    assert (await shop.again(view)).money is Money.UNPAID


async def test_an_unanswered_question_is_kept_with_the_cursor(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    bank.fault("link.fetch", "error_500", 1, after_work=True)
    await listen(shop, GivenRelay(event(1, shop.gateway, link=link_of(view))))
    assert cursor_of(shop) == "ep:1:t"
    assert [h.id for h in shop.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9))] == ["ep:1:t"]


async def test_a_place_that_is_lost_is_swept_before_the_cursor_moves(shop: Shop) -> None:
    shop.till.database.write_now(lambda tx: tx.sync.set_cursor("old:9:t"))
    notice = Notice(epoch="ep", cursor="ep:0:t", reason="epoch")
    assert await listen(shop, GivenRelay(notice)) == ["old:9:t"]
    assert cursor_of(shop) == "ep:0:t"


async def test_the_first_connection_of_an_empty_till_needs_no_sweep_and_a_used_one_does(shop: Shop) -> None:
    first = Notice(epoch="ep", cursor="ep:7:t", reason="first")
    assert await listen(shop, GivenRelay(first)) == []
    await shop.sell(TEA)
    assert await listen(shop, GivenRelay(first)) == ["ep:7:t"]


async def test_a_refused_token_begins_anew_and_a_lost_connection_does_not(shop: Shop) -> None:
    for error, left in ((Unreachable("gone", "wait"), "ep:3:t"), (Refused("revoked", "pair again"), "")):
        shop.till.database.write_now(lambda tx: tx.sync.set_cursor("ep:3:t"))
        with pytest.raises(type(error)):
            await listen(shop, GivenRelay(error))
        assert cursor_of(shop) == left
