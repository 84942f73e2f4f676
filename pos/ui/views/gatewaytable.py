"""What each gateway can do, side by side: as it is, or the till makes up for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QWidget

from pos.ui.widgets.labels import column, frame, holder, label, line
from pos.ui.widgets.marks import Mark
from pos.words.gateways import Able

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pos.services.setup_views import Ability, GatewayCard
    from pos.ui.kit import Kit

ROW_HEIGHT = 32
MOST_COLUMNS = 5


class AbilityTable(QWidget):
    """The chosen gateway's column is tinted; in a small window only it is shown."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._body = QWidget()
        self._compact = False
        self._cards: Sequence[GatewayCard] = ()
        self._chosen = ""
        self._legend = [
            holder(line(Mark(kit.theme, icon, tone), 8, label(words, "small")))
            for icon, tone, words in (("check", "paid", Able.AS_IT_IS), ("minus", "waiting", Able.MADE_UP_FOR))
        ]
        self._top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._top.setContentsMargins(18, 11, 18, 4)
        self._top.setSpacing(4)
        self._top.addWidget(label(Able.TITLE, "part"), 1)
        self._top.addLayout(line(self._legend[0], 22, self._legend[1], 0))
        self.card = frame(card=True)
        self._box = column(self._top, self._body, margins=(1, 0, 1, 6))
        self.card.setLayout(self._box)
        self.setLayout(line(self.card))

    def set_compact(self, compact: bool) -> None:
        if compact != self._compact:
            self._compact = compact
            down, across = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
            self._top.setDirection(down if compact else across)
            self.show_cards(self._cards, self._chosen)

    def show_cards(self, cards: Sequence[GatewayCard], chosen: str) -> None:
        self._cards, self._chosen = cards, chosen
        shown = [card for card in cards if card.abilities]
        if self._compact:
            shown = [card for card in shown if card.name == chosen]
        body = QWidget()
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        for at, card in enumerate(shown[:MOST_COLUMNS], 1):
            self._fill(grid, at, card, chosen)
        for row, ability in enumerate(shown[0].abilities if shown else (), 1):
            grid.addWidget(_cell(line(label(ability.title, "row"), margins=(18, 0, 8, 0)), row > 0), row, 0)
        grid.setColumnStretch(0, 3)
        grid.addWidget(_cell(line(label("")), False), 0, 0)
        self._box.replaceWidget(self._body, body)
        self._body.hide()
        self._body.deleteLater()
        self._body = body

    def _fill(self, grid: QGridLayout, at: int, card: GatewayCard, chosen: str) -> None:
        tint = card.name == chosen and not self._compact
        head = label(card.title, "smallstrong", tone="teal" if tint else "", name=f"able.{card.name}")
        grid.addWidget(_cell(line(head, margins=(10, 0, 8, 0)), False, tint), 0, at)
        for row, ability in enumerate(card.abilities, 1):
            grid.addWidget(_cell(self._mark(ability, card.name), True, tint), row, at)
        grid.setColumnStretch(at, 3)

    def _mark(self, ability: Ability, gateway: str) -> QHBoxLayout:
        icon, tone = ("check", "paid") if ability.good else ("minus", "waiting")
        words = label(ability.text, "cell", name=f"able.{gateway}.{ability.key}")
        words.setAccessibleDescription(Able.AS_IT_IS if ability.good else Able.MADE_UP_FOR)
        box = line(Mark(self._kit.theme, icon, tone), 8, words, margins=(10, 0, 8, 0))
        box.setStretch(2, 1)
        return box


def _cell(box: QHBoxLayout, ruled: bool, tint: bool = False) -> QWidget:
    made = frame(able="ruled" if ruled else "head", tint=tint)
    made.setLayout(box)
    made.setFixedHeight(ROW_HEIGHT)
    return made
