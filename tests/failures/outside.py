"""What is seen and done at the gateway without our own code: its lists, its dashboard, other programs with the key."""

from __future__ import annotations

from typing import Any

import httpx

from pos.domain.store_port import Hint, Tx
from pos.services.views import OrderView
from tests.services.test_money import link_of
from tests.shop import CALL_S, Shop

DAY_S = 86_400


def ask(shop: Shop, method: str, path: str, **body: Any) -> Any:
    """One request to the gateway with the shop's key, as a person's script would make it."""
    if shop.gateway == "stripe":
        login: dict[str, Any] = {"auth": (shop.keys["gateways.stripe.secret_key"], ""), "data": body or None}
    else:
        pair = (shop.keys["gateways.razorpay.key_id"], shop.keys["gateways.razorpay.secret_key"])
        login = {"auth": pair, "json": body or None}
    answer = httpx.request(method, shop.bank.url + path, timeout=CALL_S, trust_env=False, **login)
    assert answer.status_code < 300, answer.text
    return answer.json()


def links(shop: Shop) -> list[Any]:
    """All links of the shop's account at its gateway, as the gateway lists them."""
    if shop.gateway == "stripe":
        found: list[Any] = ask(shop, "GET", "/v1/checkout/sessions?limit=100")["data"]
    else:
        found = ask(shop, "GET", "/v1/payment_links?count=100")["payment_links"]
    return found


def payable(shop: Shop) -> list[str]:
    """Ids of the links that still take money."""
    open_words = {"open", "created"}
    return [link["id"] for link in links(shop) if link["status"] in open_words]


def refunds(shop: Shop) -> list[int]:
    """What the gateway gave back, amounts in minor units."""
    path, name = {"stripe": ("/v1/refunds?limit=100", "data"), "razorpay": ("/v1/refunds?count=100", "items")}[
        shop.gateway
    ]
    return sorted(row["amount"] for row in ask(shop, "GET", path)[name])


def refund_in_dashboard(shop: Shop, payment: str, amount_minor: int) -> None:
    """Somebody gives money back at the gateway, past the till."""
    if shop.gateway == "stripe":
        ask(shop, "POST", "/v1/refunds", charge=payment, amount=str(amount_minor))
    else:
        ask(shop, "POST", f"/v1/payments/{payment}/refund", amount=amount_minor)


def hint(shop: Shop, view: OrderView, number: int = 1, **refs: str) -> Hint:
    """A webhook's hint about this order's link, as the relay hands it on."""
    named = {"link": link_of(view), "payment": "", "refund": "", "reference": ""} | refs
    return Hint(f"ep:{number}:t", shop.gateway, "webhook", **named, received_at_ms=shop.clock.now_ms())


def effects(shop: Shop, kind: str) -> int:
    """How many local effects of a kind (receipt, drawer) are on record."""

    def count(tx: Tx) -> int:
        rows = tx.connection.exec_driver_sql(  # type: ignore[attr-defined]
            "SELECT count(*) FROM effect WHERE effect = ?", (kind,)
        )
        found: int = rows.scalar_one()
        return found

    return shop.till.database.read_now(count)


def facts(shop: Shop) -> set[str]:
    """Identities of all facts in the books."""
    return {fact.id for fact, _ in shop.till.database.read_now(lambda tx: tx.facts.all())}


async def codes(shop: Shop) -> set[str]:
    """Categories of what stands before the manager."""
    return {e.code for e in (await shop.till.day.preview(refresh=False)).exceptions}
