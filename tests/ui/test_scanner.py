"""A scanner and a person at the same keyboard: nothing is lost, nothing is mixed up."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pos.ui.scanner import MAX_CHARACTERS, Scanner


@dataclass
class Bench:
    """A window with a field and a button, a scanner on it, and a clock that is told the time."""

    bot: QtBot
    window: QWidget
    field: QLineEdit
    button: QPushButton
    now_s: float = 0.0
    codes: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)

    def send(self, text: str, every_ms: float, *, enter: bool = True) -> None:
        for letter in text:
            self.now_s += every_ms / 1000
            self.bot.keyClick(self.window.focusWidget() or self.window, letter)
        if enter:
            self.now_s += every_ms / 1000
            self.bot.keyClick(self.window.focusWidget() or self.window, Qt.Key.Key_Return)


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    window, line, button = QWidget(), QLineEdit(), QPushButton("ok")
    box = QVBoxLayout(window)
    box.addWidget(line)
    box.addWidget(button)
    qtbot.addWidget(window)
    window.show()
    line.setFocus()
    made = Bench(qtbot, window, line, button)
    scanner = Scanner(window, now_s=lambda: made.now_s)
    scanner.scanned.connect(made.codes.append)
    line.returnPressed.connect(lambda: made.pressed.append(line.text()))
    made.scanner = scanner  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("every_ms", [1, 12, 30])
def test_a_scan_is_taken_and_never_typed(bench: Bench, every_ms: float) -> None:
    bench.send("8901234500004", every_ms)
    assert bench.codes == ["8901234500004"]
    assert bench.field.text() == ""
    assert bench.pressed == []


@pytest.mark.parametrize("every_ms", [60, 150, 400])
def test_a_person_types_into_the_field_and_enter_is_theirs(bench: Bench, every_ms: float) -> None:
    bench.send("8901234500004", every_ms)
    assert bench.codes == []
    assert bench.field.text() == "8901234500004"
    assert bench.pressed == ["8901234500004"]


def test_letters_that_were_held_arrive_by_themselves(bench: Bench) -> None:
    bench.send("ab", 5, enter=False)
    assert bench.field.text() == ""
    bench.bot.waitUntil(lambda: bench.field.text() == "ab", timeout=2_000)


def test_what_was_typed_before_a_scan_stays_typed(bench: Bench) -> None:
    bench.send("3*", 90, enter=False)
    bench.now_s += 1
    bench.send("8901234500004", 5)
    assert bench.codes == ["8901234500004"]
    assert bench.field.text() == "3*"


def test_two_scans_are_two_codes(bench: Bench) -> None:
    bench.send("11112222", 4)
    bench.send("33334444", 4)
    assert bench.codes == ["11112222", "33334444"]


def test_three_fast_letters_and_enter_are_a_person(bench: Bench) -> None:
    bench.send("tea", 10)
    assert bench.codes == []
    assert bench.pressed == ["tea"]


def test_a_scan_with_the_focus_on_a_button_does_not_press_it(bench: Bench) -> None:
    bench.button.setFocus()
    clicks: list[bool] = []
    bench.button.clicked.connect(lambda: clicks.append(True))
    bench.send("ABC 123 XYZ", 3)
    assert bench.codes == ["ABC 123 XYZ"]
    assert clicks == []


def test_space_presses_a_button_at_once(bench: Bench) -> None:
    bench.button.setFocus()
    clicks: list[bool] = []
    bench.button.clicked.connect(lambda: clicks.append(True))
    bench.bot.keyClick(bench.button, Qt.Key.Key_Space)
    assert clicks == [True]


def test_a_stream_without_end_is_given_up(bench: Bench) -> None:
    bench.send("x" * (MAX_CHARACTERS + 10), 1)
    assert bench.codes == []
    assert len(bench.field.text()) >= MAX_CHARACTERS


def test_letters_beside_every_field_go_to_the_fallback(bench: Bench) -> None:
    bench.scanner.fallback = lambda: bench.field  # type: ignore[attr-defined]
    bench.button.setFocus()
    bench.send("te", 90, enter=False)
    bench.scanner.release()  # type: ignore[attr-defined]
    assert bench.field.text() == "te"


def test_control_keys_pass_at_once(bench: Bench) -> None:
    bench.field.setText("abc")
    bench.bot.keyClick(bench.field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert bench.field.selectedText() == "abc"


def test_capitals_come_with_shift_held(bench: Bench) -> None:
    for letter in "AB-12":
        bench.now_s += 0.002
        if letter.isalpha():
            bench.bot.keyPress(bench.field, Qt.Key.Key_Shift)
        bench.bot.keyClick(bench.field, letter, Qt.KeyboardModifier.ShiftModifier)
    bench.bot.keyClick(bench.field, Qt.Key.Key_Return)
    assert bench.codes == ["AB-12"]
    assert bench.field.text() == ""


def test_a_busy_window_does_not_turn_a_scan_into_typing(bench: Bench) -> None:
    """The keys carry the times at which they were pressed; we read them much later."""
    for at, letter in enumerate("89012345", 1):
        bench.now_s += 0.4
        key = QKeyEvent(QKeyEvent.Type.KeyPress, ord(letter), Qt.KeyboardModifier.NoModifier, letter)
        key.setTimestamp(1_000 + 5 * at)
        QApplication.sendEvent(bench.field, key)
    end = QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r")
    end.setTimestamp(1_050)
    QApplication.sendEvent(bench.field, end)
    assert bench.codes == ["89012345"]
    assert bench.field.text() == ""
