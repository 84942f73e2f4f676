"""Ringing up: tiles, scanner, quantities, lines, holding; by keyboard alone, with the focus anywhere."""

from __future__ import annotations

from PySide6.QtCore import Qt

from pos.ui.counter import Stage
from pos.ui.main_window import MainWindow
from tests.ui.conftest import Stand

CONTROL = Qt.KeyboardModifier.ControlModifier
CHAI, FLAT_WHITE = "8901234500004", "8901234500001"


def names(window: MainWindow) -> list[tuple[str, int]]:
    return [(line.name, line.quantity_milli // 1000) for line in window.flow.counter.basket.lines]


def test_three_scans_make_a_basket_with_a_saved_order(stand: Stand) -> None:
    for code in (CHAI, CHAI, FLAT_WHITE):
        stand.scan(code)
    stand.settle()
    assert names(stand.window) == [("Masala chai", 2), ("Flat white", 1)]
    assert stand.text("total") == "₹300.00"
    assert stand.text("orderNumber") == "Order 2-01873"
    assert stand.till.orders["order-2-01873"].totals.total_minor == 30_000


def test_the_scanner_works_whatever_has_the_focus_and_never_types(stand: Stand) -> None:
    stand.press(Qt.Key.Key_K, CONTROL)
    stand.settle()
    field = stand.find("palette.field")
    stand.until(field.hasFocus)
    stand.scan(CHAI)
    stand.settle()
    assert stand.text("palette.field") == ""
    assert names(stand.window) == [("Masala chai", 1)]
    assert stand.window.workspace.left_name == "sell"


def test_what_a_person_types_goes_into_the_field_and_filters_tiles(stand: Stand) -> None:
    stand.type("beans")
    grid = stand.window.panels.sell.model
    stand.until(lambda: grid.rowCount() == 1)
    assert stand.text("scanField") == "beans"
    stand.press(Qt.Key.Key_Return)
    assert names(stand.window) == [("House beans 250 g", 1)]
    assert stand.text("scanField") == ""


def test_a_quantity_before_a_scan(stand: Stand) -> None:
    stand.type("3*")
    stand.scan(CHAI)
    assert names(stand.window) == [("Masala chai", 3)]
    assert stand.text("scanField") == ""


def test_a_quantity_before_a_tile(stand: Stand) -> None:
    stand.type("2*")
    panel = stand.window.panels.sell
    stand.bot.mouseClick(
        panel.grid.viewport(), Qt.MouseButton.LeftButton, pos=panel.grid.visualRect(panel.model.index(0)).center()
    )
    assert names(stand.window) == [("Flat white", 2)]


def test_an_unknown_code_says_what_to_do(stand: Stand) -> None:
    stand.scan("0000000000")
    stand.settle()
    assert "0000000000" in stand.text("bannerTitle")
    assert stand.text("bannerHint")
    assert stand.desk.played[-1] == "error"


def test_f4_changes_the_chosen_line(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.settle()
    stand.press(Qt.Key.Key_F4)
    stand.until(stand.find("quantityPanel.field").hasFocus)
    stand.type("7")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert names(stand.window) == [("Masala chai", 7)]
    assert stand.till.orders["order-2-01873"].totals.total_minor == 42_000


def test_f8_gives_a_discount_with_its_reason(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.settle()
    stand.press(Qt.Key.Key_F8)
    stand.until(stand.find("discountPanel.field").hasFocus)
    stand.type("10")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.text("total") == "₹162.00"
    assert stand.window.flow.counter.basket.lines[0].discount_minor == 1800


def test_arrows_choose_a_line_and_del_takes_it_out(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.scan(FLAT_WHITE)
    stand.press(Qt.Key.Key_Up)
    assert stand.window.flow.counter.basket.current is not None
    assert stand.window.flow.counter.basket.current.name == "Masala chai"
    stand.press(Qt.Key.Key_Delete)
    stand.settle()
    assert names(stand.window) == [("Flat white", 1)]


def test_an_emptied_basket_leaves_no_draft_behind(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.settle()
    stand.press(Qt.Key.Key_Delete)
    stand.settle()
    assert stand.till.orders["order-2-01873"].life == "voided"
    assert stand.text("orderNumber") == "New order"


def test_f6_holds_and_recalls(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.settle()
    stand.press(Qt.Key.Key_F6)
    stand.settle()
    assert stand.window.flow.counter.basket.lines == []
    assert stand.text("button.held") == "Held · 3"
    stand.press(Qt.Key.Key_F6)
    stand.settle()
    assert stand.window.workspace.left_name == "held"
    held = stand.window.panels.held
    held.list.setCurrentIndex(held.model.index(2))
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert names(stand.window) == [("Masala chai", 1)]
    assert stand.window.flow.counter.stage is Stage.RINGING


def test_ctrl_del_asks_for_a_reason_digit_and_voids(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.settle()
    stand.press(Qt.Key.Key_Delete, CONTROL)
    stand.until(stand.window.panels.void.hasFocus)
    stand.type("2")
    stand.settle()
    assert stand.till.orders["order-2-01873"].life == "voided"
    assert any("Rung up by mistake" in call for call in stand.till.calls)
    assert stand.window.flow.counter.basket.lines == []


def test_esc_goes_back_and_does_nothing_else(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.settle()
    calls = len(stand.till.calls)
    for key in (Qt.Key.Key_F1, Qt.Key.Key_Escape, Qt.Key.Key_Escape, Qt.Key.Key_Escape):
        stand.press(key)
    assert stand.window.workspace.left_name == "sell"
    assert names(stand.window) == [("Masala chai", 1)]
    assert stand.till.calls[calls:] == []


def test_a_draft_that_was_being_rung_up_comes_back_at_start(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.settle()
    stand.window.flow.counter.basket.clear()
    stand.window.flow.start(stand.till.selling.unfinished(), stand.window._restore)
    stand.settle()
    assert names(stand.window) == [("Masala chai", 1)]


def test_a_save_that_fails_is_tried_again_with_the_next_change(stand: Stand) -> None:
    from pos.domain.errors import Broken

    stand.till.refuses = Broken("The disk is full.", "Make room, then go on.")
    stand.scan(CHAI)
    stand.settle()
    assert stand.text("bannerTitle") == "The disk is full."
    stand.scan(CHAI)
    stand.settle()
    assert stand.till.orders["order-2-01873"].lines[0].quantity_milli == 2000


def test_a_tax_without_a_name_is_called_tax() -> None:
    from pos.domain.basket import Line, totals
    from pos.ui.views.cart import total_rows
    from pos.words.formats import Formats

    rows = total_rows(totals([Line("A", "A", 1000, 10_500, 50_000)], tax_included=True), Formats("en_IN", "INR", "UTC"))
    assert rows[-1].text == "Tax included (5 %)"
