"""Between the first paint and the rest: every key does nothing or the right thing, and nothing is lost."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pos.ui.kit import Kit
from pos.ui.main_window import MainWindow
from pos.ui.shop import shop_of
from pos.ui.tasks import Tasks
from pos.ui.theme import Theme
from pos.words.formats import Formats
from tests.ui import scenes
from tests.ui.conftest import QuietDesk, Stand
from tests.ui.test_sell import CHAI, names


def test_no_key_breaks_the_window_before_it_is_whole(qtbot: QtBot, loop: object, dressed: Theme) -> None:
    till = scenes.till()
    kit = Kit(Formats(till.locale, till.currency, till.time_zone), dressed, Tasks(), till.clock)
    window = MainWindow(kit, shop_of(till), QuietDesk(), whole=False)
    qtbot.addWidget(window)
    window.show()
    window.set_products(till.goods)
    for action in window.commands.listed:
        if action.isEnabled() and action.objectName() not in ("quit", "full_screen", "display"):
            action.trigger()
    hands = Stand(qtbot, till, window, QuietDesk())
    hands.press(Qt.Key.Key_Escape)
    QApplication.processEvents()  # the other colours are painted: a scan is timed by this machine's clock in tests
    hands.scan(CHAI)
    assert names(window) == [("Masala chai", 1)]
    window.complete()
    window.attach(till, till.goods)
    hands.settle()
    assert names(window) == [("Masala chai", 1)]
    assert len(till.orders["order-2-01873"].lines) == 1
    hands.press(Qt.Key.Key_F1)
    hands.settle()
    assert window.workspace.left_name == "help"
    window.close()
