"""Goods taken back: a credit note, written once, and the money for it, in one transaction before any call.

1. Under the order's lock: what was sold, what came back before, what this part is worth (`pos.domain.returning`).
2. The note with its number, the refund rows to the payments it came from (what is not covered goes back over the
   counter), the Z entry, the journal. It changes neither what the sale is due nor what it kept.
3. The calls. One without an answer is sent again with its key; one that failed is an exception, and a new try of it
   belongs to the same note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pos.domain.errors import BadInput, NotFound, Refused
from pos.domain.joins import Bundle
from pos.domain.movement import ZEntry
from pos.domain.order import Life
from pos.domain.refund import Purpose
from pos.domain.returning import Pick, Return, left_milli, picks_of, return_lines, returned_milli, total_minor
from pos.domain.store_port import Outgoing, Tx
from pos.domain.verdict import Money, Proposal, Verdict, fold
from pos.services.approvals import Act, Approvals
from pos.services.context import Context
from pos.services.handback import Because, HandBack
from pos.services.orderview import find_order, view_of
from pos.services.receipts import credit_note_lines
from pos.services.refundrows import room_of, taken_from
from pos.services.refunds import Plan, Refunds, Wish
from pos.services.views import OrderView, ReturnLineView, ReturnView
from pos.words.formats import Formats


@dataclass(frozen=True, slots=True)
class Goods:
    """What comes back: lines of the sale by their place, or by SKU. Quantities in thousandths of a piece."""

    picks: Sequence[Pick] = ()
    skus: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Who takes back, and why. The same `key` again is the same credit note."""

    reason: str
    actor: str
    approved_by: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The credit note, and its order as it is after the calls."""

    note: Return
    view: OrderView


class Returns:
    def __init__(
        self, context: Context, refunds: Refunds, handback: HandBack, approvals: Approvals, formats: Formats
    ) -> None:
        self._context = context
        self._approvals = approvals
        self._refunds = refunds
        self._handback = handback
        self._formats = formats

    async def look(self, order_id: str, goods: Goods | None = None) -> ReturnView:
        """What of a sale may still come back, and what the `goods` are worth; nothing is written.

        Raises:
            BadInput, Refused: as `take_back`.
        """
        return await self._context.store.read(lambda tx: self._look(tx, order_id, goods))

    async def take_back(self, order_id: str, goods: Goods, decision: Decision) -> TakenBack:
        """Write the credit note and give its money back.

        Raises:
            NotAllowed: the actor may not, or a second person must approve.
            BadInput: nothing chosen, not on this sale, or more than was sold and not returned.
            Refused: the sale is not paid, owes money, or has less left than the goods are worth.
        """
        await self._refunds.ready(order_id, Act.RETURN, decision.actor)
        note, calls = await self._context.store.write(lambda tx: self._take_back(tx, order_id, goods, decision))
        return TakenBack(note, await self._refunds.send_all(order_id, calls))

    async def paper(self, number: str) -> list[str]:
        """A credit note as lines of text, 42 characters wide; by its number.

        Raises:
            NotFound: no such credit note.
        """
        note = await self._context.store.read(lambda tx: tx.returns.by_number(number))
        if note is None:
            raise NotFound(f"There is no credit note {number!r}.", "Its number stands in the order's timeline.")
        now, shop = self._context.now_ms(), self._context.shop
        view = await self._context.store.read(lambda tx: view_of(tx, note.order_id, now))
        when = self._formats.date_time(note.at_ms)
        return credit_note_lines(shop.name, note, view.number, when, test=shop.test_mode)

    def _look(self, tx: Tx, order_id: str, goods: Goods | None) -> ReturnView:
        bundle = tx.facts.bundle(find_order(tx, order_id).id)
        check(bundle, fold(bundle))
        lines, notes = bundle.order.lines, tx.returns.of_order(bundle.order.id)
        before = returned_milli(notes)
        chosen = self._draft(tx, bundle, goods, Decision("", "")) if goods is not None else None
        return ReturnView(
            order_id=bundle.order.id,
            lines=tuple(
                ReturnLineView(at, line.sku, line.name, line.quantity_milli, left)
                for at, (line, left) in enumerate(zip(lines, left_milli(lines, before), strict=True))
            ),
            total_minor=chosen.total_minor if chosen else 0,
            tax_minor=sum(tax.amount_minor for tax in chosen.taxes) if chosen else 0,
            notes=tuple(note.number for note in notes),
        )

    def _take_back(self, tx: Tx, order_id: str, goods: Goods, decision: Decision) -> tuple[Return, list[Outgoing]]:
        order = tx.orders.lock(order_id)
        known = tx.returns.by_key(decision.key) if decision.key else None
        if known is not None:
            if known.order_id != order.id:
                raise BadInput("This key is another order's.", "Use a key of its own for each credit note.")
            return known, []
        wish = Wish(Act.RETURN, decision.reason, decision.actor, decision.approved_by)
        draft: list[Return] = []

        def plan(tx: Tx, bundle: Bundle, verdict: Verdict) -> Plan:
            check(bundle, verdict)
            note = self._draft(tx, bundle, goods, decision)
            draft.append(note)
            proposals, handed = _ways(bundle, verdict, note.total_minor)
            near, far = self._refunds.parted(tx, proposals)
            if far:  # cash for what came by link: as when a manager gives it back without goods
                self._approvals.allow(Act.CASH_BACK, decision.actor)
            why = Because("tender.return", decision.reason, decision.actor, note.id)
            self._handback.write_bound(tx, bundle, far, why)
            self._handback.write(tx, bundle, handed, why)
            return Plan(Purpose.RETURN, near, note.id, handed_minor=handed + sum(p.amount_minor for p in far))

        calls, approved_by = self._refunds.ask_in(tx, order.id, wish, plan)
        return self._write(tx, replace(draft[0], approved_by=approved_by)), calls

    def _draft(self, tx: Tx, bundle: Bundle, goods: Goods, decision: Decision) -> Return:
        """Numbered when it is written."""
        order, shop, now = bundle.order, self._context.shop, self._context.now_ms()
        included = tx.orders.tax_included(order.id)
        before = returned_milli(tx.returns.of_order(order.id))
        picks = (*goods.picks, *picks_of(order.lines, before, goods.skus))
        lines = return_lines(order.lines, before, picks, tax_included=included)
        return Return(
            id=self._context.ids.uuid7(),
            number="",
            order_id=order.id,
            revision=order.revision,
            till=shop.till,
            currency=order.currency,
            total_minor=total_minor(lines, tax_included=included),
            tax_included=included,
            reason=decision.reason,
            asked_by=decision.actor,
            approved_by="",
            at_ms=now,
            day=shop.business_day(now),
            key=decision.key,
            lines=lines,
        )

    def _write(self, tx: Tx, draft: Return) -> Return:
        note = replace(draft, number=tx.returns.next_number(draft.till))
        tx.returns.add(note)
        entry = ZEntry(
            "return", note.id, note.order_id, note.till, "return", -note.total_minor, note.currency, note.at_ms
        )
        tx.money.enter([entry])
        body = {"return": note.id, "number": note.number, "total_minor": note.total_minor, "reason": note.reason}
        lines = [{"line": each.line, "sku": each.sku, "quantity_milli": each.quantity_milli} for each in note.lines]
        body |= {"approved_by": note.approved_by, "lines": lines}
        tx.journal.append(note.at_ms, note.asked_by, "return.written", note.order_id, body)
        return note


def check(bundle: Bundle, verdict: Verdict) -> None:
    """Only what was sold and paid can come back.

    Raises:
        Refused: not a sale, not paid, or money is owed back that is no return.
    """
    order = bundle.order
    if order.life is not Life.PLACED or verdict.money not in (Money.PAID, Money.OVERPAID):
        raise Refused(f"Order {order.number} is not paid.", "Void it, or give back what was paid of it, instead.")
    if verdict.owed_minor:
        raise Refused(f"Money is owed back for order {order.number}.", "Refund that first; then take the goods back.")


def _ways(bundle: Bundle, verdict: Verdict, amount_minor: int) -> tuple[list[Proposal], int]:
    """(to the payments it came from, over the counter); together never more than what is left of what was taken."""
    proposals = taken_from(room_of(bundle, verdict), amount_minor)
    handed = amount_minor - sum(p.amount_minor for p in proposals)
    given = (t.amount_minor + t.rounding_minor for t in bundle.tenders if t.return_id and not t.payment)
    room = verdict.tendered_minor + sum(given)
    if handed > room:
        most = amount_minor - handed + max(0, room)
        raise Refused(
            f"Less is left of what was paid for order {bundle.order.number}.",
            f"At most {most} minor units can go back: the rest was refunded before, or is disputed.",
        )
    return proposals, handed
