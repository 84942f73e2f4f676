"""Every screen as text, as people meet them one after the other."""

from __future__ import annotations

from PySide6.QtCore import Qt

from tests.snapshots.tree import check
from tests.ui import scenes
from tests.ui.conftest import Stand
from tests.ui.fake_till import not_set_up
from tests.ui.test_pay import ask_for_qr
from tests.ui.test_sell import CHAI, CONTROL, FLAT_WHITE


def test_sell(stand: Stand) -> None:
    check("01-empty", stand.window)
    for code in (CHAI, CHAI, FLAT_WHITE):
        stand.scan(code)
    stand.settle()
    check("01-sell", stand.window)


def test_panels_of_the_counter(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.settle()
    for overlay in ("help", "palette", "held", "quantity", "discount", "void", "terminal"):
        stand.window.flow.open(overlay)
        stand.settle()
        check(f"panel-{overlay}", stand.window)
        stand.window.flow.close()


def test_pay_and_paid(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.until(lambda: stand.window.panels.pay.qr.code.ready)
    check("02-pay", stand.window)
    stand.till.clock.pass_s(66)
    stand.till.customer_pays(order_id)
    stand.settle()
    check("07-paid", stand.window)


def test_goods_come_back(stand: Stand) -> None:
    for code in (CHAI, CHAI, FLAT_WHITE):
        stand.scan(code)
    stand.settle()
    order_id = ask_for_qr(stand)
    stand.till.customer_pays(order_id)
    stand.settle()
    stand.press(Qt.Key.Key_F7)
    stand.settle()
    stand.until(stand.find("return.quantity.1").hasFocus)
    stand.type("1")
    stand.settle()
    check("panel-return", stand.window)


def test_unknown(stand: Stand) -> None:
    order_id = ask_for_qr(stand)
    stand.till.gateway_falls_silent(order_id)
    stand.settle()
    stand.till.clock.pass_s(87)
    stand.window.panels.pay.tick()
    check("06-unknown", stand.window)


def test_cash(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.settle()
    stand.press(Qt.Key.Key_F9)
    stand.until(stand.find("cash.given").hasFocus)
    stand.type("500")
    check("09-cash", stand.window)
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    check("09-change", stand.window)


def test_split(stand: Stand) -> None:
    stand.scan(FLAT_WHITE)
    stand.settle()
    stand.window.commands["split.plan"].trigger()
    stand.until(stand.find("split.amount").hasFocus)
    stand.type("100")
    for _ in range(2):
        stand.press(Qt.Key.Key_Return)
    check("panel-split", stand.window)
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    stand.till.customer_pays("order-2-01873")
    stand.settle()
    check("07-part", stand.window)


def test_tray(stand: Stand) -> None:
    for no, (minor, steps) in enumerate(((98_400, 3), (43_000, 2), (9_000, 1)), 3):
        scenes.waiting(stand.till, f"2-0187{no}", minor, f"13:4{no - 3}:00", steps=steps)
    stand.press(Qt.Key.Key_T, CONTROL)
    stand.settle()
    stand.till.customer_pays("order-2-01873")
    stand.settle()
    check("10-tray", stand.window)


def test_customer(stand: Stand) -> None:
    ask_for_qr(stand)
    stand.press(Qt.Key.Key_D, CONTROL)
    display = stand.window.display
    assert display is not None
    stand.settle()
    stand.until(lambda: display.code.code.ready)
    check("04-customer", display)


def test_orders_and_the_one_paid_twice(office: Stand) -> None:
    office.press(Qt.Key.Key_2, CONTROL)
    office.settle()
    office.window.panels.orders.select("order-2-01844")
    office.settle()
    check("08-double", office.window)


def test_the_day_and_its_close(office: Stand) -> None:
    office.press(Qt.Key.Key_F11)
    office.settle()
    check("03-reconcile", office.window)
    office.window.panels.day.acted.emit(office.till.today.exceptions[1])  # type: ignore[union-attr]
    office.settle()
    check("panel-settle", office.window)
    office.press(Qt.Key.Key_Escape)
    office.window.commands["day.close"].trigger()
    office.settle()
    check("panel-count", office.window)
    office.press(Qt.Key.Key_Return)
    office.settle()
    check("03-closed", office.window)


def test_manage(stand: Stand) -> None:
    stand.press(Qt.Key.Key_4, CONTROL)
    stand.settle()
    check("manage", stand.window)


def test_gateways(office: Stand) -> None:
    scenes.gateways(office.till)
    office.till.setup.known["stripe"] = not_set_up("stripe")
    office.press(Qt.Key.Key_G, CONTROL)
    office.settle()
    office.press(Qt.Key.Key_F5)
    office.settle()
    check("15-gateways", office.window)
    for overlay in ("keys", "vault", "remove"):
        office.window.flow.open(overlay)
        office.settle()
        check(f"panel-{overlay}", office.window)
        office.window.flow.close()
