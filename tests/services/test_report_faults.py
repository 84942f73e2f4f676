"""A report that is late, moves while it is read, says things twice or leaves things out: one truth all the same."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from pos.domain.shown import Shown
from pos.domain.store_port import SweepRun
from pos.domain.verdict import fold
from tests.shop import CAKE, TEA, Bank, Shop

PAGE = 100
REPORT_CALLS = 8


async def sweep(shop: Shop) -> SweepRun:
    now = shop.clock.now_ms()
    return await shop.till.reconcile.sweep(shop.gateway, from_ms=now - 3_600_000, to_ms=now + 60_000)


async def exceptions(shop: Shop) -> tuple[object, ...]:
    return (await shop.till.day.preview(refresh=False)).exceptions


async def strangers_pay(shop: Shop, count: int) -> None:
    """So many payments of somebody else at the same account."""
    shop.bank.fault("payment.list", "rows_arrive", count)
    path, most = {"stripe": ("/v1/charges", "limit"), "razorpay": ("/v1/payments", "count")}[shop.gateway]
    keys = shop.keys
    auth = {
        "stripe": (keys["gateways.stripe.secret_key"], ""),
        "razorpay": (keys["gateways.razorpay.key_id"], keys["gateways.razorpay.secret_key"]),
    }[shop.gateway]

    def ask() -> None:
        with httpx.Client(base_url=shop.bank.url, auth=auth, trust_env=False) as client:
            for _ in range(count):
                assert client.get(path, params={most: 1}).status_code == 200

    await asyncio.to_thread(ask)


async def test_a_report_that_is_late_takes_nothing_away_and_is_made_good_by_the_next(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    bank.fault("payment.list", "rows_late", REPORT_CALLS, lag_s=900.0)
    run = await sweep(shop)
    assert (run.complete, run.corrected) == (True, 0)
    early = await shop.again(view)
    assert (early.shown, early.kept_minor, await exceptions(shop)) == (Shown.WAITING, 0, ())
    bank.clear()
    await sweep(shop)
    assert (await shop.again(view)).shown is Shown.PAID
    await shop.assert_books()


async def test_a_report_that_is_late_does_not_undo_what_is_known(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    bank.fault("payment.list", "rows_late", REPORT_CALLS, lag_s=900.0)
    assert (await sweep(shop)).complete
    after = await shop.again(view)
    assert (after.shown, after.captured_minor) == (Shown.PAID, TEA.price_minor)
    bank.clear()
    assert (await sweep(shop)).complete
    assert await exceptions(shop) == (), "what was absent for longer than the gateway says is there again"
    await shop.assert_books()


async def test_pages_that_move_while_they_are_read_hide_no_payment(shop: Shop, bank: Bank) -> None:
    """Ours is the oldest of a page and a bit, so it is what a row that slips over the edge would be."""
    first, second = await shop.sell(TEA), await shop.sell(CAKE)
    for view in (first, second):
        await shop.pays(view)
    await strangers_pay(shop, PAGE - 2)
    bank.fault("payment.list", "rows_arrive", 3)
    run = await sweep(shop)
    assert run.complete, run.note
    for view in (first, second):
        assert (await shop.again(view)).shown is Shown.PAID
    await shop.assert_books()


async def test_rows_that_come_twice_count_once_and_are_told(shop: Shop, bank: Bank) -> None:
    first, second = await shop.sell(TEA), await shop.sell(CAKE)
    for view in (first, second):
        await shop.pays(view)
    bank.fault("payment.list", "rows_twice", REPORT_CALLS)
    run = await sweep(shop)
    assert (run.complete, run.duplicates) == (True, 2)
    bank.clear()
    assert [(await shop.again(view)).captured_minor for view in (first, second)] == [TEA.price_minor, CAKE.price_minor]
    assert (await sweep(shop)).duplicates == 0
    await shop.assert_books()


async def test_a_report_without_fees_pays_the_order_and_a_later_one_brings_them(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    bank.fault("payment.list", "without_fees", REPORT_CALLS)
    bank.fault("payment.fetch", "delay", REPORT_CALLS)  # a look-up would tell the fee; this only uses up its turn
    assert (await sweep(shop)).complete
    assert (await shop.again(view)).shown is Shown.PAID
    bank.clear()
    assert (await sweep(shop)).complete
    verdict = shop.till.database.read_now(lambda tx: fold(tx.facts.bundle(view.order_id)))
    (payment,) = verdict.payments
    assert payment.fee_minor is not None
    assert payment.fee_minor > 0
    await shop.assert_books()


@pytest.mark.parametrize("also_looked_up", [False, True], ids=["the-report-alone", "look-ups-too"])
async def test_a_report_without_any_reference_still_finds_whose_it_is(
    shop: Shop, bank: Bank, also_looked_up: bool
) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    bank.fault("payment.list", "without_references", REPORT_CALLS)
    if also_looked_up:
        bank.fault("link.list", "without_references", REPORT_CALLS)
    assert (await sweep(shop)).complete
    await shop.check(view)  # where the report was the only one to know whose it is, the look at its link knows too
    assert (await shop.again(view)).shown is Shown.PAID
    assert shop.till.database.read_now(lambda tx: tx.facts.parked()) == []
    await shop.assert_books()
