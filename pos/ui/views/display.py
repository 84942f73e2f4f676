"""What the customer sees: the order, the amount, the code, the outcome. Never anything of other customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from pos.ui.counter import Counter, Stage
from pos.ui.steps import reached
from pos.ui.views.asides import receipt_words
from pos.ui.widgets.labels import centred, column, fit, frame, label, line, trailing
from pos.ui.widgets.qrview import QrView
from pos.ui.widgets.ring import Disc
from pos.words.pay import Customer, Paid, Pay
from pos.words.sell import Cart
from pos.words.shell import Bar

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

    from pos.domain.basket import Line
    from pos.services.views import OrderView
    from pos.ui.kit import Kit
    from pos.ui.shop import Shop
    from pos.words.formats import Formats

MAX_LINES = 8
QR_SIDE = 560
SMALL_QR = 260
TICK_MS = 1000


class CustomerDisplay(QWidget):
    """A window of its own that follows a `Counter`; `opened(bool)` as it comes and goes, whoever closes it."""

    opened = Signal(bool)

    def __init__(self, kit: Kit, shop: Shop, counter: Counter) -> None:
        super().__init__()
        self._kit = kit
        self._shop = shop
        self._counter = counter
        self.setObjectName("customerDisplay")
        self.setWindowTitle(Customer.TITLE)
        self.resize(1440, 900)
        self.left = OrderSide(kit, shop)
        self.pages = QStackedWidget()
        self.pages.setObjectName("customerRight")
        self.pages.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.code = CodePage(kit)
        self.words = WordsPage(kit)
        self.done = DonePage(kit)
        for page in (self.words, self.code, self.done):
            self.pages.addWidget(page)
        both = line(self.left, self.pages)
        both.setStretch(0, 5)
        both.setStretch(1, 4)
        self.setLayout(both)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.code.tick)
        self._timer.start(TICK_MS)
        counter.changed.connect(self.refresh)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.opened.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.opened.emit(False)

    def show_test(self, on: bool) -> None:
        """Whether no real money moves here."""
        self.left.test.setVisible(on)

    def refresh(self) -> None:
        counter, view = self._counter, self._counter.view
        self.left.show_counter(counter)
        stage = counter.stage
        if stage is Stage.WAITING and view is not None and view.attempt is not None and view.attempt.qr_text:
            self.code.show_order(view)
            self.pages.setCurrentWidget(self.code)
        elif stage is Stage.UNKNOWN:
            self._say(Customer.CHECKING, Customer.NOT_AGAIN, "unknown")
        elif stage is Stage.OPEN and view is not None and view.kept_minor:
            formats = self._kit.formats
            paid, left = formats.money(view.kept_minor), formats.money(view.left_minor)
            self._say(Customer.PART_LEFT.format(paid=paid, left=left), formats.money(view.ask_minor), "")
        elif stage is Stage.PAID and view is not None:
            self.done.show_order(view)
            self.pages.setCurrentWidget(self.done)
        elif counter.basket.lines:
            last = counter.basket.current or counter.basket.lines[-1]
            self._say(last.name, self._kit.formats.money(last.amount_minor), "")
        else:
            self._say(self._shop.name, Customer.WELCOME, "")

    def _say(self, first: str, second: str, tone: str) -> None:
        self.words.say(first, second, tone)
        self.pages.setCurrentWidget(self.words)


class OrderSide(QWidget):
    """Shop, lines, total on the dark side."""

    def __init__(self, kit: Kit, shop: Shop) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("customerLeft")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title = label(Customer.YOUR_ORDER, "customertitle")
        self._box = column()
        self._rows: list[LineRow] = []
        self._make_rows()
        self.more = label("", "dim")
        self.word = label(Customer.TO_PAY, "customerword")
        self.total = trailing(fit("", "customertotal", name="customer.total"))
        name = line(label(shop.name, "customershop"), 14, self._test(shop), 0)
        total = line(self.word, 0, self.total)
        total.setAlignment(self.word, Qt.AlignmentFlag.AlignBottom)
        self.setLayout(column(name, 28, self.title, 26, self._box, self.more, 32, total, 0, margins=(60, 64, 60, 60)))

    def _test(self, shop: Shop) -> QLabel:
        self.test = label(Bar.TEST, name="testMark")
        self.test.setVisible(shop.test_mode)
        return self.test

    def _make_rows(self) -> None:
        for _ in range(MAX_LINES):
            row = LineRow(self._kit.formats)
            self._rows.append(row)
            self._box.addWidget(row)

    def show_counter(self, counter: Counter) -> None:
        lines, formats = counter.basket.lines, self._kit.formats
        shown = lines[-MAX_LINES:]
        for at, row in enumerate(self._rows):
            row.setVisible(at < len(shown))
            if at < len(shown):
                row.show_line(shown[at])
        self.more.setVisible(len(lines) > len(shown))
        self.more.setText(Customer.MORE_LINES(len(lines) - len(shown)))
        view = counter.view
        minor = view.totals.total_minor if view is not None else counter.basket.totals.total_minor
        self.total.setText(formats.money(minor))
        self.word.setText(Customer.PAID if counter.stage is Stage.PAID else Customer.TO_PAY)
        for each in (self.title, self.total, self.word):
            each.setVisible(bool(lines))


class LineRow(QWidget):
    """Name, quantity and price, amount; a hairline below."""

    def __init__(self, formats: Formats) -> None:
        super().__init__()
        self._formats = formats
        self.name = label("", "customerline")
        self.detail = label("", "dim")
        self.amount = trailing(label("", "customerline"))
        self.name.setMinimumWidth(40)
        self.setLayout(column(line(self.name, 14, self.detail, 0, self.amount), frame(rule="rail")))
        self.setFixedHeight(63)

    def show_line(self, shown: Line) -> None:
        formats = self._formats
        quantity, price = formats.quantity(shown.quantity_milli), formats.amount(shown.unit_price_minor)
        self.name.setText(shown.name)
        self.detail.setText(Cart.QUANTITY.format(quantity=quantity, price=price))
        self.amount.setText(formats.amount(shown.amount_minor))


class CodePage(QWidget):
    """The code, large, and how long it may be paid."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._view: OrderView | None = None
        self.title = centred(label(Customer.SCAN, "headline"))
        self.code = QrView(kit, "customerQr", QR_SIDE)
        self.safe = centred(label(Customer.SAFE, "customersmall", wrap=True))
        self.expires = centred(label("", "customersmall", name="customer.expires"))
        self.part = centred(label("", "customerword", name="customer.part"))
        self.code.setMinimumSize(440, 440)
        box = column(0, self.title, 4, self.part, self.code, self.safe, 6, self.expires, 0)
        box.setAlignment(self.code, Qt.AlignmentFlag.AlignHCenter)
        box.setStretchFactor(self.code, 1000)
        self.setLayout(box)

    def show_order(self, view: OrderView) -> None:
        self._view = view
        attempt = view.attempt
        amount = self._kit.formats.money(attempt.amount_minor if attempt else view.left_minor)
        self.title.setText(Customer.ON_PHONE if reached(view) >= 2 else Customer.SCAN)
        part = attempt is not None and attempt.amount_minor < view.totals.total_minor
        total = self._kit.formats.money(view.totals.total_minor)
        self.part.setText(Customer.PART_OF.format(amount=amount, total=total))
        self.part.setVisible(part)
        self.code.show_text(attempt.qr_text if attempt else "", Pay.QR_NAME.format(amount=amount))
        self.tick()

    def tick(self) -> None:
        attempt = self._view.attempt if self._view else None
        if attempt is None or attempt.expires_at_ms is None:
            self.expires.setText("")
            return
        seconds = max(0, (attempt.expires_at_ms - self._kit.now_ms()) // 1000)
        self.expires.setText(Customer.EXPIRES.format(timer=self._kit.formats.timer(seconds)))


class WordsPage(QWidget):
    """Two lines in large letters."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.disc = Disc(kit.theme, 160)
        self.first = centred(label("", "customertitle", wrap=True, name="customer.first"))
        self.second = centred(label("", "customerword", wrap=True, name="customer.second"))
        box = column(0, self.disc, 30, self.first, 12, self.second, 0, margins=(48, 0, 48, 0))
        box.setAlignment(self.disc, Qt.AlignmentFlag.AlignHCenter)
        self.setLayout(box)

    def say(self, first: str, second: str, tone: str) -> None:
        self.first.setText(first)
        self.second.setText(second)
        self.disc.setVisible(bool(tone))
        if tone:
            self.disc.set(tone, "circle-question-mark")


class DonePage(QWidget):
    """A tick, the amount, change, and the receipt as a code."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.disc = Disc(kit.theme, 160)
        self.word = centred(label(Customer.PAID, "customertitle"))
        self.amount = centred(fit("", "customertotaldark", name="customer.paid"))
        self.given = centred(label("", "customerword", name="customer.given"))
        self.change = centred(label("", "customertitle", name="customer.change"))
        self.code = QrView(kit, "customerReceiptQr", SMALL_QR)
        self.code.setFixedSize(SMALL_QR, SMALL_QR)
        self.thanks = centred(label(Customer.THANKS, "customersmall", wrap=True))
        box = column(
            0, self.disc, 24, self.word, self.amount, 6, self.given, self.change, 18, self.code, 8, self.thanks, 0
        )
        box.setAlignment(self.disc, Qt.AlignmentFlag.AlignHCenter)
        box.setAlignment(self.code, Qt.AlignmentFlag.AlignHCenter)
        self.setLayout(box)
        self.disc.set("paid")

    def show_order(self, view: OrderView) -> None:
        formats = self._kit.formats
        self.amount.setText(formats.money(view.totals.total_minor))
        self.given.setVisible(view.change_minor > 0)
        self.change.setVisible(view.change_minor > 0)
        self.given.setText(Customer.GIVEN.format(amount=formats.money(view.kept_minor + view.change_minor)))
        self.change.setText(Customer.CHANGE.format(amount=formats.money(view.change_minor)))
        self.code.show_text(receipt_words(view, self._kit), Paid.RECEIPT_QR.format(number=view.number))
