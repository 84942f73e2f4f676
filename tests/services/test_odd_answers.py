"""Answers that leave something out, come from elsewhere, or name what nobody asked for: each must cost nobody money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pos.domain.errors import Refused
from pos.domain.payment import Phase
from pos.domain.ports import Answer, Operation, PreparedCall
from pos.domain.shown import Shown
from pos.domain.store_port import SweepRun
from pos.gateways.http import HttpGateway
from pos.services.views import OrderView
from tests.services.test_bad_answers import tamper
from tests.services.test_two_gateways import count_calls
from tests.shop import TEA, Bank, Shop

DAY_S = 86_400
FOREIGN_TEXT = "upi://pay?pa=shop@bank&pn=Other&cu=INR"
razorpay_only = pytest.mark.parametrize("shop", ["razorpay"], indirect=True)


async def by_upi(shop: Shop) -> None:
    await shop.till.desk.get("razorpay")
    entry = shop.till.desk.enrolled["razorpay"]
    shop.till.desk.enrolled["razorpay"] = replace(entry, qr="upi")


async def report_of_the_hour(shop: Shop) -> SweepRun:
    now = shop.clock.now_ms()
    return await shop.till.reconcile.sweep(shop.gateway, from_ms=now - 3_600_000, to_ms=now + 60_000)


def items_of(kind: str, change: Callable[[list[Any]], list[Any]]) -> Callable[[Any], Any]:
    """Changes the rows of a page of one kind; its `count` and its flags stay."""

    def changed(body: Any) -> Any:
        for name in ("items", "data"):
            rows = body.get(name)
            if rows and kind in (rows[0].get("entity"), rows[0].get("object")):
                return {**body, name: change(rows)}
        return body

    return changed


# What was given back --------------------------------------------------------------------------------------------------


def forgets_keys(gate: HttpGateway) -> list[PreparedCall]:
    """From now on refund calls reach the gateway without their key; those that were sent."""
    true, sent = gate._exchange, list[PreparedCall]()

    async def keyless(call: PreparedCall, timeout_s: float) -> Answer:
        if call.operation is Operation.REFUND:
            sent.append(call)
            headers = tuple(h for h in call.headers if h[0] not in ("X-Refund-Idempotency", "Idempotency-Key"))
            call = call._replace(headers=headers)
        return await true(call, timeout_s)

    object.__setattr__(gate, "_exchange", keyless)
    return sent


async def refund_whose_answer_is_lost(shop: Shop, bank: Bank) -> tuple[OrderView, str]:
    """Made at the gateway, which has forgotten its key when the till asks again two days later."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    bank.fault("refund.create", "drop", 1)
    await shop.till.refunds.refund(view.order_id, amount_minor=3_000, reason="cold", actor="Owner")
    shop.clock.advance(2 * DAY_S)
    row = shop.till.database.read_now(lambda tx: tx.facts.bundle(view.order_id).refunds)[0]
    return view, row.id


@pytest.mark.parametrize("count_stays", [True, False])
async def test_a_refund_is_not_made_again_while_the_list_lacks_what_the_payment_says_went_back(
    shop: Shop, bank: Bank, count_stays: bool
) -> None:
    view, refund_id = await refund_whose_answer_is_lost(shop, bank)
    behind = True

    def late(body: Any) -> Any:
        """The payment says that it was given back, no list has it yet."""
        if not behind:
            return body
        if body.get("object") == "charge":
            return {**body, "refunds": {**body["refunds"], "data": [], "has_more": False}}
        empty = items_of("refund", lambda rows: [])(body)
        return empty if count_stays or empty is body else {**empty, "count": 0}

    gate = await tamper(shop, Operation.FETCH_PAYMENT, late)
    sent = forgets_keys(gate)
    await shop.till.refunds.send_again(view.order_id, refund_id)
    assert sent == []
    behind = False
    shop.clock.advance(700)
    await shop.till.refunds.send_again(view.order_id, refund_id)
    assert sent == []
    done = await shop.again(view)
    assert (done.refunded_minor, done.captured_minor) == (3_000, TEA.price_minor)
    await shop.assert_books()


async def test_a_refund_in_another_currency_stands_before_the_manager(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)

    def dollars(body: Any) -> Any:
        if "refund" in (body.get("object"), body.get("entity")):
            return {**body, "currency": "usd" if "object" in body else "USD"}
        return body

    await tamper(shop, Operation.REFUND, dollars)
    view = await shop.till.refunds.refund(view.order_id, amount_minor=3_000, reason="cold", actor="Owner")
    assert "M05" in {e.code for e in shop.till.database.read_now(lambda tx: tx.problems.listed(open_only=True))}
    assert view.refunded_minor == 3_000, "it must not go back a second time"


# Reports and lists ----------------------------------------------------------------------------------------------------


@razorpay_only
async def test_cash_on_delivery_of_a_web_shop_beside_ours_is_only_on_its_way(shop: Shop) -> None:
    """`pending` is Razorpay's word for it (its webhooks' documentation, `payment.pending`)."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    delivery = {
        "id": "pay_cod1",
        "status": "pending",
        "method": "cod",
        "captured": False,
        "order_id": None,
        "fee": None,
    }
    await tamper(shop, Operation.REPORT, items_of("payment", lambda rows: [{**rows[0], **delivery}, *rows]))
    run = await report_of_the_hour(shop)
    assert (run.complete, run.note) == (True, "")
    assert (await shop.again(view)).shown is Shown.PAID


async def test_a_row_that_nobody_understands_keeps_no_other_from_being_read(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)

    def odd(rows: list[Any]) -> list[Any]:
        return [{**rows[0], "id": "pay_odd", "status": "teleported", "order_id": None, "payment_intent": None}, *rows]

    kind = "charge" if shop.gateway == "stripe" else "payment"
    await tamper(shop, Operation.REPORT, items_of(kind, odd))
    run = await report_of_the_hour(shop)
    assert (await shop.again(view)).shown is Shown.PAID
    assert not run.complete, "what was not understood may have been money"
    assert "pay_odd" in run.note


@razorpay_only
@pytest.mark.parametrize("foreign", [False, True])
async def test_a_foreign_upi_code_hides_none_of_ours(shop: Shop, bank: Bank, foreign: bool) -> None:
    await by_upi(shop)
    bank.fault("qr.create", "drop", 1)

    def beside(rows: list[Any]) -> list[Any]:
        return [*rows, {**rows[0], "id": "qr_foreign", "notes": [], "image_content": FOREIGN_TEXT}]

    if foreign:
        await tamper(shop, Operation.FIND, items_of("qr_code", beside))
    view = await shop.sell(TEA)
    assert (view.shown, view.attempt is not None and view.attempt.phase) == (Shown.WAITING, Phase.OPEN)


@pytest.mark.parametrize("slow_s", [3_600, -3_600])
async def test_a_clock_that_is_put_right_hides_no_link(shop: Shop, slow_s: int) -> None:
    """Made while the till's clock was an hour off, its answer lost; then the clock is set."""
    await shop.till.desk.get(shop.gateway)
    shop.clock.advance(-slow_s)
    shop.lose_link_calls()
    view = await shop.sell(TEA)
    shop.clock.advance(slow_s)
    for _ in range(40):
        await shop.probe()
        shop.clock.advance(5)
    shop.clock.advance(3_600)  # past the time in which the call might still be sent
    for _ in range(10):
        await shop.probe()
        shop.clock.advance(300)
    (attempt,) = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))
    assert attempt.link_id, (attempt.phase, attempt.reason)


# What is shown, and what is sent --------------------------------------------------------------------------------------


@razorpay_only
async def test_a_payment_link_is_an_address_and_no_upi_text(shop: Shop) -> None:
    """Anybody could be paid by such a text, and any amount."""
    other = "upi://pay?pa=someone.else@bank&am=1.00&cu=INR"
    await tamper(shop, Operation.CREATE, lambda body: {**body, "short_url": other} if "short_url" in body else body)
    with pytest.raises(Refused):
        await shop.sell(TEA)
    (order,) = await shop.till.queries.orders(limit=9)
    view = await shop.till.queries.order(order.order_id)
    assert view.attempt is None or view.attempt.phase is Phase.ABANDONED
    assert view.shown is Shown.UNPAID


@razorpay_only
async def test_a_conflict_does_not_make_a_second_code_where_no_key_protects(shop: Shop) -> None:
    await by_upi(shop)
    gate = await shop.till.desk.get("razorpay")
    assert isinstance(gate, HttpGateway)
    true, sent = gate._exchange, list[PreparedCall]()

    async def conflict(call: PreparedCall, timeout_s: float) -> Answer:
        answer = await true(call, timeout_s)
        if call.operation is Operation.CREATE:
            sent.append(call)
            return Answer(
                409, (), b'{"error":{"code":"BAD_REQUEST_ERROR","description":"another request is in progress"}}'
            )
        return answer

    object.__setattr__(gate, "_exchange", conflict)
    before = shop.links_made()
    view = await shop.sell(TEA)
    assert (len(sent), shop.links_made() - before) == (1, 1)
    assert view.attempt is not None
    assert view.attempt.link_id, "what was made is found"


async def test_looks_wait_as_long_as_the_gateway_says(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    bank.fault("link.fetch", "rate_limited", 50, retry_after_s=200)
    calls = count_calls(shop, shop.gateway, Operation.FETCH)
    shop.clock.advance(5)
    for _ in range(120):
        await shop.probe()
        shop.clock.advance(1)
    assert len(calls) == 1
    shop.clock.advance(100)
    await shop.probe()
    assert len(calls) == 2
    assert (await shop.again(view)).certainty
