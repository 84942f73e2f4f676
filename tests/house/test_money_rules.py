"""docs/money-rules.md says what the code does."""

from __future__ import annotations

from tests.house import money_rules


def test_the_page_is_what_the_code_says() -> None:
    written = money_rules.PAGE.read_text(encoding="utf-8")
    assert written == money_rules.page(), "run: python -m tests.house.money_rules --write"


def test_every_word_that_people_read_stands_in_a_row() -> None:
    page = money_rules.page()
    never = [look.long for look in money_rules.LOOKS.values() if f"| {look.long} |" not in page]
    assert never == ["Outcome unknown", "Link expired"]  # of time, and of how the gateway ended the link: told in words
