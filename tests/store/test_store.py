"""The schema holds what code might forget; the engine is durable and says what is wrong."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from pos.domain.basket import Line
from pos.domain.errors import Broken, NotFound
from pos.domain.facts import Fact, Kind, Mode, Sighting, Source
from pos.domain.journal import verify
from pos.domain.order import Life, Order
from pos.domain.payment import Attempt, Phase
from pos.domain.rows import OrderFilter
from pos.domain.store_port import CallLog, Tx
from pos.store import tables
from pos.store.engine import Database, make_engine, sqlite_url
from pos.store.upgrade import upgrade
from tests.domain import strategies
from tests.engines import SQLITE, sql, unguard

ORDER = strategies.ORDER
SEEN = Sighting(Source.FETCH, "poll", 5_000)


def put_order(tx: Tx, order_id: str = ORDER, key: str = "") -> Order:
    order = replace(strategies.order(Life.DRAFT), id=order_id, number=tx.orders.next_number("1"), key=key)
    tx.orders.insert(order)
    tx.orders.set_lines(order, [Line("S", "Tea", 1000, 1000)], tax_included=True)
    return order


def put_attempt(tx: Tx, no: int, phase: Phase) -> Attempt:
    attempt = strategies.attempt(no, phase)
    tx.attempts.insert(attempt)
    return attempt


def is_sqlite(database: Database) -> bool:
    return database.engine.dialect.name == SQLITE


def test_an_order_comes_back_as_it_was_saved(database: Database) -> None:
    saved = database.write_now(put_order)
    found = database.read_now(lambda tx: tx.orders.get(saved.id))
    assert found == replace(saved, lines=(Line("S", "Tea", 1000, 1000),))
    assert database.read_now(lambda tx: tx.orders.by_number("1-00001")) == found


def test_one_live_attempt_per_order(database: Database) -> None:
    database.write_now(put_order)
    database.write_now(lambda tx: put_attempt(tx, 1, Phase.OPEN))
    with pytest.raises(Broken, match=r"ux_live_attempt|UNIQUE"):
        database.write_now(lambda tx: put_attempt(tx, 2, Phase.REQUESTING))
    assert len(database.read_now(lambda tx: tx.attempts.of_order(ORDER))) == 1


def test_the_same_key_makes_one_order(database: Database) -> None:
    database.write_now(lambda tx: put_order(tx, key="table-7"))
    with pytest.raises(Broken):
        database.write_now(lambda tx: put_order(tx, ORDER[:-1] + "2", key="table-7"))


def test_phases_move_only_as_allowed(database: Database) -> None:
    database.write_now(put_order)
    attempt = database.write_now(lambda tx: put_attempt(tx, 1, Phase.OPEN))
    with pytest.raises(Broken, match="cannot go"):
        database.write_now(lambda tx: tx.attempts.update(replace(attempt, phase=Phase.REQUESTING)))


def test_a_fact_is_kept_once_however_often_it_is_seen(database: Database) -> None:
    fact = Fact("stripe", "acct_1", Mode.TEST, Kind.LINK_OPENED, "cs_1", at_ms=7)
    later = fact._replace(at_ms=8)  # a link's time does not make it another fact
    assert database.write_now(lambda tx: tx.facts.add([fact, fact], SEEN)) == [fact]
    assert database.write_now(lambda tx: tx.facts.add([later], SEEN)) == []
    assert len(database.read_now(lambda tx: tx.facts.all())) == 1
    assert len(database.read_now(lambda tx: tx.facts.sightings())) == 1


@pytest.mark.parametrize("table", tables.GUARDED)
@pytest.mark.parametrize("attack", ["DELETE FROM {0}", "UPDATE {0} SET {1} = {1}", "replace or truncate"])
def test_append_only_tables_are_guarded(database: Database, table: str, attack: str) -> None:
    fill(database)
    key = next(iter(tables.metadata.tables[table].primary_key)).name
    if attack == "replace or truncate":  # each engine's own way round a trigger against deleting
        attack = "INSERT OR REPLACE INTO {0} SELECT * FROM {0}" if is_sqlite(database) else "TRUNCATE {0} CASCADE"
    with pytest.raises(Broken, match="append-only"):
        database.write_now(lambda tx: sql(tx, attack.format(table, key)))


def fill(database: Database) -> None:
    """A row in every guarded table, by plain SQL: the guards must not depend on our code."""
    columns = {
        "fact": ("seq,id,gateway,mode,kind,object,seen_at_ms", "1,'f','g','test','k','o',1"),
        "sighting": ("id,fact_id,source,seen_at_ms", "1,'f','fetch',1"),
        "tender": (
            "id,order_id,method,amount_minor,currency,at_ms,given_minor,rounding_minor",
            f"'t','{ORDER}','cash',1,'INR',1,1,0",
        ),
        "refund": (
            "id,order_id,gateway,payment,amount_minor,currency,purpose,key,asked_at_ms",
            f"'r','{ORDER}','g','p',1,'INR','undo','k',1",
        ),
        "plan": ("id,order_id,no,revision,kept_minor,shares,made_at_ms", f"'p','{ORDER}',1,1,0,'[]',1"),
        "journal": ("till,seq,at_ms,act,previous,hash", "'1',1,1,'a','x','y'"),
        "call_log": ("id,order_id,at_ms,operation,source,outcome,status", f"1,'{ORDER}',1,'a','b','c',0"),
        "credit_note": (
            "id,number,order_id,revision,till,currency,total_minor,tax_included,at_ms,day,lines",
            f"'c','1-R00001','{ORDER}',1,'1','INR',1,true,1,'d','[]'",
        ),
        "z_report": ("id,scope,no,day,at_ms,body,previous,hash", "'z','day',1,'d',1,'{}','x','y'"),
    }
    database.write_now(put_order)
    for table, (names, values) in columns.items():
        database.write_now(lambda tx, row=f"INSERT INTO {table}({names}) VALUES ({values})": sql(tx, row))


def test_frozen_lines_are_never_changed(database: Database) -> None:
    order = database.write_now(put_order)
    database.write_now(lambda tx: tx.orders.freeze(order.id, 1, 9))
    with pytest.raises(Broken, match=r"frozen|revision is never"):
        database.write_now(lambda tx: tx.orders.set_lines(order, [], tax_included=True))


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    def half(tx: Tx) -> None:
        put_order(tx)
        raise NotFound("stop")

    with pytest.raises(NotFound):
        database.write_now(half)
    assert database.read_now(lambda tx: tx.orders.ids()) == []
    assert database.write_now(put_order).number == "1-00001"


def test_the_journal_is_a_chain_and_a_changed_entry_is_found(database: Database, url: str) -> None:
    for number in range(5):
        database.write_now(lambda tx, n=number: tx.journal.append(n, "Owner", "act", "x", {"n": n}))
    assert verify(database.read_now(lambda tx: tx.journal.entries())) is None

    def steal(tx: Tx) -> None:
        unguard(tx, "journal")
        sql(tx, "UPDATE journal SET body = :body WHERE seq = 3", body='{"n":7}')

    database.write_now(steal)
    database.close()
    engine = make_engine(url)
    with pytest.raises(Broken, match="guards"):
        upgrade(engine)
    reader = Database(engine, "1")
    assert verify(reader.read_now(lambda tx: tx.journal.entries())) == 3
    reader.close()


@pytest.mark.parametrize("url", [SQLITE], indirect=True)
def test_a_full_disk_is_said_plainly_and_nothing_is_lost(database: Database) -> None:
    kept = database.write_now(put_order)
    # the file may not grow: SQLite answers as on a full disk
    database.write_now(lambda tx: sql(tx, "PRAGMA max_page_count=1"))

    def much(tx: Tx) -> None:
        sql(tx, "PRAGMA max_page_count=1")
        for number in range(2_000):
            tx.shop.set_meta(f"key{number}", "x" * 500)

    with pytest.raises(Broken, match="disk is full"):
        database.write_now(much)
    assert database.read_now(lambda tx: tx.orders.ids()) == [kept.id]
    database.write_now(lambda tx: tx.shop.set_meta("after", "room"))


def test_a_database_that_is_none_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "till.db").write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(Exception, match="damaged") as caught:
        upgrade(make_engine(sqlite_url(tmp_path / "till.db")))
    assert isinstance(caught.value, Broken)


async def test_reads_go_on_while_a_write_runs(database: Database) -> None:
    database.write_now(put_order)
    seen: list[list[str]] = []
    database.before_commit = lambda: seen.append(database.read_now(lambda tx: tx.orders.ids()))
    await database.write(lambda tx: put_order(tx, ORDER[:-1] + "2"))
    assert seen == [[ORDER]]
    assert len(await database.read(lambda tx: tx.orders.ids())) == 2


async def test_a_cancelled_caller_does_not_cancel_the_commit(database: Database) -> None:
    task = asyncio.ensure_future(database.write(put_order))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert database.write_now(lambda tx: tx.orders.ids()) == [ORDER]


def test_a_claim_is_given_to_one(database: Database) -> None:
    assert database.write_now(lambda tx: tx.sync.take_lease("sweep", "a", 1_000, 500))
    assert not database.write_now(lambda tx: tx.sync.take_lease("sweep", "b", 1_200, 500))
    assert database.write_now(lambda tx: tx.sync.take_lease("sweep", "b", 1_501, 500))


def test_what_a_stranger_writes_can_be_kept_whatever_it_is(database: Database) -> None:
    line = CallLog(ORDER, "", 1, "create", "create", "refused", "no\0 half \ud83d and a whole 😀 ₹", 400)
    database.write_now(lambda tx: tx.outbox.log(line))
    kept = database.read_now(lambda tx: tx.outbox.calls(ORDER))[0].message
    assert kept == "no\N{REPLACEMENT CHARACTER} half ? and a whole 😀 ₹"


def test_text_search_takes_what_people_type_literally(database: Database) -> None:
    database.write_now(put_order)
    for text in ("%", "_", "'; DROP TABLE orders; --", "\\"):
        assert database.read_now(lambda tx, t=text: tx.orders.lines_of(OrderFilter(text=t))) == []
    assert len(database.read_now(lambda tx: tx.orders.lines_of(OrderFilter(text="1-0000")))) == 1


def test_the_lists_of_errors_know_integrity(database: Database) -> None:
    database.write_now(put_order)
    with pytest.raises(Broken) as caught:
        database.write_now(put_order)
    assert isinstance(caught.value.__cause__, IntegrityError | sqlite3.IntegrityError)
