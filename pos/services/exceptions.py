"""What needs a person: the list of it, and carrying out the one step that is proposed for each.

The window's page of the day and `pos exceptions`, `pos resolve` go through here, so both can do the same. What was
settled outside the till is closed by a manager with a reason (`settle`); it is not opened again for the same fact.
"""

from __future__ import annotations

from typing import Protocol

from pos.domain.errors import BadInput, NotFound, Refused
from pos.domain.matching import MEANING, Action
from pos.domain.store_port import Parked, Problem, Tx
from pos.domain.verdict import fold
from pos.services.approvals import Act, Approvals, Ask
from pos.services.checkout import Checkout
from pos.services.context import Context
from pos.services.parking import ORPHAN
from pos.services.refunds import Refunds
from pos.services.views import ExceptionView, OrderView, Resolution

BY_A_PERSON = frozenset({Action.INVESTIGATE, Action.REASON, Action.NONE})
"""Steps that are taken outside the till: what is left to do here is to say how it ended."""


class Attaching(Protocol):
    async def attach(self, payment: str, order_number: str, *, actor: str, reason: str) -> OrderView: ...


class Exceptions:
    def __init__(
        self, context: Context, approvals: Approvals, checkout: Checkout, refunds: Refunds, attaching: Attaching
    ) -> None:
        self._context = context
        self._approvals = approvals
        self._checkout = checkout
        self._refunds = refunds
        self._attaching = attaching

    async def listed(self) -> list[ExceptionView]:
        """All that is open, the oldest first: of orders, of the shop, and payments whose order is not here (M11)."""
        return await self._context.store.read(self._listed)

    async def find(self, code: str, about: str) -> ExceptionView:
        """The open exception of this category about an order (its number), a payment or a refund.

        Raises:
            NotFound: there is none. BadInput: there are several, and `about` does not tell them apart.
        """
        of_code = [row for row in await self.listed() if row.code == code.upper()]
        found = [row for row in of_code if about in (row.number, row.subject, row.id)]
        if not found:
            raise NotFound(f"No exception {code.upper()} about {about} is open.", "`pos exceptions` lists them.")
        if len(found) > 1:
            subjects = ", ".join(row.subject for row in found)
            raise BadInput(f"Several exceptions {code.upper()} are about {about}.", f"Name one of {subjects}.")
        return found[0]

    async def act(self, exception_id: str, decision: Resolution) -> OrderView | None:
        """Carry out the proposed step; the order as it is then, None where it is about no order.

        Raises:
            NotAllowed: the actor may not. NotFound: it is not open any more.
            Refused: the step takes a customer (collecting the rest), or cannot be taken any more.
            BadInput: a reason is missing, or the order to attach to.
        """
        row = await self._open(exception_id)
        reason, actor, second = decision.reason, decision.actor, decision.approved_by
        match row.action:
            case Action.REFUND:
                return await self._refunds.refund_owed(row.order_id, reason=reason, actor=actor, approved_by=second)
            case Action.RETRY_REFUND:
                return await self._refunds.retry(
                    row.order_id, row.subject, reason=reason, actor=actor, approved_by=second
                )
            case Action.ACCEPT:
                return await self._refunds.accept(row.order_id, reason=reason, actor=actor)
            case Action.ASK if row.code == "M14":
                return await self._refunds.send_again(row.order_id, row.subject)
            case Action.ASK:
                return await self._checkout.check_now(row.order_id)
            case Action.ATTACH:
                if not decision.order:
                    raise BadInput("The order is missing.", "Say to which order this payment belongs.")
                return await self._attaching.attach(row.subject, decision.order, actor=actor, reason=reason)
            case Action.COLLECT:
                hint = "Take the rest in any way, or give back what was paid and void the order."
                raise Refused(f"The rest of order {row.number} is the customer's to pay.", hint)
            case _:
                await self.settle(exception_id, reason=reason, actor=actor, approved_by=second)
                return None

    async def settle(self, exception_id: str, *, reason: str, actor: str, approved_by: str = "") -> None:
        """A manager closes what was settled outside the till, and says how. No money moves by this.

        Raises:
            NotAllowed: the actor may not override. BadInput: no reason. NotFound: it is not open any more.
            Refused: its outcome is not known yet, so nobody can say how it ended.
        """
        self._approvals.allow(Act.SETTLE, actor)
        if not reason.strip():
            raise BadInput("Say how this was settled.", "For example: given back on the gateway's page, 12 May.")
        now = self._context.now_ms()

        def write(tx: Tx) -> None:
            problem = tx.problems.get(exception_id)
            if problem is None or problem.closed_at_ms is not None:
                raise _gone()
            if problem.action == Action.ASK:
                raise Refused("The outcome of this is not known yet.", "Ask the gateway again, or give the link up.")
            if problem.order_id:
                tx.orders.lock(problem.order_id)
            by = self._approvals.approve(Ask(Act.SETTLE, problem.order_id, problem.amount_minor, actor, approved_by))
            tx.problems.close(problem.id, now, actor, reason)
            body = {"code": problem.code, "subject": problem.subject, "reason": reason, "approved_by": by}
            tx.journal.append(now, actor, "exception.settled", problem.order_id or problem.subject, body)

        await self._context.store.write(write)

    async def _open(self, exception_id: str) -> ExceptionView:
        found = next((row for row in await self.listed() if row.id == exception_id), None)
        if found is None:
            raise _gone()
        return found

    def _listed(self, tx: Tx) -> list[ExceptionView]:
        currency = self._context.shop.currency
        rows = [exception_view(tx, problem, currency) for problem in tx.problems.listed(open_only=True)]
        rows += [orphan_view(parked) for parked in tx.facts.parked() if parked.kind == ORPHAN]
        return sorted(rows, key=lambda row: row.at_ms)


def _gone() -> NotFound:
    return NotFound("This is not open any more.", "Look at the list again.")


def exception_view(tx: Tx, problem: Problem, currency: str) -> ExceptionView:
    """A problem with its evidence; `currency` is the shop's, for what is about no order."""
    here = there = None
    number = gateway = ""
    subject = problem.subject
    if problem.order_id:
        bundle = tx.facts.bundle(problem.order_id)
        verdict = fold(bundle)
        number, currency = bundle.order.number, bundle.order.currency
        here, there = verdict.due_minor, verdict.captured_minor
        gateway, subject = problem.gateway, problem.subject or problem.payment
    return ExceptionView(
        id=problem.id,
        code=problem.code,
        order_id=problem.order_id,
        number=number,
        at_ms=problem.opened_at_ms,
        gateway=gateway,
        here_minor=here,
        gateway_minor=there,
        currency=currency,
        action=Action(problem.action),
        amount_minor=problem.amount_minor,
        subject=subject,
        open=problem.closed_at_ms is None,
    )


def orphan_view(parked: Parked) -> ExceptionView:
    """A payment with our reference whose order is not here."""
    return ExceptionView(
        id=f"{parked.gateway}:{parked.payment}",
        code="M11",
        order_id="",
        number="",
        at_ms=parked.at_ms or 0,
        gateway=parked.gateway,
        here_minor=None,
        gateway_minor=parked.amount_minor,
        currency=parked.currency,
        action=Action.ATTACH,
        amount_minor=parked.amount_minor,
        subject=parked.payment,
        open=True,
    )


def told(row: ExceptionView) -> str:
    """One line for a list: what it is about and what it means."""
    return f"{row.code} {row.number or row.subject}: {MEANING[row.code]}"
