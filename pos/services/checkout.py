"""Collecting by link: issue, show again, give up, release.

The way of one link, each step crash-safe:
1. One write: lock the order, place it, freeze its revision, draft the attempt with its key and the exact bytes of
   the request, claim the call. The amount is computed here, from the order on record; no caller passes one.
2. The call, with no transaction open. No answer: the same bytes with the same key again, while `send_by` lasts.
3. One write: under the lock, if the attempt is still *requesting*, its link is stored and it is *open*: shown.
Only then may a QR be painted. An answer that comes too late finds another phase, and its link is closed unseen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pos.domain.basket import Line
from pos.domain.errors import Broken, OutcomeUnknown, Refused
from pos.domain.facts import Source
from pos.domain.order import Life, Order
from pos.domain.payment import CALL_TIMEOUT_S, SEND_BY_S, Attempt, KeyParts, Phase, idempotency_key, reference
from pos.domain.ports import Asked, Gateway, LinkInfo, LinkRequest, NoAnswer, NotSent, Outcome, ShortLinks
from pos.domain.store_port import CallLog, Outgoing, Problem, Tx
from pos.domain.verdict import fold
from pos.services import schedule
from pos.services.bus import LinkIssued, OrderChanged
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.looks import Looks, evidence_of
from pos.services.orderview import gateway_title, view_of
from pos.services.selling import Selling
from pos.services.settle import Settle
from pos.services.views import OrderView

LEASE_MS = 15_000
REPEATS = 2
REPEAT_PAUSE_S = 0.4
BUSY_WAIT_MAX_S = 5.0
QR_VERSION_10_BYTES = 213
"""Bytes that a QR code of version 10 holds at error correction M (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """What the first write left: the view, and the call that is now ours to send (None: nothing to send)."""

    view: OrderView
    outgoing: Outgoing | None


class Checkout:
    def __init__(
        self,
        context: Context,
        desk: Desk,
        settle: Settle,
        looks: Looks,
        selling: Selling,
        short_links: ShortLinks | None = None,
    ) -> None:
        self._short_links = short_links
        self._relay_known = False
        self._context = context
        self._desk = desk
        self._settle = settle
        self._looks = looks
        self._selling = selling

    async def issue(self, order_id: str, gateway: str, *, actor: str = "") -> OrderView:
        """Place the order and issue its link, or show the live one again.

        Raises:
            Refused: nothing to pay, another link not fenced, the gateway says no.
            Unreachable: provably not sent; another gateway may be tried at once.
        """
        await self._know_relay()
        gate = await self._desk.get(gateway)
        drafted = await self._context.store.write(lambda tx: self.draft(tx, tx.orders.lock(order_id), gate, actor))
        return await self._go_on(gate, drafted)

    async def sell(self, lines: Sequence[Line], gateway: str, *, key: str = "", actor: str = "") -> OrderView:
        """Ring up and issue in one write; the same `key` again returns the same order and link."""
        gate = self._desk.at_hand(gateway)
        if gate is None:
            # the order is kept first: getting to know a new gateway may fail
            saved = await self._context.store.write(lambda tx: self._create(tx, lines, key, actor).id)
            return await self.issue(saved, gateway, actor=actor)
        known = gate
        await self._know_relay()

        def write(tx: Tx) -> Drafted:
            return self.draft(tx, self._create(tx, lines, key, actor), known, actor)

        return await self._go_on(gate, await self._context.store.write(write))

    async def _know_relay(self) -> None:
        """Ask the relay once for our shop's id: return pages need it. A relay that is silent costs a second, once."""
        if self._short_links is None or self._relay_known:
            return
        self._relay_known = True
        if await self._context.store.read(lambda tx: tx.shop.meta("relay_shop")):
            return
        shop = await self._short_links.shop_id()
        if shop:
            await self._context.store.write(lambda tx: tx.shop.set_meta("relay_shop", shop))

    def _create(self, tx: Tx, lines: Sequence[Line], key: str, actor: str) -> Order:
        found = tx.orders.by_key(key) if key else None
        return found or self._selling.create(tx, lines, key=key, actor=actor, life=Life.DRAFT)

    # -- step 1: the write before the call ---------------------------------------------------------------------------

    def draft(self, tx: Tx, order: Order, gate: Gateway, actor: str) -> Drafted:
        """The write before the call, inside the caller's transaction: place, freeze, draft, claim."""
        now = self._context.now_ms()
        attempts = tx.attempts.of_order(order.id)
        live = next((a for a in attempts if a.live), None)
        if live is not None:
            again = self._again(tx, live, gate, now)
            if again is not None:
                return again
            attempts = tx.attempts.of_order(order.id)
        bundle = tx.facts.bundle(order.id)
        if order.life is not Life.PLACED:
            bundle = replace(bundle, order=replace(order, life=Life.PLACED))
        verdict = fold(bundle)
        if order.life is Life.VOIDED:
            raise Refused(f"Order {order.number} is voided.", "Ring it up again.")
        if verdict.left_minor == 0:
            if verdict.kept_minor:
                return Drafted(view_of(tx, order.id, now), None)
            raise Refused(f"Order {order.number} has nothing to pay.", "Finish it as a sale without payment.")
        check_fence(attempts, order.number)
        placed = self._selling.place(tx, order)
        attempt = self._new_attempt(placed, len(attempts) + 1, verdict.left_minor, gate, now)
        call = gate.adapter.create(self._request(placed, attempt, tx.shop.meta("relay_shop") or ""))
        outgoing = Outgoing(
            id=self._context.ids.uuid7(),
            order_id=order.id,
            attempt_id=attempt.id,
            refund_id="",
            account=attempt.account,
            call=call,
            made_at_ms=now,
            send_by_ms=attempt.send_by_ms,
            next_at_ms=now,
            owner=self._context.owner,
            lease_until_ms=now + LEASE_MS,
            tries=1,
        )
        tx.attempts.insert(attempt)
        tx.outbox.put(outgoing)
        body = {"no": attempt.no, "gateway": attempt.gateway, "amount_minor": attempt.amount_minor, "key": attempt.key}
        tx.journal.append(now, actor, "attempt.drafted", order.id, body)
        return Drafted(view_of(tx, order.id, now), outgoing)

    def _again(self, tx: Tx, live: Attempt, gate: Gateway, now_ms: int) -> Drafted | None:
        """A live attempt is shown again, or its call repeated; None when it was abandoned and a new one may be made."""
        same = live.gateway == gate.adapter.name
        if live.phase is Phase.OPEN and same:
            return Drafted(view_of(tx, live.order_id, now_ms), None)
        if live.phase is Phase.CLOSING or live.phase is Phase.OPEN:
            raise Refused("Another link of this order is not closed yet.", "Give it up first, then choose again.")
        row = tx.outbox.of_attempt(live.id, "create")
        if same and row is not None and now_ms < live.send_by_ms:
            claimed = tx.outbox.claim(row.id, self._context.owner, now_ms, LEASE_MS)
            return Drafted(view_of(tx, live.order_id, now_ms), claimed)
        # never shown: needs no fence; what came of it is found and closed in the background
        tx.attempts.update(schedule.abandoned(live, "replaced before it was shown", now_ms))
        if row is not None:
            tx.outbox.finish(row.id, "dead")
        return None

    def _new_attempt(self, order: Order, no: int, amount_minor: int, gate: Gateway, now_ms: int) -> Attempt:
        account, shop = gate.adapter.account, self._context.shop.shop_id
        parts = KeyParts(shop, order.id, order.revision, no, "create", "", amount_minor, order.currency, account)
        return Attempt(
            id=self._context.ids.uuid7(),
            order_id=order.id,
            no=no,
            revision=order.revision,
            gateway=gate.adapter.name,
            account=account,
            mode=gate.adapter.mode,
            amount_minor=amount_minor,
            currency=order.currency,
            key=idempotency_key(parts),
            reference=reference(order.id, no),
            phase=Phase.REQUESTING,
            token=self._context.ids.token(),
            drafted_at_ms=now_ms,
            send_by_ms=now_ms + SEND_BY_S * 1000,
            look_due_at_ms=now_ms + CALL_TIMEOUT_S * 1000,
        )

    def _request(self, order: Order, attempt: Attempt, relay_shop: str) -> LinkRequest:
        shop = self._context.shop
        return LinkRequest(
            key=attempt.key,
            reference=attempt.reference,
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            description=f"{shop.name} · {order.number}",
            shop=shop.shop_id,
            till=shop.till,
            return_url=shop.return_page(attempt.token, relay_shop),
        )

    # -- step 2: the call --------------------------------------------------------------------------------------------

    async def _go_on(self, gate: Gateway, drafted: Drafted) -> OrderView:
        self._context.bus.publish(OrderChanged(drafted.view.row))
        if drafted.outgoing is None:
            return drafted.view
        return await self._send(gate, drafted.outgoing)

    async def _send(self, gate: Gateway, outgoing: Outgoing) -> OrderView:
        """Send the same bytes until an answer can be read, a few times at the most."""
        for repeat in range(REPEATS + 1):
            last = repeat == REPEATS
            try:
                asked = await self._desk.ask(gate, outgoing.call, timeout_s=CALL_TIMEOUT_S)
            except NotSent as error:
                if repeat == 0:  # an earlier try may have arrived: then nothing is provably unsent any more
                    await self._end(outgoing, "not_sent", error.title, 0)
                    raise
                return await self._unanswered(outgoing, "not_sent", error.title, 0)
            except NoAnswer as error:
                if last:
                    return await self._unanswered(outgoing, "no_answer", error.title, 0)
            else:
                outcome = asked.reading.outcome
                if outcome is Outcome.BUSY and not last:
                    await asyncio.sleep(min(asked.reading.retry_after_s or REPEAT_PAUSE_S, BUSY_WAIT_MAX_S))
                    continue
                if outcome is not Outcome.UNKNOWN or last:
                    return await self._answered(gate, outgoing, asked)
            await asyncio.sleep(REPEAT_PAUSE_S)
        raise AssertionError("unreachable")

    # -- step 3: the write after the call ----------------------------------------------------------------------------

    async def _answered(self, gate: Gateway, outgoing: Outgoing, asked: Asked) -> OrderView:
        reading = asked.reading
        if reading.outcome is Outcome.OK:
            attempt = await self._context.store.read(lambda tx: tx.attempts.get(outgoing.attempt_id))
            info = _our_link(reading.links, attempt.reference if attempt else "")
            if info is not None:
                return await self._open(gate, outgoing, info, asked)
            return await self._unanswered(outgoing, "unknown", "the answer names no link of ours", asked.status)
        if reading.outcome in (Outcome.UNKNOWN, Outcome.BUSY):
            return await self._unanswered(outgoing, reading.outcome.value, reading.message, asked.status)
        await self._end(outgoing, reading.outcome.value, reading.message, asked.status)
        title = gateway_title(outgoing.call.gateway)
        if reading.outcome is Outcome.UNAUTHORIZED:
            raise Refused(f"{title} does not accept the key.", "Set it again with `pos secrets set`.")
        if reading.outcome is Outcome.KEY_REUSED:
            raise Broken(f"{title} knows this key with another amount.", "Call the manager; nothing was charged.")
        raise Refused(f"{title} made no link: {reading.message or 'it gave no reason'}.", "Choose another way to pay.")

    async def _open(self, gate: Gateway, outgoing: Outgoing, info: LinkInfo, asked: Asked) -> OrderView:
        allowed = gate.page_allowed(info.url)
        short = await self._short(outgoing, info) if allowed else ""
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            tx.orders.lock(outgoing.order_id)
            attempt = tx.attempts.get(outgoing.attempt_id)
            assert attempt is not None
            tx.outbox.finish(outgoing.id, "done")
            known = replace(attempt, link_id=info.id, url=info.url, expires_at_ms=info.expires_at_ms, looks_failed=0)
            known = replace(known, qr_url=short)
            if attempt.phase is Phase.REQUESTING and allowed:
                opened = replace(known, phase=Phase.OPEN, shown_at_ms=now, look_due_at_ms=now + schedule.ON_SCREEN_MS)
                tx.attempts.update(opened)
            elif attempt.phase is Phase.REQUESTING:
                abandoned = schedule.abandoned(known, "its address is not the gateway's", now)
                tx.attempts.update(replace(abandoned, look_due_at_ms=now))
            elif attempt.phase is not Phase.OPEN:
                tx.attempts.update(replace(known, look_due_at_ms=now))
            line = CallLog(attempt.order_id, attempt.id, now, "create", "create", "ok", "", asked.status)
            tx.outbox.log(line)
            self._settle.apply(tx, [evidence_of(attempt.gateway, asked, Source.ANSWER, "create")], now)
            return view_of(tx, attempt.order_id, now)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        if not allowed:
            raise Refused("The gateway's link is not on its own pages.", "It is not shown. Call the manager.")
        if view.attempt is not None and view.attempt.qr_text:
            self._context.bus.publish(LinkIssued(view.order_id, view.attempt.id))
        return view

    async def _short(self, outgoing: Outgoing, info: LinkInfo) -> str:
        """The relay's short address, where the gateway's own would make the code denser than version 10."""
        wanted = self._context.shop.qr
        if self._short_links is None or wanted == "gateway":
            return ""
        if wanted == "auto" and len(info.url.encode()) <= QR_VERSION_10_BYTES:
            return ""
        attempt = await self._context.store.read(lambda tx: tx.attempts.get(outgoing.attempt_id))
        if attempt is None:
            return ""
        body = {"gateway": attempt.gateway, "url": info.url, "reference": attempt.reference, "link": info.id}
        return await self._short_links.take(attempt.token, body)

    async def _unanswered(self, outgoing: Outgoing, outcome: str, message: str, status: int) -> OrderView:
        """No answer that can be read: unknown. The prober looks the link up; nothing more is sent for it."""
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            tx.orders.lock(outgoing.order_id)
            attempt = tx.attempts.get(outgoing.attempt_id)
            assert attempt is not None
            if attempt.phase is Phase.REQUESTING:
                due = replace(
                    attempt, looks_failed=attempt.looks_failed + 1, look_due_at_ms=now + schedule.ON_SCREEN_MS
                )
                tx.attempts.update(due)
            tx.outbox.again(outgoing.id, now)
            tx.outbox.log(
                CallLog(outgoing.order_id, attempt.id, now, "create", "create", outcome, message[:300], status)
            )
            return view_of(tx, outgoing.order_id, now)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        return view

    async def _end(self, outgoing: Outgoing, outcome: str, message: str, status: int) -> None:
        """A definite no, or provably not sent: the attempt is abandoned; there is no link to look for."""
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            tx.orders.lock(outgoing.order_id)
            attempt = tx.attempts.get(outgoing.attempt_id)
            assert attempt is not None
            if attempt.phase is Phase.REQUESTING:
                over = schedule.abandoned(attempt, outcome, now)
                tx.attempts.update(replace(over, look_due_at_ms=None, fenced_at_ms=now, fence_kind="absent"))
            tx.outbox.finish(outgoing.id, "dead")
            tx.outbox.log(
                CallLog(outgoing.order_id, attempt.id, now, "create", "create", outcome, message[:300], status)
            )
            if outcome == Outcome.KEY_REUSED:
                tx.problems.put(self._integrity(outgoing, now))
            self._settle.refold(tx, outgoing.order_id, now)
            return view_of(tx, outgoing.order_id, now)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))

    def _integrity(self, outgoing: Outgoing, now_ms: int) -> Problem:
        return Problem(
            self._context.ids.uuid7(),
            outgoing.order_id,
            "M22",
            "key",
            "investigate",
            0,
            now_ms,
            gateway=outgoing.call.gateway,
        )

    # -- looking, giving up, releasing -------------------------------------------------------------------------------

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

    async def release(self, order_id: str, *, reason: str, actor: str) -> OrderView:
        """A manager's override of the fence: the link is given up, flagged *unfenced*, and watched on."""
        now = self._context.now_ms()

        def write(tx: Tx) -> OrderView:
            order = tx.orders.lock(order_id)
            live = next((a for a in tx.attempts.of_order(order_id) if a.live), None)
            if live is None:
                raise Refused(f"Order {order.number} has no open link.", "Nothing needs to be released.")
            if live.phase in (Phase.DRAFTED, Phase.REQUESTING):
                tx.attempts.update(schedule.abandoned(live, reason, now))
            else:
                over = replace(live, phase=Phase.RELEASED, reason=f"{actor}: {reason}", fence_kind="override")
                tx.attempts.update(replace(over, ended_at_ms=now, looks_failed=0, look_due_at_ms=now + 60_000))
            tx.journal.append(now, actor, "attempt.released", order_id, {"no": live.no, "reason": reason})
            self._settle.refold(tx, order_id, now)
            return view_of(tx, order_id, now)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        return view

    async def _view(self, order_id: str) -> OrderView:
        now = self._context.now_ms()
        return await self._context.store.read(lambda tx: view_of(tx, order_id, now))


def _our_link(links: Sequence[LinkInfo], expected: str) -> LinkInfo | None:
    """The link in the answer, if it is the one that was asked for; another order's object is no answer."""
    return next((info for info in links if info.id and info.url and info.reference == expected), None)


def check_fence(attempts: Sequence[Attempt], number: str) -> None:
    """Every link that was shown must be known closed, or given up by a manager.

    Raises:
        Refused: one may still be paid.
    """
    for attempt in attempts:
        if attempt.was_shown and not attempt.fenced and attempt.phase is not Phase.RELEASED:
            raise Refused(f"Link {attempt.no} of order {number} may still be paid.", "Close it first.")
