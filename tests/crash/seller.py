"""Sales one after the other through real services and both gateways; each thing that people are told is told on.

The driver's day (`driver.py`) is one of each, in order; this one goes on for as long as it is let, by chance of a seed.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pos.domain.catalogue import Product
from pos.domain.store_port import Hint
from pos.services.views import OrderView
from tests.crash.driver import OTHER
from tests.crash.promises import PAYMENT, REFUND, Promise
from tests.shop import CAKE, TEA, Shop

GIVEN_MINOR = 20_000
BACK_MINOR = 1_000
ACTS = {"by_cash": 6, "by_link": 5, "switched": 2, "cash_instead": 2, "refund": 1, "cancel": 1}
"""What a customer wants, and how often."""


@dataclass
class Seller:
    """`tell` is called the moment the service has answered, with what the cashier then sees."""

    shop: Shop
    chance: random.Random
    tell: Callable[[Promise], object]
    name: str = "s"
    sold: int = 0
    paid_by_link: list[str] = field(default_factory=list)
    """Orders of which something may still be given back."""

    async def act(self) -> str:
        self.sold += 1
        name = self.chance.choices(list(ACTS), list(ACTS.values()))[0]
        act: Callable[[], Awaitable[None]] = getattr(self, name)
        await act()
        return name

    async def by_cash(self) -> None:
        lines = self.shop.lines(*self._wanted())
        view = await self.shop.till.cash.sell(lines, GIVEN_MINOR * len(lines), key=self._key())
        self._told(view)
        self.tell(Promise(PAYMENT, view.order_id, view.totals.total_minor))

    async def by_link(self) -> None:
        view = await self._link()
        if self.chance.random() < 0.8:
            await self._customer_pays(view)

    async def switched(self) -> None:
        view = await self._link()
        assert view.attempt is not None
        view = await self.shop.till.checkout.issue(view.order_id, OTHER[view.attempt.gateway])
        self._link_told(view)
        await self._customer_pays(view)

    async def cash_instead(self) -> None:
        view = await self._link()
        view = await self.shop.till.cash.take(view.order_id)
        self.tell(Promise(PAYMENT, view.order_id, view.totals.total_minor))

    async def refund(self) -> None:
        if not self.paid_by_link:
            await self.by_link()
            return
        order_id = self.paid_by_link.pop()
        await self.shop.till.refunds.refund(order_id, amount_minor=BACK_MINOR, reason="cold", actor="Owner")
        asked = self.shop.till.database.read_now(lambda tx: tx.money.refunds(order_id))
        self.tell(Promise(REFUND, order_id, BACK_MINOR, asked[0].id))

    async def cancel(self) -> None:
        view = await self._link()
        await self.shop.till.checkout.cancel(view.order_id, reason="left")
        self.tell(Promise("voided", view.order_id))

    async def close_day(self) -> None:
        await self.shop.till.reconcile.sweep_all()
        view = await self.shop.till.day.close(actor="Owner")
        self.tell(Promise("closed", view.day, 0, view.hash))

    async def _link(self) -> OrderView:
        gateway = self.chance.choice(list(OTHER))
        lines = self.shop.lines(*self._wanted())
        view = await self.shop.till.checkout.sell(lines, gateway, key=self._key())
        self._told(view)
        self._link_told(view)
        return view

    async def _customer_pays(self, view: OrderView) -> None:
        assert view.attempt is not None
        await self.shop.pays(view)
        key = f"{self._key()}:{view.attempt.no}"
        hint = Hint(key, view.attempt.gateway, "webhook", view.attempt.link_id, "", "", "", 1)
        await self.shop.till.hints.take(hint, hint.id)
        self.tell(Promise(PAYMENT, view.order_id, view.totals.total_minor, view.attempt.link_id))
        self.paid_by_link.append(view.order_id)

    def _told(self, view: OrderView) -> None:
        self.tell(Promise("order", view.order_id, view.totals.total_minor))

    def _link_told(self, view: OrderView) -> None:
        assert view.attempt is not None
        self.tell(Promise("link", view.order_id, 0, view.attempt.link_id))

    def _wanted(self) -> list[Product]:
        return self.chance.choices((TEA, CAKE), k=self.chance.randint(1, 3))

    def _key(self) -> str:
        return f"{self.name}:{self.sold}"
