"""Captured payments of the account that belong to no order here: each is an orphan, another of ours, or foreign."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos.app.clock import SystemIds
from pos.app.wiring import Outside, open_till
from pos.domain.facts import Fact, Kind, Mode, Source, shop_mark
from pos.domain.payment import reference
from pos.domain.store_port import Parked
from pos.services.evidence import Evidence
from tests.engines import sql
from tests.services.test_money import sweep
from tests.shop import TEA, Bank, GivenSecrets, MovedClock, Shop, settings_text

NOBODY = "01a21d7c-0561-7000-8398-a99f281facfb"


def sister(shop: Shop, home: Path) -> Shop:
    """Another shop of the same owner: books of its own, the same gateway accounts."""
    home.mkdir()
    (home / "settings.toml").write_text(settings_text(shop.bank.url), encoding="utf-8")
    till = open_till(home, Outside(MovedClock(), SystemIds(), GivenSecrets(dict(shop.keys))))
    return Shop(till, shop.bank, shop.clock, home, shop.keys, shop.gateway)


def parked(shop: Shop) -> list[Parked]:
    return shop.till.database.read_now(lambda tx: tx.facts.parked())


async def test_a_sister_shops_payment_is_another_of_ours_and_counted(shop: Shop, tmp_path: Path) -> None:
    other = sister(shop, tmp_path / "sister")
    try:
        sold = await other.sell(TEA)
        await other.pays(sold)
        await sweep(shop)
        (row,) = parked(shop)
        assert (row.kind, row.owner) == ("another", shop_mark(other.till.shop.shop_id, "1"))
        day = await shop.till.day.preview(refresh=False)
        assert (day.parked_count, day.parked_minor, day.exceptions) == (1, TEA.price_minor, ())
        assert day.categories() == {"M10": 1}
        await shop.assert_books()
    finally:
        await other.till.close()


def told(shop: Shop, *more: tuple[Kind, str]) -> tuple[Fact, ...]:
    account = shop.till.database.read_now(lambda tx: tx.shop.account(shop.gateway))
    assert account is not None
    base = Fact(shop.gateway, account.account, Mode.TEST, Kind.PAYMENT_CAPTURED, "pay_x")
    captured = base._replace(amount_minor=500, currency="INR", at_ms=shop.clock.now_ms())
    return (captured, *(base._replace(kind=kind, target=target) for kind, target in more))


@pytest.mark.parametrize(
    ("till", "named", "kind"),
    [("1", True, "orphan"), ("9", True, "another"), ("1", False, "another"), (None, True, "orphan")],
)
async def test_whose_it_is_stands_in_its_marks(shop: Shop, till: str | None, named: bool, kind: str) -> None:
    await shop.sell(TEA)
    mark = shop_mark(shop.till.shop.shop_id if named else "somebody else", till or "")
    marks = [(Kind.PAYMENT_OF_SHOP, mark)] if till else []
    facts = told(shop, (Kind.PAYMENT_OF_REFERENCE, reference(NOBODY, 1)), *marks)
    for fact in facts:  # in whatever order it is learnt
        await shop.till.settle.take_in(Evidence(shop.gateway, (fact,), Source.REPORT, "sweep"))
    assert [row.kind for row in parked(shop)] == [kind]
    await shop.assert_books()


async def test_a_payment_without_any_mark_is_foreign(shop: Shop) -> None:
    await shop.sell(TEA)
    await shop.till.settle.take_in(Evidence(shop.gateway, told(shop), Source.REPORT, "sweep"))
    assert [(row.kind, row.owner) for row in parked(shop)] == [("foreign", "")]
    await shop.assert_books()


@pytest.mark.parametrize("harm", ["DELETE FROM parked", "UPDATE parked SET kind = 'foreign'"])
async def test_a_payment_that_is_nobodys_is_found(shop: Shop, harm: str) -> None:
    await shop.sell(TEA)
    facts = told(shop, (Kind.PAYMENT_OF_REFERENCE, reference(NOBODY, 1)))
    await shop.till.settle.take_in(Evidence(shop.gateway, facts, Source.REPORT, "sweep"))
    shop.till.database.write_now(lambda tx: sql(tx, harm))
    assert [b.invariant for b in await shop.till.books.verify()] == ["I13"]


async def test_an_orphan_is_attached_to_its_order_by_a_manager(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    facts = told(shop, (Kind.PAYMENT_OF_REFERENCE, reference(NOBODY, 1)))
    await shop.till.settle.take_in(Evidence(shop.gateway, facts, Source.REPORT, "sweep"))
    (orphan,) = (await shop.till.day.preview(refresh=False)).exceptions
    assert (orphan.code, orphan.action) == ("M11", "attach")
    await shop.till.day.attach(orphan.subject, view.number, actor="Owner", reason="the customer's receipt")
    assert parked(shop) == []
    assert (await shop.again(view)).captured_minor == 500
    await shop.assert_books()
