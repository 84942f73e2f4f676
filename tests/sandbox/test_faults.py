"""Each fault, asked for and met: what the caller sees, and what the bank has really done."""

from __future__ import annotations

import email.utils
import json
import time
from typing import Any

import httpx
import pytest

from pos.sandbox import customer
from pos.sandbox.faults import HTTP_KINDS, OPERATIONS, WEBHOOK_KINDS
from tests.sandbox.conftest import Inbox, Shop, eventually, form

SESSIONS = "/v1/checkout/sessions"


def links(shop: Shop) -> list[Any]:
    rows: list[Any] = shop.http.get(SESSIONS).json()["data"]
    return rows


def test_an_answer_lost_after_the_work(shop: Shop) -> None:
    shop.fault("link.create", "drop")
    with pytest.raises(httpx.RemoteProtocolError):
        shop.post(SESSIONS, form(), "k")
    assert len(links(shop)) == 1
    assert shop.post(SESSIONS, form(), "k").json()["id"] == links(shop)[0]["id"]


def test_a_request_lost_before_the_work(shop: Shop) -> None:
    shop.fault("link.create", "drop", before_work=True)
    with pytest.raises(httpx.RemoteProtocolError):
        shop.post(SESSIONS, form(), "k")
    assert links(shop) == []
    assert shop.post(SESSIONS, form(), "k").status_code == 200


def test_a_slow_answer(shop: Shop) -> None:
    shop.fault("link.create", "delay", delay_s=2.0)
    with pytest.raises(httpx.ReadTimeout):
        shop.http.post(SESSIONS, data=form(), timeout=0.2)
    eventually(lambda: len(links(shop)) == 1, within_s=1.5)  # the work is done at once, the answer is late


def test_work_that_begins_after_the_caller_has_gone(shop: Shop) -> None:
    shop.fault("link.create", "delay", delay_s=2.0, before_work=True)
    with pytest.raises(httpx.ReadTimeout):
        shop.http.post(SESSIONS, data=form(), timeout=0.2)
    assert links(shop) == [], "the first look finds nothing"
    eventually(lambda: len(links(shop)) == 1)


def test_too_many_requests_with_a_time_to_wait(shop: Shop) -> None:
    shop.fault("link.list", "rate_limited", count=2, retry_after_s=3)
    answers = [shop.http.get(SESSIONS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "3"
    assert answers[0].json()["error"]["code"] == "rate_limit"


def test_html_instead_of_json(shop: Shop) -> None:
    shop.fault("link.create", "html")
    shop.fault("link.create", "html", status=200, before_work=True)
    bad, worse = shop.post(SESSIONS, form(), "k-1"), shop.post(SESSIONS, form(), "k-2")
    assert (bad.status_code, worse.status_code) == (502, 200)
    assert bad.headers["content-type"].startswith("text/html")
    assert "Bad Gateway" in worse.text
    assert len(links(shop)) == 1


def test_truncated_json(shop: Shop) -> None:
    shop.fault("link.create", "truncated", keep_bytes=25)
    answer = shop.post(SESSIONS, form(), "k")
    assert (answer.status_code, len(answer.content)) == (200, 25)
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert len(links(shop)) == 1


def test_a_status_nobody_has_heard_of(shop: Shop) -> None:
    session = shop.paid()
    shop.fault("link.fetch", "unknown_status")
    shop.fault("payment.list", "unknown_status", word="levitating")
    odd = shop.http.get(f"{SESSIONS}/{session.id}").json()
    assert (odd["status"], odd["payment_status"], odd["amount_total"]) == ("teleported", "teleported", 98400)
    assert shop.http.get("/v1/charges").json()["data"][0]["status"] == "levitating"
    assert shop.http.get(f"{SESSIONS}/{session.id}").json()["status"] == "complete"


def test_a_key_that_is_suddenly_refused(shop: Shop) -> None:
    shop.fault("*", "unauthorized")
    assert shop.http.get("/v1/refunds").status_code == 401
    assert shop.http.get("/v1/refunds").status_code == 200


def test_another_amount_is_paid(shop: Shop) -> None:
    shop.fault("page.pay", "other_amount", amount_minor=98_000)
    session = shop.paid()
    assert session.amount_total == 98_400
    assert session.payment_intent.amount_received == 98_000
    assert session.payment_intent.latest_charge.amount == 98_000


def test_a_payment_that_settles_after_its_link_expired(shop: Shop) -> None:
    shop.control("/settings", {"pending_s": 0.5})
    shop.fault("page.pay", "late")
    session = shop.session()
    assert customer.pay(session.url).outcome == "late"
    assert customer.pay(session.url).outcome == "in_flight", "a second phone cannot pay what is on its way"
    assert shop.look(session.id).status == "open"
    shop.stripe.v1.checkout.sessions.expire(session.id)
    gone = shop.look(session.id)
    assert (gone.status, gone.payment_intent.latest_charge.status) == ("expired", "pending")
    paid = eventually(lambda: (now := shop.look(session.id)).payment_intent.status == "succeeded" and now)
    assert (paid.status, paid.payment_intent.latest_charge.captured) == ("expired", True)


def test_money_out_of_nowhere_on_an_expired_link(shop: Shop) -> None:
    session = shop.session(payment_intent_data={"metadata": {"order": "o1"}})
    shop.stripe.v1.checkout.sessions.expire(session.id)
    shop.control(f"/links/{session.id}/capture")
    (charge,) = shop.stripe.v1.charges.list().data
    assert (charge.amount, charge.metadata["order"]) == (98_400, "o1")
    assert shop.look(session.id).status == "expired"


@pytest.mark.parametrize("own_intent", [True, False])
def test_a_link_paid_twice(shop: Shop, own_intent: bool) -> None:
    session = shop.paid(payment_intent_data={"metadata": {"order": "o1"}})
    shop.control(f"/links/{session.id}/capture", {"own_intent": own_intent})
    charges = shop.stripe.v1.charges.list().data
    assert [charge.amount for charge in charges] == [98_400, 98_400]
    assert {charge.metadata["order"] for charge in charges} == {"o1"}
    assert len({charge.payment_intent for charge in charges}) == (2 if own_intent else 1)
    assert shop.look(session.id).payment_intent.id == session.payment_intent.id
    second = charges[0].payment_intent
    found = shop.stripe.v1.checkout.sessions.list({"payment_intent": second}).data
    assert [item.id for item in found] == [session.id]


def test_a_refund_that_is_pending_first(shop: Shop) -> None:
    charge = shop.paid().payment_intent.latest_charge
    shop.fault("refund.create", "refund_pending", after_s=0.4)
    refund = shop.stripe.v1.refunds.create({"charge": charge.id})
    assert refund.status == "pending"
    eventually(lambda: shop.stripe.v1.refunds.retrieve(refund.id).status == "succeeded")


def test_a_refund_that_fails_after_it_had_succeeded(shop: Shop) -> None:
    charge = shop.paid().payment_intent.latest_charge
    shop.fault("refund.create", "refund_fails", after_s=0.4)
    refund = shop.stripe.v1.refunds.create({"charge": charge.id})
    assert refund.status == "succeeded"
    failed = eventually(lambda: (now := shop.stripe.v1.refunds.retrieve(refund.id)).status == "failed" and now)
    assert failed.failure_reason == "expired_or_canceled_card"
    back = shop.stripe.v1.balance_transactions.retrieve(failed.failure_balance_transaction)
    assert (back.amount, back.type) == (98_400, "payment_failure_refund")
    again = shop.stripe.v1.refunds.create({"charge": charge.id})
    assert (again.status, again.amount) == ("succeeded", 98_400)


def test_the_banks_clock_is_in_every_answer(shop: Shop) -> None:
    shop.control("/settings", {"clock_offset_s": -7200.0})
    for path in (SESSIONS, "/", "/_sandbox"):
        date = email.utils.parsedate_to_datetime(shop.http.get(path).headers["date"]).timestamp()
        assert abs(date - (time.time() - 7200)) < 5
    assert abs(shop.session().created - (time.time() - 7200)) < 5


def test_faults_come_one_at_a_time_in_order(shop: Shop) -> None:
    shop.fault("link.*", "rate_limited")
    shop.fault("link.list", "error_500")
    shop.fault("payment.list", "unauthorized")
    assert [shop.http.get(SESSIONS).status_code for _ in range(3)] == [429, 500, 200]
    assert [fault["kind"] for fault in shop.control("/faults", method="GET")] == ["unauthorized"]
    assert shop.control("/faults", method="DELETE") == {"cleared": 1}
    assert shop.http.get("/v1/charges").status_code == 200


def test_the_page_can_fail_too(shop: Shop) -> None:
    session = shop.session()
    shop.fault("page.pay", "drop")
    with pytest.raises(Exception, match="Nobody answered"):
        customer.pay(session.url)
    assert customer.pay(session.url).outcome == "already_paid"
    shop.fault("page.show", "html")
    assert httpx.get(session.url, trust_env=False).status_code == 502


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "link.creat", "kind": "drop"},
        {"operation": "link.create", "kind": "dropped"},
        {"operation": "webhook", "kind": "drop"},
        {"operation": "link.create", "kind": "drop", "count": 0},
        {"operation": "link.create", "kind": "drop", "count": True},
        {"operation": "link.create", "kind": "drop", "colour": "blue"},
        {"operation": "link.create", "kind": "drop", "before_work": 1},
        {"operation": "link.create", "kind": "delay", "delay_s": 601},
        {"operation": "link.create", "kind": "delay", "delay_s": "long"},
        {"kind": "drop"},
    ],
)
def test_a_fault_that_cannot_be(shop: Shop, body: dict[str, Any]) -> None:
    answer = httpx.post(f"{shop.url}/_sandbox/faults", json=body, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert shop.control("/faults", method="GET") == []


def test_every_kind_and_operation_is_documented() -> None:
    from tests.processes import ROOT

    text = (ROOT / "docs" / "sandbox.md").read_text()
    for word in [*HTTP_KINDS, *WEBHOOK_KINDS, *OPERATIONS]:
        assert f"`{word}`" in text, word


# -- webhooks ----------------------------------------------------------------------------------------------------------


def test_a_webhook_is_sent_again_until_it_is_taken(shop: Shop, inbox: Inbox) -> None:
    inbox.answers = [500, 404]
    shop.session()
    shop.stripe.v1.checkout.sessions.expire(shop.session().id)
    inbox.wait(lambda: len(inbox.arrived) == 3, within_s=15)
    assert len({event["id"] for event in inbox.events()}) == 1
    eventually(lambda: [row["state"] for row in shop.control("/deliveries", method="GET")][:1] == ["delivered"])
    assert shop.control("/deliveries", method="GET")[0]["tries"] == 3
    event = shop.stripe.v1.events.retrieve(inbox.events()[0]["id"])
    assert (event.pending_webhooks, inbox.events()[0]["pending_webhooks"]) == (0, 1)


def test_a_webhook_is_lost(shop: Shop, inbox: Inbox) -> None:
    shop.fault("webhook.checkout.session.completed", "dropped")
    shop.paid()
    inbox.wait(lambda: len(inbox.arrived) == 3)
    assert "checkout.session.completed" not in inbox.types()
    lost = next(event for event in shop.stripe.v1.events.list().data if event.type == "checkout.session.completed")
    shop.control(f"/events/{lost.id}/resend")
    inbox.wait(lambda: "checkout.session.completed" in inbox.types())


def test_a_webhook_comes_twice(shop: Shop, inbox: Inbox) -> None:
    shop.fault("webhook", "duplicated", times=3)
    shop.stripe.v1.checkout.sessions.expire(shop.session().id)
    inbox.wait(lambda: len(inbox.arrived) == 3)
    assert len({event["id"] for event in inbox.events()}) == 1


def test_webhooks_come_in_reverse(shop: Shop, inbox: Inbox) -> None:
    shop.fault("webhook", "reversed", count=4, gap_s=0.5)
    shop.paid()
    inbox.wait(lambda: len(inbox.arrived) == 4)
    assert inbox.types() == [
        "checkout.session.completed",
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ]


def test_a_webhook_comes_late(shop: Shop, inbox: Inbox) -> None:
    shop.fault("webhook.checkout.session.expired", "delayed", count=2, delay_s=0.7)
    began = time.monotonic()
    shop.stripe.v1.checkout.sessions.expire(shop.session().id)
    inbox.wait(lambda: len(inbox.arrived) == 1)
    assert time.monotonic() - began >= 0.7
    assert [fault["remaining"] for fault in shop.control("/faults", method="GET")] == [1], "a delivery meets one fault"


def test_a_webhook_with_a_wrong_signature_is_followed_by_a_right_one(shop: Shop, inbox: Inbox) -> None:
    import stripe

    def verifies(number: int) -> bool:
        headers, body = inbox.arrived[number]
        try:
            stripe.Webhook.construct_event(body, headers["Stripe-Signature"], inbox.secret)
        except stripe.SignatureVerificationError:
            return False
        return True

    inbox.answers = [401]
    shop.fault("webhook", "bad_signature")
    shop.stripe.v1.checkout.sessions.expire(shop.session().id)
    inbox.wait(lambda: len(inbox.arrived) == 2)
    assert [verifies(0), verifies(1)] == [False, True]


def test_nobody_at_the_webhooks_address_is_no_harm(shop: Shop) -> None:
    shop.control("/webhooks", {"url": "http://127.0.0.1:9/none", "secret": "s", "account": shop.account})
    shop.paid()
    tried = eventually(lambda: [row for row in shop.control("/deliveries", method="GET") if row["tries"]])
    assert tried[0]["last_status"] is None
