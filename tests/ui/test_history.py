"""The history, the order that was paid twice, the tray, and the end of the day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from pos.domain.errors import Unreachable
from pos.services.views import MatchRow
from pos.ui.counter import Stage
from pos.ui.theme import Theme
from tests.ui import scenes
from tests.ui.conftest import QuietDesk, Stand, assert_no_stray_windows, make_window
from tests.ui.test_pay import ask_for_qr
from tests.ui.test_sell import CONTROL

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def office(qtbot: QtBot, loop: object, dressed: Theme) -> Iterator[Stand]:
    """The manager's till with the orders of the pictures."""
    till, desk = scenes.till(user="Meera"), QuietDesk()
    scenes.double(till)
    scenes.end_of_day(till)
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


def open_orders(stand: Stand, number: str = "2-01844") -> None:
    stand.press(Qt.Key.Key_2, CONTROL)
    stand.settle()
    stand.window.panels.orders.select(f"order-{number}")
    stand.settle()


def test_the_list_shows_every_order_newest_first(office: Stand) -> None:
    open_orders(office)
    model = office.window.panels.orders.model
    assert [model.cell(row, 0) for row in model.rows][:2] == ["2-01848", "1-00931"]
    assert model.cell(model.rows[6], 4) == "Paid twice"


def test_paid_twice_shows_both_payments_and_one_key_gives_the_second_back(office: Stand) -> None:
    open_orders(office)
    assert office.text("detail.received") == "₹360.00"
    assert "₹180.00 belongs to the customer" in office.text("detail.noteTitle")
    cards = office.window.panels.detail.cards
    assert [card.what.text() for card in cards] == ["Pays the order", "To be refunded"]
    office.press(Qt.Key.Key_F7)
    office.settle()
    assert any(call.startswith("refund_owed") for call in office.till.calls)
    assert office.till.orders["order-2-01844"].owed_minor == 0
    model = office.window.panels.orders.model
    assert model.cell(model.rows[6], 4) == "Paid"
    assert not office.window.commands["refund.owed"].isEnabled()


def test_a_status_change_repaints_one_row_and_never_resets(office: Stand) -> None:
    open_orders(office)
    model = office.window.panels.orders.model
    changed: list[tuple[int, int]] = []
    resets: list[bool] = []
    model.dataChanged.connect(lambda first, last: changed.append((first.row(), last.row())))
    model.modelReset.connect(lambda: resets.append(True))
    office.till.change("order-2-01844", shown="paid")
    office.settle()
    assert changed == [(6, 6)]
    assert resets == []


def test_a_new_order_comes_on_top(office: Stand) -> None:
    open_orders(office)
    office.till.clock.pass_s(60)
    view = office.till.make(scenes.one(500), number="2-01849")
    office.till.change(view.order_id)
    office.settle()
    assert office.window.panels.orders.model.rows[0].number == "2-01849"
    assert office.window.panels.orders.current_id() == "order-2-01844"


def test_search_asks_the_books(office: Stand) -> None:
    open_orders(office)
    office.press(Qt.Key.Key_F, CONTROL)
    office.type("00931")
    office.until(lambda: len(office.window.panels.orders.model.rows) == 1)
    assert office.window.panels.orders.model.rows[0].number == "1-00931"


def test_an_order_goes_back_to_the_counter(office: Stand) -> None:
    open_orders(office)
    office.press(Qt.Key.Key_O, CONTROL)
    office.settle()
    assert office.window.flow.page == "sell"
    assert office.window.flow.counter.stage is Stage.OWED
    assert office.text("outcome.word") == "Paid twice"


def test_the_day_shows_counts_and_one_action_each(office: Stand) -> None:
    office.press(Qt.Key.Key_F11)
    office.settle()
    counts = [office.text(f"day.count.{name}") for name in ("matched", "corrected", "exceptions", "cash")]
    assert counts == ["403", "4", "5", "₹0.00"]
    buttons = [office.find(f"day.act.{at}") for at in range(5)]
    assert [button.text() for button in buttons if isinstance(button, QPushButton)] == [
        "Refund ₹420.00", "Investigate", "Attach to an order", "Refund ₹180.00", "Ask gateway again",
    ]  # fmt: skip
    assert office.text("day.there.razorpay") == "1,03,180.00"
    assert "5 open items" in office.text("day.items")


def test_an_exception_is_settled_by_its_own_key(office: Stand) -> None:
    office.press(Qt.Key.Key_F11)
    office.settle()
    office.bot.mouseClick(office.find("day.act.3"), Qt.MouseButton.LeftButton)
    office.settle()
    assert office.till.orders["order-2-01844"].owed_minor == 0


def test_investigate_says_what_is_known_and_is_settled_with_a_line(office: Stand) -> None:
    office.press(Qt.Key.Key_F11)
    office.settle()
    office.bot.mouseClick(office.find("day.act.1"), Qt.MouseButton.LeftButton)
    office.until(office.find("settle.reason").hasFocus)
    assert office.text("settlePanel.title") == "Amount differs: order 1-00932"
    assert [office.text(f"settle.{name}") for name in ("here", "there", "subject")] == [
        "₹1,250.00", "₹1,520.00", "pay_orphan",
    ]  # fmt: skip
    office.press(Qt.Key.Key_Return)
    office.settle()
    assert not any(call.startswith("settle ") for call in office.till.calls), "not without a reason"
    office.type("the rest was a voucher")
    office.press(Qt.Key.Key_Return)
    office.settle()
    assert "settle M04-11:52 the rest was a voucher" in office.till.calls
    assert office.text("day.count.exceptions") == "4"


def test_investigate_leads_to_the_order(office: Stand) -> None:
    office.till.make(scenes.one(125_000), number="1-00932", created_at_ms=scenes.at("09:00"))
    office.press(Qt.Key.Key_F11)
    office.settle()
    office.bot.mouseClick(office.find("day.act.1"), Qt.MouseButton.LeftButton)
    office.until(office.find("settle.reason").hasFocus)
    office.bot.mouseClick(office.find("settle.look"), Qt.MouseButton.LeftButton)
    office.settle()
    assert office.window.flow.page == "orders"
    assert office.text("detail.order") == "Order 1-00932"


def test_an_orphan_is_attached_by_its_number(office: Stand) -> None:
    office.press(Qt.Key.Key_F11)
    office.settle()
    office.bot.mouseClick(office.find("day.act.2"), Qt.MouseButton.LeftButton)
    office.until(office.find("attach.number").hasFocus)
    office.type("2-01848")
    office.press(Qt.Key.Key_Return)
    office.settle()
    assert "attach pay_orphan 2-01848" in office.till.calls


def count_drawer(office: Stand, amount: str) -> None:
    office.press(Qt.Key.Key_F11)
    office.settle()
    office.bot.mouseClick(office.find("button.day.close"), Qt.MouseButton.LeftButton)
    office.until(office.find("count.amount").hasFocus)
    office.type(amount)


def test_the_day_closes_with_what_was_counted(office: Stand) -> None:
    count_drawer(office, "8460")
    office.press(Qt.Key.Key_Return)
    office.settle()
    assert "close 846000" in office.till.calls
    assert "Closed by Meera" in office.text("day.closed")
    assert not office.window.commands["day.close"].isEnabled()


def test_a_drawer_that_is_short_is_closed_with_its_reason(office: Stand) -> None:
    count_drawer(office, "8450")
    office.bot.mouseClick(office.find("count.reason"), Qt.MouseButton.LeftButton)
    office.type("a note was torn")
    office.press(Qt.Key.Key_Return)
    office.settle()
    assert "close 845000 a note was torn" in office.till.calls


def test_money_of_another_day_has_a_tab_of_its_own(office: Stand) -> None:
    late = MatchRow("M21", "o1", "1-00007", office.till.clock() - 86_400_000, "stripe", 6_000, 6_000)
    today = office.till.today
    assert today is not None
    office.till.today = replace(today, noted=(late,))
    office.press(Qt.Key.Key_F11)
    office.settle()
    office.bot.mouseClick(office.find("day.tabs.noted"), Qt.MouseButton.LeftButton)
    model = office.window.panels.day.model
    assert [model.index(0, at).data() for at in (0, 5)] == ["1-00007", "Belongs to another day · 21 Nov"]
    assert model.rowCount() == 1


def test_a_cashier_may_not_close_the_day(office: Stand) -> None:
    office.till.user = "Asha"
    office.press(Qt.Key.Key_F11)
    office.settle()
    office.window.commands["day.close"].trigger()
    office.until(office.find("count.amount").hasFocus)
    office.press(Qt.Key.Key_Return)
    office.settle()
    assert "may not" in office.text("bannerTitle")
    assert office.window.commands["day.close"].isEnabled()


def test_a_report_that_cannot_be_read_is_said_and_the_day_stays(office: Stand) -> None:
    office.press(Qt.Key.Key_F11)
    office.settle()
    office.till.refuses = Unreachable("Razorpay cannot be reached.", "Run again later.")
    office.press(Qt.Key.Key_F5)
    office.settle()
    assert office.text("bannerTitle") == "Razorpay cannot be reached."
    assert office.text("day.count.matched") == "403"
    assert "report of 13:38" in office.text("day.report")


def test_the_day_can_be_exported_and_printed(office: Stand) -> None:
    office.press(Qt.Key.Key_F11)
    office.settle()
    office.press(Qt.Key.Key_E, CONTROL)
    office.settle()
    rows = office.desk.saved["day-2026-11-22.csv"].decode().splitlines()
    assert len(rows) == 1 + 5 + 4 + 403
    office.press(Qt.Key.Key_P, CONTROL)
    office.settle()
    assert any("Razorpay" in line for line in office.desk.printed[0][1])


def test_tray_cards_follow_their_orders(stand: Stand) -> None:
    for no, (minor, steps) in enumerate(((98_400, 3), (43_000, 2), (9_000, 1)), 3):
        scenes.waiting(stand.till, f"2-0187{no}", minor, f"13:4{no - 3}:00", steps=steps)
    stand.press(Qt.Key.Key_T, CONTROL)
    stand.settle()
    tray = stand.window.panels.sell.tray
    cards = [card for card in tray.cards if card.isVisible()]
    assert [card.pill.text for card in cards] == ["Paying", "Opened", "Waiting"]
    assert stand.text("tray.summary") == "3 waiting · ₹1,504.00"
    stand.till.customer_pays("order-2-01873")
    stand.settle()
    assert cards[0].pill.text == "Paid"
    assert "1 just paid" in stand.text("tray.summary")
    stand.press(Qt.Key.Key_2, ALT)
    stand.settle()
    assert stand.window.flow.counter.order_id == "order-2-01874"
    assert stand.window.workspace.left_name == "pay"


def test_a_paid_card_leaves_after_a_while(stand: Stand) -> None:
    view = scenes.waiting(stand.till, "2-01873", 98_400, "13:41:00", steps=1)
    stand.press(Qt.Key.Key_T, CONTROL)
    stand.settle()
    stand.till.customer_pays(view.order_id)
    stand.settle()
    stand.till.clock.pass_s(120)
    stand.window._ticked()
    assert [card for card in stand.window.panels.sell.tray.cards if card.isVisible()] == []


def test_test_mode_is_marked_where_money_is_asked_for_and_counted(office: Stand) -> None:
    """The pay panel by the attempt's own mode; the day, and its print, by the books."""
    till = office.till
    till.test_mode = True
    ask_for_qr(office)
    assert office.window.panels.pay.sheet.test.isVisible()
    assert till.today is not None
    till.today = replace(till.today, test=True)
    office.press(Qt.Key.Key_F11)
    office.settle()
    assert office.window.panels.day.test.isVisible()
    office.press(Qt.Key.Key_P, CONTROL)
    office.settle()
    assert any("TEST" in line for _, lines in office.desk.printed for line in lines)
