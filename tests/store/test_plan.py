"""Saved plans in the database: kept as they were, one of a number, and there after an upgrade from before them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pos.domain.errors import Broken
from pos.domain.plan import Plan, Share, Way
from pos.store.engine import Database, make_engine
from pos.store.upgrade import HEAD, upgrade
from tests.engines import sql
from tests.store.test_store import ORDER, put_order

SHARES = (Share(Way.QR, 600, "stripe"), Share(Way.TERMINAL, 300), Share(Way.CASH, 100))
PLAN = Plan("plan-1", ORDER, 1, 1, 0, SHARES, 7, "Owner")
COLUMNS = {"attempt": ("share_minor", "due_minor", "kept_minor", "plan_no"), "tender": ("purpose", "replaces")}


def test_the_last_plan_of_an_order_counts_and_all_are_kept(database: Database) -> None:
    database.write_now(put_order)
    dropped = replace(PLAN, id="plan-2", no=2, shares=())
    database.write_now(lambda tx: [tx.plans.add(PLAN), tx.plans.add(dropped)])
    assert database.read_now(lambda tx: (tx.plans.last(ORDER), tx.plans.all())) == (dropped, [PLAN, dropped])
    assert database.read_now(lambda tx: (tx.plans.last("another"), tx.plans.all("another"))) == (None, [])
    with pytest.raises(Broken):
        database.write_now(lambda tx: tx.plans.add(replace(PLAN, id="plan-3", no=2)))


def test_a_database_from_before_plans_gets_what_it_lacks(database: Database, url: str) -> None:
    def before(tx: object) -> None:
        sql(tx, "DROP TABLE plan")  # type: ignore[arg-type]
        for table, names in COLUMNS.items():
            for name in names:
                sql(tx, f"ALTER TABLE {table} DROP COLUMN {name}")  # type: ignore[arg-type]
        sql(tx, "UPDATE alembic_version SET version_num = '0001'")  # type: ignore[arg-type]

    database.write_now(put_order)
    database.write_now(before)
    engine = make_engine(url)
    upgrade(engine)
    upgraded = Database(engine, "1")
    upgraded.write_now(lambda tx: tx.plans.add(PLAN))
    assert upgraded.read_now(lambda tx: tx.plans.last(ORDER)) == PLAN
    assert upgraded.read_now(lambda tx: sql(tx, "SELECT version_num FROM alembic_version"))[0]["version_num"] == HEAD
    for attack in ("DELETE FROM plan", "UPDATE plan SET no = 9"):
        with pytest.raises(Broken, match="append-only"):
            upgraded.write_now(lambda tx, attack=attack: sql(tx, attack))  # type: ignore[misc]
    upgraded.close()
