"""Stripe: amounts, codes and ids that are none make no money; what all adapters must stand is in `test_hostile`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos.domain.errors import BadInput
from pos.domain.facts import Mode
from pos.domain.money import CURRENCIES, MAX_AMOUNT_MINOR, exponent
from pos.domain.ports import Answer, Outcome, Part
from pos.gateways.stripe.adapter import StripeAdapter
from pos.gateways.stripe.amounts import NOT_TAKEN, from_stripe, to_stripe
from tests.gateways.stripe_shapes import (
    answer,
    balance,
    charge,
    listed,
)

STRIPE = StripeAdapter(account="acct_1", mode=Mode.TEST)


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
