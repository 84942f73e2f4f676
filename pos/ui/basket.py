"""The basket on the counter: lines shown at once and saved behind, one save at a time. Payment stands in counter.py."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from pos.domain.basket import MAX_LINES, MAX_QUANTITY_MILLI, MILLI, Line, Totals, totals
from pos.domain.errors import BadInput, Broken, PosError
from pos.domain.money import round_half_up
from pos.words.sell import Basket as Words
from pos.words.sell import Discount, GiveUp

if TYPE_CHECKING:
    import asyncio

    from pos.domain.catalogue import Product
    from pos.services.api import TillApi
    from pos.services.views import OrderView
    from pos.ui.tasks import Tasks

MAX_SAVES = 50
"""Saves in one flush: a scanner that never stops must not keep a payment waiting for ever."""


class Basket(QObject):
    """`lines` and `selected` are what the cart shows; `view` is the draft as saved last."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, tasks: Tasks, *, tax_included: bool, actor: str = "") -> None:
        super().__init__()
        self._tasks = tasks
        self._tax_included = tax_included
        self._till: TillApi | None = None
        self._lock: asyncio.Lock | None = None
        self._dirty = False
        self._queued = False
        self._sale = 0
        self.actor = actor
        self.lines: list[Line] = []
        self.selected = -1
        self.view: OrderView | None = None

    def attach(self, till: TillApi) -> None:
        """The till is ready: what was rung up until now is saved."""
        self._till = till
        self._tax_included = till.tax_included
        if self._dirty:
            self._save_soon()

    @property
    def totals(self) -> Totals:
        return totals(self.lines, tax_included=self._tax_included)

    @property
    def current(self) -> Line | None:
        return self.lines[self.selected] if 0 <= self.selected < len(self.lines) else None

    def add(self, product: Product, quantity_milli: int = MILLI) -> None:
        """One more of a product: the same line again, else a new one.

        Raises:
            BadInput: the basket or the quantity is full.
        """
        for at, line in enumerate(self.lines):
            if line.sku == product.sku and not line.discount_minor and not line.note:
                self._change(at, replace(line, quantity_milli=_checked(line.quantity_milli + quantity_milli)))
                return
        if len(self.lines) >= MAX_LINES:
            raise BadInput(Words.FULL.format(n=MAX_LINES), Words.FULL_HINT)
        line = Line(
            product.sku, product.name, _checked(quantity_milli), product.price_minor, product.tax_ppm, product.tax_name
        )
        self.lines.append(line)
        self.selected = len(self.lines) - 1
        self._touched()

    def set_quantity(self, quantity_milli: int) -> None:
        """Change the selected line; a discount stays the same share of it."""
        line = self.current
        if line is not None:
            changed = replace(line, quantity_milli=_checked(quantity_milli), discount_minor=0)
            share = round_half_up(line.discount_minor * changed.list_minor, line.list_minor or 1)
            self._change(self.selected, replace(changed, discount_minor=share))

    def discount(self, percent_ppm: int, reason: str) -> None:
        """Take a share (in millionths) off the selected line.

        Raises:
            BadInput: less than nothing or more than all.
        """
        if not 0 <= percent_ppm <= 1_000_000:
            raise BadInput(Discount.TOO_MUCH, Discount.TOO_MUCH_HINT)
        line = self.current
        if line is not None:
            off = round_half_up(line.list_minor * percent_ppm, 1_000_000)
            self._change(self.selected, replace(line, discount_minor=off, note=reason or line.note))

    def remove(self) -> None:
        """Take the selected line out."""
        if self.current is not None:
            del self.lines[self.selected]
            self.selected = min(self.selected, len(self.lines) - 1)
            self._touched()

    def select(self, row: int) -> None:
        if row != self.selected and -1 <= row < len(self.lines):
            self.selected = row
            self.changed.emit()

    def clear(self) -> None:
        """A new customer: nothing rung up, nothing saved."""
        self._sale += 1
        self.lines, self.selected, self.view, self._dirty = [], -1, None, False
        self.changed.emit()

    def load(self, view: OrderView) -> None:
        """Show an order that is saved: recalled, restored, or put back after its link was closed."""
        self._sale += 1
        self.lines, self.view, self._dirty = list(view.lines), view, False
        self.selected = len(self.lines) - 1
        self.changed.emit()

    def follow(self, view: OrderView) -> None:
        """The order was saved or changed elsewhere; unsaved lines stay."""
        self.view = view
        if not self._dirty:
            self.lines = list(view.lines)
            self.selected = min(self.selected, len(self.lines) - 1)

    async def flush(self) -> OrderView | None:
        """Save until nothing is unsaved; the draft, or None where the basket is empty."""
        self._queued = False
        import asyncio  # 60 ms: not before the first paint

        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            for _ in range(MAX_SAVES):
                if not self._dirty:
                    break
                await self._save()
        return self.view

    async def _save(self) -> None:
        if self._till is None:
            raise Broken(Words.STARTING, Words.STARTING_HINT)
        sale, before = self._sale, self.view
        self._dirty = False
        try:
            if self.lines:
                order_id = before.order_id if before else ""
                view = await self._till.selling.save(tuple(self.lines), order_id=order_id, actor=self.actor)
            elif before is not None:
                await self._till.selling.void(before.order_id, reason=GiveUp.EMPTIED, actor=self.actor)
                view = None
            else:
                view = None
        except PosError:
            self._dirty = sale == self._sale
            raise
        if sale == self._sale:
            self.view = view
            self.changed.emit()

    def _change(self, at: int, line: Line) -> None:
        self.lines[at] = line
        self.selected = at
        self._touched()

    def _touched(self) -> None:
        self._dirty = True
        self.changed.emit()
        self._save_soon()

    def _save_soon(self) -> None:
        if self._till is not None and not self._queued:
            self._queued = True
            self._tasks.start(self, self.flush(), on_error=self.failed.emit)


def _checked(quantity_milli: int) -> int:
    if not 0 < quantity_milli <= MAX_QUANTITY_MILLI:
        raise BadInput(Words.QUANTITY, Words.QUANTITY_HINT.format(n=MAX_QUANTITY_MILLI // MILLI))
    return quantity_milli
