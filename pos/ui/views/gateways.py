"""Manage > Gateways: the list on the left, and beside it keys, connection, abilities and choices of the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QSpacerItem, QVBoxLayout, QWidget

from pos.services.setup_views import SafeView
from pos.ui.views.gatewaycards import ConnectionCard, KeysCard, SafeNote, ShopCard
from pos.ui.views.gatewaylist import GatewayList, scroll
from pos.ui.views.gatewaytable import AbilityTable
from pos.ui.widgets.button import CommandButton, tab_through
from pos.ui.widgets.labels import column, holder, label, line
from pos.ui.widgets.switch import Switch
from pos.words.gateways import Gateways

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from pos.services.setup_views import GatewayCard
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit

LIST_WIDTH, LIST_COMPACT = 308, 240
WIDE_FROM = 1070
"""From this width of its own on the page shows keys and connection side by side, and every gateway's column."""


class GatewaysPanel(QWidget):
    """`chosen(name)`; `switched(on)`, `carried(way)`, `paused(minutes)` for the chosen gateway."""

    chosen = Signal(str)
    switched = Signal(bool)
    carried = Signal(str)
    paused = Signal(float)

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self.setObjectName("gatewaysPanel")
        self.card: GatewayCard | None = None
        self._safe = SafeView("keyring")
        self.list = GatewayList(kit, commands)
        self.title = label("", "page", name="gateway.title")
        self.sub = label("", "sub", name="gateway.account", wrap=True)
        self.switch = Switch(kit.theme, "gateway.enabled", Gateways.TAKES_PAYMENTS)
        self.earlier = CommandButton(kit.theme, commands["gateway.first"], Gateways.EARLIER, "row")
        self.note = SafeNote(kit, commands)
        self.keys = KeysCard(kit, commands)
        self.connection = ConnectionCard(kit, commands)
        self.table = AbilityTable(kit)
        self.shop = ShopCard(kit)
        self._assemble()
        self.list.chosen.connect(self.chosen)
        self.switch.wanted.connect(self.switched)
        self.shop.carried.connect(self.carried)
        self.shop.paused.connect(self.paused)

    def _assemble(self) -> None:
        words = label(Gateways.TAKES_PAYMENTS, "sub", name="gateway.enabled.words")
        self._names = column(self.title, 2, self.sub)
        self.sub.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        head = line(self._names, 14, self.earlier, 14, words, 8, self.switch)
        head.setStretch(0, 1)
        self._head = column(head, margins=(0, 0, 10, 0))  # in line with the cards below, beside their scroll bar
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pair.setSpacing(14)
        self._pair.setContentsMargins(0, 0, 0, 0)
        self._pair.addWidget(self.keys, 10)
        self._pair.addWidget(self.connection, 7)
        body = column(self.note, self._pair, 12, self.table, 12, self.shop, 0, margins=(0, 0, 10, 6))
        self._area = scroll(holder(body, "gatewayBody"), "gateway.detail", Gateways.DETAIL)
        detail = column(self._head, 12, self._area)
        detail.setStretch(2, 1)
        self._gap = QSpacerItem(24, 0)
        self._box = line(self.list, self._gap, detail, margins=(24, 22, 14, 14))
        self._box.setStretch(2, 1)
        self.setLayout(self._box)
        self._compact: bool | None = None
        self._arrange(compact=False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(compact=event.size().width() < WIDE_FROM)

    def _arrange(self, *, compact: bool) -> None:
        """By the page's own width: what stands beside it, and the scale, leave it another one than the window's."""
        if compact == self._compact:
            return
        self._compact = compact
        self.list.setFixedWidth(LIST_COMPACT if compact else LIST_WIDTH)
        down, across = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._pair.setDirection(down if compact else across)
        self._gap.changeSize(12 if compact else 24, 0)
        self._box.setContentsMargins(16 if compact else 24, 16 if compact else 22, 8 if compact else 14, 12)
        self.table.set_compact(compact)
        self._place_account(self._head if compact else self._names)

    def _place_account(self, box: QVBoxLayout) -> None:
        """Beside the switch, or on a line of its own: half of an account is no account."""
        for each in (self._names, self._head):
            each.removeWidget(self.sub)
        box.addWidget(self.sub)

    def focus_first(self) -> None:
        self.list.focus_first()

    def show_cards(self, cards: Sequence[GatewayCard], chosen: str, minutes: float) -> None:
        before = self.list.stops
        self.list.show_cards(cards, chosen)
        if self.list.stops != before:
            self._chain()
        self.table.show_cards(cards, chosen)
        self.card = next((card for card in cards if card.name == chosen), None)
        self._area.setVisible(self.card is not None)
        if self.card is None:
            return
        card = self.card
        self.title.setText(card.title)
        words = Gateways.ACCOUNT if card.account else Gateways.NO_ACCOUNT
        self.sub.setText(words.format(host=card.host, account=card.account))
        self.earlier.setVisible(card.place > 1)
        self.switch.show_on(card.enabled)
        self.switch.setEnabled(card.listed)
        self._show_note()
        self.keys.show_card(card)
        self.shop.show_card(card, minutes)

    def _chain(self) -> None:
        """Down the list, then down the page beside it."""
        keys, shop = self.keys, self.shop
        head = (self.earlier, self.switch, self.note.button)
        tab_through(
            *self.list.stops, *head, keys.replace, keys.copy, keys.remove, self.connection.button, shop.qr, shop.every
        )

    def show_safe(self, safe: SafeView) -> None:
        self.note.show_safe(safe)
        self._safe = safe
        self._show_note()

    def _show_note(self) -> None:
        """Where keys can be kept matters for keys that this program keeps."""
        given = self.card is not None and self.card.keys_given
        self.note.setVisible(not self._safe.open and not given)
