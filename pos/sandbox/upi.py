"""The customer's own UPI app, played: it reads the text of a QR code, and opens the page where that can be paid.

Also the picture of a QR code. No rule about money lives here: paying is the page's.
"""

from __future__ import annotations

import io

import segno
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pos.sandbox import razorpay_objects as objects
from pos.sandbox.accounts import account
from pos.sandbox.bank import Bank
from pos.sandbox.pagetext import message_page
from pos.sandbox.records import Link
from pos.sandbox.store import Tx

DOT_PX = 8
CHECKED = ("pa", "am", "cu")  # what an app shows the customer must be what the bank expects


class UpiApp:
    """Reads texts, and draws them."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def open(self, request: Request) -> Response:
        """`/upi?pa=...&tr=...`: the query of the `upi://pay?` text, as it was scanned."""
        asked = dict(request.query_params)
        path = await self._bank.read(lambda tx: self._page(tx, asked))
        return message_page("unknown") if path is None else RedirectResponse(path, 303, {"Cache-Control": "no-store"})

    async def image(self, request: Request) -> Response:
        """`/q/<name>.svg`: the code as a picture."""
        name = request.path_params["name"]
        text = await self._bank.read(lambda tx: self._text(tx, tx.one(Link, "WHERE page = ? AND kind = 'code'", name)))
        if text is None:
            return message_page("unknown")
        drawn = io.BytesIO()
        segno.make(text, error="m", micro=False).save(drawn, kind="svg", scale=DOT_PX, light="white")
        return Response(drawn.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})

    def _page(self, tx: Tx, asked: dict[str, str]) -> str | None:
        reference = asked.get("tr", "")
        link_id = "qr_" + reference.removeprefix("RZP").removesuffix("qrv2")
        link = tx.one(Link, "WHERE id = ? AND kind = 'code'", link_id)
        if link is None:
            return None
        books = self._bank.books(tx, account(tx, link.account))
        expected = objects.upi_fields(books, link)
        if any(asked.get(field) != expected[field] for field in CHECKED):
            return None
        return books.dialect.page_path(link)

    def _text(self, tx: Tx, link: Link | None) -> str | None:
        return None if link is None else objects.upi_text(self._bank.books(tx, account(tx, link.account)), link)
