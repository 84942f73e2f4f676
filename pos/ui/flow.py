"""What happens between the screens: which page and panel is shown, what a scan or a key starts. Views only show it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from pos.domain.basket import MILLI, parse_quantity
from pos.domain.errors import NotFound, PosError
from pos.ui.counter import Counter, Stage
from pos.ui.models.tiles import Catalogue
from pos.words.sell import Quantity, Sell
from pos.words.shell import Banner

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    from pos.domain.catalogue import Product
    from pos.services.views import ExceptionView, GatewayChoice
    from pos.ui.tasks import Tasks

MAX_QUEUED_SCANS = 100
"""Scans kept while the till is still starting."""
PREFIX = re.compile(r"\s*(\d{1,4}(?:[.,]\d{1,3})?)\s*\*\s*(.*)")
"""`3*` or `0,25*` before a code or a tap."""
SIDE = {"sell": "cart", "orders": "detail", "reconcile": "totals", "manage": ""}
"""What stands on the right of a page; "" where the page has the whole width."""
LEFT = {"orders": "orders", "reconcile": "day", "manage": "manage"}


class Deciding:
    """Does what a manager decided; `act` takes the name of a second one, "" at first."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close
        self._act: Callable[[str], object] | None = None

    def __call__(self, act: Callable[[str], object]) -> None:
        self._act = act
        act("")

    def again(self, name: str) -> None:
        """Another manager is named: what was decided is done with both."""
        self._close()
        if self._act is not None:
            self._act(name)


class Flow(QObject):
    """`arranged` when another page or panel is to be shown; `failed` and `noted` for the banner."""

    arranged = Signal()
    failed = Signal(object)
    noted = Signal(str)
    scanned = Signal()
    prefix_used = Signal()

    def __init__(self, counter: Counter, tasks: Tasks) -> None:
        super().__init__()
        self._tasks = tasks
        self._queued: list[tuple[str, int]] = []
        self._later: list[tuple[Product, int]] = []
        self.counter = counter
        self.catalogue = Catalogue()
        self.page = "sell"
        self.overlay = ""
        self.section = ""
        """The entry of Manage that is open; "" the first that whoever works here may see."""
        self.exception: ExceptionView | None = None
        """The exception that the open panel is about."""
        self.decide = Deciding(self.close)
        counter.failed.connect(self.failed)
        counter.basket.failed.connect(self.failed)
        counter.changed.connect(self.arranged)
        counter.changed.connect(self._ring_up_later)

    # Places ---------------------------------------------------------------------------------------------------------

    @property
    def left(self) -> str:
        if self.overlay:
            return self.overlay
        if self.page == "sell":
            return "sell" if self.counter.stage is Stage.RINGING else "pay"
        return LEFT[self.page]

    @property
    def right(self) -> str:
        return SIDE[self.page]

    def go(self, page: str) -> None:
        self.page, self.overlay = page, ""
        self.arranged.emit()

    def open(self, overlay: str) -> None:
        self.overlay = "" if overlay == self.overlay else overlay
        self.arranged.emit()

    def close(self) -> None:
        """Back, and nothing else."""
        if self.overlay:
            self.overlay = ""
            self.arranged.emit()

    # Scanning and choosing ------------------------------------------------------------------------------------------

    def scan(self, code: str, typed: str = "") -> None:
        """A code from the scanner; `typed` is what stands in the scan field and may be a quantity."""
        match = PREFIX.fullmatch(typed)
        quantity = self._quantity(match.group(1)) if match else MILLI
        if match:
            self.prefix_used.emit()
        if quantity is not None:
            self._sell(code, quantity)

    def enter(self, typed: str, first_found: Product | None) -> bool:
        """Enter in the scan field; True when the field may be cleared."""
        text = typed.strip()
        match = PREFIX.fullmatch(text)
        quantity: int | None = MILLI
        if match:
            quantity, text = self._quantity(match.group(1)), match.group(2).strip()
        if not text or quantity is None:
            return False
        product = self.catalogue.by_code(text) or first_found
        if product is not None:
            self._add(product, quantity)
        else:
            self._sell(text, quantity)
        return True

    def pick(self, product: Product, typed: str = "") -> None:
        """A tile was tapped."""
        match = PREFIX.fullmatch(typed)
        quantity = self._quantity(match.group(1)) if match and not match.group(2) else MILLI
        if match:
            self.prefix_used.emit()
        if quantity is not None:
            self._add(product, quantity)

    def ready(self) -> None:
        """The till is built: scans that waited are rung up now."""
        queued, self._queued = self._queued, []
        for code, quantity in queued:
            self._sell(code, quantity)

    def _sell(self, code: str, quantity_milli: int) -> None:
        product = self.catalogue.by_code(code)
        if product is not None:
            self._add(product, quantity_milli)
        elif not self.counter.ready:
            if len(self._queued) < MAX_QUEUED_SCANS:
                self._queued.append((code, quantity_milli))
                self.noted.emit(Banner.NOT_READY)
        else:
            work = self.counter.till.catalogue.find(code)
            self._tasks.start(self, work, lambda found: self._add(found, quantity_milli), self.failed.emit)

    def _add(self, product: Product, quantity_milli: int) -> None:
        if self.counter.asking or self.counter.busy:
            # the order on the counter is being placed: what is scanned now belongs to the next one
            if len(self._later) < MAX_QUEUED_SCANS:
                self._later.append((product, quantity_milli))
            return
        if self.page != "sell" or self.overlay not in ("", "cash"):
            self.go("sell")
        if self.counter.stage is not Stage.RINGING:
            self.counter.next_customer()
        try:
            self.counter.basket.add(product, quantity_milli)
            self.scanned.emit()
        except PosError as error:
            self.failed.emit(error)

    def _ring_up_later(self) -> None:
        if self._later and not (self.counter.asking or self.counter.busy):
            later, self._later = self._later, []
            for product, quantity in later:
                self._add(product, quantity)

    def _quantity(self, text: str) -> int | None:
        try:
            return parse_quantity(text.replace(",", "."))
        except PosError as error:
            self.failed.emit(error)
            return None

    # Panels that need something to stand on -------------------------------------------------------------------------

    def open_for_line(self, overlay: str) -> None:
        if self.counter.basket.current is None:
            self.failed.emit(NotFound(Quantity.NO_LINE, Quantity.NO_LINE_HINT))
        else:
            self.open(overlay)

    def pay_qr(self, gateway: GatewayChoice | None = None) -> None:
        chosen = gateway or self.counter.default_gateway()
        if chosen is None:
            self.failed.emit(NotFound(Sell.NO_GATEWAY, Sell.NO_GATEWAY_HINT))
            return
        if gateway is None:
            self._say_who_steps_in(chosen)
        self.page, self.overlay = "sell", ""  # arranged with the counter's own change: once, not twice
        self.counter.pay_qr(chosen)

    def _say_who_steps_in(self, chosen: GatewayChoice) -> None:
        """The first one does not answer, so F12 is another one's for now."""
        first = next((choice for choice in self.counter.till.queries.gateways() if choice.enabled), chosen)
        if first.down and first.name != chosen.name:
            self.noted.emit(Sell.STEPS_IN.format(first=first.title, other=chosen.title))

    def hold_or_recall(self) -> None:
        """Hold what is rung up; with an empty cart show what is held."""
        placed = self.counter.view
        if placed is not None and self.counter.stage is Stage.RINGING:  # asked for a link once: it has its number
            self.next_customer()
            self.noted.emit(Sell.LEFT_UNPAID.format(number=placed.number))
        elif self.counter.basket.lines and self.counter.stage is Stage.RINGING:
            self.counter.hold()
        else:
            self.open("held")

    def give_up(self) -> None:
        """Close an open link; while ringing ask why the sale is given up."""
        if self.counter.stage is not Stage.RINGING and self.counter.may("give_up"):
            self.counter.give_up()
        else:
            self.open("void")

    def next_customer(self) -> None:
        self.overlay = ""
        self.counter.next_customer()

    def start(self, work: Coroutine[Any, Any, Any], then: Any) -> None:
        """A service's answer for a screen; errors go to the banner."""
        self._tasks.start(self, work, then, self.failed.emit)

    def ask(self, work: Coroutine[Any, Any, Any], then: Any, wrong: Any) -> asyncio.Task[Any]:
        """As `start`, where a failure changes what is shown."""
        return self._tasks.start(self, work, then, wrong)
