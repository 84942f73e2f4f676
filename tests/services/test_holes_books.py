"""Books and Z entries: what they must see, and what must not make them cry."""

from __future__ import annotations

import pytest

from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.refund import Purpose
from pos.domain.store_port import Tx
from pos.domain.verdict import Proposal
from pos.services.refundrows import Why
from pos.services.settle import Evidence
from tests.engines import sql
from tests.services.test_holes import told
from tests.services.test_money import sweep
from tests.shop import CAKE, TEA, Shop


async def sold(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    await shop.till.refunds.refund(view.order_id, amount_minor=1_000, reason="cold", actor="Owner")
    await shop.till.cash.sell(shop.lines(CAKE), 14_000)


@pytest.mark.parametrize(
    "spoil",
    [
        "DELETE FROM z_entry WHERE kind = 'capture'",
        "DELETE FROM z_entry WHERE kind = 'tender'",
        "DELETE FROM z_entry WHERE kind = 'refund'",
        "UPDATE z_entry SET amount_minor = amount_minor + 1 WHERE kind = 'capture'",
        "UPDATE z_entry SET z_id = '' WHERE kind = 'tender'",
        "UPDATE z_entry SET z_id = 'nowhere' WHERE kind = 'tender'",
    ],
)
async def test_a_movement_that_is_in_no_z_or_in_the_wrong_one_is_noticed(shop: Shop, spoil: str) -> None:
    await sold(shop)
    await shop.till.day.close(actor="Owner")
    await shop.assert_books()
    shop.till.database.write_now(lambda tx: sql(tx, spoil))
    assert {b.invariant for b in await shop.till.books.verify()} == {"I12"}


async def test_a_payment_learnt_before_what_ties_it_to_its_link_has_one_owner_in_the_end(shop: Shop) -> None:
    view = await shop.sell(TEA)
    capture = told(shop, view, Kind.PAYMENT_CAPTURED, amount_minor=TEA.price_minor, currency="INR", at_ms=1)
    fact, tie = capture.facts

    def unknown_link(tx: Tx) -> None:
        sql(tx, "UPDATE attempt SET link_id = 'cs_unknown'")

    shop.till.database.write_now(unknown_link)
    await shop.till.settle.take_in(Evidence(shop.gateway, (fact, tie), Source.REPORT, "sweep"))
    assert len(shop.till.database.read_now(lambda tx: tx.facts.parked())) == 1

    def learn(tx: Tx) -> None:
        sql(tx, "UPDATE attempt SET link_id = :link", link=tie.target)
        shop.till.settle.refold(tx, view.order_id, 2)

    shop.till.database.write_now(learn)
    assert (await shop.again(view)).kept_minor == TEA.price_minor
    await shop.assert_books()


async def test_whose_refund_it_is_may_be_learnt_later_and_it_is_still_one_movement(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    paid = await shop.check(view)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    payment, account = paid.payments[0].id, attempt.account

    def fact(kind: Kind, target: str = "", amount: int | None = None) -> Fact:
        return Fact(shop.gateway, account, Mode.TEST, kind, "re_x", target, amount, "INR" if amount else "")

    def asked(tx: Tx) -> str:
        proposal = Proposal(shop.gateway, account, payment, 1_000)
        bundle = tx.facts.bundle(view.order_id)
        refund = shop.till.refunds._rows.row(bundle, proposal, Purpose.RETURN, Why("cold", "Owner", "Owner"), 1)
        tx.money.add_refund(refund)
        return refund.id

    ours = shop.till.database.write_now(asked)
    known = (fact(Kind.REFUND_SUCCEEDED, amount=1_000), fact(Kind.REFUND_OF_PAYMENT, payment))
    for facts in (known, (fact(Kind.REFUND_OF_OURS, ours),)):
        await shop.till.settle.take_in(Evidence(shop.gateway, facts, Source.REPORT, "sweep"))
    entries = shop.till.database.read_now(lambda tx: tx.money.entries(open_only=True))
    assert [e.amount_minor for e in entries if e.kind == "refund"] == [-1_000]


async def test_cash_after_a_link_that_another_clock_closed_is_no_break(shop: Shop) -> None:
    """Tills' clocks differ: the link was closed by one that is two minutes ahead, the cash was taken by the other."""
    view = await shop.sell(TEA)
    shop.clock.advance(120)
    await shop.till.checkout.give_up(view.order_id)
    shop.clock.advance(-120)
    await shop.till.cash.take(view.order_id)
    await shop.assert_books()


async def test_an_effect_that_was_made_twice_is_found(shop: Shop) -> None:
    """I9: the primary key forbids it; a book whose table was rebuilt without one is found."""
    view = await shop.till.cash.sell(shop.lines(TEA), 10_000)
    await shop.assert_books()

    def harm(tx: Tx) -> None:
        sql(tx, "CREATE TABLE copied AS SELECT * FROM effect")
        sql(tx, "DROP TABLE effect")
        sql(tx, "CREATE TABLE effect AS SELECT * FROM copied UNION ALL SELECT * FROM copied WHERE effect = 'receipt'")

    shop.till.database.write_now(harm)
    (found,) = await shop.till.books.verify()
    assert (found.invariant, found.subject) == ("I9", view.order_id)


async def test_a_cursor_that_went_back_is_found_and_a_new_epoch_is_none(shop: Shop) -> None:
    """I11: what the relay told us between the two places would be taken for unheard."""
    for cursor in ("aaaa:5:x", "aaaa:17:x", "bbbb:2:x", "bbbb:12:x"):
        shop.till.database.write_now(lambda tx, to=cursor: tx.sync.set_cursor(to))
        await shop.assert_books()
    shop.till.database.write_now(lambda tx: tx.sync.set_cursor("bbbb:11:x"))
    assert shop.till.database.read_now(lambda tx: tx.sync.cursor()) == "bbbb:12:x", "a slower event takes nothing back"
    shop.till.database.write_now(lambda tx: sql(tx, "UPDATE meta SET value = 'bbbb:11:x' WHERE key = 'relay_cursor:1'"))
    assert [str(b) for b in await shop.till.books.verify()] == [
        "I11 till 1: the relay's cursor went back from 12 to 11"
    ]
    for cursor in ("", "bbbb:3:x"):  # refused by the relay, so begun anew: the sweep covers what is between
        shop.till.database.write_now(lambda tx, to=cursor: tx.sync.set_cursor(to))
        await shop.assert_books()


async def test_money_that_the_report_shows_and_the_order_does_not_is_found(shop: Shop) -> None:
    """I15, beside I5, and without the fold that I5 trusts."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    await sweep(shop)
    assert (await shop.again(view)).captured_minor == TEA.price_minor
    await shop.assert_books()
    shop.till.database.write_now(lambda tx: sql(tx, "UPDATE orders SET captured_minor = 1"))
    broken = {b.invariant: b.why for b in await shop.till.books.verify()}
    assert broken["I15"] == "the report shows 6000 captured, the order says 1"
