"""A gateway of the settings whose package does not load, or is gone: it takes no payments, all else goes on.

Money that is there waits for the package, and everything that would ask for it says why it cannot.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pos.domain.errors import Broken, NotFound, Refused
from pos.domain.shown import Shown
from pos.domain.store_port import Hint, Tx
from pos.gateways import registry
from pos.services.returns import Decision, Goods
from tests.packages import BROKEN, write_package
from tests.services.test_money import link_of
from tests.services.test_out_of_reach import fold_of
from tests.services.test_setup import EMPTY, NewShop, _tea
from tests.services.test_two_gateways import OTHER, paid_at_both
from tests.shop import TEA, Bank, Shop

COPPER = '[gateways.copper_bank]\nmode = "test"\n'
KEY = "gateways.copper_bank.secret_key"

Breaks = Callable[[str], None]


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Breaks:
    """One of the gateways in the box no longer loads, as after a bad update."""

    def broken(name: str) -> None:
        monkeypatch.setitem(registry.BUILT_IN, name, "pos.gateways.nowhere:make")

    return broken


@pytest.fixture(params=["does not load", "is gone"])
def copper(request: pytest.FixtureRequest, bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewShop:
    if request.param == "does not load":
        monkeypatch.syspath_prepend(str(write_package(tmp_path / "site", BROKEN["import"])))
    return NewShop(tmp_path / "home", bank, EMPTY + COPPER)


async def test_cash_and_the_other_gateway_know_nothing_of_it(copper: NewShop) -> None:
    till = copper.till
    assert (await till.cash.sell([_tea()], TEA.price_minor)).shown is Shown.PAID
    with pytest.raises(Broken, match="copper_bank"):
        till.gateway()
    with pytest.raises(Broken, match="copper_bank") as caught:
        await till.checkout.sell([_tea()], "copper_bank")
    assert "pos gateways disable copper_bank" in caught.value.hint
    await copper.add()
    assert (await till.checkout.sell([_tea()], till.gateway())).shown is Shown.WAITING
    with pytest.raises(Broken):
        till.gateway("copper_bank")
    with pytest.raises(Broken):
        await till.gatecheck.test("copper_bank")
    assert [(choice.name, choice.down) for choice in till.queries.gateways()] == [
        ("stripe", False),
        ("copper_bank", True),
    ]
    assert (await till.queries.status()).gateway == "down"
    await till.close()


async def test_the_day_says_that_its_report_is_not_read(copper: NewShop) -> None:
    day = await copper.till.day.preview()
    assert not day.complete
    assert any("copper_bank" in note for note in day.unread)
    assert (await copper.till.day.close(actor="Owner")).z_number == 1
    await copper.till.close()


async def test_its_card_says_what_is_wrong_and_it_takes_no_payments(copper: NewShop) -> None:
    card = await copper.till.setup.card("copper_bank")
    assert (card.listed, card.enabled, card.takes_payments, card.place) == (True, True, False, 0)
    assert "copper_bank" in card.problem
    assert "pos gateways disable copper_bank" in card.problem
    await copper.till.close()


async def test_it_is_switched_off_and_taken_away_with_what_is_known_of_its_keys(copper: NewShop) -> None:
    setup = copper.till.setup
    copper.secrets.values |= {KEY: "sk_test_1", "gateways.copper_bank.key_id": "id_1", "gateways.copper.key": "other"}
    off = await setup.enable("copper_bank", False, actor="Owner")
    assert (off.enabled, bool(off.problem)) == (False, True)
    assert copper.till.queries.gateways() == []
    with pytest.raises((Broken, NotFound)):
        await setup.enable("copper_bank", True, actor="Owner")
    assert "enabled = false" in copper.text
    await setup.remove("copper_bank", actor="Owner")
    assert copper.secrets.values == {"gateways.copper.key": "other"}
    assert "copper_bank" not in copper.text
    entries = copper.till.database.read_now(lambda tx: tx.journal.of_subject("copper_bank"))
    assert [json.loads(entry.body)["what"] for entry in entries] == ["off", "removed"]
    await copper.till.close()


async def test_one_that_breaks_while_the_till_runs_changes_nothing_for_the_others(shop: Shop, breaks: Breaks) -> None:
    breaks(OTHER[shop.gateway])
    await shop.till.setup.refresh()
    assert shop.till.desk.names() == [shop.gateway]
    await shop.pays(view := await shop.sell())
    assert (await shop.check(view)).shown is Shown.PAID
    with pytest.raises(Broken):
        await shop.till.checkout.sell(shop.lines(), OTHER[shop.gateway])
    await shop.assert_books()


async def test_an_order_that_hangs_on_it_stays_and_says_why_nobody_asks(
    shop: Shop, breaks: Breaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = await shop.sell()
    await shop.pays(view)
    breaks(shop.gateway)
    await shop.till.setup.refresh()
    after = await shop.check(view)
    assert after.shown not in (Shown.PAID, Shown.FAILED)
    said = [row.text for row in await shop.till.queries.timeline(view.order_id)]
    calls = shop.till.database.read_now(lambda tx: tx.outbox.calls(view.order_id))
    assert "cannot be loaded" in calls[-1].message, said
    with pytest.raises(Refused, match="1 link"):
        await shop.till.setup.enable(shop.gateway, False, actor="Owner")
    event = Hint("ep:1:t", shop.gateway, "webhook", link_of(view), "", "", "", 1)
    await shop.till.hints.take(event, "ep:1:t")
    later = shop.clock.now_ms() + 3_600_000
    assert [hint.id for hint in shop.till.database.read_now(lambda tx: tx.sync.hints(later, 9))] == ["ep:1:t"]
    monkeypatch.undo()
    await shop.till.setup.refresh()
    assert (await shop.check(view)).shown is Shown.PAID
    await shop.assert_books()


async def test_money_that_it_took_waits_for_it_and_is_not_given_out_twice(
    shop: Shop, breaks: Breaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.pays(view := await shop.sell())
    assert (await shop.check(view)).shown is Shown.PAID
    breaks(shop.gateway)
    await shop.till.setup.refresh()
    with pytest.raises(Broken, match=shop.gateway):
        await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    with pytest.raises(Broken, match=shop.gateway):
        await shop.till.returns.take_back(view.order_id, Goods(skus=(("TEA", 1_000),)), Decision("cold", "Owner"))

    def money(tx: Tx) -> tuple[int, int]:
        return len(tx.money.refunds(view.order_id)), len(tx.money.tenders(view.order_id))

    assert shop.till.database.read_now(money) == (0, 0)
    monkeypatch.undo()
    await shop.till.setup.refresh()
    back = await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    assert back.refunded_minor == TEA.price_minor
    await shop.assert_books()


async def test_what_another_gateway_owes_goes_back_all_the_same(shop: Shop, breaks: Breaks) -> None:
    twice = await paid_at_both(shop)
    owing = next(p.gateway for p in fold_of(shop, twice).proposals)
    breaks(OTHER[owing])
    await shop.till.setup.refresh()
    right = await shop.till.refunds.refund_owed(twice.order_id, reason="twice", actor="Owner")
    assert right.shown is Shown.PAID
    await shop.assert_books()


async def test_a_refund_on_its_way_waits_with_the_reason(shop: Shop, bank: Bank, breaks: Breaks) -> None:
    await shop.pays(view := await shop.sell())
    await shop.check(view)
    bank.fault("refund.create", "error_500", 1)
    await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    breaks(shop.gateway)
    await shop.till.setup.refresh()
    shop.clock.advance(600)
    await shop.probe()
    calls = shop.till.database.read_now(lambda tx: tx.outbox.calls(view.order_id))
    assert "cannot be loaded" in calls[-1].message
    assert len(shop.till.database.read_now(lambda tx: tx.money.refunds(view.order_id))) == 1
    with pytest.raises(Refused, match="1 refund"):
        await shop.till.setup.remove(shop.gateway, actor="Owner")
