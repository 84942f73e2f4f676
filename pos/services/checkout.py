"""Collecting by link: issue, ask, give up, cancel, release. How a link is made stands in `pos.services.issue`."""

from __future__ import annotations

from dataclasses import replace

from pos.domain.errors import OutcomeUnknown, Refused
from pos.domain.joins import IN_FLIGHT, Bundle
from pos.domain.payment import Attempt, Phase
from pos.domain.store_port import Tx
from pos.domain.verdict import fold
from pos.services import schedule
from pos.services.approvals import Act, Approvals, Ask
from pos.services.bus import OrderChanged
from pos.services.context import Context
from pos.services.issue import Issuer, OtherLinkOpen
from pos.services.looks import Looks
from pos.services.orderview import view_of
from pos.services.selling import Selling
from pos.services.settle import Settle
from pos.services.views import OrderView


class Checkout:
    def __init__(
        self, context: Context, issuer: Issuer, settle: Settle, looks: Looks, selling: Selling, approvals: Approvals
    ) -> None:
        self._context = context
        self._approvals = approvals
        self._settle = settle
        self._looks = looks
        self._selling = selling
        self._issue = issuer.issue
        self.sell = issuer.sell
        self.draft = issuer.draft

    async def issue(self, order_id: str, gateway: str, *, actor: str = "") -> OrderView:
        """Place the order and issue its link, or show the live one again; another gateway's link is closed first.

        Raises:
            Refused: nothing to pay, the gateway says no.
            OutcomeUnknown: the other gateway has not confirmed that its link is closed.
            Unreachable: provably not sent; another gateway may be tried at once.
        """
        try:
            return await self._issue(order_id, gateway, actor=actor)
        except OtherLinkOpen:
            attempts = await self._context.store.read(lambda tx: tx.attempts.of_order(order_id))
            if not any(a.phase in (Phase.OPEN, Phase.CLOSING) and a.gateway != gateway for a in attempts):
                raise
        view = await self.give_up(order_id, actor=actor)
        if view.left_minor == 0:
            return view  # it was paid meanwhile
        if view.attempt is not None and view.attempt.phase == Phase.CLOSING:
            raise OutcomeUnknown(
                f"The first link of order {view.number} is not confirmed closed.", "Wait a moment, then try again."
            )
        return await self._issue(order_id, gateway, actor=actor)

    async def check_now(self, order_id: str) -> OrderView:
        """Ask the gateway at once about every attempt of the order that is not known to be over."""
        attempts = await self._context.store.read(lambda tx: tx.attempts.of_order(order_id))
        now = self._context.now_ms()
        for attempt in attempts:
            if attempt.phase is Phase.REQUESTING and now < attempt.send_by_ms:
                return await self.issue(order_id, attempt.gateway)
            if not attempt.fenced or attempt.look_due_at_ms is not None:
                await self._looks.look(attempt.id, hint="check")
        return await self._view(order_id)

    async def give_up(self, order_id: str, *, actor: str = "") -> OrderView:
        """Withdraw the QR and close the link at the gateway.

        In the answer: phase *closed* (fenced), or *closing* while the gateway has not confirmed it.
        """
        attempt_id = await self._context.store.write(lambda tx: self._withdraw(tx, order_id, actor))
        if attempt_id:
            await self._looks.look(attempt_id, hint="close")
        return await self._view(order_id)

    async def end_links(self, order_id: str, *, actor: str = "") -> None:
        """Before money is taken in another way: a live link is closed, and known to be.

        Raises:
            Refused: the customer has paid meanwhile.
            OutcomeUnknown: the link is not confirmed closed yet.
        """
        attempts = await self._context.store.read(lambda tx: tx.attempts.of_order(order_id))
        if not any(a.live for a in attempts):
            return
        view = await self.give_up(order_id, actor=actor)
        if view.left_minor == 0 and view.kept_minor:
            raise Refused("The customer has already paid.", "Do not take the money another way.")
        if view.attempt is not None and view.attempt.phase == Phase.CLOSING:
            raise OutcomeUnknown(
                "The link is not confirmed closed yet.", "Do not take the money another way until it is."
            )

    def _withdraw(self, tx: Tx, order_id: str, actor: str) -> str:
        now = self._context.now_ms()
        tx.orders.lock(order_id)
        live = next((a for a in tx.attempts.of_order(order_id) if a.live), None)
        if live is None:
            return ""
        if live.phase in (Phase.DRAFTED, Phase.REQUESTING):
            tx.attempts.update(schedule.abandoned(live, "given up before it was shown", now))
            row = tx.outbox.of_attempt(live.id, "create")
            if row is not None:
                tx.outbox.finish(row.id, "dead")
        elif live.phase is Phase.OPEN:
            tx.attempts.update(schedule.closing(live, now))
        tx.journal.append(now, actor, "attempt.given_up", order_id, {"no": live.no})
        return live.id if live.link_id else ""

    async def cancel(self, order_id: str, *, reason: str, actor: str = "") -> OrderView:
        """Close the link, then void the order.

        Raises:
            Refused: it was paid meanwhile.
            OutcomeUnknown: the gateway has not confirmed that the link is closed.
        """
        view = await self.give_up(order_id, actor=actor)
        if view.kept_minor:
            raise Refused(f"Order {view.number} has been paid.", "Give the money back with a refund instead.")
        if view.attempt is not None and view.attempt.phase == Phase.CLOSING:
            raise OutcomeUnknown(
                f"The link of order {view.number} is not confirmed closed.", "It is asked again; cancel once more then."
            )
        return await self._selling.void(order_id, reason=reason, actor=actor)

    async def release(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """A manager's override of the fence: the link is given up, flagged *unfenced*, and watched on.

        Also of a link that is closed while a payment of it is in flight: money that comes all the same is an exception.

        Raises:
            NotAllowed: the actor may not override, or a second person must approve.
            Refused: there is no open link, and nothing in flight.
        """
        self._approvals.allow(Act.RELEASE, actor)
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            order = tx.orders.lock(order_id)
            live = next(iter(_holding_up(tx.facts.bundle(order_id, order))), None)
            if live is None:
                raise Refused(f"Order {order.number} has no open link.", "Nothing needs to be released.")
            by = self._approvals.approve(Ask(Act.RELEASE, order_id, live.amount_minor, actor, approved_by))
            if live.phase in (Phase.DRAFTED, Phase.REQUESTING):
                tx.attempts.update(schedule.abandoned(live, reason, now))
            else:
                over = replace(live, phase=Phase.RELEASED, reason=f"{actor}: {reason}", fence_kind="override")
                tx.attempts.update(replace(over, ended_at_ms=now, looks_failed=0, look_due_at_ms=now + 60_000))
            tx.journal.append(
                now, actor, "attempt.released", order_id, {"no": live.no, "reason": reason, "approved_by": by}
            )
            self._settle.refold(tx, order_id, now)
            return view_of(tx, order_id, now)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        return view

    async def _view(self, order_id: str) -> OrderView:
        now = self._context.now_ms()
        return await self._context.store.read(lambda tx: view_of(tx, order_id, now))


def _holding_up(bundle: Bundle) -> list[Attempt]:
    """What keeps another way of paying away: the live attempt, else those of which a payment is in flight."""
    live = [a for a in bundle.attempts if a.live]
    flying = {p.attempt_id for p in fold(bundle).payments if p.state in IN_FLIGHT}
    return live or [a for a in bundle.attempts if a.id in flying and a.phase is Phase.CLOSED]
