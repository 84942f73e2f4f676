"""`expand[]`: replacing an id by the object it names, along a path, as Stripe does. Renders, decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pos.sandbox import stripe_objects
from pos.sandbox.books import Books
from pos.sandbox.front import ApiError
from pos.sandbox.records import Dispute, Entry, Intent, Link, Payment, Payout, Refund
from pos.sandbox.stripe_errors import invalid

DEEPEST = 4  # levels, Stripe's own bound
MOST_PATHS = 20
Object = dict[str, Any]

_BY_PREFIX: dict[str, Callable[[Books, str], Object]] = {
    "pi": lambda books, ref: stripe_objects.intent(books, books.get(Intent, ref)),
    "ch": lambda books, ref: stripe_objects.charge(books, books.get(Payment, ref)),
    "py": lambda books, ref: stripe_objects.charge(books, books.get(Payment, ref)),
    "re": lambda books, ref: stripe_objects.refund(books, books.get(Refund, ref)),
    "txn": lambda books, ref: stripe_objects.balance_transaction(books, books.get(Entry, ref)),
    "po": lambda books, ref: stripe_objects.payout(books, books.get(Payout, ref)),
    "dp": lambda books, ref: stripe_objects.dispute(books, books.get(Dispute, ref)),
}
_FOLLOWED = {
    "checkout.session": {"payment_intent"},
    "payment_intent": {"latest_charge"},
    "charge": {"balance_transaction", "payment_intent", "failure_balance_transaction"},
    "refund": {"balance_transaction", "charge", "payment_intent", "failure_balance_transaction"},
    "balance_transaction": {"source"},
    "payout": {"balance_transaction", "failure_balance_transaction"},
    "dispute": {"charge", "payment_intent"},
}


def refunds_of(books: Books, charge_id: str) -> Object:
    rows = books.refunds_of(books.get(Payment, charge_id))
    data = [stripe_objects.refund(books, refund) for refund in rows[:10]]
    return {"object": "list", "data": data, "has_more": len(rows) > 10, "url": f"/v1/charges/{charge_id}/refunds"}


_INCLUDED: dict[tuple[str, str], Callable[[Books, str], Object]] = {
    ("charge", "refunds"): refunds_of,
    ("checkout.session", "line_items"): lambda books, ref: stripe_objects.line_items(books, books.get(Link, ref)),
}


def expand(books: Books, made: Object, paths: list[str]) -> Object:
    """`made`, with the paths followed; a list takes paths that begin with `data`.

    Raises:
        ApiError: a path that leads nowhere, is too deep, or there are too many.
    """
    if len(paths) > MOST_PATHS:
        raise invalid(f"You can expand at most {MOST_PATHS} properties.", param="expand")
    for path in paths:
        parts = path.split(".")
        if len(parts) > DEEPEST + (1 if parts[0] == "data" else 0):
            raise invalid(f"You cannot expand more than {DEEPEST} levels of a property ({path}).", param="expand")
        _follow(books, made, parts, path)
    return made


def _follow(books: Books, here: Object, parts: list[str], path: str) -> None:
    name, rest = parts[0], parts[1:]
    if here.get("object") == "list":
        _follow_list(books, here, parts, path)
        return
    kind = str(here.get("object"))
    if (kind, name) in _INCLUDED:
        if not isinstance(here.get(name), dict):
            here[name] = _INCLUDED[kind, name](books, here["id"])
    elif name in _FOLLOWED.get(kind, ()):
        if isinstance(here.get(name), str):
            here[name] = _object(books, here[name], path)
    else:
        raise _nowhere(path)
    if rest and isinstance(here.get(name), dict):
        _follow(books, here[name], rest, path)


def _follow_list(books: Books, here: Object, parts: list[str], path: str) -> None:
    if parts[0] != "data":
        raise _nowhere(path)
    for row in here["data"] if parts[1:] else []:
        _follow(books, row, parts[1:], path)


def _object(books: Books, ref: str, path: str) -> Object:
    render = _BY_PREFIX.get(ref.partition("_")[0])
    if render is None:
        raise _nowhere(path)
    return render(books, ref)


def _nowhere(path: str) -> ApiError:
    return invalid(f"This property cannot be expanded ({path}).", param="expand")
