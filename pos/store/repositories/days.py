"""Shifts, Z reports and business days."""

from __future__ import annotations

from sqlalchemy import func, select

from pos.domain.store_port import Shift, ZReport
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_s = tables.shift
_z = tables.z_report


class DayRows(Rows):
    def open_shift(self, till: str) -> Shift | None:
        row = self._one(self._locking(select(_s).where(_s.c.till == till, _s.c.closed_at_ms.is_(None))))
        return mapping.load(Shift, row) if row is not None else None

    def put_shift(self, shift: Shift) -> None:
        self._put(_s, mapping.dump(shift))

    def shifts(self) -> list[Shift]:
        return [mapping.load(Shift, row) for row in self._all(select(_s).order_by(_s.c.opened_at_ms))]

    def last_shift_no(self, till: str) -> int:
        query = select(func.coalesce(func.max(_s.c.no), 0)).where(_s.c.till == till)
        return int(self._c.execute(query).scalar_one())

    def put_z(self, report: ZReport) -> None:
        self._insert(_z, mapping.dump(report))

    def zs(self, scope: str = "") -> list[ZReport]:
        query = select(_z).order_by(_z.c.scope, _z.c.no)
        if scope:
            query = query.where(_z.c.scope == scope)
        return [mapping.load(ZReport, row) for row in self._all(query)]

    def last_z(self, scope: str) -> ZReport | None:
        row = self._one(select(_z).where(_z.c.scope == scope).order_by(_z.c.no.desc()).limit(1))
        return mapping.load(ZReport, row) if row is not None else None
