"""Stripe judged by what Stripe publishes: parameter names of its SDK, its API version, its sample objects."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pos.domain.facts import Mode
from pos.domain.ports import LinkRequest, Operation, Part, PreparedCall, RefundRequest
from pos.gateways.base import decode, parameters
from pos.gateways.stripe import objects, requests
from pos.gateways.stripe.adapter import StripeAdapter
from tests.processes import ROOT

pytestmark = [pytest.mark.judge, pytest.mark.judge_stripe_sdk]
stripe = pytest.importorskip("stripe", reason="the official SDK is a development dependency")

STRIPE = StripeAdapter(account="acct_1", mode=Mode.TEST)
REQUEST = LinkRequest("k", "ref_1", 1250, "EUR", "Order", "s", "1", "https://relay.example/r", 1_790_000_000_000)
SAMPLES = ROOT.parent / "shared" / "specs" / "stripe-fixtures3.json"

ENDED = {"payment_method_types[]"}
"""Parameters of our pinned version that the SDK's newer one has no more (from 2026-09-30.endive on)."""

CALLS: list[tuple[PreparedCall, str]] = [
    (STRIPE.create(REQUEST), "checkout.SessionCreateParams"),
    (STRIPE.fetch("cs_1"), "checkout.SessionRetrieveParams"),
    (STRIPE.close("cs_1"), "checkout.SessionExpireParams"),
    (STRIPE.find("ref_1", 0, 1), "checkout.SessionListParams"),
    (requests.listed_by(STRIPE.find("r", 0, 1).operation, requests.SESSIONS, "pi", "ch"), "checkout.SessionListParams"),
    (STRIPE.fetch_payment("ch_1"), "ChargeRetrieveParams"),
    (STRIPE.fetch_refund("re_1"), "RefundRetrieveParams"),
    (STRIPE.capture("ch_1", 1250, "EUR", "k"), "ChargeRetrieveParams"),
    (requests.capture_intent("pi_1", "k 1250 EUR"), "PaymentIntentCaptureParams"),
    (STRIPE.refund(RefundRequest("k", "rf", "ch_1", 100, "EUR", "ref_1")), "RefundCreateParams"),
    (STRIPE.report(Part.PAYMENTS, 0, 1), "ChargeListParams"),
    (STRIPE.report(Part.REFUNDS, 0, 1), "RefundListParams"),
    (STRIPE.report(Part.DISPUTES, 0, 1), "DisputeListParams"),
    (STRIPE.report(Part.PAYOUTS, 0, 1), "PayoutListParams"),
    (requests.payout_lines("po_1", ""), "BalanceTransactionListParams"),
    (requests.listed_by(Operation.FETCH, requests.REFUNDS, "pi_1", "ch_1"), "RefundListParams"),
    (requests.listed_by(Operation.FETCH, requests.DISPUTES, "pi_1", "ch_1"), "DisputeListParams"),
    (STRIPE.whoami(), "AccountRetrieveCurrentParams"),
    (requests.following(STRIPE.report(Part.PAYMENTS, 0, 1), "ch_1"), "ChargeListParams"),
]


def declared(name: str) -> Any:
    """The SDK's declaration of a call's parameters."""
    package, _, kind = name.rpartition(".")
    home = stripe.params.checkout if package else stripe.params
    return getattr(home, kind)


def known(kind: Any, names: list[str]) -> bool:
    """Whether `a[b][0][c]` is a parameter by the SDK's types."""
    fields = kind.__annotations__
    if names[0] not in fields:
        return False
    inner = str(getattr(fields[names[0]], "__forward_arg__", fields[names[0]]))
    rest = [name for name in names[1:] if name and not name.isdigit()]
    if not rest or "Dict[str" in inner:
        return True
    below = next((part for part in re.findall(r"\w*Params\w+", inner)), "")
    module = __import__(kind.__module__, fromlist=["x"])
    return bool(below) and known(getattr(module, below), rest)


@pytest.mark.parametrize(("call", "kind"), CALLS, ids=[f"{kind}-{n}" for n, (_, kind) in enumerate(CALLS)])
def test_every_parameter_is_one_of_stripes(call: PreparedCall, kind: str) -> None:
    sent = parameters(call.path) | parameters(call.body)
    for name in sent.keys() - ENDED:
        assert known(declared(kind), re.findall(r"[^\[\]]+", name)), name


def test_every_request_the_adapter_makes_is_judged() -> None:
    assert {call.operation for call, _ in CALLS} == set(Operation)
    reported = {call.path.partition("?")[0] for call, _ in CALLS if call.operation is Operation.REPORT}
    assert reported == {STRIPE.report(part, 0, 1).path.partition("?")[0] for part in Part} | {requests.BALANCE}
    makers = {name for name, kind in vars(requests).items() if getattr(kind, "__annotations__", {}).get("return")}
    calls = {name for name in makers if requests.__dict__[name].__annotations__["return"] == "PreparedCall"}
    assert calls - {"get", "post"} == MAKERS, "a new request: add it to CALLS, then here"


MAKERS = {
    *("whoami", "create", "find", "fetch", "close", "fetch_payment", "fetch_refund", "capture", "capture_intent"),
    *("refund", "report", "payout_lines", "listed_by", "following"),
}


def test_a_parameter_that_stripe_does_not_know_would_be_noticed() -> None:
    kind = declared("checkout.SessionCreateParams")
    assert not known(kind, ["line_items", "0", "price_data", "amount"])
    assert not known(kind, ["client_reference"])
    assert known(kind, ["line_items", "0", "price_data", "product_data", "name"])


def test_the_api_version_is_one_that_stripe_has() -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}\.[a-z]+", requests.API_VERSION)
    assert stripe.api_version >= requests.API_VERSION
    assert requests.API_VERSION < "2026-09-30", "payment_method_types ends there; send allowed_payment_method_types"


@pytest.mark.skipif(not SAMPLES.exists(), reason="Stripe's published sample objects are not here")
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("charge", objects.Charge),
        ("checkout.session", objects.Session),
        ("payment_intent", objects.PaymentIntent),
        ("refund", objects.Refund),
        ("dispute", objects.Dispute),
        ("payout", objects.Payout),
        ("balance_transaction", objects.BalanceTransaction),
        ("account", objects.Account),
    ],
)
def test_stripes_own_samples_fit_our_shapes(name: str, shape: type[Any]) -> None:
    sample = json.loads(SAMPLES.read_text())["resources"][name]
    assert decode(json.dumps(sample).encode(), shape).id == sample["id"]
