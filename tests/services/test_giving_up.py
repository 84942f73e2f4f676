"""The way back from part paid: voided, and everything that was kept goes back, in one write."""

from __future__ import annotations

import pytest

from pos.domain.cash import Method, Tender
from pos.domain.errors import NotAllowed, Refused
from pos.domain.order import Life
from pos.domain.store_port import Tx
from pos.domain.verdict import Money
from pos.services.views import OrderView
from tests.shop import CAKE, TEA, Bank, Shop


async def part_paid(shop: Shop, bank: Bank, minor: int = 9_000) -> OrderView:
    view = await shop.sell(CAKE)
    bank.fault("page.pay", "other_amount", amount_minor=minor)
    await shop.pays(view)
    part = await shop.check(view)
    assert (part.money, part.kept_minor, "give_back" in part.may) == (Money.PART_PAID, minor, True)
    return part


def some_cash(shop: Shop, view: OrderView, amount_minor: int) -> None:
    """A part in cash, as a plan of several tenders leaves it."""

    def write(tx: Tx) -> None:
        tender = Tender("cash-part", view.order_id, Method.CASH, amount_minor, "INR", shop.clock.now_ms(), till="1")
        tx.orders.lock(view.order_id)
        shop.till.cash._tendering.write(tx, tender, "tender.cash")

    shop.till.database.write_now(write)


async def test_what_was_paid_by_link_and_in_cash_goes_back_each_its_way(shop: Shop, bank: Bank) -> None:
    view = await part_paid(shop, bank)
    some_cash(shop, view, 2_000)
    back = await shop.till.givingup.give_back_and_void(view.order_id, reason="changed his mind", actor="Owner")
    assert (back.life, back.kept_minor, back.owed_minor, back.refunded_minor) == (Life.VOIDED, 0, 0, 9_000)
    tenders = shop.till.database.read_now(lambda tx: tx.money.tenders(view.order_id))
    assert [t.amount_minor for t in tenders] == [2_000, -2_000]
    (refund,) = shop.till.database.read_now(lambda tx: tx.money.refunds(view.order_id))
    assert (refund.purpose, refund.amount_minor) == ("undo", 9_000)
    assert {p.code for p in shop.till.database.read_now(lambda tx: tx.problems.listed(open_only=True))} == {"M04"}
    with pytest.raises(Refused, match="not part paid"):
        await shop.till.givingup.give_back_and_void(view.order_id, reason="again", actor="Owner")
    await shop.assert_books()


async def test_a_refund_that_gets_no_answer_leaves_the_order_voided_and_is_sent_again(shop: Shop, bank: Bank) -> None:
    view = await part_paid(shop, bank)
    bank.fault("refund.create", "drop", 1, before_work=True)
    back = await shop.till.givingup.give_back_and_void(view.order_id, reason="left", actor="Owner")
    assert (back.life, back.kept_minor, back.refunded_minor) == (Life.VOIDED, 0, 0)
    shop.clock.advance(60)
    await shop.probe()
    assert (await shop.again(view)).refunded_minor == 9_000
    await shop.assert_books()


async def test_it_is_for_part_paid_orders_and_managers_alone(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    paid = await shop.check(view)
    for actor, error in (("Nobody", NotAllowed), ("Owner", Refused)):
        with pytest.raises(error):
            await shop.till.givingup.give_back_and_void(paid.order_id, reason="x", actor=actor)
    assert (await shop.again(view)).life is Life.PLACED
    await shop.assert_books()


async def test_what_was_accepted_by_hand_is_taken_back_first(shop: Shop, bank: Bank) -> None:
    view = await part_paid(shop, bank)
    again = await shop.till.checkout.issue(view.order_id, shop.gateway)
    assert again.attempt is not None
    await shop.till.checkout.give_up(view.order_id)

    def write(tx: Tx) -> None:
        tender = Tender("hand", view.order_id, Method.BY_HAND, 1_000, "INR", shop.clock.now_ms(), till="1")
        tx.orders.lock(view.order_id)
        shop.till.cash._tendering.write(tx, tender, "tender.by_hand")

    shop.till.database.write_now(write)
    with pytest.raises(Refused, match="by hand"):
        await shop.till.givingup.give_back_and_void(view.order_id, reason="left", actor="Owner")
    assert (await shop.again(view)).life is Life.PLACED
