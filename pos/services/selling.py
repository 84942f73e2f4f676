"""Ringing up: drafts, holding, placing, voiding. An order is saved before anybody is asked to pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pos.domain.basket import Line, check_lines, totals
from pos.domain.errors import Refused
from pos.domain.order import Life, Order
from pos.domain.payment import Phase
from pos.domain.rows import OrderFilter
from pos.domain.store_port import Tx
from pos.domain.verdict import fold
from pos.services.bus import OrderChanged
from pos.services.context import Context
from pos.services.orderview import view_of
from pos.services.people import People
from pos.services.shifts import open_shift
from pos.services.views import OrderView

LINK_OPEN = "Its link is still open."


class Selling:
    def __init__(self, context: Context, people: People) -> None:
        self._context = context
        self._people = people

    async def save(self, lines: Sequence[Line], *, order_id: str = "", actor: str = "") -> OrderView:
        """Save a draft; a new order where `order_id` is "".

        Raises:
            BadInput: nothing in it, or lines that cannot be sold.
            Refused: money or an open link stands on it.
        """
        check_lines(lines)
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            if order_id:
                self.change_lines(tx, order_id, lines)
                return view_of(tx, order_id, now)
            order = self.create(tx, lines, key="", actor=actor, life=Life.DRAFT)
            return view_of(tx, order.id, now)

        return self._announce(await self._context.store.write(write))

    def create(self, tx: Tx, lines: Sequence[Line], *, key: str, actor: str, life: Life) -> Order:
        """A new order inside the caller's transaction: row, first revision, journal."""
        check_lines(lines)
        self._people.allow("sell", actor)
        now, shop = self._context.now_ms(), self._context.shop
        order = Order(
            id=self._context.ids.uuid7(),
            number=tx.orders.next_number(shop.till),
            till=shop.till,
            currency=shop.currency,
            life=life,
            revision=1,
            total_minor=totals(lines, tax_included=shop.tax_included).total_minor,
            created_at_ms=now,
            day=shop.business_day(now),
            key=key,
            cashier=actor,
            lines=tuple(lines),
        )
        open_shift(tx, self._context, actor)
        tx.orders.insert(order)
        tx.orders.set_lines(order, lines, tax_included=shop.tax_included)
        body = {"number": order.number, "total_minor": order.total_minor, "currency": order.currency}
        tx.journal.append(now, actor, "order.saved", order.id, body)
        return order

    def change_lines(self, tx: Tx, order_id: str, lines: Sequence[Line]) -> Order:
        """New lines; a frozen revision, or one that was split, is left as it is and the next one begun."""
        order = tx.orders.lock(order_id)
        bundle = tx.facts.bundle(order_id)
        verdict = fold(bundle)
        busy = verdict.kept_minor or verdict.in_flight or any(a.live for a in bundle.attempts)
        if order.life is Life.VOIDED or busy:
            raise Refused(f"Order {order.number} cannot be changed now.", "Finish or close its payment first.")
        if any(a.was_shown and not a.fenced for a in bundle.attempts):
            raise Refused(f"Order {order.number} cannot be changed now.", LINK_OPEN)
        shop = self._context.shop
        total = totals(lines, tax_included=shop.tax_included).total_minor
        frozen = bool(bundle.attempts) or order.life is Life.PLACED or tx.plans.last(order_id) is not None
        changed = replace(order, total_minor=total, lines=tuple(lines), revision=order.revision + (1 if frozen else 0))
        tx.orders.update(changed)
        tx.orders.set_lines(changed, lines, tax_included=shop.tax_included)
        return changed

    def place(self, tx: Tx, order: Order) -> Order:
        """A draft becomes a sale: its revision is frozen."""
        now = self._context.now_ms()
        tx.orders.freeze(order.id, order.revision, now)
        if order.life is Life.PLACED:
            return order
        return tx.orders.update(replace(order, life=Life.PLACED))

    async def hold(self, order_id: str, *, actor: str = "") -> OrderView:
        return await self._move(order_id, Life.HELD, (Life.DRAFT,), actor)

    async def recall(self, order_id: str, *, actor: str = "") -> OrderView:
        return await self._move(order_id, Life.DRAFT, (Life.HELD,), actor)

    async def _move(self, order_id: str, to: Life, allowed: tuple[Life, ...], actor: str) -> OrderView:
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            order = tx.orders.lock(order_id)
            if order.life not in allowed:
                raise Refused(f"Order {order.number} is {order.life}.", "Open it from the list of orders.")
            tx.orders.update(replace(order, life=to))
            tx.journal.append(now, actor, f"order.{to}", order.id, {})
            return view_of(tx, order_id, now)

        return self._announce(await self._context.store.write(write))

    async def void(self, order_id: str, *, reason: str, actor: str = "") -> OrderView:
        """Void an order without money and without a link that could still be paid."""
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            self.void_in(tx, order_id, reason, actor)
            return view_of(tx, order_id, now)

        return self._announce(await self._context.store.write(write))

    def void_in(self, tx: Tx, order_id: str, reason: str, actor: str) -> None:
        """Raises Refused: money on it, or a shown link that is not known closed."""
        order = tx.orders.lock(order_id)
        bundle = tx.facts.bundle(order_id)
        verdict = fold(bundle)
        if verdict.kept_minor or verdict.in_flight:
            raise Refused(f"Order {order.number} has money on it.", "Give the money back first.")
        if any(a.live or (a.was_shown and not a.fenced and a.phase is not Phase.RELEASED) for a in bundle.attempts):
            raise Refused(f"Order {order.number} cannot be voided yet.", LINK_OPEN)
        if order.life is Life.VOIDED:
            return
        tx.orders.update(replace(order, life=Life.VOIDED, void_reason=reason))
        tx.journal.append(self._context.now_ms(), actor, "order.voided", order.id, {"reason": reason})

    async def unfinished(self) -> OrderView | None:
        """The newest draft of this till without any attempt."""
        now, till = self._context.now_ms(), self._context.shop.till

        def read(tx: Tx) -> OrderView | None:
            drafts = tx.orders.lines_of(OrderFilter(lives=(Life.DRAFT.value,), till=till, limit=1))
            return view_of(tx, drafts[0].order.id, now) if drafts else None

        return await self._context.store.read(read)

    def _announce(self, view: OrderView) -> OrderView:
        self._context.bus.publish(OrderChanged(view.row))
        return view
