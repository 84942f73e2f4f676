"""Stripe's report: windows, pages, payouts with their lines."""

from __future__ import annotations

from typing import Any

import pytest

from pos.domain.facts import Kind, Mode
from pos.domain.ports import Outcome, Part
from pos.gateways.base import parameters
from pos.gateways.stripe.adapter import StripeAdapter
from tests.gateways.stripe_shapes import answer, balance, charge, dispute, error, listed, refund

STRIPE = StripeAdapter(account="acct_1", mode=Mode.TEST)
FROM_MS, TO_MS = 1_790_000_000_500, 1_790_086_400_500


def payout(**changes: Any) -> dict[str, Any]:
    made = {"id": "po_1", "object": "payout", "livemode": False, "automatic": True, "status": "paid"}
    return made | changes


@pytest.mark.parametrize("part", [Part.PAYMENTS, Part.REFUNDS, Part.PAYOUTS])
def test_the_window_is_whole_seconds_that_hold_it(part: Part) -> None:
    asked = parameters(STRIPE.report(part, FROM_MS, TO_MS).path)
    assert (asked["created[gte]"], asked["created[lte]"]) == ("1790000000", "1790086401")


def test_disputes_are_looked_for_as_long_as_they_can_run() -> None:
    asked = parameters(STRIPE.report(Part.DISPUTES, FROM_MS, TO_MS).path)
    assert int(asked["created[gte]"]) == 1_790_000_000 - 540 * 86_400


def test_pages_follow_the_last_row_and_end() -> None:
    first = STRIPE.report(Part.PAYMENTS, FROM_MS, TO_MS)
    page = STRIPE.read(first, answer(listed(charge(id="ch_2"), charge(), more=True)))
    assert (page.outcome, page.rows) == (Outcome.OK, 2)
    assert page.next is not None
    assert parameters(page.next.path) == parameters(first.path) | {"starting_after": "ch_1"}
    again = STRIPE.read(page.next, answer(listed(charge(id="ch_0"), more=True)))
    assert again.next is not None
    assert parameters(again.next.path)["starting_after"] == "ch_0"
    assert again.next.path.count("starting_after") == 1
    assert STRIPE.read(again.next, answer(listed())).next is None


def test_a_list_that_does_not_go_on_is_not_understood() -> None:
    first = STRIPE.report(Part.PAYMENTS, FROM_MS, TO_MS)
    assert STRIPE.read(first, answer(listed(more=True))).outcome is Outcome.UNKNOWN
    page = STRIPE.read(first, answer(listed(charge(), more=True)))
    assert page.next is not None
    assert STRIPE.read(page.next, answer(listed(charge(), more=True))).outcome is Outcome.UNKNOWN


def test_the_same_row_twice_is_one_fact() -> None:
    reading = STRIPE.read(STRIPE.report(Part.PAYMENTS, FROM_MS, TO_MS), answer(listed(charge(), charge())))
    assert reading.rows == 2
    assert [fact.kind for fact in reading.facts].count(Kind.PAYMENT_CAPTURED) == 1


def test_one_row_that_is_not_understood_is_named_and_hides_no_other() -> None:
    call = STRIPE.report(Part.PAYMENTS, FROM_MS, TO_MS)
    odd = charge(id="ch_2", status="a_new_word")
    reading = STRIPE.read(call, answer(listed(odd, charge(), more=True)))
    assert reading.outcome is Outcome.OK
    assert {fact.object for fact in reading.facts} == {"ch_1"}
    (named,) = reading.odd
    assert named.startswith("ch_2: ")
    assert "a_new_word" in named
    assert reading.next is not None
    assert "starting_after=ch_1" in reading.next.path


def test_a_row_without_an_id_spoils_the_page_since_nobody_knows_where_the_next_begins() -> None:
    call = STRIPE.report(Part.PAYMENTS, FROM_MS, TO_MS)
    reading = STRIPE.read(call, answer(listed(charge(), charge(id=None), more=True)))
    assert (reading.outcome, reading.facts, reading.next) == (Outcome.UNKNOWN, (), None)


def test_refunds_bring_their_charges_mode_and_reference() -> None:
    call = STRIPE.report(Part.REFUNDS, FROM_MS, TO_MS)
    reading = STRIPE.read(call, answer(listed(refund(charge=charge()), refund(id="re_2", charge="ch_5"))))
    assert {f.object for f in reading.facts if f.kind is Kind.REFUND_SUCCEEDED} == {"re_1", "re_2"}
    assert {f.object for f in reading.facts if f.kind is Kind.PAYMENT_OF_REFERENCE} == {"ch_1"}


def test_disputes() -> None:
    call = STRIPE.report(Part.DISPUTES, FROM_MS, TO_MS)
    reading = STRIPE.read(call, answer(listed(dispute())))
    assert {fact.kind for fact in reading.facts} == {Kind.DISPUTE_OPEN, Kind.DISPUTE_OF_PAYMENT}


def test_each_payout_is_followed_by_its_lines_and_then_the_next() -> None:
    first = STRIPE.report(Part.PAYOUTS, FROM_MS, TO_MS)
    assert parameters(first.path)["limit"] == "1"
    one = STRIPE.read(first, answer(listed(payout(id="po_2"), more=True)))
    assert one.next is not None
    assert parameters(one.next.path)["payout"] == "po_2"
    rows = (
        balance(),
        balance(id="txn_2", source="re_1", amount=-500, fee=0, type="refund"),
        balance(id="txn_3", source=None, amount=0, fee=10, type="stripe_fee"),
    )
    lines = STRIPE.read(one.next, answer(listed(*rows, more=True)))
    told = {(f.object, f.target, f.amount_minor, f.fee_minor) for f in lines.facts}
    assert told == {("ch_1", "po_2", 1250, 45), ("re_1", "po_2", -500, 0), ("txn_3", "po_2", 0, 10)}
    assert lines.next is not None
    assert parameters(lines.next.path)["starting_after"] == "txn_3"
    rest = STRIPE.read(lines.next, answer(listed(balance(id="txn_4", source="po_2", amount=-750, fee=0))))
    assert rest.facts == ()
    assert rest.next is not None
    assert rest.next.path.startswith("/v1/payouts?")
    assert parameters(rest.next.path) == parameters(first.path) | {"starting_after": "po_2"}
    last = STRIPE.read(rest.next, answer(listed(payout())))
    assert last.next is not None
    assert STRIPE.read(last.next, answer(listed(balance()))).next is None


@pytest.mark.parametrize("changes", [{"automatic": False}, {"status": "failed"}, {"status": "canceled"}])
def test_a_payout_without_lines_is_passed_over(changes: dict[str, Any]) -> None:
    first = STRIPE.report(Part.PAYOUTS, FROM_MS, TO_MS)
    reading = STRIPE.read(first, answer(listed(payout(**changes), more=True)))
    assert reading.next is not None
    assert reading.next.path.startswith("/v1/payouts?")


def test_more_payouts_than_asked_for_are_not_passed_over() -> None:
    call = STRIPE.report(Part.PAYOUTS, FROM_MS, TO_MS)
    assert STRIPE.read(call, answer(listed(payout(), payout(id="po_0")))).outcome is Outcome.UNKNOWN


def test_errors_in_a_report() -> None:
    call = STRIPE.report(Part.PAYMENTS, FROM_MS, TO_MS)
    assert STRIPE.read(call, error(400)).outcome is Outcome.REFUSED
    assert STRIPE.read(call, error(500, kind="api_error")).outcome is Outcome.UNKNOWN
