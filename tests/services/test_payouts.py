"""M16 and M17: what a gateway pays out is compared with what it took, whichever is heard of first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pos.domain.errors import BadInput
from pos.domain.facts import Fact, Kind, Mode, Source
from pos.services.evidence import Evidence
from pos.services.views import OrderView
from tests.services.test_money import sweep
from tests.shop import TEA, Bank, Shop

PRICE = TEA.price_minor


async def paid(shop: Shop) -> tuple[OrderView, Fact]:
    """A paid order, and its payment as a fact to make others of."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    view = await shop.check(view)
    await sweep(shop)  # the fee comes with the report
    gate = await shop.till.desk.get(shop.gateway)
    return view, Fact(shop.gateway, gate.adapter.account, Mode.TEST, Kind.PAYOUT_INCLUDED, view.payments[0].id)


def fee_of(shop: Shop, bare: Fact) -> int:
    facts = shop.till.database.read_now(lambda tx: tx.facts.of_payments({(bare.gateway, bare.object)}))
    return max(f.amount_minor or 0 for f in facts[(bare.gateway, bare.object)] if f.kind is Kind.PAYMENT_FEE)


async def told(shop: Shop, *facts: Fact) -> None:
    await shop.till.settle.take_in(Evidence(shop.gateway, facts, Source.REPORT, "sweep"))


async def found(shop: Shop) -> list[tuple[str, int]]:
    return [(e.code, e.amount_minor) for e in await shop.till.exceptions.listed()]


def line(bare: Fact, gross: int, fee: int, payout: str = "po_1", currency: str = "INR") -> Fact:
    return bare._replace(target=payout, amount_minor=gross, fee_minor=fee, currency=currency)


async def test_a_payout_that_agrees_asks_nobody(shop: Shop) -> None:
    _, bare = await paid(shop)
    await told(shop, line(bare, PRICE, fee_of(shop, bare)))
    assert await found(shop) == []
    await shop.assert_books()


async def test_a_payout_of_another_amount_stands_until_the_rest_comes(shop: Shop) -> None:
    _, bare = await paid(shop)
    fee = fee_of(shop, bare)
    await told(shop, line(bare, PRICE - 500, fee))
    assert await found(shop) == [("M17", 500)]
    await told(shop, line(bare, 500, 0, "po_2"))
    assert await found(shop) == []
    await told(shop, line(bare, PRICE, fee, "po_3"))
    assert ("M17", PRICE) in await found(shop), "paid out twice"
    await shop.assert_books()


async def test_a_fee_that_differs_stands_before_the_manager_and_is_not_opened_again(shop: Shop) -> None:
    _, bare = await paid(shop)
    await told(shop, line(bare, PRICE, fee_of(shop, bare) + 7))
    (row,) = await shop.till.exceptions.listed()
    assert (row.code, row.amount_minor, row.subject) == ("M16", 7, bare.object)
    with pytest.raises(BadInput):
        await shop.till.exceptions.settle(row.id, reason=" ", actor="Owner")
    await shop.till.exceptions.settle(row.id, reason="their new price list", actor="Owner")
    await told(shop, bare._replace(kind=Kind.PAYMENT_FEE, amount_minor=0, currency="INR"))
    assert await found(shop) == []


async def test_what_the_shop_tolerates_is_no_difference(shop: Shop) -> None:
    _, bare = await paid(shop)
    shop.till.context.shop = replace(shop.till.shop, payout_tolerance_minor=7)
    await told(shop, line(bare, PRICE, fee_of(shop, bare) + 7))
    assert await found(shop) == []
    await told(shop, line(bare, 1, 1, "po_2"))
    assert await found(shop) == [("M16", 8)]


async def test_an_account_that_is_settled_in_another_currency_compares_nothing(shop: Shop) -> None:
    _, bare = await paid(shop)
    await told(shop, line(bare, 71, 3, currency="USD"))
    assert await found(shop) == []


async def test_a_refund_has_a_line_of_its_own(shop: Shop) -> None:
    view, bare = await paid(shop)
    await shop.till.refunds.refund(view.order_id, amount_minor=2_000, reason="cold", actor="Owner")
    await sweep(shop)
    refund = shop.till.database.read_now(lambda tx: tx.facts.bundle(view.order_id)).facts
    name = next(f.object for f in refund if f.kind is Kind.REFUND_OF_PAYMENT)
    await told(shop, line(bare._replace(object=name), -1_900, 0))
    assert await found(shop) == [("M17", 100)]
    await told(shop, line(bare._replace(object=name), -100, 0, "po_2"))
    assert await found(shop) == []
    await shop.assert_books()


async def test_the_gateways_own_payouts_agree_with_what_it_took(shop: Shop, bank: Bank) -> None:
    view, bare = await paid(shop)
    await shop.till.refunds.refund(view.order_id, amount_minor=2_000, reason="cold", actor="Owner")
    account = bank.accounts.get(bare.account, bare.account)  # the one is named by its key
    assert bank.desk("POST", "/payouts", {"account": account})
    await sweep(shop)
    facts = shop.till.database.read_now(lambda tx: tx.facts.bundle(view.order_id)).facts
    lines = {f.object: f.amount_minor for f in facts if f.kind is Kind.PAYOUT_INCLUDED}
    assert lines[bare.object] == PRICE
    assert sorted(lines.values()) == [-2_000, PRICE]
    assert await found(shop) == []
