"""What is due is looked at, whoever's it is and whatever the clock did; nothing hangs in a loop."""

from __future__ import annotations

from dataclasses import replace

from pos.app.wiring import prober_of
from pos.domain.payment import Phase
from pos.domain.shown import Shown
from pos.domain.store_port import Hint, Tx
from pos.services import schedule
from tests.domain import strategies
from tests.engines import sql
from tests.services.test_money import link_of
from tests.shop import CAKE, TEA, Bank, Shop


async def test_a_link_of_a_till_that_is_gone_is_looked_at_by_another(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)

    def other_till(tx: Tx) -> None:
        sql(tx, "UPDATE orders SET till = 'old'")

    shop.till.database.write_now(other_till)
    shop.clock.advance(30)
    assert await shop.probe() == 0  # its own till comes first
    shop.clock.advance(400)
    await shop.probe()
    assert (await shop.again(view)).shown is Shown.PAID


async def test_a_clock_that_is_set_back_hides_no_payment(shop: Shop) -> None:
    view = await shop.sell(TEA)
    shop.clock.advance(20)
    await shop.probe()
    await shop.pays(view)
    shop.clock.advance(-7_200)
    assert await shop.probe() == 1
    assert (await shop.again(view)).shown is Shown.PAID


async def test_the_order_on_screen_is_looked_at_before_its_time(shop: Shop) -> None:
    view = await shop.sell(TEA)
    shop.clock.advance(1_000)
    await shop.probe()  # the next regular look is half a minute away
    shop.clock.advance(5)
    assert await shop.probe() == 0
    shop.till.sync.watch(view.order_id)
    assert await shop.probe() == 1
    shop.till.sync.watch(None)


async def test_with_a_live_relay_the_looks_are_fewer(bank: Bank, shop: Shop) -> None:
    view = await shop.sell(TEA)
    prober = prober_of(shop.till)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    now = (attempt.shown_at_ms or 0) + 5_000
    assert prober._is_time(attempt, now, 3_000)
    assert not prober._is_time(attempt, now, 15_000)


async def test_a_create_call_past_its_time_is_never_sent_again(shop: Shop, bank: Bank) -> None:
    bank.fault("link.create", "drop", 3, before_work=True)
    view = await shop.sell(TEA)
    shop.clock.advance(61)
    before = bank.desk("GET", "")["counts"]["link"]
    prober = prober_of(shop.till)
    await prober.send_outbox()
    assert shop.till.database.read_now(lambda tx: tx.outbox.due(2**60, 9)) == []
    assert bank.desk("GET", "")["counts"]["link"] == before
    assert (await shop.again(view)).shown is Shown.UNKNOWN


async def test_draining_looks_at_every_open_payment_and_ends(shop: Shop) -> None:
    views = [await shop.sell(TEA), await shop.sell(CAKE)]
    for view in views:
        await shop.pays(view)
    assert await prober_of(shop.till).drain() >= 2
    assert [(await shop.again(v)).shown for v in views] == [Shown.PAID, Shown.PAID]


async def test_a_hint_about_a_link_that_never_came_to_be_is_not_asked_for_ever(shop: Shop, bank: Bank) -> None:
    await shop.till.desk.get(shop.gateway)
    bank.fault("link.create", "drop", 3, before_work=True)
    view = await shop.sell(TEA)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    hint = Hint("e:1:a", shop.gateway, "webhook", "", "", "", attempt.reference, 1)
    shop.till.database.write_now(lambda tx: tx.sync.put_hint(hint))
    await shop.till.hints.retry_due()
    assert shop.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9)) == []
    await shop.till.hints.take(replace(hint, id="e:2:a"), "e:2:a")
    assert shop.till.database.read_now(lambda tx: tx.sync.cursor()) == "e:2:a"


async def test_a_payment_in_flight_behind_a_closed_link_is_looked_at_soon(shop: Shop, bank: Bank) -> None:
    """Somebody stands at the counter; that the link is hours old is no reason to look once an hour."""
    view = await shop.sell(TEA)
    shop.clock.advance(3 * 3_600)
    await shop.probe()
    bank.fault("link.close", "drop", 1, before_work=True)
    await shop.till.checkout.give_up(view.order_id)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    assert attempt.phase is Phase.CLOSING
    assert schedule.pause_ms(attempt, shop.clock.now_ms()) == schedule.ON_SCREEN_MS
    assert link_of(view)


def test_a_link_that_is_watched_after_its_end_is_looked_at_every_few_hours() -> None:
    over = replace(strategies.attempt(1, Phase.CLOSED), fenced_at_ms=3_000)
    assert schedule.pause_ms(over, 10_000) == schedule.AFTER_CLOSE_MS
