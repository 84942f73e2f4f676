"""Money that we neither see nor count: a terminal of its own, and a payment accepted on a bank's word.

Both are what a person says. A gateway's fact outranks them: what was accepted by hand counts only what its link's
captures do not (design/payment-truth.md section 2), so that a capture that is learnt later is not a second payment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pos.domain.cash import Method, Tender
from pos.domain.errors import BadInput, Refused
from pos.domain.joins import Bundle
from pos.domain.order import Life
from pos.domain.payment import Attempt, Phase
from pos.domain.plan import Way
from pos.domain.store_port import Tx
from pos.domain.verdict import fold
from pos.services.approvals import Act, Approvals, Ask
from pos.services.bus import OrderChanged
from pos.services.checkout import Checkout
from pos.services.context import Context
from pos.services.planned import check_way
from pos.services.tendering import Tendering
from pos.services.views import OrderView

WATCH_MS = 60_000
"""A link that was given up because a bank's message was believed is looked at again so soon."""


class OtherTenders:
    def __init__(self, context: Context, tendering: Tendering, checkout: Checkout, approvals: Approvals) -> None:
        self._context = context
        self._tendering = tendering
        self._checkout = checkout
        self._approvals = approvals

    async def terminal(self, order_id: str, *, note: str = "", actor: str = "") -> OrderView:
        """What is left, or the next part of the plan, approved by a terminal that is not connected to this till.

        A live link is closed first.

        `note` is what the terminal's slip says: an approval code.

        Raises:
            Refused: paid meanwhile, nothing left, a link may still be paid, or the plan says another way comes next.
            OutcomeUnknown: the link is not confirmed closed yet.
        """
        await self._context.store.read(lambda tx: check_way(tx, order_id, Way.TERMINAL))
        await self._checkout.end_links(order_id, actor=actor)

        def write(tx: Tx) -> OrderView:
            free = self._tendering.free(tx, order_id, Way.TERMINAL)
            tender = self._tender(free.bundle, Method.TERMINAL, free.amount_minor, free.at_ms, actor)
            return self._tendering.write(tx, replace(tender, reason=note), "tender.terminal", note)

        return await self._write(write)

    async def by_hand(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """A manager believes a bank's message: the last link that was shown counts as paid, and is watched on.

        Raises:
            NotAllowed: the actor may not override, or a second person must approve.
            BadInput: no reason.
            Refused: no link was shown, nothing is left to pay, or the order is voided.
        """
        self._approvals.allow(Act.BY_HAND, actor)
        if not reason.strip():
            raise BadInput("Say why this counts as paid.", "For example: the bank's message with its number.")

        def write(tx: Tx) -> OrderView:
            order = tx.orders.lock(order_id)
            bundle = tx.facts.bundle(order_id, order)
            verdict = fold(bundle)
            shown = [a for a in bundle.attempts if a.was_shown]
            if not shown or order.life is Life.VOIDED or not verdict.left_minor:
                raise Refused(f"Order {order.number} has no link to accept.", "Take the money in another way.")
            attempt = max(shown, key=lambda a: a.no)
            now = self._context.now_ms()
            self._release(tx, attempt, f"{actor}: {reason}", now)
            amount = min(attempt.amount_minor, verdict.left_minor)
            by = self._approvals.approve(Ask(Act.BY_HAND, order_id, amount, actor, approved_by))
            tender = self._tender(bundle, Method.BY_HAND, amount, now, actor)
            return self._tendering.write(
                tx, replace(tender, attempt_id=attempt.id, reason=reason), "tender.by_hand", reason, by
            )

        return await self._write(write)

    async def withdraw(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """What was accepted by hand was not so after all: it is taken back by a tender of the same amount.

        Raises:
            NotAllowed: the actor may not override, or a second person must approve.
            Refused: nothing was accepted by hand.
        """
        self._approvals.allow(Act.BY_HAND, actor)

        def write(tx: Tx) -> OrderView:
            order = tx.orders.lock(order_id)
            bundle = tx.facts.bundle(order_id, order)
            owed = _accepted(bundle)
            if not owed:
                raise Refused(
                    f"Nothing of order {order.number} was accepted by hand.", "There is nothing to take back."
                )
            attempt_id, amount = next(iter(owed.items()))
            by = self._approvals.approve(Ask(Act.BY_HAND, order_id, amount, actor, approved_by))
            tender = self._tender(bundle, Method.BY_HAND, -amount, self._context.now_ms(), actor)
            return self._tendering.write(
                tx, replace(tender, attempt_id=attempt_id, reason=reason), "tender.withdrawn", reason, by
            )

        return await self._write(write)

    def _release(self, tx: Tx, attempt: Attempt, reason: str, now_ms: int) -> None:
        if attempt.phase is Phase.RELEASED:
            return
        over = replace(attempt, phase=Phase.RELEASED, reason=reason, fence_kind="override", ended_at_ms=now_ms)
        tx.attempts.update(replace(over, looks_failed=0, look_due_at_ms=now_ms + WATCH_MS))

    def _tender(self, bundle: Bundle, method: Method, amount_minor: int, at_ms: int, actor: str) -> Tender:
        return Tender(
            id=self._context.ids.uuid7(),
            order_id=bundle.order.id,
            method=method,
            amount_minor=amount_minor,
            currency=bundle.order.currency,
            at_ms=at_ms,
            actor=actor,
            till=self._context.shop.till,
        )

    async def _write(self, write: Callable[[Tx], OrderView]) -> OrderView:
        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        return view


def _accepted(bundle: Bundle) -> dict[str, int]:
    """By attempt: what was accepted by hand and not taken back."""
    found: dict[str, int] = {}
    for tender in bundle.tenders:
        if tender.method is Method.BY_HAND:
            found[tender.attempt_id] = found.get(tender.attempt_id, 0) + tender.amount_minor
    return {attempt_id: amount for attempt_id, amount in found.items() if amount > 0}
