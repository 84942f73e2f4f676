"""Stripe's own client, unmodified but for its address, lives through the whole life of a payment."""

from __future__ import annotations

import time

import pytest
import stripe

from pos.sandbox import customer
from tests.sandbox.conftest import Inbox, Shop

pytestmark = [pytest.mark.judge, pytest.mark.judge_stripe_sdk]


def test_a_session_is_created_paid_and_found_again(judge: Shop) -> None:
    session = judge.session(
        client_reference_id="0190-abc_1",
        metadata={"till": "1"},
        payment_intent_data={"metadata": {"order": "0190-abc", "shop": "s1"}},
    )
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 98400)
    assert session.livemode is False

    result = customer.pay(session.url)
    assert result.outcome == "paid"
    assert result.location == f"http://127.0.0.1:9/done?session={session.id}"

    paid = judge.look(session.id)
    charge = paid.payment_intent.latest_charge
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.client_reference_id == "0190-abc_1"
    assert paid.payment_intent.status == "succeeded"
    assert charge.metadata.to_dict() == paid.payment_intent.metadata.to_dict() == {"order": "0190-abc", "shop": "s1"}
    assert (charge.amount_captured, charge.currency, charge.captured) == (98400, "inr", True)
    found = judge.stripe.v1.checkout.sessions.list({"payment_intent": paid.payment_intent.id})
    assert [item.id for item in found.data] == [session.id]


def test_lists_page_both_ways_and_filter_by_time(judge: Shop) -> None:
    made = [judge.session(1000 + number).id for number in range(7)]
    newest_first = list(reversed(made))
    sessions = judge.stripe.v1.checkout.sessions
    assert [item.id for item in sessions.list({"limit": 3}).auto_paging_iter()] == newest_first
    forward = sessions.list({"limit": 2, "starting_after": newest_first[2]})
    assert [item.id for item in forward.data] == newest_first[3:5]
    assert forward.has_more
    back = sessions.list({"limit": 2, "ending_before": newest_first[5]})
    assert [item.id for item in back.data] == newest_first[3:5]
    walked = [item.id for item in back.auto_paging_iter()]
    assert walked == made[2:]  # the client walks back from the page it has, oldest of each page first
    assert list(sessions.list({"created": {"gt": int(time.time()) + 60}}).auto_paging_iter()) == []
    assert (
        len(list(sessions.list({"created": {"gte": int(time.time()) - 60}, "status": "open"}).auto_paging_iter())) == 7
    )


def test_money_goes_back_in_parts_and_never_more_than_came(judge: Shop) -> None:
    intent = judge.paid(10_000).payment_intent
    refunds = judge.stripe.v1.refunds
    first = refunds.create({"payment_intent": intent.id, "amount": 2500, "metadata": {"refund": "r1"}})
    assert (first.status, first.charge, first.amount) == ("succeeded", intent.latest_charge.id, 2500)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount on charge") as too_much:
        refunds.create({"payment_intent": intent.id, "amount": 7501})
    assert too_much.value.param == "amount"
    rest = refunds.create({"charge": intent.latest_charge.id})
    assert rest.amount == 7500
    with pytest.raises(stripe.InvalidRequestError) as again:
        refunds.create({"charge": intent.latest_charge.id})
    assert again.value.code == "charge_already_refunded"
    assert [item.id for item in refunds.list({"charge": intent.latest_charge.id}).data] == [rest.id, first.id]
    charge = judge.stripe.v1.charges.retrieve(intent.latest_charge.id, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (10_000, True)
    assert [item.id for item in charge.refunds.data] == [rest.id, first.id]


def test_balance_fees_and_payout_add_up(judge: Shop) -> None:
    charge = judge.paid(98_400).payment_intent.latest_charge
    judge.stripe.v1.refunds.create({"charge": charge.id, "amount": 400})
    (payout,) = judge.control("/payouts", {"account": judge.account})
    rows = list(
        judge.stripe.v1.balance_transactions.list(
            {"payout": payout["id"], "expand": ["data.source"]}
        ).auto_paging_iter()
    )
    assert [(row.type, row.amount, row.fee, row.net) for row in rows] == [
        ("payout", -95_116, 0, -95_116),
        ("payment_refund", -400, 0, -400),
        ("payment", 98_400, 2884, 95_516),  # 2.9 % = 2853.6, rounded half up, and 30
    ]
    assert rows[2].source.id == charge.id
    kept = judge.stripe.v1.payouts.retrieve(payout["id"])
    assert (kept.amount, kept.status) == (95_116, "paid")
    assert judge.control("/payouts", {"account": judge.account}) == []


def test_events_are_listed_and_webhooks_verify(judge: Shop, inbox: Inbox) -> None:
    session = judge.paid()
    inbox.wait(lambda: "checkout.session.completed" in inbox.types())
    verified = [
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], inbox.secret)  # type: ignore[no-untyped-call]
        for headers, body in list(inbox.arrived)
    ]
    completed = next(event for event in verified if event.type == "checkout.session.completed")
    assert completed.data.object["id"] == session.id
    headers, body = inbox.arrived[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "another secret")  # type: ignore[no-untyped-call]
    listed = {event.id: event.type for event in judge.stripe.v1.events.list().auto_paging_iter()}
    assert listed.items() >= {event.id: event.type for event in verified}.items()
    assert sorted(listed.values()) == [
        "charge.succeeded",
        "checkout.session.completed",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]
    only = judge.stripe.v1.events.list({"types": ["charge.succeeded", "charge.failed"]})
    assert [event.type for event in only.data] == ["charge.succeeded"]
