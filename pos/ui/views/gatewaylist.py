"""The list of gateways: a card each, in the order of their use, then those that could be set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from pos.ui.widgets.button import CommandButton
from pos.ui.widgets.chips import Flow
from pos.ui.widgets.labels import column, holder, label, line
from pos.ui.widgets.marks import Badge
from pos.ui.widgets.pill import Pill
from pos.words.gateways import Gateways

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pos.services.setup_views import GatewayCard
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit


class CardButton(QPushButton):
    """One gateway: its letter, name, what it is used for, how it does."""

    def __init__(self, kit: Kit, card: GatewayCard) -> None:
        super().__init__()
        self._kit = kit
        name = f"gateway.{card.name}"
        self.setObjectName(name)
        self.setProperty("kind", "gateway")
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)  # as high as its words get
        self.health, self.mode = Pill(kit.theme, f"{name}.health"), Pill(kit.theme, f"{name}.mode")
        self.title = label(card.title, "part", name=f"{name}.title")
        self.use = label("", "small", name=f"{name}.use", wrap=True)
        self.figures = label("", "small", name=f"{name}.figures", wrap=True)
        head = line(Badge(kit.theme, card.name, card.title), 12, column(self.title, 1, self.use))
        head.setStretch(2, 1)
        pills = Flow()
        pills.addWidget(self.health)
        pills.addWidget(self.mode)
        self.setLayout(column(head, 12, pills, 10, self.figures, margins=(16, 15, 16, 15)))
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.show_card(card)

    def show_card(self, card: GatewayCard) -> None:
        words, tone = health_of(card)
        self.health.set(words, tone)
        self.mode.set(mode_of(card), "waiting" if card.enabled and card.mode == "test" else "gone")
        self.use.setText(use_of(card))
        self.figures.setText(figures_of(self._kit, card))
        self.setAccessibleName(" · ".join((card.title, use_of(card), words, mode_of(card), self.figures.text())))

    def sizeHint(self) -> QSize:
        layout = self.layout()
        assert layout is not None
        return layout.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())


class GatewayList(QWidget):
    """`chosen(name)` when another card is picked."""

    chosen = Signal(str)

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("gatewayList")
        self.buttons: dict[str, CardButton] = {}
        self._group = QButtonGroup(self)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(12)
        self._cards.setContentsMargins(2, 2, 8, 2)
        inside = holder(column(self._cards, 0), "gatewayCards")
        self._area = scroll(inside, "gateways.list", Gateways.LIST)
        self.add = CommandButton(kit.theme, commands["gateway.add"], Gateways.ADD, "small")
        title = column(label(Gateways.TITLE, "page"), 2, label(Gateways.ORDER, "sub"))
        box = column(title, 10, self._area, 12, self.add)
        box.setStretch(2, 1)
        self.setLayout(box)

    @property
    def stops(self) -> list[QPushButton]:
        """Where Tab halts, from the top."""
        return [*self.buttons.values(), self.add]

    def show_cards(self, cards: Sequence[GatewayCard], chosen: str) -> None:
        """In place while they are the same ones: the focus stays where it is."""
        anew = list(self.buttons) != [card.name for card in cards]
        focused = anew and self._rebuild(cards)
        for card in cards:
            self.buttons[card.name].show_card(card)
            self.buttons[card.name].setChecked(card.name == chosen)
        if focused:
            self.focus_first()

    def _rebuild(self, cards: Sequence[GatewayCard]) -> bool:
        """Whether one of them had the focus."""
        focused = any(button.hasFocus() for button in self.buttons.values())
        for button in self.buttons.values():
            self._group.removeButton(button)
            self._cards.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = {card.name: CardButton(self._kit, card) for card in cards}
        for name, button in self.buttons.items():
            self._group.addButton(button)
            self._cards.addWidget(button)
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
        return focused

    def focus_first(self) -> None:
        button = next((each for each in self.buttons.values() if each.isChecked()), None)
        (button or self.add).setFocus()


def scroll(inside: QWidget, name: str, spoken: str) -> QScrollArea:
    """A place that scrolls up and down where the room is too small."""
    area = QScrollArea()
    area.setObjectName(name)
    area.setAccessibleName(spoken)
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def use_of(card: GatewayCard) -> str:
    if card.problem:
        return card.problem
    if not card.listed:
        return Gateways.NOT_SET_UP
    if not card.place:
        return Gateways.OFF
    return Gateways.AFTER.format(gateway=card.before) if card.before else Gateways.FIRST


def health_of(card: GatewayCard) -> tuple[str, str]:
    """(words, tone)."""
    if card.problem:
        return Gateways.BROKEN, "failed"
    if card.locked:
        return Gateways.LOCKED, "waiting"
    if not card.keys_known:
        return Gateways.NO_KEYS, "gone"
    return {
        "ok": (Gateways.HEALTHY, "paid"),
        "slow": (Gateways.SLOW, "waiting"),
        "down": (Gateways.DOWN, "failed"),
    }.get(card.health, (Gateways.NOT_ASKED, "gone"))


def mode_of(card: GatewayCard) -> str:
    if not card.enabled:
        return Gateways.SWITCHED_OFF
    return Gateways.LIVE if card.mode == "live" else Gateways.TEST


def figures_of(kit: Kit, card: GatewayCard) -> str:
    if card.problem:
        return ""
    if card.locked:
        return Gateways.OPEN_FIRST
    if not card.keys_known:
        return Gateways.ADD_KEYS
    number = kit.formats.number
    if card.median_ms is None and card.asked:
        return Gateways.UNANSWERED.format(late=number(card.timed_out), n=number(card.asked))
    if card.median_ms is None:
        return Gateways.NO_FIGURES
    return Gateways.FIGURES.format(ms=number(card.median_ms), late=number(card.timed_out), n=number(card.asked))
