"""Which tests run on which database engine.

Every run: the store on both engines; services and background work through one gateway on SQLite and through the other
on PostgreSQL, so that each gateway and each engine sees every test; the failure catalogue, the journeys and the
simulation sell through both on SQLite. `./run prove postgres`: PostgreSQL with the gateway that it has not here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from pos.domain.store_port import Tx
from pos.store.engine import Database
from pos.store.repositories.base import Rows
from pos.store.transaction import Transaction

SQLITE, POSTGRESQL = "sqlite", "postgresql"
EVERYTHING = bool(os.environ.get("TRUETILL_ALL_ON_POSTGRESQL"))
ENGINES = [SQLITE, POSTGRESQL]
SHOPS = ["razorpay", f"stripe-{POSTGRESQL}", *([f"razorpay-{POSTGRESQL}"] if EVERYTHING else [])]
"""A gateway to sell through, on SQLite or on the engine named."""


def sql(tx: Tx, statement: str, **values: Any) -> list[Any]:
    """A statement that no repository has, on either engine; `:name` stands for a value. Returns the rows, if any."""
    assert isinstance(tx, Transaction)
    result = tx.connection.execute(text(statement), values)
    return list(result.mappings()) if result.returns_rows else []


def unguard(tx: Tx, table: str) -> None:
    """What a thief with the database's password would do first: the trigger against changes is gone."""
    assert isinstance(tx, Transaction)
    if tx.connection.dialect.name == SQLITE:
        sql(tx, f"DROP TRIGGER guard_{table}_update")
    else:
        sql(tx, f"DROP TRIGGER guard_{table} ON {table}")


@contextmanager
def asked(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that the database is given, with their values; those that go to SQLite's driver by themselves

    too.
    """
    found: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, said: str, values: Any, _context: Any, _many: bool) -> None:
        found.append((said, values))

    event.listen(database.engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_rows", "_do"):
            patch.setattr(Rows, name, _noted(getattr(Rows, name), found))
        yield found
    event.remove(database.engine, "before_cursor_execute", note)


def _noted(true: Any, found: list[tuple[str, Any]]) -> Any:
    def noted(rows: Any, said: str, values: Any) -> Any:
        if rows._is_sqlite:
            found.append((said, values))
        return true(rows, said, values)

    return noted
