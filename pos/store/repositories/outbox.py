"""Calls to be made, and the log of calls made."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Executable, Integer, and_, bindparam, func, or_, select

from pos.domain.ports import Operation, PreparedCall
from pos.domain.store_port import CALL_AHEAD_MS, CallLog, Outgoing
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_x = tables.outbox
_l = tables.call_log

_NOW: ColumnElement[int] = bindparam("now_ms")
_AHEAD: ColumnElement[int] = bindparam("ahead_ms")
_DUE = (
    select(_x)
    .where(_x.c.state == "ready", _x.c.operation != "capture")
    .where(or_(_x.c.next_at_ms <= _NOW, _x.c.next_at_ms > _AHEAD))
    .where(or_(_x.c.owner == "", _x.c.lease_until_ms < _NOW, _x.c.lease_until_ms > _AHEAD))
    .order_by(_x.c.next_at_ms)
    .limit(bindparam("limit", type_=Integer))
)
_CALLS = select(_l).order_by(_l.c.id)
_CALLS_OF = _CALLS.where(_l.c.order_id == bindparam("order_id"))


def _finished(_insert: object) -> Executable:
    return _x.update().where(_x.c.id == bindparam("row_id")).values(state=bindparam("state"), owner=bindparam("owner"))


class OutboxRows(Rows):
    def put(self, row: Outgoing) -> None:
        call = row.call
        values = mapping.dump(row) | {
            "gateway": call.gateway,
            "operation": call.operation.value,
            "method": call.method,
            "path": call.path,
            "headers": json.dumps(call.headers),
            "body": call.body,
            "key": call.key,
        }
        self._insert(_x, values)

    def claim(self, row_id: str, owner: str, now_ms: int, lease_ms: int) -> Outgoing | None:
        over = or_(_x.c.lease_until_ms < now_ms, _x.c.lease_until_ms > now_ms + CALL_AHEAD_MS)
        free = or_(_x.c.owner == "", _x.c.owner == owner, over)
        statement = (
            _x.update()
            .where(_x.c.id == row_id, _x.c.state == "ready", free)
            .values(owner=owner, lease_until_ms=now_ms + lease_ms, tries=_x.c.tries + 1)
            .returning(*_x.c)
        )
        row = self._c.execute(statement).mappings().first()
        return _outgoing(row) if row is not None else None

    def due(self, now_ms: int, limit: int) -> list[Outgoing]:
        """What time alone makes due; captures are sent again only after a look found them still needed."""
        rows = self._read_named(_DUE, now_ms=now_ms, ahead_ms=now_ms + CALL_AHEAD_MS, limit=limit)
        return [_outgoing(row) for row in rows]

    def of_attempt(self, attempt_id: str, operation: str) -> Outgoing | None:
        where = and_(_x.c.attempt_id == attempt_id, _x.c.operation == operation)
        row = self._one(select(_x).where(where).order_by(_x.c.made_at_ms.desc()))
        return _outgoing(row) if row is not None else None

    def of_call(self, attempt_id: str, call: PreparedCall) -> Outgoing | None:
        where = and_(_x.c.attempt_id == attempt_id, _x.c.operation == call.operation.value)
        rows = [_outgoing(row) for row in self._all(select(_x).where(where))]
        return next((row for row in rows if row.call == call), None)

    def of_refund(self, refund_id: str) -> Outgoing | None:
        row = self._one(select(_x).where(_x.c.refund_id == refund_id))
        return _outgoing(row) if row is not None else None

    def refunds_waiting(self, gateway: str) -> int:
        where = and_(_x.c.gateway == gateway, _x.c.state == "ready", _x.c.refund_id != "")
        return self._c.execute(select(func.count()).select_from(_x).where(where)).scalar_one()

    def finish(self, row_id: str, state: str) -> None:
        self._run_all(_finished, [{"row_id": row_id, "state": state, "owner": ""}])

    def again(self, row_id: str, next_at_ms: int) -> None:
        self._c.execute(_x.update().where(_x.c.id == row_id).values(next_at_ms=next_at_ms, owner="", lease_until_ms=0))

    def log(self, line: CallLog) -> None:
        self._insert(_l, mapping.dump(line))

    def calls(self, order_id: str = "") -> list[CallLog]:
        rows = self._read_named(_CALLS_OF, order_id=order_id) if order_id else self._read_named(_CALLS)
        return [mapping.load(CallLog, row) for row in rows]


def _outgoing(row: Any) -> Outgoing:
    call = PreparedCall(
        gateway=row["gateway"],
        operation=Operation(row["operation"]),
        method=row["method"],
        path=row["path"],
        headers=tuple((name, value) for name, value in json.loads(row["headers"])),
        body=bytes(row["body"]),
        key=row["key"],
    )
    return mapping.load(Outgoing, row, call=call)
