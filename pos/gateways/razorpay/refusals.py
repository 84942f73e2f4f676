"""Razorpay's error answers: which are a definite no, which mean ask again, and which say nothing at all.

A 4xx counts only with Razorpay's own error body: a proxy or a captive portal also answers 403 or 404. Razorpay has no
codes finer than `BAD_REQUEST_ERROR`, so a few of its sentences are read; one that changes is then a plain no, which
makes nothing out of nothing. Source: Razorpay's API reference, "Errors", and the pages of each call.
"""

from __future__ import annotations

from pos.gateways.base import Answer, NotUnderstood, Operation, Outcome, Reading, decode, plain, retry_after
from pos.gateways.razorpay.objects import Error, ErrorBody

_NO_SUCH_ID = ("does not exist", "is not a valid id", "no db records found")
_KEY_REUSED = "same idempotency key"
_NO_SUCH_PATH = "requested url was not found"


def read(operation: Operation, answer: Answer) -> Reading:
    """An answer that is not 2xx."""
    if answer.status == 429:
        return Reading(Outcome.BUSY, message="too many requests", retry_after_s=retry_after(answer))
    if not 400 <= answer.status < 500:
        return Reading(Outcome.UNKNOWN, message=f"HTTP status {answer.status}", retry_after_s=retry_after(answer))
    try:
        error = decode(answer.body, ErrorBody).error
    except NotUnderstood:
        return Reading(Outcome.UNKNOWN, message=f"HTTP status {answer.status} without an error of Razorpay's")
    outcome = _outcome(operation, answer.status, error)
    wait = retry_after(answer) if outcome is Outcome.BUSY else None
    return Reading(outcome, message=plain(error.description or error.code), retry_after_s=wait)


def _outcome(operation: Operation, status: int, error: Error) -> Outcome:
    said = (error.description or "").lower()
    if status == 401:
        return Outcome.UNAUTHORIZED
    if status == 409:  # without a key nobody can say whether the call that is in progress is this one
        return Outcome.UNKNOWN if operation is Operation.CREATE else Outcome.BUSY
    if error.code != "BAD_REQUEST_ERROR" or status == 408:
        return Outcome.UNKNOWN
    if _KEY_REUSED in said:
        return Outcome.KEY_REUSED
    if any(words in said for words in _NO_SUCH_ID):
        return Outcome.NOT_FOUND
    if status == 403:
        return Outcome.UNAUTHORIZED
    # Nothing is said of why a link cannot be cancelled; fetching it tells the truth.
    return Outcome.GONE if operation is Operation.CLOSE and _NO_SUCH_PATH not in said else Outcome.REFUSED
