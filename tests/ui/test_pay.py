"""Paying: QR, paid, unknown, given up, cash behind the fence, next customer. What the cashier may do, and may not."""

from __future__ import annotations

from dataclasses import replace

import zxingcpp
from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtWidgets import QWidget

from pos.domain.errors import OutcomeUnknown, SecondNeeded, Unreachable
from pos.domain.shown import Shown
from pos.domain.verdict import Money
from pos.ui.counter import Stage
from pos.ui.views.halves import _short
from tests.ui.conftest import Stand
from tests.ui.fake_till import LINK
from tests.ui.test_sell import CHAI, CONTROL, FLAT_WHITE

ORDER = "order-2-01873"


def picture(widget: QWidget) -> Image.Image:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    widget.grab().save(buffer, "PNG")
    import io

    return Image.open(io.BytesIO(bytes(buffer.data().data())))


def texts_of(widget: QWidget) -> set[str]:
    return {code.text for code in zxingcpp.read_barcodes(picture(widget))}


def ask_for_qr(stand: Stand) -> str:
    stand.scan(FLAT_WHITE)
    stand.press(Qt.Key.Key_F12)
    stand.settle()
    return ORDER


def stage(stand: Stand) -> Stage:
    return stand.window.flow.counter.stage


def test_three_scans_and_one_key_show_a_code_that_a_phone_reads(stand: Stand) -> None:
    for code in (CHAI, CHAI, FLAT_WHITE):
        stand.scan(code)
    stand.press(Qt.Key.Key_F12)
    stand.settle()
    stand.until(lambda: stand.window.panels.pay.qr.code.ready)
    assert texts_of(stand.window) == {LINK}
    assert stand.text("pay.amount") == "₹300.00"
    assert stand.text("pay.timer") == "14:12"
    assert stand.text("totalWord") == "To pay"
    assert stand.till.watched == ORDER


def test_the_code_stays_readable_in_the_smallest_window_and_in_the_dark(stand: Stand) -> None:
    ask_for_qr(stand)
    stand.window.commands["theme.dark"].trigger()
    stand.window.resize(1024, 768)
    stand.settle()
    stand.until(lambda: stand.window.panels.pay.qr.code.ready)
    assert texts_of(stand.window) == {LINK}


def test_the_customers_code_is_large_and_readable(stand: Stand) -> None:
    ask_for_qr(stand)
    stand.press(Qt.Key.Key_D, CONTROL)
    display = stand.window.display
    assert display is not None
    display.resize(1440, 900)
    stand.settle()
    stand.until(lambda: display.code.code.ready)
    assert texts_of(display) == {LINK}
    found = zxingcpp.read_barcodes(picture(display))[0].position
    assert found.top_right.x - found.top_left.x >= 420


def test_words_speak_of_a_display_only_while_there_is_one(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    safe = "Safe to scan again: this code takes one payment."
    assert stand.text("pay.safe") == safe
    stand.press(Qt.Key.Key_D, CONTROL)
    assert stand.text("pay.safe") == f"Also on the customer display. {safe}"
    assert stand.window.display is not None
    stand.window.display.close()  # as its own window's frame does
    assert stand.text("pay.safe") == safe
    stand.till.gateway_falls_silent(order_id)
    stand.settle()
    assert not stand.find("unknown.display").isVisible()
    stand.till.customer_pays(order_id)
    stand.settle()
    assert not stand.find("outcome.display").isVisible()
    assert stand.text("receipt.hint") == "The customer scans it here."
    stand.window.commands["display"].trigger()
    assert stand.find("outcome.display").isVisible()
    assert stand.text("receipt.hint") == "The customer scans it here or on the display."


def test_nothing_is_to_be_scanned_while_a_link_is_being_closed(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    attempt = stand.till.orders[order_id].attempt
    assert attempt is not None
    stand.till.change(order_id, attempt=replace(attempt, phase="closing", qr_text=""))
    stand.settle()
    assert stand.text("pay.heading") == "This link is being closed"
    assert not stand.find("pay.safe").isVisible()
    assert stand.text("pay.asking").startswith("Razorpay has not confirmed yet")


def test_every_save_comes_before_the_link_is_asked_for(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.scan(FLAT_WHITE)
    stand.press(Qt.Key.Key_F12)
    stand.settle()
    calls = [call for call in stand.till.calls if call.startswith(("save", "issue"))]
    assert calls[-1] == "issue razorpay"
    assert "issue razorpay" not in calls[:-1]
    assert len(stand.till.orders[ORDER].lines) == 2


def test_the_basket_is_locked_while_its_link_is_open(stand: Stand) -> None:
    ask_for_qr(stand)
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_F4, Qt.Key.Key_F8, Qt.Key.Key_F6):
        stand.press(key)
    stand.settle()
    assert len(stand.window.flow.counter.basket.lines) == 1
    assert stand.window.workspace.left_name == "pay"
    assert stand.text("orderHint") == "Locked while its link is open"


def test_paid_turns_green_with_its_sound_in_the_same_turn(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.desk.played.clear()
    stand.till.customer_pays(order_id)
    # no turn of the loop has passed: the event itself changed the screen
    assert stage(stand) is Stage.PAID
    assert stand.desk.played == ["paid"]
    assert stand.window.panels.pay.halves.currentWidget() is stand.window.panels.pay.outcome
    stand.settle()
    assert stand.text("outcome.word") == "Paid"
    assert stand.text("totalWord") == "Paid"
    assert stand.desk.played == ["paid"]


def test_opened_and_paying_move_the_bar(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    bar = stand.window.panels.pay.sheet.bar
    assert [step.tone for step in bar.steps] == ["paid", "", "", ""]
    stand.till.customer_opens(order_id)
    stand.settle()
    assert [step.tone for step in bar.steps] == ["paid", "waiting", "", ""]


def test_f5_asks_the_gateway_at_once(stand: Stand) -> None:
    ask_for_qr(stand)
    stand.press(Qt.Key.Key_F5)
    stand.settle()
    assert "check_now" in stand.till.calls


def test_enter_frees_the_till_and_the_order_waits_in_the_tray(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stage(stand) is Stage.RINGING
    assert stand.window.flow.counter.basket.lines == []
    assert stand.till.watched is None
    assert stand.window.top.lights[3].text == "1 waiting"
    assert stand.till.orders[order_id].shown == "waiting"


def test_a_scan_while_a_customer_pays_serves_the_next(stand: Stand) -> None:
    ask_for_qr(stand)
    stand.scan(CHAI)
    stand.settle()
    assert stage(stand) is Stage.RINGING
    assert stand.text("orderNumber") == "Order 2-01874"


def test_ctrl_del_closes_the_link_and_the_basket_can_be_changed(stand: Stand) -> None:
    ask_for_qr(stand)
    stand.press(Qt.Key.Key_Delete, CONTROL)
    stand.settle()
    assert "give_up" in stand.till.calls
    assert stage(stand) is Stage.RINGING
    assert stand.window.workspace.left_name == "sell"
    stand.scan(CHAI)
    stand.settle()
    assert len(stand.till.orders[ORDER].lines) == 2
    stand.press(Qt.Key.Key_F12)
    stand.settle()
    assert stand.text("sheet.attempt") == "Attempt 2 · Razorpay"


def test_unknown_says_what_to_do_and_offers_no_other_way_to_pay(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.gateway_falls_silent(order_id)
    stand.settle()
    stand.till.clock.pass_s(87)
    stand.window.panels.pay.tick()
    assert stand.text("unknown.1") == "Not confirmed yet."
    assert stand.text("unknown.2") == "Do not charge again."
    assert stand.window.panels.pay.unknown.ring.text == "1:27"
    assert stand.desk.played[-1] == "unknown"
    for name in ("pay.qr", "cash", "terminal", "give_up", "refund", "refund.owed"):
        assert not stand.window.commands[name].isEnabled(), name
    for name in ("check", "next", "release"):
        assert stand.window.commands[name].isEnabled(), name
    assert stand.find("fenceNote").isVisible()


def test_a_gateway_that_does_not_answer_is_never_called_a_failed_payment(stand: Stand) -> None:
    stand.till.gateway_answers = False
    ask_for_qr(stand)
    assert stage(stand) is Stage.UNKNOWN
    shown = " ".join(
        label.text() for label in stand.window.findChildren(type(stand.find("total"))) if label.isVisible()
    )
    assert "ailed" not in shown
    assert stand.window.panels.pay.sheet.bar.steps[0].text == "Not known"


def test_only_a_manager_gives_an_unknown_link_up(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.gateway_falls_silent(order_id)
    stand.settle()
    stand.press(Qt.Key.Key_M, CONTROL)
    stand.until(stand.window.panels.release.hasFocus)
    stand.type("1")
    stand.settle()
    assert "may not" in stand.text("bannerTitle")
    assert stand.till.orders[order_id].shown == "unknown"
    stand.till.user = "Meera"
    stand.press(Qt.Key.Key_M, CONTROL)
    stand.until(stand.window.panels.release.hasFocus)
    stand.type("1")
    stand.settle()
    assert stand.till.orders[order_id].shown == "unpaid"


def test_a_gateway_that_cannot_be_reached_leaves_the_basket_as_it_was(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.settle()
    stand.till.refuses = Unreachable("Razorpay cannot be reached.", "Take cash, or try another gateway.")
    stand.press(Qt.Key.Key_F12)
    stand.settle()
    assert stand.text("bannerTitle") == "Razorpay cannot be reached."
    assert stand.text("bannerHint") == "Take cash, or try another gateway."
    assert stage(stand) is Stage.RINGING


# Cash -----------------------------------------------------------------------------------------------------------------


def open_cash(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.settle()
    stand.press(Qt.Key.Key_F9)
    stand.until(stand.find("cash.given").hasFocus)


def test_cash_with_change(stand: Stand) -> None:
    open_cash(stand)
    stand.type("500")
    assert stand.text("cash.given") == "₹500.00"
    assert stand.text("cash.change") == "₹320.00"
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stage(stand) is Stage.PAID
    assert stand.text("outcome.word") == "Change"
    assert stand.text("outcome.amount") == "₹320.00"
    assert stand.till.orders[ORDER].change_minor == 32_000


def test_f9_twice_is_exact_cash(stand: Stand) -> None:
    open_cash(stand)
    stand.press(Qt.Key.Key_F9)
    stand.settle()
    assert stand.till.orders[ORDER].shown == "paid"
    assert stand.till.orders[ORDER].change_minor == 0


def test_too_little_cash_cannot_be_taken(stand: Stand) -> None:
    open_cash(stand)
    stand.type("100")
    assert stand.text("cash.changeWord") == "Still missing"
    assert not stand.window.commands["cash.received"].isEnabled()
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.till.orders[ORDER].shown == "unpaid"


def test_cash_while_a_link_is_open_closes_it_first(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.press(Qt.Key.Key_F9)
    stand.until(stand.find("cash.given").hasFocus)
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    calls = [call for call in stand.till.calls if call in ("give_up", "cash")]
    assert calls == ["give_up", "cash"]
    # nobody opened that link or paid by it: only what happened is marked as done
    assert [step.tone for step in stand.window.panels.pay.sheet.bar.steps] == ["paid", "", "", "paid"]
    assert stand.till.orders[order_id].shown == "paid"


def test_cash_is_refused_while_the_link_is_not_known_closed(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.press(Qt.Key.Key_F9)
    stand.until(stand.find("cash.given").hasFocus)
    stand.till.refuses = OutcomeUnknown("The link is not confirmed closed yet.", "Do not take cash until it is.")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.text("bannerHint") == "Do not take cash until it is."
    assert stand.till.orders[order_id].kept_minor == 0


def test_the_change_stays_until_the_next_scan(stand: Stand) -> None:
    open_cash(stand)
    stand.type("200")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    stand.window.flow.counter.reload()
    stand.settle()
    assert stand.text("outcome.amount") == "₹20.00"
    stand.scan(CHAI)
    stand.settle()
    assert stage(stand) is Stage.RINGING


def test_a_whole_sale_by_keyboard_alone(stand: Stand) -> None:
    stand.type("chai")
    stand.until(lambda: stand.window.panels.sell.model.rowCount() == 1)
    stand.press(Qt.Key.Key_Return)
    stand.press(Qt.Key.Key_F12)
    stand.settle()
    stand.till.customer_pays(ORDER)
    stand.settle()
    stand.press(Qt.Key.Key_P, CONTROL)
    stand.settle()
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.desk.printed
    assert stand.desk.printed[0][1][1] == "Order 2-01873"
    assert stage(stand) is Stage.RINGING
    assert stand.find("scanField").hasFocus()


def test_a_paid_order_can_be_given_back_by_a_manager(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.customer_pays(order_id)
    stand.till.user = "Meera"
    stand.settle()
    stand.press(Qt.Key.Key_F7, Qt.KeyboardModifier.ShiftModifier)
    stand.until(stand.find("refund.amount").hasFocus)
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.till.orders[order_id].refunded_minor == 18_000
    assert any(call.startswith("refund 18000 Goods returned") for call in stand.till.calls)


def test_the_receipt_is_shown_and_kept_as_pdf(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.customer_pays(order_id)
    stand.settle()
    stand.press(Qt.Key.Key_Q, CONTROL)
    stand.settle()
    assert "Flat white" in stand.window.panels.receipt.text.toPlainText()
    stand.press(Qt.Key.Key_Escape)
    stand.press(Qt.Key.Key_S, CONTROL)
    stand.settle()
    assert stand.desk.saved["receipt-2-01873.pdf"].startswith(b"%PDF")


def test_the_total_never_moves_and_is_never_covered(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.settle()
    total = stand.find("total")

    def place() -> tuple[int, int]:
        at = total.mapTo(stand.window, total.rect().bottomRight())
        return at.x(), at.y()

    places = {place()}
    for key in (Qt.Key.Key_F1, Qt.Key.Key_Escape, Qt.Key.Key_F4, Qt.Key.Key_Escape, Qt.Key.Key_F9, Qt.Key.Key_F12):
        stand.press(key)
        stand.settle()
        places.add(place())
        assert total.isVisible()
        assert stand.window.childAt(total.mapTo(stand.window, total.rect().center())) is total
    stand.till.gateway_falls_silent(ORDER)
    stand.settle()
    places.add(place())
    stand.till.customer_pays(ORDER)
    stand.settle()
    places.add(place())
    stand.window.show_error(Unreachable("Something long went wrong here.", "Do this."))
    stand.settle()
    places.add(place())
    assert len(places) == 1, places


def test_old_news_does_not_undo_newer(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    before = stand.till.orders[order_id].row
    stand.till.customer_pays(order_id)
    stand.settle()
    stand.window._on_row(replace(before, version=before.version))
    assert stage(stand) is Stage.PAID


def test_an_answer_about_the_last_customer_is_not_taken_for_the_next(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.customer_pays(order_id)
    # the order is being read again behind the screen when the till is freed
    assert stand.window.kit.tasks.running
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stage(stand) is Stage.RINGING
    assert stand.text("orderNumber") == "New order"


def test_a_link_that_comes_after_the_cashier_went_on_waits_in_the_tray(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.settle()
    stand.press(Qt.Key.Key_F12)
    assert stage(stand) is Stage.ASKING
    stand.scan(CHAI)
    stand.settle()
    assert stage(stand) is Stage.RINGING
    assert [line.name for line in stand.window.flow.counter.basket.lines] == ["Masala chai"]
    assert stand.till.orders[ORDER].shown == "waiting"
    assert stand.window.top.lights[3].text == "1 waiting"


def test_the_text_of_a_upi_code_is_not_written_under_it() -> None:
    assert _short("upi://pay?pa=shop@upi&am=60&cu=INR") == ""
    assert _short("https://rzp.io/i/abc") == "rzp.io/i/abc"


def test_goods_of_a_paid_order_come_back_line_by_line(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.customer_pays(order_id)
    stand.till.user = "Meera"
    stand.settle()
    stand.press(Qt.Key.Key_F7)
    stand.settle()
    stand.until(stand.find("return.quantity.1").hasFocus)
    assert not stand.window.commands["confirm"].isEnabled()
    stand.type("0.5")
    stand.settle()
    assert stand.text("return.worth") == "Goes back: ₹90.00"
    stand.till.refuses = SecondNeeded("This is above the shop's limit for one person.", "Give that name.")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    stand.until(stand.find("second.name").hasFocus)
    stand.type("Anil")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    view = stand.till.orders[order_id]
    assert (view.returned_minor, view.shown, view.notes) == (9_000, Shown.PART_REFUNDED, ("2-R00001",))
    assert "take back Goods returned Anil" in stand.till.calls
    assert "2-R00001" in stand.find("receipt.text").toPlainText()  # type: ignore[attr-defined]
    assert any("2-R00001" in line for _, slip in stand.desk.printed for line in slip)
    stand.press(Qt.Key.Key_Escape)
    stand.press(Qt.Key.Key_F7)
    stand.settle()
    stand.until(stand.find("return.quantity.1").hasFocus)
    stand.find("return.everything").click()  # type: ignore[attr-defined]
    stand.settle()
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.till.orders[order_id].shown is Shown.REFUNDED


def test_a_cashier_may_not_take_goods_back_and_reads_why(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.customer_pays(order_id)
    stand.settle()
    stand.press(Qt.Key.Key_F7)
    stand.settle()
    stand.until(stand.find("return.quantity.1").hasFocus)
    stand.type("1")
    stand.settle()
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.till.orders[order_id].returned_minor == 0
    assert "Ask a manager" in stand.window.banner.hint.text()


def test_a_part_paid_order_is_given_back_and_voided_by_a_digit(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.user = "Meera"
    stand.till.change(order_id, shown=Shown.PART_PAID, money=Money.PART_PAID, kept_minor=5_000, left_minor=13_000)
    stand.settle()
    stand.press(Qt.Key.Key_F7)
    stand.settle()
    stand.type("1")
    stand.settle()
    assert stand.till.orders[order_id].kept_minor == 0
    assert "give back and void Customer left" in stand.till.calls


def test_above_the_limit_a_refund_asks_for_a_second_manager_by_name(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.customer_pays(order_id)
    stand.till.user = "Meera"
    stand.settle()
    stand.press(Qt.Key.Key_F7, Qt.KeyboardModifier.ShiftModifier)
    stand.until(stand.find("refund.amount").hasFocus)
    stand.till.refuses = SecondNeeded("This is above the shop's limit for one person.", "Give that name.")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.till.orders[order_id].refunded_minor == 0
    stand.until(stand.find("second.name").hasFocus)
    stand.type("Anil")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.till.orders[order_id].refunded_minor == 18_000
    assert "refund 18000 Goods returned Anil" in stand.till.calls
