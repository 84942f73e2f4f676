"""When an attempt is looked at again, and how its phases end. Pure."""

from __future__ import annotations

from dataclasses import replace

from pos.domain.payment import FAILED_PAUSE_MAX_MS, PAUSE_MAX_MS, Attempt, Phase

ON_SCREEN_MS = 3_000
LADDER_MS = ((2 * 60_000, 3_000), (15 * 60_000, 30_000), (2 * 3_600_000, 300_000))
"""(age of the attempt, pause between looks): every 3 s at first, then half minutes, minutes, hours."""
HOURLY_MS = 3_600_000
AFTER_CLOSE_MS = PAUSE_MAX_MS


def pause_ms(attempt: Attempt, now_ms: int) -> int:
    """The pause to the next look at an attempt that is not known closed; the ladder begins again when it is closed,

    since somebody waits for that however old the link is.
    """
    if attempt.fenced:
        return AFTER_CLOSE_MS
    age = now_ms - (attempt.closing_at_ms or attempt.shown_at_ms or attempt.drafted_at_ms)
    return next((pause for limit, pause in LADDER_MS if age < limit), HOURLY_MS)


def next_look_ms(attempt: Attempt, now_ms: int) -> int:
    return now_ms + pause_ms(attempt, now_ms)


def after_failed_look(attempt: Attempt, now_ms: int, wait_ms: int = 0) -> Attempt:
    """One more look without an answer: asked again soon, less and less often.

    Not before `wait_ms` have passed, which the gateway asked for (`Retry-After`), up to the longest pause of ours.
    """
    failed = attempt.looks_failed + 1
    pause = min(FAILED_PAUSE_MAX_MS, max(wait_ms, ON_SCREEN_MS * 2 ** min(failed - 1, 10)))
    return replace(attempt, looks_failed=failed, look_due_at_ms=now_ms + pause)


def is_set_back(attempt: Attempt, now_ms: int) -> bool:
    """Whether the times of its looks are from before the clock was set back; `AttemptRows.due` asks the same."""
    due = attempt.look_due_at_ms or 0
    if attempt.looks_failed:  # the last look that was answered tells nothing of when it failed
        return due > now_ms + FAILED_PAUSE_MAX_MS
    return (attempt.looked_at_ms or attempt.drafted_at_ms) > now_ms or due > now_ms + PAUSE_MAX_MS


def abandoned(attempt: Attempt, reason: str, now_ms: int) -> Attempt:
    """Never shown, so it needs no fence; its link, if there is one, is found and closed in the background."""
    due = now_ms + ON_SCREEN_MS
    return replace(attempt, phase=Phase.ABANDONED, reason=reason, ended_at_ms=now_ms, look_due_at_ms=due)


def closing(attempt: Attempt, now_ms: int) -> Attempt:
    """The QR is withdrawn; the gateway is asked to close the link."""
    since = not_before_shown_ms(attempt, now_ms)
    return replace(attempt, phase=Phase.CLOSING, closing_at_ms=since, look_due_at_ms=now_ms)


def not_before_shown_ms(attempt: Attempt, now_ms: int) -> int:
    """`now_ms`, but not before the link was shown, which another till may have written whose clock is ahead."""
    return max(now_ms, attempt.shown_at_ms or 0)
