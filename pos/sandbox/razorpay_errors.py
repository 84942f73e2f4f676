"""Razorpay's words for "no": code, description, and the HTTP status. No rule is decided here.

Texts after its API reference ("Errors" of each endpoint) and after what integrators report of its test mode. Its code
is BAD_REQUEST_ERROR for nearly everything, a 401 and a 429 too: only the HTTP status tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pos.sandbox.books import Refusal
from pos.sandbox.currencies import exponent
from pos.sandbox.front import ApiError

BAD = "BAD_REQUEST_ERROR"
NO_SUCH_ID = "The id provided does not exist"


def error(
    status: int, code: str, description: str, *, field: str | None = None, reason: str = "NA", step: str = "NA"
) -> ApiError:
    body: dict[str, Any] = {"code": code, "description": description, "source": "business" if status == 400 else "NA"}
    body |= {"step": step, "reason": reason, "metadata": {}}
    if field is not None:
        body["field"] = field
    return ApiError(status, {"error": body})


def invalid(description: str, *, field: str | None = None) -> ApiError:
    """A field that cannot be: nothing was begun."""
    return error(400, BAD, description, field=field, reason="input_validation_failed", step="payment_initiation")


def missing() -> ApiError:
    """No such object, or another account's; a 400, not a 404."""
    return error(400, BAD, NO_SUCH_ID)


def problem(name: str, **facts: Any) -> ApiError:
    """What the counter itself says, before any work."""
    status, code, description = _PROBLEMS[name]
    made = error(status, code, description)
    if name == "rate_limited":
        made.headers["Retry-After"] = str(facts["retry_after_s"])
    if name in ("no_credential", "wrong_credential"):
        made.headers["WWW-Authenticate"] = 'Basic realm="Razorpay"'
    return made


_PROBLEMS = {
    "no_credential": (401, BAD, "Please provide your api key for authentication purposes."),
    "wrong_credential": (401, BAD, "Authentication failed"),
    "unauthorized": (401, BAD, "The api key provided is invalid"),
    "no_such_path": (404, BAD, "The requested URL was not found on the server."),
    "too_large": (413, BAD, "The request body is too large."),
    "bad_key": (
        400,
        BAD,
        "The idempotency key must have at least 10 characters: letters, digits, hyphens, underscores.",
    ),
    "key_in_use": (409, BAD, "Request failed because another request with the same idempotency key is in progress."),
    "key_reused": (400, BAD, "Different request with the same idempotency key has already been processed."),
    "rate_limited": (429, BAD, "Too many requests"),
    "broken": (
        500,
        "SERVER_ERROR",
        "We are facing some trouble completing your request at the moment. Please try again shortly.",
    ),
}


def refused(refusal: Refusal) -> ApiError:
    """The ledger's "no"."""
    if refusal.reason == "missing":
        return missing()
    description, field = _REFUSALS[refusal.reason](refusal.facts)
    return error(400, BAD, description, field=field)


_Words = tuple[str, str | None]  # description, field


def _not_open(facts: dict[str, Any]) -> _Words:
    if facts["kind"] == "code":
        return "The QR code has already been closed", None
    if facts["state"] == "complete":
        return "cannot cancel or expire an already paid / partially paid link", None
    return f"cannot cancel or expire {'an expired' if facts['closed'] == 'time' else 'a cancelled'} link", None


def _not_authorized(facts: dict[str, Any]) -> _Words:
    if facts["state"] == "captured":
        return "This payment has already been captured", None
    if facts["state"] == "voided":
        return "The payment has been fully refunded already", None
    return "Only payments which have been authorized and not yet captured can be captured", None


_REFUSALS: dict[str, Callable[[dict[str, Any]], _Words]] = {
    "not_open": _not_open,
    "not_captured": lambda facts: (
        "The payment has been fully refunded already"
        if facts["state"] == "voided"
        else "The payment status should be captured for action to be taken",
        None,
    ),
    "disputed": lambda facts: ("Refund is not allowed: the payment is disputed", None),
    "already_refunded": lambda facts: ("The payment has been fully refunded already", None),
    "refund_too_much": lambda facts: ("The total refund amount is greater than the refund payment amount", "amount"),
    "not_authorized": _not_authorized,
    "capture_too_much": lambda facts: ("Capture amount must be equal to the amount authorized", "amount"),
}


def least(amount_minor: int, currency: str) -> str:
    """100 inr -> "1.00 for INR"."""
    return f"{Decimal(amount_minor).scaleb(-exponent(currency)):f} for {currency.upper()}"
