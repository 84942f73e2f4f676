"""What people read: one table, in one place, first match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pos.domain.order import Life, Order
from pos.domain.payment import Attempt, Phase
from pos.domain.status import Shown
from pos.domain.verdict import Certainty, Flag, Money, Verdict


class Outward(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class State:
    order: Order
    verdict: Verdict
    certainty: Certainty
    attempts: Sequence[Attempt]

    @property
    def last(self) -> Attempt | None:
        return max(self.attempts, key=lambda a: a.no, default=None)


_DOUBLE = {Flag.DOUBLE, Flag.DOUBLE_TENDER}


def _settled(state: State) -> bool:
    return state.verdict.money is Money.PAID


def _returned_whole(state: State) -> bool:
    return _settled(state) and 0 < state.verdict.due_minor <= state.verdict.returned_minor


def _given_back(state: State) -> bool:
    verdict = state.verdict
    return state.order.life is Life.VOIDED and verdict.captured_minor > 0 and verdict.kept_minor == 0


def _last_failed(state: State) -> bool:
    """The last attempt is over and a payment of it ended in a terminal *failed*; never a network error."""
    last = state.last
    if last is None or last.live or state.verdict.kept_minor:
        return False
    return any(p.attempt_id == last.id and p.state == "failed" for p in state.verdict.payments)


def _last_expired(state: State) -> bool:
    last = state.last
    return last is not None and last.phase is Phase.CLOSED and last.fence_kind == "expired"


TABLE: tuple[tuple[Shown, Callable[[State], bool]], ...] = (
    (Shown.PAID_TWICE, lambda s: s.verdict.owed_minor > 0 and bool(_DOUBLE & set(s.verdict.flags))),
    (Shown.OVERPAID, lambda s: s.verdict.money is Money.OVERPAID),
    (Shown.DISPUTED, lambda s: Flag.DISPUTED in s.verdict.flags),
    (Shown.RETURNED, lambda s: _returned_whole(s) and Flag.RETURNED in s.verdict.flags),
    (Shown.REFUNDED, lambda s: _returned_whole(s) or _given_back(s)),
    (Shown.PART_REFUNDED, lambda s: _settled(s) and s.verdict.returned_minor > 0),
    (Shown.PAID, _settled),
    (Shown.UNKNOWN, lambda s: s.certainty is Certainty.UNKNOWN),
    (Shown.WAITING, lambda s: s.certainty is Certainty.WAITING),
    (Shown.PART_PAID, lambda s: s.verdict.money is Money.PART_PAID),
    (Shown.CANCELLED, lambda s: s.order.life is Life.VOIDED),
    (Shown.FAILED, _last_failed),
    (Shown.EXPIRED, _last_expired),
    (Shown.HELD, lambda s: s.order.life is Life.HELD),
    (Shown.UNPAID, lambda s: True),
)


def shown(state: State) -> Shown:
    """The one word people read for an order."""
    return next(word for word, holds in TABLE if holds(state))


def outward(state: State) -> Outward:
    """What other systems are told: success, failure or unknown."""
    if state.order.life is Life.PLACED and state.verdict.money in (Money.PAID, Money.OVERPAID):
        return Outward.SUCCESS
    over = state.order.life is Life.VOIDED or bool(state.attempts)
    fenced = all(a.fenced for a in state.attempts if a.was_shown) and not any(a.live for a in state.attempts)
    if state.verdict.kept_minor == 0 and over and fenced and not state.verdict.in_flight:
        return Outward.FAILURE
    return Outward.UNKNOWN


__all__ = ["TABLE", "Outward", "Shown", "State", "outward", "shown"]
