"""Reading: lists, one order, the status lights. Never writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pos.domain.errors import PosError, ReadOnly
from pos.domain.money import to_major
from pos.domain.order import Life
from pos.domain.rows import OrderFilter
from pos.domain.shown import Shown
from pos.domain.verdict import Money
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.dossier import dossier
from pos.services.orderview import find_order, row_of_line, view_of
from pos.services.people import People
from pos.services.receipts import receipt_lines
from pos.services.timeline import timeline
from pos.services.views import GatewayChoice, OrderRow, OrderView, StatusView, TimelineRow
from pos.words.formats import Formats

HEARD_LIMIT_MS = 30_000
CHANGED_MAX = 5_000
ROWS_AT_ONCE = 100
"""So many lines are read in one go: the window's thread waits for the rest of a long list between them."""
_LIVES = {life.value for life in Life}
_MONIES = {money.value for money in Money}
_OPEN = {Shown.WAITING.value, Shown.UNKNOWN.value}
STATUSES = ("draft", "held", "placed", "voided", "unpaid", "waiting", "unknown", "part_paid", "paid", "overpaid")


class RelayHealth:
    """When the relay was last heard; the listener tells, the lights read."""

    def __init__(self) -> None:
        self.heard_at_ms: int | None = None
        self.connected = False
        self.locked = False
        """This till's token lies in what is not open now."""

    def word(self, configured: bool, now_ms: int) -> str:
        """ok only with a heartbeat in the last 30 s."""
        if not configured:
            return "off"
        if self.heard_at_ms is not None and now_ms - self.heard_at_ms < HEARD_LIMIT_MS and self.connected:
            return "ok"
        return "locked" if self.locked else "down"


class Queries:
    def __init__(self, context: Context, desk: Desk, people: People, relay: RelayHealth, formats: Formats) -> None:
        self._context = context
        self._desk = desk
        self._people = people
        self._relay = relay
        self._formats = formats
        self._last = self._unread()

    async def order(self, order_id: str) -> OrderView:
        """By id, printed number or the caller's key; NotFound otherwise."""
        now = self._context.now_ms()
        return await self._context.store.read(lambda tx: view_of(tx, find_order(tx, order_id).id, now))

    async def timeline(self, order_id: str) -> list[TimelineRow]:
        money = self._formats.money
        return await self._context.store.read(lambda tx: timeline(tx, find_order(tx, order_id), money))

    async def dossier(self, order_id: str) -> dict[str, Any]:
        """All that is known of one order, with every sighting and call; shape: `pos.services.dossier`."""
        shop, money, now = self._context.shop, self._formats.money, self._context.now_ms()
        return await self._context.store.read(lambda tx: dossier(tx, order_id, shop, money, now))

    async def orders(self, *, status: str = "", day: str = "", text: str = "", limit: int = 500) -> list[OrderRow]:
        """A list, newest first. `status` is one of the words of payment-truth."""
        where = OrderFilter(
            day=day,
            text=text.strip(),
            lives=(status,) if status in _LIVES else (),
            monies=(status,) if status in _MONIES else (),
            live_only=status in _OPEN,
            limit=limit,
        )
        rows = await self._rows(where)
        return [row for row in rows if status not in _OPEN or row.shown == status]

    async def waiting(self) -> list[OrderRow]:
        """Orders that wait for their payment, or whose outcome is not known."""
        return [row for row in await self._rows(OrderFilter(live_only=True)) if row.shown in _OPEN]

    async def held(self) -> list[OrderRow]:
        return await self._rows(OrderFilter(lives=(Life.HELD.value,)))

    async def changed_since(self, touch: int, known: Mapping[str, int]) -> tuple[list[OrderRow], int]:
        """Orders that any process changed after `touch`, and the newest counter; `known`: versions told of already."""

        read = self._context.store.read
        touched, newest = await read(lambda tx: tx.sync.touched_since(touch, CHANGED_MAX))
        news = [order_id for order_id, version in touched if known.get(order_id, -1) < version]
        rows: list[OrderRow] = []
        for start in range(0, len(news), ROWS_AT_ONCE):
            part = tuple(news[start : start + ROWS_AT_ONCE])
            rows += await self._rows(OrderFilter(ids=part, limit=ROWS_AT_ONCE))
        return rows, newest

    async def _rows(self, where: OrderFilter) -> list[OrderRow]:
        """Made where they are read: hundreds of them take longer than a frame of the window that waits here."""
        now = self._context.now_ms()
        return await self._context.store.read(lambda tx: [row_of_line(line, now) for line in tx.orders.lines_of(where)])

    async def status(self) -> StatusView:
        """The lights, as they truly are; while the books do not answer, as they last were, and with what is wrong."""
        trouble: PosError | None = self._context.store.trouble
        try:
            self._last = await self._status()
        except PosError as error:
            trouble = error
        if trouble is None:
            return self._last
        books = "read_only" if isinstance(trouble, ReadOnly) else "down"
        return replace(self._last, books=books, problem=trouble.title, problem_hint=trouble.hint)

    async def _status(self) -> StatusView:
        shop, now = self._context.shop, self._context.now_ms()
        rows = await self.waiting()
        run = await self._context.store.read(lambda tx: tx.sync.last_run())
        shift = await self._context.store.read(lambda tx: tx.days.open_shift(shop.till))
        entries = self._desk.enrolled.values()
        words = ["locked" if entry.locked else self._desk.health[entry.name].word for entry in entries]
        words += ["down"] * len(self._desk.unloaded)
        gateway = next((w for w in ("locked", "down", "slow") if w in words), "ok") if words else "off"
        words = [row.shown for row in rows]
        return StatusView(
            gateway=gateway,
            relay=self._relay.word(bool(shop.relay_url), now),
            relay_heard_at_ms=self._relay.heard_at_ms,
            reconciled_at_ms=run.ended_at_ms if run and run.complete else None,
            waiting=words.count(Shown.WAITING),
            unknown=words.count(Shown.UNKNOWN),
            test_mode=shop.test_mode,
            shop=shop.name,
            till=shop.till,
            shift_no=shift.no if shift else None,
            shift_opened_at_ms=shift.opened_at_ms if shift else None,
            user=self._people.current(),
            role=self._people.role(self._people.current()),
        )

    def _unread(self) -> StatusView:
        """Before the first look into the books."""
        shop, user = self._context.shop, self._people.current()
        return StatusView(
            gateway="off",
            relay=self._relay.word(bool(shop.relay_url), 0),
            relay_heard_at_ms=None,
            reconciled_at_ms=None,
            waiting=0,
            unknown=0,
            test_mode=shop.test_mode,
            shop=shop.name,
            till=shop.till,
            shift_no=None,
            shift_opened_at_ms=None,
            user=user,
            role=self._people.role(user),
        )

    def gateways(self) -> list[GatewayChoice]:
        """Those that do not load stand behind the others: F12 takes one only to be told why it cannot."""
        down = {name for name in self._desk.names() if self._desk.health[name].word == "down"}
        able = [GatewayChoice(e.name, e.title, e.mode, True, e.name in down) for e in self._desk.enrolled.values()]
        return able + [GatewayChoice(e.name, e.name, e.mode, True, True) for e in self._desk.unloaded.values()]

    async def receipt(self, order_id: str) -> list[str]:
        view = await self.order(order_id)
        when = self._formats.date_time(view.paid_at_ms or view.created_at_ms)
        shop = self._context.shop
        return receipt_lines(shop.name, view, lambda minor: to_major(minor, view.currency), when, test=shop.test_mode)
