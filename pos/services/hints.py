"""Hints: a webhook, a callback, an opened page. Never a truth; each makes the till ask the gateway at once.

The relay's cursor moves in the same write as what the hint led to. A hint whose question got no answer is kept and
asked again; nothing that the relay acknowledged to a gateway is lost between here and the books.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pos.domain.errors import PosError
from pos.domain.facts import Source
from pos.domain.payment import Attempt
from pos.domain.ports import Outcome, PreparedCall
from pos.domain.store_port import CallLog, Hint, Tx
from pos.services.bus import PageOpened
from pos.services.captures import Captures
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.evidence import Evidence, evidence_of
from pos.services.looks import Looks
from pos.services.settle import Settle

OTHERS_FIRST_MS = 10_000
"""So long an order's own till has the first word with the gateway; another asks only what that one left open."""
RETRY_FIRST_MS = 2_000
RETRY_MAX_MS = 300_000
RETRY_TRIES = 40
FOLLOW_MAX = 6


class Hints:
    def __init__(self, context: Context, desk: Desk, settle: Settle, looks: Looks, captures: Captures) -> None:
        self._context = context
        self._desk = desk
        self._settle = settle
        self._looks = looks
        self._captures = captures

    async def take(self, hint: Hint, cursor: str) -> None:
        """One event from the relay; afterwards the cursor stands behind it, whatever happened."""
        if hint.gateway not in self._desk.enrolled and hint.gateway not in self._desk.unloaded:
            await self._context.store.write(lambda tx: tx.sync.set_cursor(cursor))
            return
        if await self._context.store.read(lambda tx: self._is_anothers(tx, hint)):
            await self._context.store.write(lambda tx: self._keep(tx, hint, cursor, OTHERS_FIRST_MS))
        elif not await self._follow(hint, cursor):
            await self._context.store.write(lambda tx: self._keep(tx, hint, cursor))

    async def retry_due(self, limit: int = 20) -> int:
        """Ask again for kept hints whose time has come; returns how many were tried."""
        now = self._context.now_ms()
        due = await self._context.store.read(lambda tx: tx.sync.hints(now, limit))
        for hint in due:
            if await self._context.store.write(partial(self._claim, hint=hint)):
                await self._follow(hint, "")
        return len(due)

    async def _follow(self, hint: Hint, cursor: str) -> bool:
        """Ask about what the hint names; True when the question was answered and settled (or needed no asking)."""
        attempt = await self._context.store.read(lambda tx: find_attempt(tx, hint))
        label = f"{hint.kind}:{hint.id}"
        if attempt is None:
            return await self._fetch_payment(hint, label, cursor)
        if hint.kind != "webhook":
            await self._context.store.write(lambda tx: self._note(tx, hint, attempt))
        if hint.kind == "opened":
            self._context.bus.publish(PageOpened(attempt.order_id))
            await self._context.store.write(lambda tx: self._settled(tx, hint, cursor))
            return True
        done = await self._looks.look(attempt.id, hint=label, cursor=cursor, drop_hint=hint.id)
        if done.answered and not attempt.link_id:  # found by our reference: nothing was settled that moves the cursor
            await self._context.store.write(lambda tx: self._settled(tx, hint, cursor))
        return done.answered

    async def _fetch_payment(self, hint: Hint, label: str, cursor: str) -> bool:
        """A payment that no link of ours is known for: fetch it, and what ties it to a link."""
        if not hint.payment:
            if hint.link or hint.reference:
                return False  # a link we do not know (yet): kept, asked again, dropped by `_again` in the end
            await self._context.store.write(lambda tx: self._settled(tx, hint, cursor))
            return True
        try:
            gate = await self._desk.get(hint.gateway)
            call: PreparedCall | None = gate.adapter.fetch_payment(hint.payment)
            told: list[Evidence] = []
            for _ in range(FOLLOW_MAX):  # more than we follow: the report brings the rest
                if call is None:
                    break
                asked = await self._desk.ask(gate, call)
                if asked.reading.outcome is not Outcome.OK:
                    return False
                call = asked.reading.next
                told.append(evidence_of(hint.gateway, asked, Source.FETCH, label))
            # in one write: what is asked in part counts as never asked, and a payment may be due by a later page only
            told[-1] = replace(told[-1], cursor=cursor, drop_hint=hint.id)
            await self._captures.follow(gate, told, await self._settle.take_in_all(told))
        except PosError:  # no answer, or a key that is not accepted: kept, and asked again
            return False
        return True

    def _note(self, tx: Tx, hint: Hint, attempt: Attempt) -> None:
        now = self._context.now_ms()
        operation = "opened" if hint.kind == "opened" else "callback"
        known = {(c.operation, c.source) for c in tx.outbox.calls(attempt.order_id) if c.attempt_id == attempt.id}
        if (operation, f"{hint.kind}:{hint.id}") not in known:
            source = f"{hint.kind}:{hint.id}"
            tx.outbox.log(CallLog(attempt.order_id, attempt.id, now, operation, source, "hint", ""))

    def _is_anothers(self, tx: Tx, hint: Hint) -> bool:
        """Whether it is about an order of another till, which hears the same from the relay."""
        attempt = find_attempt(tx, hint)
        order = tx.orders.get(attempt.order_id) if attempt else None
        return order is not None and order.till != self._context.shop.till

    def _keep(self, tx: Tx, hint: Hint, cursor: str, pause_ms: int = RETRY_FIRST_MS) -> None:
        tx.sync.put_hint(replace(hint, next_at_ms=self._context.now_ms() + pause_ms))
        tx.sync.set_cursor(cursor)

    def _claim(self, tx: Tx, hint: Hint) -> bool:
        """Put its next time off; True for the one process that did, where the question is still to be asked."""
        if hint.tries > RETRY_TRIES or self._is_done(tx, hint):
            tx.sync.drop_hint(hint.id)  # the sweeps have long read past it
            return False
        pause = min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** min(hint.tries, 10))
        return tx.sync.claim_hint(hint, self._context.now_ms() + pause)

    def _is_done(self, tx: Tx, hint: Hint) -> bool:
        """Of another till's order: that till has looked since, and the order is not open any more."""
        attempt = find_attempt(tx, hint)
        if hint.tries or attempt is None or attempt.live or not self._is_anothers(tx, hint):
            return False
        return (attempt.looked_at_ms or 0) >= hint.next_at_ms - OTHERS_FIRST_MS

    def _settled(self, tx: Tx, hint: Hint, cursor: str) -> None:
        tx.sync.drop_hint(hint.id)
        if cursor:
            tx.sync.set_cursor(cursor)


def find_attempt(tx: Tx, hint: Hint) -> Attempt | None:
    """The attempt that a hint is about: by link, by our reference, by a payment or refund known already."""
    if hint.link and (found := tx.attempts.by_link(hint.gateway, hint.link)):
        return found
    if hint.reference and (found := tx.attempts.by_reference(hint.reference)):
        return found
    if hint.payment:
        payment = (hint.gateway, hint.payment)
        for fact in tx.facts.of_payments([payment])[payment]:
            if fact.kind.is_binding and (found := tx.attempts.by_link(hint.gateway, fact.target)):
                return found
    return None
