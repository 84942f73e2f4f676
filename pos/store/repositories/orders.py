"""Orders and their revisions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, exists, or_, select, text

from pos.domain.basket import Line
from pos.domain.cash import Method
from pos.domain.errors import NotFound
from pos.domain.facts import Kind
from pos.domain.order import Order
from pos.domain.payment import Attempt
from pos.domain.rows import Cached, OrderFilter, OrderLine
from pos.store import mapping, tables
from pos.store.repositories.base import Rows, parts

_o = tables.orders
_r = tables.revision
_a = tables.attempt
_ORDER = mapping.Loader(Order, _o)
_ID, _REVISION = ([column.name for column in _ORDER.columns].index(name) for name in ("id", "revision"))
_CACHED = mapping.Loader(Cached, _o)
_ONE = select(*_ORDER.columns).limit(1)
_BY_ID = _ONE.where(_o.c.id == bindparam("id"))
_BY_KEY = _ONE.where(_o.c.key == bindparam("key"))
_BY_NUMBER = _ONE.where(_o.c.number == bindparam("number"))
_TAX = select(_r.c.tax_included).where(_r.c.order_id == bindparam("order_id")).order_by(_r.c.revision.desc()).limit(1)
_LOCKED = select(*_ORDER.columns).order_by(_o.c.id).with_for_update()
_MONEY = select(_o.c.id, *_CACHED.columns)
_LINES = select(_r.c.order_id, _r.c.revision, _r.c.lines)


class OrderRows(Rows):
    def lock(self, order_id: str) -> Order:
        return self.lock_all([order_id])[0]

    def lock_all(self, order_ids: Collection[str]) -> list[Order]:
        rows = self._among(_LOCKED, _o.c.id, sorted(order_ids))
        if len(rows) != len(order_ids):
            raise NotFound("There is no such order.", "Check the number.")
        return self._orders(rows)

    def get(self, order_id: str) -> Order | None:
        return self._first(_BY_ID, id=order_id)

    def by_key(self, key: str) -> Order | None:
        return self._first(_BY_KEY, key=key)

    def by_number(self, number: str) -> Order | None:
        return self._first(_BY_NUMBER, number=number)

    def next_number(self, till: str) -> str:
        """`<till>-<five digits>`, counting per till; the counter moves in the order's own transaction."""
        return f"{till}-{self._count_up(f'order_number:{till}'):05d}"

    def insert(self, order: Order) -> None:
        self._insert(_o, mapping.dump(order, key=order.key or None, touch=self._touch(), money="unpaid"))

    def update(self, order: Order) -> Order:
        values = mapping.columns(_o, mapping.dump(order, key=order.key or None, touch=self._touch()))
        values["version"] = _o.c.version + 1
        self._c.execute(_o.update().where(_o.c.id == order.id).values(values))
        return replace(order, version=order.version + 1)

    def set_lines(self, order: Order, lines: Sequence[Line], *, tax_included: bool) -> None:
        text = json.dumps([asdict(line) for line in lines], ensure_ascii=False, separators=(",", ":"))
        self._put(
            _r,
            {
                "order_id": order.id,
                "revision": order.revision,
                "total_minor": order.total_minor,
                "tax_included": tax_included,
                "lines": text,
            },
        )

    def freeze(self, order_id: str, revision: int, at_ms: int) -> None:
        where = and_(_r.c.order_id == order_id, _r.c.revision == revision, _r.c.frozen_at_ms.is_(None))
        self._c.execute(_r.update().where(where).values(frozen_at_ms=at_ms))

    def tax_included(self, order_id: str) -> bool:
        return any(included for (included,) in self._read(_TAX, order_id=order_id))

    def cache(self, changes: Mapping[str, Cached]) -> None:
        if changes:
            first = self._touch(len(changes)) - len(changes) + 1
            rows = [
                {**mapping.dump(cached), "order_id": order_id, "touched": touch}
                for touch, (order_id, cached) in enumerate(changes.items(), first)
            ]
            self._run_all(_cache, rows)

    def cached(self, order_ids: Collection[str]) -> dict[str, Cached]:
        rows = self._among(_MONEY, _o.c.id, order_ids)
        return {row[0]: _CACHED.make(row[1:]) for row in rows}

    def ids(self) -> list[str]:
        return list(self._c.execute(select(_o.c.id).order_by(_o.c.id)).scalars())

    def lines_of(self, where: OrderFilter) -> list[OrderLine]:
        query = select(_o).where(*_conditions(where)).order_by(_o.c.created_at_ms.desc(), _o.c.id.desc())
        rows = self._all(query.limit(where.limit))
        ids = [row["id"] for row in rows]
        attempts, methods, flying = self._attempts(ids), self._methods(ids), self._flying(ids)
        return [
            OrderLine(
                mapping.load(Order, {**row, "key": row["key"] or ""}, lines=()),
                mapping.load(Cached, row),
                tuple(attempts.get(row["id"], ())),
                tuple(sorted(methods.get(row["id"], ()))),
                row["id"] in flying,
            )
            for row in rows
        ]

    def _first(self, query: Any, **given: str) -> Order | None:
        return next(iter(self._orders(self._read(query, **given))), None)

    def _orders(self, rows: Sequence[tuple[Any, ...]]) -> list[Order]:
        """With the lines of their revision: read after the rows were locked, so that they are of what is locked."""
        revisions = self._among(_LINES, _r.c.order_id, [row[_ID] for row in rows])
        texts = {(order_id, revision): text for order_id, revision, text in revisions}
        return [_order(row, texts.get((row[_ID], row[_REVISION]), "")) for row in rows]

    def _touch(self, orders: int = 1) -> int:
        """A counter that moves with every order's change, so that other processes can ask "what since?"; its last."""
        return self._count_up("touch", orders)

    def _attempts(self, ids: Sequence[str]) -> dict[str, list[Attempt]]:
        found: dict[str, list[Attempt]] = defaultdict(list)
        for part in parts(ids):
            for row in self._all(select(_a).where(_a.c.order_id.in_(part)).order_by(_a.c.no)):
                found[row["order_id"]].append(mapping.load(Attempt, row))
        return found

    def _methods(self, ids: Sequence[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        t = tables.tender
        for part in parts(ids):
            query = select(t.c.order_id, t.c.method).where(t.c.order_id.in_(part), t.c.method != Method.BY_HAND.value)
            for row in self._all(query.distinct()):
                found[row["order_id"]].add(row["method"])
        return found

    def _flying(self, ids: Sequence[str]) -> set[str]:
        """Orders with a payment that the verdict calls in flight; only those with attempts can have one."""
        f, b = tables.fact, tables.fact.alias()
        over = [Kind.PAYMENT_CAPTURED, Kind.PAYMENT_VOIDED]
        # a failed payment that is authorized later is in flight again: design/payment-truth.md section 2
        after_pending = and_(f.c.kind == Kind.PAYMENT_PENDING, b.c.kind == Kind.PAYMENT_FAILED)
        found: set[str] = set()
        for part in parts(ids):
            done = exists().where(b.c.object == f.c.object, or_(b.c.kind.in_(over), after_pending))
            binding = tables.fact.alias()
            query = (
                select(_a.c.order_id)
                .join(binding, and_(binding.c.target == _a.c.link_id, binding.c.kind == Kind.PAYMENT_OF_LINK))
                .join(f, f.c.object == binding.c.object)
                .where(_a.c.order_id.in_(part), _a.c.phase != "released")
                .where(f.c.kind.in_([Kind.PAYMENT_PENDING, Kind.PAYMENT_AUTHORIZED]), ~done)
            )
            found.update(self._c.execute(query).scalars())
        return found


def _order(row: Any, lines: str) -> Order:
    made = _ORDER.make(row, tuple(Line(**line) for line in json.loads(lines)) if lines else ())
    return made if made.key else replace(made, key="")  # no key is NULL in the books, so that it may be there twice


def _cache(_insert: object) -> Executable:
    """Of one order, by `order_id` and the names of `Cached`."""
    values: dict[str, Any] = {column.name: bindparam(column.name) for column in _CACHED.columns}
    more = {"touch": bindparam("touched"), "version": text("version + 1")}
    return _o.update().where(_o.c.id == bindparam("order_id")).values(values | more)


def _conditions(where: OrderFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.day:
        found.append(_o.c.day == where.day)
    if where.till:
        found.append(_o.c.till == where.till)
    if where.lives:
        found.append(_o.c.life.in_(where.lives))
    if where.monies:
        found.append(_o.c.money.in_(where.monies))
    if where.ids:
        found.append(_o.c.id.in_(where.ids))
    if where.from_ms is not None:
        found.append(_o.c.created_at_ms >= where.from_ms)
    if where.to_ms is not None:
        found.append(_o.c.created_at_ms < where.to_ms)
    if where.live_only:
        # the words stand in the text, not as parameters, so that the partial index of live attempts serves this
        found.append(_o.c.id.in_(select(_a.c.order_id).where(text(f"attempt.phase IN {tables.LIVE_PHASES}"))))
    if where.text:
        found.append(_text_condition(where.text))
    return found


def _text_condition(wanted: str) -> ColumnElement[bool]:
    """Number, id, key, or a payment or link id that belongs to the order."""
    like = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    f = tables.fact
    by_link = exists().where(
        _a.c.order_id == _o.c.id,
        or_(
            _a.c.link_id == wanted,
            exists().where(f.c.object == wanted, f.c.target == _a.c.link_id),
            exists().where(f.c.object == wanted, f.c.target == _a.c.reference),
        ),
    )
    amount = _o.c.total_minor == int(wanted.replace(".", "")) if wanted.replace(".", "").isdigit() else None
    parts = [_o.c.number.like(like, escape="\\"), _o.c.id == wanted, _o.c.key == wanted, by_link]
    return or_(*parts, amount) if amount is not None else or_(*parts)
