"""Money at an account of which the till has no key any more: goods still come back, and no stranger is asked."""

from __future__ import annotations

import pytest

from pos.app.wiring import enrolled_gateways
from pos.domain.cash import GiveBack
from pos.domain.errors import NotAllowed, Refused
from pos.domain.rows import Person
from pos.domain.shown import Shown
from pos.domain.verdict import Verdict, fold
from pos.services.returns import Decision
from pos.services.views import OrderView
from tests.services.test_money import sweep
from tests.services.test_returns import paid, take
from tests.services.test_two_gateways import OTHER, paid_at_both
from tests.shop import CAKE, TEA, GivenSecrets, Shop

CASH_BACK = GiveBack("the account is closed")


def remove_gateway(shop: Shop, name: str) -> None:
    """As a manager does in Manage > Gateways."""
    shop.till.desk.enrol([entry for entry in shop.till.desk.enrolled.values() if entry.name != name])


def set_keys(shop: Shop, keys: dict[str, str]) -> None:
    assert isinstance(shop.till.secrets, GivenSecrets)
    shop.till.secrets.values.update(keys)
    shop.till.desk.enrol(list(enrolled_gateways(shop.till.settings, shop.till.secrets).values()))


def handed_out(shop: Shop, view: OrderView) -> list[tuple[int, str, bool]]:
    """(amount, payment, whether it is for goods) of money that went over the counter."""
    tenders = shop.till.database.read_now(lambda tx: tx.facts.bundle(view.order_id)).tenders
    return [(t.amount_minor, t.payment, bool(t.return_id)) for t in tenders if t.amount_minor < 0]


def fold_of(shop: Shop, view: OrderView) -> Verdict:
    return fold(shop.till.database.read_now(lambda tx: tx.facts.bundle(view.order_id)))


async def test_goods_of_a_gateway_that_was_removed_come_back_for_cash_in_the_payments_cap(shop: Shop) -> None:
    view = await paid(shop)
    remove_gateway(shop, shop.gateway)
    (payment,) = view.payments
    first = await take(shop, view, ("TEA", 1_000))
    assert handed_out(shop, view) == [(-TEA.price_minor, payment.id, True)]
    assert (first.view.shown, first.view.returned_minor) == (Shown.PART_REFUNDED, TEA.price_minor)
    last = await take(shop, view, ("CAKE", 1_000))
    assert last.view.shown is Shown.RETURNED
    with pytest.raises(Refused):  # nothing is left of that payment, in whatever way
        await shop.till.backs.give_back(view.order_id, CASH_BACK, actor="Owner")
    assert shop.till.database.read_now(lambda tx: tx.money.refunds(view.order_id)) == []
    await shop.assert_books()


async def test_cash_for_what_came_by_link_needs_the_role_that_gives_it_without_goods(shop: Shop) -> None:
    shop.till.people._people |= {"Mia": Person("Mia", "cashier"), "Ana": Person("Ana", "manager")}
    view = await paid(shop)
    remove_gateway(shop, shop.gateway)
    with pytest.raises(NotAllowed):
        await take(shop, view, ("TEA", 1_000), why=Decision("cold", "Mia"))
    assert handed_out(shop, view) == []
    assert (await take(shop, view, ("TEA", 1_000), why=Decision("cold", "Ana"))).note.asked_by == "Ana"


async def test_with_the_key_of_another_account_nothing_is_asked_and_a_manager_gives_cash(shop: Shop) -> None:
    view = await paid(shop)
    before = dict(shop.keys)
    await sweep(shop)
    set_keys(shop, shop.bank.new_keys())
    with pytest.raises(Refused, match="not set up here"):
        await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    assert shop.till.database.read_now(lambda tx: tx.money.refunds(view.order_id)) == []
    back = await shop.till.backs.give_back(
        view.order_id, GiveBack("the account is closed", amount_minor=TEA.price_minor), actor="Owner"
    )
    assert back.refunded_minor == TEA.price_minor
    set_keys(shop, before)  # what is left goes by link again
    rest = await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    assert rest.returned_minor == TEA.price_minor + CAKE.price_minor
    await shop.assert_books()


async def test_what_was_paid_twice_goes_back_where_it_can(shop: Shop) -> None:
    """Paid at a gateway that was removed since, and again at another one: that one's is owed, and it can be asked."""
    twice = await paid_at_both(shop)
    assert twice.shown is Shown.PAID_TWICE
    owing = next(p.gateway for p in fold_of(shop, twice).proposals)
    remove_gateway(shop, OTHER[owing])
    right = await shop.till.refunds.refund_owed(twice.order_id, reason="twice", actor="Owner")
    assert right.shown is Shown.PAID
    await shop.assert_books()
