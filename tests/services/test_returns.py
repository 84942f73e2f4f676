"""Goods taken back, on real services and the sandbox: the note, its money, and what must not be."""

from __future__ import annotations

import json

import pytest

from pos.domain.errors import BadInput, NotAllowed, PosError, Refused
from pos.domain.rows import Person
from pos.domain.shown import Shown
from pos.domain.store_port import Tx
from pos.domain.verdict import Money
from pos.services.people import People
from pos.services.returns import Decision, Goods, TakenBack
from pos.services.views import OrderView
from tests.engines import sql
from tests.services.test_holes import until_refund_failed
from tests.shop import CAKE, TEA, Shop

WHY = Decision("wrong size", "Owner")


async def paid(shop: Shop) -> OrderView:
    sold = await shop.sell(TEA, CAKE)
    await shop.pays(sold)
    return await shop.check(sold)


async def take(shop: Shop, view: OrderView, *skus: tuple[str, int], why: Decision = WHY) -> TakenBack:
    return await shop.till.returns.take_back(view.order_id, Goods(skus=skus), why)


async def test_goods_of_a_sale_by_link_come_back_in_parts(shop: Shop) -> None:
    view = await paid(shop)
    first = await take(shop, view, ("TEA", 500))
    assert (first.note.number, first.note.total_minor) == ("1-R00001", TEA.price_minor // 2)
    after = await shop.again(view)
    assert (after.shown, after.money, after.kept_minor) == (Shown.PART_REFUNDED, Money.PAID, view.kept_minor)
    assert (after.returned_minor, after.refunded_minor, after.notes) == (3_000, 3_000, ("1-R00001",))
    with pytest.raises(BadInput):
        await take(shop, view, ("TEA", 501))
    last = await take(shop, view, ("TEA", 500), ("CAKE", 1_000))
    assert (last.note.number, last.view.shown, last.view.kept_minor) == ("1-R00002", Shown.RETURNED, view.kept_minor)
    assert first.note.total_minor + last.note.total_minor == view.totals.total_minor
    with pytest.raises(PosError):
        await take(shop, view, ("CAKE", 1_000))
    rows = shop.till.database.read_now(lambda tx: tx.money.refunds(view.order_id))
    assert [(row.return_id, row.approved_by) for row in rows] == [(first.note.id, "Owner"), (last.note.id, "Owner")]
    await shop.assert_books()


async def test_goods_of_a_cash_sale_are_paid_back_in_cash(shop: Shop) -> None:
    view = await shop.till.cash.sell(shop.lines(TEA, CAKE), 20_000)
    taken = await take(shop, view, ("CAKE", 1_000))
    assert (taken.view.shown, taken.view.money, taken.view.left_minor) == (Shown.PART_REFUNDED, Money.PAID, 0)
    assert (taken.view.kept_minor, taken.view.returned_minor) == (20_000, 14_000)
    tenders = shop.till.database.read_now(lambda tx: tx.money.tenders(view.order_id))
    assert [(t.amount_minor, t.return_id) for t in tenders] == [(20_000, ""), (-14_000, taken.note.id)]
    entries = shop.till.database.read_now(lambda tx: tx.money.entries(open_only=True))
    assert sorted((e.kind, e.amount_minor) for e in entries) == [
        ("return", -14_000),
        ("tender", -14_000),
        ("tender", 20_000),
    ]
    day = await shop.till.day.close(actor="Owner", counted_minor=6_000)
    assert (day.cash_difference_minor, next(r for r in day.totals if r.key == "returns").here_minor) == (0, -14_000)
    await shop.assert_books()


async def test_the_note_stands_before_the_call_and_the_same_key_writes_no_second(shop: Shop) -> None:
    view = await paid(shop)
    shop.bank.fault("refund.create", "drop", 1, before_work=True)
    why = Decision("cold", "Owner", key="r-1")
    first = await take(shop, view, ("CAKE", 1_000), why=why)
    again = await take(shop, view, ("CAKE", 1_000), why=why)
    assert first.note == again.note
    assert (await shop.again(view)).refunded_minor == 0
    shop.clock.advance(3_600)
    await shop.probe()
    assert (await shop.again(view)).refunded_minor == 14_000
    other = await paid(shop)
    with pytest.raises(BadInput, match="another order"):
        await take(shop, other, ("CAKE", 1_000), why=why)
    await shop.assert_books()


async def test_a_bounced_refund_of_a_return_is_retried_for_the_same_note(shop: Shop) -> None:
    view = await paid(shop)
    shop.bank.fault("refund.create", "refund_fails", after_s=0.0, succeed_first=True)
    taken = await take(shop, view, ("TEA", 1_000))
    await until_refund_failed(shop, view)
    assert (await shop.again(view)).returned_minor == 0
    problem = next(p for p in shop.till.database.read_now(lambda tx: tx.problems.of_order(view.order_id)))
    assert (problem.code, problem.action, problem.closed_at_ms) == ("M14", "retry_refund", None)
    await shop.till.refunds.retry(view.order_id, problem.subject, reason="bounced", actor="Owner")
    rows = shop.till.database.read_now(lambda tx: tx.money.refunds(view.order_id))
    assert [row.return_id for row in rows] == [taken.note.id] * 2
    assert rows[1].replaces == rows[0].id
    after = await shop.again(view)
    assert (after.returned_minor, after.shown) == (TEA.price_minor, Shown.PART_REFUNDED)
    with pytest.raises(Refused, match="has not failed"):
        await shop.till.refunds.retry(view.order_id, problem.subject, reason="bounced", actor="Owner")
    await shop.assert_books()


async def test_what_was_refunded_before_caps_what_goods_bring(shop: Shop) -> None:
    view = await paid(shop)
    await shop.till.refunds.refund(view.order_id, amount_minor=10_000, reason="good will", actor="Owner")
    with pytest.raises(Refused, match="Less is left"):
        await take(shop, view, ("CAKE", 1_000))
    assert shop.till.database.read_now(lambda tx: tx.returns.all()) == []
    assert (await take(shop, view, ("TEA", 1_000))).note.number == "1-R00001"  # no number was lost
    await shop.assert_books()


async def test_only_what_was_paid_and_owes_nothing_comes_back(shop: Shop) -> None:
    unpaid = await shop.sell(TEA)
    with pytest.raises(Refused, match="not paid"):
        await take(shop, unpaid, ("TEA", 1_000))
    with pytest.raises(Refused, match="not paid"):
        await shop.till.returns.look(unpaid.order_id)
    view = await paid(shop)
    shop.till.people._people["Mia"] = Person("Mia", "cashier")
    with pytest.raises(NotAllowed):
        await take(shop, view, ("TEA", 1_000), why=Decision("cold", "Mia"))


async def test_a_look_says_what_it_is_worth_and_writes_nothing(shop: Shop) -> None:
    view = await paid(shop)
    seen = await shop.till.returns.look(view.order_id, Goods(skus=[("CAKE", 1_000)]))
    assert (seen.total_minor, seen.tax_minor) == (14_000, 667)
    assert [(line.sku, line.left_milli) for line in seen.lines] == [("TEA", 1_000), ("CAKE", 1_000)]
    assert shop.till.database.read_now(lambda tx: tx.returns.all()) == []


async def test_paper_timeline_evidence_journal_and_export_tell_of_it(shop: Shop) -> None:
    view = await paid(shop)
    taken = await take(shop, view, ("CAKE", 1_000))
    paper = await shop.till.returns.paper(taken.note.number)
    assert any("1-R00001" in line for line in paper)
    assert any("140.00" in line for line in paper)
    assert any("1-R00001" in row.text for row in await shop.till.queries.timeline(view.order_id))
    page = await shop.till.queries.dossier(view.order_id)
    assert [note["number"] for note in page["returns"]] == ["1-R00001"]
    assert "return.written" in {entry["act"] for entry in page["journal"]}
    lines = [json.loads(line) for line in await shop.till.books.export()]
    assert [line["number"] for line in lines if line["type"] == "return"] == ["1-R00001"]


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ("DELETE FROM credit_note WHERE number = '1-R00001'", "gap"),
        ("UPDATE credit_note SET total_minor = 1 WHERE number = '1-R00001'", "not worth"),
        ("UPDATE credit_note SET lines = (SELECT lines FROM credit_note WHERE number = '1-R00002')", "than was sold"),
        ("DELETE FROM z_entry WHERE kind = 'return'", "in no Z"),
    ],
)
async def test_a_note_that_was_tampered_with_is_found(shop: Shop, harm: str, says: str) -> None:
    view = await paid(shop)
    await take(shop, view, ("TEA", 1_000))
    await take(shop, view, ("CAKE", 1_000))
    await shop.assert_books()
    shop.till.database.write_now(lambda tx: without_guards(tx, harm))
    assert any(b.invariant == "returns" and says in b.why for b in await shop.till.books.verify())


def without_guards(tx: Tx, harm: str) -> None:
    """What a person with the file in a hex editor can do, and no program of ours."""
    if tx.orders._is_sqlite:  # type: ignore[attr-defined]
        sql(tx, "DROP TRIGGER guard_credit_note_update")
        sql(tx, "DROP TRIGGER guard_credit_note_delete")
    else:
        sql(tx, "ALTER TABLE credit_note DISABLE TRIGGER ALL")
    sql(tx, harm)


async def test_above_the_limit_a_second_manager_approves(shop: Shop) -> None:
    from dataclasses import replace

    shop.till.context.shop = replace(shop.till.shop, second_above_minor=10_000)
    people: People = shop.till.people
    people._people |= {"Ana": Person("Ana", "manager"), "Mia": Person("Mia", "cashier")}
    view = await paid(shop)
    assert (await take(shop, view, ("TEA", 1_000))).note.approved_by == "Owner"
    for second in ("", "Owner", "Mia", "Nobody"):  # with what came back before it is above the limit
        with pytest.raises(NotAllowed):
            await take(shop, view, ("CAKE", 1_000), why=Decision("cold", "Owner", second))
    taken = await take(shop, view, ("CAKE", 1_000), why=Decision("cold", "Owner", "Ana"))
    assert (taken.note.asked_by, taken.note.approved_by) == ("Owner", "Ana")
    assert {r.approved_by for r in shop.till.database.read_now(lambda tx: tx.money.refunds(view.order_id))} == {
        "Owner",
        "Ana",
    }
