"""Where gateways send their webhooks: the relay knows it, a manager pastes it at the gateway. Only shown here."""

from __future__ import annotations

from pos.services.context import Context
from pos.services.setup_ports import HookAddresses
from pos.services.setup_views import HookView


class Webhooks:
    def __init__(self, context: Context, doors: HookAddresses | None) -> None:
        self._context = context
        self._doors = doors

    async def of(self, gateway: str) -> HookView:
        """As the relay says now; a relay that is set up without its token has not been heard either."""
        if not self._context.shop.relay_url:
            return HookView("none")
        found = await self._doors.addresses() if self._doors is not None else None
        if found is None:
            return HookView("unheard")
        return HookView("known", found[gateway]) if gateway in found else HookView("missing")
