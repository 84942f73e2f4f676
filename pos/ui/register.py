"""The table of commands: every action, its key, and when it may. One line each, grouped by where it is used."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from pos.ui.counter import Stage
from pos.words.shell import Commands as Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from pos.ui.main_window import MainWindow

TRAY_CARDS = 8
ENTER = "Return Enter"
_GO_ON = {Stage.WAITING, Stage.UNKNOWN, Stage.PAID, Stage.OWED, Stage.OPEN}


def register(window: MainWindow) -> None:
    """Fill the window's register. Whether a command may run is asked of flow and counter each time."""
    _ringing(window)
    _tendering(window)
    _deciding(window)
    _places(window)
    _gateways(window)
    _papers(window)
    _looks(window)


def register_gateways(window: MainWindow) -> None:
    """One command per gateway, once the till is there and when they change: F12 takes the first, the palette all."""
    flow = window.flow
    for name in window.commands.starting_with("pay.qr."):
        window.commands.remove(name)
    for choice in flow.counter.till.queries.gateways():
        if choice.enabled:
            words = Words.PAY_QR_WITH.format(gateway=choice.title)
            run = _bound(flow.pay_qr, choice)
            may = partial(_may_pay_by, window, choice.name)
            window.commands.add(f"pay.qr.{choice.name}", words, "", run, enabled=may)


def _may_pay_by(window: MainWindow, gateway: str) -> bool:
    """Whatever may be paid by QR; and an open link may give way to one of another gateway, which closes it first."""
    flow, counter = window.flow, window.flow.counter
    if window.commands["pay.qr"].isEnabled():
        return True
    attempt = counter.view.attempt if counter.view is not None else None
    here = flow.page == "sell" and not flow.overlay and not counter.asking
    return here and counter.may("switch") and attempt is not None and attempt.gateway != gateway


def _ringing(window: MainWindow) -> None:
    add, flow, counter = window.commands.add, window.flow, window.flow.counter

    def has_lines() -> bool:
        return flow.left == "sell" and counter.editable and bool(counter.basket.lines)

    def may_hold() -> bool:
        return flow.left in ("sell", "held", "cash") and counter.editable and counter.ready

    add("search", Words.SEARCH, "F2", lambda: window.selling.search())
    add("quantity", Words.QUANTITY, "F4", lambda: flow.open_for_line("quantity"), enabled=has_lines)
    add("hold", Words.HOLD, "F6", flow.hold_or_recall, enabled=may_hold)
    add("held", Words.HELD_LIST, "Shift+F6", lambda: flow.open("held"), enabled=lambda: counter.ready)
    add("discount", Words.DISCOUNT, "F8", lambda: flow.open_for_line("discount"), enabled=has_lines)
    add("line.delete", Words.DELETE_LINE, "Del", counter.basket.remove, enabled=has_lines)
    add("tray", Words.TRAY, "Ctrl+T", lambda: window.selling.toggle_tray(), enabled=lambda: counter.ready)
    for no in range(1, TRAY_CARDS + 1):
        words, run = Words.TRAY_CARD.format(n=no), _bound(lambda at: window.selling.open_card(at), no)
        add(f"tray.{no}", words, f"Alt+{no}", run, enabled=lambda: window.selling.tray_open, listed=False)


def _tendering(window: MainWindow) -> None:
    add, flow, counter = window.commands.add, window.flow, window.flow.counter

    def tender(what: str) -> bool:
        return flow.page == "sell" and flow.overlay in ("", "cash") and counter.may(what) and not counter.asking

    def splittable() -> bool:
        return flow.page == "sell" and counter.may("split") and not counter.asking

    def by_terminal() -> bool:
        return tender("terminal") and not flow.overlay

    def may_split() -> bool:
        """F10 again, as F9 again is exact cash; and at once where the terminal's turn has not come."""
        return splittable() and (flow.overlay in ("cash", "terminal") or (not flow.overlay and not by_terminal()))

    def on_split() -> bool:
        return flow.page == "sell" and flow.overlay == "split"

    def on_cash() -> bool:
        return flow.page == "sell" and flow.overlay == "cash"

    def enough() -> bool:
        return window.selling.cash_enough()

    def exact() -> bool:
        return on_cash() and counter.may("cash")

    def go_on() -> bool:
        return flow.left == "pay" and counter.stage in _GO_ON and not counter.busy

    add("pay.qr", Words.PAY_QR, "F12", flow.pay_qr, enabled=lambda: tender("qr"))
    add("cash", Words.CASH, "F9", lambda: window.selling.open_cash(), enabled=lambda: tender("cash") and not on_cash())
    add("cash.exact", Words.EXACT_CASH, "F9", lambda: window.selling.exact_cash(), enabled=exact)
    add("cash.received", Words.CASH_RECEIVED, ENTER, lambda: window.selling.take_cash(), enabled=enough)
    add("terminal", Words.TERMINAL, "F10", lambda: flow.open("terminal"), enabled=by_terminal)
    add("split", Words.SPLIT, "F10", lambda: window.sharing.open(), enabled=may_split)
    add("split.plan", Words.SPLIT, "", lambda: window.sharing.open(), enabled=splittable)
    add("split.less", Words.SPLIT_LESS, "Del", lambda: window.sharing.less(), enabled=on_split, listed=False)
    add("cash.clear", Words.CLEAR_CASH, "Del", lambda: window.selling.clear_cash(), enabled=on_cash, listed=False)
    add("next", Words.NEXT_CUSTOMER, ENTER, flow.next_customer, enabled=go_on)


def _deciding(window: MainWindow) -> None:
    add, flow, counter = window.commands.add, window.flow, window.flow.counter

    def may(what: str) -> bool:
        view = window.subject()
        on_page = flow.page in ("sell", "orders") and not flow.overlay  # elsewhere F5 and F7 are about other things
        return on_page and view is not None and not counter.busy and what in view.may

    def owed() -> bool:
        view = window.subject()
        return may("refund") and view is not None and view.owed_minor > 0

    def may_give_up() -> bool:
        if flow.page != "sell" or counter.busy or counter.asking or not counter.ready:
            return False
        if counter.stage is Stage.RINGING:
            return bool(counter.basket.lines) and flow.overlay in ("", "void")
        return not flow.overlay and (counter.may("give_up") or counter.may("void"))

    add("check", Words.CHECK, "F5", lambda: window.decide("check"), enabled=lambda: may("check"))
    add("release", Words.RELEASE, "Ctrl+M", lambda: flow.open("release"), enabled=lambda: may("release"))
    add("by_hand", Words.BY_HAND, "Ctrl+B", lambda: flow.open("byhand"), enabled=lambda: may("by_hand"))
    add("refund.owed", Words.REFUND_OWED, "F7", lambda: window.decide("refund_owed"), enabled=owed)
    add("return", Words.RETURN, "F7", lambda: window.returning.open(window.subject()), enabled=lambda: may("return_"))
    money = Words.GIVE_MONEY_BACK
    add("refund", money, "Shift+F7", lambda: flow.open("refund"), enabled=lambda: may("refund") and not owed())
    void = Words.GIVE_BACK_AND_VOID
    add("give_back", void, "F7", lambda: flow.open("giveback"), enabled=lambda: may("give_back"))
    add("cash_back", Words.CASH_BACK, "Ctrl+F7", lambda: flow.open("cashback"), enabled=lambda: may("cash_back"))
    add("give_up", Words.GIVE_UP, "Ctrl+Del", flow.give_up, enabled=may_give_up)
    add("confirm", Words.CONFIRM, ENTER, lambda: window.confirm(), enabled=lambda: window.can_confirm(), listed=False)


def _places(window: MainWindow) -> None:
    add, flow, counter = window.commands.add, window.flow, window.flow.counter

    def ready() -> bool:
        return counter.ready

    def on_day() -> bool:
        return flow.left == "day" and ready() and not window.closing.reading

    def opened() -> bool:
        return flow.left == "orders" and window.history.view is not None

    def may_close() -> bool:
        return on_day() and window.closing.can_close

    add("help", Words.HELP, "F1", lambda: flow.open("help"))
    add("find", Words.FIND, "Ctrl+K", lambda: flow.open("palette"))
    add("back", Words.BACK, "Esc", lambda: window.back())
    add("sell", Words.SELL, "Ctrl+1", lambda: flow.go("sell"))
    add("orders", Words.ORDERS, "Ctrl+2", lambda: flow.go("orders"), enabled=ready)
    add("reconcile", Words.RECONCILE, "Ctrl+3", lambda: flow.go("reconcile"), enabled=ready)
    add("manage", Words.MANAGE, "Ctrl+4", lambda: flow.go("manage"))
    add("day", Words.END_OF_DAY, "F11", lambda: flow.go("reconcile"), enabled=ready)
    add("orders.find", Words.FIND_ORDER, "Ctrl+F", lambda: window.history.find(), enabled=ready)
    add("order.open", Words.OPEN_ORDER, "Ctrl+O", lambda: window.history.open_at_counter(), enabled=opened)
    add("day.again", Words.RUN_AGAIN, "F5", lambda: window.closing.read(), enabled=on_day)
    add("day.export", Words.EXPORT, "Ctrl+E", lambda: window.papers.export_day(), enabled=on_day)
    add("day.close", Words.CLOSE_DAY, "Ctrl+Return", lambda: flow.open("count"), enabled=may_close)


def _gateways(window: MainWindow) -> None:
    add, flow = window.commands.add, window.flow

    def here() -> bool:
        return flow.left == "manage" and flow.section == "gateways" and not window.setup.busy

    def known() -> bool:
        return here() and window.setup.card is not None and not window.setup.card.problem

    def listed() -> bool:
        return known() and window.setup.card is not None and window.setup.card.listed

    def testable() -> bool:
        return known() and window.setup.card is not None and window.setup.card.takes_payments

    def behind() -> bool:
        return testable() and window.setup.card is not None and window.setup.card.place > 1

    def hooked() -> bool:
        return here() and bool(window.setup.hook_address)

    def vault() -> bool:
        return here() and window.setup.safe.kind == "vault" and not window.setup.safe.open

    def may() -> bool:
        return window.whole and window.setup.allowed

    add("gateways", Words.GATEWAYS, "Ctrl+G", lambda: window.setup.open_section("gateways"), enabled=may)
    add("gateway.add", Words.ADD_GATEWAY, "Ctrl+N", lambda: window.setup.open_keys(adding=True), enabled=here)
    add("gateway.keys", Words.GATEWAY_KEYS, "Ctrl+R", lambda: window.setup.open_keys(adding=False), enabled=known)
    add("gateway.test", Words.TEST_GATEWAY, "F5", lambda: window.setup.test(), enabled=testable)
    add("gateway.first", Words.GATEWAY_FIRST, "", lambda: window.setup.use_first(), enabled=behind)
    add("gateway.hook", Words.COPY_HOOK, "Ctrl+Shift+C", lambda: window.setup.copy_hook(), enabled=hooked)
    add("gateway.remove", Words.REMOVE_KEYS, "", lambda: flow.open("remove"), enabled=listed)
    add("vault", Words.VAULT, "", lambda: window.setup.open_vault(), enabled=vault)


def _papers(window: MainWindow) -> None:
    add = window.commands.add

    def receipt() -> bool:
        return window.whole and window.papers.has_receipt

    def placed() -> bool:
        return window.whole and window.subject() is not None

    def printable() -> bool:
        return window.whole and window.papers.printable

    def note() -> bool:
        return window.whole and window.papers.has_note

    def link() -> bool:
        return window.whole and bool(window.papers.link)

    add("print", Words.PRINT, "Ctrl+P", lambda: window.papers.print_shown(), enabled=printable)
    add("receipt.show", Words.SHOW_RECEIPT, "Ctrl+Q", lambda: window.papers.show_receipt(), enabled=receipt)
    add("note.show", Words.SHOW_NOTE, "", lambda: window.papers.show_note(), enabled=note)
    add("evidence.save", Words.SAVE_EVIDENCE, "", lambda: window.papers.save_evidence(), enabled=placed)
    add("receipt.save", Words.SAVE_RECEIPT, "Ctrl+S", lambda: window.papers.save_receipt(), enabled=receipt)
    add("copy_link", Words.COPY_LINK, "Ctrl+C", lambda: window.papers.copy_link(), enabled=link)


def _looks(window: MainWindow) -> None:
    add = window.commands.add
    for name, words in (("light", Words.THEME_LIGHT), ("dark", Words.THEME_DARK), ("contrast", Words.THEME_CONTRAST)):
        add(f"theme.{name}", words, "", _bound(lambda name: _wear(window, name), name))
    add("display", Words.CUSTOMER_DISPLAY, "Ctrl+D", lambda: window.toggle_display())
    add("full_screen", Words.FULL_SCREEN, "Ctrl+Shift+F", lambda: _toggle_full_screen(window))
    add("quit", Words.QUIT, "Ctrl+Shift+Q", window.close)


def _wear(window: MainWindow, name: str) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    window.kit.theme.wear(app, name)


def _toggle_full_screen(window: MainWindow) -> None:
    window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)


def _bound(run: Callable[[Any], object], value: object) -> Callable[[], object]:
    return lambda: run(value)
