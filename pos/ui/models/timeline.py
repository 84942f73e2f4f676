"""What happened to an order, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pos.ui.models.rows import RowsModel
from pos.words.states import source_word

if TYPE_CHECKING:
    from pos.services.views import TimelineRow
    from pos.words.formats import Formats


class TimelineModel(RowsModel):
    """Rows are `TimelineRow` values, oldest first. `marks` numbers the payments of an order that was paid twice."""

    def __init__(self, formats: Formats) -> None:
        super().__init__()
        self._formats = formats
        self.marks: dict[str, tuple[str, str]] = {}
        """Payment id -> (number, tone)."""

    def spoken(self, row: TimelineRow) -> str:
        return f"{self._formats.time_s(row.at_ms)} {source_word(row.source)}: {row.text}"
