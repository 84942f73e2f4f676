"""M22 about a key: the gateway knows it with other words than ours.

No key is ever used twice here, so somebody else used it, or these books are not what they were.
"""

from __future__ import annotations

from pos.domain.matching import Action
from pos.domain.ports import Ids, Operation, Outcome
from pos.domain.store_port import Outgoing, Problem, Tx

CODE = "M22"


def note_reused_key(tx: Tx, ids: Ids, outgoing: Outgoing, outcome: str, now_ms: int) -> None:
    """Once for each call of ours: a second alarm must not keep the call's end from being written."""
    if outcome != Outcome.KEY_REUSED:
        return
    of_attempt = outgoing.id if outgoing.call.operation is Operation.CAPTURE else outgoing.attempt_id
    subject = outgoing.refund_id or of_attempt
    if (CODE, subject) in {(p.code, p.subject) for p in tx.problems.of_order(outgoing.order_id)}:
        return
    gateway = outgoing.call.gateway
    tx.problems.put(
        Problem(ids.uuid7(), outgoing.order_id, CODE, subject, Action.INVESTIGATE, 0, now_ms, gateway=gateway)
    )
    tx.journal.append(now_ms, "", "key.reused", outgoing.order_id, {"subject": subject, "gateway": gateway})
