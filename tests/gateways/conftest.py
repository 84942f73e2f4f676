"""A running bank for the tests of a module; the contract's assertions explain themselves like a test module's."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

pytest.register_assert_rewrite("pos.gateways.contract")

from tests.gateways.sandbox_harness import Sandbox  # noqa: E402 - after the line above
from tests.processes import serve  # noqa: E402


@pytest.fixture(scope="module")
def harness(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """In the dialect of the module's `GATEWAY`."""
    gateway = getattr(request.module, "GATEWAY", "stripe")
    folder = tmp_path_factory.mktemp("bank")
    with (
        serve(["sandbox", "serve", "--port", "0", "--data", str(folder)]) as bank,
        httpx.Client(trust_env=False, timeout=10.0) as client,
    ):
        yield Sandbox(bank.url, client, gateway)
