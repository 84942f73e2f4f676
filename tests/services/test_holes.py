"""Holes that were found by looking for them: each test failed before its fix."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pos.domain.errors import PosError, Refused
from pos.domain.facts import Fact, Kind, Mode, Sighting, Source
from pos.domain.payment import Phase
from pos.domain.ports import NotSent
from pos.domain.shown import Shown
from pos.domain.store_port import Hint, Tx
from pos.domain.verdict import Money
from pos.services.settle import Evidence
from pos.services.views import OrderView
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
        account = tx.shop.account("stripe")
        assert account is not None
        tx.shop.put_account(replace(account, key_print="another"))

    again.till.database.write_now(forget)
    bank.fault("account.fetch", "unauthorized", 1)
    await again.till.hints.take(Hint("ep:2:t", "stripe", "webhook", link_of(view), "", "", "", 1), "ep:2:t")
    assert (await again.again(view)).money is Money.UNPAID
    assert again.till.database.read_now(lambda tx: tx.sync.cursor()) == "ep:2:t"
    again.clock.advance(10)
    await again.till.hints.retry_due()
    assert (await again.again(view)).money is Money.PAID
    await again.till.close()


async def test_a_hint_about_a_payment_waits_while_the_key_is_refused(shop: Shop, bank: Bank) -> None:
    await shop.till.close()
    fresh = reopen(shop)
    bank.fault("account.fetch", "unauthorized", 1)
    await fresh.till.hints.take(Hint("ep:2:t", "stripe", "webhook", "", "ch_1", "", "", 1), "ep:2:t")
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
        tx.connection.exec_driver_sql(  # type: ignore[attr-defined]
            "UPDATE outbox SET gateway = 'gone' WHERE id = ?", (first_row.id,)
        )

    shop.till.database.write_now(move)
    shop.clock.advance(60)
    await shop.probe()
    assert (await shop.again(second)).refunded_minor == TEA.price_minor
    assert (await shop.again(first)).refunded_minor == 0
