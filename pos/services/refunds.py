"""Giving back: rows committed before the call, capped per payment under the order's lock, same key until answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pos.domain.errors import BadInput, PosError, Refused
from pos.domain.facts import Fact, Kind, Source
from pos.domain.order import Life
from pos.domain.payment import KeyParts, idempotency_key
from pos.domain.ports import Asked, Gateway, NoAnswer, Outcome, PreparedCall, RefundRequest
from pos.domain.refund import Purpose, Refund
from pos.domain.store_port import CallLog, Outgoing, Tx
from pos.domain.verdict import Bundle, Proposal, Verdict, fold, refundable_of, replaced_by
from pos.services.bus import OrderChanged
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.evidence import Evidence, evidence_of, unanswered_word
from pos.services.orderview import view_of
from pos.services.people import People
from pos.services.settle import Settle
from pos.services.views import OrderView

LEASE_MS = 15_000
RETRY_FIRST_MS = 5_000
RETRY_MAX_MS = 600_000
PAGES_MAX = 100
KEY_MARGIN_S = 3_600
"""A key is not trusted in the last hour of its life."""
Plan = tuple[Purpose, list[Proposal]]
DEFINITE = (Outcome.REFUSED, Outcome.NOT_FOUND, Outcome.GONE)


class Refunds:
    def __init__(self, context: Context, desk: Desk, settle: Settle, people: People) -> None:
        self._context = context
        self._desk = desk
        self._settle = settle
        self._people = people

    async def refund_owed(self, order_id: str, *, reason: str, actor: str) -> OrderView:
        """Give back what is owed: the second payment, an excess, the money of an order that is not placed.

        Raises:
            NotAllowed: the actor may not refund.
            Refused: nothing is owed.
        """
        self._people.allow("refund", actor)

        def plan(bundle: Bundle, verdict: Verdict) -> Plan:
            if not verdict.proposals:
                raise Refused(f"Nothing is owed back for order {bundle.order.number}.", "Look at its timeline.")
            return Purpose.UNDO, list(verdict.proposals)

        return await self._refund(order_id, reason, actor, plan)

    async def refund(self, order_id: str, *, amount_minor: int | None, reason: str, actor: str) -> OrderView:
        """Give back `amount_minor` (None: everything that is left) of a sale, to the payments it came from.

        What the order is owed goes back as *undo*, first; of a sale in order it is a *return*.

        Raises:
            NotAllowed, BadInput, Refused: may not; not above zero; more than is left, or than is owed while it is.
        """
        self._people.allow("refund", actor)
        if amount_minor is not None and amount_minor <= 0:
            raise BadInput("The amount to refund is not above zero.", "Give a positive amount.")

        def plan(bundle: Bundle, verdict: Verdict) -> Plan:
            if verdict.owed_minor:
                return Purpose.UNDO, _of_owed(bundle, verdict, amount_minor)
            return Purpose.RETURN, _spread(bundle, verdict, amount_minor)

        return await self._refund(order_id, reason, actor, plan)

    async def accept(self, order_id: str, *, reason: str, actor: str) -> OrderView:
        """M09: an order that was voided and then paid becomes a sale again, with the same revision."""
        self._people.allow("override", actor)
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            order = tx.orders.lock(order_id)
            if order.life is not Life.VOIDED:
                raise Refused(f"Order {order.number} is not voided.", "Nothing needs to be accepted.")
            tx.orders.update(replace(order, life=Life.PLACED))
            tx.journal.append(now, actor, "order.accepted", order_id, {"reason": reason})
            self._settle.refold(tx, order_id, now)
            return view_of(tx, order_id, now)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        return view

    async def _refund(
        self,
        order_id: str,
        reason: str,
        actor: str,
        plan: Callable[[Bundle, Verdict], Plan],
    ) -> OrderView:
        """`plan` decides under the lock: what was read before may have changed."""
        paid_at = await self._context.store.read(
            lambda tx: {p.gateway for p in fold(tx.facts.bundle(order_id)).payments if p.captured_minor}
        )
        for name in sorted(paid_at):
            await self._desk.get(name)
        rows = await self._context.store.write(lambda tx: self._ask(tx, order_id, reason, actor, plan))
        for row in rows:
            await self.send(row)
        now = self._context.now_ms()
        view = await self._context.store.read(lambda tx: view_of(tx, order_id, now))
        self._context.bus.publish(OrderChanged(view.row))
        return view

    def _ask(
        self,
        tx: Tx,
        order_id: str,
        reason: str,
        actor: str,
        plan: Callable[[Bundle, Verdict], Plan],
    ) -> list[Outgoing]:
        """The write before the calls: one row and one outgoing call per payment."""
        now = self._context.now_ms()
        tx.orders.lock(order_id)
        bundle = tx.facts.bundle(order_id)
        verdict = fold(bundle)
        purpose, proposals = plan(bundle, verdict)
        rows = []
        for proposal in proposals:
            refund = self._row(bundle, proposal, purpose, reason, actor, now)
            refund = replace(refund, replaces=replaced_by(refund, verdict, bundle.refunds))
            tx.money.add_refund(refund)
            rows.append(self._outgoing(tx, bundle, refund, now))
            body = {"refund": refund.id, "payment": refund.payment, "amount_minor": refund.amount_minor}
            body |= {"purpose": refund.purpose.value, "reason": reason}
            tx.journal.append(now, actor, "refund.asked", order_id, body)
        self._settle.refold(tx, order_id, now)
        return rows

    def _row(
        self, bundle: Bundle, proposal: Proposal, purpose: Purpose, reason: str, actor: str, now_ms: int
    ) -> Refund:
        refund_id = self._context.ids.uuid7()
        order = bundle.order
        parts = KeyParts(
            self._context.shop.shop_id,
            order.id,
            order.revision,
            0,
            "refund",
            refund_id,
            proposal.amount_minor,
            order.currency,
            proposal.account,
        )
        return Refund(
            id=refund_id,
            order_id=order.id,
            gateway=proposal.gateway,
            account=proposal.account,
            payment=proposal.payment,
            amount_minor=proposal.amount_minor,
            currency=order.currency,
            purpose=purpose,
            reason=reason,
            asked_by=actor,
            approved_by=actor,
            key=idempotency_key(parts),
            asked_at_ms=now_ms,
        )

    def _outgoing(self, tx: Tx, bundle: Bundle, refund: Refund, now_ms: int) -> Outgoing:
        gate = self._desk.at_hand(refund.gateway)
        if gate is None:
            raise Refused("The gateway of this payment is not set up here.", "Refund it where it was taken.")
        verdict = fold(bundle)
        attempt_id = next((p.attempt_id for p in verdict.payments if p.id == refund.payment), "")
        reference = next((a.reference for a in bundle.attempts if a.id == attempt_id), "")
        request = RefundRequest(refund.key, refund.id, refund.payment, refund.amount_minor, refund.currency, reference)
        row = Outgoing(
            id=self._context.ids.uuid7(),
            order_id=refund.order_id,
            attempt_id=attempt_id,
            refund_id=refund.id,
            account=refund.account,
            call=gate.adapter.refund(request),
            made_at_ms=now_ms,
            send_by_ms=None,
            next_at_ms=now_ms,
            owner=self._context.owner,
            lease_until_ms=now_ms + LEASE_MS,
            tries=1,
        )
        tx.outbox.put(row)
        return row

    async def send(self, row: Outgoing) -> bool:
        """Send a claimed refund call once; the same key again until it is answered. True when it is settled."""
        try:
            gate = await self._desk.get(row.call.gateway)
            if gate.adapter.account != row.account:
                await self._later(row, "not_asked", "The key is now another account's.", 0)
                return False
            if self._key_is_old(row, gate) and await self._was_made(row, gate):
                return True
            asked = await self._desk.ask(gate, row.call)
            # a no to a repeated call may mean that an earlier one was done after all, and was not listed yet
            if asked.reading.outcome in DEFINITE and self._key_is_old(row, gate) and await self._was_made(row, gate):
                return True
        except PosError as error:
            await self._later(row, unanswered_word(error), error.title, 0)
            return False
        if asked.reading.outcome is Outcome.OK:
            await self._done(row, evidence_of(row.call.gateway, asked, Source.ANSWER, "refund"), "done", asked)
            return True
        if asked.reading.outcome in DEFINITE:
            said = evidence_of(row.call.gateway, asked, Source.ANSWER, "refund")
            refused = Fact(row.call.gateway, row.account, gate.adapter.mode, Kind.REFUND_FAILED, row.refund_id)
            evidence = replace(said, facts=said.facts or (refused,))
            await self._done(row, evidence, "dead", asked)
            return True
        await self._later(row, asked.reading.outcome.value, asked.reading.message, asked.status)
        return False

    def _key_is_old(self, row: Outgoing, gate: Gateway) -> bool:
        able = gate.adapter.capabilities
        life_s = able.key_life_s - KEY_MARGIN_S if able.refund_key else 0
        return row.tries > 1 and self._context.now_ms() - row.made_at_ms > life_s * 1000

    async def _was_made(self, row: Outgoing, gate: Gateway) -> bool:
        """The gateway may have forgotten the key: what it has given back to the payment says whether we are among it.

        Raises:
            NoAnswer: not every page of it could be read; then nothing may be sent either.
        """
        refund = await self._context.store.read(lambda tx: tx.money.refund(row.refund_id))
        assert refund is not None
        call: PreparedCall | None = gate.adapter.fetch_payment(refund.payment)
        for _ in range(PAGES_MAX):
            if call is None:
                return False
            asked = await self._desk.ask(gate, call)
            if asked.reading.outcome is not Outcome.OK:
                break
            ours = {f.target for f in asked.reading.facts if f.kind is Kind.REFUND_OF_OURS}
            evidence = evidence_of(row.call.gateway, asked, Source.FETCH, "refund")
            if row.refund_id in ours:
                await self._done(row, evidence, "done", asked)
                return True
            await self._settle.take_in(evidence)
            call = asked.reading.next
        raise NoAnswer("The gateway does not list what it gave back.", "It is asked again.")

    async def _done(self, row: Outgoing, evidence: Evidence, state: str, asked: Asked) -> None:
        now = self._context.now_ms()

        def write(tx: Tx) -> None:
            tx.orders.lock(row.order_id)
            tx.outbox.finish(row.id, state)
            outcome, message = asked.reading.outcome.value, asked.reading.message[:300]
            tx.outbox.log(
                CallLog(row.order_id, row.attempt_id, now, "refund", "refund", outcome, message, asked.status)
            )
            self._settle.apply(tx, [evidence], now)

        await self._context.store.write(write)

    async def _later(self, row: Outgoing, outcome: str, message: str, status: int) -> None:
        now = self._context.now_ms()
        pause = min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** min(row.tries, 10))

        def write(tx: Tx) -> None:
            tx.outbox.again(row.id, now + pause)
            tx.outbox.log(
                CallLog(row.order_id, row.attempt_id, now, "refund", "refund", outcome, message[:300], status)
            )
            self._settle.refold(tx, row.order_id, now)

        await self._context.store.write(write)


def _of_owed(bundle: Bundle, verdict: Verdict, amount_minor: int | None) -> list[Proposal]:
    """Of what is owed back, `amount_minor` or all of it; never more, or a sale in order would lose its money."""
    wanted = verdict.owed_minor if amount_minor is None else amount_minor
    if wanted > verdict.owed_minor:
        hint = f"Give back the {verdict.owed_minor} minor units that are owed first."
        raise Refused(f"That is more than what is owed back for order {bundle.order.number}.", hint)
    plan = []
    for proposal in verdict.proposals:
        part = min(wanted, proposal.amount_minor)
        if part > 0:
            plan.append(replace(proposal, amount_minor=part))
            wanted -= part
    if wanted:
        raise Refused(
            f"Not all of that can go back by link for order {bundle.order.number}.", "Give cash back instead."
        )
    return plan


def _spread(bundle: Bundle, verdict: Verdict, amount_minor: int | None) -> list[Proposal]:
    """Over the payments, newest first, from each at most what may still be given back to it."""
    room = [
        (p, refundable_of(bundle, verdict, p.id))
        for p in sorted(verdict.payments, key=lambda p: (p.captured_at_ms or 0, p.id), reverse=True)
    ]
    available = sum(left for _, left in room)
    wanted = available if amount_minor is None else amount_minor
    if available == 0:
        raise Refused(f"Nothing of order {bundle.order.number} can be refunded by link.", "Give cash back instead.")
    if wanted > available:
        raise Refused("That is more than is left of these payments.", f"At most {available} minor units can go back.")
    plan = []
    for payment, left in room:
        part = min(left, wanted)
        if part > 0:
            plan.append(Proposal(payment.gateway, payment.account, payment.id, part))
            wanted -= part
    return plan
