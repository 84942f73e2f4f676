"""Manage > Gateways: who may see it, keys that are never shown, the test of a connection, and F12 right after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from pos.services.setup_views import SafeView
from pos.ui.theme import Theme
from pos.ui.widgets.secretfield import SecretField
from tests.ui import scenes
from tests.ui.conftest import QuietDesk, Stand, assert_no_stray_windows, make_window
from tests.ui.fake_till import gateway_card, not_set_up
from tests.ui.test_sell import CONTROL, FLAT_WHITE

KEY = "sk_test_nobody_reads_this"


@pytest.fixture
def manager(qtbot: QtBot, loop: object, dressed: Theme) -> Iterator[Stand]:
    """The manager's till: Razorpay is set up, Stripe is not yet."""
    till, desk = scenes.till(user="Meera"), QuietDesk()
    scenes.gateways(till)
    till.setup.known["stripe"] = not_set_up("stripe")
    window = make_window(till, dressed, desk)
    qtbot.addWidget(window)
    window.resize(1440, 900)
    window.show()
    window.attach(till, till.goods)
    made = Stand(qtbot, till, window, desk)
    made.settle()
    yield made
    assert_no_stray_windows()
    window.kit.tasks.cancel_all()
    window.close()


def open_gateways(stand: Stand) -> None:
    stand.press(Qt.Key.Key_G, CONTROL)
    stand.settle()


def words(stand: Stand) -> str:
    """Everything that can be read on screen or aloud."""
    found = []
    for widget in stand.window.findChildren(QWidget):
        if widget.isVisible():
            found += [widget.accessibleName(), widget.accessibleDescription(), widget.toolTip()]
            if isinstance(widget, QLabel | QPushButton):
                found.append(widget.text())
            elif isinstance(widget, QLineEdit):
                found.append(widget.displayText())
    return "\n".join(found)


def choose(stand: Stand, name: str) -> None:
    stand.bot.mouseClick(stand.find(f"gateway.{name}"), Qt.MouseButton.LeftButton)
    stand.settle()


# Who may see it -------------------------------------------------------------------------------------------------------


def test_a_cashier_does_not_reach_it(stand: Stand) -> None:
    assert not stand.window.commands["gateways"].isEnabled()
    stand.press(Qt.Key.Key_G, CONTROL)
    stand.press(Qt.Key.Key_4, CONTROL)
    stand.settle()
    assert not stand.find("manage.gateways").isVisible()
    assert stand.find("tillPage").isVisible()
    stand.press(Qt.Key.Key_N, CONTROL)
    assert stand.window.flow.overlay == ""
    assert "cards" not in stand.till.calls


def test_a_manager_meets_it_first_and_the_cart_makes_room(manager: Stand) -> None:
    manager.press(Qt.Key.Key_4, CONTROL)
    manager.settle()
    assert manager.text("gateway.title") == "Razorpay"
    assert not manager.window.workspace.right.isVisible()
    assert manager.window.workspace.left.width() > 1300
    assert manager.find("gateway.razorpay").hasFocus()
    manager.press(Qt.Key.Key_1, CONTROL)
    assert manager.window.workspace.right.isVisible()


def test_no_two_keys_of_the_page_are_the_same(manager: Stand) -> None:
    manager.scan(FLAT_WHITE)
    manager.settle()
    manager.press(Qt.Key.Key_F12)
    manager.settle()
    open_gateways(manager)
    assert manager.window.commands.doubled_keys() == []
    assert manager.window.commands["gateway.test"].isEnabled()
    assert not manager.window.commands["check"].isEnabled()


# Webhooks -------------------------------------------------------------------------------------------------------------


def test_the_address_for_webhooks_is_shown_and_copied(manager: Stand) -> None:
    open_gateways(manager)
    manager.until(lambda: "/hooks/" in manager.text("keys.webhook_address"))
    address = manager.text("keys.webhook_address")
    assert address.startswith("https://relay.corner.cafe/hooks/s41c09a7be2/razorpay/")
    assert (
        manager.text("keys.webhook")
        == "Paste it into the webhook settings of Razorpay. The webhook secret lies at the relay only."
    )
    manager.press(Qt.Key.Key_C, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert QApplication.clipboard().text() == address
    choose(manager, "stripe")
    manager.until(lambda: "/stripe/" in manager.text("keys.webhook_address"))


def test_where_there_is_no_address_it_is_said_how_one_is_made(manager: Stand) -> None:
    manager.till.webhooks.doors = frozenset({"stripe"})
    open_gateways(manager)
    manager.until(lambda: manager.text("keys.webhook_address") == "not made yet")
    assert "pos relay add-shop NAME --gateway razorpay" in manager.text("keys.webhook")
    assert not manager.window.commands["gateway.hook"].isEnabled()
    manager.till.webhooks.heard = False
    choose(manager, "stripe")
    manager.until(lambda: manager.text("keys.webhook_address") == "not known now")
    assert not manager.window.commands["gateway.hook"].isEnabled()


def test_without_a_relay_no_address_is_asked_for(manager: Stand) -> None:
    manager.till.setup.relay = ""
    open_gateways(manager)
    manager.until(lambda: "asks Razorpay itself" in manager.text("keys.webhook"))
    assert not manager.find("keys.webhook_address").isVisible()


# Keys -----------------------------------------------------------------------------------------------------------------


def add_stripe(stand: Stand, key: str = KEY) -> None:
    stand.press(Qt.Key.Key_N, CONTROL)
    stand.until(lambda: stand.find("keys.field.secret_key").hasFocus())
    stand.type(key)
    stand.settle()


def test_a_gateway_is_added_and_takes_the_next_payment(manager: Stand) -> None:
    manager.till.setup.known["razorpay"] = not_set_up("razorpay")
    open_gateways(manager)
    manager.press(Qt.Key.Key_N, CONTROL)
    manager.settle()
    manager.find("keys.which.stripe").click()  # type: ignore[attr-defined]
    field = manager.find("keys.field.secret_key")
    manager.until(field.hasFocus)
    field.setText(KEY)  # type: ignore[attr-defined]
    manager.press(Qt.Key.Key_Return)
    manager.settle()
    assert manager.till.setup.kept == {"stripe.secret_key": KEY}
    assert "accepted the keys" in manager.text("bannerTitle")
    assert manager.text("gateway.title") == "Stripe"
    assert "pay.qr.stripe" in manager.window.commands.starting_with("pay.qr.")
    manager.press(Qt.Key.Key_1, CONTROL)
    manager.scan(FLAT_WHITE)
    manager.settle()
    manager.press(Qt.Key.Key_F12)
    manager.settle()
    assert "issue stripe" in manager.till.calls


def test_what_is_typed_is_never_shown_and_never_stays(manager: Stand) -> None:
    open_gateways(manager)
    add_stripe(manager)
    field = manager.find("keys.field.secret_key")
    assert isinstance(field, SecretField)
    assert field.text() == KEY
    assert field.displayText() == "●" * len(KEY) or set(field.displayText()) == {field.displayText()[0]}
    assert KEY not in words(manager)
    QApplication.clipboard().setText("before")
    field.selectAll()
    for letter in "cxz":
        manager.bot.keyClick(field, letter, CONTROL)
    assert QApplication.clipboard().text() == "before"
    assert field.text() == KEY
    manager.press(Qt.Key.Key_Escape)
    manager.settle()
    assert field.text() == ""
    assert manager.till.setup.kept == {}


def test_keys_that_are_not_accepted_leave_the_form_open_and_empty(manager: Stand) -> None:
    open_gateways(manager)
    manager.press(Qt.Key.Key_N, CONTROL)
    manager.settle()
    field = manager.find("keys.field.secret_key")
    field.setText("sk_wrong")  # type: ignore[attr-defined]
    manager.press(Qt.Key.Key_Return)
    manager.settle()
    assert "does not accept" in manager.text("bannerTitle")
    assert manager.window.flow.overlay == "keys"
    assert field.text() == ""  # type: ignore[attr-defined]
    assert not manager.window.can_confirm()
    assert not manager.till.setup.known["stripe"].listed


def test_going_back_while_the_gateway_is_asked_keeps_nothing_and_closes_nothing_later(manager: Stand) -> None:
    manager.till.holds = "add"
    open_gateways(manager)
    add_stripe(manager)
    manager.press(Qt.Key.Key_Return)
    manager.until(lambda: "add stripe test" in manager.till.calls)
    manager.press(Qt.Key.Key_Escape)
    manager.press(Qt.Key.Key_1, CONTROL)
    manager.scan(FLAT_WHITE)
    manager.press(Qt.Key.Key_F9)
    manager.till.holds = ""
    manager.settle()
    assert manager.window.flow.overlay == "cash", "what somebody opened since stays open"
    assert manager.till.setup.kept == {}
    open_gateways(manager)
    assert manager.window.commands["gateway.add"].isEnabled()


def test_keys_of_another_account_are_given_twice_where_that_is_meant(manager: Stand) -> None:
    open_gateways(manager)
    add_stripe(manager, "sk_test_stranger")
    manager.press(Qt.Key.Key_Return)
    manager.settle()
    assert "another Stripe account" in manager.text("bannerTitle")
    assert manager.till.setup.kept == {}
    manager.type("sk_test_stranger")
    manager.press(Qt.Key.Key_Return)
    manager.settle()
    assert manager.till.setup.kept == {"stripe.secret_key": "sk_test_stranger"}
    assert not manager.find("bannerHint").isVisible(), "what was wrong before is over"


def test_the_form_says_where_the_keys_really_go(manager: Stand) -> None:
    open_gateways(manager)
    add_stripe(manager)
    manager.find("keys.server").setText("http://127.0.0.1:8520/")  # type: ignore[attr-defined]
    assert "go to http://127.0.0.1:8520 only" in manager.text("keysPanel.hint")
    manager.find("keys.mode.live").click()  # type: ignore[attr-defined]
    assert "127.0.0.1" not in manager.text("keysPanel.hint")


def test_with_nothing_left_to_add_there_is_nothing_to_choose(manager: Stand) -> None:
    scenes.gateways(manager.till)
    open_gateways(manager)
    manager.press(Qt.Key.Key_N, CONTROL)
    manager.settle()
    assert "Every gateway" in manager.text("keysPanel.hint")
    panel = manager.window.panels.keys
    seen = [panel.which, panel.mode, panel.server, *panel.findChildren(SecretField)]
    assert not any(each.isVisible() for each in seen)
    assert not manager.window.can_confirm()


def test_both_keys_of_a_gateway_are_asked_for(manager: Stand) -> None:
    open_gateways(manager)
    manager.press(Qt.Key.Key_R, CONTROL)
    manager.settle()
    names = [field.objectName() for field in manager.window.panels.keys.findChildren(SecretField)]
    assert names == ["keys.field.key_id", "keys.field.key_secret"]
    manager.find("keys.field.key_id").setText("rzp_live_1")  # type: ignore[attr-defined]
    assert not manager.window.can_confirm()
    manager.find("keys.field.key_secret").setText("secret")  # type: ignore[attr-defined]
    assert manager.window.can_confirm()


def test_removing_keys_is_asked_once(manager: Stand) -> None:
    open_gateways(manager)
    manager.window.commands["gateway.remove"].trigger()
    manager.settle()
    assert manager.text("removePanel.title") == "Remove the keys of Razorpay?"
    manager.press(Qt.Key.Key_Escape)
    assert "remove razorpay" not in manager.till.calls
    manager.window.commands["gateway.remove"].trigger()
    manager.settle()
    manager.until(manager.window.panels.remove.button.hasFocus)  # the ring stands on what Enter does
    manager.press(Qt.Key.Key_Return)
    manager.settle()
    assert "remove razorpay" in manager.till.calls
    assert manager.window.commands.starting_with("pay.qr.") == []


# Connection and choices -----------------------------------------------------------------------------------------------


def test_f5_tests_the_connection_and_says_what_was_measured(manager: Stand) -> None:
    open_gateways(manager)
    assert manager.window.panels.manage.gateways.connection.result.text == "Not tested yet"
    manager.press(Qt.Key.Key_F5)
    manager.settle()
    assert manager.window.panels.manage.gateways.connection.result.text == "5 of 5 · 13:42"
    assert manager.text("connection.address.figure") == "82 ms"


def test_a_gateway_that_does_not_answer_gets_no_tick(manager: Stand) -> None:
    manager.till.gateway_answers = False
    open_gateways(manager)
    manager.press(Qt.Key.Key_F5)
    manager.settle()
    pill = manager.window.panels.manage.gateways.connection.result
    assert (pill.text, pill.tone) == ("0 of 5 · 13:42", "failed")


def test_a_gateway_without_keys_cannot_be_tested(manager: Stand) -> None:
    open_gateways(manager)
    choose(manager, "stripe")
    assert manager.text("gateway.title") == "Stripe"
    assert not manager.window.commands["gateway.test"].isEnabled()
    assert not manager.find("gateway.enabled").isEnabled()


def test_the_switch_shows_what_is_and_not_what_was_asked(manager: Stand) -> None:
    order = scenes.waiting(manager.till, "2-01872", 9000, "13:40:00", steps=1)
    attempt = manager.till.orders[order.order_id].attempt
    assert attempt is not None
    open_gateways(manager)
    switch = manager.window.panels.manage.gateways.switch
    manager.bot.mouseClick(switch, Qt.MouseButton.LeftButton)
    manager.settle()
    assert "may still be paid" in manager.text("bannerTitle")
    assert switch.isChecked()
    manager.till.customer_pays(order.order_id)
    manager.bot.keyClick(switch, Qt.Key.Key_Space)
    manager.settle()
    assert not switch.isChecked()
    assert manager.text("bannerTitle") == "Razorpay takes no payments any more."
    assert manager.window.commands.starting_with("pay.qr.") == []


def test_the_second_can_be_made_the_first(manager: Stand) -> None:
    scenes.gateways(manager.till)
    open_gateways(manager)
    choose(manager, "stripe")
    manager.window.commands["gateway.first"].trigger()
    manager.settle()
    assert "order stripe" in manager.till.calls
    assert list(manager.window.panels.manage.gateways.list.buttons) == ["stripe", "razorpay"]
    assert manager.till.queries.gateways()[0].name == "stripe"


def test_choices_are_written(manager: Stand) -> None:
    open_gateways(manager)
    shop = manager.window.panels.manage.gateways.shop
    menu = shop.qr.menu()
    assert menu is not None
    next(action for action in menu.actions() if action.data() == "gateway").trigger()
    manager.settle()
    assert shop.qr.value.text() == "The gateway’s own link"
    every = shop.every.menu()
    assert every is not None
    next(action for action in every.actions() if action.data() == 15).trigger()
    manager.settle()
    assert (manager.till.setup.minutes, shop.every.value.text()) == (15.0, "15 min")


def test_what_is_locked_away_is_not_called_missing(manager: Stand) -> None:
    known = manager.till.setup.known
    secrets = tuple(replace(secret, place="locked", shown="") for secret in known["razorpay"].secrets)
    known["razorpay"] = replace(known["razorpay"], secrets=secrets)
    manager.till.vaults.view = SafeView("vault", "locked")
    open_gateways(manager)
    manager.until(lambda: manager.text("safe.title") == "The vault is locked")
    card = manager.window.panels.manage.gateways.list.buttons["razorpay"]
    assert (card.health.text, card.figures.text()) == ("Keys locked", "Open the vault or keyring to use its keys.")
    assert manager.text("keys.secret") == "not known while locked"
    assert "No keys yet" not in card.accessibleName()
    manager.press(Qt.Key.Key_R, CONTROL)
    manager.settle()
    assert manager.text("vaultPanel.title") == "The vault is locked"


# Where there is no keyring --------------------------------------------------------------------------------------------


def test_without_a_keyring_the_vault_comes_first(manager: Stand) -> None:
    manager.till.vaults.view = SafeView("vault", "missing")
    open_gateways(manager)
    assert "No keyring" in manager.text("safe.title")
    manager.press(Qt.Key.Key_N, CONTROL)
    manager.settle()
    assert manager.window.flow.overlay == "vault"
    first, again = manager.find("vault.passphrase"), manager.find("vault.again")
    first.setText("four words are best")  # type: ignore[attr-defined]
    again.setText("four words are worst")  # type: ignore[attr-defined]
    manager.press(Qt.Key.Key_Return)
    manager.settle()
    assert manager.text("bannerTitle") == "The two passphrases differ."
    assert first.text() == ""  # type: ignore[attr-defined]
    for field in (first, again):
        field.setText("four words are best")  # type: ignore[attr-defined]
    manager.press(Qt.Key.Key_Return)
    manager.settle()
    assert manager.till.vaults.passphrase == "four words are best"
    assert manager.window.flow.overlay == "keys", "the vault was opened to add a gateway"
    assert not manager.find("safe.title").isVisible()
    assert first.text() == ""  # type: ignore[attr-defined]


def test_a_locked_vault_is_opened_with_its_passphrase(manager: Stand) -> None:
    manager.till.vaults.view, manager.till.vaults.passphrase = SafeView("vault", "locked"), "open sesame"
    open_gateways(manager)
    for given, left in (("wrong", "locked"), ("open sesame", "open")):
        if manager.window.flow.overlay != "vault":
            manager.window.commands["vault"].trigger()
            manager.settle()
        assert not manager.find("vault.again").isVisible()
        manager.find("vault.passphrase").setText(given)  # type: ignore[attr-defined]
        manager.press(Qt.Key.Key_Return)
        manager.settle()
        assert manager.till.vaults.view.vault == left


def test_nowhere_to_keep_keys_is_said(manager: Stand) -> None:
    manager.till.vaults.view = SafeView("nowhere")
    open_gateways(manager)
    assert "gnome-keyring" in manager.text("safe.text")
    assert not manager.window.commands["vault"].isEnabled()


# Looks ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1024, 768), (1366, 768), (1440, 900), (1920, 1080)])
def test_everything_on_the_page_has_room(manager: Stand, size: tuple[int, int]) -> None:
    manager.window.resize(*size)
    open_gateways(manager)
    manager.press(Qt.Key.Key_F5)
    manager.settle()
    page = manager.window.panels.manage
    assert page.gateways.list._area.horizontalScrollBar().maximum() == 0
    assert page.gateways._area.horizontalScrollBar().maximum() == 0
    cut = [
        (label.objectName(), label.text())
        for label in page.findChildren(QLabel)
        if label.isVisible() and not label.wordWrap() and type(label) is QLabel
        and label.fontMetrics().horizontalAdvance(label.text()) > label.width() + 1
    ]  # fmt: skip
    assert cut == []


@pytest.mark.parametrize("name", ["light", "dark", "contrast"])
def test_every_control_has_a_name(manager: Stand, dressed: Theme, name: str) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    dressed.wear(app, name)
    open_gateways(manager)
    page = manager.window.panels.manage
    nameless = [
        widget.objectName() or type(widget).__name__
        for widget in page.findChildren(QWidget)
        if widget.isVisible() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus and not widget.accessibleName()
    ]
    assert nameless == []


def tabs_from(stand: Stand, first: QWidget) -> list[str]:
    """What Tab goes through until it is back."""
    first.setFocus(Qt.FocusReason.TabFocusReason)
    reached = [first.objectName()]
    for _ in range(60):
        stand.press(Qt.Key.Key_Tab)
        if stand.focus() is first:
            break
        reached.append(stand.focus().objectName())
    return reached


def test_tab_goes_down_the_list_and_then_down_the_page(manager: Stand) -> None:
    """What is made anew came last: from a card Tab went through the rail first."""
    manager.till.setup.known["stripe"] = gateway_card("stripe")
    open_gateways(manager)
    choose(manager, "stripe")
    names = tabs_from(manager, manager.find("gateway.stripe"))
    assert names[:9] == [
        "gateway.stripe", "button.gateway.add", "button.gateway.first", "gateway.enabled",
        "button.gateway.keys", "button.gateway.hook", "button.gateway.remove", "button.gateway.test", "shop.qr",
    ]  # fmt: skip
    assert names[9] == "shop.report"
    assert names.index("rail.manage") < names.index("manage.gateways")


def test_tab_goes_down_the_form_and_then_to_its_buttons(manager: Stand) -> None:
    del manager.till.setup.known["razorpay"]
    manager.till.setup.known["razorpay"] = not_set_up("razorpay")
    open_gateways(manager)
    manager.press(Qt.Key.Key_N, CONTROL)
    manager.settle()
    choose_chip(manager, "keys.which.razorpay")
    for field in manager.window.panels.keys.fields.values():
        field.setText(KEY)
    names = tabs_from(manager, manager.find("keys.which.razorpay"))
    assert names[:7] == [
        "keys.which.razorpay", "keys.mode.test", "keys.field.key_id", "keys.field.key_secret", "keys.server",
        "button.back", "button.confirm",
    ]  # fmt: skip
    choose_chip(manager, "keys.which.stripe")
    choose_chip(manager, "keys.mode.live")
    names = tabs_from(manager, manager.find("keys.which.stripe"))
    assert names[:4] == ["keys.which.stripe", "keys.mode.live", "keys.field.secret_key", "button.back"]


def choose_chip(stand: Stand, name: str) -> None:
    stand.bot.mouseClick(stand.find(name), Qt.MouseButton.LeftButton)
    stand.settle()


def test_the_tab_key_reaches_every_part(manager: Stand) -> None:
    open_gateways(manager)
    reached = set()
    for _ in range(40):
        manager.press(Qt.Key.Key_Tab)
        reached.add(manager.focus().objectName())
    wanted = {"button.gateway.add", "gateway.enabled", "button.gateway.keys", "button.gateway.test", "shop.qr"}
    assert wanted <= reached


def test_a_package_that_does_not_load_says_so_and_its_keys_are_nobodys_to_give(manager: Stand) -> None:
    known = manager.till.setup.known
    why = "The gateway 'copper' cannot be loaded. Install its package again."
    known["copper"] = replace(known["razorpay"], name="copper", title="copper", secrets=(), problem=why)
    known["stripe"] = gateway_card("stripe")
    manager.till.vaults.view = SafeView("vault", "locked")
    open_gateways(manager)
    card = manager.window.panels.manage.gateways.list.buttons["copper"]
    assert (card.health.text, card.use.text()) == ("Cannot be loaded", why)
    manager.press(Qt.Key.Key_N, CONTROL)
    manager.settle()
    assert manager.window.flow.overlay == "vault"


def test_where_keys_come_from_the_environment_the_ring_stands_on_what_enter_does(manager: Stand) -> None:
    known = manager.till.setup.known
    given = tuple(replace(secret, place="environment", shown="") for secret in known["razorpay"].secrets)
    known["razorpay"] = replace(known["razorpay"], secrets=given)
    open_gateways(manager)
    manager.press(Qt.Key.Key_R, CONTROL)
    manager.settle()
    assert manager.window.panels.keys.button.hasFocus()
