"""Giving back: rows committed before the call, capped per payment under the order's lock, same key until answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pos.domain.errors import BadInput, PosError, Refused
from pos.domain.facts import Fact, Kind, Source
from pos.domain.joins import Bundle
from pos.domain.order import Life
from pos.domain.ports import Asked, Gateway, NoAnswer, Outcome, PreparedCall
from pos.domain.refund import Purpose
from pos.domain.store_port import CallLog, Outgoing, Tx
from pos.domain.verdict import Proposal, Verdict, fold, unreplaced
from pos.services.alarms import note_reused_key
from pos.services.approvals import Act, Approvals, Ask
from pos.services.bus import OrderChanged
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.evidence import Evidence, evidence_of, unanswered_word
from pos.services.orderview import view_of
from pos.services.refundrows import LEASE_MS, RefundRows, Why, given_back_minor, out_of_reach, room_of, taken_from
from pos.services.settle import Settle
from pos.services.views import OrderView

RETRY_FIRST_MS = 5_000
RETRY_MAX_MS = 600_000
PAGES_MAX = 100
KEY_MARGIN_S = 3_600
"""A key is not trusted in the last hour of its life."""
GIVEN_BACK = (Kind.REFUND_PENDING, Kind.REFUND_SUCCEEDED)
DEFINITE = (Outcome.REFUSED, Outcome.NOT_FOUND, Outcome.GONE)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody decided; `approved_by` names a second person, or nobody."""

    act: Act
    reason: str
    actor: str
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes back where. `handed_minor`: what goes back otherwise in the same write, for the limit of one person."""

    purpose: Purpose
    proposals: Sequence[Proposal]
    return_id: str = ""
    replaces: str = ""
    handed_minor: int = 0


MakePlan = Callable[[Tx, Bundle, Verdict], Plan]


class Refunds:
    def __init__(self, context: Context, desk: Desk, settle: Settle, approvals: Approvals, rows: RefundRows) -> None:
        self._context = context
        self._desk = desk
        self._settle = settle
        self._approvals = approvals
        self._rows = rows

    async def refund_owed(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """Give back what is owed: the second payment, an excess, the money of an order that is not placed.

        Raises:
            NotAllowed: the actor may not refund, or a second person must approve.
            Refused: nothing is owed.
        """

        def plan(tx: Tx, bundle: Bundle, verdict: Verdict) -> Plan:
            if not verdict.proposals:
                raise Refused(f"Nothing is owed back for order {bundle.order.number}.", "Look at its timeline.")
            return Plan(Purpose.UNDO, self.near(tx, bundle, verdict.proposals))

        return await self.ask(order_id, Wish(Act.REFUND, reason, actor, approved_by), plan)

    async def refund(
        self, order_id: str, *, amount_minor: int | None, reason: str, actor: str, approved_by: str = ""
    ) -> OrderView:
        """Give back `amount_minor` (None: everything that is left) of a sale, to the payments it came from.

        What the order is owed goes back as *undo*, first; of a sale in order it is a *return* without goods.

        Raises:
            NotAllowed, BadInput, Refused: may not; not above zero; more than is left, or than is owed while it is.
        """
        if amount_minor is not None and amount_minor <= 0:
            raise BadInput("The amount to refund is not above zero.", "Give a positive amount.")

        def plan(tx: Tx, bundle: Bundle, verdict: Verdict) -> Plan:
            if verdict.owed_minor:
                owed = self.near(tx, bundle, verdict.proposals)
                return Plan(Purpose.UNDO, _of_owed(bundle, verdict, owed, amount_minor))
            return Plan(Purpose.RETURN, _spread(bundle, self.near(tx, bundle, room_of(bundle, verdict)), amount_minor))

        return await self.ask(order_id, Wish(Act.REFUND, reason, actor, approved_by), plan)

    async def accept(self, order_id: str, *, reason: str, actor: str) -> OrderView:
        """M09: an order that was voided and then paid becomes a sale again, with the same revision."""
        self._approvals.allow(Act.ACCEPT, actor)
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            order = tx.orders.lock(order_id)
            by = self._approvals.approve(Ask(Act.ACCEPT, order_id, 0, actor))
            if order.life is not Life.VOIDED:
                raise Refused(f"Order {order.number} is not voided.", "Nothing needs to be accepted.")
            tx.orders.update(replace(order, life=Life.PLACED))
            tx.journal.append(now, actor, "order.accepted", order_id, {"reason": reason, "approved_by": by})
            self._settle.refold(tx, order_id, now)
            return view_of(tx, order_id, now)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        return view

    async def retry(
        self, order_id: str, refund_id: str, *, reason: str, actor: str, approved_by: str = ""
    ) -> OrderView:
        """M14: a refund that failed or bounced is asked for anew, for the same purpose and the same credit note.

        `refund_id`: our row's, or the gateway's own of a refund made elsewhere.

        Raises:
            NotAllowed: the actor may not refund.
            Refused: it did not fail, was made good, or that much is no longer left of its payment.
        """

        def plan(tx: Tx, bundle: Bundle, verdict: Verdict) -> Plan:
            failed = next((r for r in unreplaced(verdict.refunds, bundle) if refund_id in (r.ours, r.id)), None)
            if failed is None:
                raise Refused("This refund has not failed.", "Look at the order's timeline.")
            room = self.near(tx, bundle, [p for p in room_of(bundle, verdict) if p.payment == failed.payment])
            proposals = taken_from(room, failed.amount_minor)
            if sum(p.amount_minor for p in proposals) < failed.amount_minor:
                raise Refused("That is more than is left of this payment.", "Give back what is owed instead.")
            row = next((r for r in bundle.refunds if r.id == failed.ours), None)
            purpose = row.purpose if row else Purpose.UNDO if verdict.owed_minor else Purpose.RETURN
            return Plan(purpose, proposals, row.return_id if row else "", failed.ours or failed.id)

        return await self.ask(order_id, Wish(Act.REFUND, reason, actor, approved_by), plan)

    async def send_again(self, order_id: str, refund_id: str) -> OrderView:
        """M14: a refund that the gateway has not answered is asked for now, with the same key; nothing new is asked."""
        claimed = await self.claim(order_id, refund_id)
        if claimed is not None:
            await self.send(claimed)
        return await self._context.store.read(lambda tx: view_of(tx, order_id, self._context.now_ms()))

    async def claim(self, order_id: str, refund_id: str) -> Outgoing | None:
        """The call, for us to send now; None where it is being sent, was answered, or the books know what became of it:

        a report may have told of it, and a gateway that has forgotten the key would make it a second time.
        """
        now, owner = self._context.now_ms(), self._context.owner

        def write(tx: Tx) -> Outgoing | None:
            order = tx.orders.lock(order_id)
            row = tx.outbox.of_refund(refund_id)
            if row is None or row.is_held(now):  # the background of this till too, which a claim would let in again
                return None
            refunds = fold(tx.facts.bundle(order_id, order)).refunds
            if any(r.ours == refund_id and r.state != "requested" for r in refunds):
                tx.outbox.finish(row.id, "done")
                return None
            return tx.outbox.claim(row.id, owner, now, LEASE_MS)

        return await self._context.store.write(write)

    async def ask(self, order_id: str, wish: Wish, plan: MakePlan) -> OrderView:
        """One decision: `plan` decides under the lock, since what was read before may have changed; then the calls."""
        await self.ready(order_id, wish.act, wish.actor)
        calls, _ = await self._context.store.write(lambda tx: self.ask_in(tx, order_id, wish, plan))
        return await self.send_all(order_id, calls)

    async def ready(self, order_id: str, act: Act, actor: str) -> None:
        """Before a write that calls `ask_in`: the role, and the gateways, for which a write cannot wait."""
        self._approvals.allow(act, actor)
        await self._rows.open_gateways(order_id)

    def near(self, tx: Tx, bundle: Bundle, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Those of payments that can be asked for their money.

        Raises:
            Refused: there are some, and none of them can.
        """
        near, _ = self.parted(tx, proposals)
        if proposals and not near:
            raise out_of_reach(bundle)
        return near

    def parted(self, tx: Tx, proposals: Sequence[Proposal]) -> tuple[list[Proposal], list[Proposal]]:
        """(of payments that can be asked for their money, of those at an account that is not set up here)."""
        near = [p for p in proposals if self._desk.reaches(tx, p.gateway, p.account)]
        return near, [p for p in proposals if p not in near]

    def ask_in(self, tx: Tx, order_id: str, wish: Wish, plan: MakePlan) -> tuple[list[Outgoing], str]:
        """The write before the calls, and who approved: one row and one outgoing call per payment."""
        bundle = tx.facts.bundle(order_id, tx.orders.lock(order_id))
        chosen = plan(tx, bundle, fold(bundle))
        amount = sum(p.amount_minor for p in chosen.proposals) + chosen.handed_minor + given_back_minor(bundle)
        by = self._approvals.approve(Ask(wish.act, order_id, amount, wish.actor, wish.approved_by))
        why = Why(wish.reason, wish.actor, by, chosen.return_id, chosen.replaces)
        calls = self._rows.write(tx, tx.facts.bundle(order_id), chosen.purpose, chosen.proposals, why)
        self._settle.refold(tx, order_id, self._context.now_ms())
        return calls, by

    async def send_all(self, order_id: str, calls: Sequence[Outgoing]) -> OrderView:
        """The calls of one decision, each once; then the order as it is."""
        for call in calls:
            await self.send(call)
        now = self._context.now_ms()
        view = await self._context.store.read(lambda tx: view_of(tx, order_id, now))
        self._context.bus.publish(OrderChanged(view.row))
        return view

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
        reading = asked.reading
        await self._later(row, reading.outcome.value, reading.message, asked.status, reading.retry_after_s or 0)
        return False

    def _key_is_old(self, row: Outgoing, gate: Gateway) -> bool:
        able = gate.adapter.capabilities
        life_s = able.key_life_s - KEY_MARGIN_S if able.refund_key else 0
        age_ms = self._context.now_ms() - row.made_at_ms  # below zero: the clock was set back, it may be of any age
        return row.tries > 1 and not 0 <= age_ms <= life_s * 1000

    async def _was_made(self, row: Outgoing, gate: Gateway) -> bool:
        """The gateway may have forgotten the key: what it has given back to the payment says whether we are among it.

        Raises:
            NoAnswer: not all of it was listed, or could be read; then nothing may be sent either.
        """
        refund = await self._context.store.read(lambda tx: tx.money.refund(row.refund_id))
        assert refund is not None
        call: PreparedCall | None = gate.adapter.fetch_payment(refund.payment)
        said_minor, listed = 0, dict[str, int]()
        for _ in range(PAGES_MAX):
            if call is None and sum(listed.values()) >= said_minor:
                return False
            if call is None:
                break
            asked = await self._desk.ask(gate, call)
            if asked.reading.outcome is not Outcome.OK:
                break
            said_minor = max(said_minor, asked.reading.given_back_minor or 0)
            listed |= {f.object: f.amount_minor or 0 for f in asked.reading.facts if f.kind in GIVEN_BACK}
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

    async def _later(self, row: Outgoing, outcome: str, message: str, status: int, wait_s: float = 0) -> None:
        """Not before `wait_s` have passed, which the gateway asked for (`Retry-After`)."""
        now = self._context.now_ms()
        pause = min(RETRY_MAX_MS, max(round(wait_s * 1000), RETRY_FIRST_MS * 2 ** min(row.tries, 10)))

        def write(tx: Tx) -> None:
            tx.outbox.again(row.id, now + pause)
            note_reused_key(tx, self._context.ids, row, outcome, now)
            tx.outbox.log(
                CallLog(row.order_id, row.attempt_id, now, "refund", "refund", outcome, message[:300], status)
            )
            self._settle.refold(tx, row.order_id, now)

        await self._context.store.write(write)


def _of_owed(
    bundle: Bundle, verdict: Verdict, proposals: Sequence[Proposal], amount_minor: int | None
) -> list[Proposal]:
    """Of what is owed back, `amount_minor` or all of it; never more, or a sale in order would lose its money."""
    wanted = verdict.owed_minor if amount_minor is None else amount_minor
    if wanted > verdict.owed_minor:
        hint = f"Give back the {verdict.owed_minor} minor units that are owed first."
        raise Refused(f"That is more than what is owed back for order {bundle.order.number}.", hint)
    plan = taken_from(proposals, wanted)
    if sum(p.amount_minor for p in plan) < wanted:
        raise Refused(
            f"Not all of that can go back by link for order {bundle.order.number}.", "Give cash back instead."
        )
    return plan


def _spread(bundle: Bundle, room: Sequence[Proposal], amount_minor: int | None) -> list[Proposal]:
    """Over the payments, newest first, from each at most what may still be given back to it."""
    available = sum(proposal.amount_minor for proposal in room)
    wanted = available if amount_minor is None else amount_minor
    if available == 0:
        raise Refused(f"Nothing of order {bundle.order.number} can be refunded by link.", "Give cash back instead.")
    if wanted > available:
        raise Refused("That is more than is left of these payments.", f"At most {available} minor units can go back.")
    return taken_from(room, wanted)
