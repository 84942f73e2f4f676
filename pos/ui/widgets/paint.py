"""Strokes shared by widgets and delegates: pills, key caps, elided text. No state, no words of its own."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from pos.ui.theme import Theme, body_font

PILL_HEIGHT = 27
PILL_PX = 13
CAP_HEIGHT = 19
CAP_PX = 11
_DOT = 8
_PILL_SIDE = 11
_MARK_GAP = 7
_ICON = 14


def pill_width(text: str, icon: str = "") -> int:
    mark = (_ICON if icon else _DOT) + _MARK_GAP
    return 2 * _PILL_SIDE + mark + QFontMetrics(body_font(PILL_PX, 500)).horizontalAdvance(text)


def paint_pill(
    painter: QPainter, rect: QRect, text: str, look: tuple[str, str], theme: Theme, *, edge: str = ""
) -> None:
    """A rounded mark of a state: `look` is (tone, icon); an empty icon is a dot. `rect` is the whole pill.

    `edge`: "ring" draws a line around it, "plain" stands on the card's colour.
    """
    tone, icon = look
    color, soft = theme.color(tone), theme.color("card" if edge == "plain" else f"{tone}_soft")
    ring = edge == "ring"
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, 2) if ring else QPen(soft, 0))
    painter.setBrush(soft)
    inset = 1.0 if ring else 0.0
    radius = rect.height() / 2
    painter.drawRoundedRect(QRectF(rect).adjusted(inset, inset, -inset, -inset), radius, radius)
    rtl = painter.layoutDirection() == Qt.LayoutDirection.RightToLeft
    size = _ICON if icon else _DOT
    mark_left = rect.right() - _PILL_SIDE - size if rtl else rect.left() + _PILL_SIDE
    _paint_mark(painter, QPointF(mark_left, rect.center().y() + 1 - size / 2), icon, tone, theme)
    painter.setPen(color)
    painter.setFont(body_font(PILL_PX, 500))
    lead = _PILL_SIDE + size + _MARK_GAP
    inner = rect.adjusted(_PILL_SIDE, 0, -lead, 0) if rtl else rect.adjusted(lead, 0, -_PILL_SIDE + 2, 0)
    painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading, text)
    painter.restore()


def _paint_mark(painter: QPainter, at: QPointF, icon: str, tone: str, theme: Theme) -> None:
    if icon:
        painter.drawPixmap(at, theme.pixmap(icon, tone, _ICON, painter.device().devicePixelRatioF()))
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(tone))
    painter.drawEllipse(QRectF(at.x(), at.y(), _DOT, _DOT))


def cap_width(text: str) -> int:
    return 14 + QFontMetrics(body_font(CAP_PX, 600)).horizontalAdvance(text)


def paint_cap(painter: QPainter, rect: QRect, text: str, theme: Theme, *, faded: bool = False) -> None:
    """A key cap: the key that does it, drawn on its button."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outline = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setPen(QPen(theme.color("line"), 1))
    painter.setBrush(theme.color("line"))
    painter.drawRoundedRect(outline.adjusted(0, 2, 0, 1), 5, 5)
    painter.setBrush(theme.color("background" if faded else "raised"))
    painter.drawRoundedRect(outline, 5, 5)
    painter.setPen(theme.color("disabled" if faded else "hint"))
    painter.setFont(body_font(CAP_PX, 600))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def wrapped_height(text: str, font: QFont, width: int) -> int:
    """How high `text` stands in lines of this width."""
    room = QRect(0, 0, max(1, width), 1)
    return QFontMetrics(font).boundingRect(room, Qt.TextFlag.TextWordWrap, text).height()


def draw_wrapped(painter: QPainter, rect: QRect, text: str, font: QFont, color: QColor) -> None:
    """Plain text in as many lines as it needs, from the top of `rect`."""
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(rect, Qt.AlignmentFlag.AlignLeading | Qt.TextFlag.TextWordWrap, text)


def draw_text(painter: QPainter, rect: QRect, text: str, font: QFont, color: QColor, *, trailing: bool = False) -> None:
    """One line of plain text in `rect`, elided where it is too long, aligned by reading direction."""
    painter.setFont(font)
    painter.setPen(color)
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    side = Qt.AlignmentFlag.AlignTrailing if trailing else Qt.AlignmentFlag.AlignLeading
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | side, shown)
