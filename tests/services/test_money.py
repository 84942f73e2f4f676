"""Late, double, given back, made elsewhere: whatever the way the news came, the books end the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pos.domain.errors import BadInput, NotAllowed, Refused
from pos.domain.facts import Fact, Kind, Source
from pos.domain.matching import Action
from pos.domain.shown import Shown
from pos.domain.store_port import Hint, Tx
from pos.domain.verdict import Flag, Money
from pos.services.evidence import Evidence
from pos.services.views import OrderView
from tests.engines import sql, unguard
from tests.shop import CAKE, TEA, Bank, Shop, open_shop, reopen


async def sweep(shop: Shop) -> int:
    """Read the report until the bank's whole-second clock has passed what just happened."""
    shop.clock.advance(2)
    run = await shop.till.reconcile.sweep(
        shop.gateway, to_ms=shop.clock.now_ms() + 60_000, from_ms=shop.clock.now_ms() - 3_600_000
    )
    assert run.complete, run.note
    return run.rows


def link_of(view: OrderView) -> str:
    assert view.attempt is not None
    return view.attempt.link_id


async def by_poll(shop: Shop, view: OrderView) -> None:
    await shop.check(view)


async def by_report(shop: Shop, view: OrderView) -> None:
    await sweep(shop)


async def by_webhook(shop: Shop, view: OrderView) -> None:
    hint = Hint("ep:1:t", shop.gateway, "webhook", link_of(view), "", "", "", shop.clock.now_ms())
    await shop.till.hints.take(hint, "ep:1:t")


async def by_everything_backwards(shop: Shop, view: OrderView) -> None:
    for way in (by_report, by_webhook, by_webhook, by_poll, by_report):
        await way(shop, view)


WAYS = [by_poll, by_report, by_webhook, by_everything_backwards]


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_the_news_comes_ends_in_the_same_money(
    shop: Shop, way: Callable[[Shop, OrderView], Awaitable[None]]
) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await way(shop, view)
    paid = await shop.again(view)
    assert (paid.shown, paid.money, paid.kept_minor, paid.flags) == (Shown.PAID, Money.PAID, TEA.price_minor, ())
    await shop.probe()
    assert (await shop.check(view)).attempt == (await shop.again(view)).attempt
    await shop.assert_books()


async def test_paid_twice_is_seen_and_put_right_with_one_refund(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {})
    await sweep(shop)
    double = await shop.again(view)
    assert (double.shown, double.owed_minor, Flag.DOUBLE in double.flags) == (Shown.PAID_TWICE, TEA.price_minor, True)
    assert [p.to_refund_minor for p in double.payments] == [0, TEA.price_minor]
    day = await shop.till.day.preview(refresh=False)
    assert [(e.code, e.action, e.amount_minor) for e in day.exceptions] == [("M06", Action.REFUND, TEA.price_minor)]
    right = await shop.till.refunds.refund_owed(view.order_id, reason="paid twice", actor="Owner")
    assert (right.shown, right.kept_minor, right.owed_minor) == (Shown.PAID, TEA.price_minor, 0)
    assert (await shop.till.day.preview(refresh=False)).exceptions == ()
    with pytest.raises(Refused, match="Nothing is owed"):
        await shop.till.refunds.refund_owed(view.order_id, reason="again", actor="Owner")
    await shop.assert_books()


async def test_a_payment_after_the_order_was_cancelled_stands_before_the_manager(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.till.checkout.cancel(view.order_id, reason="customer left")
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {"own_intent": False})
    await sweep(shop)
    late = await shop.again(view)
    assert {Flag.AFTER_CANCEL, Flag.LATE} <= set(late.flags)
    assert late.owed_minor == TEA.price_minor
    day = await shop.till.day.preview(refresh=False)
    assert [(e.code, e.action) for e in day.exceptions] == [("M09", Action.REFUND)]
    accepted = await shop.till.refunds.accept(view.order_id, reason="goods handed over", actor="Owner")
    assert (accepted.shown, accepted.owed_minor) == (Shown.PAID, 0)
    await shop.assert_books()


async def test_cash_and_a_late_capture_is_a_double_tender(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.till.cash.take(view.order_id)
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {"own_intent": False})
    await sweep(shop)
    double = await shop.again(view)
    assert (double.shown, Flag.DOUBLE_TENDER in double.flags) == (Shown.PAID_TWICE, True)
    back = await shop.till.refunds.refund_owed(view.order_id, reason="cash was taken", actor="Owner")
    assert back.shown is Shown.PAID
    await shop.assert_books()


async def test_a_released_link_that_pays_later_is_seen(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    released = await shop.till.checkout.release(view.order_id, reason="customer swears it failed", actor="Owner")
    assert Flag.UNFENCED in released.flags
    second = await shop.till.checkout.issue(view.order_id, shop.gateway)
    await shop.pays(second)
    assert (await shop.check(second)).shown is Shown.PAID
    await shop.pays(view)  # the first code, still open on the other phone
    shop.clock.advance(120)
    await shop.probe()
    double = await shop.again(view)
    assert (double.shown, double.owed_minor) == (Shown.PAID_TWICE, TEA.price_minor)
    await shop.assert_books()


async def hanging(shop: Shop, view: OrderView) -> Fact:
    """The report tells of a payment of the order's first link that is on its way: what it says."""
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[0]
    hangs = Fact(attempt.gateway, attempt.account, attempt.mode, Kind.PAYMENT_PENDING, "pay_hangs")
    bound = hangs._replace(kind=Kind.PAYMENT_OF_LINK, target=attempt.link_id)
    await shop.till.settle.take_in(Evidence(attempt.gateway, (hangs, bound), Source.REPORT, "sweep"))
    return hangs


async def test_a_payment_that_hangs_on_a_closed_link_is_given_up_by_a_manager_only(shop: Shop) -> None:
    view = await shop.sell(TEA)
    gone = await shop.till.checkout.give_up(view.order_id)
    assert gone.attempt is not None
    assert gone.attempt.fenced
    hangs = await hanging(shop, view)
    waiting = await shop.again(view)
    assert (waiting.shown, waiting.may) == (Shown.WAITING, {"check", "next", "release", "by_hand"})
    with pytest.raises(Refused, match="may still come"):
        await shop.till.cash.take(view.order_id)
    freed = await shop.till.checkout.release(view.order_id, reason="the bank says it is stuck", actor="Owner")
    assert (freed.shown, Flag.UNFENCED in freed.flags, "cash" in freed.may) == (Shown.UNPAID, True, True)
    assert (await shop.till.cash.take(view.order_id)).shown is Shown.PAID
    taken = hangs._replace(kind=Kind.PAYMENT_CAPTURED, amount_minor=TEA.price_minor, currency="INR", at_ms=1)
    await shop.till.settle.take_in(Evidence(taken.gateway, (taken,), Source.REPORT, "sweep"))
    double = await shop.again(view)
    assert (double.shown, double.owed_minor) == (Shown.PAID_TWICE, TEA.price_minor)
    await shop.assert_books()


async def test_a_link_is_looked_at_again_as_soon_as_the_report_says_that_nothing_hangs_on_it(shop: Shop) -> None:
    """A look at the link need not show the payment that ended: then only the report does, and nobody waits an hour."""
    view = await shop.sell(TEA)
    hangs = await hanging(shop, view)
    await shop.till.checkout.give_up(view.order_id)
    for _ in range(2):  # looked at often, then from hour to hour
        shop.clock.advance(3 * 3_600)
        await shop.probe()
    assert (await shop.again(view)).shown is Shown.WAITING
    failed = hangs._replace(kind=Kind.PAYMENT_FAILED)
    await shop.till.settle.take_in(Evidence(failed.gateway, (failed,), Source.REPORT, "sweep"))
    await shop.probe()
    free = await shop.again(view)
    assert (free.attempt and free.attempt.phase, "cash" in free.may) == ("closed", True)
    await shop.assert_books()


async def test_a_paid_order_offers_its_receipt_although_its_link_is_not_seen_closed_yet(shop: Shop) -> None:
    view = await shop.sell(TEA)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[0]
    taken = Fact(
        attempt.gateway, attempt.account, attempt.mode, Kind.PAYMENT_CAPTURED, "pay_1",
        amount_minor=TEA.price_minor, currency="INR", at_ms=1,
    )  # fmt: skip
    bound = taken._replace(
        kind=Kind.PAYMENT_OF_LINK, target=attempt.link_id, amount_minor=None, currency="", at_ms=None
    )
    await shop.till.settle.take_in(Evidence(attempt.gateway, (taken, bound), Source.REPORT, "sweep"))
    paid = await shop.again(view)
    assert paid.shown is Shown.PAID
    assert {"receipt", "check"} <= paid.may
    assert not {"cash", "qr", "give_up"} & paid.may


async def test_another_amount_is_counted_as_it_is_and_needs_a_person(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    bank.fault("page.pay", "other_amount", amount_minor=TEA.price_minor - 1_000)
    await shop.pays(view)
    less = await shop.check(view)
    assert (less.money, less.left_minor, Flag.AMOUNT in less.flags) == (Money.PART_PAID, 1_000, True)
    codes = {e.code for e in (await shop.till.day.preview(refresh=False)).exceptions}
    assert codes == {"M04", "M08"}
    rest = await shop.till.cash.take(view.order_id)
    assert rest.shown is Shown.PAID
    await shop.assert_books()


async def test_pending_is_waiting_and_cash_is_refused_until_it_is_over(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view, "pending")
    waiting = await shop.check(view)
    if waiting.money is not Money.PAID:  # the bank's own clock decides when it settles
        assert waiting.shown is Shown.WAITING
    for _ in range(100):
        view = await shop.check(view)
        if view.money is Money.PAID:
            break
        await asyncio.to_thread(shop.bank.desk, "GET", "")
    assert view.shown is Shown.PAID
    await shop.assert_books()


async def test_refunds_partial_several_and_never_more_than_was_captured(shop: Shop) -> None:
    view = await shop.sell(TEA, CAKE)
    await shop.pays(view)
    await shop.check(view)
    refunds = shop.till.refunds
    for amount in (0, -1):
        with pytest.raises(BadInput):
            await refunds.refund(view.order_id, amount_minor=amount, reason="x", actor="Owner")
    part = await refunds.refund(view.order_id, amount_minor=5_000, reason="cold", actor="Owner")
    assert (part.shown, part.refunded_minor, part.kept_minor) == (Shown.PART_REFUNDED, 5_000, 20_000)
    with pytest.raises(Refused, match="more than is left"):
        await refunds.refund(view.order_id, amount_minor=15_001, reason="x", actor="Owner")
    whole = await refunds.refund(view.order_id, amount_minor=None, reason="rest", actor="Owner")
    assert (whole.shown, whole.refunded_minor) == (Shown.REFUNDED, 20_000)
    await shop.assert_books()


async def test_a_refund_without_an_answer_is_asked_again_with_the_same_key_and_made_once(
    shop: Shop, bank: Bank
) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    bank.fault("refund.create", "drop")
    await shop.till.refunds.refund(view.order_id, amount_minor=2_000, reason="cold", actor="Owner")
    assert (await shop.again(view)).refunded_minor == 0
    shop.clock.advance(60)
    again = reopen(shop)  # another process, with another claim
    shop.clock.advance(60)
    await again.probe()
    assert (await again.again(view)).refunded_minor == 2_000
    await sweep(again)
    assert (await again.again(view)).refunded_minor == 2_000
    await again.assert_books()
    await again.till.close()


async def test_a_refund_that_bounces_counts_again_and_stands_before_the_manager(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    bank.fault("refund.create", "refund_fails", after_s=0.0, succeed_first=True)
    await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    for _ in range(50):
        await sweep(shop)
        view = await shop.again(view)
        if Flag.REFUND_FAILED in view.flags:
            break
    assert (view.shown, view.refunded_minor) == (Shown.PAID, 0)
    assert "M14" in {e.code for e in (await shop.till.day.preview(refresh=False)).exceptions}
    again = await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="again", actor="Owner")
    assert again.shown is Shown.REFUNDED
    await shop.assert_books()


async def test_who_may_not_refund_is_told(shop: Shop) -> None:
    view = await shop.sell(TEA)
    with pytest.raises(NotAllowed):
        await shop.till.refunds.refund(view.order_id, amount_minor=1, reason="x", actor="Nobody")


async def test_a_payment_of_a_lost_book_is_an_orphan_and_can_be_attached(
    shop: Shop, bank: Bank, tmp_path: Path
) -> None:
    """The order is not here (a till restored from an old copy): the money stays visible, and a manager attaches it."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    other = open_shop(bank, tmp_path / "other")
    shop_id = shop.till.shop.shop_id  # else it would be a sister shop's payment, which is nobody's worry here
    other.till.database.write_now(lambda tx: tx.shop.set_meta("shop_id", shop_id))
    await other.till.close()
    other = reopen(Shop(other.till, bank, shop.clock, other.home, shop.keys, shop.gateway))
    await sweep(other)
    day = await other.till.day.preview(refresh=False)
    assert [(e.code, e.action, e.amount_minor) for e in day.exceptions] == [("M11", Action.ATTACH, TEA.price_minor)]
    mine = await other.till.selling.save(other.lines(TEA))
    await other.till.checkout.issue(mine.order_id, shop.gateway)
    await other.till.checkout.give_up(mine.order_id)
    attached = await other.till.day.attach(day.exceptions[0].subject, mine.number, actor="Owner", reason="same sale")
    assert attached.money is Money.PAID  # the gateway's reference would outrank a person, but its order is not here
    await other.assert_books()
    await other.till.close()


async def test_hints_make_no_facts_and_foreign_ones_do_no_harm(shop: Shop) -> None:
    view = await shop.sell(TEA)
    for number, hint in enumerate(
        [
            Hint("e:1:a", shop.gateway, "webhook", link_of(view), "ch_x", "", "", 1),
            Hint("e:2:a", shop.gateway, "webhook", "cs_test_foreign", "", "", "", 1),
            Hint("e:3:a", "nobody", "webhook", "x", "", "", "", 1),
            Hint("e:4:a", shop.gateway, "opened", link_of(view), "", "", "", 1),
            Hint("e:5:a", shop.gateway, "webhook", "", "", "", "", 1),
        ]
    ):
        await shop.till.hints.take(hint, f"e:{number + 1}:a")
    now = await shop.again(view)
    assert (now.money, now.opened) == (Money.UNPAID, True)
    facts = shop.till.database.read_now(lambda tx: tx.facts.all())
    assert not any(f.kind is Kind.PAYMENT_CAPTURED for f, _ in facts)
    assert shop.till.database.read_now(lambda tx: tx.sync.cursor()) == "e:5:a"
    kept = shop.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9))
    assert [h.id for h in kept] == ["e:2:a"]


@pytest.mark.parametrize("answered", [True, False])
async def test_the_cursor_moves_in_the_commit_that_holds_what_it_stands_behind(
    shop: Shop, bank: Bank, answered: bool
) -> None:
    """Killed after any commit: behind the cursor is what the hint led to, or the hint itself."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    if not answered:
        bank.fault("link.fetch", "error_500", 1, after_work=True)
    database = shop.till.database
    seen: list[tuple[bool, bool]] = []

    def look() -> None:
        moved = database.read_now(lambda tx: tx.sync.cursor()) == "e:1:a"
        paid = database.read_now(lambda tx: tx.orders.cached([view.order_id]))[view.order_id].money == Money.PAID
        seen.append((moved, paid or bool(database.read_now(lambda tx: tx.sync.hints(2**60, 9)))))

    database.after_commit = look
    await shop.till.hints.take(Hint("e:1:a", shop.gateway, "webhook", link_of(view), "", "", "", 1), "e:1:a")
    database.after_commit = None
    assert seen[-1] == (True, True)
    assert (True, False) not in seen


async def test_a_hint_whose_question_got_no_answer_is_kept_and_asked_again(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    bank.fault("link.fetch", "error_500", 1, after_work=True)
    await shop.till.hints.take(Hint("e:1:a", shop.gateway, "webhook", link_of(view), "", "", "", 1), "e:1:a")
    assert (await shop.again(view)).money is Money.UNPAID
    shop.clock.advance(10)
    await shop.till.hints.retry_due()
    assert (await shop.again(view)).money is Money.PAID
    assert shop.till.database.read_now(lambda tx: tx.sync.hints(2**60, 9)) == []


async def test_an_empty_or_broken_report_changes_nothing_and_is_partial(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    bank.fault("payment.list", "html", 3)
    run = await shop.till.reconcile.sweep(shop.gateway)
    assert not run.complete
    assert run.note
    assert shop.till.database.read_now(lambda tx: tx.sync.watermark(shop.gateway)) is None
    assert (await shop.again(view)).shown is Shown.WAITING
    bank.clear()
    assert (await shop.till.reconcile.sweep(shop.gateway)).complete
    assert shop.till.database.read_now(lambda tx: tx.sync.watermark(shop.gateway)) is not None
    assert (await shop.again(view)).shown is Shown.WAITING  # absence is not evidence


async def test_a_wrong_clock_reads_the_same_window(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    shop.clock.advance(-3 * 3_600)
    for _ in range(30):
        await shop.till.reconcile.sweep(shop.gateway)
        if (await shop.again(view)).money is Money.PAID:
            break
        await asyncio.to_thread(shop.bank.desk, "GET", "")
    assert (await shop.again(view)).money is Money.PAID


async def test_the_day_closes_once_carries_over_what_is_open_and_is_shown_as_it_was(shop: Shop, bank: Bank) -> None:
    paid = await shop.sell(TEA)
    await shop.pays(paid)
    await shop.till.cash.sell(shop.lines(CAKE), 20_000)
    waiting = await shop.sell(CAKE)
    await sweep(shop)
    bank.desk("POST", f"/links/{link_of(paid)}/capture", {})
    await sweep(shop)
    closed = await shop.till.day.close(actor="Owner", counted_minor=14_000)
    assert (closed.z_number, closed.closed_by, closed.waiting) == (1, "Owner", 1)
    assert [e.code for e in closed.exceptions] == ["M06"]
    totals = {t.key: (t.here_minor, t.there_minor) for t in closed.totals}
    assert totals["cash"][0] == 14_000
    assert totals[shop.gateway] == (6_000, 12_000)
    shown = await shop.till.day.show(closed.day)
    assert (shown.hash, shown.totals, shown.exceptions) == (closed.hash, closed.totals, closed.exceptions)
    with pytest.raises(Refused, match="closed already"):
        await shop.till.day.close(actor="Owner")
    await shop.till.refunds.refund_owed(paid.order_id, reason="twice", actor="Owner")
    await shop.till.cash.take(waiting.order_id)
    await shop.assert_books()
    z = shop.till.database.read_now(lambda tx: tx.money.entries(open_only=True))
    assert {e.kind for e in z} == {"refund", "tender"}  # after the Z: in the next one


async def test_closing_needs_a_manager(shop: Shop) -> None:
    with pytest.raises(NotAllowed):
        await shop.till.day.close(actor="Nobody")


async def test_books_notice_a_changed_fact_a_changed_cache_and_a_lost_link(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)

    def spoil(tx: Tx) -> None:
        sql(tx, "UPDATE orders SET kept_minor = 1")
        unguard(tx, "fact")
        sql(tx, "UPDATE fact SET amount_minor = 1 WHERE kind = 'payment.captured'")
        sql(tx, "UPDATE attempt SET key = 'tt1-other'")

    shop.till.database.write_now(spoil)
    found = {b.invariant for b in await shop.till.books.verify()}
    assert {"I3", "I5", "I10"} <= found


async def test_an_export_names_every_kind(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="x", actor="Owner")
    await shop.till.cash.sell(shop.lines(CAKE), 14_000)
    await shop.till.day.close(actor="Owner")
    kinds = {json.loads(line)["type"] for line in await shop.till.books.export()}
    assert {
        "order",
        "attempt",
        "fact",
        "binding",
        "sighting",
        "call",
        "tender",
        "refund",
        "shift",
        "z",
        "journal",
    } <= kinds


async def test_who_may_not_override_or_sell_is_told(shop: Shop) -> None:
    view = await shop.sell(TEA)
    with pytest.raises(NotAllowed):
        await shop.till.checkout.release(view.order_id, reason="x", actor="Nobody")
    with pytest.raises(NotAllowed):
        await shop.till.cash.sell(shop.lines(TEA), 6_000, actor="Nobody")
    assert len(await shop.till.queries.orders()) == 1


async def test_a_wrong_count_is_named(shop: Shop) -> None:
    await shop.till.cash.sell(shop.lines(CAKE), 14_000)
    closed = await shop.till.day.close(actor="Owner", counted_minor=13_900)
    assert closed.cash_difference_minor == -100
    assert (await shop.till.day.show(closed.day)).cash_difference_minor == -100


async def test_a_close_with_a_report_that_did_not_come_says_so_and_keeps_its_reason(shop: Shop, bank: Bank) -> None:
    await shop.till.desk.get(shop.gateway)
    bank.fault("payment.list", "html", 9)
    closed = await shop.till.day.close(actor="Owner")
    assert (closed.complete, closed.problems) == (False, ())
    assert closed.unread
