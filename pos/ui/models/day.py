"""The end of day as a table: what needs a person, what was corrected, what matched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, Qt

from pos.domain.matching import Action
from pos.services.views import ExceptionView, MatchRow
from pos.ui.models.rows import ROOT, VALUE, Index
from pos.words.formats import NOTHING, Formats
from pos.words.orders import UNKNOWN_FOR_HOURS, UNKNOWN_FOR_MINUTES, Day, Suggest, happened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NUMBER, TIME, GATEWAY, HERE, THERE, HAPPENED, SUGGESTED = range(7)
DayRow = ExceptionView | MatchRow


class DayModel(QAbstractTableModel):
    """Rows are `ExceptionView` or `MatchRow` values; another tab is another list."""

    def __init__(self, formats: Formats, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self._formats = formats
        self._now_ms = now_ms
        self.rows: list[DayRow] = []

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else 7

    def show(self, rows: Sequence[DayRow]) -> None:
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == VALUE:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.cell(row, index.column())
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (Day.ORDER, Day.TIME, Day.GATEWAY, Day.HERE, Day.THERE, Day.HAPPENED, Day.SUGGESTED)[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            trailing = section in (HERE, THERE, SUGGESTED)
            side = Qt.AlignmentFlag.AlignTrailing if trailing else Qt.AlignmentFlag.AlignLeading
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def cell(self, row: DayRow, column: int) -> str:
        match column:
            case 0:
                return row.number or NOTHING
            case 1:
                return self._formats.time(row.at_ms)
            case 2:
                return row.gateway.title()
            case 3:
                return self._formats.money_or_dash(row.here_minor)
            case 4:
                return self._formats.money_or_dash(row.gateway_minor)
            case 5:
                words = what_happened(row, self._now_ms())[1]
                return f"{words} · {self._formats.short_day(row.at_ms)}" if row.code == "M21" else words
        return suggestion(row, self._formats) if isinstance(row, ExceptionView) and row.open else ""


def what_happened(row: DayRow, now_ms: int) -> tuple[str, str]:
    """(tone, sentence); an unknown order says for how long."""
    if row.code != "M23":
        return happened(row.code)
    minutes = max(0, now_ms - row.at_ms) // 60_000
    hours, rest = divmod(minutes, 60)
    if hours:
        return "unknown", UNKNOWN_FOR_HOURS(hours, minutes=str(rest))
    return "unknown", UNKNOWN_FOR_MINUTES(minutes)


def suggestion(row: ExceptionView, formats: Formats) -> str:
    """The words on the button of the one proposed action."""
    amount = formats.money(row.amount_minor)
    return {
        Action.REFUND: Suggest.REFUND.format(amount=amount),
        Action.COLLECT: Suggest.COLLECT.format(amount=amount),
        Action.ACCEPT: Suggest.ACCEPT,
        Action.ATTACH: Suggest.ATTACH,
        Action.ASK: Suggest.ASK,
        Action.INVESTIGATE: Suggest.INVESTIGATE,
        Action.RETRY_REFUND: Suggest.RETRY,
        Action.REASON: Suggest.REASON,
        Action.NONE: Suggest.NOTHING,
    }[row.action]
