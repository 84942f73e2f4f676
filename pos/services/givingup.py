"""The way back from part paid: a sale that is given up, and the money that was taken for it, in one write."""

from __future__ import annotations

from dataclasses import replace

from pos.domain.cash import Method
from pos.domain.errors import Refused
from pos.domain.joins import Bundle
from pos.domain.order import Life
from pos.domain.refund import Purpose
from pos.domain.store_port import Tx
from pos.domain.verdict import Money, Verdict, fold
from pos.services.approvals import Act
from pos.services.checkout import Checkout
from pos.services.context import Context
from pos.services.handback import Because, HandBack
from pos.services.issue import check_fence
from pos.services.refunds import Plan, Refunds, Wish
from pos.services.views import OrderView


class GivingUp:
    def __init__(self, context: Context, checkout: Checkout, refunds: Refunds, handback: HandBack) -> None:
        self._context = context
        self._checkout = checkout
        self._refunds = refunds
        self._handback = handback

    async def give_back_and_void(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """A part-paid sale is voided, and all that was kept of it goes back: by link to the payments it came from,

        over the counter what was taken in cash or over a terminal.

        Raises:
            NotAllowed: the actor may not refund, or a second person must approve.
            Refused: it is not part paid, a link may still be paid, or a part was accepted by hand.
            OutcomeUnknown: its open link is not confirmed closed yet.
        """
        await self._refunds.ready(order_id, Act.GIVE_BACK, actor)
        await self._checkout.end_links(order_id, actor=actor)

        def plan(tx: Tx, bundle: Bundle, verdict: Verdict) -> Plan:
            _check(bundle, verdict)
            order = replace(bundle.order, life=Life.VOIDED, void_reason=reason)
            voided = replace(bundle, order=tx.orders.update(order))
            tx.journal.append(self._context.now_ms(), actor, "order.voided", order_id, {"reason": reason})
            proposals = self._refunds.near(tx, bundle, fold(voided).proposals)
            handed = verdict.kept_minor - sum(p.amount_minor for p in proposals)
            if handed > verdict.tendered_minor:
                raise Refused(
                    f"Not all of order {order.number} can go back by link.",
                    "A payment of it is disputed, or at an account that is not set up here: look at it.",
                )
            self._handback.write(tx, voided, handed, Because("tender.back", reason, actor))
            return Plan(Purpose.UNDO, proposals, handed_minor=handed)

        return await self._refunds.ask(order_id, Wish(Act.GIVE_BACK, reason, actor, approved_by), plan)


def _check(bundle: Bundle, verdict: Verdict) -> None:
    number = bundle.order.number
    if verdict.money is not Money.PART_PAID:
        raise Refused(f"Order {number} is not part paid.", "Refund it, or cancel it, instead.")
    check_fence(bundle.attempts, number)
    if verdict.in_flight or any(a.live for a in bundle.attempts):
        raise Refused(f"A payment of order {number} may still come.", "Wait until it is settled.")
    if sum(t.amount_minor for t in bundle.tenders if t.method is Method.BY_HAND):
        raise Refused(f"A part of order {number} was accepted by hand.", "Take that back first, then give up the sale.")
