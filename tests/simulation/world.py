"""One simulated shop, put together: two tills on one database file, the bank with both gateways, network and relay.

`Ground` is what one process of the machine keeps between seeds (templates of the files, a database engine with its
compiled statements); `World` is one seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from pos.app import wiring
from pos.app.config import Settings
from pos.app.wiring import Outside, Till, open_till, prober_of
from pos.domain.errors import PosError
from pos.domain.facts import Mode
from pos.domain.ports import Gateway
from pos.domain.store_port import Tx
from pos.gateways import registry
from pos.gateways.http import HttpGateway
from pos.sandbox.accounts import add_endpoint, open_account, set_options
from pos.sandbox.razorpay_dialect import RazorpayDialect
from pos.sandbox.records import Account
from pos.sandbox.server import build_app
from pos.sandbox.stripe_dialect import StripeDialect
from pos.sandbox.webhooks import Dispatcher
from pos.services.desk import Enrolled
from pos.services.people import seed as seed_people
from pos.store.engine import make_engine, sqlite_url
from pos.store.transaction import Transaction
from pos.store.upgrade import upgrade
from pos.sync.listener import Listener
from pos.sync.sweeper import Sweeper
from tests.shop import CAKE, TEA, GivenSecrets, settings_text
from tests.simulation.places import (
    HangingUp,
    InlineBank,
    InlineDatabase,
    Line,
    Network,
    Process,
    Relay,
    TillsRelay,
)
from tests.simulation.virtual import EPOCH_S, TillClock, TillIds, VirtualLoop, told_by

BANK_URL = "http://127.0.0.1:9"
RELAY_URL = "http://127.0.0.1:8"
TILLS = ("1", "2")
SHOP_ID = "00000000-0000-4000-8000-000000000001"
KEYS = {
    "gateways.stripe.secret_key": "sk_test_simulated",
    "gateways.razorpay.key_id": "rzp_test_simulated",
    "gateways.razorpay.secret_key": "secret_of_the_shop",
    "relay.till_token": "token_of_the_till",
}
EVERY_S = 300.0
"""How often the reports are read."""
ONLY_AUTHORIZES = 0.3
"""Of all seeds, those whose Razorpay account leaves the capture to the till."""
FAST_FOLDER = Path("/dev/shm")
"""Memory, where the machine has it: a commit there costs what the code costs."""


class Ground:
    """Files and engine of one process, used by one seed after the other."""

    def __init__(self) -> None:
        where = FAST_FOLDER if FAST_FOLDER.is_dir() else None
        self._folder = tempfile.TemporaryDirectory(prefix="simulation-", dir=where)
        root = Path(self._folder.name)
        self.homes = {till: root / f"till{till}" for till in TILLS}
        self.bank_folder, self._kept = root / "bank", root / "kept"
        for folder in (*self.homes.values(), self.bank_folder, self._kept):
            folder.mkdir()
        for till, home in self.homes.items():
            more = {"till": f'id = "{till}"', "relay": f'url = "{RELAY_URL}"'}
            (home / "settings.toml").write_text(settings_text(BANK_URL, **more), encoding="utf-8")
        self._books = root / "till.db"
        self.engine = make_engine(sqlite_url(self._books))
        self._make_books()
        self._make_bank()

    def _make_books(self) -> None:
        upgrade(self.engine)
        with self.engine.begin() as connection:
            tx = Transaction(connection, "1")
            tx.shop.set_meta("shop_id", SHOP_ID)
            tx.shop.put_products([TEA, CAKE])
            seed_people(tx)
        self.engine.dispose()
        _settle_file(self._books)
        shutil.copy(self._books, self._kept / "till.db")

    def _make_bank(self) -> None:
        bank = InlineBank(self.bank_folder, [StripeDialect(), RazorpayDialect()])

        def fill(tx: Any) -> None:
            for gateway, key in (
                ("stripe", KEYS["gateways.stripe.secret_key"]),
                ("razorpay", f"{KEYS['gateways.razorpay.key_id']}:{KEYS['gateways.razorpay.secret_key']}"),
            ):
                owner = open_account(tx, key, bank.dialect_of(key), source="control")
                add_endpoint(tx, owner, f"{RELAY_URL}/hooks/{gateway}", "whsec_simulated", "control")

        bank.write_now(fill)
        bank.close()
        shutil.copy(self.bank_folder / "bank.db", self._kept / "bank.db")

    def clean(self) -> None:
        """The files as they were before the first sale."""
        self.engine.dispose()
        for kept, used in (
            (self._kept / "till.db", self._books),
            (self._kept / "bank.db", self.bank_folder / "bank.db"),
        ):
            for ending in ("-wal", "-shm"):
                used.with_name(used.name + ending).unlink(missing_ok=True)
            shutil.copy(kept, used)

    def close(self) -> None:
        self.engine.dispose()
        self._folder.cleanup()


def _settle_file(path: Path) -> None:
    """Everything out of the write-ahead log and in the file itself."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@dataclass
class Life:
    """One life of a till's process, from its start to its crash: the graph that `pos.app.wiring` builds."""

    name: str
    process: Process
    till: Till
    listener: Listener
    sweeper: Sweeper
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    listening: asyncio.Task[None] | None = None

    @property
    def database(self) -> InlineDatabase:
        assert isinstance(self.till.database, InlineDatabase)
        return self.till.database


class World:
    """A seed's shop. `problems` collects what must never happen; `hits` counts acts and faults."""

    def __init__(self, ground: Ground, loop: VirtualLoop, seed: int, only_authorizes: float = ONLY_AUTHORIZES) -> None:
        self.ground, self.loop, self.seed = ground, loop, seed
        self.rng = random.Random(f"acts {seed}")
        self.hits: Counter[str] = Counter()
        self.commits = 0
        self.failures: list[str] = []
        self.last_error: BaseException | None = None
        self.trail: list[str] = []
        ground.clean()
        self.bank = InlineBank(ground.bank_folder, [StripeDialect(), RazorpayDialect()])
        self.bank.serve_at(BANK_URL)
        if self.rng.random() < only_authorizes:
            lapses = {"manual_capture": True, "capture_within_s": 3_600.0}
            self.bank.write_now(lambda tx: self._set_razorpay(tx, lapses))
        connections = HangingUp()
        app = build_app(self.bank, connections, self._bank_broke, None)
        self.network = Network(app, connections, random.Random(f"network {seed}"), self.hits)
        self.relay = Relay(random.Random(f"relay {seed}"), self.hits, self.now_ms)
        self._courier = httpx.AsyncClient(transport=self.relay)
        self.dispatcher = Dispatcher(self.bank, self._courier)
        self.in_write: Callable[[Tx], None] | None = None
        self.clocks = {name: TillClock(loop) for name in TILLS}
        self.listens = True
        """Whether tills hear the relay by themselves."""
        self._births: Counter[str] = Counter()
        self.lives: dict[str, Life] = {}

    def _set_razorpay(self, tx: Any, options: dict[str, Any]) -> None:
        owner = tx.one(Account, "WHERE dialect = 'razorpay'")
        set_options(tx, owner, RazorpayDialect.account_options, options)

    def now_ms(self) -> int:
        return int((EPOCH_S + self.loop.time()) * 1000)

    def _bank_broke(self, error: BaseException) -> None:
        self.failures.append(f"the bank broke: {error!r}")

    # -- tills live and die --------------------------------------------------------------------------------------------

    def start_till(self, name: str) -> Life:
        """Build the whole graph anew from the database file, as at a start of the program."""
        self._births[name] += 1
        rng = random.Random(f"till {name} {self._births[name]} {self.seed}")
        process = Process()

        def database(_home: Path, _settings: Settings) -> InlineDatabase:
            made = InlineDatabase(self.ground.engine, name, process, rng)
            made.in_write = lambda tx: self.in_write(tx) if self.in_write else None
            return made

        outside = Outside(self.clocks[name], TillIds(rng, self.clocks[name]), GivenSecrets(dict(KEYS)))
        with _swapped(wiring, open_database=database, RelayClient=lambda _url, _token: TillsRelay(self.relay)):
            till = open_till(self.ground.homes[name], outside)
        assert till.relay is not None
        listener = Listener(till.context, till.relay, till.hints, till.relay_health, till.reconcile.sweep_all)
        life = Life(name, process, till, listener, Sweeper(till.context, till.reconcile))
        for gateway, entry in till.desk.enrolled.items():
            till.desk.enrolled[gateway] = replace(entry, connect=partial(self._connect, life, entry))
        self.lives[name] = life
        self.listen(life)
        return life

    def _connect(self, life: Life, entry: Enrolled, account: str) -> Gateway:
        adapter = registry.adapter(entry.name, Mode.TEST)
        secrets = {key: KEYS[f"gateways.{entry.name}.{key}"] for key in adapter.capabilities.secrets}
        client = httpx.AsyncClient(transport=Line(self.network, life.name, life.process), trust_env=False)
        life.clients.append(client)
        return HttpGateway(adapter.with_account(account), BANK_URL, secrets, client)

    def listen(self, life: Life) -> None:
        """Start the listener's loop, as the supervisor does when it has ended."""
        if self.listens and (life.listening is None or life.listening.done()):
            life.listening = self._begin(life, "listen", life.listener.run)

    def begin(self, name: str, what: str, act: Callable[[Till], Awaitable[Any]]) -> asyncio.Task[None]:
        """Somebody does something at a till; it goes on while other things happen."""
        life = self.lives[name]
        return self._begin(life, what, lambda: act(life.till))

    def probe(self, name: str) -> asyncio.Task[None]:
        """What is due is looked at by the life that this till has now."""
        life = self.lives[name]
        return self._begin(life, "probe", lambda: prober(life).tick())

    def sweep(self, name: str) -> asyncio.Task[None]:
        life = self.lives[name]
        return self._begin(life, "sweep", lambda: life.sweeper.tick(EVERY_S))

    def _begin(self, life: Life, what: str, act: Callable[[], Awaitable[Any]]) -> asyncio.Task[None]:
        task = self.loop.create_task(self._do(life, what, act))
        life.tasks.add(task)
        task.add_done_callback(life.tasks.discard)
        return task

    async def _do(self, life: Life, what: str, act: Callable[[], Awaitable[Any]]) -> None:
        """A refusal is an answer like another; a crash ends this life; anything else must not happen."""
        try:
            await act()
            self.hits[f"{what}: done"] += 1
        except PosError as error:
            self.hits[f"{what}: {type(error).__name__}"] += 1
            self.trail.append(f"{self.loop.time():.1f} {life.name} {what}: {error.title}")
        except asyncio.CancelledError:
            self.hits[f"{what}: cut off"] += 1
        except BaseException as error:  # noqa: BLE001 - the edge of a simulated process
            if not life.process.dead:
                self.failures.append(f"{what} at till {life.name}: {error!r}")
                self.last_error = error
        if life.process.dead and self.lives.get(life.name) is life:
            self.restart(life)

    def restart(self, life: Life) -> None:
        """The process is gone with all that it was about to do; a new one starts from what is on disk."""
        life.process.dead = True
        self.hits["till crashed"] += 1
        self.commits += life.database.commits
        self.trail.append(f"{self.loop.time():.1f} {life.name} crashed")
        current = asyncio.current_task()
        for task in life.tasks:
            if task is not current:
                task.cancel()
        self.start_till(life.name)

    async def close(self) -> None:
        for life in self.lives.values():
            self.commits += life.database.commits
            for task in list(life.tasks):
                task.cancel()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for life in self.lives.values():
            for client in life.clients:
                await client.aclose()
        await self._courier.aclose()
        self.bank.close()


@contextmanager
def _swapped(module: Any, **values: Any) -> Iterator[None]:
    before = {name: getattr(module, name) for name in values}
    try:
        for name, value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


def prober(life: Life) -> Any:
    return prober_of(life.till)


@contextmanager
def simulated(ground: Ground, seed: int, **options: float) -> Iterator[tuple[VirtualLoop, World]]:
    """A loop and a world on it; both are gone afterwards."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    gc.disable()  # what happens here is short, and most of it is kept to its end
    try:
        with told_by(loop, seed):
            yield loop, World(ground, loop, seed, **options)
    finally:
        loop.close()
        asyncio.set_event_loop(None)
        gc.enable()
