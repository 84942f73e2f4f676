"""Sharing what is left to pay: part after part is typed, the last one is the rest. Takes the place of the tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from pos.domain.plan import SHARES_MAX, Share, Way
from pos.ui.views.form import FormPanel
from pos.ui.widgets.amount import AmountField
from pos.ui.widgets.button import CommandButton, focusless
from pos.ui.widgets.chips import Chips
from pos.ui.widgets.keypad import Keypad
from pos.ui.widgets.labels import column, label, line, rule, set_tone, trailing
from pos.words.pay import Split
from pos.words.sell import Cash
from pos.words.ways import way_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pos.services.views import GatewayChoice, ShareView
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit

RANKS = [way.value for way in Way]


class SplitPanel(FormPanel):
    """`answered(shares)` when the parts make up what is left; `collected` to take the next part of a standing plan.

    `dropped` when a standing plan is to be taken back.
    """

    answered = Signal(object)
    collected = Signal()
    dropped = Signal()

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__(kit, "splitPanel", commands["back"], Cash.BACK)
        self._left_minor = 0
        self._plan: Sequence[ShareView] = ()
        self._shares: list[Share] = []
        self._keys: list[str] = []
        self.ways = Chips("split.ways", Split.WAY, "tab")
        self.field = AmountField(kit.formats, "split.amount", Split.AMOUNT)
        self.keypad = Keypad(kit)
        self.parts = Parts(kit)
        self.left = trailing(label("", "heading", name="split.left"))
        self.less = CommandButton(kit.theme, commands["split.less"], Split.LESS)
        self.button = self.add_confirm(commands["confirm"], "")
        self._assemble()
        self.keypad.pressed.connect(self.field.press)
        self.field.edited.connect(self._refresh)
        self.ways.chosen.connect(lambda _: self._refresh())

    def _assemble(self) -> None:
        typed = column(self.field, 12, self.keypad, 0)
        rest = line(label(Split.LEFT, "big", tone="secondary"), 0, self.left)
        listed = column(label(Split.PARTS, "part"), 8, self.parts, 12, rest, 16, focusless(self.less), 0)
        both = line()
        both.setSpacing(28)
        both.addLayout(typed, 1)
        both.addLayout(listed, 1)
        self.body.addWidget(self.ways)
        self.body.addLayout(both)

    # What it is about -----------------------------------------------------------------------------------------------

    def open(self, left_minor: int, gateways: Sequence[GatewayChoice], plan: Sequence[ShareView]) -> None:
        """A fresh split of what is left; `plan` is the one that stands, shown until another is begun."""
        self._left_minor, self._plan, self._shares = left_minor, plan, []
        self._keys = [f"qr:{choice.name}" for choice in gateways if choice.enabled]
        self._keys += [Way.TERMINAL.value, Way.CASH.value]
        self.set_words(Split.TITLE.format(amount=self.kit.formats.money(left_minor)), Split.HINT)
        self._offer(self._keys[0])
        self.field.set_minor(None)

    def focus_first(self) -> None:
        self.field.setFocus()

    @property
    def rest_minor(self) -> int:
        return self._left_minor - sum(share.amount_minor for share in self._shares)

    @property
    def _collecting(self) -> bool:
        """A plan stands and nothing new was begun: Enter takes its next part."""
        return bool(self._plan) and not self._shares and not self.field.minor

    @property
    def _typed(self) -> Share | None:
        """The part that Enter would add: what was typed, or the rest. None where that is no part."""
        amount = self.field.minor or (self.rest_minor if self._shares else 0)
        last = len(self._shares) == SHARES_MAX - 1
        fits = 0 < amount <= self.rest_minor and (amount < self._left_minor) and not (last and amount < self.rest_minor)
        way, _, gateway = self.ways.key.partition(":")
        return Share(Way(way), amount, gateway) if fits and way else None

    @property
    def can_confirm(self) -> bool:
        return self._collecting or self.rest_minor == 0 or self._typed is not None

    # What the keys do -----------------------------------------------------------------------------------------------

    def confirm(self) -> None:
        part = self._typed
        if self._collecting:
            self.collected.emit()
        elif self.rest_minor == 0:
            self.answered.emit(tuple(self._shares))
        elif part is not None:
            self._shares.append(part)
            self._offer(Way.CASH.value)
            self.field.set_minor(None)

    def remove(self) -> None:
        """The last part goes; without one, the plan that stands."""
        if self.field.minor:
            self.field.set_minor(None)
        elif self._shares:
            self._shares.pop()
            self._offer(self.ways.key)
            self._refresh()
        elif self._plan:
            self.dropped.emit()

    # What is shown --------------------------------------------------------------------------------------------------

    def _offer(self, chosen: str) -> None:
        """Ways that may still come: links first, cash last."""
        least = RANKS.index(self._shares[-1].way.value) if self._shares else 0
        keys = [key for key in self._keys if RANKS.index(key.partition(":")[0]) >= least]
        self.ways.set([(key, _words(key)) for key in keys], chosen if chosen in keys else keys[0])

    def _refresh(self) -> None:
        formats, rest = self.kit.formats, self.rest_minor
        rows = [(way_text(s.way, s.gateway), s.amount_minor, "open") for s in self._shares]
        if self._collecting:
            rows = [(way_text(s.way, s.gateway), s.amount_minor, s.state) for s in self._plan]
        self.parts.show_rows(rows)
        self.left.setText(formats.money(rest))
        set_tone(self.left, "" if rest else "paid")
        self.field.setPlaceholderText(formats.money(rest) if self._shares and rest else "")
        self.less.setText(Split.DROP if self._collecting else Split.LESS)
        self.less.setVisible(bool(self._plan or self._shares or self.field.minor))
        self.button.setText(self._button_words())
        self.changed.emit()

    def _button_words(self) -> str:
        formats = self.kit.formats
        if self._collecting or self.rest_minor == 0:
            following = next((s for s in self._plan if s.state == "next"), None) if self._collecting else None
            first = following or self._shares[0] if self._collecting or self._shares else None
            if first is None:
                return str(Split.SAVE)
            done = following.paid_minor if following else 0
            return Split.TAKE.format(amount=formats.money(first.amount_minor - done))
        part = self._typed
        if part is None:
            return str(Split.ADD)
        return Split.ADD_PART.format(amount=formats.money(part.amount_minor))


def _words(key: str) -> str:
    way, _, gateway = key.partition(":")
    return way_text(way, gateway)


class Parts(QWidget):
    """The parts one below the other: how, how much, and whether it is paid."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("split.parts")
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        self._rows: list[tuple[QWidget, QLabel, QLabel, QLabel]] = []
        for at in range(SHARES_MAX):
            self._add(at)
        self.none = label(Split.NONE, "sub", wrap=True)
        self._box.addWidget(self.none)

    def _add(self, at: int) -> None:
        name, state = label("", "strong", name=f"split.part.{at}"), label("", "small", name=f"split.state.{at}")
        amount = trailing(label("", "strong", name=f"split.part.{at}.amount"))
        row = QWidget()
        row.setLayout(column(line(column(name, 1, state), 0, amount, margins=(0, 7, 0, 7)), rule()))
        self._rows.append((row, name, state, amount))
        self._box.addWidget(row)

    def show_rows(self, rows: Sequence[tuple[str, int, str]]) -> None:
        self.none.setVisible(not rows)
        words = {"paid": Split.PAID, "next": Split.NEXT, "open": ""}
        tones = {"paid": "paid", "next": "accent", "open": ""}
        for at, (row, name, state, amount) in enumerate(self._rows):
            row.setVisible(at < len(rows))
            if at < len(rows):
                text, minor, word = rows[at]
                name.setText(text)
                state.setText(str(words[word]))
                state.setVisible(bool(words[word]))
                set_tone(state, tones[word])
                amount.setText(self._kit.formats.money(minor))
