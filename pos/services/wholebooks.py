"""Invariants of the books as a whole, beside those of each order (`pos.services.books`). Reads only."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pos.domain import journal
from pos.domain.facts import Fact, Kind, Source
from pos.domain.store_port import Tx
from pos.services.context import ShopSettings
from pos.services.parking import whose


@dataclass(frozen=True, slots=True)
class Break:
    """An invariant that does not hold."""

    invariant: str
    subject: str
    why: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.why}"


CURSOR_PARTS = 3
"""`<epoch>:<seq>:<tag>`"""


def _facts_unchanged(tx: Tx, shop: ShopSettings) -> Iterator[Break]:
    """I10: a fact's id is the digest of what it says; I13: a captured payment has one owner."""
    seen = {fact_id for fact_id, _ in tx.facts.sightings()}
    parked = {(p.gateway, p.payment): p.kind for p in tx.facts.parked()}
    for fact, _ in tx.facts.all():
        if fact.id not in seen:
            yield Break("I10", fact.object, "a fact without a sighting, or changed after it was written")
        if fact.kind is Kind.PAYMENT_CAPTURED:
            owned, kind = bool(tx.facts.touched_by([fact])[0].owner), parked.get((fact.gateway, fact.object), "")
            if owned == bool(kind):
                yield Break(
                    "I13", fact.object, "a captured payment needs exactly one of order, orphan, another, foreign"
                )
            elif kind and kind != _whose_now(tx, shop, fact):
                yield Break("I13", fact.object, f"it is kept as {kind}, and its marks say otherwise")


def _whose_now(tx: Tx, shop: ShopSettings, fact: Fact) -> str:
    payment = (fact.gateway, fact.object)
    return whose(tx, shop, tx.facts.of_payments([payment])[payment])[0]


def _chains_hold(tx: Tx, shop: ShopSettings) -> Iterator[Break]:
    """I12: journal and Z reports are unbroken chains; every closed entry is in exactly one Z."""
    by_till: dict[str, list[journal.Entry]] = {}
    for entry in tx.journal.entries():
        by_till.setdefault(entry.till, []).append(entry)
    for till, entries in by_till.items():
        broken = journal.verify(entries)
        if broken is not None:
            yield Break("I12", f"journal of till {till}", f"entry {broken} does not fit")
    previous: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for z in tx.days.zs():
        before, number = previous.get(z.scope, journal.GENESIS), numbers.get(z.scope, 0) + 1
        if z.no != number or z.previous != before or z.hash != journal.z_hash(before, z.scope, z.no, z.body):
            yield Break("I12", f"{z.scope} {z.no}", "the chain of closed reports is broken")
        previous[z.scope], numbers[z.scope] = z.hash, z.no


def _each_entry_in_its_z(tx: Tx, shop: ShopSettings) -> Iterator[Break]:
    """I12: what a closed Z of a till says moved is what the entries say, each in exactly one."""
    put: dict[str, set[tuple[str, str, int]]] = {}
    for entry in tx.money.entries(open_only=False):
        put.setdefault(entry.z_id, set()).add((entry.kind, entry.subject, entry.amount_minor))
    put.pop("", None)
    for z in tx.days.zs():
        if z.scope.startswith("till:"):
            told = {(e["kind"], e["subject"], e["amount_minor"]) for e in json.loads(z.body)["entries"]}
            if told != put.pop(z.id, set()):
                yield Break("I12", f"{z.scope} {z.no}", "its entries are not what it was closed with")
    for z_id in put:
        yield Break("I12", z_id, "entries are in a Z that does not exist")


def _numbers_without_gaps(tx: Tx, shop: ShopSettings) -> Iterator[Break]:
    """Credit notes of a till are numbered 1, 2, 3 ..."""
    by_till: dict[str, list[str]] = {}
    for note in tx.returns.all():
        by_till.setdefault(note.till, []).append(note.number)
    for till, numbers in by_till.items():
        wanted = {f"{till}-R{no:05d}" for no in range(1, len(numbers) + 1)}
        if set(numbers) != wanted:
            yield Break("returns", f"till {till}", "the numbers of its credit notes have a gap")


def _effects_once(tx: Tx, shop: ShopSettings) -> Iterator[Break]:
    """I9: a receipt, a drawer, each for one thing once."""
    for order_id, effect, subject in tx.money.effects_twice():
        yield Break("I9", order_id, f"{effect} of {subject} was made more than once")


def _cursor_goes_on(tx: Tx, shop: ShopSettings) -> Iterator[Break]:
    """I11: this till's place in the relay's stream never goes back within an epoch."""
    here, furthest = tx.sync.cursor().split(":"), tx.sync.furthest_cursor().split(":")
    known = len(here) == len(furthest) == CURSOR_PARTS and here[0] == furthest[0]
    if known and int(here[1]) < int(furthest[1]):
        yield Break("I11", f"till {shop.till}", f"the relay's cursor went back from {furthest[1]} to {here[1]}")


def _folded_as_reported(tx: Tx, shop: ShopSettings) -> Iterator[Break]:
    """I15: what a complete sweep read of the payments of its window is what their orders are said to have taken.

    From the report's own sightings, by plain addition: nothing of `verdict.fold` is used here.
    """
    reported = {fact_id for fact_id, sighting in tx.facts.sightings() if sighting.source is Source.REPORT}
    windows: dict[str, tuple[int, int]] = {}
    captures: defaultdict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for fact, _ in tx.facts.all():
        if fact.kind is Kind.PAYMENT_CAPTURED and fact.id in reported and _in_a_whole_window(tx, fact, windows):
            for order_id in {tx.facts.touched_by([fact])[0].owner} - {""}:
                if _is_money_of(tx, order_id, fact):
                    known = captures[order_id].get((fact.gateway, fact.object), 0)
                    captures[order_id][(fact.gateway, fact.object)] = max(known, fact.amount_minor or 0)
    for order_id, payments in captures.items():
        told, kept = sum(payments.values()), tx.orders.cached([order_id])[order_id].captured_minor
        if kept < told:
            number = getattr(tx.orders.get(order_id), "number", order_id)
            yield Break("I15", number, f"the report shows {told} captured, the order says {kept}")


def _in_a_whole_window(tx: Tx, fact: Fact, windows: dict[str, tuple[int, int]]) -> bool:
    """Whether the last complete run of its gateway read its moment; `windows` is filled as they are asked for."""
    if fact.gateway not in windows:
        run = tx.sync.last_run(fact.gateway, complete=True)
        windows[fact.gateway] = (run.from_ms, run.to_ms) if run else (1, 0)
    since, until = windows[fact.gateway]
    return fact.at_ms is not None and since <= fact.at_ms <= until


def _is_money_of(tx: Tx, order_id: str, fact: Fact) -> bool:
    """Another currency, account or mode never counts."""
    order, attempts = tx.orders.get(order_id), tx.attempts.of_order(order_id)
    ours = {(a.gateway, a.account, a.mode) for a in attempts}
    return order is not None and order.currency == fact.currency and (fact.gateway, fact.account, fact.mode) in ours


WHOLE_BOOKS: tuple[Callable[[Tx, ShopSettings], Iterator[Break]], ...] = (
    _facts_unchanged,
    _chains_hold,
    _each_entry_in_its_z,
    _numbers_without_gaps,
    _effects_once,
    _cursor_goes_on,
    _folded_as_reported,
)
