"""The lines of the order on the counter, as a list. Adding up is the domain's business."""

from __future__ import annotations

from pos.domain.basket import MILLI, Line
from pos.ui.models.rows import RowsModel
from pos.words.formats import MINUS, Formats
from pos.words.sell import Cart


class CartModel(RowsModel):
    """Rows are `Line` values."""

    def __init__(self, formats: Formats) -> None:
        super().__init__()
        self._formats = formats

    def spoken(self, row: Line) -> str:
        return f"{row.name}, {detail(row, self._formats)}, {self._formats.amount(row.amount_minor)}"


def detail(line: Line, formats: Formats) -> str:
    """The small second line of a cart row: 1 × 160.00 · −10 % · end of tray."""
    parts = [
        Cart.QUANTITY.format(
            quantity=formats.quantity(line.quantity_milli), price=formats.amount(line.unit_price_minor)
        )
    ]
    if line.discount_minor:
        parts.append(MINUS + discount_text(line, formats))
    if line.note:
        parts.append(line.note)
    return " · ".join(parts)


def discount_text(line: Line, formats: Formats) -> str:
    """A discount as whole percent where it is one, else as an amount."""
    percent, rest = divmod(line.discount_minor * 100, line.list_minor or 1)
    return formats.amount(line.discount_minor) if rest else formats.percent(percent * 10_000)


def pieces(quantity_milli: int) -> int | None:
    """Whole pieces, or None for a weight."""
    whole, rest = divmod(quantity_milli, MILLI)
    return None if rest else whole
