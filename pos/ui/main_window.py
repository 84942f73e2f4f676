"""The till's window: a shell that puts panels, controls and commands together. What they do stands in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from pos.domain.errors import SecondNeeded
from pos.ui.basket import Basket
from pos.ui.commands import Commands
from pos.ui.control.lights import LightControl
from pos.ui.control.selling import SellControl
from pos.ui.counter import Counter
from pos.ui.flow import Flow
from pos.ui.panels import Panels
from pos.ui.register import register, register_gateways
from pos.ui.scanner import Scanner
from pos.ui.views.banner import Banner
from pos.ui.views.rail import RailView
from pos.ui.views.topbar import TopBar
from pos.ui.widgets.labels import column, line
from pos.ui.workspace import Workspace
from pos.words.pay import Refund

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QCloseEvent, QResizeEvent

    from pos.domain.catalogue import Product
    from pos.domain.errors import PosError
    from pos.services.api import TillApi
    from pos.services.views import OrderRow, OrderView
    from pos.ui.bridge import Bridge
    from pos.ui.control.closing import DayControl
    from pos.ui.control.gateways import GatewayControl
    from pos.ui.control.history import HistoryControl
    from pos.ui.control.papers import PaperControl
    from pos.ui.kit import Kit
    from pos.ui.models.tiles import Catalogue
    from pos.ui.ports import Desk
    from pos.ui.shop import Shop
    from pos.ui.views.display import CustomerDisplay

TICK_MS = 1000
MIN_WIDTH, MIN_HEIGHT = 1024, 700


class MainWindow(QMainWindow):
    """Stands and sells from its first paint; `attach` hands it the till when that is built. `closed` at its end."""

    closed = Signal()

    history: HistoryControl
    closing: DayControl
    papers: PaperControl
    setup: GatewayControl

    def __init__(
        self, kit: Kit, shop: Shop, desk: Desk, keys: Mapping[str, str] | None = None, *, whole: bool = True
    ) -> None:
        """`whole` False: the sell screen alone, for the first paint; `complete` must follow."""
        super().__init__()
        self.kit = kit
        self.shop = shop
        self.desk = desk
        self.bridge: Bridge | None = None
        self.display: CustomerDisplay | None = None
        self.flow = Flow(Counter(Basket(kit.tasks, tax_included=shop.tax_included), kit.tasks), kit.tasks)
        self.commands = Commands(self, keys)
        register(self)
        self.banner = Banner(kit)
        self.top = TopBar(kit, shop)
        self.rail = RailView(kit)
        self.workspace = Workspace(self.banner)
        self.whole = False
        self.scanner: Scanner | None = None
        self.panels = Panels(kit, self.flow, self.commands, self.workspace)
        self.selling = SellControl(self.flow, self.panels.sell, self.panels.cart)
        self.lights = LightControl(self.flow, self.top, test_mode=shop.test_mode)
        self._assemble()
        self._connect()
        self.arrange()
        if whole:
            self.complete()

    def listen(self) -> None:
        """Hear the scanner. Its event filter makes Qt's Python side look up every class once: 50 ms after the paint."""
        self.scanner = Scanner(self)
        self.scanner.fallback = self._letters_go_to
        self.scanner.scanned.connect(self.selling.scan)

    def complete(self) -> None:
        """What the first paint could do without: the other panels and what works behind them."""
        if self.scanner is None:
            self.listen()
        self.panels.complete(self.shop)
        self._make_controls()
        self._connect_controls()
        self.whole = True
        self._set_compact(self.workspace.compact)
        self.arrange()

    def _make_controls(self) -> None:
        from pos.ui.control.closing import DayControl
        from pos.ui.control.gateways import GatewayControl
        from pos.ui.control.history import HistoryControl
        from pos.ui.control.papers import PaperControl
        from pos.ui.control.returning import ReturnControl
        from pos.ui.control.sharing import ShareControl
        from pos.ui.paper import Paper

        panels, flow = self.panels, self.flow
        self.selling.complete(panels.cash, panels.held)
        self.sharing = ShareControl(flow, panels.split, self.selling)
        self.history = HistoryControl(self.kit, flow, panels.orders, panels.detail)
        self.closing = DayControl(flow, panels.day, panels.totals)
        self.setup = GatewayControl(flow, panels.manage, panels.keys, panels.remove, panels.vault)
        self.returning = ReturnControl(flow, panels.goods)
        self.papers = PaperControl(flow, Paper(self.kit, self.desk), self.shop, self.subject, lambda: self.closing.view)

    def _assemble(self) -> None:
        self.setWindowTitle(self.shop.name)
        self.setMinimumSize(MIN_WIDTH, MIN_HEIGHT)
        below = line(self.rail, self.workspace)
        below.setStretch(1, 1)
        (whole := column(self.top, below)).setStretch(1, 1)
        root = QWidget()
        root.setObjectName("window")
        root.setLayout(whole)
        self.setCentralWidget(root)
        self._tick = QTimer(self)
        self._tick.timeout.connect(self._ticked)
        self._tick.start(TICK_MS)

    def _connect(self) -> None:
        flow, counter = self.flow, self.flow.counter
        flow.arranged.connect(self.arrange)
        flow.failed.connect(self.show_error)
        flow.noted.connect(self.banner.show_note)
        flow.scanned.connect(lambda: self.desk.play("scan"))
        self.kit.tasks.failed.connect(self.show_error)
        counter.turned_paid.connect(lambda: self.desk.play("paid"))
        counter.turned_unknown.connect(lambda: self.desk.play("unknown"))
        self.commands.used.connect(self.banner.on_command)
        self.rail.chosen.connect(flow.go)
        self.top.tray_wanted.connect(self.commands["tray"].trigger)
        self.selling.tray_changed.connect(self.top.set_tray)
        self.workspace.compact_changed.connect(self._set_compact)
        self.kit.theme.changed.connect(self.update)
        self.lights.books_changed.connect(self._set_books)

    def _connect_controls(self) -> None:
        for changed in (self.history.changed, self.closing.changed, self.setup.changed):
            changed.connect(self.commands.refresh)
        self.closing.investigated.connect(self._investigate)
        self.closing.collected.connect(self._collect)
        self.panels.connect_answers(self)

    # Starting and ending --------------------------------------------------------------------------------------------

    def attach(self, till: TillApi, products: Catalogue | Sequence[Product]) -> None:
        """The till is built: from here on everything works."""
        counter = self.flow.counter
        from pos.ui.bridge import Bridge

        self.bridge = Bridge(till.bus, self)
        self.bridge.order_changed.connect(self._on_row)
        self.bridge.page_opened.connect(counter.on_opened)
        self.bridge.page_opened.connect(self.selling.on_opened)
        self.bridge.link_issued.connect(lambda order_id, _: counter.on_link(order_id))
        self.bridge.code_wanted.connect(self._encode)
        self.bridge.status_changed.connect(self.lights.show)
        self.bridge.gateways_changed.connect(self._on_gateways)
        self.bridge.reconcile_done.connect(lambda _: self._after_reconcile())
        self.set_products(products)
        counter.attach(till)
        register_gateways(self)
        self.lights.read()
        self.flow.start(till.selling.unfinished(), self._restore)
        self.selling.count_held()
        self.flow.ready()
        self.arrange()

    def set_products(self, products: Catalogue | Sequence[Product]) -> None:
        self.panels.sell.set_products(products)
        self.flow.catalogue = self.panels.sell.catalogue

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.bridge is not None:
            self.bridge.close()
        if self.display is not None:
            self.display.close()
        self._tick.stop()
        super().closeEvent(event)
        self.closed.emit()

    def come_forward(self) -> None:
        """Somebody started the till again: this window is it."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    # What commands ask of the window as a whole ---------------------------------------------------------------------

    def subject(self) -> OrderView | None:
        """The order that a command is about: the one chosen in the history, else the one on the counter."""
        return self.history.view if self.flow.page == "orders" else self.flow.counter.view

    def decide(self, what: str) -> None:
        """Check or refund the subject, through the page that shows it."""
        control = self.history if self.flow.page == "orders" else self.flow.counter
        if what == "check":
            control.check()
        else:
            self.flow.decide(lambda second: control.refund_owed(Refund.SECOND_PAYMENT, second))

    def can_confirm(self) -> bool:
        panel = self.panels.form(self.flow.overlay)
        return panel is not None and panel.can_confirm

    def confirm(self) -> None:
        if (panel := self.panels.form(self.flow.overlay)) is not None:
            panel.confirm()

    def back(self) -> None:
        """What Esc stands on: the banner first, where there is one."""
        if not self.banner.isHidden():
            self.banner.clear()
        elif self.flow.overlay:
            self.flow.close()
        else:
            self.workspace.focus_left()

    def toggle_display(self) -> None:
        """Open the customer's display, on the second screen where there is one; close it when it is open."""
        if self.display is not None and self.display.isVisible():
            self.display.close()
            return
        from pos.ui.views.display import CustomerDisplay

        if self.display is None:
            self.display = CustomerDisplay(self.kit, self.shop, self.flow.counter)
            self.display.opened.connect(self.panels.show_display)
            self.lights.books_changed.connect(self.display.show_test)
        if (other := next((each for each in QApplication.screens() if each is not self.screen()), None)) is not None:
            self.display.setGeometry(other.geometry())
            self.display.showFullScreen()
        else:
            self.display.show()

    # Showing --------------------------------------------------------------------------------------------------------

    def arrange(self) -> None:
        """Show the page and panel that the flow is at."""
        flow = self.flow
        if not self.whole and flow.left != "sell":
            return  # the panel asked for is being made; `complete` arranges again
        entered = flow.left != self.workspace.left_name
        if entered:
            self.banner.give_room_back()
        if entered and flow.overlay:
            self.panels.open(flow)
            self.setup.prepare(flow.overlay)
        if flow.page == "manage":
            self.setup.show_section()
        self.panels.cart.set_cash(flow.overlay == "cash")
        self.workspace.show_panels(flow.left, flow.right)
        self.rail.show_page(flow.page)
        self.commands.refresh()
        if entered and flow.counter.ready:
            self._entered(flow.left)

    def _on_gateways(self) -> None:
        """Other gateways than before: F12 and the palette know them at once."""
        register_gateways(self)
        self.setup.follow()
        self.lights.read()
        self.arrange()

    def show_error(self, error: PosError) -> None:
        if isinstance(error, SecondNeeded):
            self.flow.open("second")
            return
        self.desk.play("error")
        self.banner.show_error(error)
        self.commands.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.workspace.set_compact_for(event.size().width())

    def _set_compact(self, compact: bool) -> None:
        for part in (self.top, self.rail, self.panels):
            part.set_compact(compact)

    def _entered(self, panel: str) -> None:
        if panel == "orders":
            self.history.load()
        elif panel == "day" and self.closing.view is None:
            self.closing.open()
        elif panel == "manage":
            self.setup.entered()
        elif panel == "held":
            self.selling.count_held()

    def _encode(self, text: str) -> None:
        """While the link is being written: the code is ready when it may be shown."""
        from pos.ui import qr

        self.kit.tasks.start(self, qr.encode_away(text))

    def _on_row(self, row: OrderRow) -> None:
        self.flow.counter.on_row(row)
        self.selling.on_row(row, self.kit.now_ms())
        if self.flow.page == "orders":
            self.history.on_row(row)
        self.lights.read_soon()

    def _set_books(self, test_mode: bool) -> None:
        self.shop = replace(self.shop, test_mode=test_mode)

    def _after_reconcile(self) -> None:
        self.lights.read()
        self.closing.again_quietly()

    def _restore(self, view: OrderView | None) -> None:
        """The order that was being rung up when the app stopped, if nothing was begun since."""
        if view is not None and not self.flow.counter.basket.lines:
            self.flow.counter.put_down(view)

    def _investigate(self, order_id: str) -> None:
        self.flow.go("orders")
        self.history.load(order_id)

    def _collect(self, order_id: str) -> None:
        self.flow.go("sell")
        self.flow.counter.open(order_id)

    def _letters_go_to(self) -> QWidget | None:
        """Letters typed where no field has the focus are the scan field's, while it is there."""
        return self.panels.sell.scan if self.workspace.left_name == "sell" else None

    def _ticked(self) -> None:
        self.top.tick()
        self.selling.tick(self.kit.now_ms())
        if self.whole:
            self.history.tick()
