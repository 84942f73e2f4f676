"""Reconciliation categories M01-M23 and what each asks of a person (design/reconciliation.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pos.domain.joins import Bundle
from pos.domain.order import Life
from pos.domain.verdict import Flag, Money, Verdict, unreplaced


class Action(StrEnum):
    """The one step proposed to the manager."""

    NONE = "none"
    REFUND = "refund"
    COLLECT = "collect"
    ACCEPT = "accept"
    ATTACH = "attach"
    ASK = "ask"
    INVESTIGATE = "investigate"
    RETRY_REFUND = "retry_refund"
    REASON = "reason"


MEANING = {
    "M01": "matched",
    "M02": "healed to paid",
    "M03": "healed to closed or failed",
    "M04": "amount differs",
    "M05": "currency differs",
    "M06": "paid twice",
    "M07": "overpaid",
    "M08": "part paid",
    "M09": "paid although the order is not placed",
    "M10": "foreign, or another of ours",
    "M11": "our reference, no order here",
    "M12": "paid here, absent at the gateway",
    "M13": "refund or reversal made elsewhere",
    "M14": "refund missing or failed",
    "M15": "dispute",
    "M16": "fee differs",
    "M17": "payout differs",
    "M18": "cash over or short",
    "M19": "wrong account or mode",
    "M20": "duplicate rows in the report",
    "M21": "belongs to another day",
    "M22": "integrity",
    "M23": "unknown for more than 10 minutes",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person must decide about an order: category, proposed action, the amount it is about."""

    code: str
    action: Action
    amount_minor: int = 0
    subject: str = ""


def findings(bundle: Bundle, verdict: Verdict) -> list[Finding]:
    """What needs a person, from facts alone; the same facts give the same findings.

    An excess stands until the money is really back: undo refunds count here only once they succeeded (I14).
    """
    flags = set(verdict.flags)
    found = []
    excess = verdict.kept_firm_minor - verdict.due_minor
    if bundle.order.life is not Life.PLACED and verdict.kept_firm_minor > 0:
        action = Action.REFUND if verdict.owed_minor else Action.NONE
        found.append(Finding("M09", action, verdict.kept_firm_minor))
    elif excess > 0:
        double = flags & {Flag.DOUBLE, Flag.DOUBLE_TENDER}
        action = Action.REFUND if verdict.owed_minor else Action.NONE
        found.append(Finding("M06" if double else "M07", action, excess))
    elif verdict.money is Money.PART_PAID:
        found.append(Finding("M08", Action.COLLECT, verdict.left_minor))
    for payment in verdict.payments:
        if payment.wrong:
            code = "M19" if payment.wrong == "account" else "M05"
            found.append(Finding(code, Action.INVESTIGATE, 0, payment.id))
        elif payment.amount_differs:
            found.append(Finding("M04", Action.INVESTIGATE, payment.captured_minor, payment.id))
        if payment.reversed_minor:
            found.append(Finding("M13", Action.REASON, payment.reversed_minor, payment.id))
    for refund in verdict.refunds:
        if refund.wrong and refund.counts:
            found.append(Finding("M05", Action.INVESTIGATE, 0, refund.id))
        if refund.purpose == "elsewhere" and refund.counts:
            found.append(Finding("M13", Action.REASON, refund.amount_minor, refund.id))
    asked = {row.id: row.amount_minor for row in bundle.refunds}
    for refund in verdict.refunds:
        if refund.counts and (off := abs(asked.get(refund.ours, refund.amount_minor) - refund.amount_minor)):
            found.append(Finding("M04", Action.INVESTIGATE, off, refund.id))
    for refund in unreplaced(verdict.refunds, bundle):
        found.append(Finding("M14", Action.RETRY_REFUND, refund.amount_minor, refund.ours or refund.id))
    if verdict.disputes_open_minor:
        found.append(Finding("M15", Action.INVESTIGATE, verdict.disputes_open_minor))
    return found
