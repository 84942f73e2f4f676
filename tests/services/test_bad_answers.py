"""What gateways answer when they answer badly, on each gateway; the numbers are those of the catalogue of bad input.

Where another module has the whole case already, `ELSEWHERE` names it, and a test looks that it is there.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from pos.domain.errors import Refused
from pos.domain.matching import Action
from pos.domain.payment import Phase
from pos.domain.ports import Answer, Operation, PreparedCall
from pos.domain.shown import Shown
from pos.domain.verdict import Flag, Money
from pos.gateways.http import HttpGateway
from tests.services.test_money import link_of, sweep
from tests.services.test_two_gateways import count_calls
from tests.shop import TEA, Bank, Shop

Change = Callable[[Any], Any]

ELSEWHERE = {
    21: ("test_checkout", "test_an_answer_lost_after_the_work_is_asked_for_again_with_the_same_key"),
    22: ("test_bad_answers", "test_22_a_failure_that_is_replayed_ends_the_attempt_and_the_next_one_is_another"),
    23: ("test_checkout", "test_rate_limited_waits_as_told_and_goes_on"),
    24: ("test_checkout", "test_answers_that_cannot_be_read_are_unknown_never_failed"),
    25: ("test_bad_answers", "test_25_missing_fields_and_unlisted_words_are_unknown"),
    26: ("test_bad_answers", "test_26_an_amount_that_is_no_amount_is_no_money"),
    27: ("test_bad_answers", "test_27_a_link_that_is_not_on_the_gateways_pages_is_not_shown"),
    28: ("test_bad_answers", "test_28_a_revoked_key_is_said_once_and_plainly"),
    29: ("test_bad_answers", "test_29_another_orders_link_is_no_answer"),
    30: ("test_bad_answers", "test_30_a_key_that_is_too_old_is_not_trusted"),
    31: ("test_bad_answers", "test_31_another_amount_is_counted_and_another_currency_is_not"),
    32: ("test_money", "test_refunds_partial_several_and_never_more_than_was_captured"),
    33: ("test_bad_answers", "test_33_a_dispute_after_the_day_was_closed_leaves_the_z_as_it_is"),
    34: ("test_money", "test_paid_twice_is_seen_and_put_right_with_one_refund"),
    35: ("test_money", "test_a_payment_after_the_order_was_cancelled_stands_before_the_manager"),
}


@pytest.mark.parametrize("number", range(21, 36))
def test_every_number_has_its_test(number: int) -> None:
    module, name = ELSEWHERE[number]
    assert callable(getattr(importlib.import_module(f"tests.services.{module}"), name))


async def tamper(shop: Shop, operation: Operation, change: Change) -> HttpGateway:
    """From now on the gateway's answers to this kind of call come changed, as on a wire that somebody else holds."""
    gate = await shop.till.desk.get(shop.gateway)
    assert isinstance(gate, HttpGateway)
    true = gate._exchange

    async def changed(call: PreparedCall, timeout_s: float) -> Answer:
        answer = await true(call, timeout_s)
        if call.operation is not operation or answer.status >= 300:
            return answer
        return answer._replace(body=json.dumps(change(json.loads(answer.body))).encode())

    object.__setattr__(gate, "_exchange", changed)
    return gate


def everywhere(names: set[str], new: Callable[[Any], Any]) -> Change:
    """Changes every field of these names, however deep."""

    def change(value: Any) -> Any:
        if isinstance(value, list):
            return [change(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {name: new(item) if name in names else change(item) for name, item in value.items()}

    return change


def without(names: set[str]) -> Change:
    def change(value: Any) -> Any:
        if isinstance(value, list):
            return [change(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {name: change(item) for name, item in value.items() if name not in names}

    return change


async def test_22_a_failure_that_is_replayed_ends_the_attempt_and_the_next_one_is_another(
    shop: Shop, bank: Bank
) -> None:
    """The gateway did the work and stored a 500 under the key (Stripe), or said 500 and has no key (Razorpay)."""
    before = shop.links_made()
    bank.fault("link.create", "error_500", 1, after_work=True)
    view = await shop.sell(TEA)
    assert shop.links_made() == before + 1
    if shop.gateway == "razorpay":  # looked for and found
        assert view.shown is Shown.WAITING
        return
    assert view.shown is Shown.UNKNOWN
    shop.clock.advance(61)
    while await shop.probe():
        shop.clock.advance(5)
    second = await shop.till.checkout.issue(view.order_id, shop.gateway)
    assert second.attempt is not None
    assert (second.attempt.no, second.shown) == (2, Shown.WAITING)
    attempts = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))
    assert (attempts[0].phase, attempts[0].fenced) == (Phase.ABANDONED, True)
    await shop.assert_books()


@pytest.mark.parametrize(
    "change",
    [
        without({"status"}),
        without({"id"}),
        everywhere({"status", "payment_status"}, lambda _: "teleported"),
        everywhere({"status"}, lambda _: None),
        everywhere({"currency"}, lambda _: 7),
    ],
    ids=["no status", "no id", "unlisted word", "null status", "currency of another type"],
)
async def test_25_missing_fields_and_unlisted_words_are_unknown(shop: Shop, change: Change) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    gate = await tamper(shop, Operation.FETCH, change)
    for _ in range(3):
        seen = await shop.check(view)
        assert seen.money is Money.UNPAID
    assert seen.shown is Shown.UNKNOWN
    assert not seen.flags
    del gate._exchange
    assert (await shop.check(view)).shown is Shown.PAID
    await shop.assert_books()


@pytest.mark.parametrize("wrong", ["6000", 6000.5, -6000, 10**30, None, True, [6000]], ids=str)
async def test_26_an_amount_that_is_no_amount_is_no_money(shop: Shop, wrong: Any) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    gate = await tamper(shop, Operation.FETCH, everywhere({"amount", "amount_captured"}, lambda _: wrong))
    seen = await shop.check(view)
    assert (seen.money, seen.captured_minor) == (Money.UNPAID, 0)
    del gate._exchange
    assert (await shop.check(view)).captured_minor == TEA.price_minor


@pytest.mark.parametrize(
    "address",
    [
        "http://evil.example/pay",
        "https://evil.example/pay",
        "https://checkout.stripe.com.evil.example/pay",
        "https://rzp.io@evil.example/i/1",
        "javascript:alert(1)",
        "upi://mandate?pa=thief@upi",
        "file:///etc/passwd",
    ],
)
async def test_27_a_link_that_is_not_on_the_gateways_pages_is_not_shown(shop: Shop, address: str) -> None:
    await tamper(shop, Operation.CREATE, everywhere({"url", "short_url"}, lambda _: address))
    with pytest.raises(Refused, match="not on its own pages"):
        await shop.sell(TEA, key="k")
    view = await shop.till.queries.order("k")
    assert view.attempt is not None
    assert (view.attempt.phase, view.attempt.qr_text, view.attempt.link_url) == (Phase.ABANDONED, "", "")
    shop.clock.advance(5)
    while await shop.probe():
        shop.clock.advance(5)
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    assert (attempt.fenced, attempt.fence_kind) == (True, "expired")  # it exists there, so it is closed there
    await shop.assert_books()


async def test_28_a_revoked_key_is_said_once_and_plainly(shop: Shop, bank: Bank) -> None:
    await shop.till.desk.get(shop.gateway)
    bank.fault("link.create", "unauthorized", 1)
    with pytest.raises(Refused, match="does not accept the key") as refused:
        await shop.sell(TEA, key="k")
    assert "Manage > Gateways" in str(refused.value)
    assert (await shop.till.queries.status()).gateway == "down"
    view = await shop.till.queries.order("k")
    assert (view.shown, view.left_minor) == (Shown.UNPAID, TEA.price_minor)
    assert (await shop.till.checkout.issue(view.order_id, shop.gateway)).shown is Shown.WAITING


async def test_29_another_orders_link_is_no_answer(shop: Shop) -> None:
    other = await shop.sell(TEA)
    names = {"client_reference_id", "reference_id"}
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(other.order_id))[-1]
    await tamper(shop, Operation.CREATE, everywhere(names, lambda _: attempt.reference))
    view = await shop.sell(TEA)
    if shop.gateway == "stripe":
        assert view.shown is Shown.UNKNOWN
        assert view.attempt is not None
        assert view.attempt.qr_text == ""
    else:  # not understood either, and then found by our own reference
        assert link_of(view) != link_of(other)
    assert (await shop.again(other)).shown is Shown.WAITING


async def test_30_a_key_that_is_too_old_is_not_trusted(shop: Shop, bank: Bank) -> None:
    """A refund without an answer, and a day later: what the gateway gave back is looked at before anything is sent."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    bank.fault("refund.create", "drop", 1)
    await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    sent = count_calls(shop, shop.gateway, Operation.REFUND)
    shop.clock.advance(25 * 3_600)
    while await shop.probe():
        shop.clock.advance(600)
    given = await shop.again(view)
    assert (given.refunded_minor, len(sent)) == (TEA.price_minor, 0)
    await shop.assert_books()


async def test_31_another_amount_is_counted_and_another_currency_is_not(shop: Shop) -> None:
    less = await shop.sell(TEA)
    shop.bank.desk("POST", f"/links/{link_of(less)}/pay", {"amount_minor": 5_000})
    short = await shop.check(less)
    assert (short.money, short.kept_minor, Flag.AMOUNT in short.flags) == (Money.PART_PAID, 5_000, True)
    foreign = await shop.sell(TEA)
    await shop.pays(foreign)
    await tamper(shop, Operation.FETCH, everywhere({"currency"}, lambda code: "usd" if code.islower() else "USD"))
    seen = await shop.check(foreign)
    assert (seen.money, seen.captured_minor, Flag.CURRENCY in seen.flags) == (Money.UNPAID, 0, True)
    codes = {(e.code, e.action) for e in (await shop.till.day.preview(refresh=False)).exceptions}
    assert {code for code, _ in codes} >= {"M04", "M05"}
    await shop.assert_books()


async def test_33_a_dispute_after_the_day_was_closed_leaves_the_z_as_it_is(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    paid = await shop.check(view)
    closed = await shop.till.day.close(actor="Owner")
    bank.desk("POST", f"/payments/{paid.payments[0].id}/dispute", {})
    await sweep(shop)
    disputed = await shop.again(view)
    assert (disputed.shown, disputed.money) == (Shown.DISPUTED, Money.PAID)
    day = await shop.till.day.preview(refresh=False)
    assert [(e.code, e.action) for e in day.exceptions] == [("M15", Action.INVESTIGATE)]
    again = await shop.till.day.show(closed.day)
    assert again.hash == closed.hash
    await shop.assert_books()
