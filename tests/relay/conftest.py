"""A relay in this process, with a clock that the test moves, and two shops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pos.relay.app import Relay
from pos.relay.core import Core
from pos.relay.log_sqlite import SqliteLog
from pos.relay.server import close_core, open_core
from pos.relay.settings import Settings
from tests.relay.asgi import SECRET, Answer, Client

NOW = 1_790_000_000.25


@dataclass
class Shop:
    id: str
    hook: str
    till: str
    token: str


@dataclass
class Running:
    core: Core
    log: SqliteLog
    client: Client
    cafe: Shop
    bakery: Shop
    now: float = NOW

    async def hook(self, content: object, shop: Shop | None = None, **more: str) -> Answer:
        path = (shop or self.cafe).hook
        return await self.client.hook(path, content, t=int(self.now), **more)


def add_shop(core: Core, name: str) -> Shop:
    shop = core.tenants.add_shop(name, {"stripe": SECRET}, NOW)
    till, token = core.tenants.add_till(shop, NOW)
    return Shop(shop, core.tenants.hook_paths(shop)["stripe"], till, token)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "relay", "https://relay.test")


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[Running]:
    core, log = open_core(settings)
    app = Relay(core)
    relay = Running(core, log, Client(app), add_shop(core, "Corner Café"), add_shop(core, "Bakery <&> Söhne"))
    core.now = lambda: relay.now
    core.monotonic = lambda: relay.now
    yield relay
    await close_core(core)


@pytest.fixture
def test_settings(settings: Settings) -> Settings:
    """A relay without https: short links may lead to this machine."""
    return replace(settings, public_url="http://127.0.0.1:8700")
