"""Every panel of the window, made once and put in its place. Which one is shown, the flow says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from pos.domain.errors import PosError
from pos.ui.counter import ask_minor
from pos.ui.views.cart import CartPanel
from pos.ui.views.sell import SellPanel
from pos.ui.views.tray import Tray
from pos.words.pay import Paid

if TYPE_CHECKING:
    from collections.abc import Callable

    from pos.services.views import OrderView
    from pos.ui.commands import Commands
    from pos.ui.control.history import HistoryControl
    from pos.ui.counter import Counter
    from pos.ui.flow import Flow
    from pos.ui.kit import Kit
    from pos.ui.main_window import MainWindow
    from pos.ui.shop import Shop
    from pos.ui.views.form import FormPanel
    from pos.ui.workspace import Workspace


class Panels(QObject):
    """First those of the first paint; `complete` makes the rest, whose modules are imported only then."""

    def __init__(self, kit: Kit, flow: Flow, commands: Commands, workspace: Workspace) -> None:
        super().__init__()
        self._kit = kit
        self._flow = flow
        self._commands = commands
        self._workspace = workspace
        self._subject: Callable[[], OrderView | None] = lambda: None
        self._forms: dict[str, FormPanel] = {}
        self._display = False
        self.sell = SellPanel(kit, commands["held"], commands["hold"], Tray(kit, commands["tray"]))
        self.cart = CartPanel(kit, flow.counter, commands)
        workspace.add("sell", self.sell)
        workspace.add("cart", self.cart, right=True)

    def complete(self, shop: Shop) -> None:
        """Every other panel, made once and put in its place."""
        self._make_pages(shop)
        self._make_forms()
        self.pay.show_display(self._display)
        left = {"pay": self.pay, "cash": self.cash, "orders": self.orders, "day": self.day, "manage": self.manage}
        for name, panel in {**left, **self._forms}.items():
            self._workspace.add(name, panel)
        for name, panel in {"detail": self.detail, "totals": self.totals}.items():
            self._workspace.add(name, panel, right=True)

    def _make_pages(self, shop: Shop) -> None:
        from pos.ui.views.cash import CashPanel
        from pos.ui.views.day import DayPanel
        from pos.ui.views.detail import DetailPanel
        from pos.ui.views.manage import ManagePanel
        from pos.ui.views.orders import OrdersPanel
        from pos.ui.views.pay import PayPanel
        from pos.ui.views.totals import TotalsPanel

        kit, commands, counter = self._kit, self._commands, self._flow.counter
        self.pay = PayPanel(kit, shop, counter, commands)
        self.cash = CashPanel(kit, counter, commands)
        self.orders = OrdersPanel(kit)
        self.day = DayPanel(kit, commands)
        self.manage = ManagePanel(kit, commands)
        self.detail = DetailPanel(kit, commands)
        self.totals = TotalsPanel(kit, commands)

    def _make_forms(self) -> None:
        from pos.ui.views.cashback import CashBackPanel
        from pos.ui.views.decisions import (
            AttachPanel,
            ByHandPanel,
            CountPanel,
            ReceiptPanel,
            RefundPanel,
            ReleasePanel,
            SecondPanel,
            TerminalPanel,
            give_back_panel,
            void_panel,
        )
        from pos.ui.views.keysform import KeysPanel, RemovePanel, VaultPanel
        from pos.ui.views.lineforms import DiscountPanel, QuantityPanel
        from pos.ui.views.lists import HeldPanel, HelpPanel, PalettePanel
        from pos.ui.views.returns import ReturnPanel
        from pos.ui.views.settling import SettlePanel
        from pos.ui.views.split import SplitPanel

        kit, commands = self._kit, self._commands
        back, confirm = commands["back"], commands["confirm"]
        self.held = HeldPanel(kit, back, confirm)
        self.quantity = QuantityPanel(kit, back, confirm)
        self.discount = DiscountPanel(kit, back, confirm)
        self.void = void_panel(kit, back)
        self.release = ReleasePanel(kit, back)
        self.terminal = TerminalPanel(kit, back, confirm, commands["split"])
        self.split = SplitPanel(kit, commands)
        self.cashback = CashBackPanel(kit, back, confirm)
        self.byhand = ByHandPanel(kit, back, confirm)
        self.refund = RefundPanel(kit, back, confirm)
        self.goods = ReturnPanel(kit, back, confirm)
        self.giveback = give_back_panel(kit, back)
        self.second = SecondPanel(kit, back, confirm)
        self.count = CountPanel(kit, back, confirm)
        self.attach = AttachPanel(kit, back, confirm)
        self.settle = SettlePanel(kit, back, confirm)
        self.receipt = ReceiptPanel(kit, back)
        self.keys, self.remove = KeysPanel(kit, back, confirm), RemovePanel(kit, back, confirm)
        self.vault, self.palette, self.help = (
            VaultPanel(kit, back, confirm),
            PalettePanel(kit, commands),
            HelpPanel(kit, commands),
        )
        self._forms = self._named()

    def _named(self) -> dict[str, FormPanel]:
        """By the name of the overlay that shows it."""
        return {
            "held": self.held, "quantity": self.quantity, "discount": self.discount, "palette": self.palette,
            "help": self.help, "void": self.void, "release": self.release, "refund": self.refund,
            "terminal": self.terminal, "byhand": self.byhand, "split": self.split, "cashback": self.cashback,
            "return": self.goods, "giveback": self.giveback, "second": self.second,
            "count": self.count, "attach": self.attach, "settle": self.settle, "receipt": self.receipt,
            "keys": self.keys, "remove": self.remove, "vault": self.vault,
        }  # fmt: skip

    def form(self, name: str) -> FormPanel | None:
        return self._forms.get(name)

    def set_compact(self, compact: bool) -> None:
        self.sell.set_compact(compact)
        if self._forms:
            self.pay.set_compact(compact)
            self.manage.set_compact(compact)
            self.cash.set_compact(compact)
        self.sell.tray.set_compact(compact)

    def show_display(self, on: bool) -> None:
        """Whether the customer's display is open."""
        self._display = on
        if self._forms:
            self.pay.show_display(on)

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
            case "terminal":
                self.terminal.open(ask_minor(flow.counter))
            case "cashback" if view is not None:
                self.cashback.open(view)
            case "byhand" if view is not None:
                self.byhand.open(view)
            case "release" if view is not None:
                self.release.open(view)
            case "refund" if view is not None:
                self.refund.open(view)
            case "second":
                self.second.open()
            case "count":
                self.count.open()
            case "attach" if flow.exception is not None:
                self.attach.open(flow.exception)
            case "settle" if flow.exception is not None:
                self.settle.open(flow.exception)

    def show_receipt(self, lines: list[str], title: str = "") -> None:
        self.receipt.show_lines(lines, title)
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
        self.release.answered.connect(lambda why: self._decide(lambda by: self._of_page(window).release(why, by)))
        self.terminal.answered.connect(lambda note: self._done(lambda: flow.counter.take_cash(slip=note)))
        self.byhand.answered.connect(
            lambda why: self._decide(lambda by: self._of_page(window).release(why, by, believed=True))
        )
        self.refund.answered.connect(
            lambda minor, why: self._decide(lambda by: self._of_page(window).refund(minor, why, by))
        )
        self.second.answered.connect(flow.decide.again)
        window.papers.receipt_read.connect(self.show_receipt)
        window.papers.note_read.connect(lambda lines: self.show_receipt(lines, Paid.NOTE_TITLE))
        window.returning.written.connect(window.papers.print_note)
        self.giveback.answered.connect(
            lambda why: self._done(lambda: window.returning.give_back(window.subject(), why))
        )
        self.cashback.answered.connect(window.sharing.give_back)
        self.count.answered.connect(window.closing.close_day)
        self.attach.answered.connect(window.closing.attach)
        self.settle.answered.connect(window.closing.settle)
        self.settle.looked.connect(lambda order_id: self._done(lambda: window.closing.investigated.emit(order_id)))
        self.palette.chosen.connect(lambda action: self._done(action.trigger))
        self.help.list.chosen.connect(lambda action: self._done(action.trigger))

    def _of_page(self, window: MainWindow) -> Counter | HistoryControl:
        return window.history if self._flow.page == "orders" else self._flow.counter

    def _done(self, act: Callable[[], object]) -> None:
        """The panel goes first: what is done may open another one."""
        self._flow.close()
        act()

    def _decide(self, act: Callable[[str], object]) -> None:
        """As `_done`; `act` takes the name of a second manager, where one is needed."""
        self._done(lambda: self._flow.decide(act))

    def _try(self, act: Callable[[], object]) -> None:
        """What cannot be stays on screen with the reason in the banner."""
        try:
            act()
        except PosError as error:
            self._flow.failed.emit(error)
            return
        self._flow.close()
