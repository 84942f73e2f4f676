"""Writes that wait share one commit; none hears of it before it is on the disk, none pays for another's mistake."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from pos.domain.errors import Broken, Refused
from pos.domain.store_port import Tx
from pos.store.engine import TOGETHER_MAX, Database
from tests.store.test_store import ORDER, is_sqlite, put_order

MANY = 10


@pytest.fixture
def held(database: Database) -> Iterator[tuple[Database, threading.Event]]:
    """A database whose writer stands in a write until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def stand(tx: Tx) -> None:
        begun.set()
        assert go_on.wait(30)

    first = database.write_later(stand)
    assert begun.wait(30)
    yield database, go_on
    go_on.set()
    first.exception(30)  # that it is over


def put(number: int) -> Callable[[Tx], str]:
    return lambda tx: put_order(tx, f"{ORDER[:-2]}{number:02d}").id


def kept(database: Database) -> list[str]:
    return database.read_now(lambda tx: tx.orders.ids())


def results(futures: list[Future[str]]) -> list[str | type[BaseException]]:
    return [type(error) if (error := future.exception(30)) else future.result() for future in futures]


def test_those_that_wait_share_a_commit_on_a_file_and_have_their_own_on_a_server(
    held: tuple[Database, threading.Event],
) -> None:
    database, go_on = held
    futures = [database.write_later(put(number)) for number in range(MANY)]
    before = database.commits
    go_on.set()
    ids = results(futures)
    assert len(set(ids)) == MANY
    assert sorted(kept(database)) == sorted(map(str, ids))
    assert database.commits - before <= (3 if is_sqlite(database) else MANY + 1)


def test_each_reads_what_those_before_it_wrote(held: tuple[Database, threading.Event]) -> None:
    database, go_on = held
    database.write_later(put(1))
    seen = database.write_later(lambda tx: len(tx.orders.ids()))
    go_on.set()
    assert seen.result(30) == 1


@pytest.mark.parametrize("at", range(4))
def test_a_bad_one_takes_no_other_along(held: tuple[Database, threading.Event], at: int) -> None:
    """Refused by our own code, or by the database: what was done before it in the same commit is done again."""
    database, go_on = held

    def refuse(tx: Tx) -> str:
        put_order(tx, ORDER[:-2] + "99")
        raise Refused("No.", "Do something else.")

    def twice(tx: Tx) -> str:
        put_order(tx, ORDER[:-2] + "98")
        return put_order(tx, ORDER[:-2] + "98").id

    writes = [put(1), put(2), put(3)]
    futures = [database.write_later(each) for each in (*writes[:at], refuse, twice, *writes[at:])]
    go_on.set()
    found = results(futures)
    assert found[at : at + 2] == [Refused, Broken]
    good = found[:at] + found[at + 2 :]
    assert good == [f"{ORDER[:-2]}{number:02d}" for number in (1, 2, 3)]
    assert sorted(kept(database)) == good


def test_nobody_hears_of_a_commit_that_failed(held: tuple[Database, threading.Event]) -> None:
    database, go_on = held
    futures = [database.write_later(put(number)) for number in range(3)]
    heard: list[bool] = []

    def fail() -> None:
        heard.append(any(future.done() for future in futures))
        raise Broken("The disk is full.", "Free some space.")

    database.before_commit = fail
    go_on.set()
    assert results(futures) == [Broken] * 3
    database.before_commit = None
    assert not any(heard[:1])
    assert kept(database) == []


def test_what_was_cancelled_is_left_out_and_a_close_finishes_what_waits(
    held: tuple[Database, threading.Event],
) -> None:
    database, go_on = held
    futures = [database.write_later(put(number)) for number in range(4)]
    assert futures[1].cancel()
    closing = threading.Thread(target=database.close)
    closing.start()
    go_on.set()
    closing.join(30)
    assert [future.result(0) for future in futures if not future.cancelled()] == [
        f"{ORDER[:-2]}{number:02d}" for number in (0, 2, 3)
    ]


def test_no_more_than_a_few_share_one(held: tuple[Database, threading.Event]) -> None:
    database, go_on = held
    futures = [database.write_later(put(number)) for number in range(TOGETHER_MAX * 3)]
    before = database.commits
    go_on.set()
    results(futures)
    assert database.commits - before >= 3


async def test_who_was_cut_off_leaves_nobody_to_complain_of_a_write_that_failed(database: Database) -> None:
    """A look of several fails and the others are cut off while they write; what then fails is said by the first."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    begun, go_on = threading.Event(), threading.Event()

    def fail(tx: Tx) -> None:
        begun.set()
        assert go_on.wait(30)
        raise Refused("No.", "Do something else.")

    write = asyncio.ensure_future(database.write(fail))
    await asyncio.to_thread(begun.wait, 30)
    write.cancel()
    await asyncio.gather(write, return_exceptions=True)
    go_on.set()
    await database.write(lambda tx: None)
    gc.collect()
    await asyncio.sleep(0)
    assert (write.cancelled(), complaints) == (True, [])
