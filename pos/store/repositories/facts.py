"""Facts, bindings and sightings: only ever added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select

from pos.domain.facts import Fact, Kind, Sighting, Source
from pos.domain.order import Order
from pos.domain.payment import Attempt, parse_reference
from pos.domain.refund import Refund
from pos.domain.store_port import Parked
from pos.domain.verdict import Bundle, order_of
from pos.store import mapping, tables
from pos.store.repositories.base import Rows
from pos.store.repositories.money import MoneyRows
from pos.store.repositories.orders import OrderRows

_f = tables.fact
_s = tables.sighting
_a = tables.attempt
_p = tables.parked
ADD_AT_ONCE = 1_000
"""Rows of one INSERT: SQLite takes 32,766 parameters, PostgreSQL 65,535."""
TO_PAYMENT = (Kind.REFUND_OF_PAYMENT, Kind.DISPUTE_OF_PAYMENT)
REFUND_ENDS = (Kind.REFUND_SUCCEEDED, Kind.REFUND_FAILED, Kind.REFUND_REVERSED)
OF_PAYMENT = (Kind.PAYMENT_OF_LINK, Kind.PAYMENT_OF_REFERENCE, Kind.PAYMENT_ATTACHED)


def _starts_with(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """As a range: an index serves it, where LIKE with an escape would read every binding of the shop."""
    after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return and_(column >= prefix, column < after)


class FactRows(Rows):
    def add(self, facts: Sequence[Fact], sighting: Sighting) -> list[Fact]:
        unique = {fact.id: fact for fact in facts}
        if not unique:
            return []
        rows = [mapping.dump(fact, id=key, seen_at_ms=sighting.seen_at_ms) for key, fact in unique.items()]
        new: set[str] = set()
        for start in range(0, len(rows), ADD_AT_ONCE):
            part = rows[start : start + ADD_AT_ONCE]
            # rows as parameters: the statement is compiled once for ever, not once per number of rows
            new.update(self._c.execute(self._insert_new(_f).returning(_f.c.id), part).scalars())
            seen = [mapping.dump(sighting, fact_id=row["id"]) for row in part]
            self._c.execute(self._insert_new(_s), seen)
        return [fact for key, fact in unique.items() if key in new]

    def orders_of(self, facts: Sequence[Fact]) -> set[str]:
        payments = {(f.gateway, f.object) for f in facts if f.kind.startswith("payment.")}
        payments |= {(f.gateway, f.target) for f in facts if f.kind in TO_PAYMENT}
        others = {f.object for f in facts if f.kind.startswith(("refund.", "dispute.")) and not f.kind.is_binding}
        if others:
            query = select(_f.c.gateway, _f.c.target).where(_f.c.object.in_(others), _f.c.kind.in_(TO_PAYMENT))
            payments |= {(row["gateway"], row["target"]) for row in self._all(query)}
        found = {owner for gateway, payment in payments if (owner := self._owner(gateway, payment))}
        found |= self._by_refund_rows({f.target for f in facts if f.kind is Kind.REFUND_OF_OURS} | others)
        found |= self._by_links({(f.gateway, f.object) for f in facts if f.kind.startswith("link.")})
        return found

    def bundle(self, order_id: str, locked: Order | None = None) -> Bundle:
        order = locked or OrderRows(self._c).get(order_id)
        assert order is not None
        attempts = [mapping.load(Attempt, row) for row in self._all(select(_a).where(_a.c.order_id == order_id))]
        money = MoneyRows(self._c)
        refunds = money.refunds(order_id)
        payments = self._payments(order_id, attempts)
        facts = self._about(payments, attempts, refunds)
        links = self._link_owners({(f.gateway, f.target) for f in facts if f.kind is Kind.PAYMENT_OF_LINK})
        sorted_attempts = sorted(attempts, key=lambda a: a.no)
        tenders, absent = money.tenders(order_id), self._absent(facts)
        return Bundle(order, sorted_attempts, facts, tenders, refunds, links, absent)

    def of_payment(self, gateway: str, payment: str) -> list[Fact]:
        where = and_(_f.c.gateway == gateway, or_(_f.c.object == payment, _f.c.target == payment))
        return self._facts(where)

    def unbound(self, gateway: str, payments: Sequence[str]) -> list[str]:
        here = and_(_f.c.gateway == gateway, _f.c.object.in_(payments))
        bound = select(_f.c.object).where(here, _f.c.kind.in_(OF_PAYMENT))
        asked = select(_f.c.object).join(_s, _s.c.fact_id == _f.c.id).where(here, _s.c.source == Source.FETCH)
        known = set(self._c.execute(bound).scalars()) | set(self._c.execute(asked).scalars())
        return [payment for payment in payments if payment not in known]

    def timeline(self, order_id: str) -> list[tuple[Fact, Sighting]]:
        ids = [fact.id for fact in self.bundle(order_id).facts]
        query = select(_f, _s.c.source, _s.c.hint, _s.c.raw_sha256, _s.c.seen_at_ms.label("sighted_at_ms"))
        query = query.join(_s, _s.c.fact_id == _f.c.id).where(_f.c.id.in_(ids)).order_by(_s.c.id)
        return [
            (mapping.load(Fact, row), mapping.load(Sighting, row, seen_at_ms=row["sighted_at_ms"]))
            for row in self._all(query)
        ]

    def park(self, parked: Parked) -> None:
        self._put(_p, mapping.dump(parked))

    def unpark(self, gateway: str, payment: str) -> None:
        self._c.execute(_p.delete().where(_p.c.gateway == gateway, _p.c.payment == payment))

    def parked(self, from_ms: int | None = None, to_ms: int | None = None) -> list[Parked]:
        query = select(_p).order_by(_p.c.at_ms)
        if from_ms is not None:
            query = query.where(_p.c.at_ms >= from_ms)
        if to_ms is not None:
            query = query.where(_p.c.at_ms < to_ms)
        return [mapping.load(Parked, row) for row in self._all(query)]

    def in_window(self, gateway: str, from_ms: int, to_ms: int) -> list[Fact]:
        """Captures of a gateway whose own time lies in the window."""
        where = and_(_f.c.gateway == gateway, _f.c.kind == Kind.PAYMENT_CAPTURED)
        return self._facts(and_(where, _f.c.at_ms >= from_ms, _f.c.at_ms < to_ms))

    def refunds_pending(self, gateway: str) -> int:
        ended = select(_f.c.object).where(_f.c.gateway == gateway, _f.c.kind.in_(REFUND_ENDS))
        pending = and_(_f.c.gateway == gateway, _f.c.kind == Kind.REFUND_PENDING, _f.c.object.not_in(ended))
        return self._c.execute(select(func.count(_f.c.object.distinct())).where(pending)).scalar_one()

    def last_webhook_ms(self, gateway: str) -> int | None:
        query = select(func.max(_s.c.seen_at_ms)).join(_f, _f.c.id == _s.c.fact_id)
        query = query.where(_f.c.gateway == gateway, _s.c.hint.like("webhook:%"))
        return self._c.execute(query).scalar()

    def all(self) -> list[tuple[Fact, int]]:
        rows = self._all(select(_f).order_by(_f.c.seq))
        return [(mapping.load(Fact, row), row["seen_at_ms"]) for row in rows]

    def sightings(self) -> list[tuple[str, Sighting]]:
        rows = self._all(select(_s).order_by(_s.c.id))
        return [(row["fact_id"], mapping.load(Sighting, row)) for row in rows]

    def _facts(self, where: ColumnElement[bool]) -> list[Fact]:
        return [mapping.load(Fact, row) for row in self._all(select(_f).where(where).order_by(_f.c.seq))]

    def _owner(self, gateway: str, payment: str) -> str:
        """The order here that a payment belongs to, by its bindings; "" if none of ours."""
        bindings = self._facts(and_(_f.c.gateway == gateway, _f.c.object == payment, _f.c.kind.in_(OF_PAYMENT)))
        links = self._link_owners({(f.gateway, f.target) for f in bindings if f.kind is Kind.PAYMENT_OF_LINK})
        owner, _ = order_of(bindings, links, self._absent(bindings))
        known = select(tables.orders.c.id).where(tables.orders.c.id == owner)
        return owner if owner and self._c.execute(known).scalar() else ""

    def _absent(self, facts: Sequence[Fact]) -> frozenset[str]:
        """Where a person attached a payment: the orders that its references name and that are not here."""
        if not any(fact.kind is Kind.PAYMENT_ATTACHED for fact in facts):
            return frozenset()
        said = (parse_reference(fact.target) for fact in facts if fact.kind is Kind.PAYMENT_OF_REFERENCE)
        named = {parsed[0] for parsed in said if parsed}
        o = tables.orders
        return frozenset(named - set(self._c.execute(select(o.c.id).where(o.c.id.in_(named))).scalars()))

    def _by_refund_rows(self, ids: Iterable[str]) -> set[str]:
        r, wanted = tables.refund, list(ids)
        return set(self._c.execute(select(r.c.order_id).where(r.c.id.in_(wanted))).scalars()) if wanted else set()

    def _by_links(self, links: set[tuple[str, str]]) -> set[str]:
        return set(self._link_owners(links).values())

    def _link_owners(self, links: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
        if not links:
            return {}
        query = select(_a.c.gateway, _a.c.link_id, _a.c.order_id).where(_a.c.link_id.in_([link for _, link in links]))
        rows = {(row["gateway"], row["link_id"]): row["order_id"] for row in self._all(query)}
        return {key: owner for key, owner in rows.items() if key in links}

    def _payments(self, order_id: str, attempts: Sequence[Attempt]) -> set[str]:
        links = [a.link_id for a in attempts if a.link_id]
        # kinds are looked at here: asked for in SQL they tempt the planner to read every fact of that kind
        wanted = _starts_with(_f.c.target, order_id + "_")
        found = {f.object for f in self._facts(wanted) if f.kind in OF_PAYMENT}
        if not links:
            return found
        return found | {f.object for f in self._facts(_f.c.target.in_(links)) if f.kind is Kind.PAYMENT_OF_LINK}

    def _about(self, payments: set[str], attempts: Sequence[Attempt], refunds: Sequence[Refund]) -> list[Fact]:
        links = [a.link_id for a in attempts if a.link_id]
        ours = [refund.id for refund in refunds]
        kinds = {*TO_PAYMENT, Kind.REFUND_OF_OURS}
        named = [*payments, *ours]
        others = {f.object for f in self._facts(_f.c.target.in_(named)) if f.kind in kinds} if named else set()
        objects = [*named, *others, *links]
        return self._facts(_f.c.object.in_(objects)) if objects else []
