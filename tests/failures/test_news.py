"""News that comes early, twice, late, for two tills, from an older place, or about somebody else (rows 39 to 66)."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pos.domain.errors import Unreachable
from pos.domain.facts import Kind, Mode
from pos.domain.ports import LinkRequest, Operation
from pos.domain.shown import Shown
from pos.domain.verdict import Flag, Money
from pos.relay.settings import Settings
from pos.sync import relay_client
from pos.sync.listener import Listener
from pos.sync.relay_client import Beat, RelayClient
from tests.failures import outside
from tests.failures.test_issue import beside
from tests.services.test_bad_answers import everywhere, tamper
from tests.services.test_money import link_of, sweep
from tests.shop import TEA, Bank, Shop, open_shop, reopen

FORTY_DAYS_S = 40 * outside.DAY_S


async def test_39_news_that_comes_before_the_answer_waits_for_its_link(shop: Shop, bank: Bank) -> None:
    """The customer cannot have the code yet, but the gateway's message may well be faster than its answer."""
    await shop.till.desk.get(shop.gateway)
    bank.fault("link.create", "delay", 1, delay_s=0.8)
    asking = asyncio.create_task(shop.sell(TEA))
    while not (made := await asyncio.to_thread(outside.links, shop)):
        assert not asking.done()
    link = made[0]["id"]
    bank.desk("POST", f"/links/{link}/pay", {})
    early = outside.Hint("ep:1:t", shop.gateway, "webhook", link, "", "", "", 1)
    await shop.till.hints.take(early, early.id)
    kept = shop.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9))
    assert ([h.id for h in kept], shop.till.database.read_now(lambda tx: tx.sync.cursor())) == (["ep:1:t"], "ep:1:t")
    view = await asking
    shop.clock.advance(10)
    await shop.till.hints.retry_due()
    paid = await shop.again(view)
    assert (paid.shown, paid.captured_minor, link_of(paid)) == (Shown.PAID, TEA.price_minor, link)
    assert shop.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9)) == []
    await shop.assert_books()


async def test_40_and_42_the_same_thing_told_in_every_way_at_once_is_one_payment_and_one_receipt(shop: Shop) -> None:
    """Several events with ids of their own, the customer's browser, a poll and the report, all in one moment."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    shop.clock.advance(2)
    hooks = [outside.hint(shop, view, number) for number in range(1, 6)]
    back = replace(outside.hint(shop, view, 6), kind="callback")
    ways = [shop.till.hints.take(one, one.id) for one in (*hooks, back)]
    await asyncio.gather(*ways, shop.check(view), shop.check(view), sweep(shop))
    paid = await shop.again(view)
    assert (paid.shown, paid.captured_minor, paid.flags) == (Shown.PAID, TEA.price_minor, ())
    captured = [f for f, _ in shop.till.database.read_now(lambda tx: tx.facts.all()) if f.kind is Kind.PAYMENT_CAPTURED]
    entries = shop.till.database.read_now(lambda tx: tx.money.entries(open_only=True))
    assert (len(captured), len(entries), outside.effects(shop, "receipt")) == (1, 1, 1)
    await shop.assert_books()


async def test_44_news_of_three_days_ago_is_taken_with_the_gateways_own_time(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    then = shop.clock.now_ms()
    shop.clock.advance(3 * outside.DAY_S)
    late = outside.hint(shop, view)
    await shop.till.hints.take(late, late.id)
    paid = await shop.again(view)
    assert (paid.shown, paid.flags) == (Shown.PAID, ())
    assert paid.payments[0].captured_at_ms is not None
    assert abs(paid.payments[0].captured_at_ms - then) < 60_000
    assert paid.paid_at_ms == paid.payments[0].captured_at_ms
    await shop.assert_books()


@pytest.mark.parametrize("age_s", [0, FORTY_DAYS_S])
async def test_47_and_64_an_old_message_played_again_is_a_question_and_changes_nothing(shop: Shop, age_s: int) -> None:
    """Whoever forgets it in between, the relay or a broker: the till keeps facts, not messages."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    told = outside.hint(shop, view)
    await shop.till.hints.take(told, told.id)
    known, paid = outside.facts(shop), await shop.again(view)
    shop.clock.advance(age_s)
    for _ in range(2):
        await shop.till.hints.take(told, told.id)
    assert outside.facts(shop) == known
    after = await shop.again(view)
    assert (after.version, after.shown, outside.effects(shop, "receipt")) == (paid.version, Shown.PAID, 1)
    await shop.assert_books()


async def test_49_money_at_another_account_is_never_this_orders(shop: Shop) -> None:
    """The keys were changed to another account's, on which somebody took money under our order's reference."""
    view = await shop.sell(TEA)
    mine = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    await shop.till.checkout.give_up(view.order_id)
    await shop.till.close()
    other = reopen(Shop(shop.till, shop.bank, shop.clock, shop.home, shop.bank.new_keys(), shop.gateway))
    gate = await other.till.desk.get(shop.gateway)
    assert gate.adapter.account != mine.account
    request = LinkRequest("k" * 12, mine.reference, TEA.price_minor, "INR", "x", "other", "1", "https://example.com/")
    (theirs,) = (await other.till.desk.ask(gate, gate.adapter.create(request))).reading.links
    await other.pay_address(theirs.url)
    await sweep(other)
    after = await other.again(view)
    assert (after.money, after.captured_minor, Flag.ACCOUNT in after.flags) == (Money.UNPAID, 0, True)
    assert "M19" in await outside.codes(other)
    await other.assert_books()
    await other.till.close()


async def test_50_money_of_the_other_mode_is_never_this_orders(bank: Bank, tmp_path: Path) -> None:
    """Stripe says of each object whether it is of test mode; Razorpay does not, and a key's own prefix says it."""
    shop = open_shop(bank, tmp_path / "home", "stripe")
    view = await shop.sell(TEA)
    await shop.pays(view)
    gate = await tamper(shop, Operation.FETCH, everywhere({"livemode"}, lambda _: True))
    seen = await shop.check(view)
    assert (seen.money, seen.captured_minor) == (Money.UNPAID, 0)
    modes = {f.mode for f, _ in shop.till.database.read_now(lambda tx: tx.facts.all()) if f.kind.startswith("payment.")}
    assert modes == {Mode.LIVE}
    assert "M19" in await outside.codes(shop)
    del gate._exchange
    await sweep(shop)  # the gateway's own report says what it was
    assert (await shop.again(view)).money is Money.PAID
    await shop.till.close()


async def test_58_while_the_relay_is_down_the_till_asks_by_itself_and_says_that_it_had_to(
    bank: Bank, tmp_path: Path
) -> None:
    shop = open_shop(bank, tmp_path / "home", "stripe", relay='url = "http://127.0.0.1:9"\n')
    await shop.till.close()
    shop.keys["relay.till_token"] = "token"
    shop = reopen(shop)
    client = shop.till.relay
    assert client is not None
    view = await shop.sell(TEA)
    with pytest.raises(Unreachable):
        await Listener(
            shop.till.context, client, shop.till.hints, shop.till.relay_health, shop.till.reconcile.sweep_all
        ).run()
    await shop.pays(view)
    shop.clock.advance(5)
    assert await shop.probe() == 1
    assert (await shop.again(view)).shown is Shown.PAID
    assert (await shop.till.queries.status()).relay == "down"
    day = await shop.till.day.preview(refresh=False)
    assert ([row.code for row in day.corrected], day.exceptions) == (["M02"], ())
    await shop.assert_books()
    await shop.till.close()


async def test_61_books_put_back_from_an_older_copy_take_the_same_news_again(shop: Shop) -> None:
    """The cursor lies beside the facts: an older copy has an older cursor, and what follows it is told again."""
    view = await shop.sell(TEA)
    first = outside.hint(shop, view, 1)
    await shop.till.hints.take(first, first.id)
    copy = shop.home.with_name("copy")
    await shop.till.close()
    shutil.copytree(shop.home, copy)
    today = reopen(shop)
    await today.pays(view)
    for number in (2, 3):
        news = outside.hint(shop, view, number)
        await today.till.hints.take(news, news.id)
    assert (await today.again(view)).shown is Shown.PAID
    known = outside.facts(today)
    await today.till.close()
    old = reopen(Shop(today.till, shop.bank, shop.clock, copy, shop.keys, shop.gateway))
    assert old.till.database.read_now(lambda tx: tx.sync.cursor()) == "ep:1:t"
    assert (await old.again(view)).money is Money.UNPAID
    for number in (2, 3):
        news = outside.hint(shop, view, number)
        await old.till.hints.take(news, news.id)
    assert (await old.again(view)).shown is Shown.PAID
    assert outside.facts(old) == known
    await old.assert_books()
    await old.till.close()


async def test_63_two_tills_hear_of_one_payment_and_there_is_one_receipt(shop: Shop) -> None:
    second = beside(shop)
    view = await shop.sell(TEA)
    await second.till.desk.get(shop.gateway)
    await shop.pays(view)
    news = outside.hint(shop, view)
    await asyncio.gather(*(one.till.hints.take(news, news.id) for one in (shop, second)))
    seen = [await one.again(view) for one in (shop, second)]
    assert [(v.shown, v.captured_minor) for v in seen] == [(Shown.PAID, TEA.price_minor)] * 2
    assert outside.effects(shop, "receipt") == 1
    assert len(shop.till.database.read_now(lambda tx: tx.money.entries(open_only=True))) == 1
    await shop.assert_books()
    await second.till.close()


@asynccontextmanager
async def answering(head: bytes, body: bytes, *, hangs: bool) -> AsyncIterator[str]:
    """A server that gives one answer to everything; `hangs`: the line stays open and nothing more comes."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n" + body)
        await writer.drain()
        if not hangs:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


async def test_65_a_line_that_is_dead_without_a_word_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After sleep or behind a router that forgot us, no end ever comes: silence longer than the heartbeat is an end."""
    monkeypatch.setattr(relay_client, "READ_TIMEOUT_S", 0.2)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream"
    async with answering(head, b": heartbeat\n\ndata: half a li", hangs=True) as url:
        client, heard = RelayClient(url, "token"), []

        async def listen() -> None:
            async with asyncio.timeout(5):
                async for said in client.events(""):
                    heard.append(said)

        with pytest.raises(Unreachable):
            await listen()
        assert heard
        assert all(isinstance(said, Beat) for said in heard)
        await client.close()


def test_65_the_pause_is_shorter_than_three_heartbeats_and_no_longer_than_half_a_minute() -> None:
    beat_s = Settings.__dataclass_fields__["heartbeat_s"].default
    assert 2 * beat_s <= relay_client.READ_TIMEOUT_S <= 30.0


async def test_66_a_clock_that_is_a_day_off_loses_no_payment(shop: Shop) -> None:
    """Set back, and then set ahead: what is read of the report goes by the gateway's clock."""
    views = []
    for hours in (-26, 52):
        shop.clock.advance(hours * 3_600)
        views.append(await shop.sell(TEA))
        await shop.pays(views[-1])
    for _ in range(200):  # until the bank's whole-second clock has passed what just happened
        assert (await shop.till.reconcile.sweep(shop.gateway)).complete
        if [(await shop.again(view)).money for view in views] == [Money.PAID, Money.PAID]:
            break
        await asyncio.to_thread(shop.bank.desk, "GET", "")
    for view in views:
        paid = await shop.again(view)
        assert (paid.shown, paid.flags) == (Shown.PAID, ())
        assert paid.payments[0].captured_at_ms is not None
        assert abs(paid.payments[0].captured_at_ms - time.time_ns() // 1_000_000) < 60_000
