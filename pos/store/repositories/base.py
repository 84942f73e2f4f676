"""What every repository needs."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
Insert = Callable[[Table], Any]
Making = Callable[[Insert], Any]
"""Makes a statement whose parameters bear the names of a row's values, given the engine's own INSERT. Hashable, and

equal where it makes the same.
"""
_COUNT_UP = (
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key)"
    " DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + ? AS TEXT) RETURNING value"
)
AT_ONCE = 500
"""Values of one IN list: SQLite takes 32,766 parameters in a statement, PostgreSQL 65,535."""


def parts(values: Collection[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """The values in lists of at most `size`; none where there are none."""
    rest = list(values)
    return (rest[start : start + size] for start in range(0, len(rest), size))


class Rows:
    """A family of rows over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection
        self._engine_name = connection.dialect.name
        self._is_sqlite = self._engine_name == "sqlite"

    def _locking(self, statement: Any) -> Any:
        """Rows locked until commit, by who writes; a reader may not, and need not."""
        return statement if self._c.get_execution_options().get("reader") else statement.with_for_update()

    def _insert(self, table: Table, values: Mapping[str, Any]) -> None:
        self._insert_all(table, [values])

    def _insert_new(self, table: Table) -> Any:
        """An INSERT that skips what is there: `ON CONFLICT DO NOTHING`, for both engines."""
        make = sqlite.insert if self._is_sqlite else postgresql.insert
        return make(table).on_conflict_do_nothing()

    def _put(self, table: Table, values: Mapping[str, Any]) -> None:
        """Insert, or update every other column where the primary key is there."""
        self._put_all(table, [values])

    def _insert_all(self, table: Table, rows: Sequence[Mapping[str, Any]], *, new_only: bool = False) -> None:
        """Rows of the same columns; `new_only` skips what is there. Values that are no columns are left out."""
        if rows:
            self._run_all(_Inserting(table, _columns(table, rows), new_only), rows)

    def _put_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """As `_put`, for rows of the same columns."""
        if rows:
            self._run_all(_Putting(table, _columns(table, rows)), rows)

    def _run_all(self, make: Making, rows: Sequence[Mapping[str, Any]]) -> int:
        """The same statement for every row, with the row's values as its parameters; how many rows it hit together.

        It is compiled once in the life of the process: equal makers make the same statement.
        """
        text, pick = _compiled(make, self._engine_name)
        return self._do(text, [pick(row) for row in rows])

    def _read(self, query: Any, **given: Any) -> list[tuple[Any, ...]]:
        """Rows of a query that is made once in the life of the process; `given` are the parameters that it names.

        To put a statement together, and to find it again among those known, takes longer than to run it. The rows are
        the driver's own, as with `_among`.
        """
        text, names, fixed = _prepared(query, self._engine_name)
        return self._rows(text, tuple(given[name] if name in given else fixed[name] for name in names))

    def _value(self, query: Any, **given: Any) -> Any:
        """The one value of the first row; None where there is none."""
        return next((value for (value,) in self._read(query, **given)), None)

    def _read_named(self, query: Any, **given: Any) -> list[dict[str, Any]]:
        """As `_read`, each row by the names of its columns."""
        names = tuple(query.selected_columns.keys())
        return [dict(zip(names, row, strict=True)) for row in self._read(query, **given)]

    def _rows(self, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Text for the driver. SQLite's is asked without a layer between, which costs more there than the query does;

        to a server's answer it adds little, and tells a lost connection from a wrong statement.
        """
        if self._is_sqlite:
            found: list[tuple[Any, ...]] = self._driver.execute(text, values).fetchall()
            return found
        return [tuple(row) for row in self._c.exec_driver_sql(text, tuple(values)).all()]

    def _do(self, text: str, rows: Sequence[Any]) -> int:
        """As `_rows`, for a statement that changes something, once for each row; how many it hit together."""
        if self._is_sqlite:
            hit: int = self._driver.executemany(text, rows).rowcount
            return hit
        return self._c.exec_driver_sql(text, list(rows)).rowcount

    @cached_property
    def _driver(self) -> Any:
        return self._c.connection.driver_connection

    def _among(self, query: Any, column: Any, values: Collection[str], *given: Any) -> list[tuple[Any, ...]]:
        """Rows of `query` whose `column` is one of the values; the query is made once, `given` are its own parameters.

        Several statements only where there are more values than one may have. The rows are the driver's own: a `Loader`
        knows what to make of them.
        """
        before, after = _around(query, column, self._engine_name)
        mark, rows = "?" if self._is_sqlite else "%s", list[tuple[Any, ...]]()
        for part in parts(values):
            text = before + ", ".join([mark] * len(part)) + after
            rows += self._rows(text, (*given, *part))
        return rows

    def _count_up(self, key: str, by: int = 1) -> int:
        """A counter that moves only with this transaction, moved; the last of the `by` numbers that are ours now."""
        mark = "?" if self._is_sqlite else "%s"
        return int(self._rows(_COUNT_UP.replace("?", mark), (key, str(by), by))[0][0])

    def _all(self, statement: Any) -> Sequence[Any]:
        return self._c.execute(statement).mappings().all()

    def _one(self, statement: Any) -> Any:
        return self._c.execute(statement).mappings().first()


@dataclass(frozen=True)
class _Inserting:
    table: Table
    names: tuple[str, ...]
    new_only: bool

    def __call__(self, insert: Insert) -> Any:
        statement = insert(self.table).values({name: bindparam(name) for name in self.names})
        return statement.on_conflict_do_nothing() if self.new_only else statement


@dataclass(frozen=True)
class _Putting:
    table: Table
    names: tuple[str, ...]

    def __call__(self, insert: Insert) -> Any:
        statement = insert(self.table).values({name: bindparam(name) for name in self.names})
        keys = [column.name for column in self.table.primary_key]
        change = {name: statement.excluded[name] for name in self.names if name not in keys}
        return statement.on_conflict_do_update(index_elements=keys, set_=change)


def _columns(table: Table, rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(name for name in rows[0] if name in table.c)


@functools.cache
def _compiled(make: Any, engine: str) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
    """Text for the driver, and what picks its parameters from a row."""
    dialect, insert = _by_position(engine)
    said = make(insert).compile(dialect=dialect)
    names = tuple(said.positiontup)
    # of one name, `itemgetter` gives the value alone
    pick = operator.itemgetter(*names) if len(names) > 1 else lambda row: tuple(row[name] for name in names)
    return str(said), pick


@functools.cache
def _prepared(query: Any, engine: str) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """Text for the driver, the names of its parameters in their places, and the values that stand in the query."""
    dialect, _ = _by_position(engine)
    said = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    fixed = {name: str(value) if isinstance(value, str) else value for name, value in said.params.items()}
    return str(said), tuple(said.positiontup), fixed


@functools.cache
def _around(query: Any, column: Any, engine: str) -> tuple[str, str]:
    """The text before and after the values of `column IN (...)`."""
    dialect, _ = _by_position(engine)
    said = query.where(column.in_(bindparam("among", expanding=True))).compile(dialect=dialect)
    before, after = str(said).split("__[POSTCOMPILE_among]")
    return before, after


def _by_position(engine: str) -> tuple[Any, Insert]:
    """A dialect that numbers its parameters in the driver's own way, and its INSERT."""
    if engine == "sqlite":
        return sqlite.dialect(), sqlite.insert
    from sqlalchemy.dialects.postgresql import psycopg

    dialect: Any = psycopg.dialect
    return dialect(paramstyle="format"), postgresql.insert
