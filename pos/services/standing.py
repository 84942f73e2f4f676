"""Exceptions of an order: opened while they stand, closed by facts when they do not. A person's word is not undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pos.domain.joins import Bundle
from pos.domain.matching import Action, Finding, findings
from pos.domain.payouts import differing
from pos.domain.refund import Refund
from pos.domain.store_port import Problem
from pos.domain.verdict import Verdict

TIMED = frozenset({"M12", "M18", "M22"})
"""Findings that do not come from an order's facts alone; those who open them close them."""
UNKNOWN_LIMIT_MS = 10 * 60_000


def changed_problems(
    bundle: Bundle,
    verdict: Verdict,
    known: Sequence[Problem],
    now_ms: int,
    new_id: Callable[[], str],
    payout_tolerance_minor: int = 0,
) -> Iterator[Problem]:
    """Open what stands now, close what stands no longer; a manager's own resolution is not opened again."""
    standing = _standing(bundle, verdict, now_ms, payout_tolerance_minor)
    before = {(p.code, p.subject): p for p in known}
    for key, finding in standing.items():
        problem = before.get(key)
        if problem is None:
            yield _opened(bundle, verdict, finding, now_ms, new_id())
            continue
        told = replace(problem, action=finding.action, amount_minor=finding.amount_minor)
        if problem.closed_at_ms is not None and not problem.closed_by:
            yield replace(told, closed_at_ms=None, opened_at_ms=now_ms)
        elif problem.closed_at_ms is None and told != problem:
            yield told
    for key, problem in before.items():
        if key not in standing and problem.closed_at_ms is None and problem.code not in TIMED:
            yield replace(problem, closed_at_ms=now_ms, closed_by="", resolution="settled by facts")


def _standing(bundle: Bundle, verdict: Verdict, now_ms: int, tolerance_minor: int) -> dict[tuple[str, str], Finding]:
    found = (*findings(bundle, verdict), *differing(bundle, verdict, tolerance_minor))
    standing = {(f.code, f.subject): f for f in found}
    if _unknown_too_long(bundle, now_ms):
        standing[("M23", "")] = Finding("M23", Action.ASK, verdict.left_minor)
    for refund in bundle.refunds:
        if _unsent_too_long(refund, verdict, now_ms):
            standing.setdefault(("M14", refund.id), Finding("M14", Action.ASK, refund.amount_minor, refund.id))
    return standing


def _opened(bundle: Bundle, verdict: Verdict, finding: Finding, now_ms: int, problem_id: str) -> Problem:
    payments = sorted(verdict.payments, key=lambda p: p.captured_at_ms or 0)
    newest = payments[-1] if payments else None
    return Problem(
        id=problem_id,
        order_id=bundle.order.id,
        code=finding.code,
        subject=finding.subject,
        action=finding.action,
        amount_minor=finding.amount_minor,
        opened_at_ms=now_ms,
        gateway=newest.gateway if newest else "",
        payment=finding.subject or (newest.id if newest else ""),
    )


def _unknown_too_long(bundle: Bundle, now_ms: int) -> bool:
    """M23: a live attempt whose looks have failed for more than ten minutes."""
    return any(
        a.live
        and a.looks_failed > 0
        and abs(now_ms - (a.looked_at_ms or a.shown_at_ms or a.drafted_at_ms)) > UNKNOWN_LIMIT_MS
        for a in bundle.attempts
    )


def _unsent_too_long(refund: Refund, verdict: Verdict, now_ms: int) -> bool:
    """M14: the gateway has not taken a refund for more than ten minutes; the customer may have been told it is done."""
    state = next((r.state for r in verdict.refunds if r.ours == refund.id), "requested")
    return state == "requested" and abs(now_ms - refund.asked_at_ms) > UNKNOWN_LIMIT_MS
