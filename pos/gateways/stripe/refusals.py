"""Stripe's error answers: which are a definite no, which mean ask again, and which say nothing at all.

A 4xx counts only with Stripe's own error body: a proxy or a captive portal also answers 403 or 404.
Source: Stripe's API reference, "Errors" and "Idempotent requests".
"""

from __future__ import annotations

from pos.gateways.base import Answer, NotUnderstood, Operation, Outcome, Reading, decode, plain, retry_after
from pos.gateways.stripe.objects import Error, ErrorBody

_IN_PROGRESS = {"idempotency_key_in_use", "lock_timeout", "rate_limit"}
_BY_STATUS = {401: Outcome.UNAUTHORIZED, 403: Outcome.UNAUTHORIZED, 404: Outcome.NOT_FOUND}
_DEFINITE = {"invalid_request_error", "card_error"}


def read(operation: Operation, answer: Answer) -> Reading:
    """An answer that is not 2xx."""
    if answer.status == 429:
        return Reading(Outcome.BUSY, message="too many requests", retry_after_s=retry_after(answer))
    if not 400 <= answer.status < 500:
        replayed = ", replayed" if answer.header("idempotent-replayed") == "true" else ""
        message = f"HTTP status {answer.status}{replayed}"
        return Reading(Outcome.UNKNOWN, message=message, retry_after_s=retry_after(answer))
    try:
        error = decode(answer.body, ErrorBody).error
    except NotUnderstood:
        return Reading(Outcome.UNKNOWN, message=f"HTTP status {answer.status} without an error of Stripe's")
    outcome = _outcome(operation, answer.status, error)
    wait = retry_after(answer) if outcome is Outcome.BUSY else None
    return Reading(outcome, message=plain(error.message or error.code or error.type), retry_after_s=wait)


def _outcome(operation: Operation, status: int, error: Error) -> Outcome:
    if status == 409 or error.code in _IN_PROGRESS:
        return Outcome.BUSY
    if error.type == "idempotency_error":
        return Outcome.KEY_REUSED
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if error.type not in _DEFINITE:
        return Outcome.UNKNOWN
    # Stripe names no code for "not open any more"; whatever the reason, fetching the session tells the truth.
    return Outcome.GONE if operation is Operation.CLOSE else Outcome.REFUSED
