"""Stripe's lists: newest first, cursors both ways, filters by time. One function per thing that can be listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pos.sandbox import stripe_objects
from pos.sandbox.books import Books
from pos.sandbox.records import Delivery, Dispute, Entry, Event, Intent, Link, Payment, Payout, Refund
from pos.sandbox.store import R
from pos.sandbox.stripe_dialect import API_VERSION
from pos.sandbox.stripe_errors import invalid, missing
from pos.sandbox.stripe_expand import expand
from pos.sandbox.stripe_params import Params

DEFAULT_ROWS = 10
MOST_ROWS = 100
Object = dict[str, Any]
_RANGE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(slots=True)
class Filter:
    """Conditions that all rows of a list meet; the SQL is this package's own, values travel apart."""

    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def add(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values += values

    def equal(self, column: str, value: object) -> None:
        if value is not None:
            self.add(f"{column} = ?", value)

    def between(self, column: str, params: Params, name: str) -> None:
        """A point in time, or `[gt] [gte] [lt] [lte]`."""
        if isinstance(params.raw(name), str):
            self.equal(column, params.integer(name))
            return
        bounds = params.sub(name)
        for word, sign in _RANGE.items():
            value = bounds.integer(word)
            if value is not None:
                self.add(f"{column} {sign} ?", value)
        bounds.done()


def page(
    books: Books, params: Params, record: type[R], only: Filter, render: Callable[[Books, R], Object]
) -> tuple[list[Object], bool]:
    """One page of records, newest first, and whether there is more in the direction asked for."""
    limit = params.integer("limit")
    limit = DEFAULT_ROWS if limit is None else limit
    if not 1 <= limit <= MOST_ROWS:
        raise invalid(f"Invalid limit: must be between 1 and {MOST_ROWS}", param="limit")
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise invalid("You cannot parameterize both starting_after and ending_before.", param="ending_before")
    only.equal("account", books.account.id)
    if books.lists_until is not None:
        only.add("created <= ?", books.lists_until)
    if after:
        only.add("seq < ?", _cursor(books, record, after, "starting_after"))
    if before:
        only.add("seq > ?", _cursor(books, record, before, "ending_before"))
    where = f"WHERE {' AND '.join(only.conditions)} ORDER BY seq {'ASC' if before else 'DESC'} LIMIT ?"
    rows = books.tx.many(record, where, *only.values, limit + 1)
    shown = rows[:limit]
    if before:
        shown.reverse()
    return [render(books, row) for row in shown], len(rows) > limit


def _cursor(books: Books, record: type[R], cursor: str, param: str) -> int:
    found = books.find(record, cursor)
    if found is None:
        raise missing(record.TABLE, cursor, param)
    return int(found.seq)  # type: ignore[attr-defined]


def listed(
    books: Books, params: Params, record: type[R], only: Filter, render: Callable[[Books, R], Object], url: str
) -> Object:
    """A list object, expanded."""
    paths = params.words("expand")
    data, has_more = page(books, params, record, only, render)
    params.done()
    return expand(books, {"object": "list", "data": data, "has_more": has_more, "url": url}, paths)


# -- what can be listed ------------------------------------------------------------------------------------------------


def sessions(books: Books, params: Params) -> Object:
    only = Filter()
    only.between("created", params, "created")
    only.equal("state", params.choice("status", "open", "complete", "expired"))
    intent = params.text("payment_intent")
    if intent:
        if books.find(Intent, intent) is None:
            raise missing("intent", intent, "payment_intent")
        only.add("id = (SELECT link FROM intent WHERE id = ?)", intent)
    return listed(books, params, Link, only, stripe_objects.session, "/v1/checkout/sessions")


def intents(books: Books, params: Params) -> Object:
    only = Filter()
    only.between("created", params, "created")
    return listed(books, params, Intent, only, stripe_objects.intent, "/v1/payment_intents")


def charges(books: Books, params: Params) -> Object:
    only = Filter()
    only.between("created", params, "created")
    only.equal("intent", _known(books, params, Intent, "payment_intent"))
    return listed(books, params, Payment, only, stripe_objects.charge, "/v1/charges")


def refunds(books: Books, params: Params) -> Object:
    only = _of_payment(books, params)
    return listed(books, params, Refund, only, stripe_objects.refund, "/v1/refunds")


def disputes(books: Books, params: Params) -> Object:
    only = _of_payment(books, params)
    return listed(books, params, Dispute, only, stripe_objects.dispute, "/v1/disputes")


def _of_payment(books: Books, params: Params) -> Filter:
    only = Filter()
    only.between("created", params, "created")
    only.equal("payment", _known(books, params, Payment, "charge"))
    intent = _known(books, params, Intent, "payment_intent")
    if intent:
        only.add("payment IN (SELECT id FROM payment WHERE intent = ?)", intent)
    return only


def _known(books: Books, params: Params, record: type[Payment] | type[Intent] | type[Payout], name: str) -> str | None:
    value = params.text(name)
    if value and books.find(record, value) is None:
        raise missing(record.TABLE, value, name)
    return value


def balance_transactions(books: Books, params: Params) -> Object:
    only = Filter()
    only.between("created", params, "created")
    only.equal("currency", params.text("currency"))
    only.equal("source", params.text("source"))
    only.equal("payout", _known(books, params, Payout, "payout"))
    wanted = params.text("type")
    if wanted:
        pairs = stripe_objects.entry_kinds(wanted)
        by_card = [kind for kind, card in pairs if card]
        others = [kind for kind, card in pairs if not card]
        carded, other = (", ".join("?" * len(kinds)) for kinds in (by_card, others))
        card = "method IN ('card', '')"
        only.add(f"(({card} AND kind IN ({carded})) OR (NOT {card} AND kind IN ({other})))", *by_card, *others)
    return listed(books, params, Entry, only, stripe_objects.balance_transaction, "/v1/balance_transactions")


def payouts(books: Books, params: Params) -> Object:
    only = Filter()
    only.between("created", params, "created")
    only.between("created", params, "arrival_date")
    if params.choice("status", "paid", "pending", "in_transit", "canceled", "failed") not in (None, "paid"):
        only.add("1 = 0")  # the sandbox pays out at once
    return listed(books, params, Payout, only, stripe_objects.payout, "/v1/payouts")


def events(books: Books, params: Params) -> Object:
    only = Filter()
    only.between("created", params, "created")
    wanted = [*params.words("types"), *filter(None, [params.text("type")])]
    if wanted:
        only.add("(" + " OR ".join(["type GLOB ?"] * len(wanted)) + ")", *wanted)
    return listed(books, params, Event, only, event, "/v1/events")


def event(books: Books, record: Event) -> Object:
    waiting = books.tx.many(Delivery, "WHERE event = ? AND state = 'pending'", record.id)
    return stripe_objects.event(record, len(waiting), API_VERSION)
