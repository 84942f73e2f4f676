"""Holes that a second gateway opened, each found before a shop did: what could have been charged, lost or stuck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from pos.domain.errors import BadInput, OutcomeUnknown
from pos.domain.payment import Phase
from pos.domain.ports import Answer, Asked, Operation, Outcome, Part, PreparedCall, Reading
from pos.domain.shown import Shown
from pos.domain.store_port import Hint
from pos.domain.verdict import Money, fold
from pos.gateways.http import HttpGateway
from pos.gateways.razorpay.adapter import RazorpayAdapter
from tests.services.test_money import sweep
from tests.services.test_two_gateways import count_calls
from tests.shop import CAKE, PENDING_S, TEA, Bank, Shop, open_shop, reopen

GATEWAY = "razorpay"
KEY_ID = "gateways.razorpay.key_id"


@pytest.fixture
def patient(bank: Bank) -> Iterator[None]:
    """Nothing at the bank moves on by itself before the test says so."""
    bank.desk("POST", "/settings", {"pending_s": 600.0})
    yield
    bank.desk("POST", "/settings", {"pending_s": PENDING_S})


@pytest_asyncio.fixture
async def rzp(bank: Bank, patient: None, tmp_path: Path) -> AsyncIterator[Shop]:
    made = open_shop(bank, tmp_path / "home", GATEWAY)
    await made.till.desk.get(GATEWAY)
    yield made
    await made.till.close()


def only_authorize(shop: Shop) -> None:
    shop.bank.account_setting(shop.keys[KEY_ID], manual_capture=True)


def webhook(payment: str, number: int = 1) -> Hint:
    return Hint(f"e:{number}:t", GATEWAY, "webhook", "", payment, "", "", 1)


async def newest_payment(shop: Shop) -> str:
    """The id of the account's last payment, as its webhook would name it."""
    gate = await shop.till.desk.get(GATEWAY)
    asked = await shop.till.desk.ask(gate, gate.adapter.report(Part.PAYMENTS, 0, shop.clock.now_ms() + 60_000))
    return asked.reading.facts[0].object


async def restored_from_an_old_copy(shop: Shop, home: Path) -> Shop:
    """A home of the same account that has never heard of the shop's orders."""
    other = open_shop(shop.bank, home, GATEWAY)
    shop_id = shop.till.shop.shop_id
    other.till.database.write_now(lambda tx: tx.shop.set_meta("shop_id", shop_id))
    await other.till.close()
    other = reopen(Shop(other.till, shop.bank, shop.clock, other.home, shop.keys, GATEWAY))
    await other.till.desk.get(GATEWAY)
    return other


async def test_an_old_payment_is_not_captured_while_another_link_may_be_paid(rzp: Shop) -> None:
    """Authorized late at the first link while the second is on the screen: the customer is charged once."""
    first = await rzp.sell(TEA)
    await rzp.pays(first, "failed_then_late")
    (late,) = [p.id for p in (await rzp.till.checkout.give_up(first.order_id)).payments]
    second = await rzp.till.checkout.issue(first.order_id, GATEWAY)
    sent = count_calls(rzp, GATEWAY, Operation.CAPTURE)
    rzp.bank.desk("POST", f"/payments/{late}/settle", {"as": "authorized"})
    await rzp.till.hints.take(webhook(late), "e:1:t")
    assert sent == []
    await rzp.pays(second)
    paid = await rzp.check(second)
    assert (paid.shown, paid.captured_minor, len(sent)) == (Shown.PAID, TEA.price_minor, 0)
    await rzp.assert_books()


async def test_an_old_payment_is_captured_once_the_other_link_is_closed(rzp: Shop) -> None:
    first = await rzp.sell(TEA)
    await rzp.pays(first, "failed_then_late")
    (late,) = [p.id for p in (await rzp.till.checkout.give_up(first.order_id)).payments]
    await rzp.till.checkout.issue(first.order_id, GATEWAY)
    rzp.bank.desk("POST", f"/payments/{late}/settle", {"as": "authorized"})
    await rzp.till.hints.take(webhook(late), "e:1:t")
    await rzp.till.checkout.give_up(first.order_id)
    paid = await rzp.check(first)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, TEA.price_minor)
    await rzp.assert_books()


async def test_a_webhook_that_names_only_the_payment_leads_to_its_capture(rzp: Shop) -> None:
    """The payment's answer says *authorized*, the next one whose it is: together they make it due."""
    only_authorize(rzp)
    view = await rzp.sell(TEA)
    await rzp.pays(view)
    await rzp.till.hints.take(webhook(await newest_payment(rzp)), "e:1:t")
    paid = await rzp.again(view)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, TEA.price_minor)
    await rzp.assert_books()


async def test_a_link_whose_payments_cannot_be_listed_is_unknown_and_stands_before_the_manager(rzp: Shop) -> None:
    """The link answers, the list of its payments does not: nobody may say *waiting* for ever."""
    view = await rzp.sell(TEA)
    await rzp.pays(view)
    rzp.bank.fault("order.payments", "error_500", 400)
    for _ in range(3):
        await rzp.check(view)
    assert (await rzp.again(view)).shown is Shown.UNKNOWN
    rzp.clock.advance(11 * 60)
    await rzp.check(view)
    assert [p.code for p in rzp.till.database.read_now(lambda tx: tx.problems.of_order(view.order_id))] == ["M23"]
    rzp.bank.clear()
    paid = await rzp.check(view)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, TEA.price_minor)
    await rzp.assert_books()


async def test_a_link_called_paid_whose_payment_is_not_listed_is_unknown_and_stands_before_the_manager(
    rzp: Shop,
) -> None:
    """The gateway contradicts itself, and goes on doing so: that is no *waiting* either."""
    view = await rzp.sell(TEA)
    await rzp.pays(view)
    gate = await rzp.till.desk.get(GATEWAY)
    assert isinstance(gate, HttpGateway)
    true = gate._exchange

    async def empty(call: PreparedCall, timeout_s: float) -> Answer:
        answer = await true(call, timeout_s)
        nothing = b'{"entity":"collection","count":0,"items":[]}'
        return answer._replace(body=nothing) if call.path.startswith("/v1/orders/") else answer

    object.__setattr__(gate, "_exchange", empty)
    for _ in range(3):
        await rzp.check(view)
    assert (await rzp.again(view)).shown is Shown.UNKNOWN
    rzp.clock.advance(11 * 60)
    await rzp.check(view)
    assert [p.code for p in rzp.till.database.read_now(lambda tx: tx.problems.of_order(view.order_id))] == ["M23"]
    object.__setattr__(gate, "_exchange", true)
    assert (await rzp.check(view)).shown is Shown.PAID
    await rzp.assert_books()


async def test_one_payment_that_cannot_be_looked_up_hides_no_other(rzp: Shop, tmp_path: Path) -> None:
    view = await rzp.sell(TEA)
    await rzp.pays(view)
    await rzp.check(view)
    rzp.clock.advance(2)
    poison = await rzp.sell(CAKE)
    await rzp.pays(poison)
    bad = await newest_payment(rzp)
    other = await restored_from_an_old_copy(rzp, tmp_path / "other")
    gate = await other.till.desk.get(GATEWAY)
    true_ask = gate.ask

    async def ask(call: PreparedCall, *, timeout_s: float) -> Asked:
        asked = await true_ask(call, timeout_s=timeout_s)
        if call.operation is Operation.FETCH_PAYMENT and bad in call.path:
            return asked._replace(reading=Reading(Outcome.UNKNOWN, message="not understood"))
        return asked

    object.__setattr__(gate, "ask", ask)
    run = await other.till.reconcile.sweep(GATEWAY, from_ms=0, to_ms=rzp.clock.now_ms() + 60_000)
    assert not run.complete
    assert bad in run.note
    kinds = {p.amount_minor: p.kind for p in other.till.database.read_now(lambda tx: tx.facts.parked())}
    assert kinds == {TEA.price_minor: "orphan", CAKE.price_minor: "foreign"}
    await other.till.close()


async def test_what_a_webhook_could_not_ask_to_the_end_is_asked_by_the_sweep(rzp: Shop, tmp_path: Path) -> None:
    view = await rzp.sell(TEA)
    await rzp.pays(view)
    other = await restored_from_an_old_copy(rzp, tmp_path / "other")
    rzp.bank.fault("link.list", "error_500", 1)
    await other.till.hints.take(webhook(await newest_payment(rzp)), "e:1:t")
    await sweep(other)
    (parked,) = other.till.database.read_now(lambda tx: tx.facts.parked())
    assert parked.kind == "orphan"
    await other.till.close()


class Fussy(RazorpayAdapter):
    """An adapter that will not capture what its gateway has authorized."""

    def capture(self, payment_id: str, amount_minor: int, currency: str, key: str) -> PreparedCall:
        raise BadInput("This cannot be captured.", "Ask the gateway.")


async def test_a_capture_that_cannot_be_asked_for_stops_nothing_else(rzp: Shop) -> None:
    only_authorize(rzp)
    gate = await rzp.till.desk.get(GATEWAY)
    assert isinstance(gate, HttpGateway)
    object.__setattr__(gate, "_adapter", Fussy(gate.adapter.account, gate.adapter.mode))
    first, second = await rzp.sell(TEA), await rzp.sell(CAKE)
    await rzp.pays(first)
    rzp.clock.advance(4)
    await rzp.probe()
    seen = await rzp.again(first)
    assert (seen.money, [p.state for p in seen.payments]) == (Money.UNPAID, ["authorized"])
    attempts = rzp.till.database.read_now(lambda tx: tx.attempts.of_order(second.order_id))
    assert attempts[0].looked_at_ms is not None


async def test_a_wrong_key_in_between_does_not_rename_the_account(rzp: Shop, bank: Bank) -> None:
    """Replaced, then mistyped, then put right: the payments of the first key are no intruder's."""
    view = await rzp.sell(TEA)
    account = (await rzp.till.desk.get(GATEWAY)).adapter.account
    await rzp.till.close()
    renewed = {KEY_ID: bank.second_key(rzp.keys[KEY_ID]), "gateways.razorpay.secret_key": "renewed_secret"}
    told = []
    for keys in (renewed, bank.new_keys(), renewed):
        shop = reopen(Shop(rzp.till, bank, rzp.clock, rzp.home, {**rzp.keys, **keys}, GATEWAY))
        told.append((await shop.till.desk.get(GATEWAY)).adapter.account)
        if len(told) == 2:
            await shop.sell(CAKE)  # the stranger's account has a link of its own by now
        await shop.till.close()
    assert (told[0], told[2]) == (account, account)
    assert told[1] != account
    last = reopen(Shop(rzp.till, bank, rzp.clock, rzp.home, {**rzp.keys, **renewed}, GATEWAY))
    await last.pays(view)
    paid = await last.check(view)
    assert (paid.shown, paid.flags) == (Shown.PAID, ())
    await last.till.close()


async def test_a_gateway_that_names_no_account_where_it_should_is_not_used(shop: Shop) -> None:
    desk = shop.till.desk
    entry = replace(desk.enrolled[shop.gateway], own_account="")
    gate = entry.connect("")

    async def ask(call: PreparedCall, *, timeout_s: float) -> Asked:
        return Asked(Reading(Outcome.OK), "", None, 200)

    object.__setattr__(gate, "ask", ask)
    desk.enrolled[shop.gateway] = replace(entry, connect=lambda account: gate)
    with pytest.raises(OutcomeUnknown, match="which account"):
        await desk.get(shop.gateway)


async def test_a_link_made_by_a_call_that_was_called_too_busy_is_found_and_shown(rzp: Shop) -> None:
    """Made although it answered 429: the repeated call is refused, because the reference is taken."""
    before, gate = rzp.links_made(), await rzp.till.desk.get(GATEWAY)
    true_ask, sent = gate.ask, []

    async def ask(call: PreparedCall, *, timeout_s: float) -> Asked:
        asked = await true_ask(call, timeout_s=timeout_s)
        if call.operation is Operation.CREATE:
            sent.append(asked.reading.outcome)
            return asked if len(sent) > 1 else asked._replace(reading=Reading(Outcome.BUSY, retry_after_s=0.01))
        return asked

    object.__setattr__(gate, "ask", ask)
    view = await rzp.sell(TEA)
    assert sent == [Outcome.OK, Outcome.REFUSED]
    assert rzp.links_made() == before + 1
    assert view.attempt is not None
    assert (view.shown, view.attempt.phase) == (Shown.WAITING, Phase.OPEN)
    await rzp.assert_books()


async def test_a_gateway_that_was_switched_off_keeps_its_open_link_from_being_doubled(rzp: Shop) -> None:
    view = await rzp.sell(TEA)
    await rzp.till.close()
    settings = (rzp.home / "settings.toml").read_text(encoding="utf-8")
    off = settings.replace("[gateways.razorpay]\n", "[gateways.razorpay]\nenabled = false\n")
    (rzp.home / "settings.toml").write_text(off, encoding="utf-8")
    half = reopen(rzp)
    with pytest.raises(OutcomeUnknown, match="not confirmed closed"):
        await half.till.checkout.issue(view.order_id, "stripe")
    attempts = half.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))
    assert [a.phase for a in attempts] == [Phase.CLOSING]
    await half.till.close()


async def test_a_upi_payment_that_is_only_authorized_is_seen_and_captured(
    bank: Bank, patient: None, tmp_path: Path
) -> None:
    """A code counts only what it received: the look must list its payments, or nobody captures them."""
    shop = open_shop(bank, tmp_path / "home", GATEWAY, qr={GATEWAY: "upi"})
    only_authorize(shop)
    view = await shop.sell(TEA)
    await shop.pays(view)
    bank.fault("payment.capture", "drop", 1, before_work=True)
    given_up = await shop.till.checkout.give_up(view.order_id)
    assert given_up.attempt is not None
    assert given_up.attempt.phase == Phase.CLOSING  # money is on its way: no fence
    shop.clock.advance(31)
    paid = await shop.check(view)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, TEA.price_minor)
    await shop.assert_books()
    await shop.till.close()


async def test_two_processes_that_look_at_once_capture_once(rzp: Shop) -> None:
    only_authorize(rzp)
    view = await rzp.sell(TEA)
    beside = reopen(rzp)
    await beside.till.desk.get(GATEWAY)
    sent = [count_calls(shop, GATEWAY, Operation.CAPTURE) for shop in (rzp, beside)]
    await rzp.pays(view)
    await asyncio.gather(*(shop.check(view) for shop in (rzp, beside, rzp, beside)))
    assert sum(map(len, sent)) == 1
    assert (await rzp.check(view)).captured_minor == TEA.price_minor
    await beside.till.close()


async def test_a_refund_whose_repeated_call_is_refused_may_have_been_made(rzp: Shop) -> None:
    """Answer lost, payment and list late, key not remembered: *given back already* is no refund that failed."""
    view = await rzp.sell(TEA)
    await rzp.pays(view)
    await rzp.check(view)
    rzp.bank.fault("refund.create", "drop", 1)
    await rzp.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    gate = await rzp.till.desk.get(GATEWAY)
    true_ask, listed = gate.ask, []

    async def ask(call: PreparedCall, *, timeout_s: float) -> Asked:
        asked = await true_ask(call, timeout_s=timeout_s)
        if call.operation is Operation.REFUND:
            said = Reading(Outcome.REFUSED, message="The payment has been fully refunded already")
            return asked._replace(reading=said)
        if call.operation is Operation.FETCH_PAYMENT and "/refunds" in call.path:
            listed.append(call)
            return asked if len(listed) > 1 else asked._replace(reading=Reading(Outcome.OK))
        if call.operation is Operation.FETCH_PAYMENT and not listed:
            return asked._replace(reading=asked.reading._replace(given_back_minor=0))
        return asked

    object.__setattr__(gate, "ask", ask)
    rzp.clock.advance(60)
    await rzp.probe()
    refunds = rzp.till.database.read_now(lambda tx: fold(tx.facts.bundle(view.order_id))).refunds
    assert len(listed) == 2
    assert {r.state for r in refunds} <= {"pending", "succeeded"}
    await rzp.assert_books()
