"""Giving back in another way what came by a link, where its gateway cannot give it back any more.

A refund goes to the payment that the money came from. Where that was refused or bounced, a manager gives it back by a
negative tender that is bound to that payment: under the same cap, so that no more goes back than was taken, in whatever
ways. A tempting place for a thief, so it needs a role and a reason, and the gateway's own refusal comes first.
"""

from __future__ import annotations

from pos.domain.cash import GiveBack, Method, Tender
from pos.domain.errors import BadInput, Refused
from pos.domain.giving import back_room, replaced_by, stuck
from pos.domain.joins import Bundle
from pos.domain.refund import Purpose
from pos.domain.store_port import Tx
from pos.domain.verdict import Proposal, Verdict, fold
from pos.services.approvals import Act, Approvals, Ask
from pos.services.bus import OrderChanged
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.refundrows import given_back_minor
from pos.services.tendering import Tendering
from pos.services.views import OrderView


class GiveBacks:
    def __init__(self, context: Context, desk: Desk, tendering: Tendering, approvals: Approvals) -> None:
        self._context = context
        self._desk = desk
        self._tendering = tendering
        self._approvals = approvals

    async def give_back(self, order_id: str, back: GiveBack, *, actor: str, approved_by: str = "") -> OrderView:
        """What the order is owed goes back as *undo*, of a sale in order it is a *return*, as with refunds.

        Raises:
            NotAllowed: the actor may not refund, or not override.
            BadInput: no reason, an amount that is not above zero, or a way that gives nothing back.
            Refused: the gateway can still give it back, it is not clear which payment, or more than is left of it.
        """
        self._approvals.allow(Act.REFUND, actor)
        self._approvals.allow(Act.CASH_BACK, actor)
        if not back.reason.strip():
            raise BadInput("Say why this is given back here.", "For example: the card is closed.")
        if back.amount_minor is not None and back.amount_minor <= 0:
            raise BadInput("The amount to give back is not above zero.", "Give a positive amount.")
        if back.method is Method.BY_HAND:
            raise BadInput("Nothing can be given back by hand.", "Give cash, or use the card terminal.")
        view = await self._context.store.write(lambda tx: self._give(tx, order_id, back, (actor, approved_by)))
        self._context.bus.publish(OrderChanged(view.row))
        return view

    def _give(self, tx: Tx, order_id: str, back: GiveBack, who: tuple[str, str]) -> OrderView:
        order = tx.orders.lock(order_id)
        bundle = tx.facts.bundle(order_id, order)
        verdict = fold(bundle)
        chosen = self._choose(tx, bundle, verdict, back.payment)
        amount = chosen.amount_minor if back.amount_minor is None else back.amount_minor
        room = back_room(bundle, verdict, chosen.payment)
        if amount > room:
            raise Refused("That is more than is left of this payment.", f"At most {room} minor units can go back.")
        actor, second = who
        by = self._approvals.approve(Ask(Act.CASH_BACK, order_id, amount + given_back_minor(bundle), actor, second))
        tender = Tender(
            id=self._context.ids.uuid7(),
            order_id=order_id,
            method=back.method,
            amount_minor=-amount,
            currency=order.currency,
            at_ms=self._context.now_ms(),
            payment=chosen.payment,
            actor=actor,
            reason=back.reason,
            till=self._context.shop.till,
            purpose=(Purpose.UNDO if verdict.owed_minor else Purpose.RETURN).value,
            replaces=replaced_by(chosen.payment, amount, verdict, bundle),
        )
        return self._tendering.write(tx, tender, "tender.given_back", back.reason, by)

    def _choose(self, tx: Tx, bundle: Bundle, verdict: Verdict, payment: str) -> Proposal:
        """The payment that is meant, with what to give back of it; only one that its gateway cannot give back.

        Raises:
            Refused: there is none, or more than one and none was named.
        """
        number = bundle.order.number
        found = {one.payment: one for one in (*self._out_of_reach(tx, bundle, verdict), *stuck(bundle, verdict))}
        wanted = [one for name, one in found.items() if payment in ("", name)]
        if len(wanted) > 1:
            raise Refused(f"Several payments of order {number} could be meant.", "Say which one: " + ", ".join(found))
        if wanted:
            return wanted[0]
        if any(p.id == payment for p in verdict.payments) or not payment:
            raise Refused(
                f"No payment of order {number} has to be given back in cash.",
                "Refund it to the payment first; cash is for what the gateway refused or could not deliver.",
            )
        raise Refused(f"Order {number} has no payment {payment}.", "Look at its timeline.")

    def _out_of_reach(self, tx: Tx, bundle: Bundle, verdict: Verdict) -> list[Proposal]:
        """Payments of accounts that this till cannot ask any more: nothing was refused, and nobody can be asked."""
        gone = [p for p in verdict.payments if p.counts and not self._desk.reaches(tx, p.gateway, p.account)]
        rooms = [(p, back_room(bundle, verdict, p.id)) for p in gone]
        return [Proposal(p.gateway, p.account, p.id, room) for p, room in rooms if room]
