"""Cash: taken under the order's lock, and only when no link of the order can still be paid."""

from __future__ import annotations

from collections.abc import Sequence

from pos.domain.basket import Line
from pos.domain.cash import Method, Tender
from pos.domain.errors import BadInput
from pos.domain.order import Life
from pos.domain.plan import Way
from pos.domain.store_port import Tx
from pos.domain.verdict import fold
from pos.services.bus import OrderChanged
from pos.services.checkout import Checkout
from pos.services.context import Context
from pos.services.orderview import view_of
from pos.services.planned import check_way
from pos.services.selling import Selling
from pos.services.tendering import Tendering
from pos.services.views import OrderView


class Cash:
    def __init__(self, context: Context, tendering: Tendering, checkout: Checkout, selling: Selling) -> None:
        self._context = context
        self._tendering = tendering
        self._checkout = checkout
        self._selling = selling

    async def take(self, order_id: str, *, given_minor: int | None = None, actor: str = "") -> OrderView:
        """Take what is left to pay in cash, or the next part of the order's plan; exact when `given_minor` is None.

        A live link is closed first.

        Raises:
            Refused: paid meanwhile, nothing left, a link may still be paid, or the plan says another way comes next.
            OutcomeUnknown: the link is not confirmed closed yet.
            BadInput: less was given than is to pay.
        """
        await self._context.store.read(lambda tx: check_way(tx, order_id, Way.CASH))
        await self._checkout.end_links(order_id, actor=actor)
        view = await self._context.store.write(lambda tx: self._take(tx, order_id, given_minor, actor))
        self._context.bus.publish(OrderChanged(view.row))
        return view

    async def sell(self, lines: Sequence[Line], given_minor: int, *, key: str = "", actor: str = "") -> OrderView:
        """Ring up and take cash in one write; the same `key` again returns the same order."""

        def write(tx: Tx) -> OrderView:
            found = tx.orders.by_key(key) if key else None
            if found is not None and fold(tx.facts.bundle(found.id)).kept_minor:
                return view_of(tx, found.id, self._context.now_ms())
            order = found or self._selling.create(tx, lines, key=key, actor=actor, life=Life.DRAFT)
            return self._take(tx, order.id, given_minor, actor)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        return view

    def _take(self, tx: Tx, order_id: str, given_minor: int | None, actor: str) -> OrderView:
        free = self._tendering.free(tx, order_id, Way.CASH)
        amount = free.amount_minor
        given = amount if given_minor is None else given_minor
        if given < amount:
            raise BadInput("That is less than what is to pay.", "Take the whole amount, or split the payment.")
        tender = Tender(
            id=self._context.ids.uuid7(),
            order_id=order_id,
            method=Method.CASH,
            amount_minor=amount,
            currency=free.order.currency,
            at_ms=free.at_ms,
            given_minor=given,
            actor=actor,
            till=self._context.shop.till,
        )
        return self._tendering.write(tx, tender, "tender.cash")
