"""`POST /hooks/{shop}/{gateway}/{path token}`: verify, keep the envelope durably, and only then answer 2xx.

The body is looked at once and never kept. Nothing here knows what an event means for an order.
"""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from pos.domain.errors import BadInput, Broken
from pos.relay import http
from pos.relay.core import Core
from pos.relay.log import webhook_hint
from pos.relay.tenants import Hook

NOBODY = "There is nobody here."
BUSY_S = 1.0


class Intake:
    """Raw ASGI; one instance per relay."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._in_flight >= self._core.settings.limits.hooks_in_flight:
            return await self._refuse(send, http.Refusal(503, "Too much at once.", BUSY_S), "busy")
        self._in_flight += 1
        try:
            outcome = await self._take(scope, receive)
        except http.Refusal as refusal:
            await self._refuse(send, refusal, f"refused_{refusal.status}")
        except Broken as error:
            await self._refuse(send, http.Refusal(503, str(error), BUSY_S), "not_stored")
        except http.Gone:
            self._count("hung_up")
        else:
            self._count(outcome)
            await http.answer(send, 200, b"{}")
        finally:
            self._in_flight -= 1
        return None

    async def _refuse(self, send: Send, refusal: http.Refusal, outcome: str) -> None:
        self._count(outcome)
        await http.refuse(send, refusal.status, refusal.title, refusal.retry_after_s)

    def _count(self, outcome: str) -> None:
        self._core.metrics.add("hooks_total", f'outcome="{outcome}"')

    async def _take(self, scope: Scope, receive: Receive) -> str:
        """The steps, in this order: who, how often, what size, signed, readable, stored."""
        core, limits = self._core, self._core.settings.limits
        if scope["method"] != "POST":
            raise http.Refusal(405, "POST only.")
        wait_s = core.gates.addresses.wait_s(http.address(scope), core.monotonic())
        if wait_s:
            raise http.Refusal(429, "Too many requests from this address.", wait_s)
        hook = self._find(scope["path"])
        body = await http.read_body(scope, receive, limits.hook_body_bytes, limits.body_within_s)
        wait_s = core.gates.shops.wait_s(hook.shop, core.monotonic())
        if wait_s:
            raise http.Refusal(429, "Too many events for this shop.", wait_s)
        return await self._keep(hook, scope, body)

    def _find(self, path: str) -> Hook:
        """Unknown shop, unknown gateway and wrong token are one answer."""
        parts = path.split("/")
        self._core.tenants.refresh()
        hook = self._core.tenants.hook(parts[2], parts[3], parts[4]) if len(parts) == 5 else None
        if hook is None or hook.gateway not in self._core.doors:
            raise http.Refusal(404, NOBODY)
        return hook

    async def _keep(self, hook: Hook, scope: Scope, body: bytes) -> str:
        core, door, now = self._core, self._core.doors[hook.gateway], self._core.now()
        if door.verify is not None:
            check = door.verify(hook.valid_secrets(now), scope["headers"], body, now)
            if not check:
                raise http.Refusal(401, f"The signature does not hold: {check.reason}.")
        try:
            envelope = door.read_webhook(body, scope["headers"])
        except BadInput as error:
            raise http.Refusal(400, error.title) from error
        fresh = await core.store(webhook_hint(hook.shop, envelope, int(now * 1000)))
        return "stored" if fresh else "duplicate"
