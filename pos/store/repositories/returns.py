"""Credit notes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from pos.domain.returning import Return, ReturnLine
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_c = tables.credit_note
_IN_ORDER = select(_c).order_by(_c.c.till, _c.c.number)
_OF_ORDER = _IN_ORDER.where(_c.c.order_id == bindparam("order_id"))


class ReturnRows(Rows):
    def next_number(self, till: str) -> str:
        return f"{till}-R{self._count_up(f'return_number:{till}'):05d}"

    def add(self, note: Return) -> None:
        lines = json.dumps([asdict(line) for line in note.lines], ensure_ascii=False, separators=(",", ":"))
        self._insert(_c, mapping.dump(note, key=note.key or None, lines=lines))

    def of_order(self, order_id: str) -> list[Return]:
        return [_note(row) for row in self._read_named(_OF_ORDER, order_id=order_id)]

    def by_key(self, key: str) -> Return | None:
        return next(iter(self._notes(_c.c.key == key)), None)

    def by_number(self, number: str) -> Return | None:
        return next(iter(self._notes(_c.c.number == number)), None)

    def all(self, day: str = "") -> list[Return]:
        return self._notes(_c.c.day == day) if day else self._notes()

    def _notes(self, *where: ColumnElement[bool]) -> list[Return]:
        return [_note(row) for row in self._all(_IN_ORDER.where(*where))]


def _note(row: Any) -> Return:
    lines = tuple(ReturnLine(**line) for line in json.loads(row["lines"]))
    values = {**row, "key": row["key"] or "", "tax_included": bool(row["tax_included"])}
    return mapping.load(Return, values, lines=lines)
