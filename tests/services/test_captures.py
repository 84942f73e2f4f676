"""Authorized is not paid: captured at once while the order needs it, let go when it does not; late is real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.payment import Phase
from pos.domain.ports import Operation
from pos.domain.shown import Shown
from pos.domain.store_port import Hint, Outgoing, Tx
from pos.domain.verdict import Flag, Money
from pos.services.evidence import Evidence
from pos.services.views import OrderView
from tests.services.test_money import sweep
from tests.services.test_two_gateways import count_calls
from tests.shop import CAKE, PENDING_S, TEA, Bank, Shop, open_shop

GATEWAY = "razorpay"


@pytest.fixture
def patient(bank: Bank) -> Iterator[None]:
    """Nothing at the bank moves on by itself before the test says so."""
    bank.desk("POST", "/settings", {"pending_s": 600.0})
    yield
    bank.desk("POST", "/settings", {"pending_s": PENDING_S})


@pytest_asyncio.fixture
async def manual(bank: Bank, patient: None, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop whose account only authorizes: what is not captured goes back to the customer by itself."""
    made = open_shop(bank, tmp_path / "home", GATEWAY)
    bank.account_setting(made.keys["gateways.razorpay.key_id"], manual_capture=True)
    await made.till.desk.get(GATEWAY)
    yield made
    await made.till.close()


def payments_of(shop: Shop, view: OrderView) -> list[str]:
    facts = shop.till.database.read_now(lambda tx: tx.facts.bundle(view.order_id).facts)
    return sorted({f.object for f in facts if f.kind is Kind.PAYMENT_AUTHORIZED})


async def test_an_authorized_payment_is_captured_once_and_the_order_turns_paid(manual: Shop) -> None:
    view = await manual.sell(TEA)
    sent = count_calls(manual, GATEWAY, Operation.CAPTURE)
    await manual.pays(view)
    paid = await manual.check(view)
    assert (paid.shown, paid.captured_minor, len(sent)) == (Shown.PAID, TEA.price_minor, 1)
    for _ in range(2):
        await manual.check(view)
        await sweep(manual)
    assert len(sent) == 1
    journal = manual.till.database.read_now(lambda tx: tx.journal.of_subject(view.order_id))
    assert [entry.act for entry in journal].count("payment.capture") == 1
    await manual.assert_books()


async def test_a_capture_without_an_answer_is_waiting_and_sent_again_while_it_is_due(manual: Shop, bank: Bank) -> None:
    view = await manual.sell(TEA)
    await manual.pays(view)
    bank.fault("payment.capture", "drop", 1, before_work=True)
    waiting = await manual.check(view)
    assert (waiting.shown, waiting.money) == (Shown.WAITING, Money.UNPAID)
    manual.clock.advance(31)
    paid = await manual.check(view)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, TEA.price_minor)
    await manual.assert_books()


async def test_a_capture_from_before_the_clock_was_set_back_is_sent_again(manual: Shop, bank: Bank) -> None:
    manual.clock.advance(3 * 86_400)
    view = await manual.sell(TEA)
    await manual.pays(view)
    bank.fault("payment.capture", "drop", 1, before_work=True)
    assert (await manual.check(view)).shown is Shown.WAITING
    manual.clock.advance(-3 * 86_400)
    assert (await manual.check(view)).shown is Shown.PAID
    await manual.assert_books()


async def test_a_capture_is_not_asked_of_an_account_that_does_not_hold_the_payment(manual: Shop) -> None:
    """Its "there is no such payment" would be taken for an end, and the true account never be asked again."""
    view = await manual.sell(TEA)
    assert view.attempt is not None
    gate = await manual.till.desk.get(GATEWAY)
    held = Fact(GATEWAY, gate.adapter.account, Mode.TEST, Kind.PAYMENT_AUTHORIZED, "pay_a", "", TEA.price_minor, "INR")
    of_link = held._replace(kind=Kind.PAYMENT_OF_LINK, target=view.attempt.link_id, amount_minor=None, currency="")
    told = Evidence(GATEWAY, (held, of_link), Source.FETCH, "look")
    rows = await manual.till.settle.take_in(told)
    stranger = manual.till.desk.enrolled[GATEWAY].connect("rzp_test_strangers")
    await manual.till.captures.follow(stranger, [told], rows)
    await stranger.close()
    asked = partial(capture_of, attempt_id=view.attempt.id)
    assert manual.till.database.read_now(asked) is None
    await manual.till.captures.follow(gate, [told], rows)
    assert manual.till.database.read_now(asked) is not None


def capture_of(tx: Tx, attempt_id: str) -> Outgoing | None:
    return tx.outbox.of_attempt(attempt_id, "capture")


async def test_a_capture_whose_answer_was_lost_is_found_and_not_paid_twice(manual: Shop, bank: Bank) -> None:
    view = await manual.sell(TEA)
    await manual.pays(view)
    bank.fault("payment.capture", "drop", 1)
    await manual.check(view)
    paid = await manual.check(view)
    assert (paid.shown, paid.captured_minor, paid.flags) == (Shown.PAID, TEA.price_minor, ())
    await manual.assert_books()


async def test_a_refused_capture_ends_in_what_the_gateway_says(manual: Shop, bank: Bank) -> None:
    view = await manual.sell(TEA)
    await manual.pays(view)
    bank.fault("payment.capture", "drop", 1, before_work=True)
    await manual.check(view)
    (payment,) = payments_of(manual, view)
    bank.desk("POST", f"/payments/{payment}/settle", {"as": "voided"})
    manual.clock.advance(31)
    after = await manual.check(view)
    assert after.money is Money.UNPAID
    assert [p.state for p in after.payments] == ["voided"]
    await manual.assert_books()


async def test_what_is_not_due_any_more_is_not_captured(manual: Shop, bank: Bank) -> None:
    """Authorized late, after the customer paid cash: the money is let go, and nobody has paid twice."""
    view = await manual.sell(TEA)
    await manual.pays(view, "failed_then_late")
    sent = count_calls(manual, GATEWAY, Operation.CAPTURE)
    cash = await manual.till.cash.take(view.order_id, actor="Owner")
    assert cash.money is Money.PAID
    (payment,) = [p.id for p in cash.payments]
    await authorize_late(manual, payment)
    after = await manual.again(view)
    assert (after.money, after.captured_minor, len(sent)) == (Money.PAID, 0, 0)
    bank.desk("POST", f"/payments/{payment}/settle", {"as": "voided"})
    await sweep(manual)
    lapsed = await manual.again(view)
    assert (lapsed.shown, [p.state for p in lapsed.payments]) == (Shown.PAID, ["voided"])
    assert (await manual.till.day.preview(refresh=False)).exceptions == ()
    await manual.assert_books()


async def authorize_late(shop: Shop, payment: str) -> None:
    """What had failed turns out to have been authorized, and the gateway's webhook says so."""
    shop.bank.desk("POST", f"/payments/{payment}/settle", {"as": "authorized"})
    await shop.till.hints.take(Hint("e:1:t", GATEWAY, "webhook", "", payment, "", "", 1), "e:1:t")


@pytest.mark.usefixtures("patient")
async def test_failed_and_then_authorized_late_is_captured_and_the_order_is_paid(bank: Bank, tmp_path: Path) -> None:
    """Razorpay says failed first, and authorized minutes later: the customer's money is taken, the order paid."""
    shop = open_shop(bank, tmp_path / "home", GATEWAY)
    view = await shop.sell(TEA)
    await shop.pays(view, "failed_then_late")
    seen = await shop.check(view)
    assert [p.state for p in seen.payments] == ["failed"]
    assert seen.shown is Shown.WAITING  # the link is still open: the customer may try again
    (payment,) = [p.id for p in seen.payments]
    await authorize_late(shop, payment)
    paid = await shop.again(view)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, TEA.price_minor)
    await shop.assert_books()
    await shop.till.close()


@pytest.mark.usefixtures("patient")
async def test_late_authorized_after_the_link_was_given_up_is_captured_for_the_order_that_still_owes(
    bank: Bank, tmp_path: Path
) -> None:
    shop = open_shop(bank, tmp_path / "home", GATEWAY)
    view = await shop.sell(TEA)
    await shop.pays(view, "failed_then_late")
    seen = await shop.till.checkout.give_up(view.order_id)
    (payment,) = [p.id for p in seen.payments]
    assert seen.attempt is not None
    assert seen.attempt.phase == Phase.CLOSED
    await authorize_late(shop, payment)
    paid = await shop.check(view)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, TEA.price_minor)
    assert Flag.LATE in paid.flags
    await shop.assert_books()
    await shop.till.close()


async def test_two_authorized_payments_of_one_order_are_not_both_captured(manual: Shop, bank: Bank) -> None:
    """Authorized late beside one that was captured: only what is due is taken."""
    view = await manual.sell(CAKE)
    await manual.pays(view, "failed_then_late")
    (late,) = [p.id for p in (await manual.check(view)).payments]
    await manual.pays(view)
    paid = await manual.check(view)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, CAKE.price_minor)
    await authorize_late(manual, late)
    after = await manual.again(view)
    assert (after.money, after.captured_minor) == (Money.PAID, CAKE.price_minor)
    bank.desk("POST", f"/payments/{late}/settle", {"as": "voided"})
    await sweep(manual)
    lapsed = await manual.again(view)
    assert (lapsed.shown, lapsed.captured_minor, lapsed.refunded_minor) == (Shown.PAID, CAKE.price_minor, 0)
    assert (await manual.till.day.preview(refresh=False)).exceptions == ()
    await manual.assert_books()
