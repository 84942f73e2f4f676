"""The words people read for an order, alone: screens need them before anything is folded; `shown` decides."""

from __future__ import annotations

from enum import StrEnum


class Shown(StrEnum):
    PAID_TWICE = "paid_twice"
    OVERPAID = "overpaid"
    DISPUTED = "disputed"
    RETURNED = "returned"
    REFUNDED = "refunded"
    PART_REFUNDED = "part_refunded"
    PAID = "paid"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    PART_PAID = "part_paid"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    HELD = "held"
    UNPAID = "unpaid"
