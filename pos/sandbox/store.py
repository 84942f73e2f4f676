"""The bank's file: schema, one connection, one transaction at a time, on disk before anybody is told.

No rule about money lives here, and no gateway's words.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from pos.domain.errors import Broken

VERSION = 2
LOCKED_AFTER_S = 1.0  # somebody else has the file

SCHEMA = """
CREATE TABLE account (
    id TEXT PRIMARY KEY, dialect TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE api_key (
    digest TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES account(id), source TEXT NOT NULL);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE link (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account(id),
    created INTEGER NOT NULL, amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'complete', 'expired')), expires_at INTEGER NOT NULL,
    reference TEXT, title TEXT NOT NULL, success_url TEXT NOT NULL, cancel_url TEXT,
    manual_capture INTEGER NOT NULL, metadata TEXT NOT NULL, payment_metadata TEXT NOT NULL, details TEXT NOT NULL);
CREATE INDEX link_of_account ON link(account, seq);
CREATE INDEX link_due ON link(expires_at) WHERE state = 'open';
CREATE INDEX link_reference ON link(account, reference);
CREATE TABLE intent (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account(id),
    created INTEGER NOT NULL, link TEXT NOT NULL REFERENCES link(id), amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, canceled_at INTEGER, forced INTEGER NOT NULL, metadata TEXT NOT NULL);
CREATE INDEX intent_of_link ON intent(link, seq);
CREATE TABLE payment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account(id),
    created INTEGER NOT NULL, intent TEXT NOT NULL REFERENCES intent(id), link TEXT NOT NULL REFERENCES link(id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), captured_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, method TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'failed', 'authorized', 'voided', 'captured')),
    captured_at INTEGER, failure_code TEXT, entry TEXT, forced INTEGER NOT NULL,
    settles_at REAL, settles_as TEXT, metadata TEXT NOT NULL,
    CHECK (captured_minor BETWEEN 0 AND amount_minor));
-- Two phones, one charge: whatever the pages do, a link has at most one payment that counts or may still count.
CREATE UNIQUE INDEX one_live_payment ON payment(link)
    WHERE state IN ('pending', 'authorized', 'captured') AND forced = 0;
CREATE INDEX payment_of_account ON payment(account, seq);
CREATE INDEX payment_of_intent ON payment(intent, seq);
CREATE INDEX payment_due ON payment(settles_at) WHERE settles_at IS NOT NULL;
CREATE TABLE refund (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account(id),
    created INTEGER NOT NULL, payment TEXT NOT NULL REFERENCES payment(id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')), reason TEXT, failure_reason TEXT,
    entry TEXT, failure_entry TEXT, settles_at REAL, settles_as TEXT, metadata TEXT NOT NULL);
CREATE INDEX refund_of_payment ON refund(payment, seq);
CREATE INDEX refund_due ON refund(settles_at) WHERE settles_at IS NOT NULL;
CREATE TABLE dispute (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account(id),
    created INTEGER NOT NULL, payment TEXT NOT NULL REFERENCES payment(id), amount_minor INTEGER NOT NULL,
    fee_minor INTEGER NOT NULL, currency TEXT NOT NULL, reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'won', 'lost')), entry TEXT NOT NULL, reversal_entry TEXT);
CREATE INDEX dispute_of_payment ON dispute(payment);
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account(id),
    created INTEGER NOT NULL, kind TEXT NOT NULL, amount_minor INTEGER NOT NULL, fee_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, source TEXT NOT NULL, method TEXT NOT NULL, available_at INTEGER NOT NULL, payout TEXT);
CREATE INDEX entry_of_account ON entry(account, seq);
CREATE TABLE payout (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account(id),
    created INTEGER NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, entry TEXT NOT NULL);
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account(id),
    created INTEGER NOT NULL, type TEXT NOT NULL, object TEXT NOT NULL, request TEXT, request_key TEXT);
CREATE INDEX event_of_account ON event(account, seq);
CREATE TABLE endpoint (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account(id),
    created INTEGER NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL, source TEXT NOT NULL,
    enabled INTEGER NOT NULL);
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, event TEXT NOT NULL REFERENCES event(id),
    endpoint TEXT NOT NULL REFERENCES endpoint(id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dropped', 'given_up')),
    tries INTEGER NOT NULL, next_at REAL NOT NULL, met_faults INTEGER NOT NULL, last_status INTEGER);
CREATE INDEX delivery_due ON delivery(next_at) WHERE state = 'pending';
CREATE INDEX delivery_of_event ON delivery(event);
CREATE TABLE answer (
    account TEXT NOT NULL, key TEXT NOT NULL, target TEXT NOT NULL, digest TEXT NOT NULL, created INTEGER NOT NULL,
    status INTEGER NOT NULL, body TEXT NOT NULL, request TEXT NOT NULL, PRIMARY KEY (account, key));
CREATE TABLE fault (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, operation TEXT NOT NULL, kind TEXT NOT NULL,
    options TEXT NOT NULL, total INTEGER NOT NULL, remaining INTEGER NOT NULL CHECK (remaining >= 0));
CREATE TABLE page_token (
    token TEXT PRIMARY KEY, link TEXT NOT NULL REFERENCES link(id), created INTEGER NOT NULL, outcome TEXT);
"""

# What later versions added; a new file goes the same way, so that old and new ones cannot differ.
MIGRATIONS = {
    2: """
ALTER TABLE account ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
ALTER TABLE api_key ADD COLUMN name TEXT;
ALTER TABLE api_key ADD COLUMN secret TEXT;
ALTER TABLE link ADD COLUMN kind TEXT NOT NULL DEFAULT 'page';
ALTER TABLE link ADD COLUMN page TEXT;
ALTER TABLE link ADD COLUMN completes TEXT NOT NULL DEFAULT 'accepted';
ALTER TABLE link ADD COLUMN capture_within_s REAL;
ALTER TABLE link ADD COLUMN closed_at INTEGER;
ALTER TABLE link ADD COLUMN close_reason TEXT;
CREATE UNIQUE INDEX link_page ON link(page) WHERE page IS NOT NULL;
ALTER TABLE payment ADD COLUMN authorized_at INTEGER;
ALTER TABLE payment ADD COLUMN closed_at INTEGER;
ALTER TABLE refund ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
ALTER TABLE entry ADD COLUMN tax_minor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN secret TEXT;
""",
}


class Record(Protocol):
    """A frozen dataclass whose fields are the columns of TABLE."""

    TABLE: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]


R = TypeVar("R", bound=Record)
T = TypeVar("T")


@cache
def _columns(record: type[Record]) -> str:
    return ", ".join(column.name for column in dataclasses.fields(record))


class Tx:
    """One open transaction. SQL text comes from this package only; values always travel as parameters."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    def many(self, record: type[R], where: str = "", *values: object) -> list[R]:
        rows = self._connection.execute(f"SELECT {_columns(record)} FROM {record.TABLE} {where}", values)  # noqa: S608
        return [record(*row) for row in rows]

    def one(self, record: type[R], where: str, *values: object) -> R | None:
        found = self.many(record, f"{where} LIMIT 1", *values)
        return found[0] if found else None

    def insert(self, table: str, values: Mapping[str, object]) -> None:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608

    def update(self, record: R, **values: object) -> R:
        """Write the new values of one record, found by its id, and return the record as it now is."""
        names = ", ".join(f"{name} = ?" for name in values)
        self._connection.execute(
            f"UPDATE {record.TABLE} SET {names} WHERE id = ?",  # noqa: S608
            (*values.values(), record.id),  # type: ignore[attr-defined]
        )
        return dataclasses.replace(record, **values)

    def value(self, sql: str, *values: object) -> Any:
        """The first column of the first row, or None."""
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else row[0]


class Store:
    """The file. Used by one thread at a time, and by one process: another is kept out by SQLite's exclusive lock."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it holds the secrets of webhook endpoints
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=LOCKED_AFTER_S)
        try:
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                self._connection.execute(f"PRAGMA {pragma}")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise Broken(f"{path} cannot be opened: {error}.", "Does another sandbox serve this folder?") from None
        try:
            if self._connection.execute("PRAGMA synchronous").fetchone()[0] != 2:
                raise Broken("The bank's file cannot be synced to disk.", "Put --data on a local disk.")
            self._migrate(path)
        except BaseException:
            self._connection.close()
            raise

    def _migrate(self, path: Path) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise Broken(f"{path} was written by a newer version.", "Use that version, or another --data folder.")
        steps = [SCHEMA] if version == 0 else []
        steps += [MIGRATIONS[number] for number in range(max(version, 1) + 1, VERSION + 1)]
        if steps:
            script = "".join(steps)
            self._connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {VERSION}; COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield Tx(self._connection)
            self._connection.execute("COMMIT")  # synchronous = FULL: on disk when this returns
        except BaseException:
            if self._connection.in_transaction:  # SQLite may have rolled back by itself, when the disk is full
                self._connection.execute("ROLLBACK")
            raise

    def write(self, fn: Callable[[Tx], T]) -> T:
        with self.transaction() as tx:
            return fn(tx)

    def read(self, fn: Callable[[Tx], T]) -> T:
        return fn(Tx(self._connection))

    def close(self) -> None:
        self._connection.close()
