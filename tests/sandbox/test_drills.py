"""What happens to money after it came: slow payments, authorizations, disputes, payouts; and who may ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from pos.sandbox import customer
from pos.sandbox.bank import Bank
from pos.sandbox.control import control_routes
from pos.sandbox.stripe_dialect import StripeDialect
from tests.sandbox.conftest import Inbox, Shop, eventually, form


def types(shop: Shop) -> list[str]:
    """Oldest first."""
    return [event.type for event in shop.stripe.v1.events.list().auto_paging_iter()][::-1]


def test_a_slow_payment_arrives(shop: Shop, inbox: Inbox) -> None:
    session = shop.session()
    customer.pay(session.url, "pending")
    charge = shop.look(session.id).payment_intent.latest_charge
    shop.control(f"/payments/{charge.id}/settle")
    assert types(shop) == [
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "checkout.session.completed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ]
    inbox.wait(lambda: "checkout.session.async_payment_succeeded" in inbox.types())
    completed = next(event for event in inbox.events() if event["type"] == "checkout.session.completed")
    assert completed["data"]["object"]["payment_status"] == "unpaid", "as it was when it was said"


def test_a_slow_payment_never_arrives(shop: Shop) -> None:
    shop.control("/settings", {"pending_s": 0.2})
    session = shop.session()
    assert customer.pay(session.url, "pending_fails").outcome == "pending"
    failed = eventually(lambda: (now := shop.look(session.id)).payment_intent.latest_charge.status == "failed" and now)
    assert (failed.status, failed.payment_status) == ("complete", "unpaid")
    assert failed.payment_intent.status == "requires_payment_method"
    assert types(shop)[-3:] == [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]
    assert customer.pay(session.url).outcome == "not_completed"
    assert shop.stripe.v1.balance_transactions.list().data == []


def test_an_authorized_payment_is_captured_in_part(shop: Shop) -> None:
    session = shop.session(payment_intent_data={"capture_method": "manual"})
    customer.pay(session.url, method="card")
    held = shop.look(session.id)
    assert (held.payment_status, held.payment_intent.status) == ("unpaid", "requires_capture")
    assert held.payment_intent.latest_charge.captured is False
    assert shop.stripe.v1.balance_transactions.list().data == []
    too_much = shop.post(f"/v1/payment_intents/{held.payment_intent.id}/capture", {"amount_to_capture": 98_401})
    assert too_much.json()["error"]["code"] == "amount_too_large"
    taken = shop.stripe.v1.payment_intents.capture(held.payment_intent.id, {"amount_to_capture": 90_000})
    assert (taken.status, taken.amount_received) == ("succeeded", 90_000)
    assert "charge.captured" in types(shop)
    (entry,) = shop.stripe.v1.balance_transactions.list().data
    assert (entry.amount, entry.fee) == (90_000, 2640), "the fee is of what was taken, not of what was held"
    assert shop.post(f"/v1/payment_intents/{taken.id}/capture").status_code == 400


def test_an_authorized_payment_is_let_go(shop: Shop) -> None:
    session = shop.session(payment_intent_data={"capture_method": "manual"})
    customer.pay(session.url)
    intent = shop.stripe.v1.payment_intents.cancel(shop.look(session.id).payment_intent.id)
    assert intent.status == "canceled"
    charge = shop.stripe.v1.charges.list().data[0]
    assert (charge.captured, charge.refunded, charge.amount_captured) == (False, True, 0)
    assert shop.post(f"/v1/payment_intents/{intent.id}/capture").status_code == 400


@pytest.mark.parametrize(("outcome", "net"), [("won", 10_000 - 320 - 1500), ("lost", -320 - 1500)], ids=["won", "lost"])
def test_a_dispute(shop: Shop, outcome: str, net: int) -> None:
    charge = shop.paid(10_000).payment_intent.latest_charge
    dispute = shop.control(f"/payments/{charge.id}/dispute", {"reason": "fraudulent"})
    open_one = shop.stripe.v1.disputes.retrieve(dispute["id"])
    assert (open_one.status, open_one.amount, open_one.reason) == ("needs_response", 10_000, "fraudulent")
    assert shop.stripe.v1.charges.retrieve(charge.id).disputed is True
    shop.control(f"/disputes/{dispute['id']}/close", {"outcome": outcome})
    assert shop.stripe.v1.disputes.retrieve(dispute["id"]).status == outcome
    assert sum(row.net for row in shop.stripe.v1.balance_transactions.list().data) == net
    assert "charge.dispute.created" in types(shop)
    assert types(shop)[-1] == "charge.dispute.closed"
    assert shop.stripe.v1.disputes.list({"charge": charge.id}).data[0].id == dispute["id"]


def test_an_expired_session_cancels_its_intent(shop: Shop) -> None:
    session = shop.session()
    customer.pay(session.url, "declined")
    shop.stripe.v1.checkout.sessions.expire(session.id)
    assert shop.look(session.id).payment_intent.status == "canceled"
    assert types(shop)[-2:] == ["payment_intent.canceled", "checkout.session.expired"]


def test_payouts_wait_for_what_is_not_available_yet(shop: Shop) -> None:
    shop.control("/settings", {"available_after_s": 172_800})
    shop.paid(10_000)
    assert shop.stripe.v1.balance_transactions.list().data[0].status == "pending"
    assert shop.control("/payouts", {"account": shop.account}) == []
    balance = shop.stripe.v1.balance.retrieve()
    assert (balance.available, balance.pending[0].amount) == ([], 9_680)
    shop.control("/settings", {"clock_offset_s": 172_801.0})
    (payout,) = shop.control("/payouts", {"account": shop.account})
    assert payout["amount_minor"] == 9_680
    assert types(shop)[-2:] == ["payout.created", "payout.paid"]
    assert shop.stripe.v1.payouts.list({"arrival_date": {"gt": 0}}).data[0].id == payout["id"]


def test_one_payout_per_currency_and_fees_as_set(shop: Shop) -> None:
    shop.control("/settings", {"fee_per_mille": 10, "fee_fixed_minor": 0})
    shop.paid(10_050)
    shop.paid(2_000, currency="jpy")
    payouts = shop.control("/payouts", {"account": shop.account})
    assert [(row["currency"], row["amount_minor"]) for row in payouts] == [("inr", 9_949), ("jpy", 1_980)]


def test_balance_transactions_by_type_source_and_time(shop: Shop) -> None:
    card = shop.session()
    customer.pay(card.url, method="card")
    by_card = shop.look(card.id).payment_intent.latest_charge
    upi = shop.paid().payment_intent.latest_charge
    listed = shop.stripe.v1.balance_transactions.list
    assert (by_card.id[:3], upi.id[:3]) == ("ch_", "py_")
    assert [row.source for row in listed({"type": "charge"}).data] == [by_card.id]
    assert [row.source for row in listed({"type": "payment"}).data] == [upi.id]
    assert [row.id for row in listed({"source": upi.id}).data] == [upi.balance_transaction]
    assert listed({"currency": "inr", "created": {"gte": upi.created}}).data[0].source == upi.id
    expanded = shop.http.get("/v1/charges", params={"expand[]": "data.balance_transaction.source"}).json()["data"][0]
    assert expanded["balance_transaction"]["source"]["id"] == upi.id


def test_a_session_of_several_lines(shop: Shop) -> None:
    lines = [
        {"price_data": {"currency": "inr", "unit_amount": 300, "product_data": {"name": "Chai"}}, "quantity": 3},
        {"price_data": {"currency": "inr", "unit_amount": 100, "product_data": {"name": "Rusk"}}, "quantity": 1},
    ]
    session = shop.session(line_items=lines, expand=["line_items"])
    assert session.amount_total == 1000
    assert [(line.description, line.quantity, line.amount_total) for line in session.line_items.data] == [
        ("Chai", 3, 900),
        ("Rusk", 1, 100),
    ]
    assert shop.http.get(f"/v1/checkout/sessions/{session.id}/line_items").json()["data"][0]["description"] == "Chai"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/links/none/capture", {}, 404),
        ("/links/none/fly", {}, 404),
        ("/settings", {"colour": 1}, 400),
        ("/settings", {"pending_s": -1}, 400),
        ("/settings", {"fee_per_mille": True}, 400),
        ("/settings", {"public_url": "http://127.0.0.1"}, 400),
        ("/accounts", {"key": "sk_live_1234"}, 400),
        ("/accounts", {"key": "sk_test_x", "dialect": "klingon"}, 400),
        ("/webhooks", {"url": "ftp://x", "secret": "s"}, 400),
        ("/webhooks", {"url": "http://127.0.0.1:9", "secret": ""}, 400),
    ],
)
def test_the_control_desk_refuses_nonsense(shop: Shop, path: str, body: dict[str, Any], status: int) -> None:
    answer = httpx.post(f"{shop.url}/_sandbox{path}", json=body, trust_env=False)
    assert (answer.status_code, bool(answer.json()["error"])) == (status, True)


def test_the_control_desk_listens_to_this_machine_only(shop: Shop) -> None:
    """Neither to a page that this machine's browser happens to show, nor under another name."""
    url = f"{shop.url}/_sandbox/faults"
    body = '{"operation": "*", "kind": "drop"}'
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        answer = httpx.post(url, content=body, headers={"Content-Type": content_type}, trust_env=False)
        assert answer.status_code == 400
    assert httpx.get(url, headers={"Host": "evil.example"}, trust_env=False).status_code == 403
    assert shop.control("/faults", method="GET") == []
    assert httpx.post(url, content=b"x" * 70_000, headers={"Content-Type": "application/json"}).status_code == 400


@pytest.mark.parametrize(
    ("client", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1", 200),
        ("::1", "[::1]", 200),
        ("127.0.0.1", "localhost", 200),
        ("192.168.1.5", "127.0.0.1", 403),
        ("127.0.0.1", "192.168.1.5", 403),
        ("8.8.8.8", "localhost", 403),
    ],
)
async def test_the_control_desk_looks_at_the_callers_address(
    tmp_path: Path, client: str, host: str, status: int
) -> None:
    bank = Bank(tmp_path, [StripeDialect()])
    transport = httpx.ASGITransport(Starlette(routes=control_routes(bank)), client=(client, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}:8420") as caller:
        answer = await caller.get("/_sandbox")
    bank.close()
    assert answer.status_code == status


def test_bodies_and_fields_have_bounds(shop: Shop) -> None:
    assert shop.http.post("/v1/refunds", content=b"a=" + b"x" * 300_000).status_code == 413
    many = "&".join(f"f{number}=1" for number in range(2000)).encode()
    assert shop.http.post("/v1/refunds", content=many).status_code == 400
    for bad in (b"a[b=1", b"a=1&a[b]=2", b"%ff=1", b"\xff=1"):
        assert shop.http.post("/v1/refunds", content=bad).status_code == 400
    assert shop.post("/v1/checkout/sessions", form()).status_code == 200
