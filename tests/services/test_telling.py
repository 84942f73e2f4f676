"""What the bus is told of a page: each order once, in parts, and nothing older than what it heard meanwhile."""

from __future__ import annotations

from dataclasses import replace

from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.payment import reference
from pos.services.bus import Event, OrderChanged
from pos.services.evidence import Evidence
from pos.services.settle import TOLD_AT_ONCE
from pos.services.views import OrderRow
from tests.shop import TEA, Shop

ORDERS = 2 * TOLD_AT_ONCE + 5


async def page(shop: Shop) -> tuple[list[str], Evidence]:
    """Orders that nobody has paid yet, and what a report would say of their payments."""
    ids, facts = [], []
    for number in range(ORDERS):
        view = await shop.till.selling.save(shop.lines(TEA))
        bare = Fact(shop.gateway, "acct", Mode.TEST, Kind.PAYMENT_CAPTURED, f"ch_{number}")
        facts += [bare._replace(amount_minor=TEA.price_minor, currency="INR", at_ms=shop.clock.now_ms())]
        facts += [bare._replace(kind=Kind.PAYMENT_OF_REFERENCE, target=reference(view.order_id, 1))]
        ids.append(view.order_id)
    return ids, Evidence(shop.gateway, tuple(facts), Source.REPORT, "sweep")


async def test_every_order_of_a_page_is_told_once(shop: Shop) -> None:
    ids, evidence = await page(shop)
    told: list[str] = []
    stop = shop.till.context.bus.subscribe(
        lambda event: told.append(event.row.order_id) if isinstance(event, OrderChanged) else None
    )
    await shop.till.settle.take_in(evidence)
    stop()
    assert sorted(told) == sorted(ids)


async def test_what_is_told_meanwhile_is_not_undone_by_the_rest_of_the_page(shop: Shop) -> None:
    ids, evidence = await page(shop)
    told: list[OrderRow] = []
    newer: list[OrderRow] = []

    def hear(event: Event) -> None:
        if not isinstance(event, OrderChanged):
            return
        told.append(event.row)
        if not newer:  # somebody else writes, and tells, while the page is being told of
            last = next(order_id for order_id in reversed(ids) if order_id != event.row.order_id)
            newer.append(replace(event.row, order_id=last, number="newer"))
            shop.till.settle.announce(newer)

    stop = shop.till.context.bus.subscribe(hear)
    await shop.till.settle.take_in(evidence)
    stop()
    assert [row.number for row in told if row.order_id == newer[0].order_id][-1] == "newer"
    assert {row.order_id for row in told} == set(ids)
