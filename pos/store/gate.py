"""Asked at the start of every write: may this program, and this till, still write here? No rules about money.

Two rows answer. `meta.min_writer` is set by the version that changed the schema: an older program beside it may go on
reading. `lease` of `till:<id>` says which copy of a till is the one at work. Its word changes with every renewal, and
each home keeps the newest; a home that was copied (a disk image, a restored backup) knows an older word than the row
holds, whichever of the two renewed last, and stays out while the other is alive. Times are the server's: clocks of
tills differ. A database in the till's own home (SQLite) goes with a copy of it, so there only the version is asked for.
"""

from __future__ import annotations

import secrets
import time
import uuid
from typing import Protocol

from sqlalchemy import Connection, text

from pos.domain.errors import ReadOnly
from pos.domain.matching import Action
from pos.domain.store_port import Problem
from pos.store import tables
from pos.store.repositories.base import Rows
from pos.store.repositories.problems import ProblemRows
from pos.store.repositories.shop import ShopRows

LEVEL = 3
"""Of the schema that this program writes; counts up with every migration."""
MIN_WRITER, MIN_READER = "min_writer", "min_reader"
LEASE_MS = 30_000
RENEW_BEFORE_MS = 20_000
"""A lease with less than this left is renewed by the next write; `pos.sync.presence` sees that there is one."""

_ALL = text(
    "SELECT (SELECT value FROM meta WHERE key = 'min_writer') AS min_writer, lease.owner, lease.until_ms,"
    " CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms"
    " FROM (SELECT 1) AS one LEFT JOIN lease ON lease.name = :name"
)


class Identity(Protocol):
    """What a till's home keeps to be known by."""

    def words(self) -> tuple[str, ...]:
        """The newest word, and the one promised after it; empty at first."""
        ...

    def promise(self, known: str, next_word: str) -> None:
        """Keep both, durably, before `next_word` is written into the books."""
        ...


class Gate:
    """Of one process, for one till. `identity` is None where nobody else can be writing as this till."""

    def __init__(self, till: str, identity: Identity | None = None) -> None:
        self.name = f"till:{till}"
        self._till = till
        self._identity = identity
        self._word = ""

    def pass_through(self, connection: Connection) -> None:
        """At the start of a write, under the lock of all writes.

        Raises:
            ReadOnly: a newer version has changed the books, or another copy of this till is at work.
        """
        if self._identity is None or connection.dialect.name == "sqlite":
            _check_version(ShopRows(connection).meta(MIN_WRITER))
            return
        row = connection.execute(_ALL, {"name": self.name}).one()
        _check_version(row.min_writer)
        left_ms = (row.until_ms or 0) - row.now_ms
        if row.owner != self._word or left_ms < RENEW_BEFORE_MS:
            self._renew(connection, row.owner, left_ms, row.now_ms)

    def _renew(self, connection: Connection, owner: str | None, left_ms: int, now_ms: int) -> None:
        assert self._identity is not None
        ours = owner in self._identity.words()
        if owner is not None and not ours and left_ms > 0:
            raise InUseElsewhere(self._till)
        if ours and left_ms >= RENEW_BEFORE_MS:  # another program of this very home has renewed it
            self._word = owner or ""
            return
        self._word = secrets.token_hex(16)
        self._identity.promise(owner or "", self._word)
        _Leases(connection).put(self.name, self._word, now_ms + LEASE_MS)


class InUseElsewhere(ReadOnly):
    """Another copy of this till, live."""

    def __init__(self, till: str) -> None:
        self.till = till
        hint = "Close the other one, or give this one an id of its own: `[till] id` in settings.toml."
        super().__init__(f"Till {till} is in use on another machine.", hint)


def _check_version(min_writer: str | None) -> None:
    if min_writer is not None and int(min_writer) > LEVEL:
        raise ReadOnly("Update needed.", "A newer version of Truetill keeps these books; this one may only read them.")


class _Leases(Rows):
    def put(self, name: str, owner: str, until_ms: int) -> None:
        self._put(tables.lease, {"name": name, "owner": owner, "until_ms": until_ms})


def raise_alarm(connection: Connection, found: InUseElsewhere) -> None:
    """M22, for the whole shop, once while it is open."""
    rows, now_ms = ProblemRows(connection), time.time_ns() // 1_000_000
    subject = f"till:{found.till}"
    known = next((p for p in rows.of_order("") if (p.code, p.subject) == ("M22", subject)), None)
    if known is None:
        rows.put(Problem(str(uuid.uuid4()), "", "M22", subject, Action.INVESTIGATE, 0, now_ms))
    elif known.closed_at_ms is not None:
        rows.reopen(known.id, now_ms, Action.INVESTIGATE, 0)
