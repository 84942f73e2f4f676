"""The bank in the box as a harness of the gateway contract: its customer, its faults, its control desk."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from pos.domain.facts import Mode
from pos.domain.ports import Adapter, LinkInfo
from pos.gateways import registry
from pos.sandbox import customer

KINDS = {
    "busy": {"kind": "rate_limited"},
    "error": {"kind": "error_500"},
    "html": {"kind": "html"},
    "truncated": {"kind": "truncated"},
    "dropped": {"kind": "drop"},
}
SECRETS = {
    "stripe": {"secret_key": "sk_test_sandbox"},
    "razorpay": {"key_id": "rzp_test_sandbox", "secret_key": "sandbox_secret"},
}
CURRENCIES = {"stripe": "EUR", "razorpay": "INR"}


class Sandbox:
    """`pos.gateways.contract.Harness` over a running sandbox, in the dialect of one gateway."""

    def __init__(self, url: str, client: httpx.Client, gateway: str = "stripe") -> None:
        self.adapter: Adapter = registry.adapter(gateway, Mode.TEST)
        self.base_url = url
        self.secrets = SECRETS[gateway]
        self.currency = CURRENCIES[gateway]
        self.report_payments = 101
        self._client = client

    async def customer(self, link: LinkInfo, does: str) -> None:
        await asyncio.to_thread(customer.pay, link.url, does, client=self._client, sandbox=self.base_url)

    async def misbehave(self, what: str) -> None:
        self.control("/faults", {"operation": "*", **KINDS[what]})

    def control(self, path: str, body: dict[str, Any]) -> Any:
        """Something happens at the bank; see docs/sandbox.md."""
        answer = self._client.post(f"{self.base_url}/_sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()
