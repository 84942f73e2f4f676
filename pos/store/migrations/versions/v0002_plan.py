"""Saved plans of tenders, with each attempt what it was computed from, with money given back its purpose.

Only adds. A database that this version makes has all of it from the first migration, which takes the tables as they
are now; there is nothing left to do here then.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, inspect

from pos.store import tables
from pos.store.migrations.versions.v0001_first import guard

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ADDED = {
    "attempt": ("share_minor", "due_minor", "kept_minor", "plan_no"),
    "tender": ("purpose", "replaces"),
}


def upgrade() -> None:
    connection = op.get_bind()
    if not inspect(connection).has_table("plan"):
        tables.plan.create(connection)
        guard(connection, "plan")
    for table, names in ADDED.items():
        standing = {column["name"] for column in inspect(connection).get_columns(table)}
        for name in names:
            if name not in standing:
                op.add_column(table, _copy(tables.metadata.tables[table].c[name]))


def _copy(column: Column[object]) -> Column[object]:
    """The column alone: one that belongs to a table cannot be added to it again."""
    return Column(column.name, column.type, nullable=column.nullable, server_default=column.server_default)
