"""Looking at an attempt: ask the gateway what became of its link, and settle what it says.

Numbered as it happens:
1. An attempt with a link: fetch it. If the link should be closed (phase closing, or abandoned), close it first; a
   gateway that answers "already paid or expired" is fetched.
2. An attempt without a link (no answer to the create call): find it by our reference. Found: note its id; it was
   never shown, so it is closed. Not found twice, past the call's own time: it never came to be.
3. No answer: log it, and ask again later and later. Nothing is ever concluded from silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pos.domain.errors import PosError
from pos.domain.facts import Source
from pos.domain.payment import CALL_TIMEOUT_S, Attempt, Phase
from pos.domain.ports import Asked, Gateway, LinkInfo, NoAnswer, Outcome
from pos.domain.store_port import CallLog, Tx
from pos.services import schedule
from pos.services.captures import Captures
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.evidence import evidence_of, unanswered_word
from pos.services.settle import Settle
from pos.services.views import OrderRow

FIND_MARGIN_MS = 15 * 60_000
CLOCK_ERROR_MS = 26 * 3_600_000
"""How wrong a till's clock may have been when it asked for a link: a wrong date by one day, in any time zone's hour."""
FOLLOW_MAX = 20
FIND_PAGES_MAX = 200
"""Pages of half an hour's links that are read to find one."""
ENDED = ("closed", "expired")
CONTRADICTION = ("unknown", "the link is over, but what was paid is not shown", 200)
NOT_FOUND_ONCE = "not found once"
NEVER_MADE = "never made"


Missing = tuple[str, str, int]
"""Why a page did not come: a word for the call log, the gateway's sentence, the HTTP status."""


@dataclass(frozen=True, slots=True)
class LookDone:
    """`answered` is False when the gateway said nothing that can be read."""

    answered: bool
    rows: tuple[OrderRow, ...] = ()


class Looks:
    def __init__(self, context: Context, desk: Desk, settle: Settle, captures: Captures) -> None:
        self._context = context
        self._desk = desk
        self._settle = settle
        self._captures = captures

    async def look(self, attempt_id: str, *, hint: str, cursor: str = "", drop_hint: str = "") -> LookDone:
        """Look at one attempt now. `hint` says why (`poll`, `check`, `probe`, `webhook:<id>` ...)."""
        attempt = await self._context.store.read(lambda tx: tx.attempts.get(attempt_id))
        if attempt is None:
            return LookDone(False)
        try:
            gateway = await self._desk.get(attempt.gateway)
            if not attempt.link_id:
                return await self._find(attempt, gateway, hint)
            asked = await self._ask_link(attempt, gateway)
        except PosError as error:  # also: a gateway no longer set up, a key not accepted; other links must go on
            return await self._no_answer(attempt, hint, unanswered_word(error), error)
        if asked.reading.outcome is not Outcome.OK:
            return await self._not_ok(attempt, hint, asked)
        pages, missing = await self._follow(gateway, asked)
        told = [evidence_of(attempt.gateway, page, Source.FETCH, hint) for page in pages]
        if not missing:  # the hint is done with when all of the answer is in
            told[-1] = replace(told[-1], cursor=cursor, drop_hint=drop_hint)
        rows = await self._settle.take_in_all(told)
        await self._captures.follow(gateway, told, rows)
        infos = [info for page in pages for info in page.reading.links if info.id == attempt.link_id]
        why = missing or (CONTRADICTION if any(info.state in ENDED for info in infos) else None)
        if why and not any(info.complete_look for info in infos):  # half an answer does not tell what was paid
            done = await self._log(attempt, hint, *why, partly=True)
            return replace(done, answered=not missing)
        return LookDone(not missing, tuple(rows))

    async def _follow(self, gateway: Gateway, first: Asked) -> tuple[list[Asked], Missing | None]:
        """The answer with what did not fit into its first page (payments, refunds, disputes), and what kept the rest.

        A page that does not come spoils nothing: what was read counts, and whether the look was complete is the
        adapter's word, given with the page that makes it so.
        """
        pages = [first]
        while pages[-1].reading.next is not None:
            if len(pages) > FOLLOW_MAX:
                return pages, ("unknown", "the answer does not end", 0)
            try:
                asked = await self._desk.ask(gateway, pages[-1].reading.next)
            except PosError as error:
                return pages, (unanswered_word(error), str(error), 0)
            if asked.reading.outcome is not Outcome.OK:
                return pages, (asked.reading.outcome.value, asked.reading.message, asked.status)
            pages.append(asked)
        return pages, None

    async def _ask_link(self, attempt: Attempt, gateway: Gateway) -> Asked:
        adapter = gateway.adapter
        if _to_be_closed(attempt) and adapter.capabilities.can_close:
            asked = await self._desk.ask(gateway, adapter.close(attempt.link_id))
            if asked.reading.outcome is Outcome.OK and _complete(asked.reading.links, attempt.link_id):
                return asked
        return await self._desk.ask(gateway, adapter.fetch(attempt.link_id))

    async def _find(self, attempt: Attempt, gateway: Gateway, hint: str) -> LookDone:
        # absence is concluded from the second look alone, so that one is not narrowed by what a clock said
        far_ms = CLOCK_ERROR_MS if attempt.reason == NOT_FOUND_ONCE else 0
        asked, found = await find_link(self._desk, gateway, attempt, now_ms=self._context.now_ms(), far_ms=far_ms)
        if asked.reading.outcome is not Outcome.OK:
            return await self._not_ok(attempt, hint, asked)
        now = self._context.now_ms()
        if found is None:
            row = await self._context.store.write(lambda tx: self._not_found(tx, attempt.id, now))
            known = False
        else:
            info = found
            row, known = await self._context.store.write(lambda tx: self._found(tx, attempt.id, info, now))
        self._settle.announce([row])
        return await self.look(attempt.id, hint=hint) if known else LookDone(True, (row,))

    def _found(self, tx: Tx, attempt_id: str, info: LinkInfo, now_ms: int) -> tuple[OrderRow, bool]:
        """A link that was asked for and never shown: note it, give it up; the next look closes it.

        While its call may still be sent the one who sends it is left alone: they may be about to show this very link.
        """
        attempt = _locked(tx, attempt_id)
        if attempt.phase is Phase.REQUESTING and now_ms <= attempt.send_by_ms:
            later = replace(attempt, looks_failed=1, looked_at_ms=now_ms, look_due_at_ms=attempt.send_by_ms + 1)
            tx.attempts.update(later)
            return self._settle.refold(tx, attempt.order_id, now_ms), False
        if not attempt.link_id:
            attempt = replace(attempt, link_id=info.id, url=info.url, look_due_at_ms=now_ms)
            if attempt.phase in (Phase.DRAFTED, Phase.REQUESTING):
                attempt = replace(
                    schedule.abandoned(attempt, "found after its time", now_ms), link_id=info.id, url=info.url
                )
            tx.attempts.update(replace(attempt, look_due_at_ms=now_ms))
        return self._settle.refold(tx, attempt.order_id, now_ms), True

    def _not_found(self, tx: Tx, attempt_id: str, now_ms: int) -> OrderRow:
        """Absence counts only twice, and past the time in which the call could still arrive."""
        attempt = _locked(tx, attempt_id)
        if attempt.link_id:  # an answer has named it since this question was asked
            return self._settle.refold(tx, attempt.order_id, now_ms)
        past = now_ms > attempt.send_by_ms + CALL_TIMEOUT_S * 1000
        if not past or attempt.reason != NOT_FOUND_ONCE:
            later = replace(
                attempt, looks_failed=0, looked_at_ms=now_ms, look_due_at_ms=now_ms + schedule.ON_SCREEN_MS * 3
            )
            reason = NOT_FOUND_ONCE if past else attempt.reason
            # an unanswered create stays unknown until it is found or given up
            failed = 1 if attempt.phase is Phase.REQUESTING else 0
            tx.attempts.update(replace(later, reason=reason, looks_failed=failed))
        else:
            over = attempt
            if attempt.phase in (Phase.DRAFTED, Phase.REQUESTING):
                over = schedule.abandoned(attempt, NEVER_MADE, now_ms)
            over = replace(over, reason=NEVER_MADE, fenced_at_ms=now_ms, fence_kind="absent", look_due_at_ms=None)
            tx.attempts.update(replace(over, looks_failed=0))
        return self._settle.refold(tx, attempt.order_id, now_ms)

    async def _not_ok(self, attempt: Attempt, hint: str, asked: Asked) -> LookDone:
        reading = asked.reading
        wait_ms = round((reading.retry_after_s or 0) * 1000)
        return await self._log(attempt, hint, reading.outcome.value, reading.message, asked.status, wait_ms=wait_ms)

    async def _no_answer(self, attempt: Attempt, hint: str, outcome: str, error: Exception) -> LookDone:
        return await self._log(attempt, hint, outcome, str(error), 0)

    async def _log(
        self,
        attempt: Attempt,
        hint: str,
        outcome: str,
        message: str,
        status: int,
        *,
        partly: bool = False,
        wait_ms: int = 0,
    ) -> LookDone:
        """A look that failed. `partly`: something was read and settled, which took it for one that did not.

        `wait_ms`: how long the gateway wants to be left alone.
        """
        now = self._context.now_ms()

        def note(tx: Tx) -> OrderRow:
            current = _locked(tx, attempt.id)
            if partly:
                current = replace(current, looks_failed=attempt.looks_failed, looked_at_ms=attempt.looked_at_ms)
            tx.attempts.update(schedule.after_failed_look(current, now, wait_ms))
            operation = "close" if _to_be_closed(current) else "fetch"
            tx.outbox.log(CallLog(attempt.order_id, attempt.id, now, operation, hint, outcome, message[:300], status))
            return self._settle.refold(tx, attempt.order_id, now)

        row = await self._context.store.write(note)
        self._settle.announce([row])
        return LookDone(False, (row,))


async def find_link(
    desk: Desk, gateway: Gateway, attempt: Attempt, *, now_ms: int, far_ms: int = 0
) -> tuple[Asked, LinkInfo | None]:
    """The link that was made for an attempt, by our reference; the answer that names it, or the last one.

    An answer that is not OK ends the search: nothing is concluded from it. `far_ms` is how much further back it goes,
    and then also on to this moment: the clock that the attempt was drafted by may have been set since.

    Raises:
        NotSent, NoAnswer: as `Desk.ask`; also a list that does not end.
    """
    skew = desk.health[gateway.adapter.name].skew_ms  # the window is by the gateway's clock
    since, until = attempt.drafted_at_ms - FIND_MARGIN_MS + skew, attempt.send_by_ms + FIND_MARGIN_MS + skew
    if far_ms:
        since, until = min(since, now_ms + skew) - far_ms, max(until, now_ms + skew)
    call = gateway.adapter.find(attempt.reference, since, until)
    for _ in range(FIND_PAGES_MAX):
        asked = await desk.ask(gateway, call)
        found = next((info for info in asked.reading.links if info.reference == attempt.reference), None)
        if asked.reading.outcome is not Outcome.OK or found is not None or asked.reading.next is None:
            return asked, found
        call = asked.reading.next
    raise NoAnswer("The gateway's list does not end.", "It is asked again; nothing is concluded from it.")


def _locked(tx: Tx, attempt_id: str) -> Attempt:
    attempt = tx.attempts.get(attempt_id)
    assert attempt is not None
    tx.orders.lock(attempt.order_id)
    current = tx.attempts.get(attempt_id)
    assert current is not None
    return current


def _to_be_closed(attempt: Attempt) -> bool:
    """A link that must not be payable any more: withdrawn, or never shown. A released one is only watched."""
    return attempt.phase in (Phase.CLOSING, Phase.ABANDONED) and not attempt.fenced


def _complete(links: tuple[LinkInfo, ...], link_id: str) -> bool:
    return any(info.id == link_id and info.complete_look for info in links)
