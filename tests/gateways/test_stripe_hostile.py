"""Stripe: no answer raises, and none that is broken, mutated or cut off makes money out of nothing."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos.domain.errors import BadInput
from pos.domain.facts import Kind, Mode
from pos.domain.money import CURRENCIES, MAX_AMOUNT_MINOR, exponent
from pos.domain.ports import Answer, LinkRequest, Outcome, Part, PreparedCall, RefundRequest
from pos.gateways.stripe.adapter import StripeAdapter
from pos.gateways.stripe.amounts import NOT_TAKEN, from_stripe, to_stripe
from tests.gateways.stripe_shapes import (
    REFERENCE,
    answer,
    balance,
    charge,
    dispute,
    intent,
    listed,
    paid,
    refund,
    session,
)

STRIPE = StripeAdapter(account="acct_1", mode=Mode.TEST)
REQUEST = LinkRequest("tt1-key", REFERENCE, 1250, "EUR", "Order 17", "shop-1", "1", "https://relay.example/return/1")
REFUND = RefundRequest("tt1-refund", "rf-1", "ch_1", 500, "EUR", REFERENCE)
FULL = charge(refunds=listed(refund()))
ACCOUNT = {"id": "acct_1", "object": "account", "settings": {"dashboard": {"display_name": "Shop"}}}

CASES: list[tuple[PreparedCall, Any]] = [
    (STRIPE.create(REQUEST), session()),
    (STRIPE.fetch("cs_test_1"), paid(payment_intent=intent(FULL))),
    (STRIPE.close("cs_test_1"), paid(payment_intent=intent(FULL))),
    (STRIPE.find(REFERENCE, 0, 1), listed(paid(payment_intent=intent(FULL)))),
    (STRIPE.fetch_payment("ch_1"), FULL),
    (STRIPE.fetch_refund("re_1"), refund(charge=charge())),
    (STRIPE.capture("ch_1", 1250, "EUR", "k"), FULL),
    (STRIPE.refund(REFUND), refund()),
    (STRIPE.report(Part.PAYMENTS, 0, 1), listed(FULL)),
    (STRIPE.report(Part.REFUNDS, 0, 1), listed(refund(charge=charge()))),
    (STRIPE.report(Part.DISPUTES, 0, 1), listed(dispute())),
    (STRIPE.whoami(), ACCOUNT),
]
IDS = [f"{call.operation}-{number}" for number, (call, _) in enumerate(CASES)]
BROKEN = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"0",
    b'"paid"',
    b"\xff\xfe",
    b"<!doctype html><title>Paid</title>",
    b"[" * 100_000,
    b'{"id":' * 50_000,
    b'{"error":null}',
    json.dumps({"error": {"type": "card_error", "message": "x"}}).encode(),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to everything in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with one place replaced, or removed where `new` is Ellipsis."""
    whole = copy.deepcopy(value)
    at = whole
    for key in path[:-1]:
        at = at[key]
    if new is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return whole


def captured_amounts(call: PreparedCall, got: Answer) -> set[int | None]:
    reading = STRIPE.read(call, got)
    return {fact.amount_minor for fact in reading.facts if fact.kind is Kind.PAYMENT_CAPTURED}


@pytest.mark.parametrize(("call", "body"), CASES, ids=IDS)
def test_the_whole_answer_is_understood(call: PreparedCall, body: Any) -> None:
    assert STRIPE.read(call, answer(body)).outcome is Outcome.OK


@pytest.mark.parametrize("raw", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize(("call", "body"), CASES, ids=IDS)
def test_a_broken_answer_is_unknown_and_no_fact(call: PreparedCall, body: Any, raw: bytes) -> None:
    reading = STRIPE.read(call, Answer(200, (), raw))
    assert (reading.outcome, reading.facts, reading.links, reading.next) == (Outcome.UNKNOWN, (), (), None)
    assert reading.message


@pytest.mark.parametrize(("call", "body"), CASES, ids=IDS)
def test_every_cut_is_unknown_and_no_fact(call: PreparedCall, body: Any) -> None:
    raw = json.dumps(body).encode()
    for end in range(len(raw)):
        reading = STRIPE.read(call, Answer(200, (), raw[:end]))
        assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


@pytest.mark.parametrize(
    "amount", ["1250", 1250.0, 1250.5, -1250, 10**13, 10**30, None, True, [1250], {"value": 1250}, "NaN"]
)
@pytest.mark.parametrize("field", ["amount", "amount_captured"])
def test_an_amount_that_is_no_amount(field: str, amount: Any) -> None:
    reading = STRIPE.read(STRIPE.fetch_payment("ch_1"), answer(charge(**{field: amount})))
    assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


@pytest.mark.parametrize("raw", [b"1e3", b"1250.0", b"Infinity", b"-0.0", b"1" + b"0" * 400])
def test_numbers_written_oddly(raw: bytes) -> None:
    body = json.dumps(charge(amount_captured=777_777)).encode().replace(b"777777", raw)
    reading = STRIPE.read(STRIPE.fetch_payment("ch_1"), Answer(200, (), body))
    assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


@pytest.mark.parametrize("code", ["EUR", "e", "euro_and_more", "", "e r", None, 7])
def test_a_currency_that_is_no_code(code: Any) -> None:
    assert STRIPE.read(STRIPE.fetch_payment("ch_1"), answer(charge(currency=code))).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("identifier", ["ch_1/../x", "ch 1", "", "ch_1\n", "x" * 256, 5, None])
def test_an_id_that_is_no_id(identifier: Any) -> None:
    reading = STRIPE.read(STRIPE.report(Part.PAYMENTS, 0, 1), answer(listed(charge(id=identifier))))
    assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


VALUES = st.one_of(
    st.just(...),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["succeeded", "paid", "canceled", "requires_capture", "complete", "charge", "ch_2", 1250, [], {}]),
)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_a_mutated_answer_never_raises_and_makes_no_money(data: st.DataObject) -> None:
    """One field changed or gone: whatever is told as captured is a number that stands in the answer."""
    call, body = data.draw(st.sampled_from(CASES))
    path = data.draw(st.sampled_from(sorted(places(body), key=str)))
    raw = json.dumps(changed(body, path, data.draw(VALUES))).encode()
    numbers = {int(text) for text in re.findall(rb"(?<![\w.])\d+(?![\w.])", raw)}
    assert captured_amounts(call, Answer(200, (), raw)) <= numbers


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_bytes_changed_anywhere_never_raise(data: st.DataObject) -> None:
    call, body = data.draw(st.sampled_from(CASES))
    raw = bytearray(json.dumps(body).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    status = data.draw(st.sampled_from([200, 201, 204, 301, 400, 401, 404, 409, 429, 500, 599]))
    reading = STRIPE.read(call, Answer(status, (), bytes(raw)))
    assert isinstance(reading.outcome, Outcome)


@settings(max_examples=200, deadline=None)
@given(call=st.sampled_from([call for call, _ in CASES]), status=st.integers(100, 599), body=st.binary(max_size=200))
def test_noise_is_never_a_success(call: PreparedCall, status: int, body: bytes) -> None:
    reading = STRIPE.read(call, Answer(status, (), body))
    assert reading.outcome in (Outcome.UNKNOWN, Outcome.BUSY)
    assert reading.facts == ()


@settings(max_examples=500, deadline=None)
@given(currency=st.sampled_from(sorted(CURRENCIES)), amount=st.integers(0, MAX_AMOUNT_MINOR))
def test_money_there_and_back(currency: str, amount: int) -> None:
    """Over all of ISO 4217: an amount Stripe takes comes back as it was; what it cannot say is refused."""
    try:
        sent = to_stripe(amount, currency)
    except BadInput:
        assert currency in NOT_TAKEN or exponent(currency) == 3 or currency == "MGA"
        return
    assert from_stripe(sent, currency.lower()) == (amount, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [
        (1250, "EUR", 1250),
        (500, "JPY", 500),
        (5, "ISK", 500),
        (5120, "KWD", 5120),
        (50000, "MGA", 500),
        (17500, "HUF", 17500),
    ],
)
def test_amounts_as_stripes_pages_write_them(amount: int, currency: str, sent: int) -> None:
    assert to_stripe(amount, currency) == sent


def test_half_a_krona_is_not_understood() -> None:
    reading = STRIPE.read(STRIPE.fetch_payment("ch_1"), answer(charge(currency="isk", amount=550, amount_captured=550)))
    assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


def test_money_that_is_no_iso_currency_is_kept_as_it_is_written() -> None:
    assert from_stripe(1250, "usdc") == (1250, "USDC")
    assert balance()["currency"] == "eur"
