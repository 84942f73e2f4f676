"""The write before refund calls: one row and one outgoing call per payment, under the order's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pos.domain.errors import Refused
from pos.domain.giving import refundable_of, replaced_by
from pos.domain.joins import Bundle
from pos.domain.payment import KeyParts, idempotency_key
from pos.domain.ports import RefundRequest
from pos.domain.refund import Purpose, Refund
from pos.domain.store_port import Outgoing, Tx
from pos.domain.verdict import Proposal, Verdict, fold, newest_first
from pos.services.context import Context
from pos.services.desk import Desk

LEASE_MS = 15_000


@dataclass(frozen=True, slots=True)
class Why:
    """What stands on every row of one decision. `replaces` names the failed refund that is made good, if one is."""

    reason: str
    asked_by: str
    approved_by: str
    return_id: str = ""
    replaces: str = ""


class RefundRows:
    def __init__(self, context: Context, desk: Desk) -> None:
        self._context = context
        self._desk = desk

    async def open_gateways(self, order_id: str) -> None:
        """Before the write, which cannot wait: the gateways that took money for this order are at hand.

        One that was removed keeps nobody from giving back what another one took.
        """
        paid_at = await self._context.store.read(
            lambda tx: {p.gateway for p in fold(tx.facts.bundle(order_id)).payments if p.captured_minor}
        )
        for name in sorted(paid_at & self._desk.enrolled.keys()):
            await self._desk.get(name)

    def write(
        self, tx: Tx, bundle: Bundle, purpose: Purpose, proposals: Sequence[Proposal], why: Why
    ) -> list[Outgoing]:
        """Rows, calls and journal; the caller holds the lock and folds again.

        Raises:
            Refused: a payment's gateway is not set up here, or with another account.
            Broken: its package does not load.
        """
        now, verdict = self._context.now_ms(), fold(bundle)
        calls = []
        for proposal in proposals:
            refund = self.row(bundle, proposal, purpose, why, now)
            made_good = why.replaces or replaced_by(refund.payment, refund.amount_minor, verdict, bundle)
            refund = replace(refund, replaces=made_good)
            refund = replace(refund, return_id=why.return_id or _return_of(refund, bundle.refunds))
            tx.money.add_refund(refund)
            calls.append(self._outgoing(tx, bundle, refund, now))
            body = {"refund": refund.id, "payment": refund.payment, "amount_minor": refund.amount_minor}
            body |= {"purpose": refund.purpose.value, "reason": why.reason, "approved_by": why.approved_by}
            body |= {"return": refund.return_id} if refund.return_id else {}
            tx.journal.append(now, why.asked_by, "refund.asked", bundle.order.id, body)
        return calls

    def row(self, bundle: Bundle, proposal: Proposal, purpose: Purpose, why: Why, now_ms: int) -> Refund:
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
            reason=why.reason,
            asked_by=why.asked_by,
            approved_by=why.approved_by,
            key=idempotency_key(parts),
            asked_at_ms=now_ms,
        )

    def _outgoing(self, tx: Tx, bundle: Bundle, refund: Refund, now_ms: int) -> Outgoing:
        gate = self._desk.at_hand(refund.gateway)
        self._desk.check_loaded(refund.gateway)
        if gate is None or gate.adapter.account != refund.account:
            raise out_of_reach(bundle)
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


def _return_of(refund: Refund, rows: Sequence[Refund]) -> str:
    """A new try belongs to the credit note of what it makes good."""
    names = refund.replaces.split()
    return next((row.return_id for row in rows if row.id in names and row.return_id), "")


def out_of_reach(bundle: Bundle) -> Refused:
    """For what no gateway of this till can give back."""
    return Refused(
        f"What order {bundle.order.number} was paid with is at an account that is not set up here.",
        "Set that gateway's key again, or let a manager give cash: `pos refund ORDER --cash --reason ...`.",
    )


def room_of(bundle: Bundle, verdict: Verdict) -> list[Proposal]:
    """What may still go back to each payment, newest first."""
    newest = newest_first(verdict.payments)
    found = [Proposal(p.gateway, p.account, p.id, refundable_of(bundle, verdict, p.id)) for p in newest]
    return [proposal for proposal in found if proposal.amount_minor > 0]


def taken_from(room: Sequence[Proposal], wanted_minor: int) -> list[Proposal]:
    """`wanted_minor`, or as much of it as there is room for, from the first on."""
    plan = []
    for proposal in room:
        part = min(proposal.amount_minor, wanted_minor)
        if part > 0:
            plan.append(replace(proposal, amount_minor=part))
            wanted_minor -= part
    return plan


def given_back_minor(bundle: Bundle) -> int:
    """What we gave back of an order, or have asked to, and what was given for goods: for the limit of one person."""
    failed = {r.ours for r in fold(bundle).refunds if not r.counts}
    asked = sum(row.amount_minor for row in bundle.refunds if row.id not in failed)
    return asked - sum(t.amount_minor for t in bundle.tenders if t.amount_minor < 0)
