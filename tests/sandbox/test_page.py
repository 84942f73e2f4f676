"""The pay page over HTTP, as phones see it: one charge however many phones, and nothing kept that looks like a card."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from pos.sandbox import customer
from pos.sandbox.customer import Result
from pos.sandbox.pages import CARD_LIKE
from tests.processes import Served
from tests.sandbox.conftest import Shop, at_once, eventually

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def phone() -> httpx.Client:
    return httpx.Client(trust_env=False, follow_redirects=False)


def token_of(page: httpx.Response) -> str:
    found = re.search(r'name="token" value="([a-z]+)"', page.text)
    assert found, page.text
    return found[1]


def charges(shop: Shop) -> list[Any]:
    return list(shop.stripe.v1.charges.list().auto_paging_iter())


def test_the_page_says_test_and_what_is_to_pay(shop: Shop) -> None:
    with phone() as one:
        page = one.get(shop.session().url)
    assert page.status_code == 200
    for text in ("TEST", "no money moves", "Corner Café", "Order 2-01873", "₹984.00", "UPI", "answering as Stripe"):
        assert text in page.text
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:9" in policy
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
    assert nonce
    assert page.text.count(f'nonce="{nonce[1]}"') == 2
    assert len(re.findall(r"<(?:script|style)\b", page.text)) == 2
    assert not re.search(r"\son\w+=|\sstyle=|https?://(?!www\.w3\.org)", page.text), (
        "nothing inline, nothing from elsewhere"
    )


def test_names_are_shown_as_plain_text(shop: Shop) -> None:
    evil = "<script>alert(1)</script>\"'&"
    shop.control(f"/accounts/{shop.account}", {"name": evil})
    price = {"currency": "inr", "unit_amount": 500, "product_data": {"name": evil}}
    session = shop.session(line_items=[{"price_data": price, "quantity": 1}])
    with phone() as one:
        page = one.get(session.url).text
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;") == 3  # shop, title, order


def test_two_phones_charge_once(shop: Shop) -> None:
    session = shop.session()
    with phone() as one, phone() as other:
        first, second = token_of(one.get(session.url)), token_of(other.get(session.url))
        assert first != second
        paid = one.post(session.url, data={"token": first, "action": "pay", "method": "upi"})
        late = other.post(session.url, data={"token": second, "action": "pay", "method": "upi"})
        assert (paid.status_code, paid.headers["sandbox-outcome"]) == (303, "paid")
        assert paid.headers["location"] == f"http://127.0.0.1:9/done?session={session.id}"
        assert (late.status_code, late.headers["sandbox-outcome"]) == (303, "already_paid")
        assert "This has been paid" in other.get(session.url).text
    assert [charge.status for charge in charges(shop)] == ["succeeded"]


def test_ten_phones_at_the_same_moment_charge_once(shop: Shop) -> None:
    session = shop.session()
    results: list[Result] = []
    together = threading.Barrier(10)

    def pay() -> None:
        with phone() as one:
            token = token_of(one.get(session.url))
            together.wait(10)
            answer = one.post(session.url, data={"token": token, "action": "pay"})
            results.append(Result(session.url, answer.headers["sandbox-outcome"], None))

    at_once(pay)
    assert sorted(result.outcome for result in results) == ["already_paid"] * 9 + ["paid"]
    assert len(charges(shop)) == 1


def test_pressing_twice_is_pressing_once(shop: Shop) -> None:
    session = shop.session()
    with phone() as one:
        fields = {"token": token_of(one.get(session.url)), "action": "pay"}
        answers = [one.post(session.url, data=fields) for _ in range(2)]
    assert [answer.headers["location"] for answer in answers] == [answers[0].headers["location"]] * 2
    assert len(charges(shop)) == 1


def test_a_token_is_good_for_one_change_only(shop: Shop) -> None:
    session = shop.session()
    with phone() as one:
        token = token_of(one.get(session.url))
        declined = one.post(session.url, data={"token": token, "action": "decline"})
        again = one.post(session.url, data={"token": token, "action": "pay"})
    assert declined.headers["sandbox-outcome"] == again.headers["sandbox-outcome"] == "declined"
    assert [charge.status for charge in charges(shop)] == ["failed"]


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_without_its_token_nothing_happens(shop: Shop, token: str) -> None:
    session = shop.session()
    with phone() as one:
        answer = one.post(session.url, data={"token": token, "action": "pay"})
        foreign = token_of(one.get(shop.session().url))
        stolen = one.post(session.url, data={"token": foreign, "action": "pay"})
    assert (answer.status_code, stolen.status_code) == (403, 403)
    assert charges(shop) == []


def test_looking_changes_nothing(shop: Shop) -> None:
    session = shop.session()
    with phone() as one:
        for _ in range(3):
            one.get(session.url, params={"action": "pay"})
    assert charges(shop) == []


def test_a_declined_customer_may_try_again(shop: Shop) -> None:
    session = shop.session()
    assert customer.pay(session.url, "declined").outcome == "declined"
    still = shop.look(session.id)
    assert (still.status, still.payment_status) == ("open", "unpaid")
    assert still.payment_intent.status == "requires_payment_method"
    assert still.payment_intent.last_payment_error.code == "card_declined"
    with phone() as one:
        assert "Declined. Nothing was taken" in one.get(session.url).text
    assert customer.pay(session.url).outcome == "paid"
    assert [charge.status for charge in charges(shop)] == ["succeeded", "failed"]
    assert shop.look(session.id).payment_intent.id == still.payment_intent.id


def test_pay_later_is_pending_and_then_paid(shop: Shop) -> None:
    shop.control("/settings", {"pending_s": 1.0})
    session = shop.session()
    assert customer.pay(session.url, "pending").outcome == "pending"
    waiting = shop.look(session.id)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    assert waiting.payment_intent.status == "processing"
    assert waiting.payment_intent.latest_charge.status == "pending"
    assert customer.pay(session.url).outcome == "in_flight"
    paid = eventually(lambda: (now := shop.look(session.id)).payment_status == "paid" and now)
    assert paid.payment_intent.latest_charge.balance_transaction
    assert len(charges(shop)) == 1


def test_leaving_goes_back_to_the_shop_and_changes_nothing(shop: Shop) -> None:
    session = shop.session()
    result = customer.pay(session.url, "leave")
    assert (result.outcome, result.location) == ("left", "http://127.0.0.1:9/left")
    assert shop.look(session.id).status == "open"
    nowhere = shop.session(cancel_url="")
    with phone() as one:
        left = one.post(nowhere.url, data={"token": token_of(one.get(nowhere.url)), "action": "leave"})
    assert "You left without paying" in left.text


def test_an_expired_link_says_so_and_takes_nothing(shop: Shop) -> None:
    session = shop.session()
    with phone() as one:
        token = token_of(one.get(session.url))
        shop.stripe.v1.checkout.sessions.expire(session.id)
        answer = one.post(session.url, data={"token": token, "action": "pay"})
        page = one.get(session.url)
    assert answer.headers["sandbox-outcome"] == "expired"
    assert (page.status_code, "can no longer be paid" in page.text) == (410, True)
    assert charges(shop) == []


def test_links_expire_by_themselves(shop: Shop) -> None:
    session = shop.session(expires_at=int(time.time()) + 1801)
    shop.control("/settings", {"clock_offset_s": 1802.0})
    eventually(lambda: shop.look(session.id).status == "expired")
    assert customer.pay(session.url).outcome == "expired"


@pytest.mark.parametrize(
    "number",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "４２４２４２４２４２４２４２４２",
        "378282246310005",
    ],
)
def test_what_looks_like_a_card_number_is_refused_and_not_kept(
    shop: Shop, sandbox: Served, sandbox_log: Path, number: str
) -> None:
    session = shop.session()
    with phone() as one:
        token = token_of(one.get(session.url))
        for fields in ({"card": number}, {"method": number}, {number: "x"}, {"token": number}):
            answer = one.post(session.url, data={"token": token, "action": "pay", **fields})
            assert (answer.status_code, "No card numbers here" in answer.text) == (400, True)
    assert charges(shop) == []
    assert number not in sandbox_log.read_text()
    assert number not in " ".join(sandbox.errors + sandbox.output)


def test_what_is_no_card_number_is_no_card_number() -> None:
    for text in ("2-01873", "2026-11-22", "123456789012", "ab1234567890123456789012345"):
        assert not CARD_LIKE.search(text), text
    assert CARD_LIKE.search("pay 4242.4242.4242.4242 now")


def test_only_forms_and_small_ones(shop: Shop) -> None:
    session = shop.session()
    with phone() as one:
        assert one.post(session.url, json={"action": "pay"}).status_code == 415
        assert one.post(session.url, content=b"a=" + b"x" * 20_000, headers=FORM).status_code == 413
        assert one.post(session.url, content=b"a=%ff", headers=FORM).status_code == 415
        assert one.get(f"{shop.url}/c/pay/cs_test_none").status_code == 404
        assert one.get(f"{shop.url}/c/assets/..%2f..%2fpyproject.toml").status_code == 404


def test_other_currencies_have_their_own_decimals_and_methods(shop: Shop) -> None:
    with phone() as one:
        assert "¥500" in one.get(shop.session(500, "jpy").url).text
        assert "€12.50" in one.get(shop.session(1250, "eur").url).text
        assert "₹1,23,456.00" in one.get(shop.session(12_345_600, "inr").url).text
    session = shop.session(currency="eur")
    customer.pay(session.url, method="ideal")
    assert shop.look(session.id).payment_intent.latest_charge.payment_method_details.type == "ideal"
