"""Rows and the domain's dataclasses: columns bear the names of fields."""

from __future__ import annotations

import dataclasses
import enum
import functools
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Table

T = TypeVar("T")


def dump(value: Any, **more: Any) -> dict[str, Any]:
    """Column values of a dataclass; enums become their words. Fields that are no columns are left to the caller."""
    row = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    row.update(more)
    return {k: _storable(v) if isinstance(v, str) else v for k, v in row.items()}


def _storable(text: str) -> str:
    """Text that both engines take: a stranger's NUL or half a character must not keep a payment out of the books."""
    plain = str(text)  # the word of an enum
    if "\0" in plain:
        plain = plain.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return plain if plain.isascii() else plain.encode("utf-8", "replace").decode("utf-8")


@functools.cache
def _enums(cls: Any) -> tuple[tuple[str, Callable[[str], Any] | None], ...]:
    hints = typing.get_type_hints(cls)
    names = [f.name for f in dataclasses.fields(cls)]
    return tuple(
        (n, hints[n] if isinstance(hints[n], type) and issubclass(hints[n], enum.Enum) else None) for n in names
    )


def load(cls: type[T], row: Mapping[str, Any], **more: Any) -> T:
    """A dataclass from a row; missing columns take the field's default, NULL text becomes ""."""
    values: dict[str, Any] = {}
    for name, convert in _enums(typing.cast(Any, cls)):
        if name in more:
            values[name] = more[name]
        elif name in row:
            value = row[name]
            values[name] = convert(value) if convert is not None and value is not None else value
    return cls(**values)


def columns(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Only those values that are columns of `table`."""
    return {name: value for name, value in values.items() if name in table.c}
