"""Attempts."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_, select, text

from pos.domain.errors import Broken
from pos.domain.payment import ALLOWED, Attempt, Phase
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_a = tables.attempt
ACCOUNTS_MAX = 10
"""Accounts at one gateway that a shop has used, of which the last are remembered."""
LEFT_WAITING_MS = 5 * 60_000
"""So late a look is no longer left to the order's own till: it may be gone, or be called otherwise now."""


_BEFORE = {
    phase: sorted(before.value for before in Phase if before is phase or phase in ALLOWED[before]) for phase in Phase
}
"""The stored phases that each phase may follow."""


class AttemptRows(Rows):
    def insert(self, attempt: Attempt) -> None:
        self._insert(_a, mapping.dump(attempt))

    def update(self, attempt: Attempt) -> None:
        """Store an attempt; the phase may only move as `ALLOWED` says."""
        may_follow = _a.c.phase.in_(_BEFORE[attempt.phase])
        change = _a.update().where(_a.c.id == attempt.id, may_follow).values(mapping.dump(attempt))
        if not self._c.execute(change).rowcount:
            stored = self._c.execute(select(_a.c.phase).where(_a.c.id == attempt.id)).scalar_one()
            raise Broken(f"An attempt cannot go from {stored} to {attempt.phase}.", "Please report this.")

    def get(self, attempt_id: str) -> Attempt | None:
        return self._first(_a.c.id == attempt_id)

    def of_order(self, order_id: str) -> list[Attempt]:
        rows = self._all(select(_a).where(_a.c.order_id == order_id).order_by(_a.c.no))
        return [mapping.load(Attempt, row) for row in rows]

    def by_link(self, gateway: str, link_id: str) -> Attempt | None:
        return self._first(and_(_a.c.gateway == gateway, _a.c.link_id == link_id))

    def by_reference(self, reference: str) -> Attempt | None:
        return self._first(_a.c.reference == reference)

    def newest_links(self, gateway: str, mode: str) -> list[tuple[str, str]]:
        where = and_(_a.c.gateway == gateway, _a.c.mode == mode, _a.c.link_id != "")
        last = func.max(_a.c.drafted_at_ms)
        accounts = select(_a.c.account).where(where).group_by(_a.c.account).order_by(last.desc()).limit(ACCOUNTS_MAX)
        newest = select(_a.c.link_id).where(where).order_by(_a.c.drafted_at_ms.desc()).limit(1)
        found = self._c.execute(accounts).scalars().all()
        return [(name, self._c.execute(newest.where(_a.c.account == name)).scalar_one()) for name in found]

    def due(self, now_ms: int, limit: int, till: str) -> list[Attempt]:
        """Attempts whose look is due, the longest due first: this till's, and any that its own till has left waiting.

        Due is also what was last looked at in the future: the clock has been set back since.
        """
        o = tables.orders
        past = _a.c.look_due_at_ms <= now_ms
        set_back = and_(func.coalesce(_a.c.looked_at_ms, _a.c.drafted_at_ms) > now_ms, _a.c.looks_failed == 0)
        left_waiting = _a.c.look_due_at_ms <= now_ms - LEFT_WAITING_MS
        query = (
            select(_a)
            .join(o, o.c.id == _a.c.order_id)
            .where(_a.c.look_due_at_ms > 0, or_(and_(or_(past, set_back), o.c.till == till), left_waiting))
            .order_by(_a.c.look_due_at_ms)
        )
        return [mapping.load(Attempt, row) for row in self._all(query.limit(limit))]

    def next_due_ms(self, till: str) -> int | None:
        o = tables.orders
        query = select(func.min(_a.c.look_due_at_ms)).join(o, o.c.id == _a.c.order_id).where(o.c.till == till)
        return self._c.execute(query).scalar()

    def unsettled(self, gateway: str) -> int:
        live = text(f"attempt.phase IN {tables.LIVE_PHASES}")
        given_up = and_(_a.c.phase == Phase.RELEASED.value, _a.c.fenced_at_ms.is_(None))
        query = select(func.count()).select_from(_a).where(_a.c.gateway == gateway, or_(live, given_up))
        return self._c.execute(query).scalar_one()

    def _first(self, condition: ColumnElement[bool]) -> Attempt | None:
        row = self._one(select(_a).where(condition))
        return mapping.load(Attempt, row) if row is not None else None
