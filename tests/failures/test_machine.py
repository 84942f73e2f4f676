"""The machine and its books: full, cut off, held, damaged, asleep, numbered from one again (rows 90 to 100)."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pos.app.wiring import DATABASE
from pos.domain.errors import Broken
from pos.domain.payment import Phase
from pos.domain.shown import Shown
from pos.domain.store_port import Tx
from pos.domain.verdict import Money
from pos.store import engine
from tests.failures import outside
from tests.services.test_money import link_of, sweep
from tests.shop import CAKE, TEA, Bank, MovedClock, Shop, open_shop, reopen

HELD_S = 0.3


def sql(shop: Shop, text: str) -> None:
    shop.till.database.write_now(lambda tx: tx.connection.exec_driver_sql(text))  # type: ignore[attr-defined]


def full(tx: Tx) -> None:
    """The file may not grow, and its last page is taken: SQLite answers as on a full disk."""
    connection = tx.connection  # type: ignore[attr-defined]
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


def room_again(tx: Tx) -> None:
    tx.connection.exec_driver_sql("PRAGMA max_page_count=1000000")  # type: ignore[attr-defined]


async def fill_up(shop: Shop) -> None:
    """Orders until nothing more fits; every one that was acknowledged is there."""
    shop.till.database.write_now(full)
    saved: list[str] = []

    async def more() -> None:
        for _ in range(500):
            saved.append((await shop.till.selling.save(shop.lines(TEA, CAKE))).order_id)

    with pytest.raises(Broken, match="disk is full"):
        await more()
    assert set(saved) <= set(shop.till.database.read_now(lambda tx: tx.orders.ids()))


async def test_90_a_full_disk_asks_for_no_link_and_shows_none_and_the_payment_before_it_is_found(shop: Shop) -> None:
    before = await shop.sell(TEA)
    await fill_up(shop)
    made = len(outside.links(shop))
    with pytest.raises(Broken, match="disk is full"):
        await shop.sell(CAKE, key="k")
    assert len(outside.links(shop)) == made
    await shop.pays(before)
    shop.till.database.write_now(room_again)
    shop.clock.advance(60)
    while await shop.probe():
        shop.clock.advance(5)
    assert (await shop.again(before)).shown is Shown.PAID
    assert (await shop.sell(CAKE, key="k")).shown is Shown.WAITING
    await shop.assert_books()


async def test_91_what_was_committed_is_in_the_files_before_anybody_is_told(shop: Shop) -> None:
    """The plug is pulled the moment after the commit: the files as they lie there open with the link in them."""
    await shop.till.desk.get(shop.gateway)
    copies = shop.home.with_name("copies")
    commits = 0

    def pull() -> None:
        nonlocal commits
        commits += 1
        target = copies / str(commits)
        target.mkdir(parents=True)
        for file in shop.home.glob("*"):
            if file.is_file() and not file.name.endswith("-shm"):
                shutil.copyfile(file, target / file.name)

    shop.till.database.after_commit = pull
    view = await shop.sell(TEA)
    shop.till.database.after_commit = None
    assert commits >= 2
    for number in range(1, commits + 1):
        cut = reopen(Shop(shop.till, shop.bank, shop.clock, copies / str(number), shop.keys, shop.gateway))
        assert (await cut.again(view)).attempt is not None
        await cut.till.close()
    last = reopen(Shop(shop.till, shop.bank, shop.clock, copies / str(commits), shop.keys, shop.gateway))
    assert link_of(await last.again(view)) == link_of(view)
    read = last.till.database.write_now(
        lambda tx: [tx.connection.exec_driver_sql(f"PRAGMA {n}").scalar_one() for n in ("synchronous", "journal_mode")]  # type: ignore[attr-defined]
    )
    assert read == [2, "wal"], "FULL: a commit is on the disk when it returns"
    await last.assert_books()
    await last.till.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 100)


def held(path: Path, release: threading.Event) -> Iterator[None]:
    other = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    release.wait(10)
    other.execute("ROLLBACK")
    other.close()


async def test_92_another_program_that_holds_the_books_is_waited_for(shop: Shop) -> None:
    await shop.till.desk.get(shop.gateway)
    release = threading.Event()
    holding = held(shop.home / DATABASE, release)
    next(holding)
    selling = asyncio.create_task(shop.sell(TEA))
    threading.Timer(HELD_S, release.set).start()
    await asyncio.to_thread(lambda: list(holding))
    assert (await selling).shown is Shown.WAITING
    assert len(outside.links(shop)) == 1


@pytest.mark.usefixtures("impatient")
async def test_92_and_one_that_does_not_let_go_is_named_and_nothing_was_asked_for(bank: Bank, tmp_path: Path) -> None:
    shop = open_shop(bank, tmp_path / "home")
    await shop.till.desk.get(shop.gateway)
    holding = held(shop.home / DATABASE, release := threading.Event())
    next(holding)
    with pytest.raises(Broken, match="Another program holds"):
        await shop.sell(TEA, key="k")
    assert outside.links(shop) == []
    release.set()
    list(holding)
    assert (await shop.sell(TEA, key="k")).shown is Shown.WAITING
    await shop.till.close()


async def test_93_damaged_books_are_said_and_yesterdays_copy_learns_what_happened_since(shop: Shop) -> None:
    """Money is known outside: an order in the copy becomes paid by itself, one that is not in it waits as an orphan."""
    known = await shop.sell(TEA)
    await shop.till.close()
    backup = shop.home.with_name("backup")
    shutil.copytree(shop.home, backup)
    today = reopen(shop)
    lost = await today.sell(CAKE)
    for view in (known, lost):
        await today.pays(view)
        await today.check(view)
    await today.till.close()
    for file in shop.home.glob(f"{DATABASE}*"):
        file.write_bytes(b"this is no database any more, it was one yesterday. " * 200)
    with pytest.raises(Broken, match="damaged") as said:
        reopen(shop)
    assert "backup" in said.value.hint
    shutil.rmtree(shop.home)
    shutil.copytree(backup, shop.home)
    restored = reopen(shop)
    await sweep(restored)
    assert (await restored.again(known)).shown is Shown.PAID
    day = await restored.till.day.preview(refresh=False)
    assert [(e.code, e.amount_minor) for e in day.exceptions] == [("M11", CAKE.price_minor)]
    new = await restored.sell(TEA)
    assert new.number == lost.number  # the printed number comes again; what the gateway knows does not
    assert (await restored.again(new)).money is Money.UNPAID
    await restored.assert_books()
    await restored.till.close()


async def test_97_after_a_sleep_the_open_link_is_looked_at_first(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.probe()
    await shop.pays(view)
    shop.clock.advance(8 * 3_600)  # the lid was closed
    asleep = await shop.again(view)
    assert (asleep.shown, "cash" in asleep.may, "qr" in asleep.may) == (Shown.UNKNOWN, False, False)
    assert await shop.probe() == 1
    assert (await shop.again(view)).shown is Shown.PAID
    await shop.assert_books()


async def test_100_two_shops_with_the_same_printed_numbers_on_one_account_do_not_meet(
    shop: Shop, bank: Bank, tmp_path: Path
) -> None:
    other = open_shop(bank, tmp_path / "other", shop.gateway)
    await other.till.close()
    other = reopen(Shop(other.till, bank, MovedClock(), other.home, shop.keys, shop.gateway))
    mine, theirs = await shop.sell(TEA), await other.sell(TEA)
    assert mine.number == theirs.number
    await shop.pays(mine)
    for one in (shop, other):
        await sweep(one)
    assert ((await shop.again(mine)).shown, (await other.again(theirs)).shown) == (Shown.PAID, Shown.WAITING)
    await shop.till.checkout.give_up(mine.order_id)
    still = await other.again(theirs)
    assert still.attempt is not None
    assert still.attempt.phase == Phase.OPEN
    (parked,) = other.till.database.read_now(lambda tx: tx.facts.parked())
    assert parked.amount_minor == TEA.price_minor
    await other.assert_books()
    await other.till.close()
