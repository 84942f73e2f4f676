"""QR codes: encoded away from the screen's thread, kept as one bit a module, drawn without smoothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtGui import QColor, QImage

QUIET_ZONE = 4
"""Modules of light border that a scanner needs (ISO/IEC 18004)."""
MAX_TEXT_BYTES = 1_200
KEPT_CODES = 8
"""Codes kept: the same one is shown here, on the customer's display and again after a look elsewhere."""
"""Longer texts make codes too dense for a phone at arm's length."""


@dataclass(frozen=True, slots=True)
class Code:
    """`rows` of modules, True is dark; the quiet zone is left to whoever paints them."""

    text: str
    rows: tuple[tuple[bool, ...], ...]

    @property
    def size(self) -> int:
        """Modules along one side."""
        return len(self.rows)


def encode(text: str) -> Code:
    """A code at error level M or better (15 % may be hidden by a reflection); ValueError when the text is too long."""
    import zxingcpp  # imported when used: the first paint does without it

    if len(text.encode()) > MAX_TEXT_BYTES:
        raise ValueError("text too long for a code that a phone can read")
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    drawn: Any = made.to_image(scale=1, add_quiet_zones=False)
    rows: list[list[int]] = memoryview(drawn).tolist()  # type: ignore[assignment]  # two dimensions, one byte a module
    return Code(text, tuple(tuple(module == 0 for module in row) for row in rows))


_kept: dict[str, Code] = {}


def known(text: str) -> Code | None:
    """The code of a text that was encoded a short while ago."""
    return _kept.get(text)


async def encode_away(text: str) -> Code:
    """Encode in a worker thread, in C++: the screen's thread has other work while a payment begins."""
    import asyncio  # not needed for the first paint

    code = known(text)
    if code is None:
        code = await asyncio.to_thread(encode, text)
    _kept[text] = code
    while len(_kept) > KEPT_CODES:
        del _kept[next(iter(_kept))]
    return code


def image(code: Code, dark: QColor, light: QColor) -> QImage:
    """One bit a module; scaled up by whole numbers when it is painted."""
    made = QImage(code.size, code.size, QImage.Format.Format_Mono)
    made.setColorTable([light.rgb(), dark.rgb()])
    made.fill(0)
    for y, row in enumerate(code.rows):
        for x, dark_here in enumerate(row):
            if dark_here:
                made.setPixel(x, y, 1)
    return made
