"""Attempts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import Executable, Integer, and_, bindparam, case, func, literal_column, or_, select, text

from pos.domain.errors import Broken
from pos.domain.payment import ALLOWED, FAILED_PAUSE_MAX_MS, PAUSE_MAX_MS, Attempt, Phase
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_a = tables.attempt
_ATTEMPT = mapping.Loader(Attempt, _a)
_ALL = select(*_ATTEMPT.columns)
_BY_NO = _ALL.order_by(_a.c.no)
_BY_ID = _ALL.where(_a.c.id == bindparam("id"))
_BY_LINK = _ALL.where(_a.c.gateway == bindparam("gateway"), _a.c.link_id == bindparam("link"))
_BY_REFERENCE = _ALL.where(_a.c.reference == bindparam("reference"))
_o = tables.orders
_WITH_ORDER = _ALL.join(_o, _o.c.id == _a.c.order_id)
_AHEAD = func.coalesce(_a.c.looked_at_ms, _a.c.drafted_at_ms) > bindparam("now_ms")
_SET_BACK = case(
    (_a.c.looks_failed > 0, _a.c.look_due_at_ms > bindparam("failed_ms")),
    else_=or_(_AHEAD, _a.c.look_due_at_ms > bindparam("ahead_ms")),
)
_MINE = and_(or_(_a.c.look_due_at_ms <= bindparam("now_ms"), _SET_BACK), _o.c.till == bindparam("till"))
_DUE = (
    _WITH_ORDER.where(_a.c.look_due_at_ms > 0, or_(_MINE, _a.c.look_due_at_ms <= bindparam("left_ms")))
    .order_by(_a.c.look_due_at_ms)
    .limit(bindparam("limit", type_=Integer))
)
_NEXT_DUE = _WITH_ORDER.with_only_columns(func.min(_a.c.look_due_at_ms)).where(_o.c.till == bindparam("till"))
# the words stand in the text, not as a parameter, so that the partial index of links serves this
_LINKS = select(_a.c.link_id, _a.c.order_id).where(_a.c.gateway == bindparam("gateway"), text("attempt.link_id <> ''"))
FOR_EVER = frozenset({"id", "order_id", "no", "key", "reference"})
"""What an attempt is: set when it is drafted, left alone by every later change."""
ACCOUNTS_MAX = 10
"""Accounts at one gateway that a shop has used, of which the last are remembered."""
LEFT_WAITING_MS = 5 * 60_000
"""So late a look is no longer left to the order's own till: it may be gone, or be called otherwise now."""


_BEFORE = {
    phase: sorted(before.value for before in Phase if before is phase or phase in ALLOWED[before]) for phase in Phase
}
"""The stored phases that each phase may follow."""


@dataclass(frozen=True)
class _Moving:
    """An attempt's new values, where its phase may follow the stored one."""

    to: Phase

    def __call__(self, _insert: object) -> Executable:
        values: dict[str, Any] = {c.name: bindparam(c.name) for c in _ATTEMPT.columns if c.name not in FOR_EVER}
        may_follow = _a.c.phase.in_([literal_column(f"'{phase}'") for phase in _BEFORE[self.to]])
        return _a.update().where(_a.c.id == bindparam("attempt_id"), may_follow).values(values)


class AttemptRows(Rows):
    def insert(self, attempt: Attempt) -> None:
        self._insert(_a, mapping.dump(attempt))

    def update(self, attempt: Attempt) -> None:
        self.update_all([attempt])

    def update_all(self, attempts: Collection[Attempt]) -> None:
        """Store attempts, each once; the phase may only move as `ALLOWED` says."""
        for phase in dict.fromkeys(attempt.phase for attempt in attempts):
            moved = [attempt for attempt in attempts if attempt.phase is phase]
            stored = self._run_all(_Moving(phase), [mapping.dump(a, attempt_id=a.id) for a in moved])
            if stored != len(moved):
                self._refuse(moved)

    def _refuse(self, attempts: Sequence[Attempt]) -> NoReturn:
        """One of them at least may not be what it would be."""
        rows = self._c.execute(select(_a.c.id, _a.c.phase).where(_a.c.id.in_([a.id for a in attempts])))
        stored = {name: Phase(phase) for name, phase in rows}
        wrong = next(a for a in attempts if stored[a.id].value not in _BEFORE[a.phase])
        raise Broken(f"An attempt cannot go from {stored[wrong.id]} to {wrong.phase}.", "Please report this.")

    def get(self, attempt_id: str) -> Attempt | None:
        return self._first(_BY_ID, id=attempt_id)

    def of_order(self, order_id: str) -> list[Attempt]:
        return self.of_orders([order_id])[order_id]

    def of_orders(self, order_ids: Collection[str]) -> dict[str, list[Attempt]]:
        found: dict[str, list[Attempt]] = {order_id: [] for order_id in order_ids}
        for attempt in _ATTEMPT.all(self._among(_BY_NO, _a.c.order_id, order_ids)):
            found[attempt.order_id].append(attempt)
        return found

    def owners(self, links: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for gateway in sorted({gateway for gateway, _ in links}):
            mine = {link for name, link in links if name == gateway}
            rows = self._among(_LINKS, _a.c.link_id, mine, gateway)
            found |= {(gateway, link): order_id for link, order_id in rows}
        return found

    def by_link(self, gateway: str, link_id: str) -> Attempt | None:
        return self._first(_BY_LINK, gateway=gateway, link=link_id)

    def by_reference(self, reference: str) -> Attempt | None:
        return self._first(_BY_REFERENCE, reference=reference)

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
        left_ms, ahead_ms, failed_ms = now_ms - LEFT_WAITING_MS, now_ms + PAUSE_MAX_MS, now_ms + FAILED_PAUSE_MAX_MS
        times = {"now_ms": now_ms, "left_ms": left_ms, "ahead_ms": ahead_ms, "failed_ms": failed_ms}
        return _ATTEMPT.all(self._read(_DUE, till=till, limit=limit, **times))

    def next_due_ms(self, till: str) -> int | None:
        found: int | None = self._read(_NEXT_DUE, till=till)[0][0]
        return found

    def unsettled(self, gateway: str) -> int:
        live = text(f"attempt.phase IN {tables.LIVE_PHASES}")
        given_up = and_(_a.c.phase == Phase.RELEASED.value, _a.c.fenced_at_ms.is_(None))
        query = select(func.count()).select_from(_a).where(_a.c.gateway == gateway, or_(live, given_up))
        return self._c.execute(query).scalar_one()

    def _first(self, query: Any, **given: str) -> Attempt | None:
        return next(iter(_ATTEMPT.all(self._read(query, **given))), None)
