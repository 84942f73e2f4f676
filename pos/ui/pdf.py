"""PDF pages by Qt's own writer: a receipt, a code to pay by. Text goes in as text; nothing is fetched."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRect, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from pos.ui import qr
from pos.ui.theme import FALLBACKS, FAMILY

SLIP_MM = (80.0, 200.0)
"""A receipt roll's width; a page as tall as most receipts."""
A6_MM = (105.0, 148.0)
A4_MM = (210.0, 297.0)
RESOLUTION_DPI = 300


async def slip(title: str, lines: list[str]) -> bytes:
    """A receipt as PDF, made in a worker thread."""
    import asyncio  # not needed for the first paint

    return await asyncio.to_thread(_slip, title, lines)


async def sheet(title: str, html: str) -> bytes:
    """A4 pages of HTML as Qt's rich text reads it, made in a worker thread; whoever writes it escapes what it says."""
    import asyncio  # not needed for the first paint

    return await asyncio.to_thread(make_sheet, title, html)


async def code(title: str, text: str, below: list[str]) -> bytes:
    """A page with one large code and lines below it."""
    import asyncio  # not needed for the first paint

    return await asyncio.to_thread(_code, title, text, below)


def _writer(buffer: QBuffer, title: str, size_mm: tuple[float, float]) -> QPdfWriter:
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setTitle(title)
    writer.setCreator("Truetill")
    writer.setResolution(RESOLUTION_DPI)
    writer.setPageSize(QPageSize(QSizeF(*size_mm), QPageSize.Unit.Millimeter))
    writer.setPageMargins(QMarginsF(4, 6, 4, 6), QPageLayout.Unit.Millimeter)
    return writer


def _slip(title: str, lines: list[str]) -> bytes:
    font = QFont()
    font.setFamilies(["DejaVu Sans Mono", "Consolas", "Menlo", "monospace"])
    font.setPointSizeF(7.5)
    return _document(title, SLIP_MM, font, f"<pre>{escape(chr(10).join(lines))}</pre>")


def make_sheet(title: str, html: str) -> bytes:
    """As `sheet`, in the caller's thread."""
    font = QFont()
    font.setFamilies([FAMILY, *FALLBACKS])
    font.setPointSizeF(8)
    return _document(title, A4_MM, font, html)


def _document(title: str, size_mm: tuple[float, float], font: QFont, html: str) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    writer = _writer(buffer, title, size_mm)
    document = QTextDocument()
    document.setDefaultFont(font)
    document.setDocumentMargin(0)
    document.setHtml(html)
    document.print_(writer)
    del writer
    buffer.close()
    return bytes(data.data())


def _code(title: str, text: str, below: list[str]) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    writer = _writer(buffer, title, A6_MM)
    made = qr.image(qr.encode(text), QColor("black"), QColor("white"))
    painter = QPainter(writer)
    side = min(writer.width(), writer.height())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    quiet = side * qr.QUIET_ZONE // (made.width() + 2 * qr.QUIET_ZONE)
    painter.drawImage(QRect((writer.width() - side) // 2 + quiet, quiet, side - 2 * quiet, side - 2 * quiet), made)
    font = QFont()
    font.setPointSizeF(13)
    painter.setFont(font)
    height = painter.fontMetrics().height()
    for at, words in enumerate(below):
        room = QRect(0, side + at * height * 5 // 4, writer.width(), height * 5 // 4)
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)
    painter.end()
    del writer
    buffer.close()
    return bytes(data.data())
