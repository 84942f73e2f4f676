"""Money: whole minor units there and back, nothing rounded silently; totals add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.basket import Line, check_lines, line_tax_minor, parse_quantity, totals
from pos.domain.errors import BadInput
from pos.domain.money import CURRENCIES, MAX_AMOUNT_MINOR, exponent, parse_major, round_half_up, to_major

amounts = st.integers(0, MAX_AMOUNT_MINOR)
currencies = st.sampled_from(sorted(CURRENCIES))
lines = st.builds(
    Line,
    sku=st.just("S"),
    name=st.just("Thing"),
    quantity_milli=st.integers(1, 20_000),
    unit_price_minor=st.integers(0, 100_000),
    tax_ppm=st.sampled_from([0, 50_000, 88_750, 190_000]),
    tax_name=st.just("VAT"),
)


@given(amounts, currencies)
def test_there_and_back(amount: int, currency: str) -> None:
    assert parse_major(to_major(amount, currency), currency) == amount


@given(st.lists(lines, min_size=1, max_size=30), st.booleans())
def test_lines_and_taxes_add_up_to_the_total(basket: list[Line], included: bool) -> None:
    result = totals(basket, tax_included=included)
    taxes = sum(line_tax_minor(line, tax_included=included) for line in basket)
    assert result.total_minor == sum(line.amount_minor for line in basket) + (0 if included else taxes)
    assert sum(t.amount_minor for t in result.taxes) == taxes
    assert totals(basket[::-1], tax_included=included) == result


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_rounding_is_to_the_nearest(numerator: int, denominator: int) -> None:
    assert abs(round_half_up(numerator, denominator) * denominator - numerator) * 2 <= denominator


@pytest.mark.parametrize("text", ["", "-1", "1e5", "NaN", "inf", "1,50", "１２", "1.", "12.345", "9" * 16, "٣"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_major(text, "INR")


@pytest.mark.parametrize(("currency", "digits"), [("JPY", 0), ("INR", 2), ("KWD", 3), ("CLF", 4)])
def test_exponents(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


def test_no_currency() -> None:
    with pytest.raises(BadInput):
        exponent("XXY")


@pytest.mark.parametrize("text", ["0", "-1", "", "1.2345", "x", "1e2", "0.000", "²"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_quantity(text)


@pytest.mark.parametrize(
    "line",
    [
        Line("S", "Zero", 0, 100),
        Line("S", "Negative", -1000, 100),
        Line("S", "Huge", 10**10, 100),
        Line("S", "Price", 1000, -1),
        Line("S", "Discount", 1000, 100, discount_minor=101),
    ],
)
def test_lines_that_cannot_be_sold(line: Line) -> None:
    with pytest.raises(BadInput):
        check_lines([line])


def test_an_empty_basket_cannot_be_sold() -> None:
    with pytest.raises(BadInput, match="empty"):
        check_lines([])
