"""Sharing an order among several payments, and giving cash back for a link: keys, panels, what the customer sees."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt

from pos.domain.shown import Shown
from pos.domain.verdict import Flag
from pos.services.views import PaymentView
from pos.ui.counter import Stage
from tests.ui.conftest import Stand
from tests.ui.test_pay import FLAT_WHITE, ORDER, stage
from tests.ui.test_sell import CHAI, CONTROL

SHIFT = Qt.KeyboardModifier.ShiftModifier


def open_split(stand: Stand) -> None:
    """F10, and F10 again."""
    for code in (CHAI, FLAT_WHITE, FLAT_WHITE):
        stand.scan(code)
    stand.settle()
    stand.press(Qt.Key.Key_F10)
    stand.until(stand.find("terminal.note").hasFocus)
    stand.press(Qt.Key.Key_F10)
    stand.until(stand.find("split.amount").hasFocus)


def enter(stand: Stand, amount: str = "") -> None:
    stand.type(amount)
    stand.press(Qt.Key.Key_Return)
    stand.settle()


def plans(stand: Stand) -> list[str]:
    return [call for call in stand.till.calls if call.startswith("split ")]


def test_by_keys_alone_a_link_and_the_rest_in_cash(stand: Stand) -> None:
    open_split(stand)
    first = stand.till.queries.gateways()[0]
    assert stand.text("splitPanel.title") == "Split ₹420.00"
    assert not stand.window.can_confirm(), "all at once is no split"
    enter(stand, "300")
    assert stand.text("split.left") == "₹120.00"
    enter(stand)
    assert (stand.text("split.left"), plans(stand)) == ("₹0.00", [])
    enter(stand)
    assert plans(stand) == [f"split qr:{first.name}=30000 cash:=12000"]
    assert (stage(stand), stand.text("pay.amount")) == (Stage.WAITING, "₹300.00")
    assert not stand.window.commands["cash"].isEnabled()
    stand.till.customer_pays(ORDER)
    stand.settle()
    assert (stage(stand), stand.text("outcome.amount")) == (Stage.OPEN, "₹120.00")
    assert stand.text("outcome.how") == "₹300.00 of ₹420.00 paid"
    assert stand.text("outcome.payment") == "Next: Cash ₹120.00"
    assert [stand.window.commands[name].isEnabled() for name in ("cash", "pay.qr", "terminal")] == [True, False, False]
    stand.press(Qt.Key.Key_F9)
    stand.until(stand.find("cash.given").hasFocus)
    assert stand.text("cash.toPay") == "₹120.00"
    enter(stand, "200")
    assert (stage(stand), stand.till.orders[ORDER].change_minor) == (Stage.PAID, 8_000)


def test_a_part_is_taken_out_again_and_ways_that_come_before_are_not_offered(stand: Stand) -> None:
    open_split(stand)
    stand.window.panels.split.ways.set([(key, key) for key in stand.window.panels.split._keys], "terminal")
    enter(stand, "100")
    assert list(stand.window.panels.split.ways._buttons) == ["terminal", "cash"]
    stand.press(Qt.Key.Key_Delete)
    assert stand.text("split.left") == "₹420.00"
    assert len(stand.window.panels.split.ways._buttons) == len(stand.window.panels.split._keys)
    stand.type("500")
    assert not stand.window.can_confirm(), "more than there is to pay"
    stand.press(Qt.Key.Key_Escape)
    assert (stand.window.flow.overlay, plans(stand)) == ("", [])


def test_cash_first_opens_the_drawers_panel_with_its_part(stand: Stand) -> None:
    open_split(stand)
    stand.window.panels.split._offer("cash")
    enter(stand, "20")
    enter(stand)
    enter(stand)
    stand.until(stand.find("cash.given").hasFocus)
    assert stand.text("cash.toPay") == "₹20.00"
    enter(stand)
    assert stand.till.orders[ORDER].left_minor == 40_000


def test_a_standing_plan_is_shown_goes_on_and_is_dropped(stand: Stand) -> None:
    open_split(stand)
    enter(stand, "300")
    enter(stand)
    enter(stand)
    stand.till.customer_pays(ORDER)
    stand.settle()
    stand.press(Qt.Key.Key_F10)
    stand.settle()
    assert (stand.text("split.part.0"), stand.text("split.state.0"), stand.text("split.state.1")) == (
        "QR · Razorpay",
        "Paid",
        "Next",
    )
    stand.press(Qt.Key.Key_Delete)
    stand.settle()
    assert "drop" in stand.till.calls
    assert stand.window.commands["pay.qr"].isEnabled()


def test_the_customer_sees_the_part_and_the_whole(stand: Stand) -> None:
    open_split(stand)
    enter(stand, "300")
    enter(stand)
    enter(stand)
    stand.press(Qt.Key.Key_D, CONTROL)
    display = stand.window.display
    assert display is not None
    stand.settle()
    assert display.code.part.text() == "₹300.00 of ₹420.00"
    stand.till.customer_pays(ORDER)
    stand.settle()
    assert display.words.first.text() == "₹300.00 paid, ₹120.00 left"


def stuck(stand: Stand) -> None:
    payment = PaymentView("pay_stuck", "razorpay", 1, "captured", 18_000, stand.till.clock(), 0, 18_000)
    view = stand.till.orders[ORDER]
    stand.till.change(
        ORDER, payments=(replace(payment, stuck_minor=18_000),), flags=(Flag.REFUND_FAILED,), version=view.version
    )
    stand.settle()


def test_a_manager_gives_cash_back_with_a_reason(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.press(Qt.Key.Key_F12)
    stand.settle()
    stand.till.customer_pays(ORDER)
    stand.settle()
    assert not stand.window.commands["cash_back"].isEnabled()
    stuck(stand)
    stand.till.user = "Meera"
    stand.press(Qt.Key.Key_F7, CONTROL)
    stand.until(stand.find("cashback.reason").hasFocus)
    assert "Razorpay could not give ₹180.00 back" in stand.text("cashBackPanel.hint")
    assert not stand.window.can_confirm()
    stand.type("card closed")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert "cash back pay_stuck 18000 card closed" in stand.till.calls
    assert stand.till.orders[ORDER].shown is Shown.REFUNDED


def test_the_history_offers_it_where_a_refund_failed(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.press(Qt.Key.Key_F12)
    stand.settle()
    stand.till.customer_pays(ORDER)
    stuck(stand)
    stand.press(Qt.Key.Key_2, CONTROL)
    stand.settle()
    stand.window.panels.orders.select(ORDER)
    stand.settle()
    assert stand.window.panels.detail.keys.in_cash.isVisible()
