"""Saved plans of tenders, and the totals that they and attempts were computed from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import bindparam, select

from pos.domain.plan import Plan, Share, Way
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_p = tables.plan
_r = tables.revision
_OF_ORDER = select(_p).where(_p.c.order_id == bindparam("order_id")).order_by(_p.c.no)
_TOTAL = select(_r.c.total_minor).where(_r.c.order_id == bindparam("order_id"), _r.c.revision == bindparam("revision"))


class PlanRows(Rows):
    def add(self, plan: Plan) -> None:
        shares = json.dumps([asdict(share) for share in plan.shares], separators=(",", ":"))
        self._insert(_p, mapping.dump(plan, shares=shares))

    def last(self, order_id: str) -> Plan | None:
        return next(reversed(self.all(order_id)), None)

    def all(self, order_id: str = "") -> list[Plan]:
        if order_id:
            return [_plan(row) for row in self._read_named(_OF_ORDER, order_id=order_id)]
        return [_plan(row) for row in self._all(select(_p).order_by(_p.c.made_at_ms, _p.c.order_id, _p.c.no))]

    def total_of(self, order_id: str, revision: int) -> int | None:
        found: int | None = self._value(_TOTAL, order_id=order_id, revision=revision)
        return found


def _plan(row: Any) -> Plan:
    shares = (Share(Way(one["way"]), one["amount_minor"], one["gateway"]) for one in json.loads(row["shares"]))
    return mapping.load(Plan, row, shares=tuple(shares))
