"""Exceptions for people, and what healed by itself."""

from __future__ import annotations

from sqlalchemy import select

from pos.domain.store_port import Healed, Problem
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_p = tables.problem
_h = tables.healed


class ProblemRows(Rows):
    def of_order(self, order_id: str) -> list[Problem]:
        rows = self._all(select(_p).where(_p.c.order_id == order_id).order_by(_p.c.opened_at_ms))
        return [mapping.load(Problem, row) for row in rows]

    def put(self, problem: Problem) -> None:
        self._put(_p, mapping.dump(problem))

    def close(self, problem_id: str, at_ms: int, by: str, resolution: str) -> None:
        values = {"closed_at_ms": at_ms, "closed_by": by, "resolution": resolution}
        self._c.execute(_p.update().where(_p.c.id == problem_id).values(values))

    def reopen(self, problem_id: str, at_ms: int, action: str, amount_minor: int) -> None:
        values = {"closed_at_ms": None, "opened_at_ms": at_ms, "action": action, "amount_minor": amount_minor}
        self._c.execute(_p.update().where(_p.c.id == problem_id).values(values))

    def get(self, problem_id: str) -> Problem | None:
        row = self._one(select(_p).where(_p.c.id == problem_id))
        return mapping.load(Problem, row) if row is not None else None

    def listed(self, *, open_only: bool) -> list[Problem]:
        query = select(_p).order_by(_p.c.opened_at_ms)
        if open_only:
            query = query.where(_p.c.closed_at_ms.is_(None))
        return [mapping.load(Problem, row) for row in self._all(query)]

    def heal(self, healed: Healed) -> None:
        self._c.execute(self._insert_new(_h).values(mapping.dump(healed)))

    def healed(self, from_ms: int, to_ms: int) -> list[Healed]:
        query = select(_h).where(_h.c.at_ms >= from_ms, _h.c.at_ms < to_ms).order_by(_h.c.at_ms)
        return [mapping.load(Healed, row) for row in self._all(query)]
