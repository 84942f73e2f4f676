"""What people were told by a till, and whether its books still say so after it was started again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pos.app.wiring import Till
from pos.domain.payment import SHOWN
from pos.domain.store_port import Tx
from pos.store import tables
from pos.store.engine import Database
from tests.engines import sql

PAYMENT, REFUND = "payment", "refund"
HALVES = {
    "orders without their lines": "SELECT o.number FROM orders o LEFT JOIN revision r ON r.order_id = o.id"
    " AND r.revision = o.revision WHERE r.order_id IS NULL OR r.total_minor <> o.total_minor",
    "lines without an order": "SELECT r.order_id FROM revision r LEFT JOIN orders o ON o.id = r.order_id"
    " WHERE o.id IS NULL",
    "orders that the journal does not know": "SELECT o.number FROM orders o LEFT JOIN journal j ON j.subject = o.id"
    " WHERE j.seq IS NULL",
    "attempts without a call": "SELECT a.reference FROM attempt a LEFT JOIN outbox c ON c.attempt_id = a.id"
    " WHERE c.id IS NULL",
    "calls without an attempt": "SELECT c.id FROM outbox c LEFT JOIN attempt a ON a.id = c.attempt_id"
    " WHERE c.attempt_id <> '' AND a.id IS NULL",
    "refunds without a call": "SELECT r.id FROM refund r LEFT JOIN outbox c ON c.refund_id = r.id WHERE c.id IS NULL",
    "facts without a sighting": "SELECT f.id FROM fact f LEFT JOIN sighting s ON s.fact_id = f.id WHERE s.id IS NULL",
    "sightings without a fact": "SELECT s.id FROM sighting s LEFT JOIN fact f ON f.id = s.fact_id WHERE f.id IS NULL",
    "cash that no Z will hold": "SELECT t.id FROM tender t LEFT JOIN z_entry e ON e.kind = 'tender'"
    " AND e.subject = t.id WHERE e.subject IS NULL",
    "entries of a Z that is not there": "SELECT e.subject FROM z_entry e LEFT JOIN z_report z ON z.id = e.z_id"
    " WHERE e.z_id <> '' AND z.id IS NULL",
}
"""What is written together: where a query finds a row, one half of it is missing."""


@dataclass(frozen=True)
class Promise:
    """`word`: order, link, payment, refund, voided, closed. `thing`: id of the link (also of one that was paid), of the
    refund, or the hash of the Z.
    """

    word: str
    subject: str
    amount_minor: int = 0
    thing: str = ""

    def lost(self) -> str:
        return f"lost: {self.word} {self.subject} {self.amount_minor} {self.thing}".rstrip()

    def line(self) -> bytes:
        return (json.dumps(asdict(self)) + "\n").encode()


def promise_of(line: str | bytes) -> Promise:
    return Promise(**json.loads(line))


@dataclass
class Found:
    """After one restart."""

    lost: list[str]
    half: list[str]
    broken: list[str]

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.half, *self.broken]


@dataclass(frozen=True)
class Standing:
    """What the books say now, by order. `kept` is what people read; that it is the fold of all facts is `verify`'s."""

    orders: dict[str, tuple[int, str]]
    kept: dict[str, int]
    links: set[tuple[str, str]]
    refunds: set[tuple[str, str, int]]
    closed: set[tuple[str, str]]

    @classmethod
    def of(cls, tx: Tx) -> Standing:
        orders = sql(tx, "SELECT id, total_minor, life, kept_minor FROM orders")
        links = sql(tx, "SELECT order_id, link_id, phase FROM attempt WHERE link_id <> ''")
        return cls(
            {row["id"]: (row["total_minor"], row["life"]) for row in orders},
            {row["id"]: row["kept_minor"] for row in orders},
            {(row["order_id"], row["link_id"]) for row in links if row["phase"] in SHOWN},
            {tuple(row.values()) for row in sql(tx, "SELECT order_id, id, amount_minor FROM refund")},
            {tuple(row.values()) for row in sql(tx, "SELECT day, hash FROM z_report WHERE scope = 'day'")},
        )

    def keeps(self, promise: Promise) -> bool:
        total, life = self.orders.get(promise.subject, (-1, ""))
        return {
            "order": total == promise.amount_minor and life in ("placed", "voided"),
            "link": (promise.subject, promise.thing) in self.links,
            PAYMENT: self.kept.get(promise.subject) == promise.amount_minor,
            "refund": (promise.subject, promise.thing, promise.amount_minor) in self.refunds,
            "voided": life == "voided",
            "closed": (promise.subject, promise.thing) in self.closed,
        }[promise.word]


async def examine(till: Till, promises: Sequence[Promise]) -> Found:
    """What was promised and is not there, what is there by half, and what `books verify` says."""
    found = look_for(till.database, promises)
    found.broken += [str(b) for b in await till.books.verify()]
    return found


def look_for(database: Database, promises: Sequence[Promise]) -> Found:
    """As `examine`, without the books' own checks."""
    standing, half = database.read_now(lambda tx: (Standing.of(tx), halves(tx)))
    return Found([promise.lost() for promise in promises if not standing.keeps(promise)], half, [])


def halves(tx: Tx) -> list[str]:
    found = []
    for what, query in HALVES.items():
        rows = sql(tx, query)
        found += [f"half-written: {what}: {', '.join(str(next(iter(row.values()))) for row in rows)}"] if rows else []
    return found


def digest(database: Path) -> str:
    """Of all that SQLite books say, row by row: two commits never leave the same."""
    with_rows = hashlib.sha256()
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        connection.execute("BEGIN")
        for table in tables.metadata.sorted_tables:
            rows = connection.execute(f'SELECT * FROM "{table.name}" ORDER BY rowid').fetchall()
            with_rows.update(repr((table.name, rows)).encode())
    finally:
        connection.close()
    return with_rows.hexdigest()
