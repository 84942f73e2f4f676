"""The tender keys below the total: always in the same place, always three. Which ones, the stage says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from pos.ui.counter import Counter, Stage
from pos.ui.widgets.button import CommandButton, focusless
from pos.ui.widgets.labels import column, line
from pos.words.sell import Cart

if TYPE_CHECKING:
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit


@dataclass(frozen=True, slots=True)
class Key:
    """A command and the words on its button here."""

    command: str
    words: str
    kind: str = "plain"


def keys_for(stage: Stage, *, cash: bool, owed: str = "") -> tuple[Key | None, Key | None, Key]:
    """Two small keys and the big one."""
    if cash:
        return (
            Key("pay.qr", Cart.PAY_QR),
            Key("split", Cart.SPLIT),
            Key("cash.received", Cart.CASH_RECEIVED, "primary"),
        )
    next_customer = Key("next", Cart.NEXT_CUSTOMER, "strong")
    match stage:
        case Stage.RINGING:
            return Key("discount", Cart.DISCOUNT_KEY), Key("cash", Cart.CASH), Key("pay.qr", Cart.PAY_QR, "primary")
        case Stage.OPEN:
            return Key("split", Cart.SPLIT), Key("cash", Cart.CASH), Key("pay.qr", Cart.PAY_QR, "primary")
        case Stage.WAITING | Stage.UNKNOWN | Stage.ASKING:
            return Key("cash", Cart.CASH_INSTEAD), None, next_customer
        case Stage.OWED:
            return Key("refund.owed", owed), Key("print", Cart.RECEIPT), next_customer
    return Key("return", Cart.RETURN), Key("print", Cart.RECEIPT), next_customer


class Tenders(QWidget):
    """Buttons are made once per key and shown when their stage is."""

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self._commands = commands
        self._made: dict[tuple[Key, int], CommandButton] = {}
        self._shown: tuple[Key | None, ...] = ()
        self.cash_open = False
        self._small, self._big = line(), line()
        self._small.setSpacing(10)
        self.setLayout(column(self._small, 10, self._big))

    def show_stage(self, counter: Counter) -> None:
        owed = ""
        if counter.view is not None and counter.view.owed_minor:
            owed = Cart.REFUND_OWED.format(amount=self._kit.formats.money(counter.view.owed_minor))
        keys = keys_for(counter.stage, cash=self.cash_open, owed=owed)
        if keys == self._shown:
            return
        self._shown = keys
        # Each button that is shown lays out the whole window; while their box is hidden none of them does.
        hidden = self.isHidden()
        self.hide()
        for button in self._made.values():
            button.hide()
        for place, key in enumerate(keys):
            if key is not None:
                self._button(key, place).show()
        self.setVisible(not hidden)

    def _button(self, key: Key, place: int) -> CommandButton:
        if (key, place) not in self._made:
            button = CommandButton(self._kit.theme, self._commands[key.command], key.words, key.kind)
            focusless(button)
            self._made[key, place] = button
            if place == 2:
                self._big.addWidget(button)
            else:
                self._small.insertWidget(0 if place == 0 else -1, button, 1)
        return self._made[key, place]
