"""The first schema, with triggers that guard what may only be added.

SQLite's INSERT OR REPLACE would walk past a delete trigger but for recursive_triggers, which the engine turns on.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Connection

from pos.store import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MESSAGE = "append-only: %s is never changed"


def upgrade() -> None:
    connection = op.get_bind()
    tables.metadata.create_all(connection)
    for name in tables.GUARDED:
        guard(connection, name)
    _guard_frozen_revisions(connection.dialect.name)


def guard(connection: Connection, name: str) -> None:
    """Rows of this table are never changed and never deleted."""
    if connection.dialect.name == "sqlite":
        _guard_sqlite(name)
    else:
        _guard_postgresql(name)


def _guard_sqlite(name: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER guard_{name}_{verb.lower()} BEFORE {verb} ON {name} "
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE % name}'); END"
        )


def _guard_postgresql(name: str) -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION guard_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'append-only: % is never changed', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER guard_{name} BEFORE UPDATE OR DELETE ON {name} "
        "FOR EACH ROW EXECUTE FUNCTION guard_append_only()"
    )
    op.execute(
        f"CREATE TRIGGER guard_{name}_truncate BEFORE TRUNCATE ON {name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only()"
    )


def _guard_frozen_revisions(dialect: str) -> None:
    """Lines, tax and total are frozen once an attempt was drafted."""
    if dialect == "sqlite":
        op.execute(
            "CREATE TRIGGER guard_revision_frozen BEFORE UPDATE ON revision WHEN OLD.frozen_at_ms IS NOT NULL "
            "BEGIN SELECT RAISE(ABORT, 'a frozen revision is never changed'); END"
        )
        return
    op.execute(
        "CREATE TRIGGER guard_revision_frozen BEFORE UPDATE ON revision FOR EACH ROW "
        "WHEN (OLD.frozen_at_ms IS NOT NULL) EXECUTE FUNCTION guard_append_only()"
    )
