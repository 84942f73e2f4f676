"""One shop with two gateways: switching in the middle of an order, keys that change, codes that are no page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pos.domain.errors import BadInput, OutcomeUnknown, Refused
from pos.domain.facts import Kind
from pos.domain.payment import Phase
from pos.domain.ports import Asked, Gateway, LinkRequest, Operation, Outcome, PreparedCall
from pos.domain.shown import Shown
from pos.domain.verdict import Flag
from pos.services import reconcile
from pos.services.views import OrderView
from tests.services.test_money import link_of, sweep
from tests.shop import CAKE, TEA, Bank, Shop, open_shop, reopen

OTHER = {"stripe": "razorpay", "razorpay": "stripe"}


def count_calls(shop: Shop, gateway: str, operation: Operation) -> list[PreparedCall]:
    """Every call of this operation that is made from now on."""
    made: list[PreparedCall] = []
    gate = shop.till.desk.at_hand(gateway)
    assert gate is not None
    true_ask = gate.ask

    async def counted(call: PreparedCall, *, timeout_s: float) -> object:
        if call.operation is operation:
            made.append(call)
        return await true_ask(call, timeout_s=timeout_s)

    object.__setattr__(gate, "ask", counted)
    return made


async def test_two_orders_at_two_gateways_are_paid_swept_and_the_books_verify(shop: Shop) -> None:
    first = await shop.sell(TEA)
    second = await shop.till.checkout.sell(shop.lines(CAKE), OTHER[shop.gateway])
    for view in (first, second):
        await shop.pays(view)
    for name in shop.till.desk.names():
        assert (
            await shop.till.reconcile.sweep(
                name, from_ms=shop.clock.now_ms() - 3_600_000, to_ms=shop.clock.now_ms() + 60_000
            )
        ).complete
    assert (await shop.again(first)).shown is Shown.PAID
    assert (await shop.again(second)).shown is Shown.PAID
    day = await shop.till.day.preview(refresh=False)
    assert day.exceptions == ()
    await shop.assert_books()


async def test_another_gateway_in_the_middle_of_an_order_closes_the_first_link_first(shop: Shop) -> None:
    view = await shop.sell(TEA)
    switched = await shop.till.checkout.issue(view.order_id, OTHER[shop.gateway])
    assert switched.attempt is not None
    assert (switched.attempt.no, switched.attempt.gateway) == (2, OTHER[shop.gateway])
    assert (await shop.pays(view)).outcome in ("expired", "unknown")  # the first code takes nothing any more
    await shop.pays(switched)
    paid = await shop.check(switched)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, TEA.price_minor)
    await shop.assert_books()


async def test_a_link_that_was_paid_meanwhile_is_not_switched(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    after = await shop.till.checkout.issue(view.order_id, OTHER[shop.gateway])
    assert (after.shown, after.captured_minor) == (Shown.PAID, TEA.price_minor)
    assert after.attempt is not None
    assert after.attempt.no == 1


async def test_a_link_that_is_not_confirmed_closed_keeps_the_other_gateway_out(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    bank.fault("link.close", "drop", 1)
    bank.fault("link.fetch", "drop", 4)
    with pytest.raises(OutcomeUnknown, match="not confirmed closed"):
        await shop.till.checkout.issue(view.order_id, OTHER[shop.gateway])
    bank.clear()
    again = await shop.till.checkout.issue(view.order_id, OTHER[shop.gateway])
    assert again.attempt is not None
    assert (again.attempt.no, again.attempt.phase) == (2, Phase.OPEN)


async def paid_at_both(shop: Shop) -> OrderView:
    """An order that was switched to the other gateway and paid there, and then at the first one all the same."""
    view = await shop.sell(TEA)
    switched = await shop.till.checkout.issue(view.order_id, OTHER[shop.gateway])
    await shop.pays(switched)
    await shop.check(switched)
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {"own_intent": False})
    await sweep(shop)
    return await shop.again(view)


async def test_the_first_gateway_captures_after_the_switch_and_the_second_payment_is_seen(shop: Shop) -> None:
    """The worst of switching: both gateways have money. Nothing hides it, and one key gives the second back."""
    twice = await paid_at_both(shop)
    assert (twice.shown, twice.owed_minor) == (Shown.PAID_TWICE, TEA.price_minor)
    assert Flag.DOUBLE in twice.flags
    right = await shop.till.refunds.refund_owed(twice.order_id, reason="twice", actor="Owner")
    assert right.shown is Shown.PAID
    await shop.assert_books()


async def test_an_unanswered_link_at_one_gateway_does_not_hold_up_the_other(shop: Shop, bank: Bank) -> None:
    shop.lose_link_calls()
    view = await shop.sell(TEA)
    assert view.shown is Shown.UNKNOWN
    bank.clear()
    switched = await shop.till.checkout.issue(view.order_id, OTHER[shop.gateway])
    assert switched.attempt is not None
    assert (switched.attempt.gateway, switched.attempt.phase) == (OTHER[shop.gateway], Phase.OPEN)
    shop.clock.advance(61)
    while await shop.probe():
        shop.clock.advance(5)
    attempts = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))
    orphan = next(a for a in attempts if a.no == 1)
    assert (orphan.phase, orphan.fence_kind, bool(orphan.link_id)) == (Phase.ABANDONED, "expired", True)
    await shop.assert_books()


async def test_without_a_key_at_the_gateway_a_link_call_is_never_sent_twice(bank: Bank, tmp_path: Path) -> None:
    """Razorpay has no key for links: what an unanswered call may have made is looked for, and shown once found."""
    shop = open_shop(bank, tmp_path / "home", "razorpay")
    await shop.till.desk.get("razorpay")
    sent = count_calls(shop, "razorpay", Operation.CREATE)
    bank.fault("link.create", "drop", 1)
    view = await shop.sell(TEA)
    assert (view.shown, len(sent)) == (Shown.WAITING, 1)
    bank.fault("link.create", "html", 1)
    unread = await shop.sell(CAKE)
    assert (unread.shown, len(sent)) == (Shown.WAITING, 2)
    shop.lose_link_calls()
    unknown = await shop.sell(TEA)
    assert (unknown.shown, len(sent)) == (Shown.UNKNOWN, 3)
    bank.clear()
    pressed = await shop.till.checkout.issue(unknown.order_id, "razorpay")
    assert (pressed.shown, len(sent)) == (Shown.WAITING, 3)
    bank.fault("link.create", "rate_limited", 1, retry_after_s=0)
    refused_first = await shop.sell(TEA)  # a refusal for being too busy made nothing: it may be sent again
    assert (refused_first.shown, len(sent)) == (Shown.WAITING, 5)
    await shop.assert_books()
    await shop.till.close()


async def test_a_found_link_of_another_amount_is_not_shown(bank: Bank, tmp_path: Path) -> None:
    shop = open_shop(bank, tmp_path / "home", "razorpay")
    gate = await shop.till.desk.get("razorpay")
    shop.lose_link_calls(before_work=True)
    view = await shop.sell(TEA)
    bank.clear()
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(view.order_id))[-1]
    row = shop.till.database.read_now(lambda tx: tx.outbox.of_attempt(attempt.id, "create"))
    assert row is not None
    forged = row.call._replace(body=row.call.body.replace(b"6000", b"7000"))
    await shop.till.desk.ask(gate, forged)
    again = await shop.till.checkout.issue(view.order_id, "razorpay")
    assert again.shown is Shown.UNKNOWN
    assert again.attempt is not None
    assert again.attempt.qr_text == ""
    await shop.till.close()


async def test_a_new_key_of_the_same_account_keeps_the_account_and_another_account_is_seen(
    bank: Bank, tmp_path: Path
) -> None:
    """Razorpay has no call that names the account: the last link tells a replaced key from a stranger's."""
    shop = open_shop(bank, tmp_path / "home", "razorpay")
    view = await shop.sell(TEA)
    await shop.pays(view)
    account = (await shop.till.desk.get("razorpay")).adapter.account
    assert account == shop.keys["gateways.razorpay.key_id"]
    await shop.till.close()
    renewed = bank.second_key(shop.keys["gateways.razorpay.key_id"])
    keys = {**shop.keys, "gateways.razorpay.key_id": renewed, "gateways.razorpay.secret_key": "renewed_secret"}
    second = reopen(Shop(shop.till, bank, shop.clock, shop.home, keys, "razorpay"))
    assert (await second.till.desk.get("razorpay")).adapter.account == account
    paid = await second.check(view)
    assert (paid.shown, paid.flags) == (Shown.PAID, ())
    await second.assert_books()
    await second.till.close()
    third = reopen(Shop(shop.till, bank, shop.clock, shop.home, {**shop.keys, **bank.new_keys()}, "razorpay"))
    assert (await third.till.desk.get("razorpay")).adapter.account != account
    await third.till.close()


async def test_a_upi_code_is_shown_scanned_paid_and_closed(bank: Bank, tmp_path: Path) -> None:
    shop = open_shop(bank, tmp_path / "home", "razorpay", qr={"razorpay": "upi"})
    view = await shop.sell(TEA)
    assert view.attempt is not None
    assert view.attempt.qr_text.startswith("upi://pay?")
    assert view.attempt.link_id.startswith("qr_")
    assert (await shop.pays(view)).outcome == "paid"
    paid = await shop.check(view)
    assert (paid.shown, paid.captured_minor) == (Shown.PAID, TEA.price_minor)
    second = await shop.sell(CAKE)
    given_up = await shop.till.checkout.give_up(second.order_id)
    assert given_up.attempt is not None
    assert (given_up.attempt.phase, given_up.shown) == (Phase.CLOSED, Shown.EXPIRED)
    assert (await shop.pays(second)).outcome not in ("paid", "already_paid")
    await shop.assert_books()
    await shop.till.close()


async def test_an_account_without_upi_codes_says_so_and_loses_no_order(bank: Bank, tmp_path: Path) -> None:
    shop = open_shop(bank, tmp_path / "home", "razorpay", qr={"razorpay": "upi"})
    bank.account_setting(shop.keys["gateways.razorpay.key_id"], qr_codes=False)
    with pytest.raises(Refused, match="made no link"):
        await shop.sell(TEA, key="k")
    view = await shop.till.queries.order("k")
    assert (view.shown, view.left_minor) == (Shown.UNPAID, TEA.price_minor)
    await shop.till.close()


def test_a_gateway_that_makes_no_upi_codes_is_not_set_to_them(bank: Bank, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="makes no UPI codes"):
        open_shop(bank, tmp_path / "home", "stripe", qr={"stripe": "upi"})


async def test_a_sweep_asks_for_the_orders_of_payments_that_the_report_does_not_name(
    bank: Bank, tmp_path: Path
) -> None:
    """A till restored from an old copy: Razorpay's report names no reference, so each unknown payment is asked for."""
    shop = open_shop(bank, tmp_path / "home", "razorpay")
    view = await shop.sell(TEA)
    await shop.pays(view)
    other = open_shop(bank, tmp_path / "other", "razorpay")
    shop_id = shop.till.shop.shop_id
    other.till.database.write_now(lambda tx: tx.shop.set_meta("shop_id", shop_id))
    await other.till.close()
    other = reopen(Shop(other.till, bank, shop.clock, other.home, shop.keys, "razorpay"))
    await other.till.desk.get("razorpay")
    asked = count_calls(other, "razorpay", Operation.FETCH_PAYMENT)
    await sweep(other)
    assert len(asked) > 0
    (parked,) = other.till.database.read_now(lambda tx: tx.facts.parked())
    assert (parked.kind, parked.amount_minor) == ("orphan", TEA.price_minor)
    first = len(asked)
    await sweep(other)
    assert len(asked) == first  # each is asked for once
    await other.till.close()
    await shop.till.close()


async def test_a_payment_made_without_us_is_foreign_and_asked_for_once(bank: Bank, tmp_path: Path) -> None:
    shop = open_shop(bank, tmp_path / "home", "razorpay")
    gate = await shop.till.desk.get("razorpay")
    asking = LinkRequest("k" * 12, "not-one-of-ours", TEA.price_minor, "INR", "Web shop", "", "", "")
    (link,) = (await shop.till.desk.ask(gate, gate.adapter.create(asking))).reading.links
    await shop.pay_address(link.url)
    asked = count_calls(shop, "razorpay", Operation.FETCH_PAYMENT)
    for _ in range(2):
        await sweep(shop)
    (parked,) = shop.till.database.read_now(lambda tx: tx.facts.parked())
    assert parked.kind == "foreign"
    assert len({call.path for call in asked}) == len(asked)
    facts = shop.till.database.read_now(lambda tx: tx.facts.of_payments([("razorpay", parked.payment)]))
    assert Kind.PAYMENT_OF_LINK in {fact.kind for own in facts.values() for fact in own}
    assert (await shop.till.queries.orders()) == []
    await shop.till.close()


async def paid_elsewhere(shop: Shop, number: int) -> None:
    """A payment on the shop's account that somebody else's web shop asked for."""
    gate = await shop.till.desk.get("razorpay")
    asking = LinkRequest(f"k{number}" * 6, f"web-{number}", TEA.price_minor, "INR", "Web shop", "other", "web", "")
    (link,) = (await shop.till.desk.ask(gate, gate.adapter.create(asking))).reading.links
    await shop.pay_address(link.url)


async def test_more_foreign_payments_than_a_sweep_asks_for_are_gone_on_with_by_the_next(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked for once; when all have been, the run is complete."""
    monkeypatch.setattr(reconcile, "LOOK_UPS_MAX", 2)
    shop = open_shop(bank, tmp_path / "home", "razorpay")
    for number in range(5):
        await paid_elsewhere(shop, number)
    asked = count_calls(shop, "razorpay", Operation.FETCH_PAYMENT)
    now = shop.till.context.now_ms()
    window = {"from_ms": now - 3_600_000, "to_ms": now + 60_000}
    runs = [await shop.till.reconcile.sweep("razorpay", **window) for _ in range(4)]
    assert [run.complete for run in runs] == [False, False, True, True], [run.note for run in runs]
    assert len({call.path for call in asked}) == len(asked)
    await shop.till.close()


async def test_payments_that_cannot_be_looked_up_keep_no_other_from_it(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as a run bears: the next one begins with those that were not tried yet."""
    monkeypatch.setattr(reconcile, "LOOK_UPS_FAILED_MAX", 2)
    shop = open_shop(bank, tmp_path / "home", "razorpay")
    for number in range(4):
        await paid_elsewhere(shop, number)
    odd: set[str] = set()
    ask = shop.till.desk.ask

    async def refusing(gate: Gateway, call: PreparedCall, **more: Any) -> Asked:
        asked = await ask(gate, call, **more)
        if call.operation is not Operation.FETCH_PAYMENT or (len(odd) == 2 and call.path not in odd):
            return asked
        odd.add(call.path)
        return asked._replace(reading=asked.reading._replace(outcome=Outcome.REFUSED, facts=(), next=None))

    monkeypatch.setattr(shop.till.desk, "ask", refusing)
    now = shop.till.context.now_ms()
    window = {"from_ms": now - 3_600_000, "to_ms": now + 60_000}
    notes = [(await shop.till.reconcile.sweep("razorpay", **window)).note for _ in range(2)]
    assert notes[0] == "4 payments are still to be looked up"
    assert notes[1].endswith("could not be looked up")  # the odd ones alone
    left = shop.till.database.read_now(lambda tx: tx.facts.unbound("razorpay", [p.payment for p in tx.facts.parked()]))
    assert {f"/v1/payments/{payment}" for payment in left} == {path.partition("?")[0] for path in odd}
    await shop.till.close()


async def test_a_foreign_payment_in_another_currency_is_not_added_to_the_days_rupees(shop: Shop) -> None:
    """Dollars that somebody else took through the same account were added to the day's rupees as if they were some."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    gate = await shop.till.desk.get(shop.gateway)
    asking = LinkRequest("k" * 12, "not-one-of-ours", 5_000, "USD", "Web shop", "other", "web", "https://example.com/")
    (link,) = (await shop.till.desk.ask(gate, gate.adapter.create(asking))).reading.links
    await shop.pay_address(link.url)
    await sweep(shop)
    day = await shop.till.day.preview(refresh=False)
    there = {row.key: row.there_minor for row in day.totals}
    assert (there[shop.gateway], day.parked_count, day.parked_minor) == (TEA.price_minor, 1, 0)
    payout, fees = there["payout"], there["fees"]
    assert fees is not None
    assert payout == TEA.price_minor + fees


async def test_a_gateway_whose_keys_are_missing_keeps_the_other_one_selling(shop: Shop) -> None:
    keys = {name: value for name, value in shop.keys.items() if not name.startswith(f"gateways.{OTHER[shop.gateway]}.")}
    await shop.till.close()
    half = reopen(Shop(shop.till, shop.bank, shop.clock, shop.home, keys, shop.gateway))
    assert (await half.sell(TEA)).shown is Shown.WAITING
    with pytest.raises(BadInput, match="is not set"):
        await half.till.checkout.sell(half.lines(TEA), OTHER[shop.gateway])
    await half.till.close()
