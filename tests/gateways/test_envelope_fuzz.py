"""Whatever a signed body holds, reading it gives an envelope or BadInput: made-up objects, and valid bytes changed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pos.domain.envelope import Envelope
from pos.domain.errors import BadInput
from pos.gateways.messages import MAX_ID
from pos.gateways.razorpay import envelope as razorpay
from pos.gateways.stripe import envelope as stripe
from tests.gateways.mutate import changed

SEED = 20_261_126
BODIES = 20_000  # per adapter
Read = Callable[..., Envelope]
readers = pytest.mark.parametrize("read", [stripe.read_webhook, razorpay.read_webhook], ids=["stripe", "razorpay"])

KEYS = [
    *("id", "type", "event", "livemode", "account", "account_id", "data", "object", "metadata", "client_reference_id"),
    *("payload", "entity", "payment", "payment_link", "qr_code", "refund", "dispute", "notes", "truetill_reference"),
    *("payment_id", "reference_id", "payment_intent", "latest_charge", "charge", "reference"),
]
WORDS = [
    "payment_link.paid",
    "qr_code.credited",
    "refund.created",
    "payment.dispute.won",
    "charge",
    "refund",
    "dispute",
]
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=8)
things = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner))
headers = st.lists(st.tuples(st.sampled_from([b"x-razorpay-event-id", b"a"]), st.binary(max_size=300)), max_size=3)
patient = settings(suppress_health_check=[HealthCheck.too_slow])  # a first run builds its tables of letters


def look(read: Read, body: bytes, said: list[tuple[bytes, bytes]]) -> Envelope | None:
    """What was read, if it was an event; every word of it fit to be kept."""
    try:
        found = read(body, said)
    except BadInput:
        return None
    refs = found.refs
    for word in (found.event, found.type, found.account or "", refs.link, refs.payment, refs.refund, refs.reference):
        assert isinstance(word, str)
        assert len(word) <= MAX_ID
        assert word.isprintable()
        word.encode()
    assert found.event
    assert found.type
    return found


@readers
@patient
@given(st.dictionaries(st.sampled_from(KEYS), things), headers)
@example({"type": "\ud800", "event": "\ud800"}, [])
@example({"type": "x", "event": "x", "n": float("inf"), "m": float("nan")}, [])
def test_no_object_makes_reading_raise_anything_else(
    read: Read, thing: Any, headers: list[tuple[bytes, bytes]]
) -> None:
    look(read, json.dumps(thing).encode(), headers)


@readers
@given(st.binary(max_size=200), headers)
def test_no_bytes_make_reading_raise_anything_else(read: Read, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    look(read, body, headers)


STRIPE_EVENT = """{"id": "evt_1", "object": "event", "type": "checkout.session.completed", "livemode": false,
"account": "acct_1", "data": {"object": {"object": "checkout.session", "id": "cs_1", "client_reference_id": "o_1",
"metadata": {"a": "ü"}, "payment_intent": {"id": "pi_1", "latest_charge": {"id": "ch_1", "amount": 1e3}}}}}"""
RAZORPAY_EVENT = """{"entity": "event", "account_id": "acc_1", "event": "payment_link.paid", "contains": ["payment"],
"payload": {"payment_link": {"entity": {"id": "plink_1", "reference_id": "o_1", "notes": {"a": "ü"}}},
"payment": {"entity": {"id": "pay_1", "amount": 1e3, "notes": []}}}}"""


@readers
def test_no_changed_event_makes_reading_raise_anything_else(read: Read) -> None:
    print(f"seed {SEED}")
    chance, read_well = random.Random(SEED), 0
    good, other = STRIPE_EVENT.encode(), RAZORPAY_EVENT.encode()
    for number in range(BODIES):
        body = changed(good, other, chance) if number % 2 else changed(other, good, chance)
        for _ in range(chance.randrange(3)):
            body = changed(body, other, chance)
        read_well += look(read, body, [(b"x-razorpay-event-id", body[:40])]) is not None
    assert BODIES // 50 < read_well < BODIES, read_well  # some are still events, most are not
