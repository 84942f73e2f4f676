"""Journeys of a payment: without an answer, late, only authorized, after the end, given back, by UPI."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.conftest import Street, eventually
from tests.shop import CREATE_CALLS, FIND_CALLS, PENDING_S

FOR_NOW_S = 3_600.0  # a payment that is on its way stays there until a drill settles it


def links_made(street: Street) -> int:
    count: int = street.bank.desk("GET", "")["counts"]["link"]
    return count


def only_payment(street: Street) -> Any:
    """The account's one payment, as Razorpay lists it."""
    (payment,) = street.at_gateway("/v1/payments", count="100")["items"]
    return payment


def fails_late(street: Street, order: Any) -> str:
    """The customer's try fails for now; the payment's id."""
    street.bank.desk("POST", "/settings", {"pending_s": FOR_NOW_S})
    done = street.pos("sandbox", "pay", order["attempt"]["link_url"], "--outcome", "failed_then_late")
    street.bank.desk("POST", "/settings", {"pending_s": PENDING_S})
    assert (done.status, done.out.strip()) == (0, "failed_then_late"), done.err
    payment = only_payment(street)
    assert payment["status"] == "failed"
    found: str = payment["id"]
    return found


# -- links -------------------------------------------------------------------------------------------------------------


def test_a_link_without_an_answer_is_unknown_and_then_the_one_link(street: Street) -> None:
    assert street.pos("doctor").status == 0  # the account is known from here on
    made = links_made(street)
    street.bank.fault("link.create", "drop", CREATE_CALLS)
    street.bank.fault("link.list", "drop", FIND_CALLS)
    done = street.pos("sell", "--line", "TEA", "--qr", street.gateway, "--key", "k", "--json")
    assert (done.status, done.json["shown"], done.json["attempt"]["qr_text"]) == (3, "unknown", "")
    assert "not confirmed yet, do not charge again" in done.err
    street.bank.clear()
    shown = street.does("pay", done.json["number"], "--qr", street.gateway)
    assert (shown["shown"], shown["attempt"]["no"]) == ("waiting", 1)
    assert links_made(street) == made + 1
    assert street.asks("TEA", "--key", "k")["attempt"]["qr_text"] == shown["attempt"]["qr_text"]
    assert street.pays(shown) == "paid"
    assert street.synced_until("k", shown="paid")["captured_minor"] == 6_000
    assert links_made(street) == made + 1
    street.assert_books()


def test_a_link_that_was_never_made_is_not_waited_for_for_ever(street: Street) -> None:
    """The other gateway is tried at once; the first one's silence costs nothing."""
    assert street.pos("doctor").status == 0
    made = links_made(street)
    street.bank.fault("link.create", "drop", CREATE_CALLS, before_work=True)
    unknown = street.does("sell", "--line", "TEA", "--qr", street.gateway, "--key", "k", status=3)
    assert unknown["certainty"] == "unknown"
    street.bank.clear()
    other = street.does("pay", "k", "--qr", street.other)
    assert (other["attempt"]["no"], other["attempt"]["gateway"]) == (2, street.other)
    assert street.pays(other) == "paid"
    assert street.synced_until("k", shown="paid")["captured_minor"] == 6_000
    assert links_made(street) == made + 1
    street.assert_books()


@pytest.mark.parametrize("kind", ["html", "truncated", "rate_limited"])
def test_any_bad_answer_about_a_link_ends_in_one_link(street: Street, kind: str) -> None:
    assert street.pos("doctor").status == 0
    options = {"rate_limited": {"retry_after_s": 0}}.get(kind, {})
    made = links_made(street)
    street.bank.fault("link.create", kind, 1, **options)
    order = street.asks("TEA", "--key", "k")
    assert (order["shown"], links_made(street)) == ("waiting", made + 1)
    assert street.pays(order) == "paid"
    assert street.synced_until("k", shown="paid")["captured_minor"] == 6_000
    street.assert_books()


# -- late, and only authorized -----------------------------------------------------------------------------------------


def test_a_payment_that_failed_is_authorized_later_and_pays(indian: Street) -> None:
    order = indian.asks()
    payment = fails_late(indian, order)
    indian.does("sync", "--once")
    assert indian.order(order["number"])["money"] == "unpaid"
    indian.drill("payments", payment, "settle")
    paid = indian.synced_until(order["number"], shown="paid")
    assert (paid["captured_minor"], paid["flags"]) == (6_000, [])
    indian.assert_books()


def test_a_payment_that_failed_is_authorized_after_another_way_was_taken(indian: Street) -> None:
    """Failed, cash instead, and then the bank captures after all: found, and one key gives it back."""
    order = indian.asks()
    payment = fails_late(indian, order)
    switched = indian.does("pay", order["number"], "--qr", "stripe")
    assert indian.pays(switched) == "paid"
    indian.synced_until(order["number"], shown="paid")
    indian.drill("payments", payment, "settle")
    twice = indian.synced_until(order["number"], shown="paid_twice")
    assert twice["captured_minor"] == 12_000
    right = indian.does("refund", order["number"], "--reason", "paid twice")
    assert (right["shown"], right["refunded_minor"]) == ("paid", 6_000)
    assert only_payment(indian)["amount_refunded"] in (0, 6_000)
    indian.assert_books()


def test_what_is_only_authorized_is_captured_because_it_is_due(indian: Street) -> None:
    indian.bank.account_setting(indian.keys["gateways.razorpay.key_id"], manual_capture=True)
    order = indian.asks()
    assert indian.pays(order) == "paid"
    assert only_payment(indian)["status"] == "authorized"
    paid = indian.synced_until(order["number"], shown="paid")
    assert (paid["captured_minor"], only_payment(indian)["status"]) == (6_000, "captured")
    indian.assert_books()


def test_what_is_only_authorized_and_not_due_any_more_is_left_to_lapse(indian: Street) -> None:
    indian.bank.account_setting(indian.keys["gateways.razorpay.key_id"], manual_capture=True)
    order = indian.asks()
    payment = fails_late(indian, order)
    cash = indian.does("cancel", order["number"], "--reason", "pays at another till")
    assert cash["life"] == "voided"
    indian.drill("payments", payment, "settle", **{"as": "authorized"})
    for _ in range(2):
        assert indian.pos("sync", "--once").status == 0
    after = indian.order(order["number"])
    assert (after["kept_minor"], after["captured_minor"]) == (0, 0)
    assert only_payment(indian)["status"] == "authorized"
    indian.drill("payments", payment, "settle")
    assert only_payment(indian)["status"] == "refunded"
    assert indian.pos("sync", "--once").status == 0
    assert indian.order(order["number"])["captured_minor"] == 0
    assert indian.does("day", "preview")["exceptions"] == []
    indian.assert_books()


def test_money_that_comes_after_the_order_was_cancelled_is_given_back(street: Street) -> None:
    order = street.asks()
    link = street.links_at_gateway()[0]["id"]
    assert street.does("cancel", order["number"], "--reason", "left")["life"] == "voided"
    street.drill("links", link, "capture", own_intent=False)
    late = street.synced_until(order["number"], shown="overpaid")
    assert (late["life"], late["kept_minor"]) == ("voided", 6_000)
    assert [row["code"] for row in street.does("day", "preview")["exceptions"]] == ["M09"]
    back = street.does("refund", order["number"], "--reason", "paid after cancelling")
    assert (back["shown"], back["refunded_minor"], back["kept_minor"]) == ("refunded", 6_000, 0)
    assert street.does("day", "preview")["exceptions"] == []
    street.assert_books()


# -- giving back -------------------------------------------------------------------------------------------------------


def test_giving_back_in_parts_and_then_all_of_it(street: Street) -> None:
    order = street.asks("CAKE")
    street.pays(order)
    street.synced_until(order["number"], shown="paid")
    number = order["number"]
    for amount, sum_so_far in ((1_000, 1_000), (2_500, 3_500)):
        view = street.does("refund", number, "--amount-minor", str(amount), "--reason", "cold")
        assert (view["refunded_minor"], view["captured_minor"]) == (sum_so_far, 14_000)
    over = street.pos("refund", number, "--amount-minor", "10501", "--reason", "greedy")
    assert (over.status, "Traceback" in over.err) == (1, False), over.err
    whole = street.does("refund", number, "--reason", "all of it")
    assert (whole["shown"], whole["refunded_minor"]) == ("refunded", 14_000)
    assert street.pos("refund", number, "--reason", "once more").status == 1
    assert refunds_at_gateway(street) == [1_000, 2_500, 10_500]
    street.assert_books()


def test_a_refund_without_an_answer_is_given_once(street: Street) -> None:
    order = street.asks()
    street.pays(order)
    street.synced_until(order["number"], shown="paid")
    street.bank.fault("refund.create", "drop", 1)
    street.pos("refund", order["number"], "--reason", "cold")
    eventually(lambda: street.pos("sync", "--once") and street.order(order["number"])["shown"] == "refunded")
    assert refunds_at_gateway(street) == [6_000]
    street.assert_books()


# -- UPI ---------------------------------------------------------------------------------------------------------------


def test_a_upi_code_is_scanned_paid_and_given_back(indian: Street) -> None:
    indian.configure(razorpay="upi")
    order = indian.asks()
    text = order["attempt"]["qr_text"]
    assert text.startswith("upi://pay?")
    cheap = indian.pos("sandbox", "pay", text.replace("am=60.00", "am=1.00"), "--sandbox", indian.bank.url)
    assert cheap.status != 0
    paid = indian.pos("sandbox", "pay", text, "--sandbox", indian.bank.url)
    assert (paid.status, paid.out.strip()) == (0, "paid"), paid.err
    again = indian.pos("sandbox", "pay", text, "--sandbox", indian.bank.url)
    assert (again.status, again.out.strip()) == (1, "already_paid")
    assert indian.synced_until(order["number"], shown="paid")["captured_minor"] == 6_000
    assert indian.does("refund", order["number"], "--reason", "cold")["shown"] == "refunded"
    left = indian.asks("CAKE")
    assert indian.does("cancel", left["number"])["life"] == "voided"
    assert indian.pays(left) == "expired"
    indian.assert_books()


def refunds_at_gateway(street: Street) -> list[int]:
    """What the gateway gave back, oldest first."""
    if street.gateway == "stripe":
        rows = street.at_gateway("/v1/refunds", limit="100")["data"]
    else:
        rows = street.at_gateway("/v1/refunds", count="100")["items"]
    return [row["amount"] for row in reversed(rows)]


# -- in parts ----------------------------------------------------------------------------------------------------------


def test_an_order_is_split_between_a_link_and_cash(street: Street) -> None:
    number = street.does("sell", "--line", "TEA", "--line", "CAKE", "--qr", street.gateway)["number"]
    assert street.pos("split", number).status == 2
    assert street.pos("split", number, "--qr", f"{street.gateway}=120", "--cash", "90").status == 2
    planned = street.does("split", number, "--qr", f"{street.gateway}=120", "--cash", "rest")
    assert [(s["way"], s["amount_minor"], s["state"]) for s in planned["plan"]] == [
        ("qr", 12_000, "next"),
        ("cash", 8_000, "open"),
    ]
    early = street.pos("pay", number, "--cash", "80")
    assert (early.status, "is to be paid by QR" in early.err) == (1, True)
    shown = street.does("pay", number, "--qr", street.gateway)
    assert street.pays(shown) == "paid"
    part = street.synced_until(number, shown="part_paid")
    assert (part["kept_minor"], part["plan"][1]["state"]) == (12_000, "next")
    done = street.does("pay", number, "--cash", "100")
    assert (done["shown"], done["kept_minor"]) == ("paid", 20_000)
    street.assert_books()
