"""Collecting by link: one live link, shown again and never made twice; unknown is a state."""

from __future__ import annotations

import asyncio

import pytest

from pos.domain.errors import BadInput, OutcomeUnknown, Refused, Unreachable
from pos.domain.order import Life
from pos.domain.payment import Phase
from pos.domain.ports import NotSent
from pos.domain.shown import Shown
from pos.domain.verdict import Certainty, Money
from tests.shop import CAKE, TEA, Bank, Shop, reopen


async def test_a_sale_by_link_is_saved_shown_paid_and_the_books_verify(shop: Shop) -> None:
    view = await shop.sell(TEA, CAKE)
    assert (view.life, view.due_minor, view.shown) == (Life.PLACED, 20_000, Shown.WAITING)
    assert view.attempt is not None
    assert view.attempt.qr_text.startswith(shop.bank.url)
    assert (await shop.pays(view)).outcome == "paid"
    paid = await shop.check(view)
    assert (paid.shown, paid.kept_minor, paid.captured_minor) == (Shown.PAID, 20_000, 20_000)
    assert paid.attempt is not None
    assert (paid.attempt.phase, paid.attempt.qr_text) == (Phase.CLOSED, "")
    await shop.assert_books()


async def test_pay_pressed_twice_shows_the_same_link(shop: Shop) -> None:
    view = await shop.sell(TEA)
    again = await shop.till.checkout.issue(view.order_id, shop.gateway)
    assert again.attempt == view.attempt


async def test_pay_pressed_twice_at_once_makes_one_link(shop: Shop) -> None:
    before = shop.links_made()
    saved = await shop.till.selling.save(shop.lines(TEA))
    await shop.till.desk.get(shop.gateway)
    both = await asyncio.gather(*(shop.till.checkout.issue(saved.order_id, shop.gateway) for _ in range(2)))
    assert {v.attempt.no for v in both if v.attempt} == {1}
    assert (await shop.again(saved)).shown is Shown.WAITING
    assert shop.links_made() == before + 1


async def test_the_same_key_is_the_same_order(shop: Shop) -> None:
    first = await shop.sell(TEA, key="table-7")
    second = await shop.sell(TEA, key="table-7")
    assert (second.order_id, second.attempt) == (first.order_id, first.attempt)


async def test_an_answer_lost_after_the_work_is_asked_for_again_with_the_same_key(shop: Shop, bank: Bank) -> None:
    before = shop.links_made()
    bank.fault("link.create", "drop")
    view = await shop.sell(TEA)
    assert view.shown is Shown.WAITING
    assert shop.links_made() == before + 1


async def test_no_answer_at_all_is_unknown_and_the_link_is_found_closed_and_never_shown(shop: Shop, bank: Bank) -> None:
    shop.lose_link_calls()
    view = await shop.sell(TEA)
    assert (view.shown, view.certainty) == (Shown.UNKNOWN, Certainty.UNKNOWN)
    assert view.attempt is not None
    assert view.attempt.qr_text == ""
    shop.clock.advance(61)
    while await shop.probe():
        shop.clock.advance(5)
    view = await shop.again(view)
    assert view.attempt is not None
    assert (view.attempt.phase, view.attempt.fenced) == (Phase.ABANDONED, True)
    assert view.money is Money.UNPAID
    second = await shop.till.checkout.issue(view.order_id, shop.gateway)
    assert second.attempt is not None
    assert (second.attempt.no, second.shown) == (2, Shown.WAITING)
    await shop.assert_books()


async def test_check_now_within_its_time_repeats_the_same_call_and_shows_the_one_link(shop: Shop, bank: Bank) -> None:
    before = shop.links_made()
    shop.lose_link_calls()
    view = await shop.sell(TEA)
    assert view.shown is Shown.UNKNOWN
    view = await shop.check(view)
    assert view.shown is Shown.WAITING
    assert shop.links_made() == before + 1


async def test_one_empty_look_ends_nothing_and_none_counts_while_the_call_may_still_arrive(
    shop: Shop, bank: Bank
) -> None:
    """A gateway's list may lag, and a call that was given up here may still be on its way."""
    await shop.till.desk.get(shop.gateway)
    shop.lose_link_calls(before_work=True)
    view = await shop.sell(TEA)
    bank.clear()

    async def looked_at() -> tuple[str, bool]:
        found = await shop.till.looks.look(attempt_id, hint="check")
        assert found.answered
        attempt = shop.till.database.read_now(lambda tx: tx.attempts.get(attempt_id))
        assert attempt is not None
        return attempt.reason, attempt.fenced

    attempt_id = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1].id
    assert await looked_at() == await looked_at() == ("", False)
    shop.clock.advance(75)
    assert await looked_at() == ("not found once", False)
    assert await looked_at() == ("never made", True)


async def test_a_link_that_never_came_to_be_is_given_up_after_two_empty_looks(shop: Shop, bank: Bank) -> None:
    await shop.till.desk.get(shop.gateway)
    shop.lose_link_calls(before_work=True)
    view = await shop.sell(TEA)
    assert view.shown is Shown.UNKNOWN
    shop.clock.advance(75)
    for _ in range(3):
        await shop.probe()
        shop.clock.advance(15)
    view = await shop.again(view)
    assert view.attempt is not None
    assert view.attempt.phase == Phase.ABANDONED
    assert view.shown is Shown.UNPAID
    await shop.assert_books()


async def test_nobody_there_is_provably_not_sent_and_may_be_tried_at_once(shop: Shop) -> None:
    await shop.till.desk.get(shop.gateway)
    gate = await shop.till.desk.get(shop.gateway)
    object.__setattr__(gate, "_base", "http://127.0.0.1:9")
    with pytest.raises(NotSent):
        await shop.sell(TEA, key="k")
    view = await shop.till.queries.order("k")
    assert (view.shown, view.attempt is not None and view.attempt.phase) == (Shown.UNPAID, Phase.ABANDONED)
    object.__setattr__(gate, "_base", shop.bank.url)
    assert (await shop.sell(TEA, key="k")).shown is Shown.WAITING


@pytest.mark.parametrize(
    ("kind", "options"),
    [("html", {}), ("truncated", {}), ("error_500", {"after_work": True}), ("unknown_status", {})],
)
async def test_answers_that_cannot_be_read_are_unknown_never_failed(
    shop: Shop, bank: Bank, kind: str, options: dict[str, object]
) -> None:
    view = await shop.sell(TEA)
    bank.fault("link.fetch", kind, 3, **options)
    for _ in range(3):
        view = await shop.check(view)
    assert view.shown is Shown.UNKNOWN
    assert view.may == {"check", "next", "release", "by_hand"}
    await shop.pays(view)
    assert (await shop.check(view)).shown is Shown.PAID
    await shop.assert_books()


async def test_a_wrong_key_is_said_plainly(shop: Shop) -> None:
    shop.till.secrets.set(f"gateways.{shop.gateway}.secret_key", "sk_test_wrong")
    other = reopen(shop)
    other.till.secrets.set(f"gateways.{shop.gateway}.secret_key", "sk_test_wrong")
    await other.till.close()
    keys = {**shop.keys, f"gateways.{shop.gateway}.secret_key": "sk_test_wrong"}
    third = reopen(Shop(other.till, shop.bank, shop.clock, shop.home, keys, shop.gateway))
    with pytest.raises(Refused, match="does not accept the key"):
        await third.sell(TEA)
    assert [row.number for row in await third.till.queries.orders()]  # the order is kept
    await third.till.close()


async def test_rate_limited_waits_as_told_and_goes_on(shop: Shop, bank: Bank) -> None:
    bank.fault("link.create", "rate_limited", 1, retry_after_s=0)
    assert (await shop.sell(TEA)).shown is Shown.WAITING


async def test_a_declined_card_leaves_the_link_open_and_the_retry_pays(shop: Shop) -> None:
    view = await shop.sell(TEA)
    assert (await shop.pays(view, "declined")).outcome == "declined"
    declined = await shop.check(view)
    assert (declined.shown, [p.state for p in declined.payments]) == (Shown.WAITING, ["failed"])
    await shop.pays(view)
    assert (await shop.check(view)).shown is Shown.PAID


async def test_giving_up_closes_the_link_at_the_bank(shop: Shop) -> None:
    view = await shop.sell(TEA)
    closed = await shop.till.checkout.give_up(view.order_id)
    assert closed.attempt is not None
    assert (closed.attempt.phase, closed.attempt.fenced, closed.shown) == (Phase.CLOSED, True, Shown.EXPIRED)
    assert (await shop.pays(view)).outcome == "expired"
    second = await shop.till.checkout.issue(view.order_id, shop.gateway)
    assert second.attempt is not None
    assert second.attempt.no == 2


async def test_a_close_that_times_out_keeps_the_counter_fenced(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    bank.fault("link.close", "drop", 1, before_work=True)
    closing = await shop.till.checkout.give_up(view.order_id)
    assert closing.attempt is not None
    assert closing.attempt.phase == Phase.CLOSING
    with pytest.raises(Refused):
        await shop.till.checkout.issue(view.order_id, shop.gateway)
    bank.fault("link.close", "drop", 1, before_work=True)
    with pytest.raises(OutcomeUnknown):
        await shop.till.cash.take(view.order_id)
    assert (await shop.till.cash.take(view.order_id)).shown is Shown.PAID  # the third close is confirmed
    await shop.assert_books()


async def test_cash_is_refused_when_the_customer_paid_meanwhile(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    with pytest.raises(Refused, match="already paid"):
        await shop.till.cash.take(view.order_id)
    assert (await shop.again(view)).shown is Shown.PAID
    await shop.assert_books()


async def test_cancel_closes_and_voids_and_a_paid_order_is_not_cancelled(shop: Shop) -> None:
    view = await shop.sell(TEA)
    assert (await shop.till.checkout.cancel(view.order_id, reason="left")).shown is Shown.CANCELLED
    paid = await shop.sell(CAKE)
    await shop.pays(paid)
    with pytest.raises(Refused, match="has been paid"):
        await shop.till.checkout.cancel(paid.order_id, reason="left")
    await shop.assert_books()


async def test_two_phones_pay_one_link_once(shop: Shop) -> None:
    view = await shop.sell(TEA)
    results = await asyncio.gather(shop.pays(view), shop.pays(view))
    assert sorted(r.outcome for r in results).count("paid") == 1
    assert (await shop.check(view)).captured_minor == TEA.price_minor


async def test_an_open_link_survives_a_restart_with_the_same_qr(shop: Shop) -> None:
    view = await shop.sell(TEA)
    again = reopen(shop)
    shown = await again.till.checkout.issue(view.order_id, shop.gateway)
    assert shown.attempt is not None
    assert view.attempt is not None
    assert shown.attempt.qr_text == view.attempt.qr_text
    await again.till.close()


async def test_the_basket_is_locked_while_a_link_is_open(shop: Shop) -> None:
    view = await shop.sell(TEA)
    with pytest.raises(Refused):
        await shop.till.selling.save(shop.lines(CAKE), order_id=view.order_id)
    await shop.till.checkout.give_up(view.order_id)
    changed = await shop.till.selling.save(shop.lines(CAKE), order_id=view.order_id)
    assert (changed.revision, changed.totals.total_minor) == (2, CAKE.price_minor)
    issued = await shop.till.checkout.issue(view.order_id, shop.gateway)
    assert issued.attempt is not None
    assert issued.attempt.amount_minor == CAKE.price_minor
    await shop.assert_books()


async def test_an_amount_the_gateway_does_not_take_is_refused_before_any_call(shop: Shop) -> None:
    from dataclasses import replace

    shop.till.database.write_now(lambda tx: tx.shop.put_products([replace(TEA, price_minor=1)]))
    with pytest.raises((BadInput, Refused)):
        await shop.sell(replace(TEA, price_minor=1))


async def test_an_unknown_gateway_is_named(shop: Shop) -> None:
    with pytest.raises(BadInput, match="no gateway"):
        await shop.till.checkout.sell(shop.lines(TEA), "nobody")


def test_unreachable_is_an_exit_status_of_its_own() -> None:
    assert (Unreachable.exit_status, NotSent.exit_status, OutcomeUnknown.exit_status) == (4, 4, 3)
