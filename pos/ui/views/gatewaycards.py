"""Cards beside the list of gateways: where the keys lie, whether the connection holds, what this shop chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from pos.services.setup_views import LOCKED, Check, GatewayCard, HookView, SafeView, SecretView, Tested
from pos.ui.widgets.button import CommandButton, focusless
from pos.ui.widgets.labels import column, elided, frame, holder, label, line, rule
from pos.ui.widgets.marks import Mark
from pos.ui.widgets.pill import Pill
from pos.words.gateways import Able, Connection, ForShop, Keys, VaultWords, hook_hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from pos.ui.commands import Commands
    from pos.ui.kit import Kit

PLACES = {"keyring": "KEYRING", "vault": "VAULT", "environment": "ENVIRONMENT", "file": "FILE", "other": "OTHER"}
QR_WORDS = {"auto": "QR_AUTO", "gateway": "QR_GATEWAY", "relay": "QR_RELAY", "upi": "QR_UPI"}
REPORT_MINUTES = (1, 5, 10, 15, 30, 60)
KEY_ROW, NAME_WIDTH = 45, 124
DOTS = "••••••••"
MARKS = {"ok": ("check", "paid"), "bad": ("x", "failed"), "none": ("minus", "gone")}


def place_word(place: str) -> str:
    return str(getattr(Keys, PLACES[place])) if place else Keys.NONE


class Rows(QFrame):
    """A card whose rows are made anew when another gateway is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.rows = QVBoxLayout()
        self.rows.setSpacing(0)
        self._made: list[QWidget] = []

    def fill(self, made: list[QWidget]) -> None:
        for widget in self._made:
            self.rows.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._made = made
        for widget in made:
            self.rows.addWidget(widget)


class KeysCard(Rows):
    """Names of keys and where they lie; never a part of a secret."""

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self.place = Pill(kit.theme, "keys.place")
        self.replace = CommandButton(kit.theme, commands["gateway.keys"], Keys.REPLACE, "row")
        self.remove = CommandButton(kit.theme, commands["gateway.remove"], Keys.REMOVE, "row")
        self.secret, self.value = label("", "row"), label("", "mono", name="keys.secret")
        self.address = elided("", "mono", name="keys.webhook_address")
        self.copy = CommandButton(kit.theme, commands["gateway.hook"], Keys.COPY, "row")
        self.hook = label("", "small", name="keys.webhook", wrap=True)
        head = line(label(Keys.TITLE, "part"), 0, self.place)
        below = line(self.hook, 12, self.remove)
        below.setStretch(0, 1)
        last = _ruled(self.secret, self.value, self.replace)
        self._webhook = _ruled(label(Keys.WEBHOOK, "row"), label(Keys.NO_RELAY, "small", name="keys.webhook_secret"))
        self._address = _ruled(label(Keys.ADDRESS, "row"), self.address, self.copy)
        rows = (self.rows, last, self._webhook, self._address, rule(), 9, below, 0)
        self.setLayout(column(head, 10, *rows, margins=(18, 13, 18, 13)))

    def show_hook(self, card: GatewayCard, hook: HookView) -> None:
        """Where its webhooks go, and what a person does with that; a state of "" is not known yet."""
        self._webhook.setVisible(hook.state == "none")
        self._address.setVisible(hook.state != "none")
        waiting = Keys.NO_DOOR if hook.state == "missing" else Keys.NO_ADDRESS
        self.address.setText(hook.address or (waiting if hook.state else ""))
        self.address.setToolTip(hook.address)
        self.address.setAccessibleName(f"{Keys.ADDRESS}: {self.address.text()}")
        self.hook.setText(hook_hint(hook.state).format(gateway=card.title, name=card.name))

    def show_card(self, card: GatewayCard) -> None:
        places = {secret.place for secret in card.secrets}
        place = places.pop() if len(places) == 1 else ""
        known = card.keys_known and bool(place)
        words = Keys.LOCKED if card.locked else place_word(place if known else "")
        self.place.set(words, "paid" if known else "gone", "lock" if known or card.locked else "")
        self.replace.setText(Keys.REPLACE if card.listed else Keys.SET)
        self.fill([self._row(secret) for secret in card.secrets if not secret.secret])
        for secret in card.secrets:
            if secret.secret:
                self.secret.setText(secret.title)
                self.value.setText(DOTS if secret.known else _not_there(secret))
                self.value.setAccessibleName(f"{secret.title}: {Keys.HIDDEN if secret.known else _not_there(secret)}")

    def _row(self, secret: SecretView) -> QWidget:
        """A key's id, which is no secret."""
        value = label(secret.shown if secret.known else _not_there(secret), "mono", name=f"keys.{secret.name}")
        value.setAccessibleName(f"{secret.title}: {value.text()}")
        return _ruled(label(secret.title, "row"), value)


def _not_there(secret: SecretView) -> str:
    return str(Keys.NOT_TOLD if secret.place == LOCKED else Keys.NOT_SET)


def _ruled(name: QLabel, value: QWidget, button: QWidget | None = None) -> QWidget:
    name.setMinimumWidth(NAME_WIDTH)
    row = line(name, 6, value, 0)
    if button is not None:
        row.addWidget(button)
    made = holder(column(rule(), 0, row, 0))
    made.setFixedHeight(KEY_ROW)
    return made


class ConnectionCard(Rows):
    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self.result = Pill(kit.theme, "connection.result")
        self.button = CommandButton(kit.theme, commands["gateway.test"], Connection.TEST, "small")
        head = line(label(Connection.TITLE, "part"), 0, self.result)
        self.setLayout(column(head, 6, self.rows, 0, 8, self.button, margins=(18, 13, 18, 13)))
        self.show_none()

    def show_none(self, words: str = "") -> None:
        """Before a test, or while one runs."""
        self.result.set(words or Connection.NOT_TESTED, "gone")
        titles = (Connection.ADDRESS, Connection.KEYS, Connection.WHICH_ACCOUNT, Connection.CLOCKS, Connection.WEBHOOK)
        self.fill([self._row(Check(f"none{at}", "none", title)) for at, title in enumerate(titles)])

    def show_result(self, tested: Tested) -> None:
        words = Connection.RESULT.format(
            good=tested.good, all=len(tested.checks), time=self._kit.formats.time(tested.at_ms)
        )
        self.result.set(words, "failed" if tested.bad else "paid", "x" if tested.bad else "check")
        self.fill([self._row(check) for check in tested.checks])

    def _row(self, check: Check) -> QWidget:
        title = label(check.title, "cell", name=f"connection.{check.key}", wrap=True)
        title.setAccessibleDescription(check.state)
        figure = label(check.figure, "small", name=f"connection.{check.key}.figure")
        row = line(Mark(self._kit.theme, *MARKS[check.state]), 8, title, 6, figure)
        row.setStretch(2, 1)
        hint = label(check.hint, "small", tone="failed" if check.state == "bad" else "", wrap=True)
        hint.setVisible(bool(check.hint))
        return holder(column(row, hint, margins=(0, 4, 0, 4)))


class Choice(QPushButton):
    """A value that opens a menu of others."""

    def __init__(self, kit: Kit, name: str, spoken: str) -> None:
        super().__init__()
        self._spoken = spoken
        self.setObjectName(name)
        self.setProperty("kind", "choice")
        self.value = elided("", "body", name=f"{name}.value")
        box = line(self.value, 8, Mark(kit.theme, "chevron-down", "secondary", 18), margins=(16, 0, 14, 0))
        box.setStretch(0, 1)
        self.setLayout(box)
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_value(self, words: str) -> None:
        self.value.setText(words)
        self.setAccessibleName(f"{self._spoken}: {words}")


class ShopCard(QFrame):
    """What this shop chose for the gateway: `carried(way)`, `paused(minutes)`."""

    carried = Signal(str)
    paused = Signal(float)

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.setProperty("card", True)
        self.qr = self._choice("shop.qr", ForShop.QR)
        self.every = self._choice("shop.report", ForShop.REPORT)
        self.least = label("", "field", name="shop.minimum")
        least = column(label(ForShop.MINIMUM, "field"), 8, label_box(self.least))
        fields = line(
            column(label(ForShop.QR, "field"), 8, self.qr), 12,
            column(label(ForShop.REPORT, "field"), 8, self.every), 12, least,
        )  # fmt: skip
        for at in (0, 2, 4):
            fields.setStretch(at, 1)
        self.setLayout(column(label(ForShop.TITLE, "part"), 12, fields, margins=(18, 14, 18, 18)))

    def show_card(self, card: GatewayCard, minutes: float) -> None:
        self.qr.show_value(qr_word(card.qr))
        self.qr.setEnabled(card.listed)
        self._menu(self.qr, [(qr_word(kind), kind) for kind in card.qr_kinds], self.carried.emit)
        self.every.show_value(Able.MINUTES(_whole(minutes)))
        self._menu(self.every, [(Able.MINUTES(n), n) for n in REPORT_MINUTES], lambda n: self.paused.emit(float(n)))
        least = card.minimum_minor
        self.least.setText(ForShop.NO_MINIMUM if least is None else self._kit.formats.money(least))

    def _choice(self, name: str, spoken: str) -> Choice:
        return Choice(self._kit, name, spoken)

    def _menu(self, button: Choice, choices: list[tuple[str, object]], chosen: Callable[..., object]) -> None:
        menu = QMenu(button)
        for words, value in choices:
            menu.addAction(words).setData(value)
        menu.triggered.connect(lambda action: chosen(action.data()))
        button.setMenu(menu)


def label_box(inner: QWidget) -> QFrame:
    """A value that looks like a field and cannot be changed."""
    made = frame(still="true")
    made.setLayout(line(inner, margins=(14, 0, 14, 0)))
    made.setFixedHeight(48)
    return made


def qr_word(kind: str) -> str:
    return str(getattr(ForShop, QR_WORDS[kind])) if kind in QR_WORDS else kind


def _whole(minutes: float) -> int:
    return max(1, round(minutes))


class SafeNote(QFrame):
    """Where keys can be kept is not open: says so, with the one key that helps."""

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self.title = label(VaultWords.TITLE, "strong", name="safe.title")
        self.text = label("", "row", name="safe.text", wrap=True)
        self.button = focusless(CommandButton(kit.theme, commands["vault"], VaultWords.CREATE, "row"))
        box = line(column(self.title, 2, self.text), 16, self.button, margins=(16, 11, 12, 11))
        box.setStretch(0, 1)
        card = frame("note", tone="waiting")
        card.setLayout(box)
        self.setLayout(column(card, 14))
        self.hide()

    def show_safe(self, safe: SafeView) -> None:
        words = {"missing": VaultWords.MISSING, "locked": VaultWords.LOCKED}
        self.title.setText(VaultWords.LOCKED_TITLE if safe.vault == "locked" else VaultWords.TITLE)
        self.text.setText(words.get(safe.vault, VaultWords.NOWHERE))
        self.button.setVisible(safe.kind == "vault")
        self.button.setText(VaultWords.UNLOCK if safe.vault == "locked" else VaultWords.CREATE)
