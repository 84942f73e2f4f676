"""Holes that were found by looking for them: each test failed before its fix."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pos.domain.errors import Refused
from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.payment import Phase
from pos.domain.shown import Shown
from pos.domain.store_port import Hint, Tx
from pos.domain.verdict import Flag, Money
from pos.services.aftercall import AfterCall
from pos.services.looks import find_link
from pos.services.settle import Evidence
from pos.services.views import OrderView
from tests.engines import sql
from tests.services.test_money import link_of, sweep
from tests.shop import CAKE, TEA, Bank, Shop, reopen


def strand(shop: Shop, view: OrderView, gateway: str = "gone") -> None:
    """The gateway of this order's link is no longer in the settings."""

    def move(tx: Tx) -> None:
        attempt = tx.attempts.of_order(view.order_id)[-1]
        tx.attempts.update(replace(attempt, gateway=gateway, look_due_at_ms=1))

    shop.till.database.write_now(move)


async def test_a_link_of_a_gateway_that_was_removed_keeps_no_other_link_from_being_looked_at(shop: Shop) -> None:
    stranded, other = await shop.sell(TEA), await shop.sell(CAKE)
    strand(shop, stranded)
    await shop.pays(other)
    shop.clock.advance(60)
    await shop.probe()
    assert (await shop.again(other)).shown is Shown.PAID
    for _ in range(2):
        shop.clock.advance(600)
        await shop.probe()
    assert (await shop.again(stranded)).shown is Shown.UNKNOWN


async def test_a_key_that_is_refused_loses_no_hint_and_is_no_refusal_by_the_relay(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    shop.till.database.write_now(lambda tx: tx.sync.set_cursor("ep:1:t"))
    again = reopen(shop)

    def forget(tx: Tx) -> None:
        account = tx.shop.account(shop.gateway)
        assert account is not None
        tx.shop.put_account(replace(account, key_print="another"))

    again.till.database.write_now(forget)
    bank.fault(shop.introduction, "unauthorized", 1)
    await again.till.hints.take(Hint("ep:2:t", shop.gateway, "webhook", link_of(view), "", "", "", 1), "ep:2:t")
    assert (await again.again(view)).money is Money.UNPAID
    assert again.till.database.read_now(lambda tx: tx.sync.cursor()) == "ep:2:t"
    again.clock.advance(10)
    await again.till.hints.retry_due()
    assert (await again.again(view)).money is Money.PAID
    await again.till.close()


async def test_a_hint_about_a_payment_waits_while_the_key_is_refused(shop: Shop, bank: Bank) -> None:
    await shop.till.close()
    fresh = reopen(shop)
    bank.fault(shop.introduction, "unauthorized", 1)
    await fresh.till.hints.take(Hint("ep:2:t", shop.gateway, "webhook", "", "ch_1", "", "", 1), "ep:2:t")
    assert [h.id for h in fresh.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9))] == ["ep:2:t"]
    await fresh.till.close()


async def test_a_refund_of_a_removed_gateway_keeps_no_other_refund_from_being_sent(shop: Shop, bank: Bank) -> None:
    first, second = await shop.sell(TEA), await shop.sell(TEA)
    for view in (first, second):
        await shop.pays(view)
        await shop.check(view)
        bank.fault("refund.create", "drop", before_work=True)
        await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")

    def move(tx: Tx) -> None:
        rows = tx.outbox.due(2**60, 9)
        first_row = next(r for r in rows if r.order_id == first.order_id)
        sql(tx, "UPDATE outbox SET gateway = 'gone' WHERE id = :id", id=first_row.id)

    shop.till.database.write_now(move)
    shop.clock.advance(60)
    await shop.probe()
    assert (await shop.again(second)).refunded_minor == TEA.price_minor
    assert (await shop.again(first)).refunded_minor == 0


def told(shop: Shop, view: OrderView, kind: Kind, payment: str = "ch_late", **values: object) -> Evidence:
    """What the gateway might say of a payment of this order's link."""
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    fact = Fact(shop.gateway, attempt.account, Mode.TEST, kind, payment, **values)  # type: ignore[arg-type]
    tie = Fact(shop.gateway, attempt.account, Mode.TEST, Kind.PAYMENT_OF_LINK, payment, attempt.link_id)
    return Evidence(shop.gateway, (fact, tie), Source.REPORT, "sweep")


async def test_nothing_new_is_issued_or_edited_while_a_late_authorisation_is_in_flight(shop: Shop) -> None:
    """The link was fenced, then its failed payment came to life again: one more link would be a second charge."""
    view = await shop.sell(TEA)
    await shop.till.checkout.give_up(view.order_id)
    await shop.till.settle.take_in(told(shop, view, Kind.PAYMENT_AUTHORIZED))
    waiting = await shop.again(view)
    assert waiting.shown is Shown.WAITING
    for act in (
        shop.till.checkout.issue(view.order_id, shop.gateway),
        shop.till.selling.save(shop.lines(CAKE), order_id=view.order_id),
        shop.till.cash.take(view.order_id),
    ):
        with pytest.raises(Refused):
            await act
    rows = await shop.till.queries.orders()
    assert [row.shown for row in rows] == [Shown.WAITING]
    await shop.till.settle.take_in(told(shop, view, Kind.PAYMENT_VOIDED))
    assert (await shop.till.checkout.issue(view.order_id, shop.gateway)).shown is Shown.WAITING


async def test_a_late_authorisation_after_a_failure_is_waiting_in_lists_too(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.till.checkout.give_up(view.order_id)
    for kind in (Kind.PAYMENT_FAILED, Kind.PAYMENT_AUTHORIZED):
        await shop.till.settle.take_in(told(shop, view, kind))
    assert (await shop.again(view)).shown is Shown.WAITING
    assert [row.shown for row in await shop.till.queries.orders()] == [Shown.WAITING]


async def test_a_second_try_that_never_left_does_not_make_the_first_one_unsent(shop: Shop, bank: Bank) -> None:
    shop.lose_link_calls()
    view = await shop.sell(TEA)
    gate = await shop.till.desk.get(shop.gateway)
    object.__setattr__(gate, "_base", "http://127.0.0.1:9")
    again = await shop.check(view)
    assert again.shown is Shown.UNKNOWN
    object.__setattr__(gate, "_base", shop.bank.url)
    shop.clock.advance(61)
    while await shop.probe():
        shop.clock.advance(5)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    assert (attempt.phase, attempt.fence_kind, bool(attempt.link_id)) == (Phase.ABANDONED, "expired", True)


async def test_an_answer_after_an_end_that_was_taken_for_unsent_is_closed(shop: Shop) -> None:
    """Two presses at once: one could not be sent and ended the attempt; the other one's link came all the same."""
    view = await shop.sell(TEA)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    row = shop.till.database.read_now(lambda tx: tx.outbox.of_attempt(attempt.id, "create"))
    assert row is not None
    gate = await shop.till.desk.get(shop.gateway)
    asked, info = await find_link(shop.till.desk, gate, attempt, now_ms=shop.clock.now_ms())
    assert info is not None
    ended = replace(attempt, link_id="", url="", fenced_at_ms=1, fence_kind="absent", look_due_at_ms=None)

    def press(tx: Tx) -> None:
        sql(tx, "UPDATE attempt SET phase = 'abandoned'")
        tx.attempts.update(replace(ended, phase=Phase.ABANDONED))

    shop.till.database.write_now(press)
    after = AfterCall(shop.till.context, shop.till.desk, shop.till.settle, None)
    await after.opened(gate, row, info, asked)
    shop.clock.advance(10)
    while await shop.probe():
        shop.clock.advance(5)
    assert (await shop.pays(view)).outcome == "expired"


async def test_part_of_what_is_owed_back_is_not_owed_again(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {})
    await sweep(shop)
    part = await shop.till.refunds.refund(view.order_id, amount_minor=2_000, reason="twice", actor="Owner")
    assert part.owed_minor == TEA.price_minor - 2_000
    with pytest.raises(Refused, match="owed"):
        await shop.till.refunds.refund(view.order_id, amount_minor=5_000, reason="twice", actor="Owner")
    whole = await shop.till.refunds.refund_owed(view.order_id, reason="twice", actor="Owner")
    assert (whole.refunded_minor, whole.shown) == (TEA.price_minor, Shown.PAID)


async def test_a_refund_that_bounces_is_seen_beside_another_that_did_not(shop: Shop, bank: Bank) -> None:
    """Another refund of the same payment is no replacement: the customer has not got this money."""
    view = await shop.sell(TEA, CAKE)
    await shop.pays(view)
    await shop.check(view)
    await shop.till.refunds.refund(view.order_id, amount_minor=5_000, reason="cold", actor="Owner")
    bank.fault("refund.create", "refund_fails", after_s=0.0, succeed_first=True)
    await shop.till.refunds.refund(view.order_id, amount_minor=5_000, reason="stale", actor="Owner")
    await until_refund_failed(shop, view)
    again = await shop.till.refunds.refund(view.order_id, amount_minor=5_000, reason="again", actor="Owner")
    assert Flag.REFUND_FAILED not in again.flags
    assert (await shop.till.day.preview(refresh=False)).exceptions == ()


async def until_refund_failed(shop: Shop, view: OrderView) -> None:
    for _ in range(50):
        await sweep(shop)
        if Flag.REFUND_FAILED in (await shop.again(view)).flags:
            break
    assert Flag.REFUND_FAILED in (await shop.again(view)).flags
    assert "M14" in {e.code for e in (await shop.till.day.preview(refresh=False)).exceptions}


async def test_a_refund_whose_key_is_forgotten_is_looked_for_before_it_is_asked_again(shop: Shop, bank: Bank) -> None:
    """A key lives 24 hours at this gateway; after that the same bytes would be a second refund."""
    view = await shop.sell(TEA, CAKE)
    await shop.pays(view)
    await shop.check(view)
    bank.fault("refund.create", "drop")  # made, and the answer lost
    await shop.till.refunds.refund(view.order_id, amount_minor=2_000, reason="cold", actor="Owner")

    def forgotten(tx: Tx) -> None:
        """As if the gateway had forgotten the key: another one in the stored bytes has the same effect."""
        row = tx.outbox.due(2**60, 9)[0]
        kept = [pair for pair in row.call.headers if pair[0].lower() != "idempotency-key"]
        headers = json.dumps([*kept, ["Idempotency-Key", "tt1-forgotten"]])
        sql(tx, "UPDATE outbox SET headers = :headers WHERE id = :id", headers=headers, id=row.id)

    shop.till.database.write_now(forgotten)
    made = shop.bank.desk("GET", "")["counts"]["refund"]
    shop.clock.advance(2 * 86_400)
    await shop.probe()
    assert (await shop.again(view)).refunded_minor == 2_000
    assert shop.bank.desk("GET", "")["counts"]["refund"] == made
    assert shop.till.database.read_now(lambda tx: tx.outbox.due(2**60, 9)) == []


async def test_a_refund_that_never_gets_through_stands_before_the_manager(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    bank.fault("refund.create", "drop", 4, before_work=True)
    await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    for _ in range(3):
        shop.clock.advance(700)
        await shop.probe()
    day = await shop.till.day.preview(refresh=False)
    assert [(e.code, e.amount_minor) for e in day.exceptions] == [("M14", TEA.price_minor)]
    shop.clock.advance(700)
    await shop.probe()
    assert (await shop.again(view)).refunded_minor == TEA.price_minor
    assert (await shop.till.day.preview(refresh=False)).exceptions == ()


async def test_a_key_that_is_known_with_another_amount_alarms_each_time_and_ends_the_attempt(shop: Shop) -> None:
    view = await shop.sell(TEA)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    row = shop.till.database.read_now(lambda tx: tx.outbox.of_attempt(attempt.id, "create"))
    assert row is not None
    after = AfterCall(shop.till.context, shop.till.desk, shop.till.settle, None)
    for sent in (row, row, replace(row, attempt_id=attempt.id)):
        await after.ended(sent, "key_reused", "other parameters", 400)
    problems = shop.till.database.read_now(lambda tx: tx.problems.of_order(view.order_id))
    assert [(p.code, p.subject) for p in problems] == [("M22", attempt.id)]


async def test_a_link_is_found_by_the_gateways_clock_not_by_ours(shop: Shop, bank: Bank) -> None:
    """The till's clock is days off: the link that was asked for must not be taken for one that never came to be."""
    shop.clock.advance(50 * 3_600)
    shop.lose_link_calls()
    view = await shop.sell(TEA)
    shop.clock.advance(75)
    for _ in range(4):
        await shop.probe()
        shop.clock.advance(15)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    assert (attempt.phase, bool(attempt.link_id), attempt.fence_kind) == (Phase.ABANDONED, True, "expired")


async def test_a_long_page_of_a_report_is_taken_in_whole(shop: Shop) -> None:
    facts = tuple(Fact(shop.gateway, "acct", Mode.TEST, Kind.PAYMENT_PENDING, f"ch_{n}") for n in range(3_000))
    await shop.till.settle.take_in(Evidence(shop.gateway, facts, Source.REPORT, "sweep"))
    assert len(shop.till.database.read_now(lambda tx: tx.facts.all())) == 3_000
