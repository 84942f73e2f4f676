"""The return page on real phones' sizes, in a browser: readable, whole, and green by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.relay import shots

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not Path(shots.CHROMIUM).exists(), reason=f"{shots.CHROMIUM} is not installed"),
]
TURNS_GREEN_WITHIN_MS = 15_000
SIZES = [(320, 568), (844, 390)]
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth > window.innerWidth"


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[shots.Phone]:
    with shots.phone(tmp_path_factory.mktemp("looks") / "relay") as customer:
        yield customer


def texts(page: Any) -> list[str]:
    """What can be read, in order."""
    return [line for line in page.inner_text("body").split("\n") if line.strip()]


def test_what_the_customer_reads(phone: shots.Phone) -> None:
    phone.set(state="checking")
    assert texts(phone.page()) == [
        "C",
        "Corner Café",
        "Order 2-01873",
        "Checking…",
        "₹984.00",
        "Please do not pay again. Your bank has not told us yet. "
        "This page turns green by itself, and so does the till.",
        "You may put your phone away.",
        "The cashier sees the result too.",
    ]
    phone.set(state="paid")
    paid = texts(phone.page())
    assert paid[3:] == [
        "Paid, thank you",
        "₹984.00",
        "Paid by",
        "UPI",
        "When",
        "22 Nov, 13:42",
        "See the receipt",
        "Scanning the same code again shows this page.",
        "It cannot charge you twice.",
    ]


def test_it_turns_green_by_itself(phone: shots.Phone) -> None:
    phone.set(state="checking")
    page = phone.page()
    phone.set(state="paid")
    page.wait_for_selector("text=Paid, thank you", timeout=TURNS_GREEN_WITHIN_MS)
    colour = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert colour == "rgb(19, 122, 63)"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", ["checking", "paid"])
def test_nothing_is_cut_off(phone: shots.Phone, size: tuple[int, int], state: str) -> None:
    long = "x" * 64
    phone.set(state=state, order=long, amount=long, method=long, when=long)
    page = phone.page(viewport={"width": size[0], "height": size[1]})
    assert not page.evaluate(WIDER_THAN_THE_WINDOW)
    assert page.is_visible("h1")


def test_the_page_asks_nothing_from_elsewhere_and_breaks_no_rule_of_its_own(phone: shots.Phone) -> None:
    phone.set(state="paid")
    page = phone.page()
    asked, complaints = list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.reload()
    assert asked == [page.url]
    assert complaints == []


def test_a_dark_phone_gets_a_dark_page(phone: shots.Phone) -> None:
    phone.set(state="paid")
    page = phone.page(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 33, 41)"


def test_a_code_that_no_till_has_set(phone: shots.Phone) -> None:
    assert "Please look at the till" in texts(phone.page("unknown_0123456789-ABCD"))
