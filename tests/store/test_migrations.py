"""Books of an older schema are brought up in place, on both engines, with their guards."""

from __future__ import annotations

from pos.domain.store_port import Tx
from pos.store import gate, tables
from pos.store.engine import Database, make_engine
from pos.store.transaction import Transaction
from pos.store.upgrade import HEAD, upgrade
from tests.engines import SQLITE, sql
from tests.store.test_store import put_order


def as_first(tx: Tx) -> None:
    """The schema as the first version left it: no credit notes, no `return_id` on tenders."""
    assert isinstance(tx, Transaction)
    sql(tx, "DROP TABLE credit_note")
    sql(tx, "ALTER TABLE tender DROP COLUMN return_id")
    sql(tx, "UPDATE alembic_version SET version_num = '0001'")
    tx.shop.set_meta(gate.MIN_WRITER, "1")
    tx.shop.set_meta(gate.MIN_READER, "1")


def test_credit_notes_come_to_books_of_the_first_version(database: Database, url: str) -> None:
    order = database.write_now(put_order)
    tender = f"INSERT INTO tender(id,order_id,method,amount_minor,currency,at_ms,given_minor,rounding_minor) \
VALUES ('t','{order.id}','cash',1,'INR',1,1,0)"
    database.write_now(lambda tx: sql(tx, tender))
    database.write_now(as_first)
    engine = make_engine(url)
    upgrade(engine)
    new = Database(engine, "1")
    try:
        assert new.read_now(lambda tx: sql(tx, "SELECT version_num AS v FROM alembic_version"))[0]["v"] == HEAD
        assert [t.return_id for t in new.read_now(lambda tx: tx.money.tenders())] == [""]
        assert new.read_now(lambda tx: tx.returns.all()) == []
        assert new.read_now(lambda tx: tx.shop.meta(gate.MIN_READER)) == str(gate.LEVEL)
        standing = new.read_now(guards)
        wanted = ["guard_credit_note_delete", "guard_credit_note_update"]
        assert [name for name in standing if "credit_note" in name] in (
            wanted,
            ["guard_credit_note", "guard_credit_note_truncate"],
        )
    finally:
        new.close()


def guards(tx: Tx) -> list[str]:
    assert isinstance(tx, Transaction)
    if tx.connection.dialect.name == SQLITE:
        rows = sql(tx, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
    else:
        rows = sql(tx, "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal")
    return sorted(row["name"] for row in rows)


def test_every_guarded_table_is_a_table() -> None:
    assert set(tables.GUARDED) <= set(tables.metadata.tables)
