"""Asking for money in Razorpay's dialect: what it demands of payment links, QR codes and orders, and its errors for the
rest. What happens to them afterwards is the ledger's.
"""

from __future__ import annotations

import json
from typing import Any

from pos.sandbox import lifecycle
from pos.sandbox.books import Books
from pos.sandbox.currencies import SUPPORTED, maximum_minor, minimum_minor
from pos.sandbox.dialect import random_text
from pos.sandbox.lifecycle import LinkOrder
from pos.sandbox.razorpay_errors import invalid, least
from pos.sandbox.razorpay_params import Params
from pos.sandbox.records import Intent, Link

SOONEST_EXPIRY_S = 15 * 60
LATEST_EXPIRY_S = 183 * 24 * 3600  # six months
SOONEST_CLOSE_S, LATEST_CLOSE_S = 15 * 60, 45 * 86_400
"""Of a single-use code: Razorpay's API reference, "Fetch a QR Code with ID", `close_by`."""
NEVER_S = 10 * 365 * 24 * 3600  # nothing in a sandbox lives as long
LEAST_INR_MINOR = 100
LONGEST_REFERENCE = 40  # characters; of a receipt too
LONGEST_DESCRIPTION = 2048
PAGE_NAME_LENGTH = 10
Object = dict[str, Any]


def create_link(books: Books, params: Params) -> Link:
    """Check everything, then open the payment link.

    Raises:
        ApiError: a field is missing, wrong or unknown, or the reference was used before; nothing was begun.
    """
    amount_minor, currency = _amount(params, "amount")
    _refuse_parts(params)
    description = params.text("description", most=LONGEST_DESCRIPTION)
    reference = _reference(books, params)
    upi_link = params.flag("upi_link") or False
    if upi_link and currency != "inr":
        raise params.wrong("upi_link", "UPI Payment Links take INR only.")
    expire_by = _expiry(books, params)
    details = {
        "description": description or "",
        "expire_by": expire_by or 0,
        "upi_link": upi_link,
        "methods": ["upi"] if upi_link else [],
        **_looks(params),
    }
    callback_url, details["callback_method"] = _callback(params)
    order = LinkOrder(
        amount_minor=amount_minor,
        currency=currency,
        title=description or reference or "Payment",
        expires_at=expire_by or books.now + LATEST_EXPIRY_S,
        success_url=callback_url,
        reference=reference,
        metadata=params.notes(),
        details=details,
        **_ways(books, "page"),
    )
    params.done()
    return lifecycle.open_link(books, order)


def update_link(books: Books, link: Link, params: Params) -> Link:
    """Reference, expiry, notes and reminders of a link that nobody has paid.

    Raises:
        ApiError: it is not open, or a field is wrong.
    """
    if link.state != "open":
        raise invalid("Payment Link can be updated only in created or partially paid state")
    changes: Object = {"reference": _reference(books, params, link)} if params.raw("reference_id") is not None else {}
    more = {**link.more, "patched_at": books.now}
    expire_by = _expiry(books, params)
    if expire_by is not None:
        changes["expires_at"] = more["expire_by"] = expire_by
    if params.raw("notes") is not None:
        changes["metadata"] = json.dumps(params.notes())
    reminders = params.flag("reminder_enable")
    more["reminder_enable"] = more["reminder_enable"] if reminders is None else reminders
    _refuse_parts(params)
    params.done()
    return books.tx.update(link, details=json.dumps(more), **changes)


def create_code(books: Books, params: Params) -> Link:
    """A QR code for one payment of a fixed amount.

    Raises:
        ApiError: the account has no QR codes, or a field is missing, wrong or unknown.
    """
    if not books.options["qr_codes"]:
        raise invalid(
            "Your current configuration does not support QR creation. Contact support for further assistance."
        )
    if params.choice("type", "upi_qr") is None:
        raise params.missing("type")
    if params.choice("usage", "single_use", "multiple_use") != "single_use":
        raise params.wrong("usage", "the sandbox knows single_use only.")
    if not params.flag("fixed_amount"):
        raise params.wrong("fixed_amount", "the sandbox knows codes of a fixed amount only.")
    amount_minor, _ = _amount(params, "payment_amount")
    close_by = params.integer("close_by")
    if close_by is not None and close_by < books.now + SOONEST_CLOSE_S:
        raise params.wrong("close_by", "close_by should be at least 15 minutes after current time")
    if close_by is not None and close_by > books.now + LATEST_CLOSE_S:
        raise params.wrong("close_by", "close_by should be at most 45 days after current time")
    name, description = params.text("name"), params.text("description", most=LONGEST_DESCRIPTION)
    order = LinkOrder(
        amount_minor=amount_minor,
        currency="inr",
        title=description or name or "Payment",
        expires_at=close_by or books.now + LATEST_CLOSE_S,
        success_url="",
        metadata=params.notes(),
        details={"name": name, "description": description, "close_by": close_by, "methods": ["upi"]},
        **_ways(books, "code"),
    )
    params.done()
    return lifecycle.open_link(books, order)


def create_order(books: Books, params: Params) -> Intent:
    """An order for a checkout of the shop's own.

    Raises:
        ApiError: a field is missing, wrong or unknown.
    """
    amount_minor, currency = _amount(params, "amount")
    if params.flag("partial_payment"):
        raise params.wrong("partial_payment", "the sandbox does not know partial payments.")
    ways = _ways(books, "order")
    capture = params.flag("payment_capture")
    if capture is not None:
        ways["manual_capture"] = not capture
    receipt = params.text("receipt", most=LONGEST_REFERENCE)
    order = LinkOrder(
        amount_minor=amount_minor,
        currency=currency,
        title=receipt or "Order",
        expires_at=books.now + NEVER_S,
        success_url="",
        reference=receipt,
        metadata=params.notes(),
        **ways,
    )
    params.done()
    return lifecycle.open_order(books, order)


# -- fields ------------------------------------------------------------------------------------------------------------


def _ways(books: Books, kind: str) -> Object:
    """How money comes in through a link of this account, fixed when the link is made."""
    return {
        "kind": kind,
        "page": random_text(PAGE_NAME_LENGTH),
        "completes": "captured",
        "manual_capture": bool(books.options["manual_capture"]),
        "capture_within_s": float(books.options["capture_within_s"]),
    }


def _amount(params: Params, field: str) -> tuple[int, str]:
    """(minor units, lower-case currency); rupees where none is named."""
    amount_minor = params.integer(field)
    if not amount_minor:
        raise params.missing(field)
    currency = params.text("currency", most=10) or "INR"
    if currency != currency.upper() or currency.lower() not in SUPPORTED:
        raise params.wrong("currency", "wrong input fields sent.")
    currency = currency.lower()
    smallest = LEAST_INR_MINOR if currency == "inr" else minimum_minor(currency)
    if amount_minor < smallest:
        raise params.wrong(field, f"amount should be minimum {least(smallest, currency)}.")
    if amount_minor > maximum_minor(currency):
        raise params.wrong(field, "Amount exceeds maximum amount allowed.")
    return amount_minor, currency


def _refuse_parts(params: Params) -> None:
    if params.flag("accept_partial") or params.integer("first_min_partial_amount"):
        raise params.wrong("accept_partial", "the sandbox does not know partial payments.")


def _reference(books: Books, params: Params, own: Link | None = None) -> str | None:
    """One reference, one link, for ever: also where the first was cancelled or has expired."""
    reference = params.text("reference_id", most=LONGEST_REFERENCE)
    if reference is None:
        return None
    where = "WHERE account = ? AND kind = 'page' AND reference = ?"
    known = books.tx.one(Link, where, books.account.id, reference)
    if known is not None and (own is None or known.id != own.id):
        raise invalid(
            f"payment link with given reference_id: {reference} already exists. "
            "Please create a payment link with a different reference_id",
            field="reference_id",
        )
    return reference


def _expiry(books: Books, params: Params) -> int | None:
    expire_by = params.integer("expire_by")
    if not expire_by:
        return None
    if expire_by < books.now + SOONEST_EXPIRY_S:
        raise params.wrong("expire_by", "timestamp must be atleast 15 minutes in future")
    if expire_by > books.now + LATEST_EXPIRY_S:
        raise params.wrong("expire_by", "timestamp cannot be more than 6 months in future")
    return expire_by


def _callback(params: Params) -> tuple[str, str | None]:
    url, method = params.text("callback_url", most=2048), params.choice("callback_method", "get")
    if url is None:
        return "", method
    if not url.startswith(("https://", "http://")):
        raise params.wrong("callback_url", "must be a valid URL.")
    if method is None:
        raise params.wrong("callback_method", "callback_method is required with callback_url.")
    return url, method


def _looks(params: Params) -> Object:
    """What is taken and said back, without effect: the sandbox writes to nobody."""
    customer, notify = params.sub("customer"), params.sub("notify")
    named = {field: customer.text(field) for field in ("name", "email", "contact")}
    told = {medium: notify.flag(medium) or False for medium in ("sms", "email", "whatsapp")}
    customer.done()
    notify.done()
    return {
        "customer": {field: value for field, value in named.items() if value is not None},
        "notify": told,
        "reminder_enable": params.flag("reminder_enable") or False,
    }
