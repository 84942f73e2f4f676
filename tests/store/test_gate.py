"""Who may write: an old program beside a newer one, and a till beside a copy of itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pos.app.instance import FILE, HomeIdentity
from pos.domain.errors import Broken, PosError, ReadOnly
from pos.domain.store_port import Problem, Tx
from pos.store import gate
from pos.store.engine import Database, make_engine, sqlite_url
from pos.store.gate import InUseElsewhere
from pos.store.upgrade import upgrade
from tests.engines import POSTGRESQL, sql
from tests.store.test_store import ORDER, put_order

on_a_server = pytest.mark.parametrize("url", [POSTGRESQL], indirect=True)


def newer(database: Database, *, writes_since: int, reads_since: int) -> None:
    """What a version from the future leaves behind: a schema we do not know, and who may do what with it."""

    def change(tx: Tx) -> None:
        sql(tx, "UPDATE alembic_version SET version_num = '9999'")
        tx.shop.set_meta(gate.MIN_WRITER, str(writes_since))
        tx.shop.set_meta(gate.MIN_READER, str(reads_since))

    database.write_now(change)


def test_a_program_that_runs_while_the_books_are_upgraded_may_read_on_and_not_write(database: Database) -> None:
    database.write_now(put_order)
    newer(database, writes_since=gate.LEVEL + 1, reads_since=gate.LEVEL)
    with pytest.raises(ReadOnly, match="Update needed"):
        database.write_now(lambda tx: put_order(tx, ORDER[:-1] + "2"))
    assert database.read_now(lambda tx: tx.orders.ids()) == [ORDER]
    assert isinstance(database.trouble, ReadOnly)


def test_an_old_program_opens_newer_books_to_read_them(database: Database, url: str) -> None:
    database.write_now(put_order)
    newer(database, writes_since=gate.LEVEL + 1, reads_since=gate.LEVEL)
    engine = make_engine(url)
    upgrade(engine)
    old = Database(engine, "1")
    assert old.read_now(lambda tx: tx.orders.ids()) == [ORDER]
    with pytest.raises(ReadOnly, match="Update needed"):
        old.write_now(lambda tx: tx.shop.set_meta("x", "y"))
    old.close()


def test_an_old_program_goes_on_where_the_newer_one_only_added(database: Database, url: str) -> None:
    newer(database, writes_since=gate.LEVEL, reads_since=gate.LEVEL)
    engine = make_engine(url)
    upgrade(engine)
    old = Database(engine, "1")
    assert old.write_now(put_order).id == ORDER
    old.close()


@pytest.mark.parametrize("said", ["reads_since", "nothing"])
def test_newer_books_that_cannot_be_read_are_refused_unchanged(database: Database, url: str, said: str) -> None:
    newer(database, writes_since=gate.LEVEL, reads_since=gate.LEVEL + 1)
    if said == "nothing":
        database.write_now(lambda tx: sql(tx, "DELETE FROM meta WHERE key = 'min_reader'"))
    before = database.read_now(lambda tx: (tx.orders.ids(), sql(tx, "SELECT * FROM meta ORDER BY key")))
    engine = make_engine(url)
    with pytest.raises(Broken, match="newer version"):
        upgrade(engine)
    assert database.read_now(lambda tx: (tx.orders.ids(), sql(tx, "SELECT * FROM meta ORDER BY key"))) == before


def test_a_file_of_newer_books_keeps_every_byte(tmp_path: Path) -> None:
    engine = make_engine(sqlite_url(tmp_path / "till.db"))
    upgrade(engine)
    database = Database(engine, "1")
    newer(database, writes_since=gate.LEVEL, reads_since=gate.LEVEL + 1)
    database.close()
    before = (tmp_path / "till.db").read_bytes()
    with pytest.raises(Broken, match="newer version"):
        upgrade(make_engine(sqlite_url(tmp_path / "till.db")))
    assert (tmp_path / "till.db").read_bytes() == before


Open = Callable[[Path], Database]


@pytest.fixture
def opened(url: str) -> Iterator[Open]:
    """Opens till 1 on a home, as often as one likes."""
    made: list[Database] = []
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()

    def open_one(home: Path) -> Database:
        home.mkdir(exist_ok=True)
        made.append(Database(make_engine(url), "1", HomeIdentity(home)))
        return made[-1]

    yield open_one
    for database in made:
        database.close()


def write(database: Database) -> None:
    database.write_now(lambda tx: tx.shop.set_meta("by", "somebody"))


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(InUseElsewhere, match="in use on another machine"):
        yield


def copy_home(home: Path) -> Path:
    """What a disk image takes along."""
    other = home.with_name("copied")
    other.mkdir()
    (other / FILE).write_bytes((home / FILE).read_bytes())
    return other


def lapse(database: Database) -> None:
    """As if the till had been off for longer than its lease, or renewed long enough ago to do so again."""
    database.write_now(lambda tx: sql(tx, "UPDATE lease SET until_ms = 1 WHERE name = 'till:1'"))


@on_a_server
def test_programs_of_one_home_are_one_till(opened: Open, tmp_path: Path) -> None:
    window, command = opened(tmp_path / "home"), opened(tmp_path / "home")
    for database in (window, command, window, command):
        write(database)


@on_a_server
def test_a_till_that_was_killed_starts_again_at_once(opened: Open, tmp_path: Path) -> None:
    write(opened(tmp_path / "home"))
    write(opened(tmp_path / "home"))


@on_a_server
def test_a_second_till_of_the_same_id_is_refused_and_the_shop_is_told(opened: Open, tmp_path: Path) -> None:
    first, second = opened(tmp_path / "home"), opened(tmp_path / "another")
    write(first)
    for _ in range(2):
        with refused():
            write(second)
    assert second.read_now(lambda tx: tx.shop.meta("by")) == "somebody"
    write(first)
    alarms = first.read_now(lambda tx: tx.problems.listed(open_only=True))
    assert [(p.code, p.subject) for p in alarms] == [("M22", "till:1")]


@on_a_server
def test_of_a_till_and_its_copy_only_one_writes_whichever_renewed_last(opened: Open, tmp_path: Path) -> None:
    original = opened(tmp_path / "home")
    write(original)
    copy = opened(copy_home(tmp_path / "home"))
    lapse(original)
    write(copy)  # the original is asleep
    with refused():
        write(original)
    write(copy)
    lapse(copy)
    write(original)
    with refused():
        write(copy)


@on_a_server
def test_a_copy_that_is_closed_alarms_again_when_it_comes_back(opened: Open, tmp_path: Path) -> None:
    first, second = opened(tmp_path / "home"), opened(tmp_path / "another")
    write(first)
    with refused():
        write(second)

    def settle(tx: Tx) -> None:
        alarm: Problem = tx.problems.listed(open_only=True)[0]
        tx.problems.close(alarm.id, 5, "Owner", "switched off")

    first.write_now(settle)
    with refused():
        write(second)
    assert len(first.read_now(lambda tx: tx.problems.listed(open_only=True))) == 1


@on_a_server
def test_a_write_that_fails_while_it_renews_locks_nobody_out(opened: Open, tmp_path: Path) -> None:
    database = opened(tmp_path / "home")
    write(database)
    lapse(database)

    def fails(_tx: Tx) -> None:
        raise PosError("no")

    with pytest.raises(PosError, match="no"):
        database.write_now(fails)
    write(database)
    write(opened(tmp_path / "home"))


@on_a_server
def test_a_lease_is_renewed_before_it_is_over(opened: Open, tmp_path: Path) -> None:
    database = opened(tmp_path / "home")
    write(database)
    soon = time.time_ns() // 1_000_000 + gate.RENEW_BEFORE_MS // 2
    database.write_now(lambda tx: sql(tx, "UPDATE lease SET until_ms = :soon", soon=soon))
    write(database)
    left = database.read_now(lambda tx: sql(tx, "SELECT until_ms FROM lease"))[0]["until_ms"] - soon
    assert left > gate.RENEW_BEFORE_MS // 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"words": 7}', "\x00"])
def test_a_home_whose_word_cannot_be_read_has_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert HomeIdentity(tmp_path).words() == ()
