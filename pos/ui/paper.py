"""What can be printed or kept as a file: receipts, the code to pay by, the day. It asks the desk, never a device."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from pos.services.views import DayView, ExceptionView, OrderView
from pos.ui import evidence, pdf
from pos.ui.models.day import DayRow, what_happened
from pos.words.happened import Receipt
from pos.words.orders import Day, Evidence
from pos.words.pay import Paid, Pay

if TYPE_CHECKING:
    from pos.services.api import TillApi
    from pos.ui.kit import Kit
    from pos.ui.ports import Desk


class Paper(QObject):
    """Coroutines for the flow to start; each returns what to tell people, or ""."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__()
        self._kit = kit
        self._desk = desk

    async def print_receipt(self, till: TillApi, order_id: str) -> str:
        await self._desk.print_slip(Paid.SLIP_TITLE, await till.queries.receipt(order_id))
        return ""

    async def print_note(self, lines: list[str]) -> str:
        """A credit note, as it was written."""
        await self._desk.print_slip(Paid.NOTE_TITLE, lines)
        return ""

    async def save_receipt(self, till: TillApi, view: OrderView) -> str:
        lines = await till.queries.receipt(view.order_id)
        data = await pdf.slip(Paid.RECEIPT.format(number=view.number), lines)
        return await self._desk.save(f"receipt-{view.number}.pdf", data)

    async def save_evidence(self, till: TillApi, view: OrderView) -> str:
        """All that is known of an order, as A4 pages."""
        page = evidence.page(await till.queries.dossier(view.order_id), self._kit.formats)
        data = await pdf.sheet(Evidence.TITLE.format(number=view.number), page)
        return await self._desk.save(f"evidence-{view.number}.pdf", data)

    async def save_code(self, view: OrderView, shop: str) -> str:
        """The QR as a page, for a customer whose phone cannot reach over the counter."""
        attempt = view.attempt
        text = attempt.qr_text if attempt is not None else ""
        below = [Pay.SCAN_TO_PAY.format(shop=shop), self._kit.formats.money(view.ask_minor), Pay.SAFE]
        data = await pdf.code(Pay.ORDER.format(number=view.number), text, below)
        return await self._desk.save(f"qr-{view.number}.pdf", data)

    async def export_day(self, view: DayView) -> str:
        """Every row of the day as CSV; amounts in minor units."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(("code", "order", "at_ms", "gateway", "here_minor", "gateway_minor", "what"))
        rows: list[DayRow] = [*view.exceptions, *view.corrected, *view.matched]
        for row in rows:
            what = what_happened(row, self._kit.now_ms())[1]
            if isinstance(row, ExceptionView) and not row.open:
                continue
            cells = (row.code, row.number, row.at_ms, row.gateway, row.here_minor, row.gateway_minor, what)
            writer.writerow(cells)
        return await self._desk.save(f"day-{view.day}.csv", out.getvalue().encode())

    async def print_day(self, view: DayView) -> str:
        formats = self._kit.formats
        lines = [Day.TITLE.format(day=formats.long_day(view.day)), *([Receipt.TEST] if view.test else []), ""]
        for row in view.totals:
            here = "" if row.here_minor is None else formats.amount(row.here_minor)
            there = "" if row.there_minor is None else formats.amount(row.there_minor)
            lines.append(f"{row.title[:16]:<16}{here:>13}{there:>13}")
        lines += ["", Day.OPEN_ITEMS(sum(1 for e in view.exceptions if e.open)), view.hash]
        await self._desk.print_slip(Day.Z_TITLE.format(number=view.z_number or ""), lines)
        return ""
