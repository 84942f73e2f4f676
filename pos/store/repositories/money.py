"""The till's own money rows: tenders, refunds, effects, Z entries."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, func, select

from pos.domain.cash import Tender
from pos.domain.movement import Effect, ZEntry
from pos.domain.refund import Refund
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_t = tables.tender
_r = tables.refund
_z = tables.z_entry
_TENDER = mapping.Loader(Tender, _t)
_REFUND = mapping.Loader(Refund, _r)
_TENDERS = select(*_TENDER.columns).order_by(_t.c.at_ms, _t.c.id)
_OF_ORDER = _TENDERS.where(_t.c.order_id == bindparam("order_id"))
_REFUNDS = select(*_REFUND.columns).order_by(_r.c.asked_at_ms, _r.c.id)
_OF_KIND = select(_z.c.subject).where(_z.c.kind == bindparam("kind"))


class MoneyRows(Rows):
    def add_tender(self, tender: Tender) -> None:
        self._insert(_t, mapping.dump(tender))

    def tenders(self, order_id: str = "") -> list[Tender]:
        return _TENDER.all(self._read(_OF_ORDER, order_id=order_id) if order_id else self._read(_TENDERS))

    def tenders_of(self, order_ids: Collection[str]) -> dict[str, list[Tender]]:
        found: dict[str, list[Tender]] = {order_id: [] for order_id in order_ids}
        for tender in _TENDER.all(self._among(_TENDERS, _t.c.order_id, order_ids)):
            found[tender.order_id].append(tender)
        return found

    def refunds_of(self, order_ids: Collection[str]) -> dict[str, list[Refund]]:
        found: dict[str, list[Refund]] = {order_id: [] for order_id in order_ids}
        for refund in _REFUND.all(self._among(_REFUNDS, _r.c.order_id, order_ids)):
            found[refund.order_id].append(refund)
        return found

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

    def add_effects(self, effects: Sequence[Effect]) -> None:
        """A row is unique on (order, effect, subject): what is there already stays as it is."""
        self._insert_all(tables.effect, [mapping.dump(effect) for effect in effects], new_only=True)

    def effects_twice(self) -> list[tuple[str, str, str]]:
        """(order, effect, subject) of which there is more than one row: none, while the primary key stands."""
        e = tables.effect
        columns = (e.c.order_id, e.c.effect, e.c.subject)
        rows = self._c.execute(select(*columns).group_by(*columns).having(func.count() > 1))
        return [(row.order_id, row.effect, row.subject) for row in rows]

    def enter(self, entries: Sequence[ZEntry]) -> None:
        """Note movements for the next Z, each once."""
        self._insert_all(_z, [mapping.dump(entry) for entry in entries], new_only=True)

    def entries(self, *, open_only: bool, till: str = "", z_id: str = "") -> list[ZEntry]:
        query = select(_z).order_by(_z.c.at_ms, _z.c.subject)
        if open_only:
            query = query.where(_z.c.z_id == "")
        if till:
            query = query.where(_z.c.till == till)
        if z_id:
            query = query.where(_z.c.z_id == z_id)
        return [mapping.load(ZEntry, row) for row in self._all(query)]

    def entered(self, movements: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for kind in sorted({kind for kind, _ in movements}):
            subjects = {subject for name, subject in movements if name == kind}
            found |= {(kind, subject) for (subject,) in self._among(_OF_KIND, _z.c.subject, subjects, kind)}
        return found

    def put_in_z(self, z_id: str, till: str) -> int:
        """Put every open entry of a till into a Z; returns how many."""
        statement = _z.update().where(_z.c.z_id == "", _z.c.till == till).values(z_id=z_id).returning(_z.c.subject)
        return len(self._c.execute(statement).all())
