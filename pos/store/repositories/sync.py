"""What the background work must remember: hints, the relay's cursor, watermarks, sweeps, leases."""

from __future__ import annotations

from sqlalchemy import Connection, Executable, Integer, and_, bindparam, func, or_, select

from pos.domain.store_port import CALL_AHEAD_MS, Hint, SweepRun
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_h = tables.hint
_m = tables.meta
_w = tables.watermark
_s = tables.sweep_run
_l = tables.lease
_HINTS = (
    select(_h)
    .where(or_(_h.c.next_at_ms <= bindparam("now_ms"), _h.c.next_at_ms > bindparam("ahead_ms")))
    .order_by(_h.c.next_at_ms)
    .limit(bindparam("limit", type_=Integer))
)
_META = select(_m.c.value).where(_m.c.key == bindparam("key"))
_CURSOR = (
    select(_m.c.value)
    .where(_m.c.key.in_([bindparam("key"), "relay_cursor"]))
    .order_by(func.length(_m.c.key).desc())
    .limit(1)
)
_WATERMARK = select(_w.c.at_ms).where(_w.c.gateway == bindparam("gateway"))
_FIRST_ORDER = select(func.min(tables.orders.c.created_at_ms))
LEASE_MAX_MS = 13 * 3_600_000
"""No lease is longer (sweeps are at most 12 hours apart): one that says so is from before the clock was set back."""


def _drop(_insert: object) -> Executable:
    return _h.delete().where(_h.c.id == bindparam("hint_id"))


class SyncRows(Rows):
    def __init__(self, connection: Connection, till: str) -> None:
        super().__init__(connection)
        self._cursor_key = f"relay_cursor:{till}"
        self._furthest_key = f"relay_furthest:{till}"

    def put_hint(self, hint: Hint) -> None:
        self._insert_all(_h, [mapping.dump(hint)], new_only=True)

    def hints(self, now_ms: int, limit: int) -> list[Hint]:
        ahead_ms = now_ms + CALL_AHEAD_MS
        return [
            mapping.load(Hint, row) for row in self._read_named(_HINTS, now_ms=now_ms, ahead_ms=ahead_ms, limit=limit)
        ]

    def claim_hint(self, hint: Hint, next_at_ms: int) -> bool:
        where = and_(_h.c.id == hint.id, _h.c.tries == hint.tries, _h.c.next_at_ms == hint.next_at_ms)
        change = _h.update().where(where).values(next_at_ms=next_at_ms, tries=hint.tries + 1)
        return self._c.execute(change.returning(_h.c.id)).first() is not None

    def drop_hint(self, hint_id: str) -> None:
        self._run_all(_drop, [{"hint_id": hint_id}])

    def cursor(self) -> str:
        # the plain key is from before tills shared their books; the longer one goes before it
        return self._value(_CURSOR, key=self._cursor_key) or ""

    def set_cursor(self, cursor: str) -> None:
        """Forward within an epoch (I11): an event that was slower than one behind it does not take the place back."""
        if not _goes_back(cursor, self.furthest_cursor()):
            for key in (self._cursor_key, self._furthest_key):
                self._put(_m, {"key": key, "value": cursor})

    def furthest_cursor(self) -> str:
        return self._value(_META, key=self._furthest_key) or ""

    def watermark(self, gateway: str) -> int | None:
        found: int | None = self._value(_WATERMARK, gateway=gateway)
        return found

    def set_watermark(self, gateway: str, at_ms: int) -> None:
        self._put(_w, {"gateway": gateway, "at_ms": at_ms})

    def put_run(self, run: SweepRun) -> None:
        self._put(_s, mapping.dump(run))

    def last_run(self, gateway: str = "", *, complete: bool = False) -> SweepRun | None:
        query = select(_s).where(_s.c.ended_at_ms.is_not(None)).order_by(_s.c.ended_at_ms.desc()).limit(1)
        if gateway:
            query = query.where(_s.c.gateway == gateway)
        if complete:
            query = query.where(_s.c.complete.is_(True))
        row = self._one(query)
        return mapping.load(SweepRun, row) if row is not None else None

    def first_order_ms(self) -> int | None:
        """When the first order here was made, before which no report has anything for us; None where there is none."""
        found: int | None = self._read(_FIRST_ORDER)[0][0]
        return found

    def reached_back_ms(self, gateway: str, since_ms: int) -> int | None:
        """How far back the complete runs that began after `since_ms` have read."""
        recent = (_s.c.ended_at_ms >= since_ms, _s.c.started_at_ms >= since_ms)
        query = select(func.min(_s.c.from_ms)).where(*recent, _s.c.gateway == gateway, _s.c.complete.is_(True))
        found = self._c.execute(query).scalar()
        return None if found is None else int(found)

    def touched_since(self, touch: int, limit: int) -> tuple[list[tuple[str, int]], int]:
        o = tables.orders
        query = select(o.c.id, o.c.version).where(o.c.touch > touch).order_by(o.c.touch.desc()).limit(limit)
        newest = self._c.execute(select(func.coalesce(func.max(o.c.touch), 0))).scalar_one()
        return [(row.id, row.version) for row in self._c.execute(query).all()], int(newest)

    def take_lease(self, name: str, owner: str, now_ms: int, lease_ms: int) -> bool:
        """True when the lease is ours now: it was free, ours, over, or from before our clock was set back."""
        self._c.execute(self._insert_new(_l).values(name=name, owner=owner, until_ms=0))
        free = or_(_l.c.owner == owner, _l.c.until_ms < now_ms, _l.c.until_ms > now_ms + LEASE_MAX_MS)
        statement = _l.update().where(_l.c.name == name, free).values(owner=owner, until_ms=now_ms + lease_ms)
        return self._c.execute(statement.returning(_l.c.name)).first() is not None


def _goes_back(cursor: str, furthest: str) -> bool:
    """`<epoch>:<seq>:<tag>`: a place before the furthest one of the same epoch. A start without any is none."""
    epoch, _, rest = cursor.partition(":")
    before, _, rest_before = furthest.partition(":")
    return epoch == before and _seq(rest) < _seq(rest_before)


def _seq(rest: str) -> int:
    number = rest.partition(":")[0]
    return int(number) if number.isdecimal() else 0
