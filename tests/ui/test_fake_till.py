"""One contract for the till in memory and the real one: what the window relies on, asked of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pos.domain.basket import Line
from pos.domain.errors import BadInput, NotAllowed, NotFound, PosError, Refused
from pos.domain.order import Life
from pos.domain.shown import Shown
from pos.services.api import TillApi
from pos.services.bus import Event, GatewaysChanged, LinkIssued, OrderChanged
from pos.services.views import OrderView
from tests.shop import Bank, bank_process, open_shop
from tests.ui import scenes

TEA = Line("TEA", "Masala chai", 1000, 6_000, 50_000, "GST")


@dataclass
class Subject:
    """A till, its gateway's name, a customer who pays, and what the bus said."""

    till: TillApi
    gateway: str
    actor: str
    pays: Callable[[OrderView], Awaitable[Any]]
    said: list[Event]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with bank_process(tmp_path_factory.mktemp("bank")) as made:
        yield made


@pytest_asyncio.fixture(params=["fake", "real"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    said: list[Event] = []
    if request.param == "fake":
        fake = scenes.till(user="Meera")
        fake.bus.subscribe(said.append)

        async def pays(view: OrderView) -> None:
            fake.customer_pays(view.order_id)

        yield Subject(fake, "razorpay", "Meera", pays, said)
        return
    shop = open_shop(request.getfixturevalue("bank"), tmp_path / "home")
    shop.till.bus.subscribe(said.append)

    async def really_pays(view: OrderView) -> None:
        await shop.pays(view)
        await shop.check(view)

    yield Subject(shop.till, shop.till.gateway(), shop.till.people.current(), really_pays, said)
    await shop.till.close()


async def test_a_draft_keeps_its_number_while_it_changes(subject: Subject) -> None:
    selling = subject.till.selling
    first = await selling.save([TEA])
    second = await selling.save([TEA, TEA], order_id=first.order_id)
    assert (first.life, first.shown) == (Life.DRAFT, Shown.UNPAID)
    assert second.number == first.number
    assert second.totals.total_minor == 12_000
    assert second.version >= first.version
    assert {"edit", "hold", "void", "qr", "cash"} <= second.may
    unfinished = await selling.unfinished()
    assert unfinished is not None
    assert unfinished.order_id == first.order_id


async def test_an_empty_basket_is_refused(subject: Subject) -> None:
    with pytest.raises(BadInput) as caught:
        await subject.till.selling.save([])
    assert caught.value.hint


async def test_held_orders_leave_the_counter_and_come_back(subject: Subject) -> None:
    view = await subject.till.selling.save([TEA])
    held = await subject.till.selling.hold(view.order_id)
    assert (held.life, held.shown) == (Life.HELD, Shown.HELD)
    assert [row.order_id for row in await subject.till.queries.held()] == [view.order_id]
    back = await subject.till.selling.recall(view.order_id)
    assert back.life is Life.DRAFT
    assert await subject.till.queries.held() == []


async def test_a_link_is_issued_once_and_shown_again(subject: Subject) -> None:
    draft = await subject.till.selling.save([TEA])
    view = await subject.till.checkout.issue(draft.order_id, subject.gateway)
    assert view.shown is Shown.WAITING
    assert view.attempt is not None
    assert view.attempt.qr_text
    assert view.attempt.shown_at_ms is not None
    assert view.may == {"check", "next", "give_up", "cash", "terminal", "switch"}
    again = await subject.till.checkout.issue(draft.order_id, subject.gateway)
    assert again.attempt is not None
    assert again.attempt.id == view.attempt.id
    assert [row.order_id for row in await subject.till.queries.waiting()] == [view.order_id]
    issued = [event for event in subject.said if isinstance(event, LinkIssued)]
    assert {event.order_id for event in issued} == {view.order_id}


async def test_a_payment_is_told_by_the_bus_with_a_newer_version(subject: Subject) -> None:
    draft = await subject.till.selling.save([TEA])
    view = await subject.till.checkout.issue(draft.order_id, subject.gateway)
    subject.said.clear()
    await subject.pays(view)
    rows = [event.row for event in subject.said if isinstance(event, OrderChanged)]
    paid = [row for row in rows if row.shown is Shown.PAID]
    assert paid
    assert paid[-1].version > view.version
    whole = await subject.till.queries.order(view.order_id)
    assert (whole.kept_minor, whole.left_minor) == (6_000, 0)
    assert whole.paid_at_ms is not None
    assert [payment.captured_minor for payment in whole.payments] == [6_000]
    assert {"receipt", "refund", "next"} <= whole.may
    assert await subject.till.queries.receipt(view.order_id)


async def test_a_closed_link_leaves_an_order_that_can_be_changed(subject: Subject) -> None:
    draft = await subject.till.selling.save([TEA])
    await subject.till.checkout.issue(draft.order_id, subject.gateway)
    view = await subject.till.checkout.give_up(draft.order_id)
    assert view.kept_minor == 0
    assert {"edit", "qr", "cash"} <= view.may
    assert view.attempt is not None
    assert view.attempt.qr_text == ""
    longer = await subject.till.selling.save([TEA, TEA], order_id=draft.order_id)
    assert longer.totals.total_minor == 12_000


async def test_cash_behind_an_open_link_closes_it_first(subject: Subject) -> None:
    draft = await subject.till.selling.save([TEA])
    await subject.till.checkout.issue(draft.order_id, subject.gateway)
    view = await subject.till.cash.take(draft.order_id, given_minor=10_000)
    assert (view.shown, view.change_minor, view.left_minor) == (Shown.PAID, 4_000, 0)


async def test_too_little_cash_is_refused(subject: Subject) -> None:
    draft = await subject.till.selling.save([TEA])
    with pytest.raises(PosError) as caught:
        await subject.till.cash.take(draft.order_id, given_minor=100)
    assert caught.value.hint
    assert (await subject.till.queries.order(draft.order_id)).kept_minor == 0


async def test_money_goes_back_whole(subject: Subject) -> None:
    draft = await subject.till.selling.save([TEA])
    view = await subject.till.checkout.issue(draft.order_id, subject.gateway)
    await subject.pays(view)
    back = await subject.till.refunds.refund(view.order_id, amount_minor=None, reason="test", actor=subject.actor)
    assert back.shown in (Shown.REFUNDED, Shown.PART_REFUNDED, Shown.PAID)
    assert back.refunded_minor == 6_000


async def test_what_is_not_there_is_said_with_a_hint(subject: Subject) -> None:
    with pytest.raises(NotFound) as caught:
        await subject.till.queries.order("no such order")
    assert caught.value.hint
    with pytest.raises(NotFound):
        await subject.till.catalogue.find("no such code")


async def test_the_timeline_begins_with_the_order(subject: Subject) -> None:
    draft = await subject.till.selling.save([TEA])
    await subject.till.checkout.issue(draft.order_id, subject.gateway)
    rows = await subject.till.queries.timeline(draft.order_id)
    assert rows[0].source == "till"
    assert [row.at_ms for row in rows] == sorted(row.at_ms for row in rows)
    assert len(rows) >= 3


async def test_the_status_tells_who_and_what(subject: Subject) -> None:
    status = await subject.till.queries.status()
    assert status.shop == subject.till.shop_name
    assert status.user == subject.till.people.current()
    assert status.gateway in ("ok", "slow", "down", "off")
    assert status.relay in ("ok", "slow", "down", "off")
    assert [choice.name for choice in subject.till.queries.gateways() if choice.enabled]


# Gateways -------------------------------------------------------------------------------------------------------------


async def test_a_gateway_is_shown_with_where_its_keys_lie_and_no_part_of_them(subject: Subject) -> None:
    cards = await subject.till.setup.cards()
    card = next(each for each in cards if each.name == subject.gateway)
    assert (card.takes_payments, card.place, card.before) == (True, 1, "")
    assert [secret.known for secret in card.secrets] == [True] * len(card.secrets)
    assert [secret.shown for secret in card.secrets if secret.secret] == [""]
    assert len(card.abilities) == 7
    assert {"auto", "gateway", "relay"} <= set(card.qr_kinds)


async def test_a_gateway_under_a_live_link_is_not_switched_off(subject: Subject) -> None:
    setup = subject.till.setup
    draft = await subject.till.selling.save([TEA])
    await subject.till.checkout.issue(draft.order_id, subject.gateway)
    with pytest.raises(Refused) as caught:
        await setup.enable(subject.gateway, False, actor=subject.actor)
    assert caught.value.hint
    await subject.till.checkout.give_up(draft.order_id)
    subject.said.clear()
    card = await setup.enable(subject.gateway, False, actor=subject.actor)
    assert (card.enabled, card.place) == (False, 0)
    assert subject.gateway not in [choice.name for choice in subject.till.queries.gateways()]
    assert any(isinstance(event, GatewaysChanged) for event in subject.said)
    with pytest.raises(NotFound):
        await subject.till.gatecheck.test(subject.gateway)
    await setup.enable(subject.gateway, True, actor=subject.actor)
    assert subject.gateway in [choice.name for choice in subject.till.queries.gateways()]


async def test_a_connection_is_tested_in_five_checks(subject: Subject) -> None:
    tested = await subject.till.gatecheck.test(subject.gateway)
    assert [check.key for check in tested.checks] == ["address", "keys", "account", "clock", "webhook"]
    assert {check.state for check in tested.checks} <= {"ok", "bad", "none"}
    assert not tested.bad


async def test_choices_of_a_gateway_are_kept(subject: Subject) -> None:
    setup = subject.till.setup
    assert (await setup.carry(subject.gateway, "gateway", actor=subject.actor)).qr == "gateway"
    with pytest.raises(BadInput):
        await setup.carry(subject.gateway, "pigeon", actor=subject.actor)
    await setup.report_every(10.0, actor=subject.actor)
    assert setup.report_minutes() == 10.0
    ordered = await setup.order([subject.gateway], actor=subject.actor)
    assert ordered[0].name == subject.gateway
    with pytest.raises(NotFound):
        await setup.order(["pigeon"], actor=subject.actor)


async def test_who_may_not_changes_nothing(subject: Subject) -> None:
    with pytest.raises(NotAllowed):
        await subject.till.setup.enable(subject.gateway, False, actor="Nobody")
    with pytest.raises(NotAllowed):
        await subject.till.setup.remove(subject.gateway, actor="Nobody")
    with pytest.raises(NotAllowed):
        await subject.till.vaults.create("x", actor="Nobody")
    assert (await subject.till.vaults.look()).kind in ("keyring", "vault", "nowhere")


async def test_keys_that_are_taken_away_are_gone(subject: Subject) -> None:
    await subject.till.setup.remove(subject.gateway, actor=subject.actor)
    card = next(each for each in await subject.till.setup.cards() if each.name == subject.gateway)
    assert (card.listed, card.keys_known) == (False, False)
    assert subject.gateway not in [choice.name for choice in subject.till.queries.gateways()]
