"""Faults planted into the running code, to show that the simulation can fail: what it is worth is what it finds.

    python -m tests.simulation.planted            every fault, seed by seed, until it is found

A plant is a change of source text in one function, made in memory and taken back; one that does not fit the code any
more says so.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.simulation.run import play
from tests.simulation.world import Ground

SEEDS_MAX = 40
"""Seeds within which each must be found."""


@dataclass(frozen=True)
class Change:
    """In `module`, the function `name` (with its class): `old` becomes `new`."""

    module: str
    name: str
    old: str
    new: str


PLANTS: dict[str, tuple[Change, ...]] = {
    "cash without fence": (
        Change("pos.services.cash", "Cash.take", "await self._checkout.end_links(order_id, actor=actor)", "pass"),
        Change("pos.services.tendering", "Tendering.free", "check_fence(bundle.attempts, order.number)", "pass"),
        Change(
            "pos.services.tendering",
            "Tendering.free",
            "if any(a.live for a in bundle.attempts) or verdict.in_flight:",
            "if False:",
        ),
    ),
    "new attempt without fence": (
        Change("pos.services.issue", "Issuer.draft", "check_fence(bundle.attempts, order.number)", "pass"),
        Change(
            "pos.services.issue",
            "Issuer._again",
            'raise OtherLinkOpen("Another link of this order is not closed yet.", '
            '"Give it up first, then choose again.")',
            "return tx.attempts.update(replace(live, phase=Phase.RELEASED)) "
            "or tx.attempts.update(replace(live, phase=Phase.CLOSED))",
        ),
    ),
    "dedupe per order": (
        Change(
            "pos.services.settle",
            "_keep",
            "news = [(item, tx.facts.add(item.facts, item.sighting(now_ms))) for item in evidence]",
            "news = []\n    for item in evidence:\n"
            "        paid = {o for t in tx.facts.touched_by(item.facts) for o in t.orders if tx.facts.bundle(o).facts "
            "and verdicts.fold(tx.facts.bundle(o)).captured_minor}\n"
            "        news.append((item, tx.facts.add([f for f in item.facts "
            "if not (paid and f.kind is Kind.PAYMENT_CAPTURED)], item.sighting(now_ms))))",
        ),
    ),
    "a key per retry": (
        Change(
            "pos.services.issue",
            "Issuer._send",
            "self._desk.ask(gate, outgoing.call,",
            "self._desk.ask(gate, outgoing.call._replace(headers=tuple("
            "(n, v + str(repeat) if n.lower() == 'idempotency-key' else v) for n, v in outgoing.call.headers)),",
        ),
    ),
    "a refund key per retry": (
        Change(
            "pos.services.refunds",
            "Refunds.send",
            "asked = await self._desk.ask(gate, row.call)",
            "asked = await self._desk.ask(gate, row.call._replace(headers=tuple("
            "(n, v + str(row.tries) if 'idempotency' in n.lower() else v) for n, v in row.call.headers)))",
        ),
    ),
    "failed is final": (
        Change(
            "pos.domain.joins",
            "_payment",
            "captured = max((f.amount_minor or 0 for f in in_currency), default=0)",
            "captured = 0 if any(f.kind is Kind.PAYMENT_FAILED for f in own) else "
            "max((f.amount_minor or 0 for f in in_currency), default=0)",
        ),
    ),
    "amount ignored": (
        Change(
            "pos.domain.joins",
            "_payment",
            "captured = max((f.amount_minor or 0 for f in in_currency), default=0)",
            "captured = (attempt.amount_minor if attempt else 0) if in_currency else 0",
        ),
    ),
    "silence taken as closed": (
        Change(
            "pos.services.schedule",
            "after_failed_look",
            "return replace(attempt, looks_failed=failed, look_due_at_ms=now_ms + pause)",
            "return replace(attempt, fenced_at_ms=now_ms, fence_kind='absent', looks_failed=failed, "
            "look_due_at_ms=now_ms + pause)",
        ),
    ),
    "hint taken as fact": (
        Change(
            "pos.services.hints",
            "Hints._follow",
            'if hint.kind != "webhook":',
            "if hint.payment: await self._settle.take_in(Evidence(hint.gateway, tuple("
            "__import__('pos.domain.facts', fromlist=['Fact']).Fact("
            "hint.gateway, attempt.account, attempt.mode, k, hint.payment, t, a, c, at) for k, t, a, c, at in ("
            "('payment.captured', '', attempt.amount_minor, attempt.currency, hint.received_at_ms), "
            "('payment.of.link', attempt.link_id, None, '', None))), Source.FETCH, label))\n"
            '    if hint.kind != "webhook":',
        ),
    ),
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    with ExitStack() as stack:
        for change in PLANTS[name]:
            stack.enter_context(_changed(change))
        yield


@contextmanager
def _changed(change: Change) -> Iterator[None]:
    module = importlib.import_module(change.module)
    owner: Any = module
    *inside, name = change.name.split(".")
    for part in inside:
        owner = getattr(owner, part)
    before = getattr(owner, name)
    source = getattr(before, "planted_source", None) or textwrap.dedent(inspect.getsource(before))
    assert change.old in source, f"{change.name} has changed; {change.old!r} is not in it"
    made: dict[str, Any] = {}
    changed = source.replace(change.old, change.new)
    exec(compile(f"from __future__ import annotations\n{changed}", change.module, "exec"), module.__dict__, made)
    made[name].planted_source = changed
    setattr(owner, name, made[name])
    users = [m for m in list(sys.modules.values()) if m is not module and getattr(m, name, None) is before]
    for user in users:
        setattr(user, name, made[name])
    try:
        yield
    finally:
        setattr(owner, name, before)
        for user in users:
            setattr(user, name, before)


def found(ground: Ground, name: str, first: int = 1, most: int = SEEDS_MAX) -> tuple[int, str]:
    """(the first seed that finds this fault, what it says); (0, "") when none does."""
    with planted(name):
        for seed in range(first, first + most):
            played = play(ground, seed)
            if played.failures:
                return seed, played.failures[0]
    return 0, ""


def main() -> int:
    if os.environ.get("PYTHONHASHSEED") != "0":
        again = [sys.executable, "-m", "tests.simulation.planted", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | {"PYTHONHASHSEED": "0"})
    ground, missed = Ground(), []
    for name in sys.argv[1:] or PLANTS:
        seed, why = found(ground, name)
        print(f"{name}: " + (f"found by seed {seed}: {why}" if seed else "NOT FOUND"), flush=True)
        missed += [] if seed else [name]
    ground.close()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
