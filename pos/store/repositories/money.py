"""The till's own money rows: tenders, refunds, effects, Z entries."""

from __future__ import annotations

from sqlalchemy import func, select

from pos.domain.cash import Tender
from pos.domain.refund import Refund
from pos.domain.store_port import ZEntry
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_t = tables.tender
_r = tables.refund
_z = tables.z_entry


class MoneyRows(Rows):
    def add_tender(self, tender: Tender) -> None:
        self._insert(_t, mapping.dump(tender))

    def tenders(self, order_id: str = "") -> list[Tender]:
        query = select(_t).order_by(_t.c.at_ms, _t.c.id)
        if order_id:
            query = query.where(_t.c.order_id == order_id)
        return [mapping.load(Tender, row) for row in self._all(query)]

    def add_refund(self, refund: Refund) -> None:
        self._insert(_r, mapping.dump(refund))

    def refund(self, refund_id: str) -> Refund | None:
        row = self._one(select(_r).where(_r.c.id == refund_id))
        return mapping.load(Refund, row) if row is not None else None

    def refunds(self, order_id: str = "") -> list[Refund]:
        query = select(_r).order_by(_r.c.asked_at_ms, _r.c.id)
        if order_id:
            query = query.where(_r.c.order_id == order_id)
        return [mapping.load(Refund, row) for row in self._all(query)]

    def effect_once(self, order_id: str, effect: str, subject: str, at_ms: int, valid_until_ms: int) -> bool:
        """True the first time; the row is unique on (order, effect, subject)."""
        e = tables.effect
        row = {"order_id": order_id, "effect": effect, "subject": subject}
        row_values = {**row, "made_at_ms": at_ms, "valid_until_ms": valid_until_ms}
        return self._c.execute(self._insert_new(e).values(row_values).returning(e.c.effect)).first() is not None

    def effects_twice(self) -> list[tuple[str, str, str]]:
        """(order, effect, subject) of which there is more than one row: none, while the primary key stands."""
        e = tables.effect
        columns = (e.c.order_id, e.c.effect, e.c.subject)
        rows = self._c.execute(select(*columns).group_by(*columns).having(func.count() > 1))
        return [(row.order_id, row.effect, row.subject) for row in rows]

    def enter(self, entry: ZEntry) -> bool:
        """Note a movement for the next Z; True the first time."""
        statement = self._insert_new(_z).values(mapping.dump(entry)).returning(_z.c.kind)
        return self._c.execute(statement).first() is not None

    def entries(self, *, open_only: bool, till: str = "", z_id: str = "") -> list[ZEntry]:
        query = select(_z).order_by(_z.c.at_ms, _z.c.subject)
        if open_only:
            query = query.where(_z.c.z_id == "")
        if till:
            query = query.where(_z.c.till == till)
        if z_id:
            query = query.where(_z.c.z_id == z_id)
        return [mapping.load(ZEntry, row) for row in self._all(query)]

    def entered(self, kind: str, subject: str) -> bool:
        """Whether this movement was noted before, in whichever Z."""
        return self._one(select(_z.c.kind).where(_z.c.kind == kind, _z.c.subject == subject)) is not None

    def put_in_z(self, z_id: str, till: str) -> int:
        """Put every open entry of a till into a Z; returns how many."""
        statement = _z.update().where(_z.c.z_id == "", _z.c.till == till).values(z_id=z_id).returning(_z.c.subject)
        return len(self._c.execute(statement).all())
