"""What every tender needs: the way is free, the row is written with all that follows. Under the order's lock."""

from __future__ import annotations

from dataclasses import dataclass

from pos.domain.cash import Method, Tender, follows_ms
from pos.domain.errors import Refused
from pos.domain.joins import Bundle
from pos.domain.movement import Effect, ZEntry
from pos.domain.order import Life, Order
from pos.domain.plan import Way
from pos.domain.store_port import Tx
from pos.domain.verdict import fold
from pos.services.context import Context
from pos.services.issue import check_fence
from pos.services.movements import DRAWER_VALID_MS, RECEIPT_VALID_MS
from pos.services.orderview import view_of
from pos.services.planned import ask_in
from pos.services.selling import Selling
from pos.services.settle import Settle
from pos.services.views import OrderView


@dataclass(frozen=True, slots=True)
class Free:
    """An order that money may be taken for now: placed, every link of it known closed, something left to pay.

    `amount_minor` is what may be taken in this way: all that is left, or the next part of the order's plan.
    """

    order: Order
    bundle: Bundle
    amount_minor: int
    at_ms: int


class Tendering:
    def __init__(self, context: Context, settle: Settle, selling: Selling) -> None:
        self._context = context
        self._settle = settle
        self._selling = selling

    def free(self, tx: Tx, order_id: str, way: Way) -> Free:
        """Lock the order, place it, and make sure that nothing else can still pay it.

        Raises:
            Refused: voided, nothing left, a payment may still come, or the plan says another way comes next.
        """
        order = tx.orders.lock(order_id)
        if order.life is Life.VOIDED:
            raise Refused(f"Order {order.number} is voided.", "Ring it up again.")
        placed = self._selling.place(tx, order)
        bundle = tx.facts.bundle(order_id, placed)
        verdict = fold(bundle)
        check_fence(bundle.attempts, order.number)
        if any(a.live for a in bundle.attempts) or verdict.in_flight:
            raise Refused(f"A payment of order {order.number} may still come.", "Wait until it is settled.")
        if verdict.left_minor == 0:
            raise Refused(f"Order {order.number} has nothing left to pay.", "Do not take any more money.")
        amount = ask_in(tx, placed, verdict, way).amount_minor
        # what was shown and closed before this is not written as later, whatever this till's clock says
        before = [at_ms for a in bundle.attempts for at_ms in (a.shown_at_ms, a.fenced_at_ms)]
        return Free(placed, bundle, amount, follows_ms((), self._context.now_ms(), *before))

    def write(self, tx: Tx, tender: Tender, act: str, note: str = "", approved_by: str = "") -> OrderView:
        """The tender with its Z entry, its effects and its line in the journal; the order as it is after that."""
        now, till = self._context.now_ms(), self._context.shop.till
        tx.money.add_tender(tender)
        method, amount, at = tender.method, tender.amount_minor, tender.at_ms
        tx.money.enter([ZEntry("tender", tender.id, tender.order_id, till, method, amount, tender.currency, at)])
        due = {"drawer": DRAWER_VALID_MS} if method is Method.CASH else {}
        # whoever gets cash back for a link gets a paper with it
        due |= {"receipt": RECEIPT_VALID_MS} if amount > 0 or tender.payment else {}
        tx.money.add_effects([Effect(tender.order_id, name, tender.id, now, now + ms) for name, ms in due.items()])
        body = {"amount_minor": amount} | ({"reason": note} if note else {})
        body |= {"approved_by": approved_by} if approved_by else {}
        tx.journal.append(now, tender.actor, act, tender.order_id, body)
        self._settle.refold(tx, tender.order_id, now)
        return view_of(tx, tender.order_id, now)
