"""Links that are paid late, in part, too much, in the wrong place, or after another way was taken (rows 16 to 38)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pos.app.clock import SystemIds
from pos.app.wiring import Outside, open_till
from pos.domain.errors import NotAllowed, OutcomeUnknown, PosError, Refused
from pos.domain.facts import Kind
from pos.domain.shown import Shown
from pos.domain.verdict import Flag, Money
from tests.failures import outside
from tests.services.test_money import link_of, sweep
from tests.shop import CAKE, TEA, Bank, GivenSecrets, MovedClock, Shop, settings_text


async def test_19_paid_after_the_link_had_expired_is_paid_and_late(shop: Shop) -> None:
    view = await shop.sell(TEA)
    shop.bank.desk("POST", f"/links/{link_of(view)}/expire", {})
    expired = await shop.check(view)
    assert expired.shown is Shown.EXPIRED
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {"own_intent": False})
    await sweep(shop)
    paid = await shop.again(view)
    assert (paid.shown, paid.kept_minor, Flag.LATE in paid.flags) == (Shown.PAID, TEA.price_minor, True)
    with pytest.raises(Refused):
        await shop.till.cash.take(view.order_id)
    await shop.assert_books()


async def test_22_cash_while_the_gateway_is_away_needs_a_manager_and_late_money_is_seen(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    bank.fault("link.*", "drop", 50, before_work=True)
    with pytest.raises(OutcomeUnknown):
        await shop.till.cash.take(view.order_id)
    with pytest.raises(NotAllowed):
        await shop.till.checkout.release(view.order_id, reason="no network", actor="Nobody")
    await shop.till.checkout.release(view.order_id, reason="no network", actor="Owner")
    cash = await shop.till.cash.take(view.order_id)
    assert (cash.shown, Flag.UNFENCED in cash.flags) == (Shown.PAID, True)
    bank.clear()
    await shop.pays(view)  # the code was still on the customer's phone
    shop.clock.advance(120)
    while await shop.probe():
        shop.clock.advance(5)
    twice = await shop.again(view)
    assert (twice.shown, twice.owed_minor, Flag.DOUBLE_TENDER in twice.flags) == (
        Shown.PAID_TWICE,
        TEA.price_minor,
        True,
    )
    assert await outside.codes(shop) == {"M06"}
    await shop.assert_books()


@pytest.mark.parametrize("days", [3, -3])
async def test_25_only_the_gateway_says_when_a_link_is_over(shop: Shop, days: int) -> None:
    """The till's clock is days wrong: the link stands, and nothing else may be taken until the gateway closed it."""
    view = await shop.sell(TEA)
    shop.clock.advance(days * outside.DAY_S)
    again = await shop.till.checkout.issue(view.order_id, shop.gateway)
    assert link_of(again) == link_of(view)
    with pytest.raises(Refused):
        await shop.till.selling.save(shop.lines(CAKE), order_id=view.order_id)
    await shop.pays(view)
    assert (await shop.check(view)).shown is Shown.PAID
    await shop.assert_books()


async def test_26_a_part_payment_leaves_the_rest_for_another_link(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    bank.fault("page.pay", "other_amount", amount_minor=TEA.price_minor - 2_500)
    await shop.pays(view)
    part = await shop.check(view)
    assert (part.shown, part.left_minor) == (Shown.PART_PAID, 2_500)
    assert "M08" in await outside.codes(shop)
    rest = await shop.till.checkout.issue(view.order_id, shop.gateway)
    assert rest.attempt is not None
    assert (rest.attempt.no, rest.attempt.amount_minor) == (2, 2_500)
    await shop.pays(rest)
    paid = await shop.check(rest)
    assert (paid.shown, paid.captured_minor, paid.owed_minor) == (Shown.PAID, TEA.price_minor, 0)
    await shop.assert_books()


async def test_27_too_much_is_kept_visible_and_given_back_with_one_key(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    bank.fault("page.pay", "other_amount", amount_minor=TEA.price_minor + 500)
    await shop.pays(view)
    over = await shop.check(view)
    assert (over.shown, over.money, over.owed_minor) == (Shown.OVERPAID, Money.OVERPAID, 500)
    assert {"M04", "M07"} <= await outside.codes(shop)
    right = await shop.till.refunds.refund_owed(view.order_id, reason="too much", actor="Owner")
    assert (right.shown, right.kept_minor, outside.refunds(shop)) == (Shown.PAID, TEA.price_minor, [500])
    await shop.assert_books()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("outcome", ["captured", "failed"])
async def test_35_a_payment_on_its_way_is_waiting_and_nothing_else_is_taken(shop: Shop, outcome: str) -> None:
    """The page said thank you; the bank has not said yes. A failure in the end is a no of that try only."""
    view = await shop.sell(TEA)
    await shop.pays(view, "pending")
    waiting = await shop.check(view)
    assert (waiting.shown, waiting.money, waiting.captured_minor) == (Shown.WAITING, Money.UNPAID, 0)
    with pytest.raises(PosError):
        await shop.till.cash.take(view.order_id)
    facts = shop.till.database.read_now(lambda tx: tx.facts.bundle(view.order_id).facts)
    (payment,) = {f.object for f in facts if f.kind is Kind.PAYMENT_PENDING}
    shop.bank.desk("POST", f"/payments/{payment}/settle", {"as": outcome})
    after = await shop.check(view)
    if outcome == "captured":
        assert (after.shown, after.captured_minor) == (Shown.PAID, TEA.price_minor)
    else:
        assert (after.money, after.captured_minor, [p.state for p in after.payments]) == (Money.UNPAID, 0, ["failed"])
        assert (await shop.till.cash.take(view.order_id)).shown is Shown.PAID
    await shop.assert_books()


@pytest.mark.parametrize(
    ("gateway", "currency", "price"), [("stripe", "JPY", 1_500), ("stripe", "KWD", 1_500), ("razorpay", "JPY", 1_500)]
)
async def test_37_currencies_without_and_with_three_decimals_are_asked_and_taken_as_they_are(
    bank: Bank, tmp_path: Path, gateway: str, currency: str, price: int
) -> None:
    home, keys, clock = tmp_path / "home", bank.new_keys(), MovedClock()
    home.mkdir()
    text = settings_text(bank.url).replace('currency = "INR"', f'currency = "{currency}"')
    (home / "settings.toml").write_text(text, encoding="utf-8")
    till = open_till(home, Outside(clock, SystemIds(), GivenSecrets(dict(keys))))
    shop = Shop(till, bank, clock, home, keys, gateway)
    product = replace(TEA, price_minor=price)
    view = await shop.sell(product)
    (asked,) = outside.links(shop)
    assert asked["amount_total" if gateway == "stripe" else "amount"] == price
    await shop.pays(view)
    paid = await shop.check(view)
    assert (paid.shown, paid.captured_minor, paid.flags) == (Shown.PAID, price, ())
    back = await till.refunds.refund(view.order_id, amount_minor=price // 10, reason="cold", actor="Owner")
    assert (back.refunded_minor, outside.refunds(shop)) == (price // 10, [price // 10])
    await shop.assert_books()
    await till.close()


async def test_38_money_that_the_gateway_gave_straight_back_is_no_sale_that_was_forgotten(shop: Shop) -> None:
    """Captured and at once given back there, before the till had looked: seen as returned, and a reason is asked."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    payment = captured_at_gateway(shop)
    outside.refund_in_dashboard(shop, payment, TEA.price_minor)
    await sweep(shop)
    await shop.check(view)
    after = await shop.again(view)
    assert (after.shown, after.refunded_minor) == (Shown.REFUNDED, TEA.price_minor)
    assert await outside.codes(shop) == {"M13"}
    await shop.assert_books()


def captured_at_gateway(shop: Shop) -> str:
    """The account's one payment, as the gateway lists it."""
    if shop.gateway == "stripe":
        (payment,) = outside.ask(shop, "GET", "/v1/charges?limit=100")["data"]
    else:
        (payment,) = outside.ask(shop, "GET", "/v1/payments?count=100")["items"]
    found: str = payment["id"]
    return found
