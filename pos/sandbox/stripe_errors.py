"""Stripe's words for "no": type, code, message, parameter, and the HTTP status. No rule is decided here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pos.sandbox.books import Refusal
from pos.sandbox.currencies import written
from pos.sandbox.front import ApiError

_TABLES = {
    "link": "checkout.session",
    "intent": "payment_intent",
    "payment": "charge",
    "entry": "balance transaction",
    "dispute": "dispute",
    "event": "event",
}


def error(status: int, kind: str, message: str, *, kept: bool = False, **more: Any) -> ApiError:
    body = {"message": message, "type": kind, **{name: value for name, value in more.items() if value is not None}}
    if "code" in body:
        body["doc_url"] = f"https://stripe.com/docs/error-codes/{str(body['code']).replace('_', '-')}"
    return ApiError(status, {"error": body}, kept=kept)


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """A parameter that cannot be: nothing was begun, nothing is kept."""
    return error(400, "invalid_request_error", message, param=param, code=code)


def missing(what: str, subject: str, param: str = "id", *, in_path: bool = False) -> ApiError:
    """No such object: 404 where the path names it, 400 where a parameter does."""
    message = f"No such {_TABLES.get(what, what)}: '{subject}'"
    status = 404 if in_path else 400
    return error(status, "invalid_request_error", message, param=param, code="resource_missing")


def problem(name: str, **facts: Any) -> ApiError:
    """What the counter itself says, before any work."""
    made = _PROBLEMS[name](facts)
    if name == "rate_limited":
        made.headers["Retry-After"] = str(facts["retry_after_s"])
    return made


def _redacted(key: str) -> str:
    shown = key[:8] + "*" * max(0, min(len(key), 40) - 12) + key[-4:]
    return shown if len(key) > 12 else "*" * len(key)


def _reused(facts: dict[str, Any]) -> ApiError:
    tail = f"Try using a key other than '{facts['key']}' if you meant to execute a different request."
    if facts["other"] is None:
        start = "Keys for idempotent requests can only be used with the same parameters they were first used with."
    else:
        paths = f"('{facts['target']}' vs '{facts['other'].partition(' ')[2]}')"
        start = f"Keys for idempotent requests can only be used for the same endpoint they were first used for {paths}."
    return error(400, "idempotency_error", f"{start} {tail}")


_BAD = "invalid_request_error"
_Words = tuple[str, str | None, str | None]  # message, code, param
_PROBLEMS: dict[str, Callable[[dict[str, Any]], ApiError]] = {
    "no_credential": lambda facts: error(
        401, _BAD, "You did not provide an API key. Provide it in the Authorization header, as Basic or Bearer."
    ),
    "wrong_credential": lambda facts: error(401, _BAD, f"Invalid API Key provided: {_redacted(facts['credential'])}"),
    "unauthorized": lambda facts: error(401, _BAD, "Expired API Key provided: sk_test_***", code="api_key_expired"),
    "no_such_path": lambda facts: error(
        404, _BAD, f"Unrecognized request URL ({facts['method']}: {facts['path']}). The sandbox may not know it."
    ),
    "too_large": lambda facts: error(413, _BAD, "The request body is too large."),
    "bad_key": lambda facts: error(400, _BAD, "An idempotency key has 1 to 255 characters."),
    "key_in_use": lambda facts: error(
        409,
        "idempotency_error",
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {facts['key']}. Please try again later.",
        code="idempotency_key_in_use",
    ),
    "key_reused": _reused,
    "rate_limited": lambda facts: error(
        429, _BAD, "Request rate limit exceeded. Learn more about rate limits in the documentation.", code="rate_limit"
    ),
    "broken": lambda facts: error(
        500, "api_error", "An unknown error occurred. This error was asked for with a sandbox fault.", kept=True
    ),
}


def refused(refusal: Refusal) -> ApiError:
    """The ledger's "no": the work had begun, so the answer is kept under its key."""
    if refusal.reason == "missing":
        return missing(refusal.facts["what"], refusal.facts["id"])
    message, code, param = _REFUSALS[refusal.reason](refusal.facts)
    return error(400, _BAD, message, kept=True, code=code, param=param)


def _too_much(facts: dict[str, Any]) -> _Words:
    currency = facts["currency"]
    wanted, left = written(facts["amount_minor"], currency), written(facts["left_minor"], currency)
    untouched = facts["left_minor"] == facts["payment_minor"]
    what = "charge amount" if untouched else "unrefunded amount on charge"
    return f"Refund amount ({wanted}) is greater than {what} ({left})", None, "amount"


_REFUSALS: dict[str, Callable[[dict[str, Any]], _Words]] = {
    "not_open": lambda facts: (
        'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
        f'"{facts["state"]}".',
        None,
        "session",
    ),
    "not_captured": lambda facts: (f"Charge {facts['id']} has no captured payment to refund.", None, "charge"),
    "disputed": lambda facts: (
        f"Charge {facts['id']} has been charged back; cannot issue a refund.",
        "charge_disputed",
        None,
    ),
    "already_refunded": lambda facts: (
        f"Charge {facts['id']} has already been refunded.",
        "charge_already_refunded",
        None,
    ),
    "refund_too_much": _too_much,
    "not_authorized": lambda facts: (
        "This PaymentIntent's state does not allow it: only one that requires capture can be captured or canceled.",
        "payment_intent_unexpected_state",
        None,
    ),
    "capture_too_much": lambda facts: (
        "The amount to capture must be above zero and at most the amount authorized.",
        "amount_too_large",
        "amount_to_capture",
    ),
}
