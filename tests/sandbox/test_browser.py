"""A real browser opens the pay page on a phone's screen, presses Pay, and sees the success."""

from __future__ import annotations

import http.server
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.processes import ROOT
from tests.sandbox.conftest import Shop
from tests.sandbox.razorpay_shop import RazorpayShop, callback_of, for_the_clients_check

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PHONE = {"width": 390, "height": 844}
WAIT_MS = 10_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium on this machine (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def shop_page() -> Iterator[str]:
    """The shop's own page, where the customer comes back to."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<h1>Look at the till</h1>")

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/back"
    server.shutdown()
    server.server_close()


def opened(browser: Browser, url: str, *, script: bool = True) -> Page:
    """The page on a phone; anything the browser complains about fails the test."""
    context = browser.new_context(viewport=PHONE, java_script_enabled=script)  # type: ignore[arg-type]
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.on("console", lambda message: complain(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complain(str(error)))
    page.goto(url)
    return page


def complain(text: str) -> None:
    if "favicon" not in text:
        raise AssertionError(f"the browser says: {text}")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_a_customer_pays_and_comes_back(shop: Shop, browser: Browser, shop_page: str, script: bool) -> None:
    session = shop.session(success_url=shop_page + "?session={CHECKOUT_SESSION_ID}")
    page = opened(browser, session.url, script=script)
    expect(page.get_by_text("no money moves")).to_be_visible()
    expect(page.get_by_role("radio", name="UPI")).to_be_checked()
    page.get_by_text("Net banking").click()
    page.get_by_role("button", name="Pay ₹984.00").click()
    page.wait_for_url(shop_page + "?session=" + session.id)
    expect(page.get_by_role("heading")).to_have_text("Look at the till")
    paid = shop.look(session.id)
    assert paid.payment_status == "paid"
    assert paid.payment_intent.latest_charge.payment_method_details.type == "netbanking"
    page.goto(session.url)
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    page.context.close()


def test_declined_then_retried_and_going_back_charges_once(shop: Shop, browser: Browser, shop_page: str) -> None:
    session = shop.session(success_url=shop_page)
    page = opened(browser, session.url)
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was taken")
    page.get_by_role("button", name="Pay ₹984.00").click()
    page.wait_for_url(shop_page)
    page.go_back()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert [charge.status for charge in shop.stripe.v1.charges.list().data] == ["succeeded", "failed"]
    page.context.close()


def test_the_time_left_counts_down_and_everything_can_be_done_by_keyboard(
    shop: Shop, browser: Browser, shop_page: str
) -> None:
    session = shop.session(success_url=shop_page)
    page = opened(browser, session.url)
    left = page.locator("#left")
    before = left.inner_text()
    expect(left).not_to_have_text("", timeout=WAIT_MS)
    assert before.startswith(("23 h", "24 h"))
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Card")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(shop_page)
    page.context.close()


def test_the_page_looks_like_its_picture(shop: Shop, browser: Browser) -> None:
    """Nothing is cut off or overlaps on a phone, and a picture is kept for people when it is asked for."""
    session = shop.session(expires_at=int(time.time()) + 1830)
    shop.control("/settings", {"clock_offset_s": 1830.0 - (14 * 60 + 13)})
    page = opened(browser, session.url)
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.evaluate("document.documentElement.scrollHeight") == PHONE["height"]
    loaded = page.evaluate("[...document.fonts].filter(font => font.status === 'loaded').length")
    assert loaded >= 3
    if os.environ.get("POS_SHOTS"):
        page.screenshot(path=ROOT / "out" / "shots" / "20-pay-page.png")
    page.context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_a_razorpay_link_is_paid_and_the_signed_callback_comes_back(
    rzp: RazorpayShop, browser: Browser, shop_page: str, script: bool
) -> None:
    link = rzp.link(callback_url=shop_page)
    page = opened(browser, link["short_url"], script=script)
    expect(page.get_by_text("answering as Razorpay")).to_be_visible()
    page.get_by_role("button", name="Pay ₹984.00").click()
    page.wait_for_url(shop_page + "?*")
    expect(page.get_by_role("heading")).to_have_text("Look at the till")
    assert rzp.client.utility.verify_payment_link_signature(for_the_clients_check(callback_of(page.url)))
    page.goto(link["short_url"])
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert [payment["status"] for payment in rzp.payments()] == ["captured"]
    page.context.close()


def test_a_qr_code_is_paid_in_the_customers_own_app(rzp: RazorpayShop, browser: Browser) -> None:
    code = rzp.code()
    page = opened(browser, rzp.url + "/upi?" + code["image_content"].partition("?")[2], script=False)
    expect(page.get_by_role("radio")).to_have_count(1)
    page.get_by_role("button", name="Pay ₹984.00").click()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    page.context.close()


def test_razorpays_page_fits_a_phone_too(rzp: RazorpayShop, browser: Browser) -> None:
    page = opened(browser, rzp.link(expire_by=int(time.time()) + 901)["short_url"])
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.evaluate("document.documentElement.scrollHeight") == PHONE["height"]
    painted = page.get_by_role("button", name="Pay ₹984.00").evaluate("item => getComputedStyle(item).backgroundColor")
    assert painted == "rgb(10, 82, 214)"
    if os.environ.get("POS_SHOTS"):
        page.screenshot(path=ROOT / "out" / "shots" / "20-pay-page-razorpay.png")
    page.context.close()
