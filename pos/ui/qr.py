"""QR codes: encoded away from the screen's thread, kept as one bit a module, drawn without smoothing."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QImage

QUIET_ZONE = 4
"""Modules of light border that a scanner needs (ISO/IEC 18004)."""
MAX_TEXT_BYTES = 1_200
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
    """A code at error level M (15 % may be hidden by a reflection); ValueError when the text is too long."""
    import segno  # imported when used: the first paint does without it

    if len(text.encode()) > MAX_TEXT_BYTES:
        raise ValueError("text too long for a code that a phone can read")
    made = segno.make(text, error="m", micro=False, boost_error=False)
    rows = tuple(tuple(bool(cell) for cell in row) for row in made.matrix_iter(border=0))
    return Code(text, rows)


async def encode_away(text: str) -> Code:
    """Encode in a worker thread: eight masks are tried, which costs more than half a frame."""
    import asyncio  # not needed for the first paint

    return await asyncio.to_thread(encode, text)


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
