"""Every object has every key that Stripe publishes for it, with a type that Stripe's own client allows."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pos.sandbox import customer
from tests.processes import ROOT
from tests.sandbox.conftest import Shop

FIXTURES = ROOT.parent / "shared" / "specs" / "stripe-fixtures3.json"
CLASSES = {
    "checkout.session": "stripe.checkout._session:Session",
    "payment_intent": "stripe._payment_intent:PaymentIntent",
    "charge": "stripe._charge:Charge",
    "refund": "stripe._refund:Refund",
    "balance_transaction": "stripe._balance_transaction:BalanceTransaction",
    "event": "stripe._event:Event",
    "payout": "stripe._payout:Payout",
    "dispute": "stripe._dispute:Dispute",
}
# Keys whose value hangs on what the object is about; only their kind is compared.
FREE = {"metadata", "payment_method_details", "destination_details", "payment_method_options"}


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    if not FIXTURES.exists():
        pytest.skip("Stripe's published fixtures are not on this machine (shared/specs)")
    resources: dict[str, Any] = json.loads(Path(FIXTURES).read_text())["resources"]
    return resources


def nullable(kind: str) -> set[str]:
    """The keys of an object that the official client says may be null, by its annotations."""
    module, _, name = CLASSES[kind].partition(":")
    annotations = vars(getattr(importlib.import_module(module), name))["__annotations__"]
    return {key for key, text in annotations.items() if re.search(r"Optional\[|None", str(text))}


def wrong(fixture: Any, ours: Any, path: str, may_be_null: set[str]) -> list[str]:
    """What is missing from or wrong with `ours`, by the fixture's keys and types."""
    if not isinstance(fixture, dict):
        return []
    faults = []
    for key, example in fixture.items():
        here = f"{path}.{key}"
        if key not in ours:
            faults.append(f"{here} is missing")
        elif ours[key] is None:
            if example is not None and key not in may_be_null:
                faults.append(f"{here} may not be null")
        elif example is not None and not same_kind(example, ours[key]):
            faults.append(f"{here} should be like {example!r}, is {ours[key]!r}")
        elif isinstance(example, dict) and key not in FREE:
            faults += wrong(example, ours[key], here, set(example))
    return faults


def same_kind(example: Any, ours: Any) -> bool:
    return type(example) is type(ours)


def made(shop: Shop) -> dict[str, dict[str, Any]]:
    """One of each, as they are after a whole life."""
    session = shop.session(currency="usd")
    customer.pay(session.url, method="card")
    paid = shop.look(session.id)
    charge = paid.payment_intent.latest_charge.id
    refund = shop.post("/v1/refunds", {"charge": charge, "amount": 100}).json()
    (payout,) = shop.control("/payouts", {"account": shop.account})
    other = shop.paid(2000).payment_intent.latest_charge.id
    dispute = shop.control(f"/payments/{other}/dispute")["id"]

    def get(path: str, **params: str) -> dict[str, Any]:
        answer: dict[str, Any] = shop.http.get(f"/v1/{path}", params=params).json()
        return answer

    return {
        "checkout.session": get(f"checkout/sessions/{session.id}"),
        "payment_intent": get(f"payment_intents/{paid.payment_intent.id}"),
        "charge": get(f"charges/{charge}", **{"expand[]": "refunds"}),
        "refund": refund,
        "balance_transaction": get("balance_transactions")["data"][0],
        "event": get("events")["data"][0],
        "payout": get(f"payouts/{payout['id']}"),
        "dispute": get(f"disputes/{dispute}"),
    }


def test_every_published_key_is_there_with_its_type(shop: Shop, published: dict[str, Any]) -> None:
    faults = []
    for kind, ours in made(shop).items():
        fixture = dict(published[kind])
        if kind == "event":
            fixture["data"] = {"object": {}}  # the fixture's event is about a plan
        faults += wrong(fixture, ours, kind, nullable(kind))
    assert faults == []


def test_other_states_keep_the_same_keys(shop: Shop, published: dict[str, Any]) -> None:
    """Open, declined, pending and expired objects too, and refunds that failed."""
    sessions = {outcome: shop.session() for outcome in ("declined", "pending", "none")}
    customer.pay(sessions["declined"].url, "declined")
    customer.pay(sessions["pending"].url, "pending")
    shop.post(f"/v1/checkout/sessions/{sessions['none'].id}/expire")
    faults = []
    for session in sessions.values():
        path = f"/v1/checkout/sessions/{session.id}"
        ours = shop.http.get(path, params={"expand[]": "payment_intent.latest_charge"}).json()
        faults += wrong(
            published["checkout.session"] | {"payment_intent": None}, ours, "session", nullable("checkout.session")
        )
        if ours["payment_intent"]:
            intent, fixture = ours["payment_intent"], published["payment_intent"]
            faults += wrong(fixture, intent, "payment_intent", nullable("payment_intent"))
            without = {key: value for key, value in published["charge"].items() if key != "refunds"}
            faults += wrong(without, intent["latest_charge"], "charge", nullable("charge"))
    assert faults == []
