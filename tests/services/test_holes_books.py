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
