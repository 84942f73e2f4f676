"""The same bank as the services' tests, a shop with its books in a file, and a bank on which nothing moves by itself.

The file because cases copy it, damage it and fill its disk; what differs on a server has its own tests
(`tests/services/test_two_tills.py`, `tests/sync/test_server_down.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.services.conftest import bank, bank_server
from tests.shop import PENDING_S, Bank, Shop, open_shop

__all__ = ["bank", "bank_server"]
LONG_S = 600.0


@pytest_asyncio.fixture(params=["stripe", "razorpay"])
async def shop(request: pytest.FixtureRequest, bank: Bank, tmp_path: Path) -> AsyncIterator[Shop]:
    """Everything holds whichever gateway a shop sells through."""
    made = open_shop(bank, tmp_path / "home", request.param)
    yield made
    await made.till.close()


@pytest.fixture
def patient(bank: Bank) -> Iterator[None]:
    """A payment that is on its way stays there until the test says so."""
    bank.desk("POST", "/settings", {"pending_s": LONG_S})
    yield
    bank.desk("POST", "/settings", {"pending_s": PENDING_S})


@pytest.fixture
def bank_clock(bank: Bank) -> Iterator[Bank]:
    """A bank whose clock the test may move; it is right again afterwards."""
    yield bank
    bank.desk("POST", "/settings", {"clock_offset_s": 0.0})
