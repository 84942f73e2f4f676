"""Rows and the domain's values, dataclasses or named tuples: columns bear the names of fields."""

from __future__ import annotations

import dataclasses
import enum
import functools
import operator
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Boolean, Column, Table

T = TypeVar("T")
BOTH: dict[Any, Any] = {False: False, True: True}
"""What a driver says of a truth: SQLite's has 0 and 1, which are the same keys."""
NO_TEXT = frozenset({int, bool, float, type(None)})


def dump(value: Any, **more: Any) -> dict[str, Any]:
    """Column values of a value; enums become their words. Fields that are no columns are left to the caller."""
    names, get, texts = _getter(typing.cast(Any, type(value)))
    row: dict[str, Any] = dict(zip(names, get(value), strict=True))
    row.update(more)
    for name in (*texts, *more):
        said = row[name]
        if isinstance(said, str) and (type(said) is not str or not said.isascii() or "\0" in said):
            row[name] = storable(said)
    return row


def storable(text: str) -> str:
    """Text that both engines take: a stranger's NUL or half a character must not keep a payment out of the books."""
    plain = str(text)  # the word of an enum
    if "\0" in plain:
        plain = plain.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return plain if plain.isascii() else plain.encode("utf-8", "replace").decode("utf-8")


@functools.cache
def _getter(cls: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[str, ...]]:
    """Names of the fields, what reads them all, and names of those that may hold text."""
    names = cls._fields if issubclass(cls, tuple) else tuple(f.name for f in dataclasses.fields(cls))
    hints = typing.get_type_hints(cls)
    texts = tuple(n for n in names if not set(typing.get_args(hints[n]) or (hints[n],)) <= NO_TEXT)
    return names, operator.attrgetter(*names), texts


@functools.cache
def _enums(cls: Any) -> tuple[tuple[str, Callable[[str], Any] | None], ...]:
    hints = typing.get_type_hints(cls)
    return tuple(
        (n, hints[n] if isinstance(hints[n], type) and issubclass(hints[n], enum.Enum) else None)
        for n in _getter(cls)[0]
    )


def load(cls: type[T], row: Mapping[str, Any], **more: Any) -> T:
    """A value from a row; missing columns take the field's default, NULL text becomes ""."""
    values: dict[str, Any] = {}
    for name, convert in _enums(typing.cast(Any, cls)):
        if name in more:
            values[name] = more[name]
        elif name in row:
            value = row[name]
            values[name] = convert(value) if convert is not None and value is not None else value
    return cls(**values)


class Loader(Generic[T]):
    """Many rows of one table as values of one class: `columns` is what to select, in the order it is read in.

    Fields that are no columns stand last in the class and are given to `make`, or take their defaults.
    """

    def __init__(self, cls: type[T], table: Table) -> None:
        fields = _enums(typing.cast(Any, cls))
        known = [(name, convert) for name, convert in fields if name in table.c]
        assert known == list(fields[: len(known)]), f"{cls} cannot be read by position"
        self.columns: list[Column[Any]] = [table.c[name] for name, _ in known]
        self._cls = cls
        self._words = [(at, _members(convert)) for at, (_, convert) in enumerate(known) if convert is not None]
        self._words += [(at, BOTH) for at, column in enumerate(self.columns) if isinstance(column.type, Boolean)]

    def make(self, row: Sequence[Any], *more: Any) -> T:
        values = list(row)
        for at, members in self._words:
            values[at] = members[values[at]]
        return self._cls(*values, *more)

    def all(self, rows: Iterable[Sequence[Any]]) -> list[T]:
        return [self.make(row) for row in rows]


def _members(words: Any) -> dict[str, Any]:
    return {member.value: member for member in words}


def columns(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Only those values that are columns of `table`."""
    return {name: value for name, value in values.items() if name in table.c}
