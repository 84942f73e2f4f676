"""Money that is not where an order's links are, or never was the order's: it counts once, or for nothing, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from pos.domain.errors import Refused
from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.payment import reference
from pos.domain.shown import Shown
from pos.domain.verdict import Flag, Money
from pos.services.evidence import Evidence
from pos.services.views import DayView
from tests.services.test_money import link_of
from tests.services.test_parked import NOBODY
from tests.services.test_two_gateways import OTHER
from tests.shop import TEA, Shop


async def told(shop: Shop, payment: Fact, *more: Fact) -> None:
    await shop.till.settle.take_in(Evidence(payment.gateway, (payment, *more), Source.REPORT, "sweep"))


async def captured(shop: Shop, gateway: str, payment: str, **values: Any) -> Fact:
    """A capture at the account that the shop has at this gateway."""
    account = (await shop.till.desk.get(gateway)).adapter.account
    given = {"amount_minor": TEA.price_minor, "currency": "INR", "at_ms": shop.clock.now_ms()} | values
    return Fact(gateway, account, Mode.TEST, Kind.PAYMENT_CAPTURED, payment, **given)


def about(fact: Fact, kind: Kind, target: str) -> Fact:
    return fact._replace(kind=kind, target=target, amount_minor=None, currency="", at_ms=None)


async def an_orphan(shop: Shop, gateway: str, **values: Any) -> Fact:
    """A payment whose order is not here, as after a restore from yesterday's backup."""
    fact = await captured(shop, gateway, "pay_orphan", **values)
    await told(shop, fact, about(fact, Kind.PAYMENT_OF_REFERENCE, reference(NOBODY, 1)))
    return fact


async def test_an_orphan_of_another_gateway_than_the_orders_links_counts_once_attached(shop: Shop) -> None:
    view = await shop.sell(TEA)
    view = await shop.till.checkout.give_up(view.order_id)
    await an_orphan(shop, OTHER[shop.gateway])
    paid = await shop.till.day.attach("pay_orphan", view.number, actor="Owner", reason="the customer's receipt")
    assert (paid.money, paid.captured_minor, paid.flags) == (Money.PAID, TEA.price_minor, ())
    assert await shop.till.exceptions.listed() == []
    with pytest.raises(Refused, match="nothing left to pay"):
        await shop.till.cash.take(view.order_id)
    assert [p.to_refund_minor for p in paid.payments] == [0]
    assert "refund" in paid.may
    await shop.assert_books()


async def test_attached_money_of_a_gateway_with_a_link_here_is_of_that_link(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.till.checkout.issue(view.order_id, OTHER[shop.gateway])  # the first is closed, the second has number 2
    await an_orphan(shop, shop.gateway)
    paid = await shop.till.day.attach("pay_orphan", view.number, actor="Owner", reason="the customer's receipt")
    assert [(p.attempt_no, p.captured_minor) for p in paid.payments] == [(1, TEA.price_minor)]
    await shop.assert_books()


async def test_what_the_gateway_names_outranks_what_a_person_attached(shop: Shop) -> None:
    """The order's own links are at one account: money that its gateway ties to it from another one is an alarm."""
    view = await shop.sell(TEA)
    fact = await an_orphan(shop, OTHER[shop.gateway])
    await shop.till.day.attach("pay_orphan", view.number, actor="Owner", reason="the customer's receipt")
    await told(shop, fact, about(fact, Kind.PAYMENT_OF_REFERENCE, reference(view.order_id, 1)))
    after = await shop.again(view)
    assert (after.captured_minor, after.flags) == (0, (Flag.ACCOUNT,))


async def test_money_of_another_currency_is_not_attached(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await an_orphan(shop, shop.gateway, currency="USD")
    with pytest.raises(Refused, match="USD"):
        await shop.till.day.attach("pay_orphan", view.number, actor="Owner", reason="the customer's receipt")
    assert [e.code for e in await shop.till.exceptions.listed()] == ["M11"]


async def test_what_goes_back_of_another_currency_is_no_refund_of_the_order(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    paid = await shop.check(view)
    strange = await captured(shop, shop.gateway, "pay_usd", currency="USD")
    await told(shop, strange, about(strange, Kind.PAYMENT_OF_LINK, link_of(view)))
    back = strange._replace(kind=Kind.REFUND_SUCCEEDED, object="re_usd")
    await told(shop, back, about(back, Kind.REFUND_OF_PAYMENT, "pay_usd"))
    after = await shop.again(view)
    assert (after.shown, after.money, after.kept_minor) == (Shown.PAID, Money.PAID, TEA.price_minor)
    assert (after.refunded_minor, after.returned_minor) == (0, 0)
    assert [e.code for e in await shop.till.exceptions.listed()] == ["M05"]
    day = await shop.till.day.preview(refresh=False)
    assert here(day)["refunds"] == 0
    assert "return_" in paid.may
    assert "return_" in after.may
    await shop.assert_books()


async def test_what_was_paid_twice_at_two_gateways_is_owed_by_one_of_them(shop: Shop) -> None:
    """The day's report expects the sale at the gateway that took it first, and nothing at the one that gives back."""
    first, second = shop.gateway, OTHER[shop.gateway]
    view = await shop.sell(TEA)
    switched = await shop.till.checkout.issue(view.order_id, second)
    await shop.pays(switched)
    await shop.check(switched)
    late = await captured(shop, first, "pay_late", at_ms=shop.clock.now_ms() + 1_000)
    await told(shop, late, about(late, Kind.PAYMENT_OF_LINK, link_of(view)))
    after = await shop.again(view)
    assert (after.money, after.owed_minor) == (Money.OVERPAID, TEA.price_minor)
    day = await shop.till.day.preview(refresh=False)
    assert (here(day)[first], here(day)[second]) == (0, TEA.price_minor)


def here(day: DayView) -> dict[str, int | None]:
    return {row.key: row.here_minor for row in day.totals}
