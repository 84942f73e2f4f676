"""A shop of real processes: bank, relay, a till's background work, and commands typed by somebody.

The shop has both gateways, each with an account and a webhook of its own. Bank and relay serve all tests of a worker;
a test that kills them asks for `fragile`, which has its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from pos.app.config import load
from pos.app.demo.world import WEBHOOK_SECRET
from pos.app.wiring import open_database
from pos.domain.store_port import Tx
from pos.relay.tenants import Tenants
from pos.sandbox import customer
from tests.processes import ROOT, Served, serve
from tests.shop import CAKE, PENDING_S, SANDBOX_KEYS, TEA, Bank, settings_text
from tests.warmed import command, let_go

T = TypeVar("T")
COMMAND_S = 60
SOON_S = 30.0
GATEWAYS = ("stripe", "razorpay")
OTHER = {"stripe": "razorpay", "razorpay": "stripe"}


@dataclass
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Town:
    """What a shop does not own: the bank, and the relay."""

    folder: Path
    bank: Bank
    relay: Served
    environment: dict[str, str]

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every request that the bank has answered, in their order."""
        lines = (self.folder / "bank.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@dataclass
class Street:
    """One shop in its town. `gateway` is the one it sells through; the other is set up as well."""

    town: Town
    folder: Path
    home: Path
    gateway: str
    stack: ExitStack
    keys: dict[str, str] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    shop: str = ""

    @property
    def bank(self) -> Bank:
        return self.town.bank

    @property
    def relay(self) -> Served:
        return self.town.relay

    @property
    def other(self) -> str:
        return OTHER[self.gateway]

    def pos(self, *words: str, stdin: str = "", **more: str) -> Done:
        """Type a command."""
        done = command(words, self.environment | more, stdin=stdin, within_s=COMMAND_S)
        return Done(done.returncode, done.stdout, done.stderr)

    def does(self, *words: str, status: int = 0) -> Any:
        """A command that ends as expected; what it printed."""
        done = self.pos(*words, "--json")
        assert done.status == status, (words, done.status, done.out, done.err)
        return done.json if done.out else None

    def sell(self, *words: str) -> Any:
        return self.does("sell", *words)

    def asks(self, product: str = "TEA", *words: str) -> Any:
        """An order with a link of the gateway that is sold through."""
        return self.sell("--line", product, "--qr", self.gateway, *words)

    def pays(self, order: Any, outcome: str = "paid") -> str:
        """The customer scans the code, types nothing wrong, and acts."""
        return customer.pay(order["attempt"]["qr_text"], outcome, sandbox=self.bank.url).outcome

    def follow(self, *words: str) -> Served:
        """The till's background work as a process of its own."""
        return self.stack.enter_context(serve(["sync", "--follow", *words], self.environment))

    def listen(self) -> Served:
        """Nothing but the relay: nobody asks, nobody sweeps; what the till learns from now on, it was told."""
        follower = self.follow("--only", "relay")
        eventually(lambda: self.read(lambda tx: tx.sync.cursor()))
        return follower

    def order(self, number: str) -> Any:
        return self.does("order", number)

    def until(self, number: str, **wanted: Any) -> Any:
        """The order once it reads as wanted; asked again whenever something was written, with a bound."""
        order: Any = {}
        for _ in range(40):
            written = self.written_at()
            order = self.order(number)
            if all(order[key] == value for key, value in wanted.items()):
                return order
            with contextlib.suppress(AssertionError):
                eventually(lambda then=written: self.written_at() != then, within_s=1.0)
        raise AssertionError(f"{number} did not become {wanted}: {order}")

    def written_at(self) -> list[tuple[int, int]]:
        """Changes with each commit of whoever writes in this shop's books."""
        files = [path.stat() for path in sorted(self.home.glob("till.db*"))]
        return [(file.st_mtime_ns, file.st_size) for file in files]

    def synced_until(self, number: str, **wanted: Any) -> Any:
        """As `until`, with the background work done by hand before each look."""
        for _ in range(20):
            self.pos("sync", "--once")
            order = self.order(number)
            if all(order[key] == value for key, value in wanted.items()):
                return order
        raise AssertionError(f"{number} did not become {wanted}: {order}")

    def drill(self, what: str, subject: str, act: str, **body: Any) -> Any:
        """Something happens at the bank that nobody here asked for."""
        return self.bank.desk("POST", f"/{what}/{subject}/{act}", body)

    def at_gateway(self, path: str, **query: str) -> Any:
        """What the gateway itself says, asked with the shop's key and without any code of ours."""
        key, secret = self.keys[LOGIN[self.gateway]], self.keys.get(f"gateways.{self.gateway}.secret_key", "")
        auth = (key, secret if secret != key else "")
        answer = httpx.get(self.bank.url + path, params=query, auth=auth, timeout=COMMAND_S, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def links_at_gateway(self) -> list[Any]:
        """Payment links as the gateway lists them, the newest first."""
        if self.gateway == "stripe":
            rows: list[Any] = self.at_gateway("/v1/checkout/sessions", limit="100")["data"]
        else:
            rows = self.at_gateway("/v1/payment_links")["payment_links"]
        return rows

    def configure(self, **qr: str) -> None:
        """Settings again, with what the codes carry."""
        text = settings_text(self.bank.url, qr, relay=f'url = "{self.relay.url}"')
        (self.home / "settings.toml").write_text(text, encoding="utf-8")

    def account(self, gateway: str) -> str:
        return self.bank.accounts[self.keys[LOGIN[gateway]]]

    def deliveries(self) -> list[Any]:
        """What the bank has sent, or tried to send, to this shop; the newest first."""
        mine = set(self.endpoints.values())
        return [row for row in self.bank.desk("GET", "/deliveries") if row["endpoint"] in mine]

    def read(self, what: Callable[[Tx], T]) -> T:
        """Look into the till's database, beside whoever uses it."""
        database = open_database(self.home, load(self.home))
        try:
            return database.read_now(what)
        finally:
            database.close()

    def order_count(self) -> int:
        return len(self.read(lambda tx: tx.orders.ids()))

    def assert_books(self) -> None:
        done = self.pos("books", "verify")
        assert (done.status, done.out.strip()) == (0, "the books verify"), done.out


LOGIN = {"stripe": "gateways.stripe.secret_key", "razorpay": "gateways.razorpay.key_id"}
"""The secret that tells accounts apart."""


def eventually(what: Callable[[], Any], within_s: float = SOON_S) -> Any:
    """The first true answer of `what`: something that another process does, and that nobody tells us of."""
    ends = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < ends, f"not within {within_s} s"
        threading.Event().wait(0.05)
    return found


def sources(order: Any) -> set[str]:
    """How we came to know what we know of an order."""
    return {row["source"] for row in order["timeline"]}


def plain_environment() -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("POS_") and k != "PYTHONDONTWRITEBYTECODE"}
    return env | {"PYTHONPATH": str(ROOT)}


def as_variables(secrets: Mapping[str, str]) -> dict[str, str]:
    """The till's secrets as its environment gives them."""
    return {"POS_SECRET_" + name.upper().replace(".", "_"): value for name, value in secrets.items()}


def bank_words(folder: Path, port: str = "0") -> list[str]:
    """The command line of a town's bank; with its port it comes back at the same address."""
    words = ["sandbox", "serve", "--port", port, "--data", str(folder / "bank"), "--log", str(folder / "bank.log")]
    return [*words, "--pending-seconds", str(PENDING_S)]


def relay_words(folder: Path, port: str = "0") -> list[str]:
    return ["relay", "serve", "--port", port, "--data", str(folder / "relay")]


def port_of(served: Served) -> str:
    return served.url.rpartition(":")[2]


@contextlib.contextmanager
def build_town(folder: Path) -> Iterator[Town]:
    env = plain_environment()
    with serve(relay_words(folder), env) as relay, serve(bank_words(folder), env) as bank:
        yield Town(folder, Bank(bank, folder / "bank"), relay, env)


@pytest.fixture(scope="session", autouse=True)
def _commands() -> Iterator[None]:
    yield
    let_go()


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with build_town(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture(params=GATEWAYS)
def gateway(request: pytest.FixtureRequest) -> str:
    """Every journey is made through each gateway."""
    name: str = request.param
    return name


@pytest.fixture
def street(town: Town, gateway: str, tmp_path: Path) -> Iterator[Street]:
    with open_street(town, gateway, tmp_path) as made:
        yield made


@pytest.fixture
def indian(town: Town, tmp_path: Path) -> Iterator[Street]:
    """For what only Razorpay does."""
    with open_street(town, "razorpay", tmp_path) as made:
        yield made


@pytest.fixture
def fragile(gateway: str, tmp_path: Path) -> Iterator[Street]:
    """Bank and relay of its own: they may be killed."""
    with build_town(tmp_path) as town, open_street(town, gateway, tmp_path) as made:
        yield made


@contextlib.contextmanager
def open_street(town: Town, gateway: str, folder: Path) -> Iterator[Street]:
    with ExitStack() as stack:
        made = Street(town, folder, folder / "home", gateway, stack, environment=dict(town.environment))
        _enrol(made)
        yield made
    if town.bank.served.process.poll() is None:
        town.bank.clear()  # the next shop in town meets no fault of this one


def _enrol(street: Street) -> None:
    """A shop at the relay with both hooks, a till there, accounts at the bank, and a home."""
    # what `pos relay add-shop` and `add-till` do, beside a running relay too
    tenants = Tenants(street.town.folder / "relay")
    street.shop = tenants.add_shop(f"Café {street.folder.name}", dict.fromkeys(GATEWAYS, WEBHOOK_SECRET), time.time())
    _, token = tenants.add_till(street.shop, time.time())
    paths, street.keys = tenants.hook_paths(street.shop), street.bank.new_keys()
    for name in GATEWAYS:
        street.hooks[name] = street.relay.url + paths[name]
        body = {"url": street.hooks[name], "secret": WEBHOOK_SECRET, "account": street.account(name)}
        street.endpoints[name] = street.bank.desk("POST", "/webhooks", body)["id"]
    furnish(street.home, settings_text(street.bank.url, relay=f'url = "{street.relay.url}"'))
    street.environment |= {
        "POS_HOME": str(street.home),
        "POS_SECRET_RELAY_TILL_TOKEN": token,
        **as_variables(street.keys),
    }


def furnish(home: Path, settings: str) -> None:
    """A home with settings and two products."""
    home.mkdir()
    (home / "settings.toml").write_text(settings, encoding="utf-8")
    database = open_database(home, load(home))
    database.write_now(lambda tx: tx.shop.put_products([TEA, CAKE]))
    database.close()


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """A home with nobody around: for what is refused before anything is asked."""
    folder = tmp_path_factory.mktemp("quiet")
    furnish(folder / "home", settings_text("http://127.0.0.1:9"))
    nobody = Served.__new__(Served)
    env = plain_environment() | {"POS_HOME": str(folder / "home")} | SANDBOX_KEYS
    with ExitStack() as stack:
        town = Town(folder, Bank(nobody, folder), nobody, env)
        yield Street(town, folder, folder / "home", "stripe", stack, environment=env)
