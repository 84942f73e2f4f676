"""The write after a create call: the link is stored and open, or nobody knows, or there is none.

Every one finds the attempt again under the order's lock: what happened meanwhile decides what the answer may still do.
"""

from __future__ import annotations

from dataclasses import replace

from pos.domain.cash import follows_ms
from pos.domain.errors import Refused
from pos.domain.facts import Source
from pos.domain.payment import Phase
from pos.domain.ports import Asked, Gateway, LinkInfo, ShortLinks
from pos.domain.store_port import CallLog, Outgoing, Tx
from pos.services import schedule
from pos.services.alarms import note_reused_key
from pos.services.bus import CodeWanted, LinkIssued, OrderChanged
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.evidence import evidence_of
from pos.services.orderview import view_of
from pos.services.settle import Settle
from pos.services.views import OrderView

QR_VERSION_10_BYTES = 213
"""Bytes that a QR code of version 10 holds at error correction M (ISO/IEC 18004)."""


class AfterCall:
    def __init__(self, context: Context, desk: Desk, settle: Settle, short_links: ShortLinks | None) -> None:
        self._context = context
        self._desk = desk
        self._settle = settle
        self._short_links = short_links

    async def opened(
        self, gate: Gateway, outgoing: Outgoing, info: LinkInfo, asked: Asked, source: Source = Source.ANSWER
    ) -> OrderView:
        """The link is known: shown, if its attempt still waits for it and its address may be shown.

        Raises:
            Refused: the address is not one of the gateway's own.
        """
        allowed = gate.page_allowed(info.url, info.collect)
        short = await self._short(outgoing, info) if allowed else ""
        now = self._context.now_ms()
        if allowed:
            self._context.bus.publish(CodeWanted(short or info.url))

        def write(tx: Tx) -> OrderView:
            tx.orders.lock(outgoing.order_id)
            attempt = tx.attempts.get(outgoing.attempt_id)
            assert attempt is not None
            tx.outbox.finish(outgoing.id, "done")
            known = replace(attempt, link_id=info.id, url=info.url, expires_at_ms=info.expires_at_ms, looks_failed=0)
            known = replace(known, qr_url=short)
            if attempt.phase is Phase.REQUESTING and allowed:
                shown_at = follows_ms(tx.money.tenders(outgoing.order_id), now)
                opened = replace(known, phase=Phase.OPEN, shown_at_ms=shown_at)
                tx.attempts.update(replace(opened, look_due_at_ms=now + schedule.ON_SCREEN_MS))
            elif attempt.phase is Phase.REQUESTING:
                abandoned = schedule.abandoned(known, "its address is not the gateway's", now)
                tx.attempts.update(replace(abandoned, look_due_at_ms=now))
            elif not attempt.link_id:
                # the link exists after all, whatever was thought of it: not fenced, and to be closed
                known = replace(known, fenced_at_ms=None, fence_kind="")
                tx.attempts.update(replace(known, look_due_at_ms=now))
            line = CallLog(attempt.order_id, attempt.id, now, "create", "create", "ok", "", asked.status)
            tx.outbox.log(line)
            settled = self._settle.settle(tx, [evidence_of(attempt.gateway, asked, source, "create")], now)
            bundle = next((each.bundle for each in settled if each.bundle.order.id == attempt.order_id), None)
            return view_of(tx, attempt.order_id, now, bundle)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
        if not allowed:
            raise Refused("The gateway's link is not on its own pages.", "It is not shown. Call the manager.")
        if view.attempt is not None and view.attempt.qr_text:
            self._context.bus.publish(LinkIssued(view.order_id, view.attempt.id))
        return view

    async def _short(self, outgoing: Outgoing, info: LinkInfo) -> str:
        """The relay's short address, where the gateway's own would make the code denser than version 10."""
        wanted = self._desk.enrolled[outgoing.call.gateway].qr
        if self._short_links is None or wanted in ("gateway", "upi"):
            return ""
        if wanted == "auto" and len(info.url.encode()) <= QR_VERSION_10_BYTES:
            return ""
        attempt = await self._context.store.read(lambda tx: tx.attempts.get(outgoing.attempt_id))
        if attempt is None:
            return ""
        body = {"gateway": attempt.gateway, "url": info.url, "reference": attempt.reference, "link": info.id}
        return await self._short_links.take(attempt.token, body)

    async def unanswered(self, outgoing: Outgoing, outcome: str, message: str, status: int) -> OrderView:
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

    async def ended(self, outgoing: Outgoing, outcome: str, message: str, status: int) -> None:
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
            note_reused_key(tx, self._context.ids, outgoing, outcome, now)
            self._settle.refold(tx, outgoing.order_id, now)
            return view_of(tx, outgoing.order_id, now)

        view = await self._context.store.write(write)
        self._context.bus.publish(OrderChanged(view.row))
