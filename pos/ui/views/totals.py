"""The totals of the day beside its exceptions, and the key that closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from pos.ui.widgets.button import CommandButton, focusless
from pos.ui.widgets.labels import column, label, rule, trailing
from pos.words.orders import Day

if TYPE_CHECKING:
    from pos.services.views import DayView, TotalRow
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit
    from pos.words.formats import Formats

MAX_ROWS = 24
STRONG = {"payout", "payout_due"}


class TotalsPanel(QWidget):
    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("sidePanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._grid = QGridLayout()
        self._grid.setSpacing(0)
        self._grid.setColumnStretch(0, 1)
        self._made: list[QWidget] = []
        self.items = label("", "row", name="day.items", wrap=True)
        self.parked = label("", "small", name="day.parked", wrap=True)
        self.problems = label("", "strong", tone="failed", name="day.problems", wrap=True)
        self.closed = label("", "strong", tone="paid", name="day.closed", wrap=True)
        self.close_day = CommandButton(kit.theme, commands["day.close"], Day.CLOSE, "primary")
        self.close_day.show_key_of(None)
        self.print_z = CommandButton(kit.theme, commands["print"], Day.PRINT_Z, "small")
        parts = (label(Day.TOTALS, "big"), 14, self._grid, 12, self.parked, self.problems, self.items, 10, self.closed)
        box = column(*parts, focusless(self.close_day), 10, focusless(self.print_z), 0, margins=(22, 20, 22, 20))
        self.setLayout(box)

    def show_day(self, view: DayView) -> None:
        self._rebuild(view.totals)
        open_items = sum(1 for e in view.exceptions if e.open)
        self.items.setText(Day.OPEN_ITEMS(open_items) if open_items else Day.NO_ITEMS)
        formats = self._kit.formats
        self.parked.setVisible(view.parked_count > 0)
        self.parked.setText(Day.PARKED(view.parked_count, amount=formats.money(view.parked_minor)))
        self.problems.setVisible(bool(view.problems))
        self.problems.setText("\n".join(view.problems))
        self.closed.setVisible(view.closed_at_ms is not None)
        self.items.setVisible(view.closed_at_ms is None)
        if view.closed_at_ms is not None:
            time = formats.time(view.closed_at_ms)
            self.closed.setText(Day.CLOSED.format(who=view.closed_by, time=time, number=view.z_number or ""))

    def _rebuild(self, rows: tuple[TotalRow, ...]) -> None:
        for widget in self._made:
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._made = []
        self._put(trailing(label(Day.HERE, "tablehead")), 0, 1)
        self._put(trailing(label(Day.COUNTED, "tablehead", wrap=True)), 0, 2)
        self._put(rule(), 1, 0, 3)
        for at, row in enumerate(rows[:MAX_ROWS]):
            role = "strong" if row.key in STRONG else "body"
            for place, made in enumerate(_cells(row, role, self._kit.formats)):
                made.setMinimumHeight(43)
                self._put(made, 2 + 2 * at, place)
            self._put(rule(), 3 + 2 * at, 0, 3)

    def _put(self, widget: QWidget, row: int, place: int, span: int = 1) -> None:
        self._grid.addWidget(widget, row, place, 1, span)
        self._made.append(widget)


def _cells(row: TotalRow, role: str, formats: Formats) -> tuple[QLabel, QLabel, QLabel]:
    here = "" if row.here_minor is None else formats.amount(row.here_minor)
    there = "" if row.there_minor is None else formats.amount(row.there_minor)
    made = (
        label(row.title, role, name=f"day.total.{row.key}", wrap=True),
        trailing(label(here, role, name=f"day.here.{row.key}")),
        trailing(label(there, role, name=f"day.there.{row.key}")),
    )
    made[0].setContentsMargins(10, 6, 0, 6)
    made[1].setContentsMargins(6, 0, 8, 0)
    made[2].setContentsMargins(6, 0, 10, 0)
    return made
