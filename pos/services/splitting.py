"""Splitting what is left to pay: the plan is saved first, then each way of paying asks for its next part.

A plan is a wish of the people at the counter. Nothing here decides money: `pos.domain.plan` says what is asked next,
from what the verdict says was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from pos.domain.errors import Refused
from pos.domain.order import Life, Order
from pos.domain.plan import Plan, Share, check_shares, standing
from pos.domain.store_port import Tx
from pos.domain.verdict import Verdict, fold
from pos.services.bus import OrderChanged
from pos.services.checkout import Checkout
from pos.services.context import Context
from pos.services.issue import check_fence
from pos.services.orderview import view_of
from pos.services.people import People
from pos.services.planned import as_placed
from pos.services.views import OrderView


class Splits:
    def __init__(self, context: Context, checkout: Checkout, people: People) -> None:
        self._context = context
        self._checkout = checkout
        self._people = people

    async def plan(self, order_id: str, shares: Sequence[Share], *, actor: str = "") -> OrderView:
        """Save how what is left is to be shared; an earlier plan is replaced, what was paid stays paid.

        A live link is closed first.

        Raises:
            BadInput: the shares do not make up what is left, or are not in order.
            Refused: voided, nothing left, paid meanwhile, or a link may still be paid.
            OutcomeUnknown: the link is not confirmed closed yet.
        """
        await self._context.store.read(lambda tx: check_shares(shares, _left(tx, order_id)))
        await self._checkout.end_links(order_id, actor=actor)

        def write(tx: Tx) -> OrderView:
            order, verdict = self._free(tx, order_id, actor)
            check_shares(shares, verdict.left_minor)
            return self._put(tx, order, verdict, tuple(shares), actor)

        return await self._write(write)

    async def drop(self, order_id: str, *, actor: str = "") -> OrderView:
        """Take the plan back: what is left may be paid in any way. Nothing happens where there is none.

        Raises:
            Refused: a link may still be paid.
        """

        def write(tx: Tx) -> OrderView:
            if standing(tx.plans.last(order_id), tx.orders.lock(order_id)) is None:
                return view_of(tx, order_id, self._context.now_ms())
            order, verdict = self._free(tx, order_id, actor)
            return self._put(tx, order, verdict, (), actor)

        return await self._write(write)

    def _free(self, tx: Tx, order_id: str, actor: str) -> tuple[Order, Verdict]:
        """Lock the order, and make sure that no link of it can still be paid; its verdict as if it were placed."""
        self._people.allow("sell", actor)
        order = tx.orders.lock(order_id)
        if order.life is Life.VOIDED:
            raise Refused(f"Order {order.number} is voided.", "Ring it up again.")
        bundle = as_placed(tx.facts.bundle(order_id, order))
        verdict = fold(bundle)
        check_fence(bundle.attempts, order.number)
        if any(a.live for a in bundle.attempts) or verdict.in_flight:
            raise Refused(f"A payment of order {order.number} may still come.", "Give up its link, then split it.")
        if verdict.left_minor == 0:
            raise Refused(f"Order {order.number} has nothing left to pay.", "There is nothing to split.")
        return order, verdict

    def _put(self, tx: Tx, order: Order, verdict: Verdict, shares: tuple[Share, ...], actor: str) -> OrderView:
        now, last = self._context.now_ms(), tx.plans.last(order.id)
        no = last.no + 1 if last else 1
        kept, name = verdict.kept_minor, self._context.ids.uuid7()
        tx.plans.add(Plan(name, order.id, no, order.revision, kept, shares, now, actor))
        body = {"no": no, "kept_minor": kept, "shares": [asdict(share) for share in shares]}
        tx.journal.append(now, actor, "order.split", order.id, body)
        tx.orders.update(order)  # its version moves, so that every screen looks again
        return view_of(tx, order.id, now)

    async def _write(self, write: Callable[[Tx], OrderView]) -> OrderView:
        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        return view


def _left(tx: Tx, order_id: str) -> int:
    return fold(as_placed(tx.facts.bundle(order_id))).left_minor
