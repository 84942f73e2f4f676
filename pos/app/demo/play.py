"""What every act of the story needs: ringing up, customers, waiting for what people read, a bank that misbehaves.

Waiting is for events with a bound, never for a time. No act is told here.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pos.app.demo.world import WEBHOOK_SECRET, World
from pos.app.wiring import Till
from pos.domain.basket import Line
from pos.domain.catalogue import Product
from pos.domain.errors import Broken
from pos.domain.shown import Shown
from pos.sandbox import customer
from pos.services.bus import Event, OrderChanged, StatusChanged
from pos.services.views import DayView, OrderView

WITHIN_S = 25.0
LIVE_WITHIN_S = 15.0
MANAGER = "Owner"


class Stage(Protocol):
    """Where the story is played: a window that is photographed, or nothing."""

    async def scene(self, name: str, order_id: str = "", day: DayView | None = None) -> None:
        """Show this and keep a picture under this name."""
        ...


class NoStage:
    async def scene(self, name: str, order_id: str = "", day: DayView | None = None) -> None:
        return None


@dataclass
class Told:
    """What happened, for people and as data."""

    lines: list[str] = field(default_factory=list)
    acts: list[dict[str, Any]] = field(default_factory=list)


class Play:
    """One till in its world, played on a stage; the same seed chooses the same products."""

    def __init__(
        self, till: Till, world: World, stage: Stage, *, seed: int, sales: int, say: Callable[[str], None]
    ) -> None:
        self._till = till
        self._world = world
        self._stage = stage
        self._random = random.Random(seed)  # noqa: S311 - a repeatable story, not a secret
        self._sales = sales
        self._say = say
        self._products: list[Product] = []
        self.told = Told()

    def _lines(self, *skus: str) -> list[Line]:
        known = {p.sku: p for p in self._products}
        lines = []
        for sku in dict.fromkeys(skus):
            p = known[sku]
            lines.append(Line(p.sku, p.name, skus.count(sku) * 1000, p.price_minor, p.tax_ppm, p.tax_name))
        return lines

    async def _ring(self, *skus: str, gateway: str = "stripe") -> OrderView:
        view = await self._till.checkout.sell(self._lines(*skus), gateway, actor=MANAGER)
        self._expect(view, Shown.WAITING)
        return view

    async def _customer(self, view: OrderView, outcome: str) -> None:
        result = await self._scan(view, outcome)
        if not result.done:
            raise Broken(f"The customer of {view.number} could not act: {result.outcome}.", "")

    async def _scan(self, view: OrderView, outcome: str) -> customer.Result:
        """What comes of scanning the order's code; a UPI code is read by the app of the world's bank."""
        assert view.attempt is not None
        address = view.attempt.link_url
        return await asyncio.to_thread(customer.pay, address, outcome, sandbox=self._world.bank)

    @contextlib.contextmanager
    def _upi_codes(self) -> Iterator[None]:
        """While inside, the shop's Razorpay codes carry UPI, as with `qr = "upi"` in its settings."""
        gateways = self._till.desk.enrolled
        usual = gateways["razorpay"]
        gateways["razorpay"] = replace(usual, qr="upi")
        yield
        gateways["razorpay"] = usual

    async def _until(self, view: OrderView, word: Shown) -> OrderView:
        """The order once people read `word`; the till learns it by itself."""
        changed = asyncio.Event()

        def heard(event: Event) -> None:
            if isinstance(event, OrderChanged) and event.row.order_id == view.order_id:
                changed.set()

        stop = self._till.bus.subscribe(heard)
        try:
            async with asyncio.timeout(WITHIN_S):
                while (now := await self._till.queries.order(view.order_id)).shown is not word:
                    await changed.wait()
                    changed.clear()
                return now
        except TimeoutError as error:
            raise Broken(f"Order {view.number} did not become {word} within {WITHIN_S:.0f} s.", "") from error
        finally:
            stop()

    async def _sweep_until(self, view: OrderView, word: Shown) -> OrderView:
        """Sweeps, until the bank's whole-second clock has passed the payment."""
        async with asyncio.timeout(WITHIN_S):
            while (now := await self._till.queries.order(view.order_id)).shown is not word:
                await self._till.reconcile.sweep_all()
                await asyncio.sleep(0.2)
            return now

    async def _relay_is_live(self) -> None:
        """Until the lights say so."""
        live = asyncio.Event()

        def heard(event: Event) -> None:
            if isinstance(event, StatusChanged) and event.status.relay == "ok":
                live.set()

        stop = self._till.bus.subscribe(heard)
        try:
            await asyncio.wait_for(live.wait(), LIVE_WITHIN_S)
        finally:
            stop()

    def _fault(self, operation: str, kind: str, count: int, **options: Any) -> None:
        self._world.desk("POST", "/faults", {"operation": operation, "kind": kind, "count": count, **options})

    def _webhooks_lost(self) -> _Lost:
        return _Lost(self._world)

    def _drill(self, view: OrderView, *, own_intent: bool) -> None:
        assert view.attempt is not None
        self._world.desk("POST", f"/links/{view.attempt.link_id}/capture", {"own_intent": own_intent})

    def _expect(self, view: OrderView, word: Shown) -> None:
        if view.shown is not word:
            raise Broken(f"Order {view.number} reads {view.shown}, not {word}.", "")

    def _tell(self, act: str, view: OrderView, text: str) -> None:
        line = f"{view.number}  {self._till.formats.money(view.totals.total_minor):>12}  {text}"
        self.told.lines.append(line)
        self.told.acts.append({"act": act, "number": view.number, "shown": view.shown.value, "text": text})
        self._say(line)


class _Lost:
    """While inside, the bank's webhooks reach nobody: the endpoints are taken off, and put back."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __aenter__(self) -> None:
        for endpoint in self._world.desk("GET", "/webhooks"):
            self._world.desk("DELETE", f"/webhooks/{endpoint['id']}")

    async def __aexit__(self, *_: object) -> None:
        for name, hook in self._world.hooks.items():
            self._world.desk("POST", "/webhooks", {"url": hook, "secret": WEBHOOK_SECRET, "dialect": name})
