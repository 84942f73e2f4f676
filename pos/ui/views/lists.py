"""Panels that are a list to choose from: held orders, the command palette, the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from pos.ui.models.rows import VALUE, RowsModel
from pos.ui.theme import body_font
from pos.ui.views.form import FormPanel, text_field
from pos.ui.widgets.button import key_text
from pos.ui.widgets.labels import label
from pos.ui.widgets.paint import CAP_HEIGHT, cap_width, draw_text, paint_cap
from pos.words.sell import Cash, Held
from pos.words.shell import Help, Palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pos.services.views import OrderRow
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit
    from pos.words.formats import Formats

ROW_HEIGHT = 48
Rowish = QModelIndex | QPersistentModelIndex


class ActionsModel(RowsModel):
    """Rows are QActions."""

    def spoken(self, row: QAction) -> str:
        return f"{row.text()} {key_text(row)}".strip()


class ActionDelegate(QStyledItemDelegate):
    """A command's name and its key."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._font = body_font(15, 500)

    def sizeHint(self, option: QStyleOptionViewItem, index: Rowish) -> QSize:
        return QSize(0, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Rowish) -> None:
        action: QAction = index.data(VALUE)
        theme, rect = self._kit.theme, option.rect
        painter.save()
        painter.setLayoutDirection(option.direction)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color("accent_soft"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("line"))
        inner = rect.adjusted(14, 0, -14, 0)
        draw_text(painter, inner.adjusted(0, 0, -120, 0), action.text(), self._font, theme.color("ink"))
        key = key_text(action)
        if key:
            width = cap_width(key)
            cap = QRect(inner.right() - width, inner.center().y() - CAP_HEIGHT // 2, width, CAP_HEIGHT)
            paint_cap(painter, QStyle.visualRect(option.direction, inner, cap), key, theme)
        painter.restore()


class ChoiceList(QListView):
    """Up and down from the field above; `chosen(value)` on Enter or a tap."""

    chosen = Signal(object)

    def __init__(self, name: str, spoken: str, model: RowsModel, delegate: QStyledItemDelegate) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.setModel(model)
        delegate.setParent(self)
        self.setItemDelegate(delegate)
        self.setUniformItemSizes(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(lambda index: self.chosen.emit(index.data(VALUE)))

    def step(self, by: int) -> None:
        count = self.model().rowCount()
        if count:
            row = max(0, min(count - 1, self.currentIndex().row() + by))
            self.setCurrentIndex(self.model().index(row, 0))

    def choose_current(self) -> None:
        if self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex().data(VALUE))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose_current()
            return
        super().keyPressEvent(event)


class PalettePanel(FormPanel):
    """Type, choose, Enter. `chosen(QAction)`."""

    chosen = Signal(object)

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__(kit, "palettePanel", commands["back"], Cash.BACK)
        self._commands = commands
        self._may: list[QAction] = []
        self.set_words(Palette.TITLE)
        self.field = text_field("palette.field", Palette.HINT)
        self.model = ActionsModel()
        self.list = ChoiceList("palette.list", Palette.TITLE, self.model, ActionDelegate(kit))
        self.nothing = label(Palette.NOTHING, "hint", wrap=True)
        for widget in (self.field, self.nothing, self.list):
            self.body.addWidget(widget)
        self.body.setStretchFactor(self.list, 1)
        self.fill_room()
        self.field.textChanged.connect(self.refresh)
        self.list.chosen.connect(self.chosen)
        self.field.installEventFilter(self)

    @property
    def can_confirm(self) -> bool:
        return True

    def confirm(self) -> None:
        self.list.choose_current()

    def open(self) -> None:
        """Offers what may be done now: opening this panel is what ends that, so it is asked before."""
        self._may = [action for action in self._commands.listed if action.isEnabled()]
        self.field.clear()
        self.refresh()

    def focus_first(self) -> None:
        self.field.setFocus()

    def refresh(self) -> None:
        words = self.field.text().casefold().split()
        rows = [action for action in self._may if all(word in action.text().casefold() for word in words)]
        self.model.set_rows(rows)
        self.nothing.setVisible(not rows)
        self.list.setCurrentIndex(self.model.index(0))

    def eventFilter(self, watched: object, event: object) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QKeyEvent.Type.KeyPress:
            step = {int(Qt.Key.Key_Up): -1, int(Qt.Key.Key_Down): 1}.get(event.key(), 0)
            if step:
                self.list.step(step)
                return True
        return False


class HelpPanel(FormPanel):
    """Every key and what it does."""

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__(kit, "helpPanel", commands["back"], Help.CLOSE)
        self._commands = commands
        self.set_words(Help.TITLE, Help.INTRO)
        self.model = ActionsModel()
        self.list = ChoiceList("help.list", Help.TITLE, self.model, ActionDelegate(kit))
        self.body.addWidget(label(Help.QUANTITY.format(example="3*"), "row"))
        self.body.addWidget(self.list)
        self.fill_room()

    def open(self) -> None:
        self.model.set_rows([a for a in self._commands.listed if key_text(a)])

    def focus_first(self) -> None:
        self.list.setFocus()


class HeldModel(RowsModel):
    def __init__(self, formats: Formats) -> None:
        super().__init__()
        self._formats = formats

    def spoken(self, row: OrderRow) -> str:
        time, amount = self._formats.time(row.created_at_ms), self._formats.money(row.total_minor)
        return f"{row.number} · {time} · {amount}"


class TextDelegate(QStyledItemDelegate):
    """One line of text a row, as the model speaks it."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._font = body_font(16, 600)

    def sizeHint(self, option: QStyleOptionViewItem, index: Rowish) -> QSize:
        return QSize(0, ROW_HEIGHT + 8)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Rowish) -> None:
        theme, rect = self._kit.theme, option.rect
        painter.save()
        painter.setLayoutDirection(option.direction)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color("accent_soft"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("line"))
        text = str(index.data(Qt.ItemDataRole.DisplayRole))
        draw_text(painter, rect.adjusted(14, 0, -14, 0), text, self._font, theme.color("ink"))
        painter.restore()


class HeldPanel(FormPanel):
    """Orders on hold. `chosen(OrderRow)`."""

    chosen = Signal(object)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "heldPanel", back, Cash.BACK)
        self.model = HeldModel(kit.formats)
        self.list = ChoiceList("held.list", Held.TITLE, self.model, TextDelegate(kit))
        self.list.chosen.connect(self.chosen)
        self.body.addWidget(self.list)
        self.fill_room()
        self.add_confirm(confirm, Held.RECALL)

    @property
    def can_confirm(self) -> bool:
        return bool(self.model.rows)

    def confirm(self) -> None:
        self.list.choose_current()

    def show_orders(self, rows: Sequence[OrderRow]) -> None:
        self.set_words(Held.TITLE, "" if rows else f"{Held.NONE} {Held.NONE_HINT.format(key='F6')}")
        self.model.set_rows(rows)
        self.list.setCurrentIndex(self.model.index(0))
        self.changed.emit()

    def focus_first(self) -> None:
        self.list.setFocus()
