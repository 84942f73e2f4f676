"""What is due is looked at, whoever's it is and whatever the clock did; nothing hangs in a loop."""

from __future__ import annotations

from dataclasses import replace

from pos.app.wiring import prober_of
from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.payment import Phase
from pos.domain.shown import Shown
from pos.domain.store_port import CallLog, Hint, Tx
from pos.services import schedule
from pos.services.evidence import Evidence
from pos.services.views import OrderView
from tests.domain import strategies
from tests.engines import sql
from tests.services.test_money import link_of
from tests.shop import CAKE, FIND_CALLS, TEA, Bank, Shop

DAY_S = 86_400


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


async def test_a_look_that_failed_before_the_clock_was_set_back_hides_no_payment(bank: Bank, shop: Shop) -> None:
    shop.clock.advance(3 * DAY_S)
    view = await shop.sell(TEA)
    await shop.pays(view)
    bank.fault("link.fetch", "drop", FIND_CALLS)
    shop.clock.advance(20)
    await shop.probe()
    assert (await shop.again(view)).shown is not Shown.PAID
    shop.clock.advance(-3 * DAY_S)
    assert await shop.probe() == 1
    assert (await shop.again(view)).shown is Shown.PAID


async def test_a_gateway_that_is_away_while_the_clock_is_set_back_is_not_asked_without_a_pause(
    bank: Bank, shop: Shop
) -> None:
    shop.clock.advance(3 * DAY_S)
    view = await shop.sell(TEA)
    bank.fault("link.fetch", "drop", 20 * FIND_CALLS)
    shop.clock.advance(20)
    await shop.probe()
    shop.clock.advance(-3 * DAY_S)
    assert [await shop.probe() for _ in range(3)] == [1, 0, 0]
    for _ in range(3):
        shop.clock.advance(300)
        await shop.probe()
    assert "M23" in [e.code for e in await shop.till.exceptions.listed()]
    bank.clear()
    shop.clock.advance(300)
    await shop.probe()
    assert (await shop.again(view)).shown is Shown.WAITING


async def _refund_without_answer(shop: Shop) -> OrderView:
    """40.00 of a sale is given back; the answer is lost after the work."""
    view = await shop.sell(CAKE)
    await shop.pays(view)
    await shop.check(view)
    shop.bank.fault("refund.create", "drop", 1)
    return await shop.till.refunds.refund(view.order_id, amount_minor=4_000, reason="burnt", actor="Owner")


async def test_a_refund_from_before_the_clock_was_set_back_is_asked_for_now_and_made_once(shop: Shop) -> None:
    shop.clock.advance(3 * DAY_S)
    view = await _refund_without_answer(shop)
    shop.clock.advance(-3 * DAY_S + 3_600)
    assert await prober_of(shop.till).send_outbox() == 1
    await _sweep_all(shop)
    assert (await shop.again(view)).refunded_minor == 4_000
    assert await prober_of(shop.till).send_outbox() == 0


async def test_a_refund_that_the_report_has_told_of_is_not_asked_for_again(shop: Shop) -> None:
    """However long ago: the gateway would have forgotten the key."""
    view = await _refund_without_answer(shop)
    (refund,) = shop.till.database.read_now(lambda tx: tx.facts.bundle(view.order_id)).refunds
    done = Fact(shop.gateway, refund.account, Mode.TEST, Kind.REFUND_SUCCEEDED, "re_1", amount_minor=4_000)
    of_ours = done._replace(kind=Kind.REFUND_OF_OURS, target=refund.id, amount_minor=None)
    of_payment = of_ours._replace(kind=Kind.REFUND_OF_PAYMENT, target=refund.payment)
    told = Evidence(shop.gateway, (done, of_ours, of_payment), Source.REPORT, "sweep")
    await shop.till.settle.take_in(told)
    assert (await shop.again(view)).refunded_minor == 4_000
    asked = len([c for c in _calls(shop, view.order_id) if c.operation == "refund"])
    for seconds in (3_600, 3 * DAY_S):
        shop.clock.advance(seconds)
        assert await prober_of(shop.till).send_outbox() == 0
        await shop.till.refunds.send_again(view.order_id, refund.id)
    assert len([c for c in _calls(shop, view.order_id) if c.operation == "refund"]) == asked
    row = shop.till.database.read_now(lambda tx: tx.outbox.of_refund(refund.id))
    assert row is not None
    assert row.state == "done"


async def _sweep_all(shop: Shop) -> None:
    from_ms = shop.clock.now_ms() - 10 * DAY_S * 1_000
    assert (await shop.till.reconcile.sweep(shop.gateway, from_ms=from_ms)).complete


def _calls(shop: Shop, order_id: str) -> list[CallLog]:
    return shop.till.database.read_now(lambda tx: tx.outbox.calls(order_id))


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
