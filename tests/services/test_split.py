"""One order, several payments: the plan says what is asked next, the verdict alone what was paid."""

from __future__ import annotations

import json

import pytest

from pos.domain.errors import BadInput, NotAllowed, OutcomeUnknown, Refused
from pos.domain.payment import KeyParts, idempotency_key
from pos.domain.plan import Share, Way
from pos.domain.shown import Shown
from pos.domain.verdict import Flag, Money
from pos.services.books import Break
from pos.services.views import OrderView
from tests.engines import sql
from tests.services.test_money import link_of, sweep
from tests.shop import CAKE, TEA, Shop

TOTAL = TEA.price_minor + CAKE.price_minor


def qr(amount_minor: int, gateway: str = "") -> Share:
    return Share(Way.QR, amount_minor, gateway)


def cash(amount_minor: int) -> Share:
    return Share(Way.CASH, amount_minor)


def terminal(amount_minor: int) -> Share:
    return Share(Way.TERMINAL, amount_minor)


async def planned(shop: Shop, *shares: Share) -> OrderView:
    draft = await shop.till.selling.save(shop.lines(TEA, CAKE))
    return await shop.till.splits.plan(draft.order_id, shares)


async def issue(shop: Shop, view: OrderView) -> OrderView:
    return await shop.till.checkout.issue(view.order_id, shop.gateway)


async def collect(shop: Shop, view: OrderView) -> OrderView:
    """The next part by link, paid by its customer."""
    shown = await issue(shop, view)
    await shop.pays(shown)
    return await shop.check(shown)


def asked(view: OrderView) -> int:
    assert view.attempt is not None
    return view.attempt.amount_minor


def states(view: OrderView) -> list[tuple[str, int, str]]:
    return [(share.way, share.amount_minor, share.state) for share in view.plan]


async def test_a_link_and_the_rest_in_cash(shop: Shop) -> None:
    view = await planned(shop, qr(12_000), cash(8_000))
    assert (view.life, view.ask_minor, "cash" in view.may, "qr" in view.may) == ("draft", 12_000, False, True)
    shown = await issue(shop, view)
    assert asked(shown) == 12_000
    await shop.pays(shown)
    part = await shop.check(shown)
    assert (part.shown, part.left_minor, part.ask_minor) == (Shown.PART_PAID, 8_000, 8_000)
    assert states(part) == [("qr", 12_000, "paid"), ("cash", 8_000, "next")]
    assert part.may & {"qr", "cash", "terminal", "split"} == {"cash", "split"}
    done = await shop.till.cash.take(view.order_id, given_minor=10_000)
    assert (done.shown, done.kept_minor, done.change_minor) == (Shown.PAID, TOTAL, 2_000)
    assert [line.amount_minor for line in done.paid_by] == [12_000, 8_000]
    assert (done.flags, states(done)[1][2]) == ((), "paid")
    await shop.assert_books()


async def test_two_links_a_terminal_and_cash_each_take_their_part(shop: Shop) -> None:
    view = await planned(shop, qr(5_000), qr(6_000), terminal(4_000), cash(5_000))
    for amount in (5_000, 6_000):
        shown = await issue(shop, view)
        assert asked(shown) == amount
        await shop.pays(shown)
        view = await shop.check(shown)
    with pytest.raises(Refused, match="by card terminal"):
        await shop.till.cash.take(view.order_id)
    view = await shop.till.tenders.terminal(view.order_id, actor="Owner")
    assert (view.left_minor, view.ask_minor) == (5_000, 5_000)
    with pytest.raises(BadInput):
        await shop.till.cash.take(view.order_id, given_minor=4_999)
    assert (await shop.till.cash.take(view.order_id)).shown is Shown.PAID
    await shop.assert_books()


async def test_another_way_than_the_plan_says_is_refused_and_closes_no_link(shop: Shop) -> None:
    view = await planned(shop, qr(12_000), cash(8_000))
    shown = await issue(shop, view)
    with pytest.raises(Refused, match="by QR"):
        await shop.till.cash.take(view.order_id)
    with pytest.raises(Refused, match="by QR"):
        await shop.till.tenders.terminal(view.order_id, actor="Owner")
    still = await shop.again(view)
    assert still.attempt is not None
    assert (still.attempt.phase, still.attempt.qr_text) == ("open", shown.attempt and shown.attempt.qr_text)
    await shop.pays(shown)
    part = await shop.check(shown)
    with pytest.raises(Refused, match="in cash"):
        await issue(shop, part)
    assert (await shop.again(view)).kept_minor == 12_000


async def test_pressed_twice_the_part_is_asked_for_once(shop: Shop) -> None:
    view = await planned(shop, qr(12_000), qr(8_000))
    first, second = await issue(shop, view), await issue(shop, view)
    assert link_of(first) == link_of(second)
    assert asked(second) == 12_000


@pytest.mark.parametrize(
    ("shares", "why"),
    [
        ((qr(12_000), cash(7_999)), "are to pay"),
        ((qr(12_000), cash(8_001)), "are to pay"),
        ((cash(12_000), qr(8_000)), "not in order"),
        ((terminal(12_000), qr(8_000)), "not in order"),
        ((cash(8_000), terminal(12_000)), "not in order"),
        ((qr(20_000), cash(0)), "not above zero"),
        ((qr(21_000), cash(-1_000)), "not above zero"),
        ((qr(20_000),), "no split"),
        ((), "no split"),
        (tuple(qr(1_000) for _ in range(20)), "no split"),
    ],
)
async def test_what_is_no_split_is_refused(shop: Shop, shares: tuple[Share, ...], why: str) -> None:
    draft = await shop.till.selling.save(shop.lines(TEA, CAKE))
    with pytest.raises(BadInput, match=why):
        await shop.till.splits.plan(draft.order_id, shares)
    assert (await shop.again(draft)).plan == ()


async def test_who_may_not_sell_splits_nothing(shop: Shop) -> None:
    draft = await shop.till.selling.save(shop.lines(TEA, CAKE))
    with pytest.raises(NotAllowed):
        await shop.till.splits.plan(draft.order_id, (qr(12_000), cash(8_000)), actor="Nobody")


async def test_an_edit_of_the_basket_ends_the_plan(shop: Shop) -> None:
    """Also one that comes to the same total: the parts were of what was in it before."""
    view = await planned(shop, qr(12_000), cash(8_000))
    same = await shop.till.selling.save(shop.lines(CAKE, TEA), order_id=view.order_id)
    assert (same.plan, same.ask_minor) == ((), TOTAL)
    again = await shop.till.splits.plan(view.order_id, (qr(12_000), cash(8_000)))
    assert len(again.plan) == 2
    edited = await shop.till.selling.save(shop.lines(TEA), order_id=view.order_id)
    assert asked(await issue(shop, edited)) == TEA.price_minor
    await shop.assert_books()


async def test_the_plan_may_be_changed_once_every_link_is_closed(shop: Shop) -> None:
    view = await planned(shop, qr(12_000), cash(8_000))
    shown = await issue(shop, view)
    with pytest.raises(BadInput):
        await shop.till.splits.plan(view.order_id, (qr(5_000), cash(15_001)))
    with pytest.raises(Refused):
        await shop.till.splits.drop(view.order_id)
    assert link_of(await issue(shop, view)) == link_of(shown), "nothing was closed for what could not be"
    shop.bank.fault("link.*", "drop", 4)
    with pytest.raises(OutcomeUnknown):
        await shop.till.splits.plan(view.order_id, (qr(5_000), cash(15_000)))
    assert (await shop.again(view)).plan[0].amount_minor == 12_000
    shop.bank.clear()
    await shop.check(view)
    changed = await shop.till.splits.plan(view.order_id, (qr(5_000), qr(15_000)))
    assert not (await shop.pays(shown)).done
    assert asked(await issue(shop, changed)) == 5_000
    closed = await shop.till.splits.plan(view.order_id, (qr(15_000), cash(5_000)))
    assert (closed.attempt and closed.attempt.fenced, closed.ask_minor) == (True, 15_000)
    await shop.assert_books()


async def test_a_split_after_the_customer_paid_is_refused(shop: Shop) -> None:
    view = await shop.sell(TEA, CAKE)
    await shop.pays(view)
    with pytest.raises(Refused, match="already paid"):
        await shop.till.splits.plan(view.order_id, (qr(12_000), cash(8_000)))
    assert (await shop.again(view)).shown is Shown.PAID


async def test_the_plan_is_taken_back_and_the_rest_paid_in_any_way(shop: Shop) -> None:
    view = await planned(shop, qr(12_000), cash(8_000))
    part = await collect(shop, view)
    free = await shop.till.splits.drop(part.order_id)
    assert (free.plan, free.ask_minor, free.may >= {"qr", "cash", "terminal", "split"}) == ((), 8_000, True)
    assert (await shop.till.splits.drop(part.order_id)).plan == ()
    assert (await collect(shop, free)).shown is Shown.PAID
    await shop.assert_books()


async def test_the_rest_is_split_anew_after_a_part_is_paid(shop: Shop) -> None:
    part = await collect(shop, await planned(shop, qr(12_000), cash(8_000)))
    with pytest.raises(BadInput, match="8000 are to pay"):
        await shop.till.splits.plan(part.order_id, (qr(12_000), cash(8_000)))
    again = await shop.till.splits.plan(part.order_id, (qr(3_000), cash(5_000)))
    assert asked(await issue(shop, again)) == 3_000


async def test_a_part_that_is_paid_twice_fills_the_next_one(shop: Shop) -> None:
    """Money is money: what came too much for one part is not asked for again in another."""
    view = await planned(shop, qr(6_000), qr(6_000), cash(8_000))
    shown = await issue(shop, view)
    await shop.pays(shown)
    await shop.check(shown)
    shop.bank.desk("POST", f"/links/{link_of(shown)}/capture", {})
    await sweep(shop)
    twice = await shop.again(view)
    assert (twice.kept_minor, twice.money, twice.ask_minor) == (12_000, Money.PART_PAID, 8_000)
    assert [share.state for share in twice.plan] == ["paid", "paid", "next"]
    assert (await shop.till.cash.take(view.order_id)).shown is Shown.PAID
    await shop.assert_books()


async def test_more_money_than_the_parts_come_to_is_seen_and_given_back(shop: Shop) -> None:
    view = await planned(shop, qr(12_000), cash(8_000))
    shown = await issue(shop, view)
    await shop.pays(shown)
    await shop.check(shown)
    await shop.till.cash.take(view.order_id)
    shop.bank.desk("POST", f"/links/{link_of(shown)}/capture", {})
    await sweep(shop)
    over = await shop.again(view)
    assert (over.money, over.owed_minor, Flag.DOUBLE_TENDER in over.flags) == (Money.OVERPAID, 12_000, True)
    back = await shop.till.refunds.refund_owed(view.order_id, reason="twice", actor="Owner")
    assert (back.money, back.owed_minor) == (Money.PAID, 0)
    await shop.assert_books()


async def test_another_amount_than_the_part_leaves_what_it_lacks(shop: Shop) -> None:
    view = await planned(shop, qr(12_000), cash(8_000))
    shown = await issue(shop, view)
    shop.bank.desk("POST", f"/links/{link_of(shown)}/capture", {"amount_minor": 9_000})
    await shop.check(shown)
    short = await shop.again(view)
    assert (short.kept_minor, short.ask_minor, short.plan[0].paid_minor) == (9_000, 3_000, 9_000)


async def test_a_plan_is_kept_over_a_restart_and_written_into_the_books(shop: Shop) -> None:
    view = await planned(shop, qr(12_000, shop.gateway), cash(8_000))
    rows = [json.loads(line) for line in await shop.till.books.export()]
    plans = [row for row in rows if row["type"] == "plan"]
    assert [(p["order_id"], p["no"], [s["amount_minor"] for s in p["shares"]]) for p in plans] == [
        (view.order_id, 1, [12_000, 8_000])
    ]
    page = await shop.till.queries.dossier(view.order_id)
    assert page["plans"][0]["shares"][1] == {"way": "cash", "amount_minor": 8_000, "gateway": ""}
    told = [row.text for row in await shop.till.queries.timeline(view.order_id)]
    assert any("120.00" in text and "80.00" in text for text in told)


SPOILT = {
    "a share that was never planned": "share_minor = share_minor + 1, amount_minor = amount_minor",
    "less than it should ask for": "due_minor = 100",
    "another plan": "plan_no = 0",
    "more was kept than it says": "kept_minor = kept_minor + 1",
}


@pytest.mark.parametrize("change", SPOILT.values(), ids=SPOILT)
async def test_an_attempt_that_was_not_computed_so_is_found(shop: Shop, change: str) -> None:
    view = await collect(shop, await planned(shop, qr(12_000), cash(8_000)))
    await shop.assert_books()
    shop.till.database.write_now(lambda tx: sql(tx, f"UPDATE attempt SET {change}"))
    assert "I3" in {broken.invariant for broken in await shop.till.books.verify()}, view.number


async def test_an_amount_that_is_not_the_least_of_share_and_rest_is_found_though_its_key_fits(shop: Shop) -> None:
    await collect(shop, await planned(shop, qr(12_000), cash(8_000)))

    def spoil(tx: object) -> None:
        rows = shop.till.database.read_now(lambda read: read.attempts.of_order(read.orders.ids()[0]))
        a = rows[0]
        parts = KeyParts(
            shop.till.shop.shop_id, a.order_id, a.revision, a.no, "create", "", 20_000, a.currency, a.account
        )
        sql(tx, f"UPDATE attempt SET amount_minor = 20000, key = '{idempotency_key(parts)}'")  # type: ignore[arg-type]

    shop.till.database.write_now(spoil)
    assert Break("I3", "1-00001", "attempt 1 asks for 20000, which is not min(share, due - kept)") in (
        await shop.till.books.verify()
    )


async def test_attempts_of_books_from_before_this_was_kept_are_passed_over(shop: Shop) -> None:
    await shop.sell(TEA)
    empty = "share_minor = NULL, due_minor = NULL, kept_minor = NULL"
    shop.till.database.write_now(lambda tx: sql(tx, f"UPDATE attempt SET {empty}"))
    await shop.assert_books()
