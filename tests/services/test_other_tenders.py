"""A terminal of its own, and a payment accepted on a bank's word: what they count, and what outranks them."""

from __future__ import annotations

import pytest

from pos.domain.errors import BadInput, NotAllowed, OutcomeUnknown, Refused
from pos.domain.shown import Shown
from pos.domain.verdict import Flag, Money
from pos.services.views import OrderView
from tests.services.test_money import link_of, sweep
from tests.shop import TEA, Shop


async def by_hand(shop: Shop, view: OrderView) -> OrderView:
    return await shop.till.tenders.by_hand(view.order_id, reason="UPI 412233445566", actor="Owner")


async def test_a_terminal_pays_what_is_left_after_the_link_is_closed(shop: Shop) -> None:
    view = await shop.sell(TEA)
    paid = await shop.till.tenders.terminal(view.order_id, note="083116", actor="Owner")
    assert (paid.shown, paid.kept_minor, paid.payment_text == "Card terminal") == (Shown.PAID, TEA.price_minor, True)
    assert paid.attempt is not None
    assert paid.attempt.fenced
    assert not (await shop.pays(view)).done
    with pytest.raises(Refused, match="nothing left"):
        await shop.till.tenders.terminal(view.order_id, actor="Owner")
    drawer = shop.till.database.read_now(lambda tx: tx.money.entries(open_only=True))
    assert [(e.method, e.amount_minor) for e in drawer if e.kind == "tender"] == [("terminal", TEA.price_minor)]
    await shop.assert_books()


async def test_what_a_terminal_took_lies_in_no_drawer(shop: Shop) -> None:
    await shop.till.cash.sell(shop.lines(TEA), 10_000)
    view = await shop.sell(TEA)
    await shop.till.tenders.terminal(view.order_id, note="083116", actor="Owner")
    day = await shop.till.day.close(actor="Owner", counted_minor=TEA.price_minor)
    here = {row.key: row.here_minor for row in day.totals}
    assert (here["cash"], here["terminal"], day.cash_difference_minor) == (TEA.price_minor, TEA.price_minor, 0)


async def test_no_terminal_while_the_gateway_does_not_say_that_the_link_is_closed(shop: Shop) -> None:
    view = await shop.sell(TEA)
    shop.bank.fault("link.*", "drop", 4)
    with pytest.raises(OutcomeUnknown):
        await shop.till.tenders.terminal(view.order_id, actor="Owner")
    assert (await shop.again(view)).kept_minor == 0
    shop.bank.clear()


async def test_a_terminal_after_the_customer_paid_is_refused(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    with pytest.raises(Refused, match="already paid"):
        await shop.till.tenders.terminal(view.order_id, actor="Owner")
    assert (await shop.again(view)).shown is Shown.PAID


async def test_what_was_accepted_by_hand_and_captured_later_is_one_payment(shop: Shop) -> None:
    view = await shop.sell(TEA)
    accepted = await by_hand(shop, view)
    assert (accepted.shown, Flag.UNFENCED in accepted.flags) == (Shown.PAID, True)
    await shop.pays(view)
    await sweep(shop)
    captured = await shop.again(view)
    assert (captured.shown, captured.owed_minor, captured.captured_minor) == (Shown.PAID, 0, TEA.price_minor)
    await shop.assert_books()


async def test_what_was_accepted_by_hand_is_taken_back_by_a_tender_of_its_own(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await by_hand(shop, view)
    with pytest.raises(Refused, match="no link to accept"):
        await by_hand(shop, view)
    back = await shop.till.tenders.withdraw(view.order_id, reason="the message was forged", actor="Owner")
    assert (back.money, back.left_minor) == (Money.UNPAID, TEA.price_minor)
    with pytest.raises(Refused, match="accepted by hand"):
        await shop.till.tenders.withdraw(view.order_id, reason="again", actor="Owner")
    assert (await by_hand(shop, view)).shown is Shown.PAID
    await shop.assert_books()


async def test_a_second_link_after_one_accepted_by_hand_is_not_needed_and_a_second_capture_is_seen(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await by_hand(shop, view)
    await shop.pays(view)
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {})
    await sweep(shop)
    twice = await shop.again(view)
    assert (twice.shown, twice.owed_minor) == (Shown.PAID_TWICE, TEA.price_minor)


async def test_who_may_not_override_accepts_nothing_and_a_reason_is_asked_for(shop: Shop) -> None:
    view = await shop.sell(TEA)
    with pytest.raises(NotAllowed):
        await shop.till.tenders.by_hand(view.order_id, reason="x", actor="Nobody")
    with pytest.raises(BadInput):
        await shop.till.tenders.by_hand(view.order_id, reason=" ", actor="Owner")
    with pytest.raises(NotAllowed):
        await shop.till.tenders.withdraw(view.order_id, reason="x", actor="Nobody")
    assert (await shop.again(view)).kept_minor == 0
