"""What every service is given: the store, the clock, the bus, the shop's settings, the gateways at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pos.domain.ports import Clock, Ids
from pos.domain.store_port import Store
from pos.services.bus import Bus


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """The shop as it is configured. `shop_id` is a UUID made at first start."""

    shop_id: str
    name: str
    currency: str
    time_zone: str
    locale: str
    till: str
    day_cut_off: time = time(4, 0)
    tax_included: bool = True
    look_back_hours: float = 24.0
    sync_every_minutes: float = 5.0
    relay_url: str = ""
    relay_public_url: str = ""
    open_pass: bool = False
    test_mode: bool = True
    second_above_minor: int | None = None
    """Above this amount whatever gives money back or believes a bank's message needs a second manager."""
    payout_tolerance_minor: int = 0
    """How far a payout and its fee may be off what was captured before a manager is told (M16, M17)."""
    cash_tolerance_minor: int = 0
    """How far the drawer may be off what the books say before a reason is asked for (M18)."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def return_page(self, token: str, relay_shop: str, own: str) -> str:
        """Where a customer's browser goes after paying: the relay's page, or the shop's `own`."""
        if self.relay_public_url and relay_shop:
            return f"{self.relay_public_url}/return/{relay_shop}/{token}"
        return own

    def business_day(self, at_ms: int) -> str:
        """The ISO date of the business day that a moment belongs to: from cut-off to cut-off in the shop's zone."""
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.zone)
        day = local.date()
        return (day - timedelta(days=1) if local.time() < self.day_cut_off else day).isoformat()

    def day_bounds_ms(self, day: str) -> tuple[int, int]:
        """[from, to) of a business day; 23 or 25 hours where the clocks change."""
        date = datetime.fromisoformat(day).date()
        starts = [
            datetime.combine(date + timedelta(days=shift), self.day_cut_off, tzinfo=self.zone).astimezone(UTC)
            for shift in (0, 1)
        ]
        return int(starts[0].timestamp() * 1000), int(starts[1].timestamp() * 1000)


@dataclass(slots=True)
class Context:
    """`owner` names this process in leases and claims; `shop` is replaced when a setting changes in a running till."""

    store: Store
    clock: Clock
    ids: Ids
    bus: Bus
    shop: ShopSettings
    owner: str

    def now_ms(self) -> int:
        return self.clock.now_ms()
