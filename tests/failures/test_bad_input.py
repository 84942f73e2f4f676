"""Bad input that no other module has whole: portals, removed people, empty and doubled reports, two managers."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from pos.domain.errors import NotAllowed, Refused, Unreachable
from pos.domain.facts import Kind
from pos.domain.ports import Operation
from pos.domain.rows import Person
from pos.domain.shown import Shown
from pos.domain.verdict import Money
from pos.services.views import DayView
from pos.sync.relay_client import RelayClient, RelayHooks, RelayShortLinks
from pos.wire import Event, Notice
from tests.failures import outside
from tests.failures.test_issue import beside
from tests.failures.test_news import answering
from tests.services.test_bad_answers import everywhere, tamper
from tests.services.test_money import sweep
from tests.shop import CAKE, TEA, Shop, reopen

LOGIN_PAGE = b"<html><title>Welcome to the Grand Hotel</title>Please log in.</html>"
LIST_NAMES = {"data", "items"}


async def whatever_comes(client: RelayClient) -> list[object]:
    """What the stream says until it ends or is given up."""
    said: list[object] = []
    with suppress(Unreachable):
        async for one in client.events(""):
            said.append(one)
    return said


@pytest.mark.parametrize("kind", [b"text/html", b"application/json", b"text/event-stream"])
async def test_52_a_portal_that_answers_everything_is_not_our_relay(kind: bytes) -> None:
    """Nothing it says is an event, an introduction, or a short link that customers could be sent to."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\nContent-Length: %d" % len(LOGIN_PAGE)
    async with answering(head, LOGIN_PAGE, hangs=False) as url:
        client = RelayClient(url, "token")
        with pytest.raises(Unreachable, match="not our relay"):
            await client.whoami()
        with pytest.raises(Unreachable, match="not our relay"):
            await client.put_link("token", {"state": "open"})
        short = RelayShortLinks(client, "https://relay.example")
        assert (await short.shop_id(), await short.take("token", {})) == ("", "")
        assert await RelayHooks(client, "https://relay.example").addresses() is None
        said = await whatever_comes(client)
        assert not [one for one in said if isinstance(one, (Event, Notice))]
        await client.close()


async def test_52_what_is_no_door_of_a_relay_is_nothing_to_paste_at_a_gateway() -> None:
    """The address stands on a manager's screen and clipboard: only a path as the protocol has it gets there."""
    doors = {
        "stripe": "/hooks/s41c0/stripe/8xQ2mZ4k",
        "razorpay": "/hooks/s41c0/razorpay/8x?to=https://elsewhere.example",
        "elsewhere": "@elsewhere.example/hooks/s41c0/elsewhere/8x",
        "lines": "/hooks/s41c0/lines/8x\n",
        "long": "/hooks/s41c0/long/" + "8" * 65,
    }
    who = {"shop": "s41c0", "till": "t1", "epoch": "5be01c77a2f4", "hooks": doors}
    body = json.dumps(who).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d" % len(body)
    async with answering(head, body, hangs=False) as url:
        client = RelayClient(url, "token")
        found = await RelayHooks(client, "https://relay.example/").addresses()
        await client.close()
    assert found == {"stripe": "https://relay.example/hooks/s41c0/stripe/8xQ2mZ4k"}


async def test_71_somebody_who_was_removed_may_nothing_and_nothing_is_sent(shop: Shop) -> None:
    shop.till.database.write_now(lambda tx: tx.shop.put_person(Person("Asha", "manager", active=False)))
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    await shop.till.close()
    again = reopen(shop)
    with pytest.raises(NotAllowed):
        await again.till.refunds.refund(view.order_id, amount_minor=None, reason="x", actor="Asha")
    with pytest.raises(NotAllowed):
        await again.till.day.close(actor="Asha")
    assert (outside.refunds(again), (await again.again(view)).shown) == ([], Shown.PAID)
    await again.till.close()


async def test_72_an_empty_report_is_no_news_and_never_a_failure(shop: Shop) -> None:
    """The gateway's own outage: the report comes, and nothing is in it."""
    paid, waiting = await shop.sell(TEA), await shop.sell(CAKE)
    await shop.pays(paid)
    await shop.check(paid)
    await tamper(shop, Operation.REPORT, everywhere(LIST_NAMES, lambda _: []))
    shop.clock.advance(2)
    run = await shop.till.reconcile.sweep(
        shop.gateway, from_ms=shop.clock.now_ms() - 3_600_000, to_ms=shop.clock.now_ms() + 60_000
    )
    assert run.rows == 0
    assert ((await shop.again(paid)).shown, (await shop.again(waiting)).shown) == (Shown.PAID, Shown.WAITING)
    with pytest.raises(Refused):
        await shop.till.selling.void(waiting.order_id, reason="not in the report")
    await shop.assert_books()


async def test_73_rows_that_come_twice_are_one_payment(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)

    def doubled(answer: Any) -> Any:
        return {name: value * 2 if name in LIST_NAMES else value for name, value in answer.items()}

    await tamper(shop, Operation.REPORT, doubled)
    await sweep(shop)
    paid = await shop.again(view)
    assert (paid.shown, paid.captured_minor, paid.owed_minor) == (Shown.PAID, TEA.price_minor, 0)
    captured = [f for f, _ in shop.till.database.read_now(lambda tx: tx.facts.all()) if f.kind is Kind.PAYMENT_CAPTURED]
    assert len(captured) == 1
    assert await outside.codes(shop) == set()
    await shop.assert_books()


async def test_73_a_page_that_is_missing_makes_the_run_partial_and_the_next_one_whole(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    shop.bank.fault("payment.list", "truncated", 3)
    shop.clock.advance(2)
    window = {"from_ms": shop.clock.now_ms() - 3_600_000, "to_ms": shop.clock.now_ms() + 60_000}
    run = await shop.till.reconcile.sweep(shop.gateway, **window)
    assert (run.complete, bool(run.note), (await shop.again(view)).money) == (False, True, Money.UNPAID)
    shop.bank.clear()
    assert (await shop.till.reconcile.sweep(shop.gateway, **window)).complete
    assert (await shop.again(view)).money is Money.PAID


async def test_76_two_managers_close_the_day_at_once_and_it_is_closed_once(shop: Shop) -> None:
    second = beside(shop)
    await shop.till.cash.sell(shop.lines(CAKE), 14_000)
    both = (one.till.day.close(actor="Owner", counted_minor=14_000) for one in (shop, second))
    done = await asyncio.gather(*both, return_exceptions=True)
    closed = [one for one in done if isinstance(one, DayView)]
    assert ([view.z_number for view in closed], [type(one) for one in done if one not in closed]) == ([1], [Refused])
    assert len(shop.till.database.read_now(lambda tx: tx.days.zs("day"))) == 1
    assert (await second.till.day.show(closed[0].day)).hash == closed[0].hash
    await shop.assert_books()
    await second.till.close()


async def test_77_a_name_that_is_a_formula_is_exported_as_the_text_it_is(shop: Shop) -> None:
    """The export is JSON lines, which no spreadsheet executes; whoever adds a table must disarm these names."""
    evil = "=cmd|' /C calc'!A0"
    await shop.till.cash.sell(shop.lines(replace(TEA, name=evil)), TEA.price_minor)
    lines = [json.loads(line) for line in await shop.till.books.export()]
    (order,) = [line for line in lines if line["type"] == "order"]
    assert evil in json.dumps(order)
    assert all(not line.startswith(("=", "+", "-", "@")) for line in await shop.till.books.export())
