"""The database behind `pos.domain.store_port`: one writer thread, read-only readers, settings read back at start."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from pos.domain.errors import Broken, OutcomeUnknown, ReadOnly
from pos.domain.store_port import Tx
from pos.store import postgresql
from pos.store.failures import our_errors
from pos.store.gate import Gate, Identity, InUseElsewhere, raise_alarm
from pos.store.transaction import Transaction

T = TypeVar("T")
Waiting = tuple[Callable[[Tx], Any], Future[Any]]
"""A write, and who waits for it."""
TOGETHER_MAX = 16
TOGETHER_S = 0.05
"""How many writes share a commit, and how long they may take before no other is let in: the first one waits for all.

A page of a report takes some 40 ms of computing and a slow disk's sync 25: two pages share one, and a cashier's write
behind them waits for one sync instead of two.
"""
BUSY_TIMEOUT_MS = 5_000
CHECKPOINT_PAGES = 4_000
"""Pages of 4 KiB in the write-ahead log before they are moved into the file. Each time costs a commit two more syncs of

the disk, and a page of a report writes 400 pages: at SQLite's own 1,000 every third commit was three times as slow.
What is committed is on the disk all the same; the log grows to some 16 MB.
"""
READERS = 2
CLOSE_TIMEOUT_S = 10
WRITE_TRIES = 4
WANTED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}


def make_engine(url: str) -> Engine:
    """An engine whose every connection has the settings that make a commit durable.

    Raises:
        Broken: SQLite did not take a setting (a network share, for instance).
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, connect_args=postgresql.CONNECT_ARGS)
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _prepare_sqlite(connection: Any, _record: object) -> None:
    try:
        _set_up(connection)
    except BaseException:
        connection.close()  # SQLAlchemy lets go of a connection that fails here without closing it
        raise


def _set_up(connection: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: IMMEDIATE for writers
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA recursive_triggers=ON")
    for name, wanted in WANTED.items():
        value = cursor.execute(f"PRAGMA {name}").fetchone()[0]
        if value != wanted:
            raise Broken(
                f"The database does not keep {name}={wanted} (it says {value}).",
                "Keep the till's home on a local disk, not on a network share.",
            )
    cursor.close()


def _begin(connection: Connection) -> None:
    immediate = not connection.get_execution_options().get("reader", False)
    driver: Any = connection.connection.driver_connection  # asked directly: it is done for every read and write
    driver.execute("BEGIN IMMEDIATE" if immediate else "BEGIN")


class Database:
    """`write` runs in one thread, one transaction after the other; `read` on snapshots beside it.

    Writes that wait while another is being made share the next commit, each in its turn, since it is the disk's sync
    that takes time; each sees what those before it wrote. A failed commit raises and nothing of that transaction is
    kept. Errors of the machine become `Broken`.
    """

    def __init__(self, engine: Engine, till: str, identity: Identity | None = None) -> None:
        self._engine = engine
        self._gate = Gate(till, identity)
        self._till = till
        self._reading = _reading(engine)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_loop, name="store-write", daemon=True)
        self._writer.start()
        self.commits = 0
        self.trouble: ReadOnly | None = None
        self.before_commit: Callable[[], None] | None = None
        """Called in the writer just before each commit: benchmarks and crash tests stand here."""
        self.after_commit: Callable[[], None] | None = None

    @property
    def shared(self) -> bool:
        """Whether other machines write here too."""
        return self._engine.dialect.name != "sqlite"

    def examine(self) -> tuple[bool, str]:
        """For `pos doctor`: whether this database keeps what it acknowledges, and what it is.

        SQLite's settings were read back when it was opened.
        """
        if not self.shared:
            return True, "SQLite, a file of this till's own, synced at each commit"
        with our_errors(), self._engine.connect() as connection:
            return postgresql.examine(connection)

    @property
    def engine(self) -> Engine:
        return self._engine

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in the writer; returns once the commit is on disk.

        Raises:
            Broken: disk full, read-only, locked for too long, damaged.
            ReadOnly: a newer version keeps these books, or another copy of this till is at work.
            Unreachable: the server does not answer; nothing was kept.
        OutcomeUnknown: the server went away while it was saving, and does not say what became of it.
        """
        written = asyncio.wrap_future(self.write_later(fn))
        # who waited may be cut off while it is being written: then nobody is left to hear that it failed
        written.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(written)

    def write_later(self, fn: Callable[[Tx], T]) -> Future[T]:
        """As `write`, from any thread."""
        future: Future[T] = Future()
        self._queue.put((fn, future))
        return future

    def write_now(self, fn: Callable[[Tx], T]) -> T:
        return self.write_later(fn).result()

    async def read(self, fn: Callable[[Tx], T]) -> T:
        return await asyncio.wrap_future(self._readers.submit(self.read_now, fn))

    def read_now(self, fn: Callable[[Tx], T]) -> T:
        with our_errors(), self._engine.connect() as plain:
            connection = plain.execution_options(**self._reading)
            with connection.begin():
                return fn(Transaction(connection, self._till))

    def close(self) -> None:
        """Finish what was queued, then let go of the file."""
        self._queue.put(None)
        self._writer.join(CLOSE_TIMEOUT_S)
        self._readers.shutdown(wait=True)
        self._engine.dispose()

    def _write_loop(self) -> None:
        while (first := self._queue.get()) is not None:
            if first[1].set_running_or_notify_cancel():
                self._write_with_others(first)
            del first

    def _write_with_others(self, first: Waiting) -> None:
        """One commit, one sync, for this write and those that wait behind it; where one fails, each has its own."""
        group, began = [first], time.monotonic()

        def together(tx: Tx) -> list[Any]:
            results = [fn(tx) for fn, _ in group]
            while (other := self._waiting(len(group), began)) is not None:
                group.append(other)
                results.append(other[0](tx))
            return results

        try:
            results = self._transact(together)
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whole
            if len(group) == 1:
                first[1].set_exception(error)
            else:
                self._write_alone(group)
        else:
            for (_, future), result in zip(group, results, strict=True):
                future.set_result(result)

    def _write_alone(self, group: Sequence[Waiting]) -> None:
        """Nothing of the group was kept: one bad write does not take the others along."""
        for fn, future in group:
            try:
                future.set_result(self._transact(fn))
            except BaseException as error:  # noqa: BLE001 - handed to the caller, whole
                future.set_exception(error)

    def _waiting(self, joined: int, began: float) -> Waiting | None:
        """A write that may share this commit.

        None on a server: there it would hold the rows of several orders in an order of its own, and wait for another
        till that holds them in another.
        """
        while not self.shared and joined < TOGETHER_MAX and time.monotonic() - began < TOGETHER_S:
            try:
                other = self._queue.get_nowait()
            except queue.Empty:
                return None
            if other is None:
                self._queue.put(None)  # the last: it closes
                return None
            if other[1].set_running_or_notify_cancel():
                return other
        return None

    def _transact(self, fn: Callable[[Tx], T]) -> T:
        try:
            with our_errors():
                result = self._guarded(fn)
        except ReadOnly as error:
            self.trouble = error
            raise
        self.trouble = None
        self.commits += 1
        if self.after_commit:
            self.after_commit()
        return result

    def _guarded(self, fn: Callable[[Tx], T]) -> T:
        try:
            return self._retried(fn)
        except InUseElsewhere as found:
            self._say_so(found)
            raise

    def _retried(self, fn: Callable[[Tx], T]) -> T:
        """What the server took back whole, because of somebody else's transaction, is done again."""
        for again in range(WRITE_TRIES):
            try:
                return self._once(fn)
            except DBAPIError as error:
                if again == WRITE_TRIES - 1 or not postgresql.repeatable(error):
                    raise
        raise AssertionError("unreachable")

    def _say_so(self, found: InUseElsewhere) -> None:
        """The shop must hear of it, through the one row that this copy may still write."""
        with self._engine.connect() as connection:
            begin_write(connection)
            raise_alarm(connection, found)
            connection.commit()

    def _once(self, fn: Callable[[Tx], T]) -> T:
        with self._engine.connect() as connection:
            ticket = begin_write(connection)
            self._gate.pass_through(connection)
            result = fn(Transaction(connection, self._till))
            if self.before_commit:
                self.before_commit()
            try:
                connection.commit()
            except DBAPIError as error:
                if not ticket or not error.connection_invalidated or not _became_true(self._engine, ticket):
                    raise
        return result


def begin_write(connection: Connection) -> str:
    """Begin the transaction that writes; "" or, on a server, the number to ask for its outcome by."""
    if connection.dialect.name == "postgresql":
        return postgresql.begin_write(connection)
    connection.begin()
    return ""


def _became_true(engine: Engine, ticket: str) -> bool:
    """Whether a commit whose answer was lost was done.

    Raises:
        OutcomeUnknown: the server does not say.
    """
    done = postgresql.was_committed(engine, ticket)
    if done is None:
        raise OutcomeUnknown(
            "The database server went away while it was saving.",
            "Look whether it is there before you do it again, when the server is back.",
        )
    return done


def _reading(engine: Engine) -> dict[str, Any]:
    """Every reader sees one moment: SQLite's snapshots do so, PostgreSQL is told to."""
    if engine.dialect.name == "sqlite":
        return {"reader": True}
    return {"reader": True, "isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
