"""Two tills of one shop in the same books: at once, one after the other, and with one of them gone."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from pos.domain.errors import PosError, Refused
from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.journal import verify
from pos.domain.payment import CALL_TIMEOUT_S, SEND_BY_S
from pos.domain.plan import Share, Way
from pos.domain.ports import Answer, Operation, PreparedCall
from pos.domain.shown import Shown
from pos.domain.store_port import Hint, Tx
from pos.domain.verdict import Flag
from pos.gateways.http import HttpGateway
from pos.services import hints
from pos.services.evidence import Evidence
from pos.services.views import OrderView
from pos.store.transaction import Transaction
from pos.sync.sweeper import Sweeper
from tests.engines import POSTGRESQL, sql
from tests.services.test_money import hanging
from tests.shop import CAKE, TEA, MovedClock, Shop, another_till
from tests.simulation.planted import planted

BOUND_S = 20.0
LEASE_S = 20.0
"""Longer than one process keeps a call for itself."""
ONE_GATEWAY = ["stripe", f"stripe-{POSTGRESQL}"]
on_each_engine = pytest.mark.parametrize("shop", ONE_GATEWAY, indirect=True)
on_a_server = pytest.mark.parametrize("shop", ONE_GATEWAY[1:], indirect=True)
ROUNDS = 6


@pytest_asyncio.fixture
async def other(shop: Shop) -> AsyncIterator[Shop]:
    made = another_till(shop)
    yield made
    await made.till.close()


async def partly_by_card(shop: Shop) -> OrderView:
    """An order of which a third was taken by the card terminal; the plan is dropped, the rest may come in any way."""
    saved = await shop.till.selling.save(shop.lines(TEA))
    part = TEA.price_minor // 3
    await shop.till.splits.plan(saved.order_id, (Share(Way.TERMINAL, part), Share(Way.CASH, 2 * part)))
    await shop.till.tenders.terminal(saved.order_id)
    return await shop.till.splits.drop(saved.order_id)


@pytest_asyncio.fixture
async def askew(shop: Shop, off_s: int) -> AsyncIterator[Shop]:
    """A second till whose clock is off by that much."""
    clock = MovedClock()
    clock.advance(off_s)
    made = another_till(shop, clock=clock)
    yield made
    await made.till.close()


async def both(*work: object) -> list[object]:
    return await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), BOUND_S)  # type: ignore[call-overload]


@on_each_engine
async def test_two_tills_press_pay_at_once_and_show_one_code(shop: Shop, other: Shop) -> None:
    before = shop.links_made()
    for _ in range(ROUNDS):
        saved = await shop.till.selling.save(shop.lines(TEA))
        answers = await both(*(s.till.checkout.issue(saved.order_id, s.gateway) for s in (shop, other)))
        views = [a for a in answers if isinstance(a, OrderView)]
        assert len(views) == 2, answers
        again = [await s.till.checkout.issue(saved.order_id, s.gateway) for s in (shop, other)]
        codes = {view.attempt.qr_text for view in again if view.attempt is not None}
        assert len(codes) == 1
        assert codes.pop()
        attempts = shop.till.database.read_now(lambda tx, o=saved.order_id: tx.attempts.of_order(o))
        assert [a.no for a in attempts] == [1]
    assert shop.links_made() == before + ROUNDS
    await shop.assert_books()


@on_each_engine
async def test_pay_at_one_till_and_cash_at_the_other_at_once_never_both(shop: Shop, other: Shop) -> None:
    for _ in range(ROUNDS):
        saved = await shop.till.selling.save(shop.lines(TEA))
        await both(
            shop.till.checkout.issue(saved.order_id, shop.gateway),
            other.till.cash.take(saved.order_id, given_minor=TEA.price_minor),
        )
        view = await shop.again(saved)
        waits = view.attempt is not None and view.attempt.phase == "open" and not view.kept_minor
        assert (view.shown is Shown.PAID and view.kept_minor == TEA.price_minor) or waits
    await shop.assert_books()


async def held_up(
    shop: Shop, operation: Operation, arrived: asyncio.Event, go_on: asyncio.Event, *, before: bool = False
) -> None:
    """From now on this till's answers to such calls stay on the wire until `go_on`; `arrived`: the work is done.

    `before`: the calls themselves do, and nothing is done yet.
    """
    gate = await shop.till.desk.get(shop.gateway)
    assert isinstance(gate, HttpGateway)
    true = gate._exchange

    async def held() -> None:
        arrived.set()
        await go_on.wait()

    async def waits(call: PreparedCall, timeout_s: float) -> Answer:
        if call.operation is operation and before:
            await held()
        answer = await true(call, timeout_s)
        if call.operation is operation and not before:
            await held()
        return answer

    object.__setattr__(gate, "_exchange", waits)


@on_each_engine
async def test_an_answer_after_a_manager_gave_the_link_up_does_not_take_that_back(shop: Shop, other: Shop) -> None:
    """Both tills sent the same call; the second answer tells of a link that is known."""
    saved = await shop.till.selling.save(shop.lines(TEA))
    arrived, go_on = asyncio.Event(), asyncio.Event()
    await held_up(shop, Operation.CREATE, arrived, go_on)
    first = asyncio.create_task(shop.till.checkout.issue(saved.order_id, shop.gateway))
    await asyncio.wait_for(arrived.wait(), BOUND_S)
    shop.clock.advance(LEASE_S)
    shown = await other.till.checkout.issue(saved.order_id, shop.gateway)
    await other.till.checkout.release(saved.order_id, reason="the customer left", actor="Owner")
    go_on.set()
    assert Flag.UNFENCED in (await first).flags
    await shop.till.tenders.terminal(saved.order_id)
    await shop.assert_books()
    await shop.pays(shown)
    double = await shop.check(saved)
    assert (double.shown, Flag.UNFENCED in double.flags) == (Shown.PAID_TWICE, True)
    await shop.assert_books()


@on_each_engine
async def test_an_answer_after_the_link_was_closed_does_not_open_its_fence(shop: Shop, other: Shop) -> None:
    saved = await shop.till.selling.save(shop.lines(TEA))
    arrived, go_on = asyncio.Event(), asyncio.Event()
    await held_up(shop, Operation.CREATE, arrived, go_on)
    first = asyncio.create_task(shop.till.checkout.issue(saved.order_id, shop.gateway))
    await asyncio.wait_for(arrived.wait(), BOUND_S)
    shop.clock.advance(LEASE_S)
    await other.till.checkout.issue(saved.order_id, shop.gateway)
    await other.till.cash.take(saved.order_id)
    go_on.set()
    assert (await first).shown is Shown.PAID
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(saved.order_id))[0]
    assert (attempt.phase, attempt.fenced, attempt.fence_kind) == ("closed", True, "expired")
    await shop.assert_books()


@on_each_engine
@pytest.mark.parametrize("off_s", [-600, 600])
async def test_what_came_first_is_told_whatever_the_clocks_of_two_tills_say(shop: Shop, askew: Shop) -> None:
    """A card, then a link, then cash, each at another till: no link was open when card or cash was taken."""
    for first, second in ((shop, askew), (askew, shop)):
        saved = await partly_by_card(first)
        shown = await second.till.checkout.issue(saved.order_id, shop.gateway)
        await shop.assert_books()
        gone = (await second.till.checkout.give_up(shown.order_id)).attempt
        assert (gone and gone.phase, gone and gone.fenced) == ("closed", True)
        await shop.assert_books()
        await first.till.cash.take(saved.order_id)
        await askew.assert_books()


@on_each_engine
@pytest.mark.parametrize("off_s", [-600, 600])
async def test_cash_beside_an_open_link_is_found_whatever_the_clocks_say(shop: Shop, askew: Shop) -> None:
    """With the fence out of order: the books say so, whichever till's clock is ahead."""
    for first, second in ((shop, askew), (askew, shop)):
        saved = await partly_by_card(first)
        await second.till.checkout.issue(saved.order_id, shop.gateway)
        with planted("cash without fence"):
            await first.till.cash.take(saved.order_id)
        found = [each.why for each in await shop.till.books.verify() if each.subject == saved.number]
        assert found == ["a tender was taken while link 1 could be paid"]


@on_each_engine
@pytest.mark.parametrize("off_s", [600])
async def test_what_a_till_ahead_of_time_reads_in_the_report_puts_no_look_off(shop: Shop, askew: Shop) -> None:
    view = await shop.sell(TEA)
    hangs = await hanging(shop, view)
    await shop.till.checkout.give_up(view.order_id)
    failed = hangs._replace(kind=Kind.PAYMENT_FAILED)
    await askew.till.settle.take_in(Evidence(failed.gateway, (failed,), Source.REPORT, "sweep"))
    shop.clock.advance(5)
    await shop.probe()
    assert "cash" in (await shop.again(view)).may
    await shop.assert_books()


@on_each_engine
async def test_a_link_that_an_answer_has_named_is_not_thought_absent(shop: Shop, other: Shop) -> None:
    """One till asks twice whether the link came to be; before the second "no" is written, the call's answer is."""
    saved = await shop.till.selling.save(shop.lines(TEA))
    sending, send, asking, go_on = (asyncio.Event() for _ in range(4))
    await held_up(shop, Operation.CREATE, sending, send, before=True)
    calling = asyncio.create_task(shop.till.checkout.issue(saved.order_id, shop.gateway))
    await asyncio.wait_for(sending.wait(), BOUND_S)
    shop.clock.advance(SEND_BY_S + CALL_TIMEOUT_S + 1)
    await other.check(saved)
    shop.clock.advance(60)
    await held_up(other, Operation.FIND, asking, go_on)
    looking = asyncio.create_task(other.check(saved))
    await asyncio.wait_for(asking.wait(), BOUND_S)
    send.set()
    assert (await calling).shown is Shown.WAITING
    go_on.set()
    await looking
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(saved.order_id))[0]
    assert (attempt.phase, attempt.fence_kind, attempt.look_due_at_ms is not None) == ("open", "", True)
    await shop.assert_books()


@on_each_engine
async def test_cash_at_both_tills_at_once_is_taken_once(shop: Shop, other: Shop) -> None:
    for _ in range(ROUNDS):
        saved = await shop.till.selling.save(shop.lines(TEA))
        answers = await both(*(s.till.cash.take(saved.order_id, given_minor=TEA.price_minor) for s in (shop, other)))
        assert sum(isinstance(answer, Refused) for answer in answers) == 1
        assert (await shop.again(saved)).kept_minor == TEA.price_minor
    await shop.assert_books()


@on_each_engine
async def test_what_two_tills_learn_at_once_counts_once(shop: Shop, other: Shop) -> None:
    """The same payment by two ways: one movement in the books, one receipt."""
    for _ in range(ROUNDS):
        view = await shop.sell(TEA)
        await shop.pays(view)
        await both(shop.check(view), other.check(view))
        assert (await shop.again(view)).shown is Shown.PAID

        def counts(tx: Tx, order_id: str = view.order_id) -> list[int]:
            tables = ("z_entry", "effect")
            return [len(sql(tx, f"SELECT * FROM {name} WHERE order_id = :order", order=order_id)) for name in tables]

        assert shop.till.database.read_now(counts) == [1, 1]
    await shop.assert_books()


@on_each_engine
async def test_two_halves_of_one_payment_learnt_by_two_tills_at_once_are_put_together(shop: Shop, other: Shop) -> None:
    """One till reads that a payment was captured, the other what ties it to its link: the second must see both."""
    for number in range(ROUNDS):
        view = await shop.sell(TEA)
        attempt = shop.till.database.read_now(lambda tx, o=view.order_id: tx.attempts.of_order(o))[-1]
        name = f"ch_half_{number}"
        captured = Fact(
            shop.gateway, attempt.account, Mode.TEST, Kind.PAYMENT_CAPTURED, name, "", TEA.price_minor, "INR", 5
        )
        tie = Fact(shop.gateway, attempt.account, Mode.TEST, Kind.PAYMENT_OF_LINK, name, attempt.link_id)
        await both(
            shop.till.settle.take_in(Evidence(shop.gateway, (captured,), Source.REPORT, "sweep")),
            other.till.settle.take_in(Evidence(shop.gateway, (tie,), Source.FETCH, "poll")),
        )
        assert (await shop.again(view)).kept_minor == TEA.price_minor
        assert shop.till.database.read_now(lambda tx: tx.facts.parked()) == []


@on_each_engine
async def test_numbers_changes_and_journals_of_two_busy_tills_have_no_gap_and_no_double(
    shop: Shop, other: Shop
) -> None:
    """What one till has read up to is behind nothing that comes later: no change is skipped."""
    seen: set[str] = set()
    touch = 0
    pairs = [(s, shop.lines(TEA)) for s in (shop, other) for _ in range(ROUNDS)]
    work = asyncio.gather(*(s.till.cash.sell(lines, TEA.price_minor) for s, lines in pairs))
    while not work.done():
        rows, touch = await shop.till.queries.changed_since(touch, {})
        seen |= {row.order_id for row in rows}
        await asyncio.sleep(0)
    sold = {view.order_id for view in await work}
    rows, touch = await shop.till.queries.changed_since(touch, {})
    assert seen | {row.order_id for row in rows} == sold
    numbers = sorted(row.number for row in await shop.till.queries.orders())
    assert numbers == [f"{till}-{n:05d}" for till in "12" for n in range(1, ROUNDS + 1)]
    entries = shop.till.database.read_now(lambda tx: tx.journal.entries())
    for till in "12":
        assert verify([e for e in entries if e.till == till]) is None
    await shop.assert_books()


# The locks themselves ------------------------------------------------------------------------------------------------


def captured_and_tied(shop: Shop, view: OrderView, payment: str, amount_minor: int) -> Evidence:
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    base = (shop.gateway, attempt.account, Mode.TEST)
    captured = Fact(*base, Kind.PAYMENT_CAPTURED, payment, "", amount_minor, view.currency, 5)
    return Evidence(
        shop.gateway, (captured, Fact(*base, Kind.PAYMENT_OF_LINK, payment, attempt.link_id)), Source.REPORT, "sweep"
    )


@on_a_server
async def test_an_order_is_locked_before_it_is_folded(shop: Shop) -> None:
    """Two writers without the lock of all writes, as a maintenance script might be: the order's own must do.

    The second has read nothing of the order when the first commits; unlocked, it would fold half the money and write
    that over the first one's.
    """
    view = await shop.sell(TEA, CAKE)
    engine = shop.till.database.engine
    folded, done = threading.Event(), threading.Event()

    def settle(connection: Connection, payment: str) -> None:
        item = captured_and_tied(shop, view, payment, TEA.price_minor)
        shop.till.settle.apply(Transaction(connection, "1"), [item], 5)

    def second() -> None:
        with engine.begin() as connection:
            folded.wait(BOUND_S)
            settle(connection, "ch_second")
        done.set()

    thread = threading.Thread(target=second)
    with engine.begin() as connection:
        settle(connection, "ch_first")
        thread.start()
        folded.set()
        assert not await asyncio.to_thread(done.wait, 0.3)  # it waits for the order
    await asyncio.to_thread(thread.join, BOUND_S)
    assert (await shop.again(view)).kept_minor == 2 * TEA.price_minor
    await shop.assert_books()


@on_a_server
async def test_writes_of_two_tills_follow_one_another_and_reads_wait_for_nobody(shop: Shop, other: Shop) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        tx.shop.set_meta("slow", "1")
        inside.set()
        assert go_on.wait(BOUND_S)

    first = shop.till.database.write_later(slow)
    await asyncio.to_thread(inside.wait, BOUND_S)
    second = other.till.database.write_later(lambda tx: tx.shop.meta("slow"))
    assert other.till.database.read_now(lambda tx: tx.shop.meta("slow")) is None
    assert not second.done()
    go_on.set()
    first.result(BOUND_S)
    assert second.result(BOUND_S) == "1"


@on_a_server
async def test_what_the_server_took_back_is_written_again(shop: Shop) -> None:
    """A deadlock with somebody else's program: the whole write is done again, once."""
    database, tries = shop.till.database, []

    def write(tx: Tx) -> None:
        tries.append(1)
        tx.shop.set_meta("tries", str(len(tries)))
        if len(tries) == 1:
            sql(tx, "DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$")

    database.write_now(write)
    assert database.read_now(lambda tx: tx.shop.meta("tries")) == "2"

    def never(tx: Tx) -> None:
        sql(tx, "DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40001'; END $$")

    with pytest.raises(PosError, match="writing for too long"):
        database.write_now(never)


# Who does the background work ----------------------------------------------------------------------------------------


@on_each_engine
async def test_one_till_sweeps_and_the_other_takes_over_when_it_is_gone(shop: Shop, other: Shop) -> None:
    sweepers = [Sweeper(s.till.context, s.till.reconcile) for s in (shop, other)]
    assert await sweepers[0].tick(300.0) == 300.0
    assert await sweepers[1].tick(300.0) == 30.0  # not its turn: it asks again soon
    shop.clock.advance(300 + 61)  # till 1 was switched off: its lease runs out
    now = shop.clock.now_ms()
    assert await sweepers[1].tick(300.0) == 300.0
    run = shop.till.database.read_now(lambda tx: tx.sync.last_run(shop.gateway))
    assert run is not None
    assert run.complete
    assert run.started_at_ms >= now


def hint_for(view: OrderView, shop: Shop, name: str = "e1") -> Hint:
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    return Hint(name, shop.gateway, "webhook", attempt.link_id, "", "", "", shop.clock.now_ms())


def looked_at(shop: Shop, view: OrderView) -> int | None:
    return shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1].looked_at_ms


@on_each_engine
async def test_an_orders_own_till_asks_and_the_other_leaves_it(shop: Shop, other: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    hint = hint_for(view, shop)
    await other.till.hints.take(hint, "1:1:x")
    assert (await shop.again(view)).shown is Shown.WAITING
    assert await other.till.hints.retry_due() == 0
    await shop.till.hints.take(hint, "1:1:x")
    assert (await shop.again(view)).shown is Shown.PAID
    when = looked_at(shop, view)
    shop.clock.advance(11)
    await other.till.hints.retry_due()
    assert looked_at(shop, view) == when
    assert other.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9)) == []


@on_each_engine
async def test_the_other_till_asks_after_ten_seconds_where_the_orders_own_is_silent(shop: Shop, other: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await other.till.hints.take(hint_for(view, shop), "1:1:x")
    shop.clock.advance(hints.OTHERS_FIRST_MS / 1000 + 1)
    assert await other.till.hints.retry_due() == 1
    assert (await other.again(view)).shown is Shown.PAID
    assert other.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9)) == []


@on_each_engine
async def test_a_kept_hint_is_asked_about_by_one_of_two_tills(shop: Shop, other: Shop) -> None:
    view = await shop.sell(TEA)
    await other.till.hints.take(hint_for(view, shop), "1:1:x")
    shop.clock.advance(11)
    kept = shop.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9))[0]
    claims = [s.till.database.write_now(lambda tx: tx.sync.claim_hint(kept, 2**59)) for s in (shop, other)]
    assert claims == [True, False]


@on_each_engine
async def test_each_till_has_its_own_place_in_the_relays_stream(shop: Shop, other: Shop) -> None:
    shop.till.database.write_now(lambda tx: tx.sync.set_cursor("1:12:x"))
    other.till.database.write_now(lambda tx: tx.sync.set_cursor("1:3:x"))
    places = [s.till.database.read_now(lambda tx: tx.sync.cursor()) for s in (shop, other)]
    assert places == ["1:12:x", "1:3:x"]


@on_each_engine
async def test_the_place_in_the_stream_of_books_from_before_is_kept(shop: Shop) -> None:
    shop.till.database.write_now(lambda tx: tx.shop.set_meta("relay_cursor", "1:7:x"))
    assert shop.till.database.read_now(lambda tx: tx.sync.cursor()) == "1:7:x"
    shop.till.database.write_now(lambda tx: tx.sync.set_cursor(""))
    assert shop.till.database.read_now(lambda tx: tx.sync.cursor()) == ""


@on_each_engine
async def test_two_tills_close_the_day_at_once_and_there_is_one_report(shop: Shop, other: Shop) -> None:
    for each in (shop, other):
        await each.till.cash.sell(shop.lines(TEA), TEA.price_minor)
    answers = await both(*(s.till.day.close(actor="Owner") for s in (shop, other)))
    assert sum(isinstance(answer, Refused) for answer in answers) == 1, answers
    assert len(shop.till.database.read_now(lambda tx: tx.days.zs("day"))) == 1
    await shop.assert_books()


@on_a_server
async def test_a_drawer_is_compared_with_its_own_tills_cash(shop: Shop, other: Shop) -> None:
    """What the other till took lies in the other drawer, and its late money is told of by its own Z."""
    await shop.till.cash.sell(shop.lines(TEA), TEA.price_minor)
    await other.till.cash.sell(other.lines(TEA, TEA), 2 * TEA.price_minor)
    closed = await shop.till.day.close(actor="Owner", counted_minor=TEA.price_minor)
    assert (closed.cash_difference_minor, closed.exceptions) == (0, ())
    assert [row.code for row in await shop.till.exceptions.listed()] == []


@on_a_server
async def test_a_copied_tills_alarm_stands_on_the_days_report(shop: Shop) -> None:
    copy = another_till(shop, "1")
    with pytest.raises(PosError, match="in use on another machine"):
        await copy.till.cash.sell(shop.lines(TEA), TEA.price_minor)
    assert (await copy.till.queries.status()).books == "read_only"
    view = await shop.till.day.close(actor="Owner")
    assert [(row.code, row.subject) for row in view.exceptions] == [("M22", "till:1")]
    assert (await shop.till.day.preview(refresh=False)).exceptions == ()
    lines = [json.loads(line) for line in await shop.till.books.export()]
    assert [line["code"] for line in lines if line["type"] == "exception"] == ["M22"]
    await copy.till.close()
