"""What every route needs, in one place: settings, tenants, log, streams, limits, counters, clock. No routes here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Scope

from pos.relay import http
from pos.relay.doors import Door
from pos.relay.hub import Hub
from pos.relay.limits import Buckets, OncePer
from pos.relay.log import Hint, Log
from pos.relay.metrics import Metrics
from pos.relay.settings import Limits, Settings
from pos.relay.tenants import Tenants, Till

BEARER = b"bearer "
TOKEN_BYTES = 200


@dataclass(frozen=True, slots=True)
class Gates:
    """Rate limits, all in memory."""

    addresses: Buckets
    shops: Buckets
    pages: Buckets
    unknown_returns: Buckets
    pairings: Buckets
    again: OncePer


@dataclass(slots=True)
class Core:
    settings: Settings
    tenants: Tenants
    log: Log
    doors: dict[str, Door]
    hub: Hub
    gates: Gates
    metrics: Metrics = field(default_factory=Metrics)
    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def now_ms(self) -> int:
        return int(self.now() * 1000)

    def till(self, scope: Scope) -> Till | None:
        """The till whose token the request bears. The shop comes from here alone, never from a path."""
        value = http.header(scope, b"authorization")
        if value is None or value[:7].lower() != BEARER or len(value) > TOKEN_BYTES:
            return None
        self.tenants.refresh()
        return self.tenants.till(value[7:].strip().decode("latin-1"))

    async def store(self, hint: Hint) -> bool:
        """Append durably; True if it was new. Raises Broken."""
        fresh = await self.log.append(hint)
        if fresh:
            self.metrics.add("events_total", f'kind="{hint.kind}"')
        return fresh


def make_gates(limits: Limits, again_s: float) -> Gates:
    return Gates(
        addresses=Buckets(limits.ip_per_s, limits.ip_burst),
        shops=Buckets(limits.shop_per_s, limits.shop_burst),
        pages=Buckets(limits.pages_per_s, limits.pages_burst),
        unknown_returns=Buckets(limits.unknown_returns_per_s, limits.unknown_returns_burst),
        pairings=Buckets(limits.pairings_per_s, limits.pairings_burst),
        again=OncePer(again_s),
    )
