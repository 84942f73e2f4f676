"""The right half of the pay panel: order, steps, what happened, what happens next, and the keys of this stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QSizePolicy, QStackedWidget, QWidget

from pos.services.views import OrderView, TimelineRow
from pos.ui.counter import Counter, Stage
from pos.ui.delegates.timeline import NOW, PayTimelineDelegate
from pos.ui.models.timeline import TimelineModel
from pos.ui.steps import reached, steps
from pos.ui.views.asides import NextCard, ReceiptCard
from pos.ui.widgets.button import CommandButton, focusless
from pos.ui.widgets.labels import column, fit, holder, label, line
from pos.ui.widgets.lists import ContentList
from pos.ui.widgets.paint import pill_width
from pos.ui.widgets.pill import Pill
from pos.ui.widgets.stepbar import StepBar
from pos.words.pay import Local, Paid, Pay, Unknown
from pos.words.shell import Bar
from pos.words.states import LOOKS, Steps

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from pos.ui.commands import Commands
    from pos.ui.kit import Kit

MAX_ROWS = 9
"""Rows of what happened on the pay panel: the newest; all of them stand in the history."""
ROW_HEIGHT = 33
HEAD_GAP = 12


@dataclass(frozen=True, slots=True)
class Key:
    command: str
    words: str
    kind: str = "plain"
    icon: str = ""


def keys_for(stage: Stage) -> tuple[Key, ...]:
    match stage:
        case Stage.WAITING | Stage.ASKING:
            return (
                Key("check", Pay.CHECK),
                Key("print", Pay.PRINT_QR),
                Key("copy_link", Pay.COPY_LINK),
                Key("give_up", Pay.CANCEL, "danger"),
            )
        case Stage.UNKNOWN:
            return Key("check", Pay.CHECK, "unknown"), Key("release", Unknown.MANAGER_DECIDES)
        case Stage.PAID | Stage.OWED:
            return (
                Key("print", Paid.PRINT, "wide", "printer"),
                Key("receipt.show", Paid.SHOW, "wide", "receipt-text"),
                Key("receipt.save", Paid.SAVE, "wide", "download"),
            )
    return Key("check", Pay.CHECK), Key("release", Unknown.MANAGER_DECIDES)


class Sheet(QWidget):
    def __init__(self, kit: Kit, counter: Counter, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self._counter = counter
        self._commands = commands
        self.title = fit("", "heading", name="sheet.order")
        self.sub = label("", "sub", name="sheet.attempt")
        self.test = label(Bar.TEST, name="testMark")
        self.test.hide()
        self.pill = Pill(kit.theme, "sheet.state")
        self.bar = StepBar(kit.theme, name="sheet.steps")
        self.model = TimelineModel(kit.formats)
        delegate = PayTimelineDelegate(kit)
        delegate.row_height = ROW_HEIGHT
        self.list = ContentList("sheet.happened", Pay.HAPPENED, self.model, delegate, newest=True)
        self.next = NextCard(kit)
        self.receipt = ReceiptCard(kit)
        self._pages: dict[tuple[Key, ...], QWidget] = {}
        self._keys = QStackedWidget()
        self._compact = False
        self._assemble()

    def _assemble(self) -> None:
        (top := line(self.title, HEAD_GAP, self.pill)).setStretch(0, 1)
        head = column(top, 1, line(self.sub, 10, self.test, 0))
        self._happened = holder(column(self.list, 14))
        self._happened.setSizePolicy(self.list.sizePolicy())
        self._box = column(head, 16, self.bar, 16, self._happened, self.next, 0, self.receipt, 10, self._keys)
        self._box.setContentsMargins(30, 30, 30, 30)
        self._box.setStretchFactor(self._happened, 1000)
        self.setLayout(self._box)

    def set_compact(self, compact: bool) -> None:
        """In a small window what happened stands in the history only; the keys are built again as they are shown."""
        if compact == self._compact:
            return
        self._compact = compact
        side = 18 if compact else 30
        self._box.setContentsMargins(side, 14 if compact else 30, side, 16 if compact else 30)
        self._happened.setVisible(not compact)
        upright = QSizePolicy.Policy.Maximum if compact else QSizePolicy.Policy.Preferred
        self.setSizePolicy(QSizePolicy.Policy.Preferred, upright)
        for page in self._pages.values():
            self._keys.removeWidget(page)
            page.deleteLater()
        self._pages.clear()
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._show_head(self._counter.view)

    def refresh(self) -> None:
        view, stage = self._counter.view, self._counter.stage
        self._show_head(view)
        self.bar.set(steps(None if self._counter.asking else view))
        self.bar.setVisible(view is None or view.attempt is not None)
        self.model.set_rows(self._rows(view))
        self.next.setVisible(stage is Stage.UNKNOWN and not self._compact)
        self.receipt.setVisible(stage is Stage.PAID and not self._compact)
        if view is not None:
            self.next.show_order(view)
            if stage is Stage.PAID:
                self.receipt.show_order(view)
        self._show_keys(stage)

    def tick(self) -> None:
        self.next.tick()

    def _show_head(self, view: OrderView | None) -> None:
        saved = view or self._counter.basket.view
        self.title.setText(Pay.ORDER.format(number=saved.number) if saved else "")
        attempt = view.attempt if view and not self._counter.asking else None
        self.test.setVisible(attempt is not None and attempt.mode == "test")
        self.sub.setText(Pay.ATTEMPT.format(no=attempt.no, gateway=attempt.gateway_title) if attempt else "")
        if view is None or self._counter.asking:
            self.pill.set(Steps.ASKING, "waiting")
            return
        look = LOOKS[view.shown]
        sides = self._box.contentsMargins()
        room = self.width() - sides.left() - sides.right() - self.title.sizeHint().width() - HEAD_GAP
        short = self._compact or pill_width(look.long_word, look.icon) > room
        self.pill.set(look.short_word if short else look.long_word, look.tone, look.icon)

    def _rows(self, view: OrderView | None) -> list[TimelineRow]:
        rows = list(self._counter.timeline)
        if view is not None and self._counter.stage is Stage.WAITING and reached(view) >= 2 and rows:
            rows.append(TimelineRow(rows[-1].at_ms, "till", Local.WAITING_BANK, NOW))
        return rows[-MAX_ROWS:]

    def _show_keys(self, stage: Stage) -> None:
        keys = keys_for(stage)
        page = self._pages.get(keys)
        if page is None:
            page = self._pages[keys] = self._make_page(keys)
            self._keys.addWidget(page)
        if self._keys.currentWidget() is not page:
            self._keys.setCurrentWidget(page)
            self._keys.setFixedHeight(page.sizeHint().height())

    def _make_page(self, keys: tuple[Key, ...]) -> QWidget:
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(10)
        stacked = not self._compact and any(key.kind == "wide" for key in keys)
        for at, key in enumerate(keys):
            kind, icon = ("plain", "") if self._compact and key.kind == "wide" else (key.kind, key.icon)
            button = CommandButton(self._kit.theme, self._commands[key.command], key.words, kind, icon)
            focusless(button)
            grid.addWidget(button, at if stacked else at // 2, 0 if stacked else at % 2)
        return page
