"""What happened to an order, in the order we learnt it: facts and sightings, calls, tenders, decisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pos.domain.facts import Fact, Kind, Sighting, Source
from pos.domain.order import Order
from pos.domain.store_port import CallLog, Tx
from pos.services.planview import METHOD_WORDS
from pos.services.views import TimelineRow
from pos.words.happened import Happened
from pos.words.ways import gateway_title, way_text

Money = Callable[[int], str]
_FACT_WORDS = {
    Kind.LINK_CLOSED: "LINK_CLOSED",
    Kind.LINK_EXPIRED: "LINK_EXPIRED",
    Kind.PAYMENT_PENDING: "PENDING",
    Kind.PAYMENT_FAILED: "FAILED",
    Kind.PAYMENT_AUTHORIZED: "AUTHORIZED",
    Kind.PAYMENT_VOIDED: "VOID",
    Kind.PAYMENT_CAPTURED: "CAPTURED",
    Kind.PAYMENT_REVERSED: "REVERSED",
    Kind.REFUND_PENDING: "REFUND_PENDING",
    Kind.REFUND_SUCCEEDED: "REFUND_SUCCEEDED",
    Kind.REFUND_FAILED: "REFUND_FAILED",
    Kind.REFUND_REVERSED: "REFUND_FAILED",
    Kind.DISPUTE_OPEN: "DISPUTE_OPEN",
    Kind.DISPUTE_LOST: "DISPUTE_LOST",
    Kind.DISPUTE_WON: "DISPUTE_WON",
}
_BAD = {Kind.PAYMENT_FAILED, Kind.REFUND_FAILED, Kind.REFUND_REVERSED, Kind.PAYMENT_REVERSED, Kind.DISPUTE_LOST}
_WAITING = {Kind.PAYMENT_PENDING, Kind.REFUND_PENDING, Kind.PAYMENT_AUTHORIZED, Kind.DISPUTE_OPEN}
_OUTCOMES = {
    "no_answer": ("NO_ANSWER", "unknown"),
    "unknown": ("NO_ANSWER", "unknown"),
    "not_sent": ("NOT_SENT", "bad"),
    "busy": ("BUSY", "waiting"),
    "not_found": ("NOT_FOUND", "unknown"),
}


def timeline(tx: Tx, order: Order, money: Money) -> list[TimelineRow]:
    """Earliest first; a fact seen in several ways has a row for the first, and one for the report."""
    rows = [TimelineRow(order.created_at_ms, "till", Happened.SAVED.format(amount=money(order.total_minor)))]
    rows += _attempt_rows(tx, order.id)
    titles = {a.id: gateway_title(a.gateway) for a in tx.attempts.of_order(order.id)}
    calls = [call for call in tx.outbox.calls(order.id) if call.outcome != "ok"]
    rows += [_call_row(call, titles.get(call.attempt_id, "")) for call in calls]
    rows += _fact_rows(tx, order.id, money)
    rows += _money_rows(tx, order.id, money)
    rows += _journal_rows(tx, order.id, money)
    return sorted(rows, key=lambda row: row.at_ms)


def _attempt_rows(tx: Tx, order_id: str) -> list[TimelineRow]:
    rows = []
    for attempt in tx.attempts.of_order(order_id):
        title = gateway_title(attempt.gateway)
        asked = Happened.LINK_ASKED.format(no=attempt.no, gateway=title)
        rows.append(TimelineRow(attempt.drafted_at_ms, "till", asked))
        if attempt.shown_at_ms is not None:
            rows.append(TimelineRow(attempt.shown_at_ms, "gateway", Happened.LINK_READY.format(no=attempt.no)))
        if attempt.closing_at_ms is not None and attempt.fence_kind != "closed":  # paid links close by themselves
            rows.append(TimelineRow(attempt.closing_at_ms, "till", Happened.CLOSING.format(no=attempt.no), "waiting"))
        if attempt.phase == "abandoned" and attempt.ended_at_ms is not None:
            text = Happened.ABANDONED.format(no=attempt.no, reason=attempt.reason)
            rows.append(TimelineRow(attempt.ended_at_ms, "till", text, "bad"))
    return rows


def _call_row(call: CallLog, title: str) -> TimelineRow:
    if call.operation == "opened":
        return TimelineRow(call.at_ms, "callback", Happened.OPENED)
    if call.operation == "callback":
        return TimelineRow(call.at_ms, "callback", Happened.CAME_BACK, "waiting")
    word, state = _OUTCOMES.get(call.outcome, ("REFUSED", "bad"))
    text = str(getattr(Happened, word)).format(gateway=title, message=call.message)
    return TimelineRow(call.at_ms, _source_word(Source.FETCH, call.source), text.strip(), state)


def _fact_rows(tx: Tx, order_id: str, money: Money) -> list[TimelineRow]:
    rows, told = [], set()
    for fact, sighting in tx.facts.timeline(order_id):
        if fact.kind not in _FACT_WORDS:
            continue
        if fact.id not in told:
            told.add(fact.id)
            rows.append(_fact_row(fact, sighting, money))
        elif sighting.source is Source.REPORT and fact.kind is Kind.PAYMENT_CAPTURED:
            text = Happened.IN_REPORT.format(gateway=gateway_title(fact.gateway))
            rows.append(TimelineRow(sighting.seen_at_ms, "report", text, "ok", fact.object))
    return rows


def _fact_row(fact: Fact, sighting: Sighting, money: Money) -> TimelineRow:
    amount = money(fact.amount_minor or 0)
    text = str(getattr(Happened, _FACT_WORDS[fact.kind])).format(amount=amount, gateway=gateway_title(fact.gateway))
    state = "bad" if fact.kind in _BAD else "waiting" if fact.kind in _WAITING else "ok"
    payment = fact.object if fact.kind.startswith("payment.") else ""
    return TimelineRow(sighting.seen_at_ms, _source_word(sighting.source, sighting.hint), text, state, payment)


def _source_word(source: Source, hint: str) -> str:
    kind = hint.partition(":")[0]
    if source is Source.REPORT:
        return "report"
    if kind in {"webhook", "callback"}:
        return kind
    return "poll" if kind in {"poll", "probe", "check"} else "gateway"


def _money_rows(tx: Tx, order_id: str, money: Money) -> list[TimelineRow]:
    rows = []
    for tender in tx.money.tenders(order_id):
        word = Happened.TENDER if tender.amount_minor > 0 else Happened.GIVEN_BACK
        if tender.payment:
            word = Happened.GIVEN_BACK_FOR
        method = METHOD_WORDS[tender.method].lower()
        text = word.format(amount=money(abs(tender.amount_minor)), method=method, reason=tender.reason)
        source = "manager" if tender.payment else "till"
        rows.append(TimelineRow(tender.at_ms, source, text, payment=tender.payment))
    for note in tx.returns.of_order(order_id):
        text = Happened.RETURN.format(number=note.number, amount=money(note.total_minor), reason=note.reason)
        rows.append(TimelineRow(note.at_ms, "manager", text))
    for refund in tx.money.refunds(order_id):
        text = Happened.REFUND_ASKED.format(amount=money(refund.amount_minor), reason=refund.reason)
        rows.append(TimelineRow(refund.asked_at_ms, "manager", text))
    return rows


def _journal_rows(tx: Tx, order_id: str, money: Money) -> list[TimelineRow]:
    rows = []
    for entry in tx.journal.of_subject(order_id):
        body = json.loads(entry.body)
        if entry.act == "order.voided":
            rows.append(TimelineRow(entry.at_ms, "till", Happened.VOIDED.format(reason=body.get("reason", ""))))
        if entry.act == "order.split":
            rows.append(TimelineRow(entry.at_ms, "till", _split_words(body["shares"], money)))
        if entry.act == "attempt.released":
            text = Happened.RELEASED.format(no=body.get("no"), actor=entry.actor, reason=body.get("reason", ""))
            rows.append(TimelineRow(entry.at_ms, "manager", text, "bad"))
    return rows


def _split_words(shares: list[dict[str, Any]], money: Money) -> str:
    """ "Split planned: QR · Stripe ₹500.00, Cash ₹484.00"; without shares the plan was taken back."""
    if not shares:
        return str(Happened.SPLIT_DROPPED)
    parts = (f"{way_text(share['way'], share['gateway'])} {money(share['amount_minor'])}" for share in shares)
    return Happened.SPLIT.format(parts=", ".join(parts))
