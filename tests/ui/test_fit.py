"""Every size a window may have: whole codes, whole words, nothing cut off and nothing drawn over something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from pos.ui.theme import Theme
from tests.ui import scenes
from tests.ui.conftest import QuietDesk, Stand, assert_no_stray_windows, make_window
from tests.ui.fake_till import LINK, FakeTill
from tests.ui.test_pay import ask_for_qr, texts_of
from tests.ui.test_sell import CONTROL

SIZES = ((1024, 700), (1024, 768), (1199, 768), (1200, 768), (1280, 800), (1366, 768), (1440, 900), (1920, 1080))
LONG_LINK = "https://checkout.stripe.com/c/pay/cs_test_" + "a1B2c3D4e5" * 18
"""As long as links get that people are sent to: the densest code that the pay panel must show."""
Opens = Callable[..., Stand]


@pytest.fixture
def opens(qtbot: QtBot, loop: object, dressed: Theme) -> Iterator[Opens]:
    """A window of this size from the start, as on a screen of that size: `opens(till, (width, height))`."""
    made: list[Stand] = []

    def at(till: FakeTill, size: tuple[int, int]) -> Stand:
        desk = QuietDesk()
        window = make_window(till, dressed, desk)
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        window.attach(till, till.goods)
        made.append(Stand(qtbot, till, window, desk))
        made[-1].settle()
        return made[-1]

    yield at
    assert_no_stray_windows()
    for stand in made:
        stand.window.kit.tasks.cancel_all()
        stand.window.close()


def place(stand: Stand, widget: QWidget) -> QRect:
    """Where all of a widget would be in its window, cut off or not."""
    return QRect(widget.mapTo(stand.window, QPoint(0, 0)), widget.size())


def assert_whole_code(stand: Stand, text: str = LINK) -> None:
    stand.until(lambda: stand.window.panels.pay.qr.code.ready)
    assert texts_of(stand.window) == {text}
    half = stand.window.panels.pay.qr
    card, around = place(stand, half.card), place(stand, half)
    assert around.contains(card), (around, card)
    for words in (half.heading, half.amount, half.expires, half.timer):
        assert words.height() >= words.sizeHint().height(), words.objectName()
        assert not card.intersects(place(stand, words)), words.objectName()


# The code -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_the_first_code_of_a_window_is_whole(opens: Opens, size: tuple[int, int]) -> None:
    """The first one of a small window lacked its lower corners, under its own countdown: no phone could read it."""
    stand = opens(scenes.till(), size)
    ask_for_qr(stand)
    assert_whole_code(stand)


@pytest.mark.parametrize("size", [(1024, 768), (1366, 768)])
def test_the_densest_code_is_whole(opens: Opens, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.ui.fake_till.LINK", LONG_LINK)
    stand = opens(scenes.till(), size)
    stand.till.test_mode = True
    ask_for_qr(stand)
    assert_whole_code(stand, LONG_LINK)


@pytest.mark.parametrize("size", [(1024, 768), (1366, 768), (1440, 900)])
def test_a_code_is_whole_after_the_window_changed_behind_another_page(opens: Opens, size: tuple[int, int]) -> None:
    start = (1440, 900) if size[0] < 1200 else (1024, 768)
    stand = opens(scenes.till(), start)
    ask_for_qr(stand)
    stand.press(Qt.Key.Key_4, CONTROL)
    stand.settle()
    stand.window.resize(*size)
    stand.settle()
    stand.press(Qt.Key.Key_1, CONTROL)
    stand.settle()
    assert_whole_code(stand)


def test_the_first_code_is_whole_in_a_window_that_became_small_on_another_page(opens: Opens) -> None:
    stand = opens(scenes.till(), (1440, 900))
    stand.press(Qt.Key.Key_4, CONTROL)
    stand.settle()
    stand.window.resize(1024, 768)
    stand.settle()
    stand.press(Qt.Key.Key_1, CONTROL)
    stand.settle()
    ask_for_qr(stand)
    assert_whole_code(stand)


def test_a_code_keeps_whole_while_other_keys_come_and_go_below_it(opens: Opens) -> None:
    """What stands below the code is as high as its keys are many: each outcome has others."""
    stand = opens(scenes.till(), (1024, 768))
    order_id = ask_for_qr(stand)
    stand.till.gateway_falls_silent(order_id)
    stand.settle()
    stand.till.customer_pays(order_id)
    stand.settle()
    stand.press(Qt.Key.Key_Return)
    stand.settle()
    ask_for_qr(stand)
    assert_whole_code(stand)
