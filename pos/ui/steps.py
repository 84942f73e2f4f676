"""How far a payment by link has come, from a view alone: four steps for the pay panel, one line for the tray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pos.domain.status import Shown
from pos.words.states import Progress, Steps

if TYPE_CHECKING:
    from pos.services.views import OrderView

FLYING = {"pending", "authorized"}
_PAID = {
    Shown.PAID,
    Shown.PAID_TWICE,
    Shown.OVERPAID,
    Shown.RETURNED,
    Shown.REFUNDED,
    Shown.PART_REFUNDED,
    Shown.DISPUTED,
}
_OVER = {Shown.FAILED, Shown.EXPIRED, Shown.CANCELLED, Shown.UNPAID}


@dataclass(frozen=True, slots=True)
class Step:
    """`tone`: paid (done), waiting (going on), unknown, failed, or "" (still to come)."""

    text: str
    tone: str


def reached(view: OrderView) -> int:
    """Steps that were reached: 1 link ready, 2 opened, 3 paying, 4 paid; 0 none."""
    if view.shown in _PAID:
        return 4
    if any(payment.state in FLYING for payment in view.payments):
        return 3
    if view.opened:
        return 2
    return 1 if view.attempt is not None and view.attempt.shown_at_ms is not None else 0


def steps(view: OrderView | None) -> tuple[Step, Step, Step, Step]:
    """The four steps; None while the link is being asked for."""
    if view is None:
        return Step(Steps.ASKING, "waiting"), Step(Steps.OPENED, ""), Step(Steps.PAYING, ""), Step(Steps.PAID, "")
    count = reached(view)
    if view.shown is Shown.UNKNOWN:
        return _unknown(count)
    tones = ["paid" if at < count else "" for at in range(4)]
    if count in (2, 3):
        tones[count - 1] = "waiting"
    words = [Steps.LINK_READY if count else Steps.ASKING, Steps.OPENED, Steps.PAYING, Steps.PAID]
    if count == 4 and not any(payment.captured_minor for payment in view.payments):  # paid, and not by a link
        tones[0] = "paid" if view.attempt is not None and view.attempt.shown_at_ms is not None else ""
        tones[1], tones[2] = "paid" if view.opened else "", ""
    if view.shown in _OVER:
        words[3], tones[3] = Steps.NOT_PAID, "failed" if view.shown is Shown.FAILED else "gone"
    return Step(words[0], tones[0]), Step(words[1], tones[1]), Step(words[2], tones[2]), Step(words[3], tones[3])


def _unknown(count: int) -> tuple[Step, Step, Step, Step]:
    """What is not known stands where it hangs: the link itself, or the payment."""
    if count == 0:
        return Step(Steps.NOT_KNOWN, "unknown"), Step(Steps.OPENED, ""), Step(Steps.PAYING, ""), Step(Steps.PAID, "")
    opened = "paid" if count >= 2 else ""
    return (
        Step(Steps.LINK_READY, "paid"),
        Step(Steps.OPENED, opened),
        Step(Steps.NOT_KNOWN, "unknown"),
        Step(Steps.PAID, ""),
    )


def line_of(view: OrderView) -> tuple[str, str]:
    """(tone, words) below a tray card's bar."""
    if view.shown in _PAID:
        return "paid", Progress.PAID
    if view.shown is Shown.UNKNOWN:
        return "unknown", Progress.NO_ANSWER
    return "waiting", (Progress.NOT_SCANNED, Progress.NOT_SCANNED, Progress.PAGE_OPENED, Progress.AT_THE_BANK)[
        min(reached(view), 3)
    ]


def pill_of(view: OrderView) -> str:
    """The word of a waiting order's pill: how far it has come."""
    return ("", "", Steps.OPENED, Steps.PAYING, Steps.PAID)[reached(view)] if view.shown is Shown.WAITING else ""
