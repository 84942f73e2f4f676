"""Refunds of ours: rows committed before the call. What became of them is read from facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    UNDO = "undo"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Refund:
    """One wish to give money back to the payment it came from. `replaces`: ids of failed refunds that this one

    makes good, separated by spaces.
    """

    id: str
    order_id: str
    gateway: str
    account: str
    payment: str
    amount_minor: int
    currency: str
    purpose: Purpose
    reason: str
    asked_by: str
    approved_by: str
    key: str
    asked_at_ms: int
    return_id: str = ""
    replaces: str = ""
