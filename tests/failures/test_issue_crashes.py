"""Killed while a link is issued (rows 1 to 7): nothing acknowledged is lost, and there is one link to pay."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from pos.domain.order import Life
from pos.domain.payment import Phase
from pos.domain.shown import Shown
from pos.services.views import OrderView
from tests.failures import outside
from tests.failures.killed import left
from tests.processes import ROOT, environment
from tests.shop import CAKE, TEA, Bank, Shop

WITHIN_S = 120
LEASE_S = 16  # the dead process's claim on the call
SEND_BY_S = 75  # and the call's own time
TOTAL = TEA.price_minor + CAKE.price_minor
Start = Callable[[str], Shop]
pytestmark = pytest.mark.xdist_group("issue_crashes")


@dataclass
class Left:
    bank: Bank
    folder: Path
    gateway: str


@pytest.fixture(scope="session")
def homes() -> dict[str, Left]:
    """What was left, by gateway: made once, in whatever order the tests come; each point is opened by one test."""
    return {}


@pytest.fixture(params=["stripe", "razorpay"])
def killed(
    request: pytest.FixtureRequest, homes: dict[str, Left], bank: Bank, tmp_path_factory: pytest.TempPathFactory
) -> Left:
    """A home for each point at which a sale was killed."""
    gateway: str = request.param
    if gateway not in homes:
        folder = tmp_path_factory.mktemp(f"killed-{gateway}")
        command = [sys.executable, "-m", "tests.failures.killed", "--bank", bank.url]
        command += ["--gateway", gateway, "--folder", str(folder)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=WITHIN_S
        )
        assert done.returncode == 0, done.stderr[-2000:]
        homes[gateway] = Left(bank, folder, gateway)
    return homes[gateway]


@pytest_asyncio.fixture
async def start(killed: Left) -> AsyncIterator[Start]:
    """Starts the till again on what is left of a point."""
    shops: list[Shop] = []

    def again(point: str) -> Shop:
        shops.append(left(killed.bank, killed.folder, killed.gateway, point))
        return shops[-1]

    yield again
    for shop in shops:
        await shop.till.close()


async def only_order(shop: Shop) -> OrderView:
    (row,) = await shop.till.queries.orders()
    return await shop.till.queries.order(row.order_id)


async def pay_and_verify(shop: Shop, view: OrderView) -> None:
    """The one code is paid, once."""
    assert view.attempt is not None
    assert view.attempt.qr_text
    assert (await shop.pays(view)).outcome == "paid"
    paid = await shop.check(view)
    assert (paid.shown, paid.captured_minor, paid.flags) == (Shown.PAID, TOTAL, ())
    await shop.assert_books()


async def resumed(shop: Shop) -> OrderView:
    """Pay is pressed after the restart, and again, as people do, until there is a code or the attempt is over."""
    order = await only_order(shop)
    await shop.till.checkout.issue(order.order_id, shop.gateway)
    shop.clock.advance(LEASE_S)
    view = await shop.till.checkout.issue(order.order_id, shop.gateway)
    if (
        view.shown is Shown.UNKNOWN
    ):  # a gateway without keys: what may have been made is looked for, nothing is repeated
        assert shop.gateway == "razorpay"
        shop.clock.advance(SEND_BY_S)
        while await shop.probe():
            shop.clock.advance(5)
        view = await shop.till.checkout.issue(order.order_id, shop.gateway)
    assert view.shown is Shown.WAITING
    assert len(outside.payable(shop)) == len(outside.links(shop)) == 1
    return view


async def test_1_killed_while_an_order_is_saved_leaves_the_last_saved_basket(start: Start) -> None:
    shop = start("saving")
    restored = await shop.till.selling.unfinished()
    assert restored is not None
    assert (restored.life, [line.sku for line in restored.lines]) == (Life.DRAFT, ["TEA"])
    assert (restored.attempt, outside.links(shop)) == (None, [])
    await shop.assert_books()


async def test_2_killed_before_the_attempt_is_written_leaves_the_order_and_one_key_goes_on(start: Start) -> None:
    shop = start("drafting")
    order = await only_order(shop)
    assert (order.attempt, order.totals.total_minor, outside.links(shop)) == (None, TOTAL, [])
    assert "qr" in order.may
    view = await shop.till.checkout.issue(order.order_id, shop.gateway)
    await pay_and_verify(shop, view)


async def test_3_killed_before_the_call_goes_on_with_the_same_key(start: Start) -> None:
    shop = start("drafted")
    order = await only_order(shop)
    assert order.attempt is not None
    assert (order.attempt.phase, order.attempt.qr_text, outside.links(shop)) == (Phase.REQUESTING, "", [])
    key = shop.till.database.read_now(lambda tx: tx.attempts.of_order(order.order_id))[0].key
    view = await resumed(shop)
    attempts = shop.till.database.read_now(lambda tx: tx.attempts.of_order(order.order_id))
    assert attempts[0].key == key
    assert len(attempts) == (1 if shop.gateway == "stripe" else 2)
    await pay_and_verify(shop, view)


@pytest.mark.parametrize("point", ["sent", "answered"])
async def test_4_and_5_killed_without_an_answer_in_the_books_finds_the_same_link(start: Start, point: str) -> None:
    """The gateway has made a link nobody knows of here; nobody was shown it, and nobody makes a second one."""
    shop = start(point)
    order = await only_order(shop)
    assert order.attempt is not None
    assert (order.attempt.phase, order.attempt.qr_text, order.attempt.link_id) == (Phase.REQUESTING, "", "")
    (made,) = outside.links(shop)
    shop.clock.advance(11)  # past the time in which an answer can come
    assert (await shop.again(order)).shown is Shown.UNKNOWN
    view = await resumed(shop)
    assert view.attempt is not None
    assert (view.attempt.no, view.attempt.link_id) == (1, made["id"])
    await pay_and_verify(shop, view)


async def test_6_killed_before_the_code_is_painted_paints_the_same_code(start: Start) -> None:
    shop = start("stored")
    order = await only_order(shop)
    (made,) = outside.links(shop)
    assert order.attempt is not None
    assert (order.shown, order.attempt.link_id) == (Shown.WAITING, made["id"])
    again = await shop.till.checkout.issue(order.order_id, shop.gateway)
    assert again.attempt is not None
    assert (again.attempt.qr_text, len(outside.links(shop))) == (order.attempt.qr_text, 1)
    await pay_and_verify(shop, again)


async def test_7_paid_while_the_till_was_dead_is_found_at_the_next_start(start: Start) -> None:
    shop = start("shown")
    order = await only_order(shop)
    assert (await shop.pays(order)).outcome == "paid"
    shop.clock.advance(5)
    assert await shop.probe() == 1
    paid = await shop.again(order)
    assert (paid.shown, paid.captured_minor, outside.effects(shop, "receipt")) == (Shown.PAID, TOTAL, 1)
    assert "receipt" in paid.may
    await shop.assert_books()
