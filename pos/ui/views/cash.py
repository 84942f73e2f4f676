"""Cash: what the customer gives, the change in large figures, and how to count it out. Takes the place of the tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QWidget,
)

from pos.ui import notes
from pos.ui.counter import ask_minor
from pos.ui.theme import body_font
from pos.ui.widgets.amount import AmountField
from pos.ui.widgets.button import CommandButton, KeyButton, focusless
from pos.ui.widgets.keypad import Keypad
from pos.ui.widgets.labels import centred, column, fit, frame, label, line, set_tone, trailing
from pos.ui.widgets.pill import Pill
from pos.words.pay import Pay
from pos.words.sell import Cash

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QPaintEvent, QResizeEvent

    from pos.ui.commands import Commands
    from pos.ui.counter import Counter
    from pos.ui.kit import Kit

MAX_PIECES = 6
NOTE_ROWS = 2


class CashPanel(QWidget):
    """`given_minor` is what was typed; `edited` whenever it changes."""

    edited = Signal()

    def __init__(self, kit: Kit, counter: Counter, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self._counter = counter
        self.setObjectName("cashPanel")
        self._compact = False
        self.to_pay = trailing(fit("", "heading", name="cash.toPay"))
        self.field = AmountField(kit.formats, "cash.given", Cash.GIVEN)
        self.change_word = label(Cash.CHANGE, "side", tone="accent", name="cash.changeWord")
        self.change = trailing(fit("", "change", name="cash.change"))
        self.pieces = Pieces(kit)
        self.order = label("", "sub")
        self.drawer = Pill(kit.theme, "cash.drawer")
        self.notes = NoteKeys(kit)
        self.keypad = Keypad(kit)
        self._assemble(commands["back"])
        self.field.edited.connect(self.refresh)
        self.keypad.pressed.connect(self.field.press)
        self.notes.chosen.connect(self.field.set_minor)
        counter.changed.connect(self._counter_changed)

    @property
    def given_minor(self) -> int | None:
        return self.field.minor

    @property
    def due_minor(self) -> int:
        return ask_minor(self._counter)

    @property
    def enough(self) -> bool:
        """Nothing typed is the exact amount."""
        return self.given_minor is None or self.given_minor >= self.due_minor

    def _assemble(self, back: QAction) -> None:
        self.half = frame("half.cash", half=True)
        given = label(Cash.GIVEN, "field", tone="accent")
        top = line(label(Cash.TO_PAY, "big", tone="secondary"), 0, self.to_pay)
        says = (
            label(Cash.SAVED_FIRST, "small", tone="accent", wrap=True),
            label(Cash.STAYS, "small", tone="accent", wrap=True),
        )
        rule = frame("splitLine", rule="tone", tone="accent")
        parts = (top, 22, given, 6, self.field, 50, self.change_word, 2, self.change, 16, self.pieces, 0)
        self._left = column(*parts, rule, 14, *says, margins=(34, 32, 34, 32))
        self.half.setLayout(self._left)
        self.clear = KeyButton(self._kit.theme, Cash.CLEAR, "Del")
        self.clear.setObjectName("cash.clear")
        self.clear.clicked.connect(lambda: self.field.set_minor(None))
        keys = line(focusless(self.clear), 10, focusless(CommandButton(self._kit.theme, back, Cash.BACK)))
        head = line(column(label(Cash.TITLE, "heading"), 1, self.order), 0, column(self.drawer, 0))
        right = column(head, 16, self.notes, 24, self.keypad, 0, keys, margins=(30, 30, 30, 30))
        right.setStretchFactor(self.keypad, 1000)
        self._right = right
        card = frame("paySheet")
        both = line(self.half, margins=(1, 1, 1, 1))
        both.addLayout(right, 1)
        card.setLayout(both)
        self._outer = line(card, margins=(20, 18, 20, 18))
        self.setLayout(self._outer)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit(event.size().width())

    def _fit(self, width: int) -> None:
        inside = width - 2 * self._outer.contentsMargins().left()
        self.half.setFixedWidth(max(1, inside * 45 // 100 if self._compact else inside // 2))

    def set_compact(self, compact: bool) -> None:
        self._compact = compact
        side, inner = (16, 18) if compact else (20, 34)
        self._outer.setContentsMargins(side, 14 if compact else 18, side, 14 if compact else 18)
        self._left.setContentsMargins(inner, 24 if compact else 32, inner, 24 if compact else 32)
        self._right.setContentsMargins(*((18, 20, 18, 18) if compact else (30, 30, 30, 30)))
        self.drawer.setVisible(not compact)
        small = "true" if compact else ""
        for each in (self.field, self.change, *self.notes.keys, *self.keypad.keys):
            set_tone(each, small, "small")
        self._fit(self.width())

    def open(self) -> None:
        """A fresh amount for the order on the counter."""
        self.field.set_minor(None)
        self.notes.offer(self.due_minor)
        self.refresh()

    def focus_first(self) -> None:
        self.field.setFocus()

    def showEvent(self, event: object) -> None:
        self.refresh()

    def _counter_changed(self) -> None:
        if not self.isHidden():  # `open` shows a fresh amount; what nobody sees costs nothing
            self.refresh()

    def refresh(self) -> None:
        due, given, formats = self.due_minor, self.given_minor, self._kit.formats
        self.to_pay.setText(formats.money(due))
        if self.field.placeholderText() != formats.money(due):
            self.field.setPlaceholderText(formats.money(due))
            self.notes.offer(due)
        self.notes.mark(given)
        rest = (due if given is None else given) - due
        self.change_word.setText(Cash.CHANGE if rest >= 0 else Cash.SHORT)
        set_tone(self.change_word, "accent" if rest >= 0 else "failed")
        self.change.setText(formats.money(abs(rest)))
        set_tone(self.change, "" if rest >= 0 else "failed")
        self.pieces.show_amount(rest)
        saved = self._counter.view or self._counter.basket.view
        self.order.setText(Pay.ORDER.format(number=saved.number) if saved else "")
        self.drawer.set(
            self._counter.busy or Cash.DRAWER_CLOSED, "waiting" if self._counter.busy else "gone", "banknote"
        )
        self.edited.emit()


class NoteKeys(QWidget):
    """Exact, and five round amounts that a customer may hand over."""

    chosen = Signal(object)

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self._amounts: dict[NoteKey, int] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(10)
        for at in range(1 + notes.SUGGESTIONS):
            button = NoteKey()
            button.setObjectName(f"note.{at}")
            button.setProperty("kind", "note")
            button.setCheckable(True)
            button.clicked.connect(self._press)
            focusless(button)
            self._amounts[button] = 0
            grid.addWidget(button, at // 3, at % 3)

    @property
    def keys(self) -> list[NoteKey]:
        return list(self._amounts)

    def offer(self, due_minor: int) -> None:
        amounts = [due_minor, *notes.suggestions(due_minor, self._kit.formats.currency)]
        for button, amount in zip(self._amounts, amounts, strict=False):
            self._amounts[button] = amount
            text = self._kit.formats.short_money(amount)
            button.setText(text)
            button.below = Cash.EXACT if amount == due_minor else ""
            button.setAccessibleName(f"{text} {Cash.EXACT}" if amount == due_minor else text)

    def mark(self, given_minor: int | None) -> None:
        for button, amount in self._amounts.items():
            button.setChecked(amount == given_minor)

    def _press(self) -> None:
        sender = self.sender()
        if isinstance(sender, NoteKey):
            self.chosen.emit(self._amounts[sender])


class NoteKey(QPushButton):
    """An amount, and in small letters below what is special about it."""

    below = ""

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.below:
            super().paintEvent(event)
            return
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        option.rect = self.rect().adjusted(0, 0, 0, -18)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)
        painter.setFont(body_font(12))
        painter.drawText(self.rect().adjusted(0, 24, 0, 0), Qt.AlignmentFlag.AlignCenter, self.below)


class Pieces(QWidget):
    """The change counted out: notes as cards, coins as discs."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("cash.pieces")
        self._made = [Spot() for _ in range(MAX_PIECES)]
        box = line(0, *self._made)
        box.setSpacing(12)
        self.setLayout(box)
        self.setMinimumHeight(70)

    def show_amount(self, amount_minor: int) -> None:
        found = notes.pieces(amount_minor, self._kit.formats.currency)
        if len(found) > MAX_PIECES:
            found = []
        for at, spot in enumerate(self._made):
            spot.setVisible(at < len(found))
            if at < len(found):
                spot.show_piece(found[at], self._kit.formats.short_money(found[at].value_minor))


class Spot(QWidget):
    """One kind of note or coin and how many of it."""

    def __init__(self) -> None:
        super().__init__()
        self.face = frame("piece")
        self.value = centred(label("", "strong"))
        self.count = centred(label("", "small", tone="accent"))
        self.face.setLayout(line(self.value))
        self.setLayout(column(self.face, 6, self.count))

    def show_piece(self, piece: notes.Piece, value: str) -> None:
        self.value.setText(value)
        self.count.setText(Cash.PIECES.format(n=piece.count))
        self.face.setFixedSize(46 if piece.coin else 66, 46)
        set_tone(self.face, "true" if piece.coin else "false", "coin")
