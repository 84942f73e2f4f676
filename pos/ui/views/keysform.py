"""Forms behind Manage > Gateways: a gateway's keys, taking them away, the vault. Nothing that is typed is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pos.domain.errors import BadInput
from pos.services.setup_views import GatewayCard, NewKeys, SafeView, SecretView
from pos.ui.views.form import FormPanel, text_field
from pos.ui.views.gatewaycards import place_word
from pos.ui.widgets.button import tab_through
from pos.ui.widgets.chips import Chips
from pos.ui.widgets.labels import column, holder, label
from pos.ui.widgets.secretfield import SecretField
from pos.words.gateways import Keys, KeysForm, VaultWords

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction

    from pos.ui.kit import Kit

FIELD_WIDTH = 720


def narrow(box: QVBoxLayout) -> QWidget:
    """A row of a form: a field as wide as a key is long, not as the window."""
    made = holder(box)
    made.setMaximumWidth(FIELD_WIDTH)
    return made


class KeysPanel(FormPanel):
    """Which gateway, which mode, its keys. `answered(NewKeys)`; the fields are empty from then on."""

    answered = Signal(object)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "keysPanel", back, KeysForm.BACK)
        self._cards: dict[str, GatewayCard] = {}
        self.fields: dict[str, SecretField] = {}
        self.which = Chips("keys.which", KeysForm.WHICH, "tab")
        self.mode = Chips("keys.mode", KeysForm.MODE, "tab")
        self.server = text_field("keys.server", KeysForm.ADDRESS)
        self.server.setMaxLength(200)
        self.server.setPlaceholderText("https://")
        self._which_row = holder(column(label(KeysForm.WHICH, "field"), 8, self.which, 14))
        self._mode_row = holder(column(label(KeysForm.MODE, "field"), self.mode, 8))
        self._server_row = narrow(column(label(KeysForm.ADDRESS, "field"), 8, self.server))
        self._room = QVBoxLayout()
        self._room.setContentsMargins(0, 0, 0, 0)
        self._made: list[QWidget] = []
        self.body.addWidget(self._which_row)
        self.body.addWidget(self._mode_row)
        self.body.addLayout(self._room)
        self.body.addWidget(self._server_row)
        self.button = self.add_confirm(confirm, KeysForm.CONFIRM)
        self._busy = False
        self.other_account = False
        """Whether the next keys are meant to be of another account: it was said, and somebody gives them again."""
        self.which.chosen.connect(self._choose)
        self.mode.chosen.connect(self._mode_chosen)
        self.server.textChanged.connect(self._say_where_keys_go)

    @property
    def gateway(self) -> str:
        return self.which.key

    @property
    def can_confirm(self) -> bool:
        return not self._busy and bool(self._made) and all(field.filled for field in self.fields.values())

    def open(self, cards: Sequence[GatewayCard], chosen: str, *, adding: bool) -> None:
        """`adding`: choose among those that are not set up yet; else other keys for the chosen one."""
        offered = [card for card in cards if not card.problem and (not card.listed if adding else card.name == chosen)]
        self._cards = {card.name: card for card in offered}
        self._which_row.setVisible(adding and bool(offered))
        self._mode_row.setVisible(bool(offered))
        self._busy = self.other_account = False
        if not offered:
            self._server_row.hide()
            self.set_words(KeysForm.ADD_TITLE, KeysForm.NOTHING_LEFT)
            self._show_fields(None)
            return
        first = chosen if chosen in self._cards else offered[0].name
        self.which.set([(card.name, card.title) for card in offered], first)
        self.set_words(KeysForm.ADD_TITLE if adding else KeysForm.REPLACE_TITLE.format(gateway=offered[0].title))
        self._choose(first)

    def show_busy(self, busy: bool) -> None:
        """While the gateway is asked nothing can be confirmed twice."""
        self._busy = busy
        card = self._cards.get(self.gateway)
        words = KeysForm.CHECKING.format(gateway=card.title) if busy and card else KeysForm.CONFIRM
        self.button.setText(words)
        self.changed.emit()

    def focus_first(self) -> None:
        """The first field; where there is nothing to type, what Enter does."""
        first = next(iter(self.fields.values()), None)
        (first or (self.button if self.can_confirm else self.back)).setFocus()

    def confirm(self) -> None:
        keys = {name: field.take() for name, field in self.fields.items()}
        server = self.server.text().strip().rstrip("/") if self.mode.key == "test" else ""
        self.answered.emit(NewKeys(self.gateway, self.mode.key, keys, server, other_account=self.other_account))

    def forget(self) -> None:
        """Nothing typed outlives the panel."""
        for field in self.fields.values():
            field.clear()

    def _choose(self, name: str) -> None:
        card, self.other_account = self._cards[name], False
        self.mode.set([("test", KeysForm.TEST), ("live", KeysForm.LIVE)], card.mode)
        self.server.setText("" if card.own_host else card.host)
        self._show_fields(card)
        self._mode_chosen(card.mode)
        self.focus_first()

    def _mode_chosen(self, mode: str) -> None:
        self._server_row.setVisible(mode == "test")
        self._say_where_keys_go()
        self.changed.emit()

    def _say_where_keys_go(self) -> None:
        """The address that is typed, in test mode; else the gateway's own."""
        card = self._cards.get(self.gateway)
        if card is None:
            return
        typed = self.server.text().strip().rstrip("/") if self.mode.key == "test" else ""
        self.hint.setText(KeysForm.HINT.format(host=typed or (card.host if card.own_host else card.title)))
        self.hint.show()

    def _show_fields(self, card: GatewayCard | None) -> None:
        for widget in self._made:
            self._room.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._made, self.fields = [], {}
        for secret in card.secrets if card else ():
            row = narrow(column(label(secret.title, "field"), 8, self._field(secret), 10))
            self._room.addWidget(row)
            self._made.append(row)
        chips = (*self.which.buttons, *self.mode.buttons)
        tab_through(*chips, *self.fields.values(), self.server, self.back, self.button)
        self.changed.emit()

    def _field(self, secret: SecretView) -> QWidget:
        """Where to type it; or where it comes from, for what is not this program's to change."""
        if secret.fixed:
            return label(place_word(secret.place), "sub", name=f"keys.fixed.{secret.name}")
        field = SecretField(f"keys.field.{secret.name}", secret.title)
        field.textChanged.connect(self.changed)
        self.fields[secret.name] = field
        return field


class RemovePanel(FormPanel):
    """Take a gateway's keys away: asked once. `answered()`."""

    answered = Signal()

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "removePanel", back, KeysForm.BACK)
        self.button = self.add_confirm(confirm, Keys.REMOVE, "strong")

    @property
    def can_confirm(self) -> bool:
        return True

    def open(self, card: GatewayCard) -> None:
        self.set_words(KeysForm.REMOVE_TITLE.format(gateway=card.title), KeysForm.REMOVE_HINT)

    def focus_first(self) -> None:
        """On what Enter does, which removes: the ring must not stand on the way back."""
        self.button.setFocus()

    def confirm(self) -> None:
        self.answered.emit()


class VaultPanel(FormPanel):
    """A passphrase: once to open the vault, twice to make it. `answered(passphrase)`; `failed(BadInput)`."""

    answered = Signal(str)
    failed = Signal(object)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "vaultPanel", back, KeysForm.BACK)
        self.first = SecretField("vault.passphrase", VaultWords.PASSPHRASE)
        self.again = SecretField("vault.again", VaultWords.AGAIN)
        self._again_row = narrow(column(label(VaultWords.AGAIN, "field"), 8, self.again))
        self.body.addWidget(narrow(column(label(VaultWords.PASSPHRASE, "field"), 8, self.first)))
        self.body.addWidget(self._again_row)
        self.button = self.add_confirm(confirm, VaultWords.CREATE)
        self._making = True
        for field in (self.first, self.again):
            field.textChanged.connect(self.changed)

    @property
    def can_confirm(self) -> bool:
        return self.first.filled and (self.again.filled or not self._making)

    def open(self, safe: SafeView) -> None:
        self._making = safe.vault != "locked"
        self._again_row.setVisible(self._making)
        self.button.setText(VaultWords.CREATE if self._making else VaultWords.UNLOCK)
        if self._making:
            self.set_words(VaultWords.TITLE, VaultWords.MISSING)
        else:
            self.set_words(VaultWords.LOCKED_TITLE, VaultWords.LOCKED)
        self.forget()

    def focus_first(self) -> None:
        self.first.setFocus()

    def confirm(self) -> None:
        first, again = self.first.take(), self.again.take()
        if self._making and first != again:
            self.failed.emit(BadInput(VaultWords.DIFFER, VaultWords.DIFFER_HINT))
            self.focus_first()
            return
        self.answered.emit(first)

    def forget(self) -> None:
        self.first.clear()
        self.again.clear()
