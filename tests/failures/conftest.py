"""The same shop and bank as the services' tests, and a bank on which nothing moves by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.conftest import bank, bank_server, shop
from tests.shop import PENDING_S, Bank

__all__ = ["bank", "bank_server", "shop"]
LONG_S = 600.0


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
