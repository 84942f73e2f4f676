"""The shop's database server goes away and comes back: what is said, that nothing acknowledged is lost, and that

everything goes on by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event

from pos.domain.errors import OutcomeUnknown, Unreachable
from pos.domain.store_port import Tx
from pos.services.bus import Event, OrderChanged, StatusChanged
from pos.store import postgresql as server_rules
from pos.store.engine import make_engine
from pos.sync import follower
from pos.sync.follower import Follower
from tests.engines import EVERYTHING, sql
from tests.postgres import Cluster, cluster
from tests.processes import run_pos
from tests.shop import SANDBOX_KEYS, TEA, Bank, Shop, another_till, open_shop

BOUND_S = 30.0
pytestmark = pytest.mark.xdist_group("a server that is stopped")
STOPS = 40 if EVERYTHING else 1
"""Times that the server is stopped in the middle."""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """One that may be stopped, and that waits for its disk."""
    with cluster(fast=False) as made:
        yield made


@pytest_asyncio.fixture
async def shop(server: Cluster, bank: Bank, tmp_path: Path) -> AsyncIterator[Shop]:
    if not server.running:
        server.start()
    with server.database() as url:
        made = open_shop(bank, tmp_path / "home", database=f'url = "{url}"')
        yield made
        await made.till.close()


class Screens:
    """What a window of this till would hear, once a followed change or a status comes."""

    def __init__(self, shop: Shop) -> None:
        self.heard: asyncio.Queue[Event] = asyncio.Queue()
        shop.till.bus.subscribe(self.heard.put_nowait)
        self._task = asyncio.create_task(Follower(shop.till.context, shop.till.queries).run())

    async def until(self, wanted: Any) -> Any:
        async def look() -> Event:
            while not wanted(said := await self.heard.get()):
                pass
            return said

        return await asyncio.wait_for(look(), BOUND_S)

    async def status(self, books: str) -> Any:
        return (await self.until(lambda e: isinstance(e, StatusChanged) and e.status.books == books)).status

    async def order(self, order_id: str) -> None:
        await self.until(lambda e: isinstance(e, OrderChanged) and e.row.order_id == order_id)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest_asyncio.fixture
async def screens(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Screens]:
    monkeypatch.setattr(follower, "PAUSE_S", 0.05)
    made = Screens(shop)
    yield made
    await made.close()


async def cash(shop: Shop) -> str:
    return (await shop.till.cash.sell(shop.lines(TEA), TEA.price_minor)).order_id


async def test_the_screens_say_so_and_go_on_by_themselves(shop: Shop, screens: Screens, server: Cluster) -> None:
    before = await cash(shop)
    await screens.until(lambda e: isinstance(e, StatusChanged) and e.status.shift_no == 1)
    server.stop("immediate")
    said = await screens.status("down")
    assert said.problem == "The database server does not answer."
    assert said.problem_hint == "This till cannot sell until it is back."
    assert said.shop == "Corner Café"
    assert said.shift_no == 1  # as it last was
    with pytest.raises(Unreachable, match="does not answer"):
        await cash(shop)
    server.start()
    assert (await screens.status("ok")).problem == ""
    after = await cash(shop)
    assert set(shop.till.database.read_now(lambda tx: tx.orders.ids())) == {before, after}
    await shop.assert_books()


async def test_what_another_till_changed_meanwhile_comes_afterwards(
    shop: Shop, screens: Screens, server: Cluster
) -> None:
    await cash(shop)
    await screens.status("ok")
    server.stop()
    await screens.status("down")
    server.start()
    other = another_till(shop)
    order_id = await cash(other)
    await screens.order(order_id)
    await other.till.close()


async def test_nothing_acknowledged_is_lost_when_the_server_is_stopped_at_once(
    shop: Shop, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_rules, "ASK_FOR_S", 0.5)
    for _ in range(STOPS):
        known: list[str] = []

        async def sell_on(known: list[str] = known) -> None:
            while True:
                known.append(await cash(shop))

        selling = asyncio.create_task(sell_on())
        while len(known) < 5:
            await asyncio.sleep(0)
        await asyncio.to_thread(server.stop, "immediate")
        with pytest.raises((Unreachable, OutcomeUnknown)):
            await asyncio.wait_for(selling, BOUND_S)
        server.start()
        await cash(shop)
        assert set(known) <= set(shop.till.database.read_now(lambda tx: tx.orders.ids()))
        await shop.assert_books()


async def test_a_commit_whose_answer_is_lost_is_asked_for_and_was_done(shop: Shop) -> None:
    def cut(connection: Any) -> None:
        """The commit arrives; its answer does not."""
        raw = connection.connection.dbapi_connection
        raw.commit()
        raw.close()

    event.listen(shop.till.database.engine, "commit", cut, once=True)
    shop.till.database.write_now(lambda tx: tx.shop.set_meta("kept", "yes"))
    assert shop.till.database.read_now(lambda tx: tx.shop.meta("kept")) == "yes"


async def test_a_write_whose_connection_dies_before_its_commit_is_not_there(shop: Shop) -> None:
    def dies(tx: Tx) -> None:
        tx.shop.set_meta("kept", "yes")
        sql(tx, "SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Unreachable):
        shop.till.database.write_now(dies)
    assert shop.till.database.read_now(lambda tx: tx.shop.meta("kept")) is None
    shop.till.database.write_now(lambda tx: tx.shop.set_meta("next", "goes on"))


async def test_a_commit_that_the_server_says_nothing_of_is_unknown(
    shop: Shop, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_rules, "ASK_FOR_S", 0.5)
    database = shop.till.database
    database.before_commit = lambda: server.stop("immediate")
    with pytest.raises(OutcomeUnknown, match="went away while it was saving"):
        database.write_now(lambda tx: tx.shop.set_meta("kept", "perhaps"))
    database.before_commit = None
    server.start()
    assert database.read_now(lambda tx: tx.shop.meta("kept")) is None


def test_commands_say_so_in_one_line_and_leave_with_4(shop: Shop, server: Cluster) -> None:
    environment = SANDBOX_KEYS | {"POS_HOME": str(shop.home)}
    server.stop()
    for command in (["orders"], ["sell", "--line", "TEA", "--cash", "60"], ["books", "verify"]):
        done = run_pos(command, environment)
        assert done.returncode == 4, done.stderr
        assert done.stderr == "pos: The database server does not answer. This till cannot sell until it is back.\n"
    server.start()
    done = run_pos(["sell", "--line", "TEA", "--cash", "60", "--json"], environment)
    assert done.returncode == 0, done.stderr


async def test_what_a_command_of_another_till_does_reaches_these_screens(shop: Shop, screens: Screens) -> None:
    """Another process on the same server, as on another machine."""
    other = another_till(shop)
    await other.till.close()
    await screens.status("ok")
    command = ["sell", "--line", "TEA", "--cash", "60", "--json"]
    done = await asyncio.to_thread(run_pos, command, SANDBOX_KEYS | {"POS_HOME": str(other.home)})
    assert done.returncode == 0, done.stderr
    said = await screens.until(lambda e: isinstance(e, OrderChanged))
    assert said.row.number == "2-00001"
    assert said.row.order_id in done.stdout


async def test_doctor_says_whether_the_server_keeps_what_it_acknowledges(shop: Shop, postgresql_url: str) -> None:
    good, said = shop.till.database.examine()
    assert good
    assert said.startswith("PostgreSQL ")
    engine = make_engine(postgresql_url)  # the tests' fast server
    with engine.connect() as connection:
        assert server_rules.examine(connection) == (
            False,
            f"{said}, but fsync = off and full_page_writes = off: a power cut may lose sales",
        )
    engine.dispose()
