"""A shop of real processes: bank, relay, a till's background work, and commands typed by somebody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pos.app.config import load
from pos.app.demo.world import WEBHOOK_SECRET
from pos.app.wiring import open_database
from pos.sandbox import customer
from tests.processes import ROOT, Served, serve
from tests.shop import CAKE, TEA, Bank, settings_text

COMMAND_S = 60


@dataclass
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Street:
    """Home, bank and relay of one shop."""

    folder: Path
    home: Path
    bank: Bank
    relay: Served
    hook: str
    environment: dict[str, str]
    stack: ExitStack
    extra: dict[str, str] = field(default_factory=dict)

    def pos(self, *words: str, stdin: str = "", **more: str) -> Done:
        """Type a command."""
        done = subprocess.run(
            [sys.executable, "-m", "pos", *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=self.environment | more,
            timeout=COMMAND_S,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def sell(self, *words: str) -> Any:
        done = self.pos("sell", *words, "--json")
        assert done.status == 0, done.err
        return done.json

    def pays(self, order: Any, outcome: str = "paid") -> str:
        return customer.pay(order["attempt"]["link_url"], outcome).outcome

    def follow(self) -> Served:
        """The till's background work as a process of its own."""
        return self.stack.enter_context(serve(["sync", "--follow"], self.environment))

    def order(self, number: str) -> Any:
        done = self.pos("order", number, "--json")
        assert done.status == 0, done.err
        return done.json

    def until(self, number: str, **wanted: str) -> Any:
        """The order once it reads as wanted; asked again and again, with a bound."""
        order: Any = {}
        for _ in range(40):
            order = self.order(number)
            if all(order[key] == value for key, value in wanted.items()):
                return order
        raise AssertionError(f"{number} did not become {wanted}: {order}")

    def order_count(self) -> int:
        database = open_database(self.home, load(self.home))
        try:
            return len(database.read_now(lambda tx: tx.orders.ids()))
        finally:
            database.close()

    def assert_books(self) -> None:
        done = self.pos("books", "verify")
        assert (done.status, done.out.strip()) == (0, "the books verify"), done.out


def add_endpoint(bank: Bank, hook: str) -> None:
    bank.desk("POST", "/webhooks", {"url": hook, "secret": WEBHOOK_SECRET})


def plain_environment() -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("POS_") and k != "PYTHONDONTWRITEBYTECODE"}
    return env | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with ExitStack() as stack:
        env = plain_environment()
        relay = stack.enter_context(serve(["relay", "serve", "--port", "0", "--data", str(tmp_path / "relay")], env))
        arguments = ["sandbox", "serve", "--port", "0", "--data", str(tmp_path / "bank"), "--pending-seconds", "0.3"]
        bank = Bank(stack.enter_context(serve(arguments, env)), tmp_path / "bank")
        made = Street(tmp_path, tmp_path / "home", bank, relay, "", env, stack)
        _enrol(made)
        yield made


def _enrol(street: Street) -> None:
    data = ["--data", str(street.folder / "relay"), "--json"]
    shop = street.pos(
        "relay", "add-shop", "Café", "--gateway", "stripe", *data, POS_SECRET_WEBHOOK_STRIPE=WEBHOOK_SECRET
    )
    till = street.pos("relay", "add-till", shop.json["shop"], *data)
    street.hook = street.relay.url + shop.json["hooks"]["stripe"]
    add_endpoint(street.bank, street.hook)
    furnish(street.home, settings_text(street.bank.url, relay=f'url = "{street.relay.url}"'))
    street.environment |= {
        "POS_HOME": str(street.home),
        "POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY": "sk_test_sandbox",
        "POS_SECRET_RELAY_TILL_TOKEN": till.json["token"],
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
    env = plain_environment() | {"POS_HOME": str(folder / "home")}
    env |= {"POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY": "sk_test_sandbox"}
    with ExitStack() as stack:
        yield Street(folder, folder / "home", Bank(nobody, folder), nobody, "", env, stack)
