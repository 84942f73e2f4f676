"""Razorpay's messages: every shape gives ids or a clear error, never an amount, never a crash."""

import hashlib
import hmac
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from pos.domain.envelope import Refs
from pos.domain.errors import BadInput
from pos.gateways.razorpay import envelope

SECRET = "rzp_hook_of_a_test"
LINK = {"id": "plink_1", "entity": "payment_link", "reference_id": "o_1", "amount": 98400, "notes": None}
PAYMENT = {"id": "pay_1", "entity": "payment", "amount": 98400, "notes": [], "order_id": "order_1"}
CODE = {"id": "qr_1", "entity": "qr_code", "notes": {"truetill_reference": "o_2"}}
REFUND = {"id": "rfnd_1", "entity": "refund", "payment_id": "pay_1", "notes": []}
DISPUTE = {"id": "disp_1", "entity": "dispute", "payment_id": "pay_1"}


def event(type_: Any, **things: Any) -> bytes:
    """A body as Razorpay sends it: each object under its name, in `entity`."""
    payload = {name: {"entity": thing} for name, thing in things.items()}
    said = {"entity": "event", "account_id": "acc_1", "event": type_, "contains": sorted(things), "payload": payload}
    return msgspec.json.encode({**said, "created_at": 1_790_000_000})


def named(value: bytes = b"evt_1") -> list[tuple[bytes, bytes]]:
    return [(b"x-razorpay-event-id", value)]


def refs(type_: str, **things: Any) -> Refs:
    return envelope.read_webhook(event(type_, **things), named()).refs


def test_an_event_is_known_by_its_header_and_says_whose_it_is() -> None:
    read = envelope.read_webhook(event("payment_link.paid", payment_link=LINK, payment=PAYMENT), named())
    assert (read.gateway, read.event, read.type) == ("razorpay", "evt_1", "payment_link.paid")
    assert (read.account, read.live) == ("acc_1", None)
    assert read.refs == Refs(link="plink_1", payment="pay_1", reference="o_1")


@pytest.mark.parametrize("word", ["paid", "partially_paid", "cancelled", "expired"])
def test_a_link_names_its_reference(word: str) -> None:
    assert refs(f"payment_link.{word}", payment_link=LINK) == Refs(link="plink_1", reference="o_1")
    marked = {"id": "plink_1", "notes": {"truetill_reference": "o_3"}}
    assert refs(f"payment_link.{word}", payment_link=marked) == Refs(link="plink_1", reference="o_3")


@pytest.mark.parametrize("word", ["created", "credited", "closed"])
def test_a_code_is_a_link(word: str) -> None:
    paid = refs(f"qr_code.{word}", qr_code=CODE, payment=PAYMENT)
    assert paid == Refs(link="qr_1", payment="pay_1", reference="o_2")


@pytest.mark.parametrize("type_", ["payment.authorized", "payment.captured", "payment.failed", "order.paid"])
def test_a_payment_names_neither_link_nor_order_of_ours(type_: str) -> None:
    assert refs(type_, payment=PAYMENT, order={"id": "order_1", "receipt": "o_1"}) == Refs(payment="pay_1")
    marked = {**PAYMENT, "notes": {"truetill_reference": "o_1"}}
    assert refs(type_, payment=marked) == Refs(payment="pay_1", reference="o_1")


@pytest.mark.parametrize("word", ["created", "processed", "failed", "speed_changed"])
def test_a_refund_names_its_payment(word: str) -> None:
    assert refs(f"refund.{word}", refund=REFUND, payment=PAYMENT) == Refs(refund="rfnd_1", payment="pay_1")
    bare = {"id": "rfnd_1"}
    assert refs(f"refund.{word}", refund=bare, payment=PAYMENT) == Refs(refund="rfnd_1", payment="pay_1")


@pytest.mark.parametrize("word", ["created", "under_review", "won", "lost", "closed"])
def test_a_dispute_names_its_payment(word: str) -> None:
    assert refs(f"payment.dispute.{word}", dispute=DISPUTE, payment=PAYMENT) == Refs(payment="pay_1")
    assert refs(f"payment.dispute.{word}", payment=PAYMENT) == Refs(payment="pay_1")


def test_a_settlement_and_an_unknown_type_name_nothing() -> None:
    assert refs("settlement.processed", settlement={"id": "setl_1"}) == Refs()
    read = envelope.read_webhook(event("something.new", payment=PAYMENT), named())
    assert (read.type, read.refs) == ("something.new", Refs())


@pytest.mark.parametrize(
    "headers",
    [
        [],
        named(b""),
        named() + named(b"evt_2"),
        named("é".encode()),
        named(b"\xed\xa0\x80"),
        named(b"evt\x001"),
        named(b"e" * 256),
    ],
)
def test_an_event_without_a_usable_id_is_known_by_its_bytes(headers: list[tuple[bytes, bytes]]) -> None:
    first, other = event("payment.captured", payment=PAYMENT), event("payment.failed", payment=PAYMENT)
    read = envelope.read_webhook(first, headers).event
    assert read.startswith("sha256:")
    assert read == envelope.read_webhook(first, headers).event
    assert read != envelope.read_webhook(other, headers).event


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b'{"event":"\xff"}',
        b"[]",
        b"null",
        b"{}",
        b'{"event":7}',
        b'{"event":""}',
        b'{"event":"a\\u0000b"}',
        b'{"event":"x","n":1e400}',
        b"[" * 10_000,
        b'{"event":"x","payload":' + b'{"payment":' * 10_000 + b"1" + b"}" * 10_001,
    ],
)
def test_what_is_no_event_is_our_error(body: bytes) -> None:
    with pytest.raises(BadInput):
        envelope.read_webhook(body, named())


ODD = [None, [], "x", {"payment_link": None}, {"payment_link": []}, {"payment_link": {"entity": ["plink_1"]}}]


@pytest.mark.parametrize("payload", ODD)
def test_an_odd_payload_gives_no_ids(payload: Any) -> None:
    body = msgspec.json.encode({"event": "payment_link.paid", "payload": payload})
    assert envelope.read_webhook(body, named()).refs == Refs()


@pytest.mark.parametrize("bad", ["x" * 256, "a\nb", "a\0b", 7, ["pay_1"], {"id": "pay_1"}, True, None])
def test_an_id_that_cannot_be_one_is_left_out(bad: Any) -> None:
    assert refs("refund.created", refund={"id": "rfnd_1", "payment_id": bad}) == Refs(refund="rfnd_1")


def test_of_equal_keys_the_last_wins_as_in_the_gateways_own_client() -> None:
    read = envelope.read_webhook(b'{"event":"a","event":"payment.failed","account_id":"x","account_id":"y"}', named())
    assert (read.type, read.account) == ("payment.failed", "y")


def signed(query: dict[str, str], secret: str = SECRET) -> dict[str, str]:
    text = "|".join(query[name] for name in envelope.SIGNED)
    return {**query, "razorpay_signature": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}


QUERY = {
    "razorpay_payment_id": "pay_Fc8mUeDrEKf08Y",
    "razorpay_payment_link_id": "plink_ExjpAUN3gVHrPJ",
    "razorpay_payment_link_reference_id": "0190-abc_1",
    "razorpay_payment_link_status": "paid",
}


def test_a_callback_gives_ids_only_where_they_look_like_ids() -> None:
    read = envelope.read_callback({**QUERY, "payment_link_id": "plink_other", "secret": "evil"})
    assert read.refs == Refs(link="plink_ExjpAUN3gVHrPJ", payment="pay_Fc8mUeDrEKf08Y", reference="0190-abc_1")
    assert (read.event, read.type) == ("", "return")
    for bad in ("", "pay_<script>", "plink_|", "plink_" + "x" * 300, "٠", "a b", "pay_1\n", "\ud800"):
        assert envelope.read_callback(dict.fromkeys(QUERY, bad)).refs == Refs(), bad


def test_a_signed_callback_holds_and_an_altered_one_does_not() -> None:
    assert envelope.verify_callback(SECRET, signed(QUERY))
    assert envelope.verify_callback(SECRET, {**signed(QUERY), "secret": "evil", "order": "1"})
    assert not envelope.verify_callback(SECRET, {**signed(QUERY, "evil"), "secret": "evil"})
    for name in envelope.SIGNED:
        assert envelope.verify_callback(SECRET, {**signed(QUERY), name: "paid_"}).reason == "wrong"


def test_a_signed_body_holds_for_one_header_alone() -> None:
    body = event("payment.captured", payment=PAYMENT)
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest().encode()
    good = [(b"x-razorpay-signature", mac)]
    assert envelope.verify([SECRET], good, body, 0.0)
    assert envelope.verify(["new", SECRET], good, body, 4e9), "no time is signed, so none is looked at"
    assert envelope.verify([SECRET], good * 2, body, 0.0).reason == "missing"
    assert envelope.verify([SECRET], [(b"x-other", mac)], body, 0.0).reason == "missing"


def test_the_relay_pays_for_no_http_client() -> None:
    script = "import sys, pos.gateways.razorpay.envelope; print([m for m in ('httpx', 'ssl') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
