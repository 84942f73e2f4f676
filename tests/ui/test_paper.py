"""PDF pages and codes: real files, read back by software that was not written here."""

from __future__ import annotations

import re
import zlib

import pytest
import segno
import zxingcpp
from PIL import Image
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from pos.ui import pdf, qr


def test_a_code_says_what_it_was_given() -> None:
    made = qr.encode("https://pay.corner.cafe/p/2xT9cAbCd")
    assert made.size == len(made.rows[0])
    scale, quiet = 4, qr.QUIET_ZONE
    side = (made.size + 2 * quiet) * scale
    picture = Image.new("L", (side, side), 255)
    for y, row in enumerate(made.rows):
        for x, dark in enumerate(row):
            if dark:
                picture.paste(0, tuple((at + quiet) * scale + more for more in (0, scale) for at in (x, y)))
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [made.text]


def test_a_second_encoder_makes_the_same_modules() -> None:
    """For a text that fills its code, so that there is nothing to choose but one of the standard's eight masks."""
    text = "x" * 213
    made = [segno.make(text, error="m", micro=False, boost_error=False, mask=mask) for mask in range(8)]
    theirs = [tuple(tuple(map(bool, row)) for row in code.matrix_iter(border=0)) for code in made]
    assert qr.encode(text).rows in theirs


async def test_a_code_is_encoded_once_and_a_few_are_kept() -> None:
    texts = [f"https://pay.corner.cafe/p/{no}" for no in range(qr.KEPT_CODES + 1)]
    made = [await qr.encode_away(text) for text in texts]
    assert qr.known(texts[0]) is None
    assert qr.known(texts[-1]) is made[-1]
    assert await qr.encode_away(texts[-1]) is made[-1]


def test_a_code_has_one_bit_a_module() -> None:
    made = qr.encode("x")
    image = qr.image(made, QColor("black"), QColor("white"))
    assert image.depth() == 1
    dark = {
        (x, y) for y in range(image.height()) for x in range(image.width()) if image.pixelColor(x, y).black() == 255
    }
    assert dark == {(x, y) for y, row in enumerate(made.rows) for x, on in enumerate(row) if on}


def test_a_text_too_long_for_a_phone_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        qr.encode("x" * (qr.MAX_TEXT_BYTES + 1))


def streams(data: bytes) -> bytes:
    """What a PDF's compressed streams say."""
    found = re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL)
    out = b""
    for part in found:
        try:
            out += zlib.decompress(part)
        except zlib.error:
            out += part
    return out


async def test_a_receipt_becomes_a_page(qapp: QApplication) -> None:
    data = await pdf.slip("Receipt 2-01873", ["Corner Café", "Flat white  360.00 <b>", "Total  984.00"])
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert b"Tj" in streams(data) or b"TJ" in streams(data)


async def test_a_code_becomes_a_page(qapp: QApplication) -> None:
    data = await pdf.code("Order 2-01873", "https://pay.corner.cafe/p/2xT9cAbCd", ["Scan to pay", "₹984.00"])
    assert data.startswith(b"%PDF-")
    assert b"/Image" in data
