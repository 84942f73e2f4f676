"""Draws the relay's pages on a phone in headless Chromium: for the test, and for `docs/screens`.

python -m tests.relay.shots out/shots/21-return-page.png
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

from tests.processes import run_pos, serve
from tests.relay.asgi import SECRET

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FONTS = Path(__file__).resolve().parents[2] / "resources" / "fonts"
FONTCONFIG = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><dir>/usr/share/fonts</dir><cachedir>{cache}</cachedir></fontconfig>"""
PHONE = {"width": 390, "height": 844}
TOKEN = "phone_0123456789-ABCDEFG"
LINK: dict[str, str] = {
    "gateway": "stripe",
    "url": "https://checkout.stripe.com/c/pay/cs_1",
    "state": "checking",
    "order": "2-01873",
    "amount": "₹984.00",
    "method": "UPI",
    "when": "22 Nov, 13:42",
    "receipt": "receipt_0123456789-ABCDE",
}


class Phone:
    """A relay with one link, and a phone that opens its pages."""

    def __init__(self, url: str, shop: str, token: str, browser: Browser) -> None:
        self._url, self._shop, self._token, self.browser = url, shop, token, browser

    def set(self, **changed: str) -> None:
        headers = {"authorization": f"Bearer {self._token}"}
        answer = httpx.put(f"{self._url}/v1/links/{TOKEN}", json={**LINK, **changed}, headers=headers, trust_env=False)
        assert answer.status_code in (200, 201), answer.text

    def page(self, token: str = TOKEN, **context: Any) -> Page:
        """A phone of 390x844, unless said otherwise, on the page of the return."""
        page = self.browser.new_context(**{"viewport": PHONE, "reduced_motion": "reduce", **context}).new_page()
        page.goto(f"{self._url}/return/{self._shop}/{token}")
        return page


@contextmanager
def phone(data: Path) -> Iterator[Phone]:
    made = run_pos(
        ["relay", "add-shop", "Corner Café", "--gateway", "stripe", "--json", "--data", str(data)], stdin=SECRET
    )
    shop = json.loads(made.stdout)["shop"]
    till = run_pos(["relay", "add-till", shop, "--json", "--data", str(data)])
    token = json.loads(till.stdout)["token"]
    with serve(["relay", "serve", "--port", "0", "--data", str(data)]) as relay, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, env=_fonts(data))
        try:
            yield Phone(relay.url, shop, token, browser)
        finally:
            browser.close()


def _fonts(folder: Path) -> dict[str, str | float | bool]:
    """Our face stands in for the phone's own, so that pictures are the same everywhere."""
    config = folder / "fonts.conf"
    config.write_text(FONTCONFIG.format(fonts=FONTS, cache=folder / "fonts-cache"))
    return {**os.environ, "FONTCONFIG_FILE": str(config)}


def beside(shots: list[Path], to: Path) -> None:
    """Two phones beside each other, as on the target's picture."""
    images = [Image.open(shot) for shot in shots]
    sheet = Image.new("RGB", (sum(image.width + 40 for image in images) + 40, images[0].height + 80), "#dde5ea")
    left = 40
    for image in images:
        rounded = Image.new("L", image.size)
        ImageDraw.Draw(rounded).rounded_rectangle((0, 0, image.width - 1, image.height - 1), 34, fill=255)
        sheet.paste(image, (left, 40), rounded)
        left += image.width + 40
    sheet.save(to)


def main(to: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, phone(Path(folder) / "relay") as customer:
        shots = []
        for state in ("checking", "paid"):
            customer.set(state=state)
            shots.append(Path(folder) / f"{state}.png")
            customer.page().screenshot(path=shots[-1])
        beside(shots, to)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
