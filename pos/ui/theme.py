"""Colours, type and icons: tokens from resources/theme, the style sheet, the bundled font. One theme at a time.

A colour is a token's name everywhere else in pos/ui; only this file and resources/theme know values.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

log = logging.getLogger(__name__)
RESOURCES = Path(__file__).resolve().parents[2] / "resources"
THEMES = ("light", "dark", "contrast")
FAMILY = "Inter"
# After Inter: what common systems have for Indic and CJK scripts; Qt takes the first that knows a letter.
FALLBACKS = ("Noto Sans", "Noto Sans Devanagari", "Noto Sans CJK SC", "Nirmala UI", "Microsoft YaHei", "PingFang SC")
BODY_PX = 15


def tokens(name: str) -> dict[str, str | list[str]]:
    """A theme's tokens by name, as in resources/theme/<name>.json.

    `x` is text or a mark, `x_soft` what it stands on, `x_deep` long text on `x_soft`.
    """
    loaded: dict[str, str | list[str]] = json.loads((RESOURCES / "theme" / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


class Theme(QObject):
    """The colours in use. `changed` is emitted after the application wears another theme."""

    changed = Signal()

    def __init__(self, name: str = "light", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._colors: dict[str, QColor] = {}
        self._tiles: list[QColor] = []
        self._pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}
        self.name = ""
        self._load(name)

    def color(self, token: str) -> QColor:
        """A token's colour, a copy that may be changed; KeyError for a name that no theme has."""
        return QColor(self._colors[token])

    def tile(self, index: int) -> QColor:
        return self._tiles[index % len(self._tiles)]

    def wear(self, app: QApplication, name: str = "") -> None:
        """Dress the application: palette, style sheet, font."""
        if name and name != self.name:
            self._load(name)
        app.setFont(body_font())
        app.setPalette(self._palette())
        app.setStyleSheet(self.style_sheet())
        self.changed.emit()

    def style_sheet(self) -> str:
        """resources/theme/till.qss with every $token replaced."""
        sheet = Template((RESOURCES / "theme" / "till.qss").read_text(encoding="utf-8"))
        values = {name: color.name() for name, color in self._colors.items()}
        return sheet.substitute(values)

    def pixmap(self, icon: str, token: str, size: int, ratio: float = 1.0) -> QPixmap:
        """An outline icon in a token's colour, `size` logical pixels square."""
        key = (icon, token, size, ratio)
        if key not in self._pixmaps:
            self._pixmaps[key] = _draw_icon(icon, self.color(token).name(), size, ratio)
        return self._pixmaps[key]

    def icon(self, name: str, token: str, size: int = 20) -> QIcon:
        return QIcon(self.pixmap(name, token, size, 2.0))

    def _load(self, name: str) -> None:
        loaded = tokens(name)
        self._colors = {key: QColor(value) for key, value in loaded.items() if isinstance(value, str)}
        self._tiles = [QColor(value) for value in loaded["tiles"]]
        self._pixmaps.clear()
        self.name = name

    def _palette(self) -> QPalette:
        palette = QPalette()
        role = QPalette.ColorRole
        for which, token in (
            (role.Window, "background"), (role.Base, "card"), (role.AlternateBase, "background"),
            (role.Text, "ink"), (role.WindowText, "ink"), (role.ButtonText, "ink"), (role.Button, "card"),
            (role.Highlight, "accent_soft"), (role.HighlightedText, "ink"), (role.PlaceholderText, "hint"),
            (role.ToolTipBase, "card"), (role.ToolTipText, "ink"),
        ):  # fmt: skip
            palette.setColor(which, self.color(token))
        return palette


def load_fonts() -> None:
    """Make the bundled font known to Qt; a missing file leaves the system's own."""
    for path in sorted((RESOURCES / "fonts").glob("*.otf")):
        if QFontDatabase.addApplicationFont(str(path)) < 0:
            log.warning("font %s could not be loaded", path.name)


def body_font(px: int = BODY_PX, weight: int = 400) -> QFont:
    """The application's font with tabular figures, so that running numbers do not dance."""
    font = QFont()
    font.setFamilies([FAMILY, *FALLBACKS])
    font.setPixelSize(px)
    font.setWeight(QFont.Weight(weight))
    font.setFeature(QFont.Tag("tnum"), 1)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def _draw_icon(icon: str, color: str, size: int, ratio: float) -> QPixmap:
    svg = (RESOURCES / "icons" / f"{icon}.svg").read_text(encoding="utf-8").replace("currentColor", color)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
