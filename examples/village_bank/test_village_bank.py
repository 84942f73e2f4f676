"""The contract that every adapter must keep, run on this one: all the test that an adapter needs to begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

pytest.register_assert_rewrite("pos.gateways.contract")

from bank import KEY, Bank, running  # noqa: E402 - after the line above
from village_bank.adapter import make  # noqa: E402

from pos.domain.facts import Mode  # noqa: E402
from pos.domain.ports import Adapter, LinkInfo  # noqa: E402
from pos.gateways.contract import GatewayContract  # noqa: E402


class VillageHarness:
    """A gateway to test against, and its customer: see `pos.gateways.contract.Harness`."""

    secrets: Mapping[str, str] = {"secret_key": KEY}
    currency = "EUR"
    report_payments = 21

    def __init__(self, bank: Bank) -> None:
        self.adapter: Adapter = make(Mode.TEST)
        self.base_url = bank.url
        self._bank = bank

    async def customer(self, link: LinkInfo, does: str) -> None:
        self._bank.pay(link.url, does)

    async def misbehave(self, what: str) -> None:
        self._bank.misbehave(what)


@pytest.fixture(scope="module")
def harness() -> Iterator[VillageHarness]:
    with running() as bank:
        yield VillageHarness(bank)


class TestVillageBank(GatewayContract):
    """Everything every adapter must do."""
