"""Facts, bindings and sightings: only ever added."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from sqlalchemy import and_, bindparam, func, literal_column, select

from pos.domain.facts import Fact, Kind, Sighting, Source
from pos.domain.joins import Bundle, order_of
from pos.domain.order import Order
from pos.domain.payment import Attempt, parse_reference
from pos.domain.refund import Refund
from pos.domain.store_port import Parked, Touch
from pos.store import mapping, tables
from pos.store.repositories.attempts import AttemptRows
from pos.store.repositories.base import Rows, parts
from pos.store.repositories.money import MoneyRows
from pos.store.repositories.orders import OrderRows

_f = tables.fact
_s = tables.sighting
_p = tables.parked
_FACT = mapping.Loader(Fact, _f)
_IDS = select(_f.c.id)
_ENDS = select(_f.c.target, _f.c.object, _f.c.kind)
_BY_SEQ = select(*_FACT.columns).order_by(_f.c.seq)
_IN_WINDOW = _BY_SEQ.where(
    _f.c.gateway == bindparam("gateway"),
    _f.c.kind == literal_column(f"'{Kind.PAYMENT_CAPTURED}'"),
    _f.c.at_ms >= bindparam("from_ms"),
    _f.c.at_ms < bindparam("to_ms"),
)
_WITH_SEQ = select(_f.c.seq, *_FACT.columns)
_ORDERS = select(tables.orders.c.id)
_REFUNDS = select(tables.refund.c.id, tables.refund.c.order_id)
RANGES_AT_ONCE = 100
AFTER_LOW_LINE = chr(ord("_") + 1)
TO_PAYMENT = (Kind.REFUND_OF_PAYMENT, Kind.DISPUTE_OF_PAYMENT)
REFUND_ENDS = (Kind.REFUND_SUCCEEDED, Kind.REFUND_FAILED, Kind.REFUND_REVERSED)
OF_PAYMENT = (Kind.PAYMENT_OF_LINK, Kind.PAYMENT_OF_REFERENCE, Kind.PAYMENT_ATTACHED)
_BINDINGS = _BY_SEQ.where(_f.c.kind.in_([literal_column(f"'{kind}'") for kind in OF_PAYMENT]))


class FactRows(Rows):
    def add(self, facts: Sequence[Fact], sighting: Sighting) -> list[Fact]:
        unique = {fact.id: fact for fact in facts}
        known = {key for (key,) in self._among(_IDS, _f.c.id, unique)}
        new = {key: fact for key, fact in unique.items() if key not in known}
        seen_at_ms = sighting.seen_at_ms
        rows = [mapping.dump(fact, id=key, seen_at_ms=seen_at_ms) for key, fact in new.items()]
        self._insert_all(_f, rows, new_only=True)
        seen = mapping.dump(sighting)
        self._insert_all(_s, [{**seen, "fact_id": key} for key in unique], new_only=True)
        return list(new.values())

    def touched_by(self, facts: Sequence[Fact]) -> list[Touch]:
        others = {f.object for f in facts if f.kind.startswith(("refund.", "dispute.")) and not f.kind.is_binding}
        lines = {(f.gateway, f.object) for f in facts if f.kind is Kind.PAYOUT_INCLUDED}
        others |= {thing for _, thing in lines}
        of_others = self._payments_of(others)
        payments = {(f.gateway, f.object) for f in facts if f.kind.startswith("payment.")}
        payments |= lines.union((f.gateway, f.target) for f in facts if f.kind in TO_PAYMENT)
        claims = self._claims(payments.union(*of_others.values()))
        rows = self._refund_rows({f.target for f in facts if f.kind is Kind.REFUND_OF_OURS} | others)
        links = self._attempts.owners({(f.gateway, f.object) for f in facts if f.kind.startswith("link.")})
        found = []
        for fact in facts:
            if fact.kind.startswith("payment."):
                found.append(claims[(fact.gateway, fact.object)])
            elif fact.kind in TO_PAYMENT:
                found.append(Touch(claims[(fact.gateway, fact.target)].orders))
            elif fact.kind.startswith("link."):
                found.append(Touch(frozenset({links.get((fact.gateway, fact.object), "")} - {""})))
            else:
                row = rows.get(fact.target if fact.kind is Kind.REFUND_OF_OURS else fact.object, "")
                said = [claims[payment].orders for payment in of_others.get(fact.object, ())]
                said += [claims[key].orders for key in lines & {(fact.gateway, fact.object)}]
                found.append(Touch(frozenset({row}.union(*said) - {""})))
        return found

    def bundle(self, order_id: str, locked: Order | None = None) -> Bundle:
        order = locked or OrderRows(self._c).get(order_id)
        assert order is not None
        return self.bundles([order])[0]

    def bundles(self, orders: Sequence[Order]) -> list[Bundle]:
        ids = [order.id for order in orders]
        attempts = self._attempts.of_orders(ids)
        money = MoneyRows(self._c)
        refunds, tenders = money.refunds_of(ids), money.tenders_of(ids)
        facts = self._about(self._named(attempts, refunds))
        links = {(f.gateway, f.target) for own in facts.values() for f in own if f.kind is Kind.PAYMENT_OF_LINK}
        owners = self._attempts.owners(links)
        attached = {order_id: _named_beside_a_person(own) for order_id, own in facts.items()}
        here = self._here(set[str]().union(*attached.values()))
        found = []
        for order in orders:
            own = facts[order.id]
            tied = {(f.gateway, f.target) for f in own if f.kind is Kind.PAYMENT_OF_LINK} & owners.keys()
            known = {link: owners[link] for link in tied}
            absent = frozenset(attached[order.id] - here)
            found.append(Bundle(order, attempts[order.id], own, tenders[order.id], refunds[order.id], known, absent))
        return found

    def of_payments(self, payments: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Fact]]:
        found: dict[tuple[str, str], list[Fact]] = {payment: [] for payment in payments}
        names = {payment for _, payment in payments}
        rows = {row[0]: row for end in (_f.c.object, _f.c.target) for row in self._among(_WITH_SEQ, end, names)}
        for _, row in sorted(rows.items()):
            fact = _FACT.make(row[1:])
            for end in {fact.object, fact.target} & names:
                if (fact.gateway, end) in found:
                    found[(fact.gateway, end)].append(fact)
        return found

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

    def park(self, parked: Sequence[Parked]) -> None:
        self._put_all(_p, [mapping.dump(row) for row in parked])

    def unpark(self, payments: Collection[tuple[str, str]]) -> None:
        for gateway in sorted({gateway for gateway, _ in payments}):
            for part in parts({payment for name, payment in payments if name == gateway}):
                self._c.execute(_p.delete().where(_p.c.gateway == gateway, _p.c.payment.in_(part)))

    def parked(self, from_ms: int | None = None, to_ms: int | None = None) -> list[Parked]:
        query = select(_p).order_by(_p.c.at_ms)
        if from_ms is not None:
            query = query.where(_p.c.at_ms >= from_ms)
        if to_ms is not None:
            query = query.where(_p.c.at_ms < to_ms)
        return [mapping.load(Parked, row) for row in self._all(query)]

    def in_window(self, gateway: str, from_ms: int, to_ms: int) -> list[Fact]:
        """Captures of a gateway whose own time lies in the window."""
        return _FACT.all(self._read(_IN_WINDOW, gateway=gateway, from_ms=from_ms, to_ms=to_ms))

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

    @cached_property
    def _attempts(self) -> AttemptRows:
        return AttemptRows(self._c)

    def _payments_of(self, others: Collection[str]) -> dict[str, set[tuple[str, str]]]:
        """(gateway, payment) that refunds and disputes are known to be of."""
        found: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for part in parts(others):
            query = select(_f.c.object, _f.c.gateway, _f.c.target).where(
                _f.c.object.in_(part), _f.c.kind.in_(TO_PAYMENT)
            )
            for other, gateway, payment in self._c.execute(query):
                found[other].add((gateway, payment))
        return found

    def _claims(self, payments: Collection[tuple[str, str]]) -> dict[tuple[str, str], Touch]:
        """Which orders here each payment is said to be of, and of which of them it is."""
        bindings: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        for fact in _FACT.all(self._among(_BINDINGS, _f.c.object, {payment for _, payment in payments})):
            bindings[(fact.gateway, fact.object)].append(fact)
        bindings = {key: bindings.get(key, []) for key in payments}
        tied = [f for own in bindings.values() for f in own if f.kind is Kind.PAYMENT_OF_LINK]
        links = self._attempts.owners({(f.gateway, f.target) for f in tied})
        said = {key: {order_of([f], links)[0] for f in own} - {""} for key, own in bindings.items()}
        attached = {key: _named_beside_a_person(own) for key, own in bindings.items()}
        here = self._here(set[str]().union(*said.values(), *attached.values()))
        claims = {}
        for key, own in bindings.items():
            owner, _ = order_of(own, links, frozenset(attached[key] - here))
            claims[key] = Touch(frozenset(said[key] & here), owner if owner in here else "")
        return claims

    def _here(self, order_ids: Collection[str]) -> set[str]:
        """Which of these orders are in these books."""
        return {order_id for (order_id,) in self._among(_ORDERS, tables.orders.c.id, order_ids)}

    def _refund_rows(self, ids: Collection[str]) -> dict[str, str]:
        """Whose order a refund row of ours is."""
        return dict(self._among(_REFUNDS, tables.refund.c.id, ids))

    def _named(
        self, attempts: Mapping[str, Sequence[Attempt]], refunds: Mapping[str, Sequence[Refund]]
    ) -> dict[str, set[str]]:
        """For each order, what its facts are of: payments that are bound to it, its refunds and its links."""
        named = {order_id: {refund.id for refund in own} for order_id, own in refunds.items()}
        for order_id, payment in self._bound_to(attempts):
            named[order_id].add(payment)
        of_target = _turned(named)
        for target, other, kind in self._among(_ENDS, _f.c.target, of_target):
            if kind in (*TO_PAYMENT, Kind.REFUND_OF_OURS):
                for order_id in of_target[target]:
                    named[order_id].add(other)
        for order_id, own in attempts.items():
            named[order_id] |= {a.link_id for a in own if a.link_id}
        return named

    def _bound_to(self, attempts: Mapping[str, Sequence[Attempt]]) -> Iterator[tuple[str, str]]:
        """(order, payment) by any reference of the order, and by its links.

        Kinds are looked at here: asked for in SQL they tempt the planner to read every fact of that kind.
        """
        for part in parts(attempts, RANGES_AT_ONCE):
            for target, payment, kind in self._rows(*self._by_reference(part)):
                if kind in OF_PAYMENT:
                    yield target.partition("_")[0], payment
        of_link = _turned({order_id: [a.link_id for a in own if a.link_id] for order_id, own in attempts.items()})
        for link, payment, kind in self._among(_ENDS, _f.c.target, of_link):
            if kind == Kind.PAYMENT_OF_LINK:
                yield from ((order_id, payment) for order_id in of_link[link])

    def _by_reference(self, order_ids: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """Facts whose target starts with `<order id>_`, as text and parameters for the driver.

        Each order is a range: an index serves it, where LIKE with an escape would read every binding of the shop. As
        text, since an expression of so many parts takes longer to put together than to run.
        """
        mark = "?" if self._is_sqlite else "%s"
        ranges = " OR ".join([f"(target >= {mark} AND target < {mark})"] * len(order_ids))
        ends = tuple(end for order_id in order_ids for end in (order_id + "_", order_id + AFTER_LOW_LINE))
        return f"SELECT target, object, kind FROM fact WHERE {ranges}", ends  # noqa: S608 - marks alone

    def _about(self, named: Mapping[str, Collection[str]]) -> dict[str, list[Fact]]:
        """Every fact of what is named, for each order, in the order in which they came."""
        found: dict[str, list[Fact]] = {order_id: [] for order_id in named}
        of_object = _turned(named)
        for row in sorted(self._among(_WITH_SEQ, _f.c.object, of_object), key=operator.itemgetter(0)):
            fact = _FACT.make(row[1:])
            for order_id in of_object[fact.object]:
                found[order_id].append(fact)
        return found


def _named_beside_a_person(facts: Iterable[Fact]) -> set[str]:
    """Orders that references name, where a person attached the payment: those that are not here do not outrank that."""
    own = list(facts)
    if not any(fact.kind is Kind.PAYMENT_ATTACHED for fact in own):
        return set()
    said = (parse_reference(fact.target) for fact in own if fact.kind is Kind.PAYMENT_OF_REFERENCE)
    return {parsed[0] for parsed in said if parsed}


def _turned(named: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """For each name, who named it."""
    found: dict[str, list[str]] = defaultdict(list)
    for owner, names in named.items():
        for name in names:
            found[name].append(owner)
    return found
