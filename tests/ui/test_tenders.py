"""A card terminal of its own, and a payment counted on a bank's word: which keys, what they ask, what they do."""

from __future__ import annotations

from PySide6.QtCore import Qt

from pos.ui.counter import Stage
from tests.ui.conftest import Stand
from tests.ui.test_pay import FLAT_WHITE, ORDER, ask_for_qr, stage


def test_f10_asks_first_and_counts_what_the_slip_says(stand: Stand) -> None:
    ask_for_qr(stand)
    stand.press(Qt.Key.Key_F10)
    stand.until(stand.find("terminal.note").hasFocus)
    assert stand.window.panels.terminal.title.text() == "₹180.00 on the card terminal"
    assert stand.till.orders[ORDER].kept_minor == 0
    stand.type("083116")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.till.orders[ORDER].shown == "paid"
    assert [call for call in stand.till.calls if call.startswith(("give_up", "terminal"))] == [
        "give_up",
        "terminal 083116",
    ]
    assert stage(stand) is Stage.PAID


def test_esc_takes_nothing(stand: Stand) -> None:
    ask_for_qr(stand)
    stand.press(Qt.Key.Key_F10)
    stand.until(stand.find("terminal.note").hasFocus)
    stand.press(Qt.Key.Key_Escape)
    stand.settle()
    assert stand.till.orders[ORDER].kept_minor == 0
    assert stand.window.flow.overlay == ""


def test_a_terminal_for_what_is_rung_up_saves_it_first(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.settle()
    stand.press(Qt.Key.Key_F10)
    stand.until(stand.find("terminal.note").hasFocus)
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.till.orders[ORDER].shown == "paid"


def test_a_bank_message_is_believed_with_a_reason_only(stand: Stand) -> None:
    stand.till.gateway_falls_silent(ask_for_qr(stand))
    stand.settle()
    stand.window.commands["by_hand"].trigger()
    stand.until(stand.find("byhand.reason").hasFocus)
    assert not stand.window.can_confirm()
    stand.type("UPI 412233445566")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert "by hand UPI 412233445566" in stand.till.calls
    assert stage(stand) is Stage.PAID


def test_f12_takes_the_next_gateway_while_the_first_does_not_answer(stand: Stand) -> None:
    first, second = (choice.name for choice in stand.till.queries.gateways()[:2])
    stand.till.gateways_down = {first}
    stand.scan(FLAT_WHITE)
    stand.settle()
    stand.press(Qt.Key.Key_F12)
    assert "does not answer" in stand.text("bannerTitle")
    stand.settle()
    assert f"issue {second}" in stand.till.calls
    stand.till.gateways_down = {first, second}
    assert stand.window.flow.counter.default_gateway() is not None


def test_a_link_that_is_over_binds_an_order_to_no_gateway_that_is_down(stand: Stand) -> None:
    first, second = (choice.name for choice in stand.till.queries.gateways()[:2])
    ask_for_qr(stand)
    assert f"issue {first}" in stand.till.calls
    stand.press(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    stand.settle()
    stand.till.gateways_down = {first}
    stand.press(Qt.Key.Key_F12)
    stand.settle()
    assert f"issue {second}" in stand.till.calls


def test_an_order_that_was_asked_for_once_makes_way_for_the_next_customer(stand: Stand) -> None:
    """It has its number, so it cannot be held; it stands in Orders."""
    order_id = ask_for_qr(stand)
    stand.press(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    stand.settle()
    assert stage(stand) is Stage.RINGING
    stand.press(Qt.Key.Key_F6)
    stand.settle()
    counter = stand.window.flow.counter
    assert (counter.view, counter.basket.lines) == (None, [])
    assert stand.till.orders[order_id].number in stand.text("bannerTitle")
    assert not [call for call in stand.till.calls if call.startswith("hold")]


def test_another_gateway_takes_over_an_open_link_from_the_palette(stand: Stand) -> None:
    first, second = (choice.name for choice in stand.till.queries.gateways()[:2])
    order_id = ask_for_qr(stand)
    assert not stand.window.commands["pay.qr"].isEnabled()
    assert not stand.window.commands[f"pay.qr.{first}"].isEnabled()
    stand.window.commands[f"pay.qr.{second}"].trigger()
    stand.settle()
    assert [call for call in stand.till.calls if call in ("give_up", f"issue {second}")] == [
        f"issue {second}",
        "give_up",
    ]
    attempt = stand.till.orders[order_id].attempt
    assert attempt is not None
    assert attempt.gateway == second
