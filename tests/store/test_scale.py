"""What is asked every second, or once per order, is served by an index: after years a shop is as fast as when new."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pos.domain.facts import Fact, Kind, Mode
from pos.domain.payment import Phase, reference
from pos.domain.rows import OrderFilter
from pos.domain.store_port import Tx
from pos.store.engine import Database
from tests.domain import strategies
from tests.engines import SQLITE, asked
from tests.store.test_store import ORDER, SEEN, put_attempt, put_order

Read = Callable[[Tx], Any]
TWO = [ORDER, ORDER[:-1] + "2"]
ROW = strategies.order()
NEWS = [
    Fact("stripe", "acct_1", Mode.TEST, kind, "x_1", "y_1")
    for kind in (
        Kind.PAYMENT_CAPTURED,
        Kind.REFUND_OF_OURS,
        Kind.REFUND_FAILED,
        Kind.LINK_CLOSED,
        Kind.REFUND_OF_PAYMENT,
    )
]
READS: dict[str, Read] = {
    "one order's money": lambda tx: tx.facts.bundle(ORDER),
    "which looks are due": lambda tx: tx.attempts.due(1, 50, "1"),
    "when the next look is due": lambda tx: tx.attempts.next_due_ms("1"),
    "orders that wait": lambda tx: tx.orders.lines_of(OrderFilter(live_only=True)),
    "what changed since, and the newest change": lambda tx: tx.sync.touched_since(5, 10),
    "the lines of what changed": lambda tx: tx.orders.lines_of(OrderFilter(ids=tuple(TWO))),
    "the last sweep": lambda tx: tx.sync.last_run(),
    "calls to be made": lambda tx: tx.outbox.due(1, 5),
    "calls of an order": lambda tx: tx.outbox.calls(ORDER),
    "exceptions of an order": lambda tx: tx.problems.of_order(ORDER),
    "movements in the books": lambda tx: tx.money.entered([("refund", "re_1"), ("capture", "stripe:ch_1")]),
    "what news is about": lambda tx: tx.facts.touched_by(NEWS),
    "all that is known of several orders": lambda tx: tx.facts.bundles([replace(ROW, id=name) for name in TWO]),
    "the money of several orders": lambda tx: tx.orders.cached(TWO),
    "orders locked": lambda tx: tx.orders.lock_all([ORDER]),
    "all that is known of payments": lambda tx: tx.facts.of_payments([("stripe", "ch_1"), ("stripe", "ch_2")]),
}


def plans(database: Database, read: Read) -> list[str]:
    """SQLite's plan of every statement that `read` runs."""
    with asked(database) as statements:
        database.read_now(read)
    path = database.engine.url.database
    assert path is not None
    with sqlite3.connect(path) as plain:
        asks = [(said, values) for said, values in statements if "SELECT" in said]
        found = [plain.execute("EXPLAIN QUERY PLAN " + said, values).fetchall() for said, values in asks]
    plain.close()
    return [str(row[3]) for rows in found for row in rows]


@pytest.mark.parametrize("url", [SQLITE], indirect=True)  # its planner shows the shape; both have the same indexes
@pytest.mark.parametrize("name", READS)
def test_no_table_is_read_from_end_to_end(database: Database, name: str) -> None:
    database.write_now(put_order)
    database.write_now(lambda tx: put_attempt(tx, 1, Phase.OPEN))
    found = plans(database, READS[name])
    assert found
    small = ("CONSTANT", "subquery", "ux_live_attempt")  # the partial index holds the few live attempts alone
    whole = [line for line in found if line.startswith("SCAN") and not any(word in line for word in small)]
    assert whole == []
    assert [line for line in found if "ix_fact_kind_at" in line] == []  # every fact of a kind is every fact


def test_a_payment_is_found_by_any_reference_of_the_order_and_by_no_other(database: Database) -> None:
    database.write_now(put_order)
    others = [ORDER[:-1] + "2", ORDER + "0"]
    owners = [ORDER, *others]
    facts = [
        Fact("stripe", "acct_1", Mode.TEST, Kind.PAYMENT_OF_REFERENCE, f"ch_{i}", reference(owner, 7))
        for i, owner in enumerate(owners)
    ]
    database.write_now(lambda tx: tx.facts.add(facts, SEEN))
    assert {f.object for f in database.read_now(lambda tx: tx.facts.bundle(ORDER)).facts} == {"ch_0"}
