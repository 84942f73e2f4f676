"""M12: paid here, absent at the gateway. Absence is not evidence, so nothing is un-paid: a manager is told, and looks.

It counts only where a complete run has read the payment's moment, and the report is past it by the gateway's own lag.
When the payment turns up in a later run, the alarm closes by itself.
"""

from __future__ import annotations

from collections.abc import Collection

from pos.domain.matching import Action
from pos.domain.ports import Adapter, Ids
from pos.domain.store_port import Problem, SweepRun, Tx

CODE = "M12"


def note_absences(tx: Tx, ids: Ids, run: SweepRun, reported: Collection[str], adapter: Adapter) -> None:
    """Compare what orders here count with what a complete run showed. `reported`: ids of its captured payments.

    Only of the account that was asked: a key of another one does not show the payments of the first.
    """
    assert run.complete, "a partial run proves no absence"
    _close_found(tx, run, reported)
    until = run.to_ms - adapter.capabilities.report_lag_s * 1000
    asked = (adapter.account, adapter.mode)
    for fact in tx.facts.in_window(run.gateway, run.from_ms, until):
        if fact.object in reported or (fact.account, fact.mode) != asked:
            continue
        for order_id in {tx.facts.touched_by([fact])[0].owner} - {""}:
            tx.orders.lock(order_id)
            known = {p.subject: p for p in tx.problems.of_order(order_id) if p.code == CODE}.get(fact.object)
            amount, at_ms = fact.amount_minor or 0, run.ended_at_ms or run.started_at_ms
            if known is None:
                row = Problem(
                    ids.uuid7(), order_id, CODE, fact.object, Action.INVESTIGATE, amount, at_ms,
                    gateway=run.gateway, payment=fact.object,
                )  # fmt: skip
                tx.problems.put(row)
                tx.journal.append(at_ms, "", "payment.absent", order_id, {"payment": fact.object, "run": run.id})
            elif known.closed_at_ms is not None and not known.closed_by:
                tx.problems.reopen(known.id, at_ms, Action.INVESTIGATE, amount)


def _close_found(tx: Tx, run: SweepRun, reported: Collection[str]) -> None:
    for problem in tx.problems.listed(open_only=True):
        if (problem.code, problem.gateway) == (CODE, run.gateway) and problem.subject in reported:
            tx.problems.close(problem.id, run.ended_at_ms or run.started_at_ms, "", "it is in the report now")
