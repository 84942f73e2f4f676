"""What the services need from the till's database. A transaction is a plain function: it cannot await.

`store.write(fn)` runs `fn(tx)` in the one writer, in one transaction, synced to disk before it returns;
`store.read(fn)` runs it on a read-only snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pos.domain.basket import Line
from pos.domain.cash import Tender
from pos.domain.catalogue import Product
from pos.domain.errors import ReadOnly
from pos.domain.facts import Fact, Sighting
from pos.domain.joins import Bundle
from pos.domain.journal import Entry
from pos.domain.movement import Effect, ZEntry
from pos.domain.order import Order
from pos.domain.payment import Attempt
from pos.domain.plan import Plan
from pos.domain.ports import PreparedCall
from pos.domain.refund import Refund
from pos.domain.returning import Return
from pos.domain.rows import Account, Cached, OrderFilter, OrderLine, Person

T = TypeVar("T")


CALL_AHEAD_MS = 3_600_000
"""No call or hint waits so long, and nobody holds one so long: what says so is from before the clock was set back."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A call that is to be made: exact bytes, who holds it, when it may go. `state`: ready, done, dead."""

    id: str
    order_id: str
    attempt_id: str
    refund_id: str
    account: str
    call: PreparedCall
    made_at_ms: int
    send_by_ms: int | None
    next_at_ms: int
    state: str = "ready"
    owner: str = ""
    lease_until_ms: int = 0
    tries: int = 0

    def is_held(self, now_ms: int) -> bool:
        """Somebody may be sending it just now. A claim lets its own process in again: who must not asks this first."""
        return bool(self.owner) and now_ms <= self.lease_until_ms <= now_ms + CALL_AHEAD_MS

    def is_due(self, now_ms: int) -> bool:
        return not now_ms < self.next_at_ms <= now_ms + CALL_AHEAD_MS


@dataclass(frozen=True, slots=True)
class CallLog:
    """One line of what was asked and what came, or did not come; no fact, but part of the timeline."""

    order_id: str
    attempt_id: str
    at_ms: int
    operation: str
    source: str
    outcome: str
    message: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """An exception row: something a person must decide, or has decided."""

    id: str
    order_id: str
    code: str
    subject: str
    action: str
    amount_minor: int
    opened_at_ms: int
    closed_at_ms: int | None = None
    closed_by: str = ""
    resolution: str = ""
    gateway: str = ""
    payment: str = ""


@dataclass(frozen=True, slots=True)
class Parked:
    """A payment without an order here: orphan, another (shop or till of ours), foreign."""

    gateway: str
    account: str
    mode: str
    payment: str
    owner: str
    kind: str
    amount_minor: int
    currency: str
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class Touch:
    """What a fact may change: `orders` here by their ids; `owner` is the one that the fact's payment belongs to, or "".

    They are more than one where bindings disagree: who had the payment before must learn that it has it no more.
    """

    orders: frozenset[str]
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """A reason to ask the gateway, kept until that succeeded."""

    id: str
    gateway: str
    kind: str
    link: str
    payment: str
    refund: str
    reference: str
    received_at_ms: int
    tries: int = 0
    next_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class SweepRun:
    id: str
    gateway: str
    from_ms: int
    to_ms: int
    started_at_ms: int
    ended_at_ms: int | None = None
    complete: bool = False
    rows: int = 0
    corrected: int = 0
    duplicates: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Healed:
    """An order that a report or a probe corrected by itself: M02 (to paid) or M03 (to closed or failed)."""

    order_id: str
    code: str
    gateway: str
    at_ms: int
    source: str


@dataclass(frozen=True, slots=True)
class Shift:
    id: str
    till: str
    no: int
    opened_at_ms: int
    opened_by: str
    float_minor: int
    closed_at_ms: int | None = None
    closed_by: str = ""
    counted_minor: int | None = None


@dataclass(frozen=True, slots=True)
class ZReport:
    """A closed shift (Z) or a closed day; `body` is JSON text, `hash` covers it and the hash before."""

    id: str
    scope: str
    no: int
    day: str
    at_ms: int
    by: str
    body: str
    previous: str
    hash: str


class Orders(Protocol):
    def lock(self, order_id: str) -> Order:
        """The order, its row locked until commit. Raises NotFound."""
        ...

    def lock_all(self, order_ids: Collection[str]) -> list[Order]:
        """The orders in the order of their ids, their rows locked in that order until commit. Raises NotFound."""
        ...

    def get(self, order_id: str) -> Order | None: ...
    def by_key(self, key: str) -> Order | None: ...
    def by_number(self, number: str) -> Order | None: ...
    def next_number(self, till: str) -> str: ...
    def insert(self, order: Order) -> None: ...
    def update(self, order: Order) -> Order:
        """Store life, revision, total and so on; the order with its new version."""
        ...

    def set_lines(self, order: Order, lines: Sequence[Line], *, tax_included: bool) -> None: ...
    def freeze(self, order_id: str, revision: int, at_ms: int) -> None: ...
    def tax_included(self, order_id: str) -> bool: ...
    def cache(self, changes: Mapping[str, Cached]) -> None:
        """Cache the money of orders, by their ids; each gets a version and a touch of its own, in this order."""
        ...

    def cached(self, order_ids: Collection[str]) -> dict[str, Cached]: ...
    def lines_of(self, where: OrderFilter) -> list[OrderLine]: ...
    def ids(self) -> list[str]: ...


class Attempts(Protocol):
    def insert(self, attempt: Attempt) -> None: ...
    def update(self, attempt: Attempt) -> None:
        """Raises Broken when the phase may not follow the stored one."""
        ...

    def update_all(self, attempts: Collection[Attempt]) -> None: ...
    def get(self, attempt_id: str) -> Attempt | None: ...
    def of_order(self, order_id: str) -> list[Attempt]: ...
    def owners(self, links: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Which order each (gateway, link) is of; those of none here are left out."""
        ...

    def by_link(self, gateway: str, link_id: str) -> Attempt | None: ...
    def by_reference(self, reference: str) -> Attempt | None: ...
    def newest_links(self, gateway: str, mode: str) -> list[tuple[str, str]]:
        """(account, id of the last link that was made there), the account that was used last first."""
        ...

    def due(self, now_ms: int, limit: int, till: str) -> list[Attempt]: ...
    def next_due_ms(self, till: str) -> int | None: ...
    def unsettled(self, gateway: str) -> int:
        """Attempts there that are live, or were given up and may still be paid."""
        ...


class Facts(Protocol):
    def add(self, facts: Sequence[Fact], sighting: Sighting) -> list[Fact]:
        """Insert what is new, sight everything; returns the new ones."""
        ...

    def touched_by(self, facts: Sequence[Fact]) -> list[Touch]:
        """What each of these facts may change, by all that is known now."""
        ...

    def bundle(self, order_id: str, locked: Order | None = None) -> Bundle:
        """Everything known of an order; `locked` is its row where the caller holds its lock."""
        ...

    def bundles(self, orders: Sequence[Order]) -> list[Bundle]:
        """Everything known of these orders, in this order."""
        ...

    def of_payments(self, payments: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Fact]]:
        """What is known of each (gateway, payment) and of what is bound to it, in the order in which it came."""
        ...

    def unbound(self, gateway: str, payments: Sequence[str]) -> list[str]:
        """Of these payments, those that no binding is known for and that were never asked for by themselves."""
        ...

    def timeline(self, order_id: str) -> list[tuple[Fact, Sighting]]: ...
    def park(self, parked: Sequence[Parked]) -> None: ...
    def unpark(self, payments: Collection[tuple[str, str]]) -> None:
        """Of each (gateway, payment): it has an order now, or never needed one."""
        ...

    def parked(self, from_ms: int | None = None, to_ms: int | None = None) -> list[Parked]: ...
    def in_window(self, gateway: str, from_ms: int, to_ms: int) -> list[Fact]: ...
    def refunds_pending(self, gateway: str) -> int:
        """Refunds that the gateway has taken and neither paid out nor failed."""
        ...

    def last_webhook_ms(self, gateway: str) -> int | None:
        """When the relay last led us to something at this gateway."""
        ...

    def all(self) -> list[tuple[Fact, int]]: ...
    def sightings(self) -> list[tuple[str, Sighting]]: ...


class MoneyRows(Protocol):
    """Tenders, refunds, effects, Z entries: the till's own money rows."""

    def add_tender(self, tender: Tender) -> None: ...
    def tenders(self, order_id: str = "") -> list[Tender]: ...
    def add_refund(self, refund: Refund) -> None: ...
    def refund(self, refund_id: str) -> Refund | None: ...
    def refunds(self, order_id: str = "") -> list[Refund]: ...
    def effects_twice(self) -> list[tuple[str, str, str]]:
        """(order, effect, subject) that stand there more than once."""
        ...

    def add_effects(self, effects: Sequence[Effect]) -> None:
        """Each once: what was done before stays as it is."""
        ...

    def enter(self, entries: Sequence[ZEntry]) -> None:
        """Movements for the next Z, each once."""
        ...

    def entries(self, *, open_only: bool, till: str = "", z_id: str = "") -> list[ZEntry]: ...
    def entered(self, movements: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these (kind, subject) were noted before, in whichever Z."""
        ...

    def put_in_z(self, z_id: str, till: str) -> int: ...


class Plans(Protocol):
    def add(self, plan: Plan) -> None: ...
    def last(self, order_id: str) -> Plan | None:
        """The last plan of an order, whether it still stands or not."""
        ...

    def all(self, order_id: str = "") -> list[Plan]: ...
    def total_of(self, order_id: str, revision: int) -> int | None:
        """What a revision of an order comes to, in minor units; None where there is none of this number."""
        ...


class Returns(Protocol):
    """Credit notes; only added."""

    def next_number(self, till: str) -> str:
        """`<till>-R<five digits>`, without gaps: the counter moves with the transaction that writes the note."""
        ...

    def add(self, note: Return) -> None: ...
    def of_order(self, order_id: str) -> list[Return]: ...
    def by_key(self, key: str) -> Return | None: ...
    def by_number(self, number: str) -> Return | None: ...
    def all(self, day: str = "") -> list[Return]:
        """Of a business day, or of all days; in the order of their numbers."""
        ...


class Problems(Protocol):
    def of_order(self, order_id: str) -> list[Problem]: ...
    def of_orders(self, order_ids: Collection[str]) -> dict[str, list[Problem]]: ...
    def put(self, problem: Problem) -> None: ...
    def put_all(self, problems: Sequence[Problem]) -> None: ...
    def close(self, problem_id: str, at_ms: int, by: str, resolution: str) -> None: ...
    def reopen(self, problem_id: str, at_ms: int, action: str, amount_minor: int) -> None: ...
    def get(self, problem_id: str) -> Problem | None: ...
    def listed(self, *, open_only: bool) -> list[Problem]: ...
    def heal(self, healed: Sequence[Healed]) -> None: ...
    def healed(self, from_ms: int, to_ms: int) -> list[Healed]: ...


class Outbox(Protocol):
    def put(self, row: Outgoing) -> None: ...
    def claim(self, row_id: str, owner: str, now_ms: int, lease_ms: int) -> Outgoing | None:
        """Take a ready row, if nobody holds it; conditional update."""
        ...

    def due(self, now_ms: int, limit: int) -> list[Outgoing]: ...
    def of_attempt(self, attempt_id: str, operation: str) -> Outgoing | None: ...
    def of_call(self, attempt_id: str, call: PreparedCall) -> Outgoing | None:
        """The row of exactly this call of an attempt."""
        ...

    def of_refund(self, refund_id: str) -> Outgoing | None: ...
    def refunds_waiting(self, gateway: str) -> int:
        """Refund calls that were not answered yet."""
        ...

    def finish(self, row_id: str, state: str) -> None: ...
    def again(self, row_id: str, next_at_ms: int) -> None: ...
    def log(self, line: CallLog) -> None: ...
    def calls(self, order_id: str = "") -> list[CallLog]: ...


class SyncRows(Protocol):
    def put_hint(self, hint: Hint) -> None: ...
    def hints(self, now_ms: int, limit: int) -> list[Hint]: ...
    def claim_hint(self, hint: Hint, next_at_ms: int) -> bool:
        """Put off when it is asked next; True unless another process did so since `hint` was read, or it is gone."""
        ...

    def drop_hint(self, hint_id: str) -> None: ...
    def cursor(self) -> str:
        """Of this till: each listens for itself."""
        ...

    def set_cursor(self, cursor: str) -> None: ...
    def furthest_cursor(self) -> str:
        """The furthest place of this till in the epoch that it is in."""
        ...

    def watermark(self, gateway: str) -> int | None: ...
    def set_watermark(self, gateway: str, at_ms: int) -> None: ...
    def put_run(self, run: SweepRun) -> None: ...
    def last_run(self, gateway: str = "", *, complete: bool = False) -> SweepRun | None:
        """The newest, of all gateways or one; `complete`: that ended with every page read."""
        ...

    def first_order_ms(self) -> int | None: ...
    def reached_back_ms(self, gateway: str, since_ms: int) -> int | None: ...
    def touched_since(self, touch: int, limit: int) -> tuple[list[tuple[str, int]], int]:
        """(id, version) of orders that any process changed after a touch, the last first; and the newest touch."""
        ...

    def take_lease(self, name: str, owner: str, now_ms: int, lease_ms: int) -> bool: ...


class Days(Protocol):
    def open_shift(self, till: str) -> Shift | None: ...
    def put_shift(self, shift: Shift) -> None: ...
    def shifts(self) -> list[Shift]: ...
    def last_shift_no(self, till: str) -> int: ...
    def put_z(self, report: ZReport) -> None: ...
    def zs(self, scope: str = "") -> list[ZReport]: ...
    def last_z(self, scope: str) -> ZReport | None: ...


class Shop(Protocol):
    """The shop itself: settings kept in the books, products, people, gateway accounts."""

    def meta(self, key: str) -> str | None: ...
    def set_meta(self, key: str, value: str) -> None: ...
    def products(self) -> list[Product]: ...
    def put_products(self, products: Sequence[Product]) -> None: ...
    def product(self, code: str) -> Product | None: ...
    def people(self) -> list[Person]: ...
    def put_person(self, person: Person) -> None: ...
    def account(self, gateway: str) -> Account | None: ...
    def put_account(self, account: Account) -> None: ...


class JournalRows(Protocol):
    def append(self, at_ms: int, actor: str, act: str, subject: str, body: dict[str, Any]) -> None: ...
    def append_all(self, at_ms: int, actor: str, act: str, lines: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """One act on several subjects: a line for each (subject, body)."""
        ...

    def entries(self, till: str = "") -> list[Entry]: ...
    def knows(self, till: str) -> bool:
        """Whether this till has ever written here."""
        ...

    def of_subject(self, subject: str) -> list[Entry]: ...


class Tx(Protocol):
    """One transaction; its repositories live as long as it does."""

    @property
    def orders(self) -> Orders: ...
    @property
    def attempts(self) -> Attempts: ...
    @property
    def facts(self) -> Facts: ...
    @property
    def money(self) -> MoneyRows: ...
    @property
    def plans(self) -> Plans: ...
    @property
    def returns(self) -> Returns: ...
    @property
    def problems(self) -> Problems: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def sync(self) -> SyncRows: ...
    @property
    def days(self) -> Days: ...
    @property
    def shop(self) -> Shop: ...
    @property
    def journal(self) -> JournalRows: ...


class Store(Protocol):
    @property
    def trouble(self) -> ReadOnly | None:
        """Why these books may only be read here, as the last write found; None when it was written."""
        ...

    async def write(self, fn: Callable[[Tx], T]) -> T: ...
    async def read(self, fn: Callable[[Tx], T]) -> T: ...
