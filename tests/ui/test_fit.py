"""Every size a window may have: whole codes, whole words, nothing cut off and nothing drawn over something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from pos.services.views import TimelineRow
from pos.ui.delegates.timeline import TEXT_LEFT
from pos.ui.theme import Theme, body_font
from pos.ui.views.halves import SIDE
from pos.ui.views.sheet import ROW_HEIGHT
from pos.ui.widgets.button import KeyButton
from pos.ui.widgets.labels import ElidedLabel, FitLabel
from pos.ui.widgets.lists import ContentList
from pos.ui.widgets.pill import Pill
from pos.words import language
from tests.ui import scenes
from tests.ui.conftest import QuietDesk, Stand, assert_no_stray_windows, make_window
from tests.ui.fake_till import LINK, FakeTill, gateway_card, not_set_up
from tests.ui.test_pay import ask_for_qr, texts_of
from tests.ui.test_sell import CONTROL, FLAT_WHITE

SIZES = ((1024, 700), (1024, 768), (1200, 768), (1280, 800), (1365, 768), (1366, 768), (1440, 900), (1920, 1080))
LONG_LINK = "https://checkout.stripe.com/c/pay/cs_test_" + "a1B2c3D4e5" * 18
"""As long as links get that people are sent to: the densest code that the pay panel must show."""
ACCOUNT = "acct_1N2b3C4d5E6f7G8H"
TOUCH = 48
RAIL_EDGES = 4
"""Both edges of a button of the rail."""
NAV_EDGES = 28
"""Both edges of an entry of a list, and the gap beside its icon."""
SLACK, AROUND_WORDS = 2, 10
"""Pixels that the margins of a button can spare, and those that its words need around them."""
Opens = Callable[..., Stand]


@pytest.fixture
def opens(qtbot: QtBot, loop: object, dressed: Theme) -> Iterator[Opens]:
    """A window of this size from the start, as on a screen of that size: `opens(till, (width, height))`.

    It speaks its till's language.
    """
    made: list[Stand] = []

    def at(till: FakeTill, size: tuple[int, int]) -> Stand:
        desk = QuietDesk()
        language.use(till.locale)
        window = make_window(till, dressed, desk)
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        window.attach(till, till.goods)
        made.append(Stand(qtbot, till, window, desk))
        made[-1].settle()
        return made[-1]

    yield at
    language.use("en")
    assert_no_stray_windows()
    for stand in made:
        stand.window.kit.tasks.cancel_all()
        stand.window.close()


def place(stand: Stand, widget: QWidget) -> QRect:
    """Where all of a widget would be in its window, cut off or not."""
    return QRect(widget.mapTo(stand.window, QPoint(0, 0)), widget.size())


def cut_off(stand: Stand, within: QWidget) -> list[str]:
    """What of these visible widgets lies outside of what shows it, or has less room than its words need.

    What one can scroll down to is there; beside its page nothing can be reached.
    """
    found = []
    for widget in within.findChildren(QWidget):
        seen = widget.visibleRegion().boundingRect()
        if not widget.isVisible() or widget.window() is not stand.window or seen.isEmpty():
            continue
        if seen.width() < widget.width() or not _has_room(widget):
            words = widget.text() if isinstance(widget, QLabel | QPushButton | QToolButton) else ""
            found.append(f"{widget.objectName() or type(widget).__name__} {words}")
    return found


def _has_room(widget: QWidget) -> bool:
    match widget:
        case ElidedLabel() | FitLabel():  # say themselves what they do where room is scarce
            return True
        case QLabel() if widget.wordWrap():
            longest = max((widget.fontMetrics().horizontalAdvance(word) for word in widget.text().split()), default=0)
            return longest <= widget.width() and widget.height() >= widget.heightForWidth(widget.width())
        case QLabel():
            return widget.fontMetrics().horizontalAdvance(widget.text()) <= widget.width()
        case QToolButton():
            return widget.fontMetrics().horizontalAdvance(widget.text()) <= widget.width() - RAIL_EDGES
        case KeyButton():  # where its key has no room, its words have
            return widget.width() >= widget.fontMetrics().horizontalAdvance(widget.text()) + AROUND_WORDS
        case Pill():
            return widget.width() >= widget.sizeHint().width()
        case QPushButton() if widget.property("kind") == "nav":  # bold once it is chosen, which no size hint knows
            bold = QFontMetrics(body_font(weight=700)).horizontalAdvance(widget.text().strip())
            return widget.width() >= bold + widget.iconSize().width() + NAV_EDGES
        case QPushButton() if widget.text():
            return widget.width() >= widget.sizeHint().width() - SLACK
    return True


def sideways(stand: Stand) -> list[str]:
    """Places that would have to be scrolled sideways, which nobody can."""
    areas = stand.window.findChildren(QScrollArea)
    return [area.objectName() for area in areas if area.isVisible() and area.horizontalScrollBar().maximum()]


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
    start = (1440, 900) if size[0] < 1366 else (1024, 768)
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


@pytest.mark.parametrize("size", [(1366, 768), (1440, 900)])
def test_the_link_under_the_code_keeps_its_beginning(
    opens: Opens, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In wide letters it was clipped at both ends: nobody saw whose page it leads to."""
    monkeypatch.setattr("tests.ui.fake_till.LINK", "https://pay.corner.cafe/" + "WM" * 60)
    stand = opens(scenes.till(), size)
    ask_for_qr(stand)
    link = stand.window.panels.pay.qr.link
    assert isinstance(link, ElidedLabel)
    assert link.width() <= stand.window.panels.pay.qr.width() - 2 * SIDE
    assert link.shown_text().startswith("pay.corner.cafe/WM")
    assert link.shown_text().endswith("…")
    assert link.fontMetrics().horizontalAdvance(link.shown_text()) <= link.width()
    assert place(stand, stand.window.panels.pay.qr).contains(place(stand, link))


# What happened --------------------------------------------------------------------------------------------------------

DECLINED = "A payment was declined; the link can still be paid"
NOT_REACHED = "Razorpay could not be reached, nothing was sent"


@pytest.mark.parametrize("size", [(1366, 768), (1440, 900)])
def test_what_happened_is_told_to_its_end(opens: Opens, size: tuple[int, int]) -> None:
    """Its second half is the one that says what to do."""
    stand = opens(scenes.till(), size)
    order_id = ask_for_qr(stand)
    for text in (DECLINED, NOT_REACHED):
        stand.till.tell_time(order_id, "poll", text, "bad")
    stand.till.customer_opens(order_id)
    stand.settle()
    happened = stand.window.panels.pay.sheet.list
    heights = {row.text: happened.visualRect(happened.model().index(at)).height() for at, row in rows_of(happened)}
    metrics = QFontMetrics(body_font(14))
    room = happened.viewport().width() - TEXT_LEFT
    for text, height in heights.items():
        lines = metrics.boundingRect(QRect(0, 0, room, 1), Qt.TextFlag.TextWordWrap, text).height() // metrics.height()
        assert height == ROW_HEIGHT + (lines - 1) * metrics.height(), text
    assert heights[DECLINED] > ROW_HEIGHT
    assert cut_off(stand, stand.window.panels.pay) == []


def rows_of(happened: ContentList) -> list[tuple[int, TimelineRow]]:
    return list(enumerate(happened.model().rows))  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(1366, 768), (1440, 900)])
def test_the_newest_of_what_happened_is_in_sight(opens: Opens, size: tuple[int, int]) -> None:
    """After paying, the row that says so stood below the receipt's card."""
    stand = opens(scenes.till(), size)
    order_id = ask_for_qr(stand)
    for _ in range(4):
        stand.till.tell_time(order_id, "poll", DECLINED, "bad")
    stand.till.customer_pays(order_id)
    stand.settle()
    happened = stand.window.panels.pay.sheet.list
    assert happened.verticalScrollBar().maximum() > 0
    newest = happened.visualRect(happened.model().index(happened.model().rowCount() - 1))
    assert happened.viewport().rect().contains(newest)


@pytest.mark.parametrize("size", [(1024, 768), (1440, 900)])
def test_an_orders_history_is_told_to_its_end(opens: Opens, size: tuple[int, int]) -> None:
    till = scenes.till(user="Meera")
    order_id = scenes.history(till)
    till.tell_time(order_id, "poll", DECLINED, "bad")
    stand = opens(till, size)
    stand.press(Qt.Key.Key_2, CONTROL)
    stand.settle()
    stand.window.panels.orders.select(order_id)
    stand.settle()
    happened = stand.window.panels.detail.list
    last = happened.model().index(happened.model().rowCount() - 1)
    assert happened.visualRect(last).height() > happened.visualRect(last.siblingAtRow(0)).height()


@pytest.mark.parametrize("locale", ["en_IN", "de_DE"])
@pytest.mark.parametrize("size", SIZES)
def test_every_word_of_a_payment_can_be_read(opens: Opens, size: tuple[int, int], locale: str) -> None:
    """In German "Do not charge again" lost its first letters, and its last."""
    till = scenes.till()
    till.locale = locale
    stand = opens(till, size)
    order_id = ask_for_qr(stand)
    pay = stand.window.panels.pay
    assert cut_off(stand, pay) == []
    stand.till.gateway_falls_silent(order_id)
    stand.settle()
    assert cut_off(stand, pay) == []
    assert [pay.unknown.first.minimumSizeHint().width(), pay.unknown.second.minimumSizeHint().width()] == [48, 48]
    stand.till.customer_pays(order_id)
    stand.settle()
    assert cut_off(stand, pay) == []


# Manage > Gateways ----------------------------------------------------------------------------------------------------


def gateways_till(locale: str = "en_IN") -> FakeTill:
    """Two gateways in use, one of them with the longest names there are; Razorpay is not asked yet."""
    language.use(locale)
    till = scenes.till(user="Meera")
    scenes.gateways(till)
    till.locale, till.test_mode = locale, True
    till.setup.known["stripe"] = gateway_card("stripe", mode="test", account=ACCOUNT, host="http://127.0.0.1:8520")
    till.setup.known["razorpay"] = gateway_card("razorpay", mode="test", health="", asked=0, median_ms=None)
    for name, card in till.setup.known.items():
        secrets = tuple(replace(secret, title=language.translate(secret.title)) for secret in card.secrets)
        till.setup.known[name] = replace(card, secrets=secrets)
    return till


def open_gateways(stand: Stand, name: str) -> None:
    stand.press(Qt.Key.Key_G, CONTROL)
    stand.settle()
    stand.bot.mouseClick(stand.find(f"gateway.{name}"), Qt.MouseButton.LeftButton)
    stand.settle()
    stand.press(Qt.Key.Key_F5)
    stand.settle()


@pytest.mark.parametrize("locale", ["en_IN", "de_DE"])
@pytest.mark.parametrize("size", SIZES)
def test_everything_about_gateways_can_be_reached_and_read(opens: Opens, size: tuple[int, int], locale: str) -> None:
    """Between two sizes, and in German, a column stood outside of the page, with no way to scroll there."""
    stand = opens(gateways_till(locale), size)
    for name in ("razorpay", "stripe"):
        open_gateways(stand, name)
        assert sideways(stand) == []
        page = stand.window.panels.manage
        assert cut_off(stand, page) == []
        area = page.gateways._area.verticalScrollBar()
        area.setValue(area.maximum())
        assert cut_off(stand, page) == []
    assert cut_off(stand, stand.window.rail) == []


def test_the_page_of_gateways_takes_its_form_from_its_own_width(opens: Opens) -> None:
    """Not from the window's: another list beside it, a larger scale or a longer word leaves it another one."""
    stand = opens(gateways_till(), (1440, 900))
    open_gateways(stand, "stripe")
    page = stand.window.panels.manage.gateways
    keys, connection = page.keys, page.connection
    assert place(stand, connection).left() > place(stand, keys).right()
    stand.window.resize(1300, 800)
    stand.settle()
    assert place(stand, connection).top() > place(stand, keys).bottom()
    stand.window.resize(1440, 900)
    stand.settle()
    assert place(stand, connection).left() > place(stand, keys).right()


@pytest.mark.parametrize("size", SIZES)
def test_the_account_can_be_compared_wherever_it_stands(opens: Opens, size: tuple[int, int]) -> None:
    """It is what the check is for: half of an account is no account."""
    stand = opens(gateways_till(), size)
    open_gateways(stand, "stripe")
    for name in ("connection.account", "gateway.account"):
        shown = stand.find(name)
        assert isinstance(shown, QLabel)
        assert not isinstance(shown, ElidedLabel)
        assert ACCOUNT in shown.text()
        assert _has_room(shown), name
        beside = [stand.find("gateway.enabled"), stand.find("button.gateway.first")]
        assert not any(place(stand, each).intersects(place(stand, shown)) for each in beside), name
    assert stand.find("gateway.enabled.words").isVisible()


@pytest.mark.parametrize("size", [(1024, 768), (1440, 900)])
def test_a_finger_finds_every_chip(opens: Opens, size: tuple[int, int]) -> None:
    """design/screens.md: 48 pixels, whatever less of it the eye sees."""
    till = gateways_till()
    till.setup.known["stripe"] = not_set_up("stripe")
    stand = opens(till, size)
    stand.press(Qt.Key.Key_G, CONTROL)
    stand.settle()
    stand.press(Qt.Key.Key_N, CONTROL)
    stand.settle()
    panels = stand.window.panels
    for chips in (panels.keys.which, panels.keys.mode):
        assert chips.buttons
        assert {button.height() >= TOUCH for button in chips.buttons} == {True}
    assert cut_off(stand, panels.keys) == []
    stand.press(Qt.Key.Key_Escape)
    stand.press(Qt.Key.Key_1, CONTROL)
    stand.settle()
    assert {button.height() >= TOUCH for button in panels.sell.chips.buttons} == {True}


def edge(card: QWidget, color: QColor) -> float:
    """How much of a card's upper edge is drawn in this colour, its round corners left out."""
    image = card.grab().toImage()
    span = range(30, image.width() - 30)
    return sum(image.pixelColor(x, 0).name() == color.name() for x in span) / len(span)


def test_the_card_with_the_focus_does_not_look_like_the_chosen_one(opens: Opens, dressed: Theme) -> None:
    stand = opens(gateways_till(), (1440, 900))
    open_gateways(stand, "stripe")
    chosen, other = stand.find("gateway.stripe"), stand.find("gateway.razorpay")
    other.setFocus()
    stand.settle()
    assert edge(chosen, dressed.color("accent")) > 0.95
    assert 0.3 < edge(other, dressed.color("focus")) < 0.8  # dashes
    chosen.setFocus()
    stand.settle()
    assert edge(chosen, dressed.color("focus")) > 0.95
    assert edge(other, dressed.color("line")) > 0.95


def test_cards_in_another_order_leave_the_focus_with_the_chosen_one(opens: Opens) -> None:
    stand = opens(gateways_till(), (1440, 900))
    open_gateways(stand, "stripe")
    stand.find("gateway.stripe").setFocus()
    stand.window.commands["gateway.first"].trigger()
    stand.settle()
    assert list(stand.window.panels.manage.gateways.list.buttons) == ["stripe", "razorpay"]
    assert stand.focus().objectName() == "gateway.stripe"


def test_the_state_of_an_order_keeps_its_distance_from_the_key_beside_it(opens: Opens) -> None:
    stand = opens(scenes.till(), (1440, 900))
    stand.scan(FLAT_WHITE)
    stand.settle()
    stand.window.panels.cart.pill.set("Unpaid", "gone")
    stand.window.panels.cart.pill.show()
    stand.settle()
    pill, hold = place(stand, stand.find("orderState")), place(stand, stand.find("button.hold"))
    assert hold.left() - pill.right() > 8
