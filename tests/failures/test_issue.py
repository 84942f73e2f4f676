"""Issuing a link while something is wrong with the gateway, its keys, or the till beside us (rows 9 to 15)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pos.app.clock import SystemIds
from pos.app.wiring import Outside, open_till
from pos.domain.errors import Broken, Refused
from pos.domain.payment import KeyParts, Phase, idempotency_key, reference
from pos.domain.ports import LinkRequest, NotSent, Operation
from pos.domain.shown import Shown
from tests.failures import outside
from tests.services.test_money import link_of
from tests.services.test_two_gateways import OTHER, count_calls
from tests.shop import CAKE, TEA, Bank, GivenSecrets, MovedClock, Shop, reopen

LEASE_S = 16


def beside(shop: Shop, ahead_s: float = 0.0) -> Shop:
    """Another process on the same books, with a clock of its own."""
    clock = MovedClock()
    clock.advance(ahead_s)
    till = open_till(shop.home, Outside(clock, SystemIds(), GivenSecrets(dict(shop.keys))))
    return Shop(till, shop.bank, clock, shop.home, shop.keys, shop.gateway)


async def test_9_a_call_that_never_left_may_go_to_the_other_gateway_at_once(shop: Shop) -> None:
    gate = await shop.till.desk.get(shop.gateway)
    object.__setattr__(gate, "_base", "http://127.0.0.1:9")
    with pytest.raises(NotSent):
        await shop.sell(TEA, key="k")
    switched = await shop.till.checkout.issue((await shop.till.queries.order("k")).order_id, OTHER[shop.gateway])
    assert switched.attempt is not None
    assert (switched.shown, switched.attempt.no, switched.attempt.gateway) == (Shown.WAITING, 2, OTHER[shop.gateway])
    assert outside.links(shop) == []
    await shop.pays(switched)
    assert (await shop.check(switched)).shown is Shown.PAID
    await shop.assert_books()


async def test_11_a_key_that_is_being_worked_on_is_waited_for(shop: Shop, bank: Bank) -> None:
    """Two processes hold the same call: the second is told that the first is being worked on."""
    await shop.till.desk.get(shop.gateway)
    second = beside(shop, LEASE_S)
    await second.till.desk.get(shop.gateway)
    saved = await shop.till.selling.save(shop.lines(TEA))
    bank.fault("link.create", "delay", 1, delay_s=1.0, before_work=True)
    first = asyncio.create_task(shop.till.checkout.issue(saved.order_id, shop.gateway))
    while not (await shop.again(saved)).attempt:
        await asyncio.sleep(0)
    other = await second.till.checkout.issue(saved.order_id, shop.gateway)
    view = await first
    assert view.shown is Shown.WAITING
    assert other.shown in (Shown.WAITING, Shown.UNKNOWN)
    assert (await second.again(saved)).shown is Shown.WAITING
    assert len(outside.links(shop)) == 1
    await second.till.close()


async def test_12_an_edited_order_asks_under_another_key_and_a_reused_one_alarms(shop: Shop) -> None:
    """The amount is in the key: the same key with another amount is somebody else's doing, and no code is shown."""
    gate = await shop.till.desk.get(shop.gateway)
    view = await shop.sell(TEA)
    await shop.till.checkout.give_up(view.order_id)
    await shop.till.selling.save(shop.lines(CAKE), order_id=view.order_id)
    edited = await shop.till.checkout.issue(view.order_id, shop.gateway)
    first, second = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))
    assert (first.amount_minor, second.amount_minor, first.key == second.key) == (6_000, 14_000, False)
    assert outside.payable(shop) == [link_of(edited)]

    saved = await shop.till.selling.save(shop.lines(TEA))
    shop_id, account = shop.till.shop.shop_id, gate.adapter.account
    parts = KeyParts(shop_id, saved.order_id, 1, 1, "create", "", TEA.price_minor, "INR", account)
    mine = reference(saved.order_id, 1)
    forged = LinkRequest(idempotency_key(parts), mine, 100_00, "INR", "x", shop_id, "1", "https://example.com/")
    await shop.till.desk.ask(gate, gate.adapter.create(forged))
    with pytest.raises((Broken, Refused)):
        await shop.till.checkout.issue(saved.order_id, shop.gateway)
    after = await shop.again(saved)
    assert after.attempt is not None
    assert (after.attempt.phase, after.attempt.qr_text, after.shown) == (Phase.ABANDONED, "", Shown.UNPAID)
    if shop.gateway == "stripe":
        assert "M22" in await outside.codes(shop)
    await shop.assert_books()


async def test_13_off_for_two_days_the_old_call_is_looked_up_and_never_sent_again(shop: Shop, bank_clock: Bank) -> None:
    shop.lose_link_calls()
    view = await shop.sell(TEA)
    assert view.shown is Shown.UNKNOWN
    await shop.till.close()
    bank_clock.clear()
    bank_clock.desk("POST", "/settings", {"clock_offset_s": 2.0 * outside.DAY_S})
    shop.clock.advance(2 * outside.DAY_S)
    again = reopen(shop)
    await again.till.desk.get(shop.gateway)
    sent = count_calls(again, shop.gateway, Operation.CREATE)
    while await again.probe():
        again.clock.advance(60)
    assert sent == []
    old = again.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    assert (old.phase, bool(old.link_id), old.fenced, len(outside.links(again))) == (Phase.ABANDONED, True, True, 1)
    new = await again.till.checkout.issue(view.order_id, shop.gateway)
    assert new.attempt is not None
    assert (new.attempt.no, outside.payable(again), len(sent)) == (2, [link_of(new)], 1)
    await again.assert_books()
    await again.till.close()


async def test_15_two_tills_press_pay_on_one_order_and_show_one_code(shop: Shop) -> None:
    second = beside(shop)
    for one in (shop, second):
        await one.till.desk.get(shop.gateway)
    saved = await shop.till.selling.save(shop.lines(TEA))
    await asyncio.gather(*(one.till.checkout.issue(saved.order_id, shop.gateway) for one in (shop, second)))
    views = [await one.till.checkout.issue(saved.order_id, shop.gateway) for one in (shop, second)]
    codes = {view.attempt.qr_text for view in views if view.attempt}
    assert len(codes) == len(outside.links(shop)) == 1
    assert codes != {""}
    await shop.pays(views[0])
    assert (await second.check(views[1])).shown is Shown.PAID
    await second.assert_books()
    await second.till.close()


async def test_31_no_door_takes_an_amount_and_lines_of_a_placed_order_stay(shop: Shop) -> None:
    """Asked again with other lines, or with a cheaper product on record: the amount is the order's."""
    view = await shop.sell(CAKE, key="k")
    cheap = replace(CAKE, price_minor=100)
    shop.till.database.write_now(lambda tx: tx.shop.put_products([cheap]))
    for lines in (shop.lines(cheap), shop.lines(TEA)):
        again = await shop.till.checkout.sell(lines, shop.gateway, key="k")
        assert again.attempt == view.attempt
    placed = shop.till.database.read_now(lambda tx: tx.orders.get(view.order_id))
    assert placed is not None
    with pytest.raises(Broken, match="frozen"):
        shop.till.database.write_now(lambda tx: tx.orders.set_lines(placed, shop.lines(TEA), tax_included=True))
    await shop.till.checkout.give_up(view.order_id)
    second = await shop.till.checkout.issue(view.order_id, shop.gateway)
    assert second.attempt is not None
    assert second.attempt.amount_minor == CAKE.price_minor
