"""Tenders: money taken in another way than by link. Negative amounts give back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    CASH = "cash"
    TERMINAL = "terminal"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Tender:
    """Money in (positive) or given back (negative). `attempt_id` binds a payment accepted by hand to its attempt;

    `payment` binds money given back (negative) to the payment that it came by and cannot go back to; `purpose` is then
    that of a refund, undo or return, and `replaces` names the refunds that failed and that it makes good, separated by
    spaces. `given_minor` is what the customer handed over. `return_id`: money given for goods that came back, which
    changes nothing of what the sale kept.
    """

    id: str
    order_id: str
    method: Method
    amount_minor: int
    currency: str
    at_ms: int
    given_minor: int = 0
    rounding_minor: int = 0
    attempt_id: str = ""
    payment: str = ""
    actor: str = ""
    reason: str = ""
    till: str = ""
    return_id: str = ""
    purpose: str = ""
    replaces: str = ""


def follows_ms(tenders: Iterable[Tender], now_ms: int, *also: int | None) -> int:
    """`now_ms`, but later than every tender of the order and not before `also`.

    The tills of a shop have clocks of their own: in one order, what came after a tender is not written as before it by
    a till whose clock is behind.
    """
    return max([now_ms, *(t.at_ms + 1 for t in tenders), *(at_ms or 0 for at_ms in also)])


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Money of a link to be given back in another way, because its gateway cannot.

    `payment` "" is the only one that stands so; `amount_minor` None is what a refund failed to give back.
    """

    reason: str
    payment: str = ""
    amount_minor: int | None = None
    method: Method = Method.CASH
