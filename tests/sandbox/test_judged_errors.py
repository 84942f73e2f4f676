"""Stripe's own client meets every error the sandbox can answer, and raises what it raises for the real one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from pos.sandbox import customer
from tests.sandbox.conftest import Shop, form, official, session_params

pytestmark = [pytest.mark.judge, pytest.mark.judge_stripe_sdk]

PRICE = "line_items[0][price_data]"


def refused(act: Callable[[], Any]) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as error:
        act()
    return error.value


def test_a_wrong_key(judge: Shop) -> None:
    judge.session()
    other = official(judge.url, "sk_test_nobody")
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided: sk_test_") as error:
        other.v1.checkout.sessions.list()
    assert error.value.http_status == 401


def test_an_object_that_does_not_exist(judge: Shop) -> None:
    api = judge.stripe.v1
    for fetch in (
        lambda: api.checkout.sessions.retrieve("cs_test_none"),
        lambda: api.payment_intents.retrieve("pi_none"),
        lambda: api.charges.retrieve("ch_none"),
        lambda: api.refunds.retrieve("re_none"),
        lambda: api.balance_transactions.retrieve("txn_none"),
        lambda: api.payouts.retrieve("po_none"),
        lambda: api.events.retrieve("evt_none"),
        lambda: api.disputes.retrieve("dp_none"),
        lambda: api.checkout.sessions.expire("cs_test_none"),
    ):
        error = refused(fetch)
        assert (error.http_status, error.code) == (404, "resource_missing")
    named = refused(lambda: api.refunds.create({"charge": "ch_none"}))
    assert (named.http_status, named.code, named.param) == (400, "resource_missing", "charge")
    cursor = refused(lambda: api.charges.list({"starting_after": "ch_none"}))
    assert (cursor.http_status, cursor.param) == (400, "starting_after")


def test_another_shops_objects_do_not_exist(judge: Shop) -> None:
    session = judge.paid()
    judge.control("/accounts", {"key": "sk_test_neighbour"})
    other = official(judge.url, "sk_test_neighbour")
    assert refused(lambda: other.v1.checkout.sessions.retrieve(session.id)).http_status == 404
    assert refused(lambda: other.v1.charges.retrieve(session.payment_intent.latest_charge.id)).http_status == 404
    assert list(other.v1.events.list().auto_paging_iter()) == []


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"line_items[0][quantity]": None}, "parameter_missing", "line_items[0][quantity]"),
        ({f"{PRICE}[unit_amount]": None}, "parameter_missing", f"{PRICE}[unit_amount]"),
        ({f"{PRICE}[product_data][name]": ""}, "parameter_missing", f"{PRICE}[product_data][name]"),
        ({f"{PRICE}[unit_amount]": "12.50"}, "parameter_invalid_integer", f"{PRICE}[unit_amount]"),
        ({f"{PRICE}[unit_amount]": "-5"}, None, f"{PRICE}[unit_amount]"),
        ({f"{PRICE}[currency]": "xxx"}, None, f"{PRICE}[currency]"),
        ({f"{PRICE}[currency]": "INR"}, None, f"{PRICE}[currency]"),
        ({f"{PRICE}[unit_amount]": "49"}, "amount_too_small", None),
        ({f"{PRICE}[unit_amount]": "1000000000"}, "amount_too_large", None),
        ({"mode": "subscription"}, None, "mode"),
        ({"mode": "sale"}, None, "mode"),
        ({"colour": "blue"}, "parameter_unknown", "colour"),
        ({"payment_intent_data[colour]": "blue"}, "parameter_unknown", "payment_intent_data[colour]"),
        ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
        ({"client_reference_id": "x" * 201}, None, "client_reference_id"),
        ({"expires_at": int(time.time()) + 60}, None, "expires_at"),
        ({"expires_at": int(time.time()) + 90_000}, None, "expires_at"),
        ({"metadata[k]": "v" * 501}, None, "metadata"),
        ({"payment_method_types[0]": "barter"}, None, "payment_method_types[0]"),
    ],
)
def test_a_session_that_cannot_be(judge: Shop, change: dict[str, Any], code: str | None, param: str | None) -> None:
    """Sent as raw fields through the official client, which does not check them itself."""
    fields = form(**change)
    error = refused(lambda: judge.stripe.raw_request("post", "/v1/checkout/sessions", **fields))
    assert (error.http_status, error.code, error.param) == (400, code, param)
    assert judge.stripe.v1.checkout.sessions.list().data == []


def test_minimums_and_decimals_are_the_currencys_own(judge: Shop) -> None:
    assert judge.session(50, "jpy").amount_total == 50
    assert refused(lambda: judge.session(1499, "czk")).code == "amount_too_small"
    assert refused(lambda: judge.session(29, "gbp")).code == "amount_too_small"
    assert judge.session(30, "gbp").amount_total == 30
    assert refused(lambda: judge.session(5124, "kwd")).http_status == 400
    assert judge.session(5120, "kwd").amount_total == 5120


def test_expanding_nothing_known(judge: Shop) -> None:
    session = judge.session()
    sessions = judge.stripe.v1.checkout.sessions
    for path in ("colour", "payment_intent.latest_charge.refunds.data.charge.payment_intent", "metadata"):
        assert refused(lambda path=path: sessions.retrieve(session.id, {"expand": [path]})).param == "expand"
    paid = judge.paid()
    assert refused(lambda: sessions.retrieve(paid.id, {"expand": ["payment_intent.colour"]})).param == "expand"


def test_a_list_with_both_cursors_or_too_many_rows(judge: Shop) -> None:
    made = judge.session().id
    sessions = judge.stripe.v1.checkout.sessions
    assert refused(lambda: sessions.list({"starting_after": made, "ending_before": made})).param == "ending_before"
    for limit in (0, 101):
        assert refused(lambda limit=limit: sessions.list({"limit": limit})).param == "limit"
    assert refused(lambda: sessions.list({"created": {"after": 1}})).code == "parameter_unknown"


def test_expiring_what_is_not_open(judge: Shop) -> None:
    paid = judge.paid()
    error = refused(lambda: judge.stripe.v1.checkout.sessions.expire(paid.id))
    assert error.http_status == 400
    assert 'status of "complete"' in str(error)
    gone = judge.session()
    assert judge.stripe.v1.checkout.sessions.expire(gone.id).status == "expired"
    assert 'status of "expired"' in str(refused(lambda: judge.stripe.v1.checkout.sessions.expire(gone.id)))


def test_refunding_what_was_never_captured_or_was_charged_back(judge: Shop) -> None:
    session = judge.session()
    customer.pay(session.url, "declined")
    intent = judge.look(session.id).payment_intent
    error = refused(lambda: judge.stripe.v1.refunds.create({"payment_intent": intent.id}))
    assert error.code == "payment_intent_unexpected_state"
    assert refused(lambda: judge.stripe.v1.refunds.create({"charge": intent.latest_charge.id})).http_status == 400
    charge = judge.paid().payment_intent.latest_charge
    judge.control(f"/payments/{charge.id}/dispute")
    assert refused(lambda: judge.stripe.v1.refunds.create({"charge": charge.id})).code == "charge_disputed"
    other = judge.paid().payment_intent.latest_charge
    assert refused(lambda: judge.stripe.v1.refunds.create({"charge": other.id, "amount": 0})).param == "amount"


def test_a_key_used_for_something_else(judge: Shop) -> None:
    sessions = judge.stripe.v1.checkout.sessions
    sessions.create(session_params(), {"idempotency_key": "order-1"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters they were first used with"):
        sessions.create(session_params(1000), {"idempotency_key": "order-1"})
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        judge.stripe.v1.refunds.create({"charge": "ch_x"}, {"idempotency_key": "order-1"})


def test_too_many_requests_and_a_broken_server(judge: Shop) -> None:
    judge.fault("link.list", "rate_limited", retry_after_s=7)
    with pytest.raises(stripe.RateLimitError) as limited:
        judge.stripe.v1.checkout.sessions.list()
    assert limited.value.headers is not None
    assert limited.value.headers["retry-after"] == "7"
    judge.fault("link.list", "error_500")
    with pytest.raises(stripe.APIError) as broken:
        judge.stripe.v1.checkout.sessions.list()
    assert broken.value.http_status == 500


def test_the_clients_own_retry_meets_the_stored_error(judge: Shop) -> None:
    """As documented: a 500 under a key stays a 500, also for the client that tries again by itself."""
    eager = official(judge.url, judge.key, retries=2)
    judge.fault("link.create", "error_500")
    with pytest.raises(stripe.APIError):
        eager.v1.checkout.sessions.create(session_params())
    assert judge.stripe.v1.checkout.sessions.list().data == []


def test_a_lost_answer_is_found_again_with_the_same_key(judge: Shop) -> None:
    judge.fault("link.create", "drop")
    with pytest.raises(stripe.APIConnectionError):
        judge.stripe.v1.checkout.sessions.create(session_params(), {"idempotency_key": "lost"})
    again = judge.stripe.v1.checkout.sessions.create(session_params(), {"idempotency_key": "lost"})
    assert [session.id for session in judge.stripe.v1.checkout.sessions.list().data] == [again.id]


def test_paths_and_methods_that_do_not_exist(judge: Shop) -> None:
    error = refused(lambda: judge.stripe.v1.customers.list())
    assert error.http_status == 404
    assert "Unrecognized request URL (GET: /v1/customers)" in str(error)
    assert judge.http.delete("/v1/checkout/sessions").status_code == 404


def test_no_credential_at_all(judge: Shop) -> None:
    judge.session()
    for headers in ({}, {"Authorization": "Basic !!!"}, {"Authorization": "Digest x"}, {"Authorization": "Bearer"}):
        answer = httpx.get(f"{judge.url}/v1/charges", headers=headers, trust_env=False)
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "invalid_request_error"
    bearer = httpx.get(f"{judge.url}/v1/charges", headers={"Authorization": f"Bearer {judge.key}"}, trust_env=False)
    assert bearer.status_code == 200
