"""Every panel of the window, made once and put in its place. Which one is shown, the flow says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from pos.domain.errors import PosError
from pos.services.views import OrderView
from pos.ui.commands import Commands
from pos.ui.control.history import HistoryControl
from pos.ui.counter import Counter
from pos.ui.flow import Flow
from pos.ui.kit import Kit
from pos.ui.shop import Shop
from pos.ui.views.cart import CartPanel
from pos.ui.views.cash import CashPanel
from pos.ui.views.day import DayPanel
from pos.ui.views.decisions import AttachPanel, CountPanel, ReceiptPanel, RefundPanel, ReleasePanel, void_panel
from pos.ui.views.detail import DetailPanel
from pos.ui.views.form import FormPanel
from pos.ui.views.lineforms import DiscountPanel, QuantityPanel
from pos.ui.views.lists import HeldPanel, HelpPanel, PalettePanel
from pos.ui.views.manage import ManagePanel
from pos.ui.views.orders import OrdersPanel
from pos.ui.views.pay import PayPanel
from pos.ui.views.sell import SellPanel
from pos.ui.views.totals import TotalsPanel
from pos.ui.views.tray import Tray
from pos.ui.workspace import Workspace

if TYPE_CHECKING:
    from pos.ui.main_window import MainWindow


class Panels(QObject):
    def __init__(self, kit: Kit, shop: Shop, flow: Flow, commands: Commands, workspace: Workspace) -> None:
        super().__init__()
        counter, back, confirm = flow.counter, commands["back"], commands["confirm"]
        self._flow = flow
        self._subject: Callable[[], OrderView | None] = lambda: None
        self.sell = SellPanel(kit, commands["held"], commands["hold"], Tray(kit, commands["tray"]))
        self.pay = PayPanel(kit, shop, counter, commands)
        self.cash = CashPanel(kit, counter, commands)
        self.orders = OrdersPanel(kit)
        self.day = DayPanel(kit, commands)
        self.manage = ManagePanel(kit, commands)
        self.cart = CartPanel(kit, counter, commands)
        self.detail = DetailPanel(kit, commands)
        self.totals = TotalsPanel(kit, commands)
        self.held = HeldPanel(kit, back, confirm)
        self.quantity = QuantityPanel(kit, back, confirm)
        self.discount = DiscountPanel(kit, back, confirm)
        self.palette = PalettePanel(kit, commands)
        self.help = HelpPanel(kit, commands)
        self.void = void_panel(kit, back)
        self.release = ReleasePanel(kit, back)
        self.refund = RefundPanel(kit, back, confirm)
        self.count = CountPanel(kit, back, confirm)
        self.attach = AttachPanel(kit, back, confirm)
        self.receipt = ReceiptPanel(kit, back)
        self._forms: dict[str, FormPanel] = {
            "held": self.held, "quantity": self.quantity, "discount": self.discount, "palette": self.palette,
            "help": self.help, "void": self.void, "release": self.release, "refund": self.refund,
            "count": self.count, "attach": self.attach, "receipt": self.receipt,
        }  # fmt: skip
        self._put(workspace)

    def _put(self, workspace: Workspace) -> None:
        left = {"sell": self.sell, "pay": self.pay, "cash": self.cash, "orders": self.orders, "day": self.day}
        for name, panel in {**left, "manage": self.manage, **self._forms}.items():
            workspace.add(name, panel)
        for name, panel in {"cart": self.cart, "detail": self.detail, "totals": self.totals}.items():
            workspace.add(name, panel, right=True)

    def form(self, name: str) -> FormPanel | None:
        return self._forms.get(name)

    def set_compact(self, compact: bool) -> None:
        for panel in (self.sell, self.pay, self.cash):
            panel.set_compact(compact)
        self.sell.tray.set_compact(compact)

    def open(self, flow: Flow) -> None:
        """Prepare the panel that comes up now for what it is about."""
        line, view = flow.counter.basket.current, self._subject()
        match flow.overlay:
            case "quantity" if line is not None:
                self.quantity.open(line)
            case "discount" if line is not None:
                self.discount.open(line)
            case "palette":
                self.palette.open()
            case "help":
                self.help.open()
            case "release" if view is not None:
                self.release.open(view)
            case "refund" if view is not None:
                self.refund.open(view)
            case "count":
                self.count.open()
            case "attach" if flow.exception is not None:
                self.attach.open(flow.exception)

    def show_receipt(self, lines: list[str]) -> None:
        self.receipt.show_lines(lines)
        self._flow.open("receipt")

    def connect_answers(self, window: MainWindow) -> None:
        """What panels answer goes to the control of its page, and the panel closes."""
        flow, basket = self._flow, self._flow.counter.basket
        self._subject = window.subject
        self.quantity.answered.connect(lambda quantity: self._try(lambda: basket.set_quantity(quantity)))
        self.discount.answered.connect(lambda ppm, reason: self._try(lambda: basket.discount(ppm, reason)))
        for panel in (self.quantity, self.discount):
            panel.failed.connect(flow.failed)
        for form in self._forms.values():
            form.changed.connect(window.commands.refresh)
        self.void.answered.connect(lambda reason: self._done(lambda: flow.counter.void(reason)))
        self.release.answered.connect(lambda reason: self._done(lambda: self._of_page(window).release(reason)))
        self.refund.answered.connect(lambda minor, why: self._done(lambda: self._of_page(window).refund(minor, why)))
        self.count.answered.connect(window.closing.close_day)
        self.attach.answered.connect(window.closing.attach)
        self.palette.chosen.connect(lambda action: self._done(action.trigger))
        self.help.list.chosen.connect(lambda action: self._done(action.trigger))

    def _of_page(self, window: MainWindow) -> Counter | HistoryControl:
        return window.history if self._flow.page == "orders" else self._flow.counter

    def _done(self, act: Callable[[], object]) -> None:
        """The panel goes first: what is done may open another one."""
        self._flow.close()
        act()

    def _try(self, act: Callable[[], object]) -> None:
        """What cannot be stays on screen with the reason in the banner."""
        try:
            act()
        except PosError as error:
            self._flow.failed.emit(error)
            return
        self._flow.close()
