"""The coloured left half of the pay panel: a QR, a ring, a tick, or words. Each shows one outcome of one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QSpacerItem, QVBoxLayout, QWidget

from pos.domain.status import Shown
from pos.ui.widgets.labels import centred, column, elided, fit, frame, holder, label, line, set_tone
from pos.ui.widgets.qrview import QrView, Square
from pos.ui.widgets.ring import Disc, Ring
from pos.words.pay import Paid, Pay, Refund, Split, Unknown
from pos.words.sell import Cart
from pos.words.states import LOOKS

if TYPE_CHECKING:
    from pos.services.views import OrderView
    from pos.ui.kit import Kit
    from pos.ui.shop import Shop

SIDE = 30
QR_SIDE = 370
MIN_QR = 176
COMPACT_MARGINS = (18, 16, 18, 12)


def half(tone: str, name: str) -> QFrame:
    made = frame(name, half=True, tone=tone)
    made.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    return made


def middle(widget: QWidget) -> QVBoxLayout:
    """A widget in the middle of its line."""
    box = QVBoxLayout()
    box.setContentsMargins(0, 0, 0, 0)
    box.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
    return box


class QrHalf(QFrame):
    """Amount, code, countdown; while the link is asked for, the place of the code is empty and says so."""

    def __init__(self, kit: Kit, shop: Shop) -> None:
        super().__init__()
        self._kit = kit
        self._shop = shop
        self._view: OrderView | None = None
        self._compact = self._display = False
        self.setObjectName("half.qr")
        self.setProperty("half", True)
        self.heading = centred(label("", "strong", tone="secondary", name="pay.heading"))
        self.amount = centred(fit("", "huge", name="pay.amount"))
        self.code = QrView(kit, "payQr", QR_SIDE)
        self.asking = centred(label("", "sub", wrap=True, name="pay.asking"))
        self.asking.setContentsMargins(12, 0, 12, 0)
        self.card = frame("qrCard")
        self.card.setLayout(column(self.code, self.asking))
        room = Square(self.card, MIN_QR, QR_SIDE + 2)
        self.expires = centred(label("", "big", tone="secondary", name="pay.expires"))
        self.timer = label("", "big", name="pay.timer")
        self.link = centred(elided("", "row", name="pay.link"))
        self.safe = centred(label(Pay.SAFE, "small", name="pay.safe", wrap=True))
        clock = line(0, self.expires, 6, self.timer, 0)
        self._above, self._below = QSpacerItem(0, 24), QSpacerItem(0, 18)
        self._foot = holder(column(6, self.link))
        parts = (self.heading, 4, self.amount, self._above, room, self._below, clock, self._foot, 0, self.safe)
        self._box = column(*parts, margins=(SIDE, 34, SIDE, 34))
        self.setLayout(self._box)

    def set_compact(self, compact: bool) -> None:
        self._compact = compact
        self._foot.setVisible(not compact)
        self._show_safe()
        self._above.changeSize(0, 10 if compact else 24)
        self._below.changeSize(0, 8 if compact else 18)
        self._box.setContentsMargins(*(COMPACT_MARGINS if compact else (SIDE, 34, SIDE, 34)))
        self._box.invalidate()

    def show_display(self, on: bool) -> None:
        """Whether the customer has a display to look at."""
        self._display = on
        self._show_safe()

    def _show_safe(self) -> None:
        """Said of a code that is there to be scanned."""
        self.safe.setText(Pay.SAFE_DISPLAY if self._display else Pay.SAFE)
        self.safe.setVisible(bool(self.code.text) and not self._compact)

    def show_order(self, view: OrderView | None, amount: str, asking: str) -> None:
        self._view = view
        self.amount.setText(amount)
        attempt = view.attempt if view else None
        text = attempt.qr_text if attempt is not None and not asking else ""
        self.code.setVisible(bool(text))
        self.asking.setVisible(not text)
        closing = attempt is not None and attempt.phase == "closing" and not text and not asking
        self.heading.setText(Pay.CLOSING if closing else Pay.SCAN_TO_PAY.format(shop=self._shop.name))
        if attempt is not None and closing:
            self.asking.setText(Pay.CLOSING_HINT.format(gateway=attempt.gateway_title))
        else:
            gateway = asking or (attempt.gateway_title if attempt else "")
            self.asking.setText(Pay.ASKING.format(gateway=gateway))
        self.code.show_text(text, Pay.QR_NAME.format(amount=amount))
        self.link.setText(_short(attempt.link_url) if attempt is not None and text else "")
        self._show_safe()
        self.tick()

    def tick(self) -> None:
        attempt = self._view.attempt if self._view else None
        counting = attempt is not None and attempt.expires_at_ms is not None and bool(attempt.qr_text)
        self.timer.setVisible(counting)
        self.expires.setText("")
        if attempt is None or not attempt.qr_text:
            return
        if attempt.expires_at_ms is None:
            self.expires.setText(Pay.OPEN_UNTIL_CLOSED)
            return
        left = (attempt.expires_at_ms - self._kit.now_ms()) // 1000
        self.timer.setVisible(left > 0)
        self.expires.setText(Pay.EXPIRES_IN if left > 0 else Pay.EXPIRED)
        self.timer.setText(self._kit.formats.timer(left))


class UnknownHalf(QFrame):
    """The ring that runs, and what to do: nothing again."""

    def __init__(self, kit: Kit, shop: Shop) -> None:
        super().__init__()
        self._kit = kit
        self._shop = shop
        self._view: OrderView | None = None
        self._compact = self._display = False
        self.setObjectName("half.unknown")
        self.setProperty("half", True)
        self.setProperty("tone", "unknown")
        self.heading = centred(label("", "strong", tone="unknown_deep"))
        self.amount = centred(fit("", "huge", name="unknown.amount"))
        self.ring = Ring(kit.theme, Unknown.WITHOUT_ANSWER)
        self.first = centred(fit(Unknown.HEADLINE_1, "headline", name="unknown.1"))
        self.second = centred(fit(Unknown.HEADLINE_2, "headline", name="unknown.2"))
        for headline in (self.first, self.second):
            set_tone(headline, "unknown_deep")
        self.why = centred(label("", tone="unknown_deep", wrap=True))
        rule = frame("splitLine", rule="tone", tone="unknown")
        says = centred(label(Unknown.DISPLAY_SAYS, "small", tone="unknown_deep", wrap=True))
        self._above, self._below = QSpacerItem(0, 32), QSpacerItem(0, 34)
        parts = (
            self.heading,
            4,
            self.amount,
            self._above,
            middle(self.ring),
            self._below,
            self.first,
            2,
            self.second,
            12,
        )
        why = line(50, self.why, 50)
        why.setStretch(1, 1)
        self._foot = holder(column(rule, 14, says), "unknown.display")
        self._foot.hide()
        self._box = column(*parts, why, 0, self._foot, margins=(SIDE, 34, SIDE, 34))
        self.setLayout(self._box)

    def set_compact(self, compact: bool) -> None:
        self._compact = compact
        self.show_display(self._display)
        self.ring.set_side(150 if compact else 226)
        self._box.setContentsMargins(*(COMPACT_MARGINS if compact else (SIDE, 34, SIDE, 34)))
        self._above.changeSize(0, 12 if compact else 32)
        self._below.changeSize(0, 14 if compact else 34)
        self._box.invalidate()

    def show_display(self, on: bool) -> None:
        """What the customer reads meanwhile, where there is a display."""
        self._display = on
        self._foot.setVisible(on and not self._compact)

    def show_order(self, view: OrderView) -> None:
        self._view = view
        self.heading.setText(Pay.SHOP_ORDER.format(shop=self._shop.name, number=view.number))
        self.amount.setText(self._kit.formats.money(view.totals.total_minor))
        gateway = view.attempt.gateway_title if view.attempt else ""
        self.why.setText(Unknown.WHY.format(gateway=gateway))
        self.tick()

    def tick(self) -> None:
        if self._view is not None and self._view.unknown_since_ms is not None:
            seconds = (self._kit.now_ms() - self._view.unknown_since_ms) // 1000
            self.ring.set(self._kit.formats.timer(seconds), seconds)


class OutcomeHalf(QFrame):
    """An end: paid with its tick, or another word with its icon."""

    def __init__(self, kit: Kit, shop: Shop) -> None:
        super().__init__()
        self._kit = kit
        self._shop = shop
        self._compact = self._paid = self._display = False
        self.setObjectName("half.outcome")
        self.setProperty("half", True)
        self.heading = centred(label("", "strong"))
        self.disc = Disc(kit.theme)
        self.word = centred(fit("", "headline", name="outcome.word"))
        self.amount = centred(fit("", "paidamount", name="outcome.amount"))
        self.how = centred(label("", "big", name="outcome.how", wrap=True))
        self.which = centred(label("", "row", name="outcome.payment", wrap=True))
        self.rule = frame("splitLine", rule="tone", tone="paid")
        self.says = centred(label(Paid.DISPLAY_SHOWS, "small", wrap=True))
        parts = (self.heading, 0, middle(self.disc), 24, self.word, 4, self.amount, 12, self.how, 4, self.which)
        self._foot = holder(column(self.rule, 14, self.says), "outcome.display")
        self._foot.hide()
        self._box = column(*parts, 0, self._foot, margins=(SIDE, 34, SIDE, 34))
        self.setLayout(self._box)

    def set_compact(self, compact: bool) -> None:
        self._compact = compact
        self.disc.setFixedSize(*((110, 110) if compact else (208, 208)))
        self.show_display(self._display)
        self._box.setContentsMargins(*(COMPACT_MARGINS if compact else (SIDE, 34, SIDE, 34)))

    def show_display(self, on: bool) -> None:
        """What the customer sees now, where there is a display."""
        self._display = on
        self._foot.setVisible(on and self._paid and not self._compact)

    def show_order(self, view: OrderView) -> None:
        look = LOOKS[view.shown]
        paid = view.shown is Shown.PAID
        formats = self._kit.formats
        set_tone(self, look.tone)
        self.disc.set(look.tone, "" if paid else look.icon)
        self.heading.setText(Pay.SHOP_ORDER.format(shop=self._shop.name, number=view.number))
        self.word.setText(look.long_word)
        part = view.shown is Shown.PART_PAID
        left = view.left_minor if part else 0
        self.amount.setText(formats.money(left or view.change_minor or view.owed_minor or view.totals.total_minor))
        if paid and view.change_minor:
            self.word.setText(Cart.CHANGE)
        if part:
            self.word.setText(Cart.LEFT)
        self.how.setText(self._how(view))
        self.which.setText(self._which(view))
        self._paid = paid
        self.show_display(self._display)
        deep = f"{look.tone}_deep" if look.tone in ("paid", "double") else ""
        for each in (self.heading, self.word, self.how, self.which, self.says):
            set_tone(each, deep)

    def _how(self, view: OrderView) -> str:
        if view.owed_minor:
            return Refund.BELONGS.format(amount=self._kit.formats.money(view.owed_minor))
        if view.shown is Shown.PART_PAID:
            money = self._kit.formats.money
            return Split.PART.format(paid=money(view.kept_minor), total=money(view.due_minor))
        captured = [p for p in view.payments if p.captured_minor]
        if not captured or len(view.paid_by) > 1:
            return view.payment_text
        return Paid.THROUGH.format(gateway=view.attempt.gateway_title if view.attempt else captured[0].gateway.title())

    def _which(self, view: OrderView) -> str:
        if view.next_share is not None:
            amount = self._kit.formats.money(view.ask_minor)
            return Split.FOLLOWS.format(way=view.next_share.text, amount=amount)
        captured = [p for p in view.payments if p.captured_minor and p.captured_at_ms]
        if len(captured) == 1 and captured[0].captured_at_ms is not None:
            time = self._kit.formats.time_s(captured[0].captured_at_ms)
            return Paid.PAYMENT.format(id=captured[0].id, time=time)
        return Paid.AT.format(time=self._kit.formats.time_s(view.paid_at_ms)) if view.paid_at_ms else ""


def _short(url: str) -> str:
    """The link without its scheme, for the eye; nothing of a UPI text, which nobody can read."""
    if url.startswith("upi:"):
        return ""
    return url.partition("://")[2]
