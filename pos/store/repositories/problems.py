"""Exceptions for people, and what healed by itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, select

from pos.domain.store_port import Healed, Problem
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_p = tables.problem
_h = tables.healed
_PROBLEM = mapping.Loader(Problem, _p)
_HEALED = mapping.Loader(Healed, _h)
_BY_TIME = select(*_PROBLEM.columns).order_by(_p.c.opened_at_ms)
_OPEN = _BY_TIME.where(_p.c.closed_at_ms.is_(None))
_HEALED_THEN = (
    select(*_HEALED.columns)
    .where(_h.c.at_ms >= bindparam("from_ms"), _h.c.at_ms < bindparam("to_ms"))
    .order_by(_h.c.at_ms)
)


class ProblemRows(Rows):
    def of_order(self, order_id: str) -> list[Problem]:
        return self.of_orders([order_id])[order_id]

    def of_orders(self, order_ids: Collection[str]) -> dict[str, list[Problem]]:
        found: dict[str, list[Problem]] = {order_id: [] for order_id in order_ids}
        for problem in _PROBLEM.all(self._among(_BY_TIME, _p.c.order_id, order_ids)):
            found[problem.order_id].append(problem)
        return found

    def put(self, problem: Problem) -> None:
        self.put_all([problem])

    def put_all(self, problems: Sequence[Problem]) -> None:
        self._put_all(_p, [mapping.dump(problem) for problem in problems])

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
        return _PROBLEM.all(self._read(_OPEN if open_only else _BY_TIME))

    def heal(self, healed: Sequence[Healed]) -> None:
        self._insert_all(_h, [mapping.dump(each) for each in healed], new_only=True)

    def healed(self, from_ms: int, to_ms: int) -> list[Healed]:
        return _HEALED.all(self._read(_HEALED_THEN, from_ms=from_ms, to_ms=to_ms))
