"""The top bar: shop, till, shift; the lights; who works here; the time. It says only what the status says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from pos.ui.widgets.labels import frame, holder, label, line
from pos.ui.widgets.paint import PILL_HEIGHT
from pos.ui.widgets.pill import Pill
from pos.words.shell import Bar, Roles

if TYPE_CHECKING:
    from pos.services.views import StatusView
    from pos.ui.kit import Kit
    from pos.ui.shop import Shop

HEARD_LIMIT_MS = 30_000
"""A relay is live only with a heartbeat this recent (design/screens.md)."""
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Light:
    text: str
    tone: str


def gateway_light(status: StatusView) -> Light:
    return {
        "ok": Light(Bar.GATEWAY, "paid"),
        "slow": Light(Bar.GATEWAY_SLOW, "waiting"),
        "down": Light(Bar.GATEWAY_DOWN, "waiting"),
        "locked": Light(Bar.GATEWAY_LOCKED, "waiting"),
    }.get(status.gateway, Light(Bar.GATEWAY_OFF, "gone"))


def relay_light(status: StatusView, now_ms: int, *, short: bool = False) -> Light:
    """Green only while somebody was heard in the last 30 s, whatever the status said when it was made."""
    heard = status.relay_heard_at_ms
    if status.relay == "off":
        return Light(Bar.RELAY_OFF, "gone")
    if status.relay == "locked":
        return Light(Bar.RELAY if short else Bar.RELAY_LOCKED, "gone")
    if status.relay == "down":
        return Light(Bar.RELAY if short else Bar.RELAY_DOWN, "failed")
    if status.relay == "ok" and heard is not None and now_ms - heard <= HEARD_LIMIT_MS:
        return Light(Bar.RELAY if short else Bar.RELAY_LIVE, "paid")
    return Light(Bar.RELAY if short else Bar.RELAY_SLOW, "waiting")


def reconciled_light(status: StatusView, now_ms: int, *, short: bool = False) -> Light:
    if status.reconciled_at_ms is None:
        return Light(Bar.NEVER if short else Bar.RECONCILED_NEVER, "gone")
    minutes = max(0, now_ms - status.reconciled_at_ms) // MINUTE_MS
    if minutes < 1:
        return Light(Bar.NOW if short else Bar.RECONCILED_NOW, "gone")
    if minutes < 60:
        return Light(Bar.MINUTES(minutes) if short else Bar.RECONCILED(minutes), "gone")
    tone = "gone" if minutes < 24 * 60 else "waiting"
    return Light(Bar.HOURS(minutes // 60) if short else Bar.RECONCILED_HOURS(minutes // 60), tone)


def orders_light(status: StatusView) -> Light:
    """Unknown orders before waiting ones: they matter more. Neither is known while the books do not answer."""
    if status.books != "ok":
        return Light(Bar.BOOKS_DOWN if status.books == "down" else Bar.BOOKS_READ_ONLY, "failed")
    if status.unknown:
        return Light(Bar.UNKNOWN(status.unknown), "unknown")
    return Light(Bar.WAITING(status.waiting), "waiting" if status.waiting else "gone")


class TopBar(QWidget):
    """`tray_wanted` when the light of waiting orders is clicked."""

    tray_wanted = Signal()

    def __init__(self, kit: Kit, shop: Shop) -> None:
        super().__init__()
        self._kit = kit
        self._shop = shop
        self._status: StatusView | None = None
        self._compact = False
        self._tray_open = False
        self.setObjectName("topBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(56)
        self._mark = frame("mark")
        self._mark.setFixedSize(12, 12)
        self.name = label(shop.name, name="shopName")
        self.till = label(Bar.TILL.format(till=shop.till), name="tillName")
        self.shift = label("", name="shiftName")
        self.test = label(Bar.TEST, name="testMark")
        self.test.setToolTip(Bar.TEST_HINT)
        self.test.setVisible(shop.test_mode)
        self.test.setFixedHeight(PILL_HEIGHT)
        self.lights = [Pill(kit.theme, name) for name in ("light.gateway", "light.relay", "light.sync", "light.orders")]
        self.lights[3].clicked.connect(self.tray_wanted)
        self.lights[3].setCursor(Qt.CursorShape.PointingHandCursor)
        self.user = label("", name="userName")
        self.clock = label("", name="clock")
        self._assemble()
        self.tick()

    def _assemble(self) -> None:
        named = holder(line(self._mark, 8, self.name))
        self._left = line(named, self.till, self.shift, self.test)
        self._left.setSpacing(18)
        self._right = line(*self.lights, self.user, self.clock)
        self._right.setSpacing(18)
        self._whole = line(self._left, 0, self._right, margins=(20, 0, 20, 0))
        self.setLayout(self._whole)

    def set_compact(self, compact: bool) -> None:
        """Shorter words for a narrow window."""
        if compact != self._compact:
            self._compact = compact
            side, gap = (16, 12) if compact else (20, 18)
            self._whole.setContentsMargins(side, 0, side, 0)
            self._left.setSpacing(gap)
            self._right.setSpacing(gap)
            self.tick()

    def set_tray(self, is_open: bool) -> None:
        self._tray_open = is_open
        self.tick()

    def show_status(self, status: StatusView) -> None:
        self._status = status
        self.tick()

    def tick(self) -> None:
        """Once a second: the clock, and lights that grow old by themselves."""
        now = self._kit.now_ms()
        self.clock.setText(self._kit.formats.time(now))
        status = self._status
        if status is None:
            self.lights[0].set(Bar.STARTING, "gone")
            return
        self.test.setVisible(status.test_mode)
        for pill, light in zip(self.lights, self._lights(status, now), strict=True):
            ring = pill is self.lights[3] and self._tray_open
            pill.set(light.text, light.tone, ring=ring)
        self._show_people(status)

    def _lights(self, status: StatusView, now: int) -> tuple[Light, ...]:
        return (
            gateway_light(status),
            relay_light(status, now, short=self._compact),
            reconciled_light(status, now, short=self._compact),
            orders_light(status),
        )

    def _show_people(self, status: StatusView) -> None:
        role = str(getattr(Roles, status.role.upper(), status.role))
        both = Bar.USER.format(user=status.user, role=role) if role else status.user
        self.user.setText(status.user if self._compact else both)
        self.shift.setVisible(status.shift_no is not None)
        if status.shift_no is not None and status.shift_opened_at_ms is not None:
            since = self._kit.formats.time(status.shift_opened_at_ms)
            words = Bar.SHIFT_SHORT if self._compact else Bar.SHIFT
            self.shift.setText(words.format(no=status.shift_no, time=since))
