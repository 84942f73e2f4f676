"""The end of the day: one line of verdict, then only what needs a person, one proposed action each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from pos.services.views import DayView, ExceptionView
from pos.ui.delegates.table import Cell, TableDelegate
from pos.ui.models import day as columns
from pos.ui.models.day import DayModel, DayRow, suggestion, what_happened
from pos.ui.widgets.button import CommandButton, KeyButton, focusless
from pos.ui.widgets.chips import Chips
from pos.ui.widgets.labels import column, frame, label, line, set_tone
from pos.ui.widgets.lists import ShareTable
from pos.words.orders import Day
from pos.words.shell import Bar

if TYPE_CHECKING:
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit

ROW_HEIGHT = 59
WIDTHS = (0.103, 0.072, 0.1, 0.12, 0.11, 0.29, 0.205)
EXCEPTIONS, CORRECTED, MATCHED, NOTED = "exceptions", "corrected", "matched", "noted"
MAX_BUTTONS = 200
"""Exceptions with a button of their own; below them Enter on the row does the same."""


class DayPanel(QWidget):
    """`acted(ExceptionView)` when its proposed action is taken; `opened(order_id)` on Enter elsewhere."""

    acted = Signal(object)
    opened = Signal(str)

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self.view: DayView | None = None
        self.setObjectName("dayPanel")
        self.title = label("", "page", name="day.title")
        self.test = label(Bar.TEST, name="testMark")
        self.test.hide()
        self.sub = label("", "sub", name="day.report", wrap=True)
        self.partial = label(Day.PARTIAL, "strong", tone="waiting", name="day.partial", wrap=True)
        self.export = CommandButton(kit.theme, commands["day.export"], Day.EXPORT, "small")
        self.again = CommandButton(kit.theme, commands["day.again"], Day.RUN_AGAIN, "small")
        self.counts = [CountCard(name) for name in ("matched", "corrected", "exceptions", "cash")]
        self.tabs = Chips("day.tabs", Day.HAPPENED, "tab")
        self.model = DayModel(kit.formats, kit.now_ms)
        self.table = self._make_table()
        self.nothing = label(Day.NOTHING_HERE, "hint")
        self._assemble()
        self.tabs.chosen.connect(lambda _: self._show_rows())

    def _make_table(self) -> ShareTable:
        delegate = TableDelegate(self._kit, self._cell, ROW_HEIGHT)
        table = ShareTable("day.table", Day.HAPPENED, self.model, delegate, WIDTHS)
        table.set_row_height(ROW_HEIGHT)
        table.entered.connect(lambda row: self._act(self.model.rows[row]))
        return table

    def _assemble(self) -> None:
        words = column(line(self.title, 12, self.test, 0), 3, self.sub, self.partial)
        keys = line(focusless(self.export), 8, focusless(self.again))
        top = line(words, keys)
        top.setStretch(0, 1)
        counts = line()
        counts.setSpacing(14)
        for card in self.counts:
            counts.addWidget(card, 1)
        self.card = frame(card=True)
        tabs = line(self.tabs, margins=(15, 6, 15, 0))
        inside = column(tabs, self.nothing, self.table, margins=(1, 0, 1, 1))
        inside.setStretch(2, 1)
        self.card.setLayout(inside)
        self.nothing.setContentsMargins(18, 12, 18, 12)
        box = column(top, 18, counts, 16, self.card, margins=(26, 24, 26, 22))
        box.setStretch(4, 1)
        self.setLayout(box)

    def focus_first(self) -> None:
        self.table.setFocus()

    def show_reading(self) -> None:
        """The reports are being read; what was known stays on screen."""
        self.sub.setText(Day.READING)

    def show_day(self, view: DayView) -> None:
        self.view = view
        formats = self._kit.formats
        self.title.setText(Day.TITLE.format(day=formats.long_day(view.day)))
        self.sub.setText(self._window(view))
        self.partial.setVisible(not view.complete)
        self.test.setVisible(view.test)
        open_items = [e for e in view.exceptions if e.open]
        cash = view.cash_difference_minor
        self.counts[0].show_count(formats.number(len(view.matched)), Day.MATCHED, "paid")
        self.counts[1].show_count(formats.number(len(view.corrected)), Day.CORRECTED, "teal")
        self.counts[2].show_count(formats.number(len(open_items)), Day.NEED_YOU, "failed" if open_items else "paid")
        self.counts[3].show_count(
            formats.money_or_dash(cash),
            Day.NOT_COUNTED if cash is None else Day.CASH_DIFFERENCE,
            "failed" if cash else "",
        )
        tabs = [
            (EXCEPTIONS, Day.TAB_EXCEPTIONS.format(n=len(open_items))),
            (CORRECTED, Day.TAB_CORRECTED.format(n=len(view.corrected))),
            (MATCHED, Day.TAB_MATCHED.format(n=len(view.matched))),
        ]
        if view.noted:
            tabs.append((NOTED, Day.TAB_NOTED.format(n=len(view.noted))))
        known = self.tabs.key in dict(tabs)
        self.tabs.set(tabs, self.tabs.key if known else EXCEPTIONS)
        self._show_rows()

    def _window(self, view: DayView) -> str:
        formats = self._kit.formats
        names = [name.title() for name in view.gateways]
        gateways = Day.NO_GATEWAY
        if names:
            gateways = names[0] if len(names) == 1 else Day.AND.format(first=", ".join(names[:-1]), last=names[-1])
        report = Day.NO_REPORT
        if view.report_at_ms is not None:
            report = Day.REPORT(view.rows_read, time=formats.time(view.report_at_ms))
        until = formats.time(min(view.to_ms, self._kit.now_ms()))
        return Day.WINDOW.format(since=formats.time(view.from_ms), until=until, gateways=gateways, report=report)

    def _show_rows(self) -> None:
        view = self.view
        if view is None:
            return
        rows: list[DayRow] = [e for e in view.exceptions if e.open]
        if self.tabs.key == CORRECTED:
            rows = list(view.corrected)
        elif self.tabs.key == MATCHED:
            rows = list(view.matched)
        elif self.tabs.key == NOTED:
            rows = list(view.noted)
        self.model.show(rows)
        self.nothing.setVisible(not rows)
        for at, row in enumerate(rows[:MAX_BUTTONS]):
            if isinstance(row, ExceptionView):
                self.table.setIndexWidget(self.model.index(at, columns.SUGGESTED), self._make_button(row, at))

    def _make_button(self, row: ExceptionView, at: int) -> QWidget:
        button = KeyButton(self._kit.theme, suggestion(row, self._kit.formats), "", "row")
        button.setObjectName(f"day.act.{at}")
        button.clicked.connect(lambda: self._act(row))
        holder = QWidget()
        holder.setLayout(line(0, button, margins=(0, 0, 10, 0)))
        return holder

    def _act(self, row: DayRow) -> None:
        if isinstance(row, ExceptionView):
            self.acted.emit(row)
        elif row.order_id:
            self.opened.emit(row.order_id)

    def _cell(self, row: DayRow, at: int) -> Cell:
        text = self.model.cell(row, at)
        match at:
            case columns.NUMBER:
                return Cell(text, weight=700)
            case columns.TIME:
                return Cell(text, "secondary")
            case columns.HERE | columns.THERE:
                return Cell(text, trailing=True)
            case columns.HAPPENED:
                return Cell(text, tone=what_happened(row, self._kit.now_ms())[0])
            case columns.SUGGESTED:
                return Cell("")
        return Cell(text)


class CountCard(QFrame):
    """A large figure and what it counts."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.number = label("", "count", name=f"day.count.{name}")
        self.words = label("", "sub", wrap=True)
        self.setLayout(column(self.number, 4, self.words, 0, margins=(20, 16, 16, 14)))
        self.setFixedHeight(118)

    def show_count(self, number: str, words: str, tone: str) -> None:
        self.number.setText(number)
        set_tone(self.number, tone)
        self.words.setText(words)
        self.setAccessibleName(f"{number} {words}")
