"""A window on a till in memory, offscreen, on qasync's loop; and the few gestures that tests make."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from pos.ui import aio, theme
from pos.ui.kit import Kit
from pos.ui.main_window import MainWindow
from pos.ui.shop import shop_of
from pos.ui.tasks import Tasks
from pos.ui.theme import Theme
from pos.ui.views.display import CustomerDisplay
from pos.words import language
from pos.words.formats import Formats
from tests.ui import scenes
from tests.ui.fake_till import FakeTill

WAIT_MS = 5_000


class QuietDesk:
    """Remembers what it was asked to play, print and save."""

    def __init__(self) -> None:
        self.played: list[str] = []
        self.printed: list[tuple[str, list[str]]] = []
        self.saved: dict[str, bytes] = {}

    def play(self, name: str) -> None:
        self.played.append(name)

    async def print_slip(self, title: str, lines: list[str]) -> None:
        self.printed.append((title, lines))

    async def save(self, name: str, data: bytes) -> str:
        self.saved[name] = data
        return f"/receipts/{name}"


@dataclass
class Stand:
    """A till, its window, and the hands on it."""

    bot: QtBot
    till: FakeTill
    window: MainWindow
    desk: QuietDesk

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.bot.keyClick(self.focus(), key, modifier)

    def focus(self) -> QWidget:
        return QApplication.focusWidget() or self.window

    def type(self, text: str) -> None:
        """As a person does: every key is released before the next comes."""
        for letter in text:
            self.bot.keyClick(self.focus(), letter)
            self.window.scanner.release()

    def scan(self, code: str) -> None:
        """As a scanner does: all at once, with Enter behind. Its own clock stands still meanwhile: Qt gives played keys

        no time stamps, and on a busy machine they would come as slowly as a person types.
        """
        scanner = self.window.scanner
        if scanner is None:  # before the window is whole nobody listens for scans: keys go where they are typed
            self.bot.keyClicks(self.focus(), code)
            self.bot.keyClick(self.focus(), Qt.Key.Key_Return)
            return
        now, stands_at = scanner._now_s, scanner._now_s()
        scanner._now_s = lambda: stands_at
        try:
            self.bot.keyClicks(self.focus(), code)
            self.bot.keyClick(self.focus(), Qt.Key.Key_Return)
        finally:
            scanner._now_s = now

    def until(self, holds: Callable[[], bool]) -> None:
        self.bot.waitUntil(holds, timeout=WAIT_MS)

    def settle(self) -> None:
        """Until nothing runs any more and what it changed is painted."""
        self.until(lambda: self.window.kit.tasks.running == 0)
        QApplication.processEvents()

    def find(self, name: str) -> QWidget:
        found = self.window.findChild(QWidget, name)
        assert found is not None, name
        return found

    def text(self, name: str) -> str:
        return str(self.find(name).text())  # type: ignore[attr-defined]


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    """qasync's loop, driven by the waits of pytest-qt."""
    made = aio.make_loop(qapp)
    aio.hook_asyncgens(made)
    asyncio._set_running_loop(made)
    yield made
    for task in asyncio.all_tasks(made):
        task.cancel()
    for _ in range(5):
        qapp.processEvents()
    asyncio._set_running_loop(None)
    made.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def dressed(qapp: QApplication) -> Iterator[Theme]:
    theme.load_fonts()
    language.use("en")
    worn = Theme("light")
    worn.wear(qapp)
    yield worn
    qapp.setStyleSheet("")
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def assert_no_stray_windows() -> None:
    """A widget shown without a parent is a window of its own: it flashes, and takes the keyboard with it."""
    known = (MainWindow, CustomerDisplay, QMenu)
    stray = [w for w in QApplication.topLevelWidgets() if not isinstance(w, known)]
    assert not stray, [(type(w).__name__, w.objectName()) for w in stray]


def make_window(till: FakeTill, worn: Theme, desk: QuietDesk) -> MainWindow:
    formats = Formats(till.locale, till.currency, till.time_zone)
    return MainWindow(Kit(formats, worn, Tasks(), till.clock), shop_of(till), desk)


@pytest.fixture
def stand(qtbot: QtBot, loop: asyncio.AbstractEventLoop, dressed: Theme) -> Iterator[Stand]:
    """The pictures' shop with nothing rung up, at 1440 x 900."""
    till, desk = scenes.till(), QuietDesk()
    scenes.hold_two(till)
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
