"""Which tests run on which database engine.

Every run: the store on both engines; services and background work through each gateway on SQLite, and through one of
them on PostgreSQL, which shares all their code but `pos/store`. `./run prove postgres`: everything on PostgreSQL.
"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import text

from pos.domain.store_port import Tx
from pos.store.transaction import Transaction

SQLITE, POSTGRESQL = "sqlite", "postgresql"
EVERYTHING = bool(os.environ.get("TRUETILL_ALL_ON_POSTGRESQL"))
ENGINES = [SQLITE, POSTGRESQL]
SHOPS = ["stripe", "razorpay", f"stripe-{POSTGRESQL}", *([f"razorpay-{POSTGRESQL}"] if EVERYTHING else [])]
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
