"""Cash: taken under the order's lock, and only when no link of the order can still be paid."""

from __future__ import annotations

from collections.abc import Sequence

from pos.domain.basket import Line
from pos.domain.cash import Method, Tender
from pos.domain.errors import BadInput, OutcomeUnknown, Refused
from pos.domain.order import Life
from pos.domain.payment import Phase
from pos.domain.store_port import Tx, ZEntry
from pos.domain.verdict import fold
from pos.services.bus import OrderChanged
from pos.services.checkout import Checkout
from pos.services.context import Context
from pos.services.issue import check_fence
from pos.services.orderview import view_of
from pos.services.selling import Selling
from pos.services.settle import DRAWER_VALID_MS, RECEIPT_VALID_MS, Settle
from pos.services.views import OrderView


class Cash:
    def __init__(self, context: Context, settle: Settle, checkout: Checkout, selling: Selling) -> None:
        self._context = context
        self._settle = settle
        self._checkout = checkout
        self._selling = selling

    async def take(self, order_id: str, *, given_minor: int | None = None, actor: str = "") -> OrderView:
        """Take what is left to pay in cash; exact when `given_minor` is None. A live link is closed first.

        Raises:
            Refused: paid meanwhile, nothing left, or a link may still be paid.
            OutcomeUnknown: the link is not confirmed closed yet.
            BadInput: less was given than is to pay.
        """
        attempts = await self._context.store.read(lambda tx: tx.attempts.of_order(order_id))
        if any(a.live for a in attempts):
            view = await self._checkout.give_up(order_id, actor=actor)
            if view.left_minor == 0 and view.kept_minor:
                raise Refused("The customer has already paid.", "Do not take cash.")
            if view.attempt is not None and view.attempt.phase == Phase.CLOSING:
                raise OutcomeUnknown("The link is not confirmed closed yet.", "Do not take cash until it is.")
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
        now, till = self._context.now_ms(), self._context.shop.till
        order = tx.orders.lock(order_id)
        if order.life is Life.VOIDED:
            raise Refused(f"Order {order.number} is voided.", "Ring it up again.")
        placed = self._selling.place(tx, order)
        bundle = tx.facts.bundle(order_id)
        verdict = fold(bundle)
        check_fence(bundle.attempts, order.number)
        # what was closed before this is not written as closed later, whatever this till's clock says
        at = max([now, *(a.fenced_at_ms for a in bundle.attempts if a.fenced_at_ms is not None)])
        if any(a.live for a in bundle.attempts) or verdict.in_flight:
            raise Refused(f"A payment of order {order.number} may still come.", "Wait until it is settled.")
        if verdict.left_minor == 0:
            raise Refused(f"Order {order.number} has nothing left to pay.", "Do not take cash.")
        given = verdict.left_minor if given_minor is None else given_minor
        if given < verdict.left_minor:
            raise BadInput("That is less than what is to pay.", "Take the whole amount, or split the payment.")
        tender = Tender(
            id=self._context.ids.uuid7(),
            order_id=order_id,
            method=Method.CASH,
            amount_minor=verdict.left_minor,
            currency=placed.currency,
            at_ms=at,
            given_minor=given,
            actor=actor,
            till=till,
        )
        tx.money.add_tender(tender)
        entry = ZEntry("tender", tender.id, order_id, till, Method.CASH, tender.amount_minor, tender.currency, now)
        tx.money.enter(entry)
        tx.money.effect_once(order_id, "drawer", tender.id, now, now + DRAWER_VALID_MS)
        tx.money.effect_once(order_id, "receipt", tender.id, now, now + RECEIPT_VALID_MS)
        tx.journal.append(now, actor, "tender.cash", order_id, {"amount_minor": tender.amount_minor})
        self._settle.refold(tx, order_id, now)
        return view_of(tx, order_id, now)
