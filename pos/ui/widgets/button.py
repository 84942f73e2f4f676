"""A push button that shows its key, and one that belongs to a command. What it does is the command's business."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QStylePainter, QWidget

from pos.ui.theme import Theme, body_font
from pos.ui.widgets.paint import CAP_HEIGHT, cap_width, paint_cap

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QPaintEvent

_GAP = 8
_ICON_GAP = 14
FILLED = {"primary", "strong", "double"}


class KeyButton(QPushButton):
    """Text and key cap, centred together; `kind` is looked up in the style sheet. `wide` kinds spread them."""

    def __init__(self, theme: Theme, text: str = "", key: str = "", kind: str = "plain", icon: str = "") -> None:
        super().__init__(text)
        self._theme = theme
        self.key = key
        self._icon_name = icon
        self.kind = kind
        self.setProperty("kind", kind)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(text)
        self._describe()

    def set_key(self, key: str) -> None:
        if key != self.key:
            self.key = key
            self._describe()
            self.updateGeometry()
            self.update()

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setAccessibleName(text)

    def _describe(self) -> None:
        self.setAccessibleDescription(self.key)

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        if self.key:
            hint.setWidth(hint.width() + _GAP + self._key_width())
        return hint

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), 96), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        text = option.text
        option.text = ""
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        option.text = text
        text_rect, key_rect = self._places(option)
        if self._icon_name:
            self._paint_icon(painter)
        option.rect = text_rect
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)
        if key_rect.width():
            self._paint_key(painter, key_rect)

    def _key_width(self) -> int:
        if self.kind in FILLED:
            return self.fontMetrics().horizontalAdvance(self.key) * 14 // 20 + 8
        return cap_width(self.key)

    def _places(self, option: QStyleOptionButton) -> tuple[QRect, QRect]:
        whole = self.rect()
        key = self._key_width() if self.key else 0
        text = self.fontMetrics().horizontalAdvance(self.text()) + 10
        if self.kind == "wide":
            lead = 20 + _ICON_GAP + 16 if self._icon_name else 12
            text_rect = QRect(lead - 4, 0, text, whole.height())
            key_rect = QRect(whole.width() - key - 16, 0, key, whole.height())
        else:
            both = text + (_GAP - 5 + key if key else 0)
            if both > whole.width():  # half a key is none; who listens hears it all the same
                both, key = text, 0
            left = max(4, (whole.width() - both) // 2)
            text_rect = QRect(left, 0, min(text, whole.width() - 8), whole.height())
            key_rect = QRect(left + text + _GAP - 5, 0, key, whole.height())
        direction = self.layoutDirection()
        return (
            QStyle.visualRect(direction, whole, text_rect),
            QStyle.visualRect(direction, whole, key_rect),
        )

    def _paint_icon(self, painter: QStylePainter) -> None:
        rect = QStyle.visualRect(self.layoutDirection(), self.rect(), QRect(16, (self.height() - 20) // 2, 20, 20))
        token = "ink" if self.isEnabled() else "disabled"
        painter.drawPixmap(rect, self._theme.pixmap(self._icon_name, token, 20, self.devicePixelRatioF()))

    def _paint_key(self, painter: QStylePainter, rect: QRect) -> None:
        if self.kind in FILLED and self.isEnabled():
            painter.setFont(body_font(14, 600))
            color = self._theme.color({"primary": "on_button", "strong": "on_strong"}.get(self.kind, "card"))
            color.setAlphaF(0.78)
            painter.setPen(color)
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self.key)
            return
        top = (self.height() - CAP_HEIGHT) // 2
        cap = QRect(rect.x(), top, rect.width(), CAP_HEIGHT)
        paint_cap(painter, cap, self.key, self._theme, faded=not self.isEnabled())


class CommandButton(KeyButton):
    """A button of a command: its key, its enabled state and what it does follow the action. The words may differ."""

    def __init__(self, theme: Theme, action: QAction, text: str = "", kind: str = "plain", icon: str = "") -> None:
        super().__init__(theme, text or action.text(), key_text(action), kind, icon)
        self._key_of: QAction | None = action
        self.setObjectName(f"button.{action.objectName()}" if action.objectName() else "")
        self._action = action
        self.clicked.connect(action.trigger)
        action.changed.connect(self._follow)
        self._follow()

    def show_key_of(self, action: QAction | None) -> None:
        """Show another command's key, which comes to the same here, or none."""
        self._key_of = action
        self._follow()

    def _follow(self) -> None:
        self.setEnabled(self._action.isEnabled())
        self.set_key(key_text(self._key_of) if self._key_of is not None else "")


def key_text(action: QAction) -> str:
    """The first key of an action as people read it on a cap: F12, Ctrl Del."""
    return action.shortcut().toString().replace("+", " ").replace("Return", "Enter")


def focusless(button: QPushButton) -> QPushButton:
    """Clicking does not take the focus from the scan field; the keyboard still reaches it by Tab."""
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def tab_through(*widgets: QWidget) -> None:
    """Tab goes through these in this order, which the eye follows: what is made anew would come last of all.

    Of buttons of which one is chosen only that one takes the focus, and Qt gives a place only to what takes it.
    """
    policies = [widget.focusPolicy() for widget in widgets]
    for widget in widgets:
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    for first, second in pairwise(widgets):
        QWidget.setTabOrder(first, second)
    for widget, policy in zip(widgets, policies, strict=True):
        widget.setFocusPolicy(policy)


def named(widget: QWidget, name: str, spoken: str) -> QWidget:
    widget.setObjectName(name)
    widget.setAccessibleName(spoken)
    return widget
