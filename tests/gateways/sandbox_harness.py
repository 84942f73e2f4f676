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


class Sandbox:
    """`pos.gateways.contract.Harness` over a running sandbox."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        self.adapter: Adapter = registry.adapter("stripe", Mode.TEST)
        self.base_url = url
        self.secret = "sk_test_sandbox"
        self.currency = "EUR"
        self.report_payments = 101
        self._client = client

    async def customer(self, link: LinkInfo, does: str) -> None:
        await asyncio.to_thread(customer.pay, link.url, does, client=self._client)

    async def misbehave(self, what: str) -> None:
        self.control("/faults", {"operation": "*", **KINDS[what]})

    def control(self, path: str, body: dict[str, Any]) -> Any:
        """Something happens at the bank; see docs/sandbox.md."""
        answer = self._client.post(f"{self.base_url}/_sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()
