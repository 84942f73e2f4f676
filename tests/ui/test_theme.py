"""Colours are tokens; every pair that is read has contrast; every theme has every token; every icon is there."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontDatabase, QFontInfo
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from pos.domain.shown import Shown
from pos.ui import theme
from pos.ui.delegates.timeline import MARKS
from pos.ui.theme import RESOURCES, THEMES, Theme, body_font
from pos.ui.widgets.chips import Chips
from pos.words.states import LOOKS

TONES = ("accent", "paid", "waiting", "unknown", "failed", "gone", "double")
TEXT = [
    *((tone, f"{tone}_soft") for tone in TONES),
    *((f"{tone}_deep", f"{tone}_soft") for tone in TONES),
    *((tone, "card") for tone in TONES),
    *((ink, ground) for ink in ("ink", "secondary", "hint") for ground in ("card", "background", "tray")),
    ("ink", "accent_soft"), ("secondary", "accent_soft"), ("on_button", "button"), ("on_button", "button_hover"),
    ("on_strong", "strong"), ("on_strong", "strong_hover"), ("card", "failed"), ("card", "double"), ("card", "paid"),
    ("rail_ink", "rail"), ("rail_active_ink", "rail_active"), ("hint", "raised"), ("qr_dark", "qr_light"),
    ("ink", "gone_soft"), ("ink", "paid_soft"), ("ink", "unknown_soft"), ("ink", "double_soft"), ("ink", "failed_soft"),
]  # fmt: skip
"""(text, what it stands on): every pair that the style sheet and the delegates put together."""
TOTALS = [("ink", "card"), ("ink", "accent_soft"), ("ink", "paid_soft"), ("ink", "unknown_soft"), ("on_button", "rail")]
MARKS_SEEN = [
    ("focus", "card"),
    ("focus_on_strong", "strong"),
    ("paid", "card"),
    ("waiting", "card"),
    ("unknown", "card"),
]


def luminance(color: QColor) -> float:
    """WCAG 2 relative luminance."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.getRgbF()[:3]]
    return float(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])


def contrast(first: QColor, second: QColor) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_of_contrast_is_the_known_one() -> None:
    assert contrast(QColor("#000000"), QColor("#ffffff")) == pytest.approx(21.0)
    assert contrast(QColor("#767676"), QColor("#ffffff")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(name: str, text: str, ground: str) -> None:
    worn = Theme(name)
    assert contrast(worn.color(text), worn.color(ground)) >= 4.5


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("text", "ground"), TOTALS)
def test_totals_can_be_read_from_afar(name: str, text: str, ground: str) -> None:
    worn = Theme(name)
    assert contrast(worn.color(text), worn.color(ground)) >= 7.0


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("mark", "ground"), MARKS_SEEN)
def test_marks_can_be_seen(name: str, mark: str, ground: str) -> None:
    worn = Theme(name)
    assert contrast(worn.color(mark), worn.color(ground)) >= 3.0


@pytest.mark.parametrize("name", THEMES)
def test_what_a_field_is_for_can_be_read_while_it_is_empty(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    """Qt writes a placeholder in the text's colour, half transparent, wherever a style sheet names that colour."""
    worn = Theme(name)
    worn.wear(qapp)
    field = QLineEdit()
    qtbot.addWidget(field)
    field.ensurePolished()
    written, ground = field.palette().placeholderText().color(), worn.color("card")
    assert written.alphaF() == 1.0
    assert contrast(written, ground) >= 4.5
    qapp.setStyleSheet("")


@pytest.mark.parametrize("name", THEMES)
def test_the_focus_is_seen_on_a_chosen_chip(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    worn = Theme(name)
    worn.wear(qapp)
    chips = Chips("way", "Way", "tab")
    qtbot.addWidget(chips)
    chips.set([("a", "First"), ("b", "Second")], "a")
    chips.resize(400, 60)
    chips.show()
    chosen = chips.buttons[0]
    chosen.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(chosen.hasFocus)
    image = chosen.grab().toImage()
    edge = [image.pixelColor(at, image.height() // 2) for at in range(4)]
    ring = worn.color("focus_on_strong")
    assert [color.name() for color in edge[:2]] == [ring.name()] * 2  # two pixels
    assert edge[3].name() == worn.color("strong").name()
    qapp.setStyleSheet("")


def test_every_theme_has_every_token() -> None:
    first = theme.tokens("light")
    for name in THEMES:
        found = theme.tokens(name)
        assert set(found) == set(first), name
        assert len(found["tiles"]) == len(first["tiles"])


@pytest.mark.parametrize("name", THEMES)
def test_the_style_sheet_knows_only_tokens(name: str) -> None:
    source = (RESOURCES / "theme" / "till.qss").read_text(encoding="utf-8")
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*\{)", re.sub(r"Q\w+#\w+|\*\w+", "", source))
    assert "$" not in Theme(name).style_sheet()


def test_no_colour_value_stands_in_the_windows_code() -> None:
    offenders = [
        str(path)
        for path in (RESOURCES.parent / "pos" / "ui").rglob("*.py")
        if re.search(r"[\"']#[0-9a-fA-F]{6}|QColor\(\d|Qt\.GlobalColor\.(?!transparent)", path.read_text("utf-8"))
    ]
    assert offenders == []


def test_every_state_has_colour_icon_and_word() -> None:
    assert set(LOOKS) == set(Shown)
    light = Theme("light")
    for shown, look in LOOKS.items():
        assert look.short_word, shown
        assert look.long_word, shown
        assert light.color(look.tone).isValid()
        assert light.color(f"{look.tone}_soft").isValid()
        assert (RESOURCES / "icons" / f"{look.icon}.svg").is_file(), shown


def test_states_that_must_not_be_confused_do_not_look_alike() -> None:
    looks = [(LOOKS[s].tone, LOOKS[s].icon) for s in (Shown.PAID, Shown.UNKNOWN, Shown.WAITING, Shown.FAILED)]
    assert len({tone for tone, _ in looks}) == 4
    assert len({icon for _, icon in looks}) == 4
    assert len({look.short for look in LOOKS.values()}) == len(LOOKS)


def test_every_icon_that_is_named_is_there_and_draws(qapp: QApplication) -> None:
    code = "\n".join(path.read_text("utf-8") for path in (RESOURCES.parent / "pos" / "ui").rglob("*.py"))
    there = {path.stem for path in (RESOURCES / "icons").glob("*.svg")}
    named = set(re.findall(r"(?:pixmap|icon)\(\"([a-z0-9-]+)\"", code)) | {icon for icon, _ in MARKS.values()}
    assert named
    assert named <= there
    pixmap = Theme("light").pixmap("check", "paid", 16, 2.0)
    assert pixmap.width() == 32
    assert pixmap.toImage().pixelColor(14, 22).alpha() > 0


def test_the_bundled_font_is_used_with_tabular_figures(qapp: QApplication) -> None:
    theme.load_fonts()
    assert "Inter" in QFontDatabase.families()
    font = body_font(15)
    assert QFontInfo(font).family() == "Inter"
    from PySide6.QtGui import QFontMetrics

    widths = {QFontMetrics(font).horizontalAdvance(digit) for digit in "0123456789"}
    assert len(widths) == 1


def test_fonts_and_icons_carry_their_licences() -> None:
    assert "SIL Open Font License" in (RESOURCES / "fonts" / "LICENSE-Inter-OFL.txt").read_text(encoding="utf-8")
    assert "ISC License" in (RESOURCES / "icons" / "LICENSE-Lucide-ISC.txt").read_text(encoding="utf-8")


def test_another_theme_dresses_the_application(qapp: QApplication) -> None:
    worn = Theme("light")
    told: list[str] = []
    worn.changed.connect(lambda: told.append(worn.name))
    worn.wear(qapp, "dark")
    assert told == ["dark"]
    assert qapp.palette().window().color() == worn.color("background")
    assert worn.color("background").name() in qapp.styleSheet()
    qapp.setStyleSheet("")


def test_a_colour_that_is_changed_by_a_painter_stays_the_themes() -> None:
    worn = Theme("light")
    worn.color("card").setAlphaF(0.1)
    assert worn.color("card").alphaF() == 1.0
