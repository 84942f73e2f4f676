"""What every repository needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Table, Text, cast
from sqlalchemy.dialects import postgresql, sqlite

from pos.store import mapping, tables


class Rows:
    """A family of rows over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    @property
    def _is_sqlite(self) -> bool:
        return self._c.dialect.name == "sqlite"

    def _locking(self, statement: Any) -> Any:
        """Rows locked until commit, by who writes; a reader may not, and need not."""
        return statement if self._c.get_execution_options().get("reader") else statement.with_for_update()

    def _insert(self, table: Table, values: dict[str, Any]) -> None:
        self._c.execute(table.insert().values(mapping.columns(table, values)))

    def _insert_new(self, table: Table) -> Any:
        """An INSERT that skips what is there: `ON CONFLICT DO NOTHING`, for both engines."""
        make = sqlite.insert if self._is_sqlite else postgresql.insert
        return make(table).on_conflict_do_nothing()

    def _put(self, table: Table, values: dict[str, Any]) -> None:
        """Insert, or update every other column where the primary key is there."""
        make = sqlite.insert if self._is_sqlite else postgresql.insert
        row = mapping.columns(table, values)
        keys = [column.name for column in table.primary_key]
        statement = make(table).values(row)
        change = {name: statement.excluded[name] for name in row if name not in keys}
        self._c.execute(statement.on_conflict_do_update(index_elements=keys, set_=change))

    def _count_up(self, key: str) -> int:
        """The next number of a counter that moves only with this transaction."""
        make = sqlite.insert if self._is_sqlite else postgresql.insert
        meta = tables.meta
        statement = make(meta).values(key=key, value="1")
        more = cast(cast(meta.c.value, Integer) + 1, Text)
        statement = statement.on_conflict_do_update(index_elements=["key"], set_={"value": more})
        return int(self._c.execute(statement.returning(meta.c.value)).scalar_one())

    def _all(self, statement: Any) -> Sequence[Any]:
        return self._c.execute(statement).mappings().all()

    def _one(self, statement: Any) -> Any:
        return self._c.execute(statement).mappings().first()
