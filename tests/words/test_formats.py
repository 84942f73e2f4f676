"""Money, numbers and times as people of a place write them."""

from __future__ import annotations

import pytest

from pos.words.formats import Formats

INDIA = Formats("en_IN", "INR", "Asia/Kolkata")
GERMANY = Formats("de_DE", "EUR", "Europe/Berlin")
AT_1342_IN_INDIA_MS = 1_795_335_120_000


def test_lakhs_are_grouped_as_in_india() -> None:
    assert INDIA.money(10_231_000) == "₹1,02,310.00"
    assert INDIA.amount(11_347_759) == "1,13,477.59"


def test_a_minus_is_a_minus_not_a_hyphen() -> None:
    assert INDIA.amount(-1600) == "−16.00"
    assert "-" not in INDIA.money(-1600)


def test_germany_writes_a_comma_and_the_sign_behind() -> None:
    assert GERMANY.money(98400) == "984,00\N{NO-BREAK SPACE}€"


@pytest.mark.parametrize(
    ("currency", "minor", "text"), [("JPY", 984, "984"), ("KWD", 984, "0.984"), ("USD", 5, "0.05")]
)
def test_every_currency_has_its_own_decimals(currency: str, minor: int, text: str) -> None:
    assert Formats("en_US", currency, "UTC").amount(minor) == text


def test_notes_are_written_short_only_when_whole() -> None:
    assert INDIA.short_money(100_000) == "₹1,000"
    assert INDIA.short_money(98_450) == "₹984.50"


def test_times_are_the_shops_own_on_a_24_hour_clock() -> None:
    assert INDIA.time(AT_1342_IN_INDIA_MS) == "13:42"
    assert INDIA.time_s(AT_1342_IN_INDIA_MS) == "13:42:00"
    assert INDIA.day_of(AT_1342_IN_INDIA_MS) == "2026-11-22"
    assert INDIA.long_day("2026-11-22") == "Sunday 22 November"
    assert GERMANY.long_day("2026-11-22") == "Sonntag, 22. November"


def test_timers_count_seconds_minutes_hours() -> None:
    assert [INDIA.timer(s) for s in (-3, 7, 87, 852, 7509)] == ["0:00", "0:07", "1:27", "14:12", "2:05:09"]


def test_quantities_and_rates() -> None:
    assert INDIA.quantity(2000) == "2"
    assert GERMANY.quantity(250) == "0,25"
    assert INDIA.percent(50_000) == "5 %"


def test_what_was_measured_is_written_to_the_tenth() -> None:
    assert Formats("en_IN", "INR", "UTC").tenths(3_600_049) == "3600.0"
    assert Formats("de_DE", "EUR", "UTC").tenths(800) == "0,8"


def test_an_unknown_locale_still_opens() -> None:
    assert Formats("xx_YY", "EUR", "UTC").money(100) == "€1.00"


def test_arabic_reads_from_the_right() -> None:
    assert Formats("ar_EG", "EGP", "Africa/Cairo").right_to_left
    assert not INDIA.right_to_left
