"""Faults on demand, kept as data in the bank: which there are, and taking the next one. Carrying them out is for the
HTTP front (`front`) and the webhook dispatcher (`webhooks`), each in one place.
"""

from __future__ import annotations

import json
from typing import Any

from pos.domain.errors import BadInput
from pos.sandbox.dialect import random_text
from pos.sandbox.records import Fault
from pos.sandbox.store import Tx

MOST_FAULTS = 1000  # waiting at one time
MOST_NUMBER = 99_999_999  # of any option
LONGEST_DELAY_S = 600.0
OPERATIONS = (
    "link.create link.fetch link.list link.close link.lines link.update intent.fetch intent.list intent.capture "
    "intent.cancel order.create order.fetch order.list order.payments qr.create qr.fetch qr.list qr.close qr.payments "
    "payment.fetch payment.list payment.capture refund.create refund.fetch refund.list dispute.fetch dispute.list "
    "entry.fetch entry.list payout.fetch payout.list settlement.fetch settlement.list settlement.recon event.fetch "
    "event.list balance.fetch account.fetch page.show page.pay webhook"
).split()

# kind -> its options, each with what is used when it is not given
HTTP_KINDS: dict[str, dict[str, Any]] = {
    "delay": {"before_work": False},
    "drop": {"before_work": False},
    "error_500": {"after_work": False},
    "rate_limited": {"retry_after_s": 1},
    "unauthorized": {},
    "html": {"status": 502, "before_work": False},
    "truncated": {"keep_bytes": 40},
    "unknown_status": {"word": "teleported"},
    # these change what the bank does
    "other_amount": {"amount_minor": 0},
    "late": {},
    "refund_pending": {"after_s": 5.0},
    "refund_fails": {"after_s": 0.0, "succeed_first": True},
}
LIST_KINDS: dict[str, dict[str, Any]] = {
    "rows_late": {"lag_s": 3600.0},
    "rows_twice": {},
    "rows_arrive": {"amount_minor": 4_200},
    "without_fees": {},
    "without_references": {},
}
"""What a report can do to its reader; for operations that list."""
WEBHOOK_KINDS: dict[str, dict[str, Any]] = {
    "dropped": {},
    "duplicated": {"times": 2},
    "reversed": {"gap_s": 0.5},
    "delayed": {},
    "bad_signature": {},
}


def add(tx: Tx, operation: str, kind: str, count: int, options: dict[str, Any]) -> Fault:
    """The next `count` calls of `operation` go wrong in the way of `kind`. `payment.*` and `*` name several.

    Raises:
        BadInput: unknown operation, kind or option, or a value that cannot be.
    """
    _check(operation, kind, count)
    known = {"delay_s": 0.0, **_kinds(operation)[kind]}
    for name, value in options.items():
        if name not in known or not _fits(value, known[name]):
            raise BadInput(f"{kind} cannot have {name} = {value!r}.", f"Options: {json.dumps(known)}.")
    if float(options.get("delay_s", 0)) > LONGEST_DELAY_S:
        raise BadInput("delay_s is out of bounds.", f"At most {LONGEST_DELAY_S:.0f} s.")
    if tx.value("SELECT count(*) FROM fault WHERE remaining > 0") >= MOST_FAULTS:
        raise BadInput("Too many faults are waiting.", "DELETE /_sandbox/faults clears them.")
    row = {"id": "fault_" + random_text(12), "operation": operation, "kind": kind, "total": count, "remaining": count}
    tx.insert("fault", {**row, "options": json.dumps({**known, **options})})
    made = tx.one(Fault, "WHERE id = ?", row["id"])
    assert made is not None
    return made


def _fits(value: object, like: object) -> bool:
    """Of the same type as what is used when it is not given, and not out of all bounds."""
    if isinstance(like, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(like, bool)
    if isinstance(like, str):
        return isinstance(value, str) and 0 < len(value) <= 80
    whole = isinstance(like, int)
    return isinstance(value, int if whole else (int, float)) and 0 <= value <= MOST_NUMBER


def _is_webhook(operation: str) -> bool:
    return operation == "webhook" or operation.startswith("webhook.")


def _lists(operation: str) -> bool:
    return operation in OPERATIONS and operation.endswith((".list", ".recon"))


def _kinds(operation: str) -> dict[str, dict[str, Any]]:
    if _is_webhook(operation):
        return WEBHOOK_KINDS
    return HTTP_KINDS | LIST_KINDS if _lists(operation) else HTTP_KINDS


def _check(operation: str, kind: str, count: int) -> None:
    group, _, rest = operation.partition(".")
    known = operation == "*" or operation in OPERATIONS or _is_webhook(operation)
    if not known and not (rest == "*" and any(name.startswith(group + ".") for name in OPERATIONS)):
        raise BadInput(f"There is no operation {operation!r}.", f"Known: {' '.join(OPERATIONS)}, or link.* and so on.")
    kinds = _kinds(operation)
    if kind not in kinds:
        raise BadInput(f"{operation} knows no fault {kind!r}.", f"Known: {' '.join(kinds)}.")
    if not 1 <= count <= MOST_FAULTS:
        raise BadInput("count is out of bounds.", f"1 to {MOST_FAULTS}.")


def take(tx: Tx, operation: str) -> Fault | None:
    """Use up one turn of the oldest fault that names `operation`; one call meets one fault at the most.

    The record says how many turns were left *before* this one.
    """
    group = operation.partition(".")[0] + ".*"
    anything = "" if _is_webhook(operation) else "*"
    names = "WHERE remaining > 0 AND operation IN (?, ?, ?, ?) ORDER BY seq"
    whole = "webhook" if _is_webhook(operation) else operation
    fault = tx.one(Fault, names, operation, group, anything, whole)
    if fault is not None:
        tx.update(fault, remaining=fault.remaining - 1)
    return fault


def waiting(tx: Tx) -> list[Fault]:
    return tx.many(Fault, "WHERE remaining > 0 ORDER BY seq")


def clear(tx: Tx) -> int:
    return tx.execute("DELETE FROM fault WHERE remaining > 0").rowcount
