"""Giving back, disputes, and news that comes after the money has gone (rows 67 to 78)."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pos.app.wiring import DATABASE
from pos.domain.cash import GiveBack, Method
from pos.domain.errors import BadInput, NotAllowed, Refused
from pos.domain.facts import Kind, Source
from pos.domain.ports import Part, PreparedCall
from pos.domain.shown import Shown
from pos.domain.store_port import Tx
from pos.domain.verdict import Flag, Money
from pos.services.evidence import Evidence, evidence_of
from pos.services.views import OrderView
from tests.failures import outside
from tests.failures.test_links import captured_at_gateway
from tests.services.test_holes import told
from tests.services.test_money import sweep
from tests.shop import CAKE, TEA, Shop, reopen


async def paid(shop: Shop) -> OrderView:
    view = await shop.sell(TEA, CAKE)
    await shop.pays(view)
    return await shop.check(view)


async def told_in_every_way(shop: Shop, view: OrderView) -> None:
    """The report, and hints about the payment, twice: what the gateway says of its refunds comes again and again."""
    payment = view.payments[0].id
    for number in range(2):
        await sweep(shop)
        news = outside.hint(shop, view, number + 1, link="", payment=payment)
        await shop.till.hints.take(news, news.id)


async def test_67_a_refund_of_ours_that_the_gateway_tells_of_is_the_same_refund(shop: Shop) -> None:
    view = await paid(shop)
    await shop.till.refunds.refund(view.order_id, amount_minor=2_000, reason="cold", actor="Owner")
    await told_in_every_way(shop, view)
    after = await shop.again(view)
    assert (after.shown, after.refunded_minor, outside.refunds(shop)) == (Shown.PART_REFUNDED, 2_000, [2_000])
    entries = shop.till.database.read_now(lambda tx: tx.money.entries(open_only=True))
    assert [e.amount_minor for e in entries if e.kind == "refund"] == [-2_000]
    assert await outside.codes(shop) == set()
    await shop.assert_books()


async def test_68_two_refunds_of_one_payment_stay_two_whatever_is_told_last(shop: Shop) -> None:
    view = await paid(shop)
    for amount in (2_000, 3_000):
        await shop.till.refunds.refund(view.order_id, amount_minor=amount, reason="cold", actor="Owner")
    await told_in_every_way(shop, view)
    after = await shop.again(view)
    assert (after.shown, after.refunded_minor, outside.refunds(shop)) == (Shown.PART_REFUNDED, 5_000, [2_000, 3_000])
    assert await outside.codes(shop) == set(), "both are ours, and nobody is asked for a reason"
    await shop.assert_books()


async def test_69_refund_pressed_twice_at_once_is_one_refund(shop: Shop) -> None:
    view = await paid(shop)
    both = (shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner") for _ in range(2))
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(isinstance(one, Refused) for one in done) == [False, True]
    assert ((await shop.again(view)).shown, outside.refunds(shop)) == (Shown.REFUNDED, [20_000])
    await shop.assert_books()


async def pages(shop: Shop, call: PreparedCall | None) -> list[Evidence]:
    """What the gateway answers to a call and the pages behind it."""
    gate = await shop.till.desk.get(shop.gateway)
    found = []
    while call is not None:
        asked = await shop.till.desk.ask(gate, call)
        found.append(evidence_of(shop.gateway, asked, Source.FETCH, "poll"))
        call = asked.reading.next
    return found


async def test_71_whatever_is_learnt_first_the_payment_or_its_refund_the_end_is_the_same(shop: Shop) -> None:
    """Paid and given back while the till was away; the answers to its questions come in every order."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    outside.refund_in_dashboard(shop, captured_at_gateway(shop), 2_500)
    shop.clock.advance(2)
    gate = await shop.till.desk.get(shop.gateway)
    until = shop.clock.now_ms() + 60_000
    calls = [gate.adapter.report(part, until - 3_600_000, until) for part in (Part.REFUNDS, Part.PAYMENTS)]
    answers = [await pages(shop, call) for call in (*calls, gate.adapter.fetch(view.attempt.link_id))]  # type: ignore[union-attr]
    ends = set()
    copies = shop.home.with_name("copies")
    for number, order in enumerate(itertools.permutations(answers)):
        fresh = await copy_of(shop, copies / str(number))
        for told_now in order:
            for evidence in told_now:
                await fresh.till.settle.take_in(evidence)
        seen = await fresh.again(view)
        ends.add((seen.shown, seen.money, seen.kept_minor, seen.refunded_minor, seen.flags))
        await fresh.assert_books()
        await fresh.till.close()
    assert ends == {(Shown.PART_REFUNDED, Money.PAID, TEA.price_minor, 2_500, ())}


async def copy_of(shop: Shop, target: Path) -> Shop:
    """The same books in another home, as they are now."""
    target.mkdir(parents=True)
    text = (shop.home / "settings.toml").read_text(encoding="utf-8")
    (target / "settings.toml").write_text(text, encoding="utf-8")
    with closing(sqlite3.connect(shop.home / DATABASE)) as books:
        books.execute("VACUUM INTO ?", (str(target / DATABASE),))
    again = reopen(Shop(shop.till, shop.bank, shop.clock, target, shop.keys, shop.gateway))
    await again.till.desk.get(shop.gateway)
    return again


async def test_73_a_refund_made_at_the_gateway_is_adopted_and_its_reason_asked(shop: Shop) -> None:
    view = await paid(shop)
    outside.refund_in_dashboard(shop, view.payments[0].id, 4_000)
    await told_in_every_way(shop, view)
    after = await shop.again(view)
    assert (after.shown, after.refunded_minor, after.kept_minor) == (Shown.PART_REFUNDED, 4_000, 20_000)
    assert await outside.codes(shop) == {"M13"}
    with pytest.raises(Refused, match="more than is left"):
        await shop.till.refunds.refund(view.order_id, amount_minor=16_001, reason="x", actor="Owner")
    await shop.assert_books()


@pytest.mark.parametrize("by", ["till", "dashboard"])
async def test_74_of_two_payments_one_given_back_leaves_the_sale_paid(shop: Shop, by: str) -> None:
    """Whoever gave it back: the second payment's refund is no refund of the sale."""
    view = await paid(shop)
    shop.bank.desk("POST", f"/links/{view.attempt.link_id}/capture", {})  # type: ignore[union-attr]
    await sweep(shop)
    double = await shop.again(view)
    assert (double.shown, double.owed_minor) == (Shown.PAID_TWICE, 20_000)
    if by == "till":
        await shop.till.refunds.refund_owed(view.order_id, reason="twice", actor="Owner")
    else:
        second = next(p for p in double.payments if p.to_refund_minor)
        outside.refund_in_dashboard(shop, second.id, 20_000)
    await sweep(shop)
    after = await shop.again(view)
    assert (after.shown, after.money, after.kept_minor, after.owed_minor) == (Shown.PAID, Money.PAID, 20_000, 0)
    assert outside.refunds(shop) == [20_000]
    await shop.assert_books()


@pytest.mark.parametrize(
    ("outcome", "shown", "flags"), [("won", Shown.PAID, ()), ("lost", Shown.DISPUTED, (Flag.DISPUTED,))]
)
async def test_75_a_dispute_is_an_axis_of_its_own(
    shop: Shop, outcome: str, shown: Shown, flags: tuple[Flag, ...]
) -> None:
    view = await paid(shop)
    dispute = shop.bank.desk("POST", f"/payments/{view.payments[0].id}/dispute", {})["id"]
    await sweep(shop)
    opened = await shop.again(view)
    assert (opened.shown, opened.money, await outside.codes(shop)) == (Shown.DISPUTED, Money.PAID, {"M15"})
    with pytest.raises(Refused):
        await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="x", actor="Owner")
    shop.bank.desk("POST", f"/disputes/{dispute}/close", {"outcome": outcome})
    await sweep(shop)
    over = await shop.again(view)
    assert (over.shown, over.money, over.kept_minor, over.flags) == (shown, Money.PAID, 20_000, flags)
    assert "M15" not in await outside.codes(shop)
    await shop.assert_books()


async def test_76_a_late_failed_or_expired_does_not_undo_paid(shop: Shop) -> None:
    """A declined try and the end of the link are told after the capture, as reports and retries do."""
    view = await paid(shop)
    payment, before = view.payments[0].id, await shop.again(view)
    failed = told(shop, view, Kind.PAYMENT_FAILED, payment)
    pending = told(shop, view, Kind.PAYMENT_PENDING, payment)
    other_try = told(shop, view, Kind.PAYMENT_FAILED, "ch_declined_before")
    for evidence in (failed, pending, other_try):
        await shop.till.settle.take_in(evidence)
    await sweep(shop)
    after = await shop.again(view)
    assert (after.shown, after.money, after.kept_minor, after.flags) == (Shown.PAID, Money.PAID, 20_000, before.flags)
    assert await outside.codes(shop) == set()
    await shop.assert_books()


async def test_77_a_late_paid_after_everything_was_given_back_changes_nothing(shop: Shop) -> None:
    view = await paid(shop)
    back = await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    assert back.shown is Shown.REFUNDED
    await told_in_every_way(shop, view)
    late = outside.hint(shop, view, 9)
    await shop.till.hints.take(late, late.id)
    await shop.check(view)
    after = await shop.again(view)
    assert (after.shown, after.refunded_minor, after.owed_minor) == (Shown.REFUNDED, 20_000, 0)
    assert await outside.codes(shop) == set()
    await shop.assert_books()


async def bounced(shop: Shop, view: OrderView, *, owed: bool = False) -> OrderView:
    """Given back to its payment, which the gateway cannot do: the money is with us again."""
    shop.bank.fault("refund.create", "refund_fails", after_s=0.0, succeed_first=False)
    if owed:
        await shop.till.refunds.refund_owed(view.order_id, reason="twice", actor="Owner")
    else:
        await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    for _ in range(50):
        await sweep(shop)
        view = await shop.again(view)
        if Flag.REFUND_FAILED in view.flags:
            return view
    raise AssertionError("the refund did not fail")


def drawer(shop: Shop) -> list[int]:
    entries = shop.till.database.read_now(lambda tx: tx.money.entries(open_only=True))
    return [e.amount_minor for e in entries if (e.kind, e.method) == ("tender", "cash")]


async def in_cash(shop: Shop, view: OrderView, amount_minor: int | None = None, **more: str) -> OrderView:
    back = GiveBack(more.pop("reason", "the card is closed"), amount_minor=amount_minor, **more)  # type: ignore[arg-type]
    return await shop.till.backs.give_back(view.order_id, back, actor="Owner")


async def test_78_what_the_gateway_cannot_give_back_goes_back_in_cash_inside_the_cap(shop: Shop) -> None:
    view = await paid(shop)
    with pytest.raises(Refused, match="has to be given back in cash"):
        await in_cash(shop, view)
    failed = await bounced(shop, view)
    assert ("cash_back" in failed.may, failed.payments[0].stuck_minor, await outside.codes(shop)) == (
        True,
        20_000,
        {"M14"},
    )
    part = await in_cash(shop, failed, 5_000)
    assert (part.shown, part.kept_minor, part.refunded_minor) == (Shown.PART_REFUNDED, 20_000, 5_000)
    assert await outside.codes(shop) == {"M14"}, "the customer waits for the rest"
    with pytest.raises(Refused, match="more than is left"):
        await in_cash(shop, failed, 15_001)
    with pytest.raises(Refused, match="more than is left"):
        await shop.till.refunds.refund(view.order_id, amount_minor=15_001, reason="x", actor="Owner")
    both = (in_cash(shop, failed, 15_000) for _ in range(2))
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(isinstance(one, Refused) for one in done) == [False, True], "pressed twice, given once"
    after = await shop.again(view)
    assert (after.shown, after.refunded_minor, "cash_back" in after.may) == (Shown.REFUNDED, 20_000, False)
    assert (drawer(shop), outside.effects(shop, "drawer")) == ([-5_000, -15_000], 2)
    with pytest.raises(Refused):
        await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="again", actor="Owner")
    await shop.assert_books()


async def test_78_a_second_payment_that_cannot_go_back_is_undone_in_cash_and_nobody_is_asked_again(shop: Shop) -> None:
    view = await paid(shop)
    shop.bank.desk("POST", f"/links/{view.attempt.link_id}/capture", {})  # type: ignore[union-attr]
    await sweep(shop)
    double = await bounced(shop, view, owed=True)
    assert (double.owed_minor, await outside.codes(shop)) == (20_000, {"M06", "M14"})
    back = await in_cash(shop, double)
    assert (back.shown, back.money, back.owed_minor, back.kept_minor) == (Shown.PAID, Money.PAID, 0, 20_000)
    assert (await outside.codes(shop), drawer(shop)) == (set(), [-20_000])
    with pytest.raises(Refused, match="has to be given back"):
        await in_cash(shop, back, 1)
    (tender,) = shop.till.database.read_now(lambda tx: tx.money.tenders(view.order_id))
    assert (tender.purpose, tender.payment, tender.reason) == ("undo", failed_one(double), "the card is closed")
    await sweep(shop)
    assert (await shop.again(view)).shown is Shown.PAID
    await shop.assert_books()


def failed_one(view: OrderView) -> str:
    """The payment whose refund failed."""
    return next(p.id for p in view.payments if p.stuck_minor)


async def test_78_only_a_manager_gives_back_in_cash_and_says_why(shop: Shop) -> None:
    view = await bounced(shop, await paid(shop))
    for who in ("Nobody", "Kim"):
        with pytest.raises(NotAllowed):
            await shop.till.backs.give_back(view.order_id, GiveBack("x"), actor=who)
    with pytest.raises(BadInput, match="why"):
        await in_cash(shop, view, reason=" ")
    with pytest.raises(BadInput, match="above zero"):
        await in_cash(shop, view, 0)
    with pytest.raises(BadInput, match="by hand"):
        await in_cash(shop, view, method=Method.BY_HAND)
    with pytest.raises(Refused, match="no payment pay_other"):
        await in_cash(shop, view, payment="pay_other")
    assert (await shop.again(view)).refunded_minor == 0
    named = await in_cash(shop, view, payment=view.payments[0].id)
    told = [row.text for row in await shop.till.queries.timeline(view.order_id)]
    assert (named.shown, any("the card is closed" in text for text in told)) == (Shown.REFUNDED, True)
    slip = await shop.till.queries.receipt(view.order_id)
    assert any("-" in line and "200.00" in line for line in slip)


async def test_78_more_given_back_than_was_taken_is_found_in_the_books(shop: Shop) -> None:
    view = await bounced(shop, await paid(shop))
    await in_cash(shop, view)

    def spoil(tx: Tx) -> None:
        (tender,) = tx.money.tenders(view.order_id)
        tx.money.add_tender(replace(tender, id="another", amount_minor=-1))

    shop.till.database.write_now(spoil)
    assert "I6" in {broken.invariant for broken in await shop.till.books.verify()}
