"""Faults in how a till keeps its books, put into a running process to show that the proofs here can fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from pos.app import wiring
from pos.domain.errors import PosError
from pos.store.engine import Database, begin_write
from pos.store.failures import our_errors
from pos.store.repositories.journal import JournalRows
from pos.store.transaction import Transaction

DISK_S = {"sqlite": 0.03, "postgresql": 0.3}
"""What a disk takes that is asked after the answer was given; `pg_ctl` needs a moment to stop a server."""


def normal() -> None:
    """SQLite's own setting for who can do without the last sales; the till's check has read FULL back before."""
    made = wiring.make_engine

    def make_engine(url: str) -> Engine:
        engine = made(url)
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=NORMAL"))
        return engine

    wiring.make_engine = make_engine  # type: ignore[attr-defined]


def early() -> None:
    """The caller hears that it is saved, and then it is saved."""

    def write_loop(self: Database) -> None:
        while (item := self._queue.get()) is not None:
            fn, future = item
            try:
                with our_errors(), self._engine.connect() as connection:
                    begin_write(connection)
                    future.set_result(fn(Transaction(connection, self._till)))
                    time.sleep(DISK_S[connection.dialect.name])
                    connection.commit()
            except PosError as error:
                if not future.done():
                    future.set_exception(error)
            if self.after_commit:
                self.after_commit()

    Database._write_loop = write_loop  # type: ignore[method-assign]


def halves() -> None:
    """What belongs to one commit is written in two: the journal's line comes later."""
    append = JournalRows.append

    def later(self: JournalRows, *words: Any, **more: Any) -> None:
        self._c.commit()
        begin_write(self._c)
        append(self, *words, **more)

    JournalRows.append = later  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {"normal": normal, "early": early, "halves": halves}
