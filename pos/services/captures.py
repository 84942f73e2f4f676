"""Taking the money of an authorized payment: only under the order's lock, only while it is due.

Some gateways, or some accounts of them, only authorize when a customer pays, and some authorize late, after they had
said *failed*. An authorized payment that the order still needs is captured at once; one that it does not need any more
is left to lapse, which the gateway does by itself. Steps:
1. One write: lock the order, fold, and put a call into the outbox for each payment that still fits what is due.
2. The call; no transaction is open. A capture can be sent again: a payment is captured once, whatever is said.
3. One write: what the answer said is settled. No answer, or a no: the next look at the attempt tells how it stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from pos.domain.errors import PosError
from pos.domain.facts import Kind, Source
from pos.domain.joins import Bundle, PaymentState
from pos.domain.order import Life
from pos.domain.payment import KeyParts, idempotency_key
from pos.domain.ports import Asked, Gateway, Outcome
from pos.domain.store_port import CallLog, Outgoing, Tx
from pos.domain.verdict import fold
from pos.services.alarms import note_reused_key
from pos.services.context import Context
from pos.services.desk import Desk
from pos.services.evidence import Evidence, evidence_of, unanswered_word
from pos.services.settle import Settle
from pos.services.views import OrderRow

LEASE_MS = 15_000
STEPS_MAX = 3
"""Calls that one capture may take: a gateway may have to be asked for something first."""
RETRY_MS = 30_000
RETRY_MAX_MS = 600_000
AUTHORIZED = "authorized"
DEFINITE = (Outcome.REFUSED, Outcome.NOT_FOUND, Outcome.GONE, Outcome.KEY_REUSED)


class Captures:
    def __init__(self, context: Context, desk: Desk, settle: Settle) -> None:
        self._context = context
        self._desk = desk
        self._settle = settle

    async def follow(self, gateway: Gateway, told: Sequence[Evidence], rows: Sequence[OrderRow]) -> None:
        """After something was settled: capture what is authorized and due, of the orders that it touched."""
        if not any(fact.kind is Kind.PAYMENT_AUTHORIZED for each in told for fact in each.facts):
            return
        for row in rows:
            order_id = row.order_id
            calls = await self._context.store.write(lambda tx, order=order_id: self._plan(tx, order, gateway))  # type: ignore[misc]
            for call in calls:
                await self.send(call)

    def _plan(self, tx: Tx, order_id: str, gateway: Gateway) -> list[Outgoing]:
        tx.orders.lock(order_id)
        bundle = tx.facts.bundle(order_id)
        verdict = fold(bundle)
        left = verdict.due_minor - verdict.kept_minor if bundle.order.life is Life.PLACED else 0
        calls = []
        for payment in verdict.payments:
            amount = _authorized_minor(bundle, payment)
            # what another link still asks for may be paid there at this very moment
            elsewhere = sum(a.amount_minor for a in bundle.attempts if a.live and a.id != payment.attempt_id)
            here = (payment.gateway, payment.account) == (gateway.adapter.name, gateway.adapter.account)
            if not here or not 0 < amount <= left - elsewhere:
                continue
            left -= amount
            outgoing = self._claimed(tx, bundle, payment, amount, gateway)
            calls += [outgoing] if outgoing else []
        return calls

    def _claimed(
        self, tx: Tx, bundle: Bundle, payment: PaymentState, amount_minor: int, gateway: Gateway
    ) -> Outgoing | None:
        """The call to capture this payment, ours to send; None while somebody else holds it."""
        now, order = self._context.now_ms(), bundle.order
        attempt = next((a for a in bundle.attempts if a.id == payment.attempt_id), None)
        if attempt is None:
            return None
        shop = self._context.shop.shop_id
        parts = (order.revision, attempt.no, "capture", payment.id, amount_minor, order.currency, payment.account)
        key = idempotency_key(KeyParts(shop, order.id, *parts))
        try:
            call = gateway.adapter.capture(payment.id, amount_minor, order.currency, key)
        except PosError:  # an amount that the gateway cannot say: it lapses; the look that found it goes on
            return None
        known = tx.outbox.of_call(attempt.id, call)
        if known is not None:
            if known.is_held(now) or not known.is_due(now):  # another look of ours may be sending it
                return None
            return tx.outbox.claim(known.id, self._context.owner, now, LEASE_MS)
        row = Outgoing(
            id=self._context.ids.uuid7(),
            order_id=order.id,
            attempt_id=attempt.id,
            refund_id="",
            account=payment.account,
            call=call,
            made_at_ms=now,
            send_by_ms=None,
            next_at_ms=now,
            owner=self._context.owner,
            lease_until_ms=now + LEASE_MS,
            tries=1,
        )
        tx.outbox.put(row)
        tx.journal.append(now, "", "payment.capture", order.id, {"payment": payment.id, "amount_minor": amount_minor})
        return row

    async def send(self, row: Outgoing) -> None:
        """Send a claimed capture, with whatever has to be asked first, and settle what is said."""
        try:
            gateway = await self._desk.get(row.call.gateway)
            asked = await self._desk.ask(gateway, row.call)
            told = [evidence_of(row.call.gateway, asked, Source.ANSWER, "capture")]
            for _ in range(STEPS_MAX - 1):
                if asked.reading.next is None or asked.reading.outcome is not Outcome.OK:
                    break
                asked = await self._desk.ask(gateway, asked.reading.next)
                told.append(evidence_of(row.call.gateway, asked, Source.ANSWER, "capture"))
        except PosError as error:
            await self._context.store.write(
                lambda tx, why=error: self._note(tx, row, unanswered_word(why), why.title, 0)  # type: ignore[misc]
            )
            return
        await self._answered(row, asked, told)

    async def _answered(self, row: Outgoing, asked: Asked, told: Sequence[Evidence]) -> None:
        now = self._context.now_ms()

        def write(tx: Tx) -> list[OrderRow]:
            tx.orders.lock(row.order_id)
            wait_ms = round((asked.reading.retry_after_s or 0) * 1000)
            self._note(tx, row, asked.reading.outcome.value, asked.reading.message, asked.status, wait_ms)
            return self._settle.apply(tx, told, now)

        self._settle.announce(await self._context.store.write(write))

    def _note(self, tx: Tx, row: Outgoing, outcome: str, message: str, status: int, wait_ms: int = 0) -> None:
        """Done or over when the gateway said so; else asked again, while a look still finds it authorized.

        Not before `wait_ms` have passed, which the gateway asked for.
        """
        now = self._context.now_ms()
        if outcome == Outcome.OK:
            tx.outbox.finish(row.id, "done")
        elif outcome in DEFINITE:
            tx.outbox.finish(row.id, "dead")
        else:
            tx.outbox.again(row.id, now + min(RETRY_MAX_MS, max(wait_ms, RETRY_MS)))
        note_reused_key(tx, self._context.ids, row, outcome, now)
        tx.outbox.log(CallLog(row.order_id, row.attempt_id, now, "capture", "capture", outcome, message[:300], status))


def _authorized_minor(bundle: Bundle, payment: PaymentState) -> int:
    """What may be captured of a payment, in the order's minor units; 0 where it is not authorized or not ours."""
    if payment.state != AUTHORIZED or payment.wrong:
        return 0
    amounts = [
        fact.amount_minor or 0
        for fact in bundle.facts
        if fact.kind is Kind.PAYMENT_AUTHORIZED
        and (fact.gateway, fact.object, fact.currency) == (payment.gateway, payment.id, bundle.order.currency)
    ]
    return max(amounts, default=0)
