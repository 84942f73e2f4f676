"""Credit notes, guarded like everything that may only be added, and tenders that give money for goods that came back.

A new database has them already: the first schema is made from the tables as they are today.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text, inspect

from pos.store import tables
from pos.store.migrations.versions.v0001_first import guard

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if "return_id" not in {column["name"] for column in inspect(connection).get_columns("tender")}:
        op.add_column("tender", Column("return_id", Text, nullable=False, server_default=""))
    if not inspect(connection).has_table("credit_note"):
        tables.credit_note.create(connection)
        guard(connection, "credit_note")
