"""Stripe's messages: every shape gives ids or a clear error, never an amount, never a crash."""

import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.envelope import Refs
from pos.domain.errors import BadInput
from pos.gateways.stripe import envelope


def event(thing: dict[str, Any], type_: str = "x.y", **more: Any) -> bytes:
    return msgspec.json.encode({"id": "evt_1", "type": type_, "livemode": False, "data": {"object": thing}, **more})


def refs(thing: dict[str, Any]) -> Refs:
    return envelope.read_webhook(event(thing)).refs


def test_a_session_names_its_link_and_our_reference() -> None:
    session = {"object": "checkout.session", "id": "cs_1", "client_reference_id": "o_1", "payment_intent": "pi_1"}
    assert refs(session) == Refs(link="cs_1", reference="o_1")
    by_metadata = {"object": "checkout.session", "id": "cs_1", "metadata": {"reference": "o_2"}}
    assert refs(by_metadata).reference == "o_2"
    expanded = {**session, "payment_intent": {"id": "pi_1", "latest_charge": "ch_1"}}
    assert refs(expanded).payment == "ch_1"


def test_a_payment_is_the_charge_never_the_intent() -> None:
    assert refs({"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}) == Refs(payment="ch_1")
    intent = {"object": "payment_intent", "id": "pi_1", "latest_charge": {"id": "ch_2"}, "metadata": {"reference": "r"}}
    assert refs(intent) == Refs(payment="ch_2", reference="r")
    assert refs({"object": "payment_intent", "id": "pi_1", "latest_charge": None}) == Refs()


def test_refunds_and_disputes_name_their_payment() -> None:
    assert refs({"object": "refund", "id": "re_1", "charge": "ch_1"}) == Refs(refund="re_1", payment="ch_1")
    assert refs({"object": "dispute", "id": "dp_1", "charge": "ch_1"}) == Refs(payment="ch_1")


def test_an_unknown_type_still_gives_an_envelope() -> None:
    read = envelope.read_webhook(event({"object": "tax.rate", "id": "txr_1"}, "tax_rate.created", account="acct_1"))
    assert (read.type, read.event, read.refs) == ("tax_rate.created", "evt_1", Refs())
    assert (read.account, read.live) == ("acct_1", False)
    assert envelope.read_webhook(b'{"type":"ping"}').live is None


def test_an_event_without_an_id_is_known_by_its_bytes() -> None:
    first = envelope.read_webhook(b'{"type":"ping","n":1}').event
    assert first.startswith("sha256:")
    assert first == envelope.read_webhook(b'{"type":"ping","n":1}').event
    assert first != envelope.read_webhook(b'{"type":"ping","n":2}').event


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b'{"type":"\xff"}',
        b"[]",
        b"null",
        b"1",
        b"{}",
        b'{"type":7}',
        b'{"type":""}',
        b"[" * 10_000,
        b'{"type":"x","data":' + b'{"object":' * 10_000 + b"1" + b"}" * 10_001,
    ],
)
def test_what_is_no_event_is_our_error(body: bytes) -> None:
    with pytest.raises(BadInput):
        envelope.read_webhook(body)


@pytest.mark.parametrize("data", [None, [], "x", {"object": None}, {"object": []}, {"object": {"object": ["charge"]}}])
def test_odd_data_gives_no_ids(data: Any) -> None:
    assert envelope.read_webhook(msgspec.json.encode({"type": "x", "data": data})).refs == Refs()


@pytest.mark.parametrize("bad", ["x" * 256, "a\nb", "a\0b", 7, ["ch_1"], {"id": 7}, True])
def test_an_id_that_cannot_be_one_is_left_out(bad: Any) -> None:
    assert refs({"object": "refund", "id": "re_1", "charge": bad}) == Refs(refund="re_1")


def test_a_callback_gives_a_link_only_where_it_looks_like_one() -> None:
    assert envelope.read_callback({"session_id": "cs_test_1"}).refs == Refs(link="cs_test_1")
    for bad in ("", "pi_1", "cs_<script>", "cs_" + "x" * 300, "{CHECKOUT_SESSION_ID}"):
        assert envelope.read_callback({"session_id": bad, "status": "paid"}).refs == Refs()


json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "object", "metadata"]), inner),
)


@given(st.dictionaries(st.sampled_from(["id", "type", "livemode", "account", "data"]), json))
def test_no_object_makes_it_raise_anything_else(thing: dict[str, Any]) -> None:
    try:
        read = envelope.read_webhook(msgspec.json.encode(thing))
    except BadInput:
        return
    assert read.type
    assert read.event


def test_the_relay_pays_for_no_http_client() -> None:
    script = "import sys, pos.gateways.stripe.envelope; print([m for m in ('httpx', 'ssl') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
