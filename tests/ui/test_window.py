"""The window as a whole: errors, commands, lights, right to left, tasks, early scans, and what Qt may not do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QListView, QTableView, QWidget
from pytestqt.qtbot import QtBot

from pos.domain.errors import PosError, Refused
from pos.services.bus import ReconcileDone
from pos.ui import aio, shop, shots
from pos.ui.control.selling import SellControl
from pos.ui.counter import Stage
from pos.ui.shop import shop_of
from pos.ui.tasks import Tasks
from pos.ui.theme import Theme
from pos.ui.views.topbar import gateway_light, orders_light, reconciled_light, relay_light
from pos.words import language
from tests.ui import scenes
from tests.ui.conftest import QuietDesk, Stand, make_window
from tests.ui.test_pay import ask_for_qr
from tests.ui.test_sell import CHAI, CONTROL, names

# Errors ---------------------------------------------------------------------------------------------------------------


def test_an_error_is_a_banner_with_title_and_hint(stand: Stand) -> None:
    stand.window.show_error(Refused("The books say no.", "Do this instead."))
    assert stand.find("banner").isVisible()
    assert (stand.text("bannerTitle"), stand.text("bannerHint")) == ("The books say no.", "Do this instead.")
    stand.press(Qt.Key.Key_Escape)
    assert not stand.find("banner").isVisible()


def test_esc_takes_the_banner_away_before_anything_else(stand: Stand) -> None:
    stand.press(Qt.Key.Key_F1)
    stand.window.show_error(Refused("The books say no.", "Do this instead."))
    stand.press(Qt.Key.Key_Escape)
    assert (stand.find("banner").isVisible(), stand.window.flow.overlay) == (False, "help")
    stand.press(Qt.Key.Key_Escape)
    assert stand.window.flow.overlay == ""


def test_the_next_thing_that_is_done_ends_what_was_said_of_the_last(stand: Stand) -> None:
    stand.window.show_error(Refused("The books say no.", "Do this instead."))
    stand.press(Qt.Key.Key_F1)
    assert not stand.find("banner").isVisible()


def test_a_banner_that_goes_moves_nothing_under_a_finger(stand: Stand) -> None:
    place = stand.window.workspace.left
    before = place.mapTo(stand.window, QPoint(0, 0)).y()
    stand.window.banner.show_note("Done.")
    stand.settle()
    shown = place.mapTo(stand.window, QPoint(0, 0)).y()
    assert shown > before
    stand.window.banner.clear()
    stand.settle()
    assert place.mapTo(stand.window, QPoint(0, 0)).y() == shown
    stand.press(Qt.Key.Key_2, CONTROL)  # another page: everything moves anyway
    stand.until(lambda: place.mapTo(stand.window, QPoint(0, 0)).y() == before)


def test_names_are_plain_text_never_markup(stand: Stand) -> None:
    evil = "<b>Tea</b><img src='http://127.0.0.1/x.png'>"
    stand.till.goods.append(replace(stand.till.goods[0], sku="E", name=evil, barcode="4444444444"))
    stand.window.set_products(stand.till.goods)
    stand.scan("4444444444")
    stand.settle()
    assert names(stand.window) == [(evil, 1)]
    labels = stand.window.findChildren(QLabel)
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}


def test_a_bug_in_a_task_becomes_one_plain_message(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("never shown to people")

    stand.window.flow.start(broken(), print)
    stand.settle()
    assert stand.text("bannerTitle") == "Something went wrong on our side."
    assert "never shown" not in stand.text("bannerTitle") + stand.text("bannerHint")
    assert "ZeroDivisionError" in caplog.text


def test_a_slot_that_raises_becomes_one_plain_message(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    from pos.app import desktop

    monkeypatch.setattr(sys, "excepthook", desktop._unexpected)
    with stand.bot.capture_exceptions() as caught:
        stand.window.rail.chosen.connect(lambda _: 1 / 0)
        stand.bot.mouseClick(stand.find("rail.manage"), Qt.MouseButton.LeftButton)
    assert [kind for kind, _, _ in caught] == [ZeroDivisionError]
    desktop._unexpected(*caught[0])
    assert stand.text("bannerTitle") == "Something went wrong on our side."


# Tasks ----------------------------------------------------------------------------------------------------------------


def test_a_task_dies_with_its_view(qtbot: QtBot, loop: asyncio.AbstractEventLoop) -> None:
    tasks, owner, told = Tasks(), QObject(), []

    async def forever() -> None:
        await asyncio.Event().wait()

    task = tasks.start(owner, forever(), told.append, told.append)
    QApplication.processEvents()
    owner.deleteLater()
    qtbot.waitUntil(task.done, timeout=2_000)
    assert task.cancelled()
    assert told == []


def test_an_error_goes_to_its_handler_else_to_the_window(qtbot: QtBot, loop: asyncio.AbstractEventLoop) -> None:
    tasks, own, rest = Tasks(), [], []
    tasks.failed.connect(rest.append)

    async def refused() -> None:
        raise Refused("No.", "Do that.")

    tasks.start(tasks, refused(), None, own.append)
    tasks.start(tasks, refused())
    qtbot.waitUntil(lambda: tasks.running == 0, timeout=2_000)
    assert [len(own), len(rest)] == [1, 1]
    assert isinstance(own[0], PosError)


def test_abandoned_generators_are_closed_on_the_loop(qtbot: QtBot, loop: asyncio.AbstractEventLoop) -> None:
    closed: list[bool] = []

    async def stream():  # type: ignore[no-untyped-def]
        try:
            while True:
                yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def leaves_early() -> None:
        async for _ in stream():
            break

    task = loop.create_task(leaves_early())
    qtbot.waitUntil(lambda: task.done() and closed == [True], timeout=2_000)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from 3.12 on")
def test_qt_calls_do_not_eat_references_of_none(qtbot: QtBot) -> None:
    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for at in range(1_000):
        label.setText(str(at))
    assert sys.getrefcount(None) > before - 100


# Commands -------------------------------------------------------------------------------------------------------------


def every_state(stand: Stand) -> Iterator[str]:
    """The window brought to every state that a cashier meets, one after the other."""
    window, till = stand.window, stand.till
    yield "empty"
    stand.scan(CHAI)
    stand.settle()
    yield "ringing"
    for overlay in ("help", "palette", "held", "quantity", "discount", "void", "cash"):
        window.flow.open(overlay)
        stand.settle()
        yield overlay
        window.flow.close()
    order_id = ask_for_qr(stand)
    yield "waiting"
    window.selling.open_cash()
    stand.settle()
    yield "cash behind a link"
    window.flow.close()
    till.gateway_falls_silent(order_id)
    stand.settle()
    yield "unknown"
    window.flow.open("release")
    yield "release"
    window.flow.close()
    till.customer_pays(order_id)
    stand.settle()
    yield "paid"
    window.flow.open("refund")
    yield "refund"
    window.flow.close()
    till.customer_pays(order_id, "pay_second")
    stand.settle()
    yield "paid twice"
    scenes.end_of_day(till)
    for page in ("orders", "reconcile", "manage", "sell"):
        window.flow.go(page)
        stand.settle()
        yield page
    window.selling.toggle_tray()
    stand.settle()
    yield "tray"


def test_no_two_commands_share_a_key_in_any_state(stand: Stand) -> None:
    doubled = {state: stand.window.commands.doubled_keys() for state in every_state(stand)}
    assert {state: found for state, found in doubled.items() if found} == {}


def test_everything_that_can_be_used_has_a_name(stand: Stand) -> None:
    nameless: set[str] = set()
    kinds = (QAbstractButton, QLineEdit, QListView, QTableView)
    for state in every_state(stand):
        for widget in stand.window.findChildren(QWidget):
            inner = widget.objectName().startswith("qt_") or isinstance(widget.parent(), QTableView)
            if isinstance(widget, kinds) and widget.isVisible() and not inner and not widget.accessibleName():
                nameless.add(f"{state}: {type(widget).__name__} {widget.objectName()}")
    assert nameless == set()


def test_what_is_touched_is_large_enough(stand: Stand) -> None:
    small: set[str] = set()
    for state in every_state(stand):
        for button in stand.window.findChildren(QAbstractButton):
            kind = button.property("kind")
            if button.isVisible() and kind in (None, "plain", "primary", "strong", "double", "wide", "digit", "note"):
                least = 56 if kind in ("primary", "strong", "double") else 48
                if button.objectName() and button.height() < least and not button.property("rail"):
                    small.add(f"{state}: {button.objectName()} {button.height()}")
    assert small == set()


def test_ctrl_k_finds_and_runs_any_command(stand: Stand) -> None:
    stand.press(Qt.Key.Key_K, CONTROL)
    stand.until(stand.find("palette.field").hasFocus)
    stand.type("end day")
    assert [action.text() for action in stand.window.panels.palette.model.rows] == ["End of day"]
    scenes.end_of_day(stand.till)
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.window.flow.page == "reconcile"


def test_the_palette_knows_every_gateway(stand: Stand) -> None:
    stand.scan(CHAI)
    stand.settle()
    stand.press(Qt.Key.Key_K, CONTROL)
    stand.until(stand.find("palette.field").hasFocus)
    stand.type("stripe")
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    assert stand.text("sheet.attempt") == "Attempt 1 · Stripe"


def test_f1_shows_every_key(stand: Stand) -> None:
    stand.press(Qt.Key.Key_F1)
    said = [stand.window.panels.help.model.spoken(row) for row in stand.window.panels.help.model.rows]
    for key in ("F1", "F2", "F4", "F5", "F6", "F7", "F8", "F9", "F11", "F12", "Del", "Esc", "Ctrl Del", "Ctrl K"):
        assert any(line.endswith(f" {key}") for line in said), key


def test_keys_can_be_changed(qtbot: QtBot, loop: object, dressed: Theme) -> None:
    from pos.ui.kit import Kit
    from pos.ui.main_window import MainWindow
    from pos.words.formats import Formats

    till = scenes.till()
    kit = Kit(Formats("en_IN", "INR", "Asia/Kolkata"), dressed, Tasks(), till.clock)
    window = MainWindow(kit, shop_of(till), QuietDesk(), {"pay.qr": "F3"})
    qtbot.addWidget(window)
    assert window.commands["pay.qr"].shortcut().toString() == "F3"


def test_test_mode_is_marked_everywhere(qtbot: QtBot, loop: object, dressed: Theme) -> None:
    till = scenes.till()
    till.test_mode = True
    window = make_window(till, dressed, QuietDesk())
    qtbot.addWidget(window)
    window.show()
    assert window.top.test.isVisible()
    window.toggle_display()
    assert window.display is not None
    marks = [label for label in window.display.findChildren(QLabel) if label.text() == "TEST"]
    assert marks
    assert marks[0].isVisible()
    window.close()


def test_the_mark_follows_the_books_once_they_are_for_real_money(stand: Stand) -> None:
    stand.press(Qt.Key.Key_D, CONTROL)
    assert stand.window.display is not None
    stand.till.set_status(test_mode=True)
    stand.settle()
    assert stand.window.top.test.isVisible()
    assert stand.window.display.left.test.isVisible()
    stand.till.set_status(test_mode=False)
    stand.settle()
    assert not stand.window.top.test.isVisible()
    assert not stand.window.display.left.test.isVisible()


# Lights ---------------------------------------------------------------------------------------------------------------


def test_the_relay_is_green_only_with_a_heartbeat_in_the_last_30_s() -> None:
    status = scenes.till().status()
    heard = status.relay_heard_at_ms
    assert heard is not None
    assert relay_light(status, heard + 30_000).tone == "paid"
    assert relay_light(status, heard + 30_001).tone == "waiting"
    assert relay_light(replace(status, relay_heard_at_ms=None), heard).tone == "waiting"
    assert relay_light(replace(status, relay="down"), heard).tone == "failed"
    assert relay_light(replace(status, relay="off"), heard).tone == "gone"
    assert relay_light(replace(status, relay="locked"), heard).text == "Relay · keys locked"
    assert gateway_light(replace(status, gateway="locked")).text == "Keys locked"


def test_a_hundred_orders_that_change_at_once_are_counted_once(stand: Stand) -> None:
    """A page of a report: what is said of all orders is read again once, not for each of them."""
    view = scenes.waiting(stand.till, "1-00007", 10_000, "13:41", steps=1)
    stand.settle()
    stand.till.calls.clear()
    for _ in range(100):
        stand.till.change(view.order_id)
    stand.settle()
    assert [stand.till.calls.count(name) for name in ("held", "status")] == [1, 1]


def test_lights_grow_old_by_themselves(stand: Stand) -> None:
    assert stand.window.top.lights[1].text == "Relay · live"
    stand.till.clock.pass_s(40)
    stand.window._ticked()
    assert stand.window.top.lights[1].text == "Relay · silent"


@pytest.mark.parametrize(("word", "tone"), [("ok", "paid"), ("slow", "waiting"), ("down", "waiting"), ("off", "gone")])
def test_the_gateways_light(word: str, tone: str) -> None:
    assert gateway_light(replace(scenes.till().status(), gateway=word)).tone == tone


def test_reconciliation_says_how_old_it_is() -> None:
    status = scenes.till().status()
    done = status.reconciled_at_ms
    assert done is not None
    said = [reconciled_light(status, done + minutes * 60_000).text for minutes in (0, 1, 4, 59, 60, 60 * 25)]
    assert said == [
        "Reconciled just now", "Reconciled 1 min ago", "Reconciled 4 min ago", "Reconciled 59 min ago",
        "Reconciled 1 h ago", "Reconciled 25 h ago",
    ]  # fmt: skip
    assert reconciled_light(replace(status, reconciled_at_ms=None), done).text == "Not reconciled yet"


def test_unknown_orders_come_before_waiting_ones() -> None:
    status = scenes.till().status()
    assert orders_light(replace(status, waiting=2, unknown=1)).text == "1 unknown"
    assert orders_light(replace(status, waiting=2, unknown=0)).text == "2 waiting"


def test_a_finished_sweep_is_told_by_the_bus(stand: Stand) -> None:
    stand.till.clock.pass_s(60)
    stand.till.status_now = replace(stand.till.status(), reconciled_at_ms=stand.till.clock())
    stand.till.bus.publish(ReconcileDone("razorpay", 0, 0, True))
    stand.settle()
    assert stand.window.top.lights[2].text == "Reconciled just now"


# Starting early -------------------------------------------------------------------------------------------------------


def test_scans_before_the_till_is_ready_are_not_lost(
    qtbot: QtBot, loop: object, dressed: Theme, tmp_path: Path
) -> None:
    till = scenes.till()
    window = make_window(till, dressed, QuietDesk())
    qtbot.addWidget(window)
    window.show()
    hands = Stand(qtbot, till, window, QuietDesk())
    hands.scan(CHAI)
    assert names(window) == []
    shop.keep(tmp_path, window.shop, till.goods, "1:2")
    window.set_products(shop.load(tmp_path, window.shop))
    hands.scan("8901234500001")
    assert names(window) == [("Flat white", 1)]
    assert till.calls == []
    window.attach(till, till.goods)
    hands.settle()
    assert names(window) == [("Flat white", 1), ("Masala chai", 1)]
    assert len(till.orders["order-2-01873"].lines) == 2
    window.close()


def test_the_picture_of_the_last_start_is_only_for_the_same_shop(tmp_path: Path) -> None:
    till = scenes.till()
    facts = shop_of(till)
    shop.keep(tmp_path, facts, till.goods, "1:2")
    assert shop.load(tmp_path, facts) == till.goods
    assert shop.load(tmp_path, replace(facts, currency="EUR")) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1, "shop": {"x": 1}, "products": []}'])
def test_a_damaged_picture_is_no_picture(tmp_path: Path, text: str) -> None:
    (tmp_path / shop.FILE_NAME).write_text(text, encoding="utf-8")
    assert shop.load(tmp_path, shop_of(scenes.till())) == []


# Other readers --------------------------------------------------------------------------------------------------------


def test_right_to_left_mirrors_the_window(qtbot: QtBot, loop: object, dressed: Theme, qapp: QApplication) -> None:
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    till = scenes.till()
    till.locale, till.currency, till.time_zone = "ar_EG", "EGP", "Africa/Cairo"
    window = make_window(till, dressed, QuietDesk())
    qtbot.addWidget(window)
    window.resize(1440, 900)
    window.show()
    window.attach(till, till.goods)
    hands = Stand(qtbot, till, window, QuietDesk())
    hands.settle()
    hands.scan(CHAI)
    hands.settle()
    assert window.rail.mapTo(window, window.rail.rect().center()).x() > 1300
    total = hands.find("total")
    assert total.mapTo(window, total.rect().center()).x() < 452
    tile = window.panels.sell.grid.visualRect(window.panels.sell.model.index(0))
    assert tile.center().x() > window.panels.sell.grid.width() / 2
    hands.press(Qt.Key.Key_F12)
    hands.settle()
    assert window.flow.counter.stage is Stage.WAITING
    assert not window.grab().isNull()
    window.close()


def test_the_window_speaks_german(qtbot: QtBot, loop: object, dressed: Theme) -> None:
    language.use("de_DE")
    till = scenes.till()
    till.locale, till.currency, till.time_zone = "de_DE", "EUR", "Europe/Berlin"
    window = make_window(till, dressed, QuietDesk())
    qtbot.addWidget(window)
    hands = Stand(qtbot, till, window, QuietDesk())
    assert hands.text("totalWord") == "Summe"
    assert window.commands["pay.qr"].text() == "Mit QR bezahlen"
    language.use("en")


def test_the_smallest_window_cuts_nothing_off(stand: Stand) -> None:
    stand.window.resize(1024, 768)
    stand.settle()
    for state in every_state(stand):
        for button in stand.window.findChildren(QAbstractButton):
            if button.isVisible() and button.window() is stand.window:
                right = button.mapTo(stand.window, button.rect().bottomRight())
                inside = right.x() <= 1024 and (right.y() <= 768 or stand.window.panels.sell.isAncestorOf(button))
                assert inside, f"{state}: {button.objectName()} {button.text()} {right}"


def test_a_screenshot_is_what_people_see(stand: Stand, tmp_path: Path) -> None:
    path = shots.take(stand.window, tmp_path, "01-sell")
    assert path.stat().st_size > 10_000
    assert isinstance(stand.window.selling, SellControl)


def test_leaving_the_loop_ends_every_task(qapp: QApplication) -> None:
    made = aio.make_loop(qapp)
    ended: list[str] = []

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("stubborn")

    async def main() -> int:
        task = asyncio.ensure_future(stubborn())
        await asyncio.sleep(0)
        assert not task.done()
        return 7

    assert aio.run(made, main) == 7
    assert ended == ["stubborn"]
    assert made.is_closed()
    asyncio.set_event_loop(None)


@pytest.mark.parametrize(("books", "said"), [("down", "Database · no answer"), ("read_only", "Read only")])
def test_books_that_do_not_answer_are_said_once_and_shown_as_long_as_it_lasts(
    stand: Stand, books: str, said: str
) -> None:
    banner, light = stand.window.banner, stand.window.top.lights[3]
    before = light.text
    stand.till.set_status(books=books, problem="The database server does not answer.", problem_hint="Wait.")
    stand.settle()
    assert banner.isVisible()
    assert banner.title.text() == "The database server does not answer."
    assert banner.hint.text() == "Wait."
    assert light.text == said
    banner.clear()
    stand.till.set_status(books=books)  # a second later: the light is enough
    stand.settle()
    assert not banner.isVisible()
    assert light.text == said
    stand.till.set_status(books="ok", problem="", problem_hint="")
    stand.settle()
    assert banner.title.text() == "The database answers again. Everything that was saved is there."
    assert light.text == before
