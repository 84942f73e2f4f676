"""Razorpay's lists: newest first, `from` and `to` in Unix seconds, `count` and `skip`. One function per list.

Skipping shifts while rows arrive, as at Razorpay.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from typing import Any

from pos.sandbox import razorpay_objects as objects
from pos.sandbox.books import Books
from pos.sandbox.razorpay_params import Params
from pos.sandbox.records import Dispute, Entry, Intent, Link, Payment, Payout, Refund
from pos.sandbox.store import R

DEFAULT_ROWS = 10
MOST_ROWS = 100
MOST_RECON_ROWS = 1000
IST_S = 5 * 3600 + 1800  # Indian Standard Time is UTC+5:30, all year
DAY_S = 24 * 3600
Object = dict[str, Any]
Conditions = list[tuple[str, object]]


def collection(items: list[Object]) -> Object:
    return {"entity": "collection", "count": len(items), "items": items}


def _window(params: Params, most: int) -> tuple[int, int]:
    """(count, skip)"""
    count, skip = params.integer("count"), params.integer("skip") or 0
    count = DEFAULT_ROWS if count is None else count
    if not 1 <= count <= most:
        raise params.wrong("count", f"The count must be between 1 and {most}.")
    if skip < 0:
        raise params.wrong("skip", "The skip must be at least 0.")
    return count, skip


def _rows(books: Books, params: Params, record: type[R], only: Conditions) -> list[R]:
    """One page. SQL text is this package's own; values travel apart."""
    count, skip = _window(params, MOST_ROWS)
    only = [("account = ?", books.account.id), *only]
    if books.lists_until is not None:
        only.append(("created <= ?", books.lists_until))
    for field, condition in (("from", "created >= ?"), ("to", "created <= ?")):
        value = params.integer(field)
        if value is not None:
            only.append((condition, value))
    params.done()
    where = f"WHERE {' AND '.join(text for text, _ in only)} ORDER BY seq DESC LIMIT ? OFFSET ?"
    return books.tx.many(record, where, *(value for _, value in only), count, skip)


def _shown(
    books: Books, params: Params, record: type[R], only: Conditions, render: Callable[[Books, R], Object]
) -> Object:
    return collection([render(books, row) for row in _rows(books, params, record, only)])


def links(books: Books, params: Params) -> Object:
    """Under a name of its own, unlike all other lists."""
    only: Conditions = [("kind = ?", "page")]
    reference, payment = params.text("reference_id"), params.text("payment_id")
    if reference is not None:
        only.append(("reference = ?", reference))
    if payment is not None:
        only.append(("id IN (SELECT link FROM payment WHERE id = ?)", payment))
    return {"payment_links": [objects.payment_link(books, link) for link in _rows(books, params, Link, only)]}


def codes(books: Books, params: Params) -> Object:
    only: Conditions = [("kind = ?", "code")]
    payment = params.text("payment_id")
    if payment is not None:
        only.append(("id IN (SELECT link FROM payment WHERE id = ?)", payment))
    return _shown(books, params, Link, only, objects.qr_code)


def orders(books: Books, params: Params) -> Object:
    """Those of payment links too; a QR code has none."""
    only: Conditions = [("link IN (SELECT id FROM link WHERE kind != ?)", "code")]
    receipt, authorized = params.text("receipt"), params.flag("authorized")
    if receipt is not None:
        only.append(("link IN (SELECT id FROM link WHERE reference = ?)", receipt))
    if authorized is not None:
        held = "(SELECT count(*) FROM payment WHERE payment.intent = intent.id AND state = 'authorized')"
        only.append((f"({held} > 0) = ?", authorized))
    return _shown(books, params, Intent, only, objects.order)


def payments(books: Books, params: Params) -> Object:
    return _shown(books, params, Payment, [], objects.payment)


def payments_of_code(books: Books, params: Params, link: Link) -> Object:
    return _shown(books, params, Payment, [("link = ?", link.id)], objects.payment)


def payments_of_order(books: Books, params: Params, order: Intent) -> Object:
    """All of them, failed ones too; this list has no pages."""
    params.done()
    return collection([objects.payment(books, payment) for payment in books.payments_of_intent(order)])


def refunds(books: Books, params: Params) -> Object:
    return _shown(books, params, Refund, [], objects.refund)


def refunds_of_payment(books: Books, params: Params, payment: Payment) -> Object:
    return _shown(books, params, Refund, [("payment = ?", payment.id)], objects.refund)


def disputes(books: Books, params: Params) -> Object:
    return _shown(books, params, Dispute, [], objects.dispute)


def settlements(books: Books, params: Params) -> Object:
    return _shown(books, params, Payout, [], objects.settlement)


def recon(books: Books, params: Params) -> Object:
    """What was settled on one day, or in one month, of Indian Standard Time: oldest first."""
    count, skip = _window(params, MOST_RECON_ROWS)
    begins, ends = _days(params)
    if books.lists_until is not None:
        ends = min(ends, int(books.lists_until) + 1)
    params.done()
    where = (
        "WHERE account = ? AND kind != 'payout' AND payout IN"
        " (SELECT id FROM payout WHERE account = ? AND created >= ? AND created < ?) ORDER BY seq LIMIT ? OFFSET ?"
    )
    own = books.account.id
    entries = books.tx.many(Entry, where, own, own, begins, ends, count, skip)
    return collection(
        [objects.recon_row(books, entry, books.get(Payout, str(entry.payout))) for entry in entries],
    )


def _days(params: Params) -> tuple[int, int]:
    """The first second of the day or month, and the first one after it."""
    year, month, day = (params.integer(field) for field in ("year", "month", "day"))
    if year is None or month is None:
        raise params.missing("year" if year is None else "month")
    if not (2000 <= year <= 2100 and 1 <= month <= 12):
        raise params.wrong("month" if 2000 <= year <= 2100 else "year", "is out of bounds.")
    length = calendar.monthrange(year, month)[1]
    if day is not None and not 1 <= day <= length:
        raise params.wrong("day", "is out of bounds.")
    begins = calendar.timegm((year, month, day or 1, 0, 0, 0)) - IST_S
    return begins, begins + (DAY_S if day is not None else length * DAY_S)
