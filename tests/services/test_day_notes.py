"""What stands beside a day's sums: a drawer that is off (M18), money of another day (M21), a key used twice (M22)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pos.domain.errors import BadInput
from pos.domain.ports import Operation
from tests.processes import run_pos
from tests.services.test_money import sweep
from tests.services.test_two_gateways import count_calls
from tests.shop import CAKE, TEA, Bank, Shop

PRICE = CAKE.price_minor
DAY_S = 86_400


async def codes(shop: Shop) -> list[str]:
    return [row.code for row in await shop.till.exceptions.listed()]


@pytest.mark.parametrize("off", [-100, 100])
async def test_a_drawer_that_is_off_stands_before_the_manager_until_somebody_says_why(shop: Shop, off: int) -> None:
    await shop.till.cash.sell(shop.lines(CAKE), PRICE)
    closed = await shop.till.day.close(actor="Owner", counted_minor=PRICE + off)
    assert closed.cash_difference_minor == off
    assert [(e.code, e.amount_minor) for e in closed.exceptions] == [("M18", 100)], "it is on the report of its own day"
    (row,) = await shop.till.exceptions.listed()
    shop.clock.advance(DAY_S)
    assert "M18" in {e.code for e in (await shop.till.day.close(actor="Owner")).exceptions}, "carried over"
    with pytest.raises(BadInput):
        await shop.till.exceptions.settle(row.id, reason="", actor="Owner")
    await shop.till.exceptions.settle(row.id, reason="a torn note", actor="Owner")
    assert await codes(shop) == []
    await shop.assert_books()


async def test_who_says_why_at_the_close_is_not_asked_again(shop: Shop) -> None:
    await shop.till.cash.sell(shop.lines(CAKE), PRICE)
    closed = await shop.till.day.close(actor="Owner", counted_minor=PRICE - 100, reason="a torn note")
    assert (closed.cash_difference_minor, closed.exceptions, await codes(shop)) == (-100, (), [])
    said = shop.till.database.read_now(lambda tx: [e.body for e in tx.journal.entries() if e.act == "drawer.differs"])
    assert said == ['{"difference_minor":-100,"reason":"a torn note"}']


@pytest.mark.parametrize(("off", "told"), [(-100, []), (101, ["M18"])])
async def test_what_the_shop_tolerates_is_on_the_report_and_asks_nobody(shop: Shop, off: int, told: list[str]) -> None:
    shop.till.context.shop = replace(shop.till.shop, cash_tolerance_minor=100)
    await shop.till.cash.sell(shop.lines(CAKE), PRICE)
    closed = await shop.till.day.close(actor="Owner", counted_minor=PRICE + off)
    assert (closed.cash_difference_minor, await codes(shop)) == (off, told)


async def test_money_of_the_day_before_is_noted_with_its_day(shop: Shop) -> None:
    """Paid before the cut-off, heard of after it: this day's Z tells of it, that day's reconciliation has it."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    shop.clock.advance(DAY_S)
    await shop.check(view)
    today = await shop.till.day.close(actor="Owner")
    (noted,) = today.noted
    assert (noted.code, noted.number, noted.gateway_minor) == ("M21", view.number, TEA.price_minor)
    assert not today.from_ms <= noted.at_ms < today.to_ms
    assert (today.categories().get("M21"), today.categories().get("M01")) == (1, None)
    assert (await shop.till.day.show(today.day)).noted == today.noted
    shop.clock.advance(DAY_S)
    assert (await shop.till.day.preview(refresh=False)).noted == (), "each Z tells of it once"


async def test_a_refund_whose_key_somebody_else_has_used_alarms(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    view = await shop.check(view)
    calls = count_calls(shop, shop.gateway, Operation.REFUND)
    bank.fault("refund.create", "drop", before_work=True)
    await shop.till.refunds.refund(view.order_id, amount_minor=2_000, reason="cold", actor="Owner")
    (call,) = calls
    forged = call._replace(body=call.body.replace(b"2000", b"1000"))
    assert forged.body != call.body
    gate = await shop.till.desk.get(shop.gateway)
    await shop.till.desk.ask(gate, forged)
    for _ in range(3):
        shop.clock.advance(300)
        await shop.probe()
    if shop.gateway == "stripe":  # the other one shows the refund to the look before, and nothing is sent again
        assert (await codes(shop)).count("M22") == 1
    await sweep(shop)
    assert ("M04", 1_000) in [(e.code, e.amount_minor) for e in await shop.till.exceptions.listed()]
    assert (await shop.again(view)).refunded_minor == 1_000, "what went back, not what was asked for"
    await shop.assert_books()


@pytest.mark.parametrize("shop", ["stripe"], indirect=True)
def test_the_close_at_the_command_line_takes_a_reason(shop: Shop) -> None:
    home = {"POS_HOME": str(shop.home)}
    done = run_pos(["day", "close", "--counted", "1.00", "--reason", "the float was left in"], home)
    assert "cash differs by" in done.stdout, done.stderr
    assert "M18" not in run_pos(["exceptions"], home).stdout
