"""One bank process for a worker, one account and one home for a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.engines import POSTGRESQL, SHOPS
from tests.shop import Bank, Shop, bank_process, open_shop


@pytest.fixture(scope="session")
def bank_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with bank_process(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture
def bank(bank_server: Bank) -> Iterator[Bank]:
    bank_server.clear()
    yield bank_server
    bank_server.clear()


@pytest_asyncio.fixture(params=SHOPS)
async def shop(request: pytest.FixtureRequest, bank: Bank, tmp_path: Path) -> AsyncIterator[Shop]:
    """Everything holds whichever gateway a shop sells through, and whichever database it keeps its books in."""
    gateway, _, engine = request.param.partition("-")
    settings = {"database": f'url = "{request.getfixturevalue("postgresql_url")}"'} if engine == POSTGRESQL else {}
    made = open_shop(bank, tmp_path / "home", gateway, **settings)
    yield made
    await made.till.close()
