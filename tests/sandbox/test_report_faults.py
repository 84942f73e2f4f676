"""What a report can do to its reader, in both dialects, seen with the gateways' own clients."""

from __future__ import annotations

from typing import Any

import pytest

from pos.sandbox.faults import LIST_KINDS
from tests.sandbox.conftest import Shop
from tests.sandbox.razorpay_shop import RazorpayShop

Rows = list[Any]


def charges(shop: Shop, **asked: Any) -> Rows:
    rows: Rows = shop.stripe.v1.charges.list({"limit": 100, **asked}).data
    return rows


@pytest.mark.parametrize("kind", sorted(LIST_KINDS))
def test_it_is_refused_where_nothing_is_listed(shop: Shop, kind: str) -> None:
    for operation in ("link.create", "payment.fetch", "payment.*", "*", "webhook"):
        answer = shop.http.post("/_sandbox/faults", json={"operation": operation, "kind": kind})
        assert answer.status_code == 400


def test_a_late_report(shop: Shop, rzp: RazorpayShop) -> None:
    shop.paid()
    rzp.paid()
    shop.fault("payment.list", "rows_late", 2, lag_s=600.0)
    assert (charges(shop), rzp.payments()) == ([], [])
    assert (len(charges(shop)), len(rzp.payments())) == (1, 1)
    shop.fault("payment.list", "rows_late", 2, lag_s=0.0)
    assert (len(charges(shop)), len(rzp.payments())) == (1, 1)


def test_rows_that_come_twice(shop: Shop, rzp: RazorpayShop) -> None:
    paid = shop.paid().payment_intent.latest_charge.id
    payment = rzp.paid()[1]["id"]
    shop.fault("payment.list", "rows_twice", 2)
    assert [row.id for row in charges(shop)] == [paid, paid]
    assert [row["id"] for row in rzp.payments()] == [payment, payment]


def test_pages_that_move_while_they_are_read(shop: Shop, rzp: RazorpayShop) -> None:
    paid = shop.paid().payment_intent.latest_charge.id
    payment = rzp.paid()[1]["id"]
    shop.fault("payment.list", "rows_arrive", 2, amount_minor=700)
    assert [row.id for row in charges(shop)] == [paid]
    assert [row["id"] for row in rzp.payments()] == [payment]
    assert [(row.amount, row.status, row.metadata.to_dict()) for row in charges(shop)][:-1] == [(700, "succeeded", {})]
    stranger, ours = rzp.payments()
    assert (stranger["amount"], stranger["status"], ours["id"]) == (700, "captured", payment)
    assert rzp.client.payment.all({"count": 1, "skip": 1})["items"][0]["id"] == payment, "the second page has moved"


def test_without_fees(shop: Shop, rzp: RazorpayShop) -> None:
    shop.paid()
    rzp.paid()
    shop.fault("payment.list", "without_fees", 2)
    assert charges(shop, expand=["data.balance_transaction"])[0].balance_transaction is None
    assert (rzp.payments()[0]["fee"], rzp.payments()[0]["fee"] is None) == (None, False)
    assert charges(shop, expand=["data.balance_transaction"])[0].balance_transaction.fee > 0


def test_without_references(shop: Shop, rzp: RazorpayShop) -> None:
    marks = {"shop": "ours"}
    shop.paid(payment_intent_data={"metadata": marks})
    rzp.link(reference_id="ours_1", notes=marks)
    shop.fault("payment.list", "without_references")
    shop.fault("link.list", "without_references")
    assert charges(shop)[0].metadata.to_dict() == {}
    assert charges(shop)[0].metadata.to_dict() == marks
    without, whole = (rzp.client.payment_link.all()["payment_links"][0] for _ in range(2))
    assert (without["reference_id"], without["notes"]) == (None, {})
    assert (whole["reference_id"], whole["notes"]) == ("ours_1", marks)
