"""The pay panel: takes the place of the tiles while an order is being paid. Left its outcome, right what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QBoxLayout, QFrame, QSizePolicy, QStackedWidget, QWidget

from pos.domain.status import Shown
from pos.ui.counter import Counter, Stage, ask_minor
from pos.ui.views.halves import OutcomeHalf, QrHalf, UnknownHalf
from pos.ui.views.sheet import Sheet
from pos.ui.widgets.labels import frame, line, set_tone
from pos.ui.widgets.still import one_layout

if TYPE_CHECKING:
    from pos.services.views import OrderView
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit
    from pos.ui.shop import Shop

TICK_MS = 1000


class PayPanel(QWidget):
    """Shows a `Counter` whose order is more than a draft."""

    def __init__(self, kit: Kit, shop: Shop, counter: Counter, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self._counter = counter
        self.setObjectName("payPanel")
        self.qr = QrHalf(kit, shop)
        self.unknown = UnknownHalf(kit, shop)
        self.outcome = OutcomeHalf(kit, shop)
        self.halves = QStackedWidget()
        for each in (self.qr, self.unknown, self.outcome):
            self.halves.addWidget(each)
        self.sheet = Sheet(kit, counter, commands)
        self._card = frame("payCard")
        self._inner = line(self.halves, self.sheet, margins=(1, 1, 1, 1))
        self._inner.setStretch(0, 1)
        self._inner.setStretch(1, 1)
        self._card.setLayout(self._inner)
        self._outer = line(self._card, margins=(20, 18, 20, 18))
        self.setLayout(self._outer)
        self.set_compact(False)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.tick)
        counter.changed.connect(self.refresh)
        counter.code_due.connect(self._paint_code)

    def set_compact(self, compact: bool) -> None:
        """Two halves side by side, equally wide; in a small window one above the other.

        Then the upper one has what the keys and words below leave, at every moment: how much that is changes with them.
        """
        side = 16 if compact else 20
        self._outer.setContentsMargins(side, 14 if compact else 18, side, 14 if compact else 18)
        direction = QBoxLayout.Direction.TopToBottom if compact else QBoxLayout.Direction.LeftToRight
        self._inner.setDirection(direction)
        self._inner.setStretch(1, 0 if compact else 1)
        for half in (self.qr, self.unknown, self.outcome):
            half.set_compact(compact)
            set_tone(half, "true" if compact else "", "stacked")
        self.sheet.set_compact(compact)
        ignored, upright = QSizePolicy.Policy.Ignored, self.sheet.sizePolicy().verticalPolicy()
        self.halves.setSizePolicy(ignored, ignored)
        self.sheet.setSizePolicy(ignored, upright)

    def show_display(self, on: bool) -> None:
        """Whether there is a customer's display: only then words speak of it."""
        for half in (self.qr, self.unknown, self.outcome):
            half.show_display(on)
        self.sheet.receipt.show_display(on)

    def focus_first(self) -> None:
        self.setFocus()

    def showEvent(self, event: object) -> None:
        self._timer.start(TICK_MS)
        self.refresh()

    def hideEvent(self, event: object) -> None:
        self._timer.stop()

    def refresh(self) -> None:
        view, stage = self._counter.view, self._counter.stage
        if stage is Stage.RINGING:
            return
        with one_layout(self.sheet):
            chosen = self._half_for(view, stage)
            if self.halves.currentWidget() is not chosen:
                self.halves.setCurrentWidget(chosen)
            self.sheet.refresh()

    def _paint_code(self) -> None:
        """The code at once; the rest of the window is laid out and painted after it."""
        if self.isVisible() and self.halves.currentWidget() is self.qr and not self.qr.code.ready:
            self.refresh()
            self.qr.code.repaint()

    def tick(self) -> None:
        current = self.halves.currentWidget()
        if isinstance(current, QrHalf | UnknownHalf):
            current.tick()
        self.sheet.tick()

    def _half_for(self, view: OrderView | None, stage: Stage) -> QFrame:
        if view is not None and stage is Stage.UNKNOWN:
            self.unknown.show_order(view)
            return self.unknown
        if view is not None and stage in (Stage.PAID, Stage.OWED, Stage.OPEN) and view.shown is not Shown.WAITING:
            self.outcome.show_order(view)
            return self.outcome
        minor = ask_minor(self._counter) or (view.totals.total_minor if view else 0)
        self.qr.show_order(view, self._kit.formats.money(minor), self._counter.asking)
        return self.qr
