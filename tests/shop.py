"""A shop for tests: real services on a real database, against a real sandbox process. Nothing of ours is replaced

but the clock (which can be moved) and the place that secrets come from.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from pos.app.clock import SystemIds
from pos.app.wiring import Outside, Till, open_till, prober_of
from pos.domain.basket import Line
from pos.domain.catalogue import Product
from pos.sandbox import customer
from pos.services.views import OrderView
from tests.processes import Served, serve

TEA = Product("TEA", "Masala chai", 6_000, 50_000, "GST", "8901", "Tea", favourite=True)
CAKE = Product("CAKE", "Banana bread", 14_000, 50_000, "GST", "8902", "Bakery")
SANDBOX_KEYS = {
    "POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY": "sk_test_sandbox",
    "POS_SECRET_GATEWAYS_RAZORPAY_KEY_ID": "rzp_test_sandbox",
    "POS_SECRET_GATEWAYS_RAZORPAY_SECRET_KEY": "sandbox_secret",
}
"""What logs in at a sandbox that was started without keys of its own, as a command's environment."""
PENDING_S = 0.3
CALL_S = 20.0
CREATE_CALLS = 3  # one and two repeats
FIND_CALLS = 2  # a look is repeated once when its connection was cut
_numbers = itertools.count(1)


class MovedClock:
    """The machine's clock, moved by what the test says; never slept on."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.offset_ms

    def monotonic_s(self) -> float:
        return time.monotonic()

    def advance(self, seconds: float) -> None:
        self.offset_ms += int(seconds * 1000)


class GivenSecrets:
    """Secrets from the test."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def set(self, name: str, value: str) -> None:
        self.values[name] = value

    def remove(self, name: str) -> None:
        self.values.pop(name, None)

    def names(self) -> list[str]:
        return sorted(self.values)


@dataclass
class Bank:
    """The sandbox process, as its control desk shows it."""

    served: Served
    folder: Path
    accounts: dict[str, str] = field(default_factory=dict)
    """What a gateway calls the account that a key opens."""

    @property
    def url(self) -> str:
        return self.served.url

    def desk(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = httpx.request(method, f"{self.url}/_sandbox{path}", json=body, timeout=CALL_S, trust_env=False)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def new_keys(self) -> dict[str, str]:
        """What logs in at new accounts of every gateway, so that tests never see each other's payments."""
        number = f"{os.getpid()}x{next(_numbers)}"
        stripe, razorpay, secret = f"sk_test_shop{number}", f"rzp_test_shop{number}", "secret_of_the_shop"
        for key, body in ((stripe, {"key": stripe}), (razorpay, {"key": f"{razorpay}:{secret}"})):
            self.accounts[key] = self.desk("POST", "/accounts", body)["id"]
        return {
            "gateways.stripe.secret_key": stripe,
            "gateways.razorpay.key_id": razorpay,
            "gateways.razorpay.secret_key": secret,
        }

    def second_key(self, key_id: str) -> str:
        """Another key of the same account, as a shop makes one to replace the first; its secret is `renewed_secret`."""
        renewed = f"{key_id}r"
        self.desk("POST", "/accounts", {"key": f"{renewed}:renewed_secret", "account": self.accounts[key_id]})
        return renewed

    def account_setting(self, key_id: str, **settings: Any) -> None:
        self.desk("POST", f"/accounts/{self.accounts[key_id]}", settings)

    def fault(self, operation: str, kind: str, count: int = 1, **options: Any) -> None:
        self.desk("POST", "/faults", {"operation": operation, "kind": kind, "count": count, **options})

    def clear(self) -> None:
        self.desk("DELETE", "/faults")


@contextmanager
def bank_process(folder: Path, *more: str) -> Iterator[Bank]:
    arguments = ["sandbox", "serve", "--port", "0", "--data", str(folder), "--pending-seconds", str(PENDING_S), *more]
    with serve(arguments) as served:
        yield Bank(served, folder)


@dataclass
class Shop:
    """One till with its bank. `gateway` is the one that a test sells through; the other is set up as well."""

    till: Till
    bank: Bank
    clock: MovedClock
    home: Path
    keys: dict[str, str]
    gateway: str = "stripe"

    def links_made(self) -> int:
        """At the bank, by all shops of this worker: tests compare before and after."""
        made: int = self.bank.desk("GET", "")["counts"]["link"]
        return made

    def lose_link_calls(self, **options: Any) -> None:
        """Nothing that is asked about a new link is answered (`before_work`: nothing is done either)."""
        self.bank.fault("link.create", "drop", CREATE_CALLS, **options)
        if self.gateway == "razorpay":  # without a key the link is looked for, instead of asked for again
            self.bank.fault("link.list", "drop", FIND_CALLS)

    @property
    def introduction(self) -> str:
        """The bank's operation behind the call that says who we are."""
        return {"stripe": "account.fetch", "razorpay": "payment.list"}[self.gateway]

    def lines(self, *products: Product) -> list[Line]:
        chosen = products or (TEA,)
        return [Line(p.sku, p.name, 1000, p.price_minor, p.tax_ppm, p.tax_name) for p in chosen]

    async def sell(self, *products: Product, key: str = "") -> OrderView:
        return await self.till.checkout.sell(self.lines(*products), self.gateway, key=key)

    async def pay_address(self, address: str, outcome: str = "paid") -> customer.Result:
        return await asyncio.to_thread(customer.pay, address, outcome, sandbox=self.bank.url)

    async def pays(self, view: OrderView, outcome: str = "paid") -> customer.Result:
        assert view.attempt is not None
        return await self.pay_address(view.attempt.link_url, outcome)

    async def again(self, view: OrderView) -> OrderView:
        return await self.till.queries.order(view.order_id)

    async def check(self, view: OrderView) -> OrderView:
        return await self.till.checkout.check_now(view.order_id)

    async def probe(self) -> int:
        return await prober_of(self.till).tick()

    async def assert_books(self) -> None:
        broken = [str(b) for b in await self.till.books.verify()]
        assert not broken, broken


def settings_text(bank_url: str, qr: Mapping[str, str] | None = None, **sections: str) -> str:
    more = "".join(f"[{name}]\n{text}\n" for name, text in sections.items())
    return (
        '[shop]\nname = "Corner Café"\ncurrency = "INR"\ntime_zone = "Asia/Kolkata"\nlocale = "en_IN"\n'
        + "".join(
            f'[gateways.{name}]\nmode = "test"\napi_base = "{bank_url}"\nqr = "{(qr or {}).get(name, "auto")}"\n'
            for name in ("stripe", "razorpay")
        )
        + more
    )


def open_shop(
    bank: Bank, home: Path, gateway: str = "stripe", *, qr: Mapping[str, str] | None = None, **sections: str
) -> Shop:
    """A shop of its own accounts in `home`; `qr` is what the code carries, by gateway."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text(settings_text(bank.url, qr, **sections), encoding="utf-8")
    keys, clock = bank.new_keys(), MovedClock()
    till = open_till(home, Outside(clock, SystemIds(), GivenSecrets(dict(keys))))
    till.database.write_now(lambda tx: tx.shop.put_products([TEA, CAKE]))
    return Shop(till, bank, clock, home, keys, gateway)


def another_till(shop: Shop, till: str = "2", clock: MovedClock | None = None) -> Shop:
    """A second till of the same shop: a home and an id of its own, the same books and gateway accounts.

    Its clock is the first one's, or `clock`.
    """
    clock = clock or shop.clock
    url = shop.till.settings.database.url
    books = f"sqlite:///{shop.home / 'till.db'}" if url == "sqlite" else url
    home = shop.home.with_name(f"till-{till}")
    home.mkdir(exist_ok=True)
    settings = settings_text(shop.bank.url, database=f'url = "{books}"', till=f'id = "{till}"')
    (home / "settings.toml").write_text(settings, encoding="utf-8")
    opened = open_till(home, Outside(clock, SystemIds(), GivenSecrets(dict(shop.keys))))
    return Shop(opened, shop.bank, clock, home, shop.keys, shop.gateway)


def reopen(shop: Shop) -> Shop:
    """The same home, as after a restart."""
    till = open_till(shop.home, Outside(shop.clock, SystemIds(), GivenSecrets(dict(shop.keys))))
    return Shop(till, shop.bank, shop.clock, shop.home, shop.keys, shop.gateway)
