"""Plain rows that the store keeps or finds, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass

from pos.domain.order import Order
from pos.domain.payment import Attempt


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: str
    pin_hash: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """What the gateway said it is when it was first asked with the present key (`key_print`: digest, never the key)."""

    gateway: str
    account: str
    mode: str
    name: str
    key_print: str


@dataclass(frozen=True, slots=True)
class Cached:
    """The cached money status of an order; the truth is `verdict.fold`, and `books verify` compares."""

    money: str
    kept_minor: int
    captured_minor: int
    refunded_minor: int
    returned_minor: int
    owed_minor: int
    flags: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order as a list needs it, with its cached money."""

    order: Order
    cached: Cached
    attempts: tuple[Attempt, ...]
    methods: tuple[str, ...]
    in_flight: bool


@dataclass(frozen=True, slots=True)
class OrderFilter:
    day: str = ""
    text: str = ""
    lives: tuple[str, ...] = ()
    monies: tuple[str, ...] = ()
    live_only: bool = False
    till: str = ""
    limit: int = 500
    ids: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
