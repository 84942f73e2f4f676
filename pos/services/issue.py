"""Issuing a link, or showing the live one again.

The way of one link, each step crash-safe:
1. One write: lock the order, place it, freeze its revision, draft the attempt with its key and the exact bytes of
   the request, claim the call. The amount is computed here, from the order on record and its saved plan of tenders:
   `min(share, due - kept)`; no caller passes one.
2. The call, with no transaction open. No answer: the same bytes with the same key again, while `send_by` lasts.
3. One write: under the lock, if the attempt is still *requesting*, its link is stored and it is *open*: shown.
Only then may a QR be painted. An answer that comes too late finds another phase, and its link is closed unseen.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pos.domain.basket import Line
from pos.domain.errors import Broken, PosError, Refused
from pos.domain.facts import Source
from pos.domain.order import Life, Order
from pos.domain.payment import CALL_TIMEOUT_S, SEND_BY_S, Attempt, KeyParts, Phase, idempotency_key, reference
from pos.domain.plan import Ask, Way
from pos.domain.ports import Asked, Gateway, LinkInfo, LinkRequest, NoAnswer, NotSent, Outcome, ShortLinks
from pos.domain.store_port import Outgoing, Tx
from pos.domain.verdict import fold
from pos.services import schedule
from pos.services.aftercall import AfterCall
from pos.services.bus import OrderChanged
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.looks import find_link
from pos.services.orderview import row_of, view_of
from pos.services.planned import ask_in
from pos.services.selling import Selling
from pos.services.settle import Settle
from pos.services.views import OrderRow, OrderView
from pos.words.ways import gateway_title

LEASE_MS = 15_000
EXPIRY_MARGIN_S = 60
REPEATS = 2
REPEAT_PAUSE_S = 0.4
LOOK_AGAIN_S = 1.0
"""Seconds between the two looks for a link whose call was not answered."""
BUSY_WAIT_MAX_S = 5.0


class OtherLinkOpen(Refused):
    """A link that was shown is open, or being closed: it must be closed before there can be one of another gateway."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What the first write left: the order's line, and the call that is now ours to send with what it asks for."""

    row: OrderRow
    outgoing: Outgoing
    attempt: Attempt


Drafted = OrderView | Sending
"""The order as it stands, where there is nothing to send."""


class Issuer:
    """Makes links: drafts, asks, stores what came."""

    def __init__(
        self,
        context: Context,
        desk: Desk,
        settle: Settle,
        selling: Selling,
        short_links: ShortLinks | None = None,
    ) -> None:
        self._short_links = short_links
        self._after = AfterCall(context, desk, settle, short_links)
        self._relay_known = False
        self._context = context
        self._desk = desk
        self._settle = settle
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
        bundle = tx.facts.bundle(order.id, order)
        live = next((a for a in bundle.attempts if a.live), None)
        if live is not None:
            again = self._again(tx, live, gate, now)
            if again is not None:
                return again
            bundle = tx.facts.bundle(order.id, order)
        if order.life is not Life.PLACED:
            bundle = replace(bundle, order=replace(order, life=Life.PLACED))
        verdict = fold(bundle)
        if order.life is Life.VOIDED:
            raise Refused(f"Order {order.number} is voided.", "Ring it up again.")
        if verdict.left_minor == 0:
            if verdict.kept_minor:
                return view_of(tx, order.id, now)
            raise Refused(f"Order {order.number} has nothing to pay.", "Finish it as a sale without payment.")
        check_fence(bundle.attempts, order.number)
        if verdict.in_flight:  # a link that was fenced, and a payment of it that came to life again
            raise Refused(f"A payment of order {order.number} may still come.", "Wait until it is settled.")
        ask = ask_in(tx, order, verdict, Way.QR)
        placed = self._selling.place(tx, order)
        attempt = self._new_attempt(placed, len(bundle.attempts) + 1, ask, gate, now)
        request = self._request(placed, attempt, tx.shop.meta("relay_shop") or "")
        call = gate.adapter.create(request._replace(expires_at_ms=self._expiry_ms(gate, now)))
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
        bundle = replace(bundle, order=placed, attempts=[*bundle.attempts, attempt])
        return Sending(row_of(bundle, fold(bundle), now), outgoing, attempt)

    def _again(self, tx: Tx, live: Attempt, gate: Gateway, now_ms: int) -> Drafted | None:
        """A live attempt is shown again, or its call repeated; None when it was abandoned and a new one may be made."""
        same = live.gateway == gate.adapter.name
        if live.phase is Phase.OPEN and same:
            return view_of(tx, live.order_id, now_ms)
        if live.phase is Phase.CLOSING or live.phase is Phase.OPEN:
            raise OtherLinkOpen("Another link of this order is not closed yet.", "Give it up first, then choose again.")
        row = tx.outbox.of_attempt(live.id, "create")
        if same and row is not None and now_ms < live.send_by_ms:
            claimed = tx.outbox.claim(row.id, self._context.owner, now_ms, LEASE_MS)
            view = view_of(tx, live.order_id, now_ms)
            return Sending(view.row, claimed, live) if claimed else view
        # never shown: needs no fence; what came of it is found and closed in the background
        tx.attempts.update(schedule.abandoned(live, "replaced before it was shown", now_ms))
        if row is not None:
            tx.outbox.finish(row.id, "dead")
        return None

    def _new_attempt(self, order: Order, no: int, ask: Ask, gate: Gateway, now_ms: int) -> Attempt:
        account, shop, amount_minor = gate.adapter.account, self._context.shop.shop_id, ask.amount_minor
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
            share_minor=ask.share_minor,
            due_minor=ask.due_minor,
            kept_minor=ask.kept_minor,
            plan_no=ask.plan_no,
        )

    def _expiry_ms(self, gate: Gateway, now_ms: int) -> int | None:
        """The shortest life the gateway allows, by the gateway's clock and with a margin; None where its clock is not

        known, or ours was set since we asked: the link then lives as long as the gateway lets it, and is closed by us.
        """
        least = gate.adapter.capabilities.expiry_min_s
        health = self._desk.health.get(gate.adapter.name)
        skew_ms = health.skew_now_ms(now_ms, self._context.clock.monotonic_s()) if health else None
        if least is None or skew_ms is None:
            return None
        return now_ms + skew_ms + (least + EXPIRY_MARGIN_S) * 1000

    def _request(self, order: Order, attempt: Attempt, relay_shop: str) -> LinkRequest:
        shop, entry = self._context.shop, self._desk.enrolled[attempt.gateway]
        return LinkRequest(
            key=attempt.key,
            reference=attempt.reference,
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            description=f"{shop.name} · {order.number}",
            shop=shop.shop_id,
            till=shop.till,
            return_url=shop.return_page(attempt.token, relay_shop, entry.return_url),
            collect=entry.collect,
        )

    # -- step 2: the call --------------------------------------------------------------------------------------------

    async def _go_on(self, gate: Gateway, drafted: Drafted) -> OrderView:
        self._context.bus.publish(OrderChanged(drafted.row))
        if not isinstance(drafted, Sending):
            return drafted
        return await self._send(gate, drafted.outgoing, drafted.attempt)

    async def _send(self, gate: Gateway, outgoing: Outgoing, attempt: Attempt) -> OrderView:
        """Send the same bytes until an answer can be read, a few times at the most.

        Without a key at the gateway nothing that may have arrived is sent again: it is looked for.
        """
        keyed = gate.adapter.capabilities.key_life_s > 0
        if not keyed and outgoing.tries > 1:
            return await self._look_for(gate, outgoing, attempt, ("no_answer", "an earlier call was not answered", 0))
        for repeat in range(REPEATS + 1):
            last = repeat == REPEATS
            try:
                asked = await self._desk.ask(gate, outgoing.call, timeout_s=CALL_TIMEOUT_S)
            except NotSent as error:
                # an earlier try may have arrived: then nothing is provably unsent any more
                if repeat == 0 and outgoing.tries == 1:
                    await self._after.ended(outgoing, "not_sent", error.title, 0)
                    raise
                return await self._after.unanswered(outgoing, "not_sent", error.title, 0)
            except NoAnswer as error:
                if not keyed:
                    return await self._look_for(gate, outgoing, attempt, ("no_answer", error.title, 0))
                if last:
                    return await self._after.unanswered(outgoing, "no_answer", error.title, 0)
            else:
                outcome = asked.reading.outcome
                if outcome is Outcome.BUSY and not last:
                    await asyncio.sleep(min(asked.reading.retry_after_s or REPEAT_PAUSE_S, BUSY_WAIT_MAX_S))
                    continue
                # without a key, a no to a repeated call may mean that the first one was done after all
                if not keyed and (outcome is Outcome.UNKNOWN or (repeat and outcome is Outcome.REFUSED)):
                    why = (outcome.value, asked.reading.message, asked.status)
                    return await self._look_for(gate, outgoing, attempt, why)
                if outcome is not Outcome.UNKNOWN or last:
                    return await self._answered(gate, outgoing, attempt, asked)
            await asyncio.sleep(REPEAT_PAUSE_S * random.uniform(0.5, 1.5))  # noqa: S311 - tills must not come in step
        raise AssertionError("unreachable")

    async def _look_for(
        self, gate: Gateway, outgoing: Outgoing, attempt: Attempt, why: tuple[str, str, int]
    ) -> OrderView:
        """Find by our reference what a call without an answer may have made, twice; found and open, it is ours to show.

        Not found proves nothing yet: the order stays unknown, and the prober goes on looking. `why` is the call's
        outcome, the words for it and the HTTP status, for the log.
        """
        for pause_s in (0.0, LOOK_AGAIN_S):
            await asyncio.sleep(pause_s)
            try:
                asked, info = await find_link(self._desk, gate, attempt, now_ms=self._context.now_ms())
            except PosError:
                break
            if info is not None and _fits(info, attempt):
                return await self._after.opened(gate, outgoing, info, asked, Source.FETCH)
        return await self._after.unanswered(outgoing, *why)

    # -- step 3: the write after the call ----------------------------------------------------------------------------

    async def _answered(self, gate: Gateway, outgoing: Outgoing, attempt: Attempt, asked: Asked) -> OrderView:
        reading = asked.reading
        if reading.outcome is Outcome.OK:
            info = _our_link(reading.links, attempt)
            if info is not None:
                return await self._after.opened(gate, outgoing, info, asked)
            return await self._after.unanswered(outgoing, "unknown", "the answer names no link of ours", asked.status)
        if reading.outcome in (Outcome.UNKNOWN, Outcome.BUSY):
            return await self._after.unanswered(outgoing, reading.outcome.value, reading.message, asked.status)
        await self._after.ended(outgoing, reading.outcome.value, reading.message, asked.status)
        title = gateway_title(outgoing.call.gateway)
        if reading.outcome is Outcome.UNAUTHORIZED:
            raise Refused(f"{title} does not accept the key.", "Set it again in Manage > Gateways.")
        if reading.outcome is Outcome.KEY_REUSED:
            raise Broken(f"{title} knows this key with another amount.", "Call the manager; nothing was charged.")
        raise Refused(f"{title} made no link: {reading.message or 'it gave no reason'}.", "Choose another way to pay.")


def _our_link(links: Sequence[LinkInfo], attempt: Attempt) -> LinkInfo | None:
    """The link in the answer, if it is the one that was asked for; another order's object is no answer."""
    return next((info for info in links if info.url and _is_ours(info, attempt)), None)


def _fits(info: LinkInfo, attempt: Attempt) -> bool:
    """A link that was found may be shown like one that was answered: ours, still open, exactly what was asked for."""
    return info.state == "open" and bool(info.url) and _is_ours(info, attempt)


def _is_ours(info: LinkInfo, attempt: Attempt) -> bool:
    wanted = (attempt.reference, attempt.amount_minor, attempt.currency)
    said = (info.reference, info.amount_minor, info.currency)
    return bool(info.id) and (said == wanted or (said[0] == wanted[0] and info.amount_minor is None))


def check_fence(attempts: Sequence[Attempt], number: str) -> None:
    """Every link that was shown must be known closed, or given up by a manager.

    Raises:
        Refused: one may still be paid.
    """
    for attempt in attempts:
        if attempt.was_shown and not attempt.fenced and attempt.phase is not Phase.RELEASED:
            raise Refused(f"Link {attempt.no} of order {number} may still be paid.", "Close it first.")
