"""Each way in which money can be odd: its category, its evidence, one proposed step, and the step does what it says.

From the services that the window uses, and from the command line beside a running till.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from pos.domain.errors import BadInput, NotAllowed, NotFound, Refused
from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.matching import Action
from pos.domain.ports import Operation
from pos.domain.shown import Shown
from pos.domain.verdict import Money
from pos.services.evidence import Evidence
from pos.services.views import ExceptionView, OrderView, Resolution
from tests.processes import run_pos
from tests.services.test_holes import until_refund_failed
from tests.services.test_money import link_of, sweep
from tests.services.test_two_gateways import count_calls
from tests.shop import TEA, Bank, Shop

PRICE = TEA.price_minor
OWNER = Resolution("talked to the customer", "Owner")
Story = Callable[[Shop], Awaitable[OrderView]]


async def late(shop: Shop) -> OrderView:
    """The sale was given up; the money came all the same."""
    view = await shop.sell(TEA)
    await shop.till.checkout.cancel(view.order_id, reason="left")
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {})
    await sweep(shop)
    return view


async def double(shop: Shop) -> OrderView:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {})
    await sweep(shop)
    return view


async def other_amount(shop: Shop, amount_minor: int) -> OrderView:
    view = await shop.sell(TEA)
    shop.bank.fault("page.pay", "other_amount", amount_minor=amount_minor)
    await shop.pays(view)
    await shop.check(view)
    return view


async def too_much(shop: Shop) -> OrderView:
    return await other_amount(shop, PRICE + 2_500)


async def too_little(shop: Shop) -> OrderView:
    return await other_amount(shop, PRICE - 2_500)


async def stranger(shop: Shop, **odd: Any) -> OrderView:
    """The gateway's report names a capture of our order that cannot be ours: another currency, account or mode."""
    view = await shop.sell(TEA)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    taken = Fact(
        attempt.gateway, odd.get("account", attempt.account), odd.get("mode", attempt.mode), Kind.PAYMENT_CAPTURED,
        "pay_odd", amount_minor=PRICE, currency=odd.get("currency", "INR"), at_ms=shop.clock.now_ms(),
    )  # fmt: skip
    bound = taken._replace(
        kind=Kind.PAYMENT_OF_REFERENCE, target=attempt.reference, amount_minor=None, currency="", at_ms=None
    )
    await shop.till.settle.take_in(Evidence(attempt.gateway, (taken, bound), Source.REPORT, "sweep"))
    return view


async def wrong_currency(shop: Shop) -> OrderView:
    return await stranger(shop, currency="USD")


async def wrong_account(shop: Shop) -> OrderView:
    return await stranger(shop, account="acct_of_somebody")


async def live_in_test(shop: Shop) -> OrderView:
    return await stranger(shop, mode=Mode.LIVE)


STORIES: dict[str, tuple[Story, str, Action, int]] = {
    "late": (late, "M09", Action.REFUND, PRICE),
    "double": (double, "M06", Action.REFUND, PRICE),
    "over": (too_much, "M07", Action.REFUND, 2_500),
    "part": (too_little, "M08", Action.COLLECT, 2_500),
    "wrong amount": (too_little, "M04", Action.INVESTIGATE, PRICE - 2_500),
    "wrong currency": (wrong_currency, "M05", Action.INVESTIGATE, 0),
    "wrong account": (wrong_account, "M19", Action.INVESTIGATE, 0),
    "test in live": (live_in_test, "M19", Action.INVESTIGATE, 0),
}


async def found(shop: Shop, name: str) -> tuple[OrderView, ExceptionView]:
    story, code, action, amount = STORIES[name]
    view = await story(shop)
    row = await shop.till.exceptions.find(code, view.number)
    assert (row.action, row.amount_minor, row.order_id) == (action, amount, view.order_id)
    return view, row


async def open_codes(shop: Shop) -> set[str]:
    return {row.code for row in await shop.till.exceptions.listed()}


@pytest.mark.parametrize("name", ["late", "double", "over"])
async def test_what_is_owed_goes_back_by_one_step(shop: Shop, name: str) -> None:
    view, row = await found(shop, name)
    after = await shop.till.exceptions.act(row.id, OWNER)
    assert after is not None
    assert (after.owed_minor, after.refunded_minor) == (0, row.amount_minor)
    assert row.code not in await open_codes(shop)
    assert (await shop.again(view)).kept_minor == (0 if name == "late" else PRICE)
    await shop.assert_books()


async def test_what_is_missing_is_the_customers_to_pay(shop: Shop) -> None:
    view, row = await found(shop, "part")
    with pytest.raises(Refused, match="customer's to pay"):
        await shop.till.exceptions.act(row.id, OWNER)
    assert (await shop.till.cash.take(view.order_id)).money is Money.PAID
    assert "M08" not in await open_codes(shop)
    await shop.assert_books()


@pytest.mark.parametrize("name", ["wrong amount", "wrong currency", "wrong account", "test in live"])
async def test_what_is_settled_elsewhere_is_closed_with_a_reason_and_stays_closed(shop: Shop, name: str) -> None:
    view, row = await found(shop, name)
    with pytest.raises(BadInput, match="Say how"):
        await shop.till.exceptions.act(row.id, replace(OWNER, reason="  "))
    with pytest.raises(NotAllowed):
        await shop.till.exceptions.act(row.id, replace(OWNER, actor="Nobody"))
    before = await shop.again(view)
    assert await shop.till.exceptions.act(row.id, OWNER) is None
    assert row.code not in await open_codes(shop)
    shop.till.database.write_now(lambda tx: shop.till.settle.refold(tx, view.order_id, shop.clock.now_ms()))
    assert row.code not in await open_codes(shop), "the same facts do not open it again"
    after = await shop.again(view)
    assert (after.money, after.kept_minor) == (before.money, before.kept_minor), "no money moves by it"
    acts = [e.act for e in shop.till.database.read_now(lambda tx: tx.journal.entries()) if e.subject == view.order_id]
    assert acts[-1] == "exception.settled"
    with pytest.raises(NotFound, match="not open any more"):
        await shop.till.exceptions.settle(row.id, reason="again", actor="Owner")
    await shop.assert_books()


async def test_a_refund_that_bounced_is_asked_for_anew_for_the_same_purpose(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    bank.fault("refund.create", "refund_fails", succeed_first=False)
    await shop.till.refunds.refund(view.order_id, amount_minor=2_000, reason="cold", actor="Owner")
    await until_refund_failed(shop, view)
    row = await shop.till.exceptions.find("M14", view.number)
    assert (row.action, row.amount_minor) == (Action.RETRY_REFUND, 2_000)
    after = await shop.till.exceptions.act(row.id, OWNER)
    assert after is not None
    assert (after.refunded_minor, after.kept_minor, await open_codes(shop)) == (2_000, PRICE, set())
    await shop.assert_books()


async def test_a_refund_without_an_answer_is_asked_for_when_the_manager_says_so(shop: Shop, bank: Bank) -> None:
    """With the same key, so it is one refund; pressed twice it is one as well."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    bank.fault("refund.create", "drop", 50, before_work=True)
    await shop.till.refunds.refund(view.order_id, amount_minor=2_000, reason="cold", actor="Owner")
    shop.clock.advance(700)
    await shop.probe()
    row = await shop.till.exceptions.find("M14", view.number)
    assert (row.action, row.amount_minor) == (Action.ASK, 2_000)
    bank.clear()
    calls = count_calls(shop, shop.gateway, Operation.REFUND)
    both = await asyncio.gather(*(shop.till.exceptions.act(row.id, OWNER) for _ in range(2)))
    assert {view.order_id for view in both if view} == {view.order_id}
    assert calls
    assert len({(call.key, call.body) for call in calls}) == 1
    after = await shop.again(view)
    assert (after.refunded_minor, await open_codes(shop)) == (2_000, set())
    await shop.assert_books()


async def test_nobody_says_how_an_unknown_outcome_ended(shop: Shop, bank: Bank) -> None:
    shop.lose_link_calls()
    view = await shop.sell(TEA)
    bank.fault("*", "drop", 200)
    for _ in range(4):
        shop.clock.advance(400)
        await shop.probe()
    row = await shop.till.exceptions.find("M23", view.number)
    with pytest.raises(Refused, match="not known yet"):
        await shop.till.exceptions.settle(row.id, reason="it is fine", actor="Owner")
    bank.clear()
    after = await shop.till.exceptions.act(row.id, OWNER)
    assert after is not None
    assert after.shown is not Shown.UNKNOWN
    assert "M23" not in await open_codes(shop)


@pytest.mark.parametrize("shop", ["stripe"], indirect=True)
async def test_commands_list_and_settle_beside_a_running_till(shop: Shop) -> None:
    view, row = await found(shop, "double")
    odd = await too_little(shop)
    env = {"POS_HOME": str(shop.home)}
    env |= {"POS_SECRET_" + name.upper().replace(".", "_"): value for name, value in shop.keys.items()}

    async def pos(*words: str) -> Any:
        done = await asyncio.to_thread(run_pos, [*words, "--json"], env)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    listed = await pos("exceptions")
    assert [(line["code"], line["number"], line["action"]) for line in listed] == [
        ("M06", view.number, "refund"), ("M08", odd.number, "collect"), ("M04", odd.number, "investigate"),
    ]  # fmt: skip
    assert (listed[0]["id"], listed[0]["here_minor"], listed[0]["gateway_minor"]) == (row.id, PRICE, 2 * PRICE)
    given_back = await pos("resolve", "M06", view.number, "--reason", "paid twice")
    assert (given_back["money"], given_back["refunded_minor"]) == ("paid", PRICE)
    told = await pos("resolve", "m04", odd.number, "--settled", "--reason", "the rest was a voucher")
    assert told == {"code": "M04", "about": odd.number, "open": False}
    assert await open_codes(shop) == {"M08"}
    refused = await asyncio.to_thread(run_pos, ["resolve", "M08", odd.number, "--reason", "x"], env)
    assert (refused.returncode, "customer's to pay" in refused.stderr) == (1, True)
    missing = await asyncio.to_thread(run_pos, ["resolve", "M04", odd.number, "--reason", "x"], env)
    assert (missing.returncode, "`pos exceptions` lists them" in missing.stderr) == (2, True)
    await shop.assert_books()
