"""Our verifiers against the gateways' own: what their helpers accept of well-formed input we accept; where they are
lax we are strict, each place by name."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.gateways import signing
from pos.gateways.razorpay import envelope as razorpay_envelope
from tests.gateways.test_signing import BODY, SECRET, bare, joined, stamp

stripe: Any = pytest.importorskip("stripe", reason="the official SDK is a development dependency")
razorpay: Any = pytest.importorskip("razorpay", reason="the official SDK is a development dependency")

pytestmark = pytest.mark.judge
stripes = pytest.mark.judge_stripe_sdk
razorpays = pytest.mark.judge_razorpay_sdk

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(lambda text: text.strip())
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="|"), min_size=1, max_size=60)


def sdk_stripe(header: bytes | str, body: bytes, secret: str = SECRET) -> bool:
    text = header if isinstance(header, str) else header.decode("latin-1")
    try:
        return bool(stripe.WebhookSignature.verify_header(body, text, secret, tolerance=300))
    except (stripe.SignatureVerificationError, UnicodeError):
        return False


def sdk_razorpay_body(signature: bytes | str, body: bytes, secret: str = SECRET) -> bool:
    """Its helper takes text only, and raises TypeError for a signature that is not ASCII."""
    text = signature if isinstance(signature, str) else signature.decode("latin-1")
    try:
        return bool(razorpay.Utility().verify_webhook_signature(body.decode(), text, secret))
    except (razorpay.errors.SignatureVerificationError, TypeError):
        return False


def sdk_razorpay_callback(query: dict[str, Any], secret: str = SECRET) -> bool:
    """The query under the names its helper wants: without `razorpay_` before the link's three."""
    renamed = {name.replace("razorpay_payment_link", "payment_link"): value for name, value in query.items()}
    client = razorpay.Client(auth=("rzp_test_1", secret))
    try:
        return bool(razorpay.Utility(client).verify_payment_link_signature(renamed))
    except (razorpay.errors.SignatureVerificationError, TypeError):
        return False
    finally:
        client.session.close()


def query(fields: list[str], key: str = SECRET, **more: Any) -> dict[str, Any]:
    """A callback's query, signed by hand."""
    named = dict(zip(razorpay_envelope.SIGNED, fields, strict=True))
    return {**named, "razorpay_signature": joined(fields, key), **more}


def our_stripe(header: bytes, body: bytes, now: float, secret: str = SECRET) -> str:
    return signing.check_stripe(header, body, [secret], now).reason


def our_callback(query: dict[str, Any], secret: str = SECRET) -> str:
    return razorpay_envelope.verify_callback(secret, query).reason


# --- what they accept, we accept -----------------------------------------------------------------------------------


@stripes
@given(texts, secrets, st.integers(0, 290))
def test_what_stripes_helper_signs_both_accept(text: str, secret: str, age_s: int) -> None:
    now = int(time.time())
    header = stripe.WebhookSignature.generate_signature_header(text, secret=secret, timestamp=now - age_s)
    assert sdk_stripe(header, text.encode(), secret)
    assert our_stripe(header.encode(), text.encode(), now, secret) == "good"


@stripes
@given(st.lists(st.sampled_from(["good", "old", "noise"]), min_size=1, max_size=5))
def test_of_several_v1_both_look_for_one_that_holds(kinds: list[str]) -> None:
    now = int(time.time())
    made = {"good": stamp(t=now), "old": stamp(secret="whsec_before", t=now), "noise": b"0" * 64}
    header = b"t=%d," % now + b",".join(b"v1=" + made[kind] for kind in kinds)
    assert sdk_stripe(header, BODY) == (our_stripe(header, BODY, now) == "good") == ("good" in kinds)


@razorpays
@given(texts, secrets)
def test_what_razorpays_helper_accepts_of_a_body_we_accept(text: str, secret: str) -> None:
    body = text.encode()
    assert sdk_razorpay_body(bare(body, secret), body, secret)
    assert signing.check_body(bare(body, secret), body, [secret])
    assert not sdk_razorpay_body(bare(body + b" ", secret), body, secret)
    assert not signing.check_body(bare(body + b" ", secret), body, [secret])


@razorpays
@given(words, words, st.sampled_from(["paid", "partially_paid", "expired", "cancelled"]), words, secrets)
def test_what_razorpays_helper_accepts_of_a_callback_we_accept(
    link: str, reference: str, status: str, payment: str, secret: str
) -> None:
    said = query([link, reference, status, payment], secret)
    assert sdk_razorpay_callback(said, secret)
    assert our_callback(said, secret) == "good"
    other = {**said, "razorpay_payment_link_status": status + "x"}
    assert not sdk_razorpay_callback(other, secret)
    assert our_callback(other, secret) == "wrong"


# --- where they are lax, we are strict -----------------------------------------------------------------------------


@stripes
def test_stripes_helper_takes_a_time_to_come_and_we_do_not() -> None:
    now = int(time.time())
    later = b"t=%d,v1=%s" % (now + 86_400, stamp(t=now + 86_400))
    assert sdk_stripe(later, BODY)
    assert our_stripe(later, BODY, now) == "stale"


@stripes
def test_stripes_helper_takes_a_second_time_and_we_do_not() -> None:
    now = int(time.time())
    twice = b"t=%d,v1=%s,t=%d" % (now, stamp(t=now), now - 9999)
    assert sdk_stripe(twice, BODY)
    assert our_stripe(twice, BODY, now) == "malformed"


@stripes
@pytest.mark.parametrize("written", ["+%d", "0%d", " %d", "%d_0"])
def test_stripes_helper_reads_odd_numbers_and_we_do_not(written: str) -> None:
    now = int(time.time())
    t = now if written != "%d_0" else now // 10
    meant = now if written != "%d_0" else now // 10 * 10
    header = b"t=%s,v1=%s" % ((written % t).encode(), stamp(t=meant))
    assert sdk_stripe(header, BODY)
    assert our_stripe(header, BODY, now) in ("malformed", "wrong")


@stripes
def test_stripes_helper_drops_what_follows_a_second_equals_sign_and_we_do_not() -> None:
    now = int(time.time())
    header = b"t=%d,v1=%s=more" % (now, stamp(t=now))
    assert sdk_stripe(header, BODY)
    assert our_stripe(header, BODY, now) == "wrong"


@stripes
def test_stripes_helper_compares_any_number_of_signatures_and_we_do_not() -> None:
    now = int(time.time())
    many = b"t=%d," % now + b"v1=0," * 1000 + b"v1=" + stamp(t=now)
    assert sdk_stripe(many, BODY)
    assert our_stripe(many, BODY, now) == "malformed"


@stripes
def test_an_empty_secret_is_refused_by_stripes_helper_and_a_blank_one_by_us_alone() -> None:
    now = int(time.time())
    for blank in ("", " ", "\t"):
        assert our_stripe(b"t=%d,v1=%s" % (now, stamp(secret=blank, t=now)), BODY, now, blank) == "wrong"
        assert not sdk_stripe(b"t=%d,v1=%s" % (now, stamp(secret=blank, t=now)), BODY, blank)
    wide = "\u00a0"
    assert sdk_stripe(b"t=%d,v1=%s" % (now, stamp(secret=wide, t=now)), BODY, wide)
    assert our_stripe(b"t=%d,v1=%s" % (now, stamp(secret=wide, t=now)), BODY, now, wide) == "wrong"


@stripes
@pytest.mark.parametrize(
    ("header", "reason"), [("t={t},v1={up}", "wrong"), ("t={t},v0={v1}", "malformed"), ("v1={v1}", "malformed")]
)
def test_what_stripes_helper_refuses_we_refuse(header: str, reason: str) -> None:
    now = int(time.time())
    made = header.format(t=now, v1=stamp(t=now).decode(), up=stamp(t=now).decode().upper()).encode()
    assert not sdk_stripe(made, BODY)
    assert our_stripe(made, BODY, now) == reason


@stripes
@razorpays
def test_a_body_that_was_read_and_written_again_holds_for_nobody() -> None:
    now, again = int(time.time()), BODY.replace(b":", b": ")
    header = b"t=%d,v1=%s" % (now, stamp(t=now))
    assert not sdk_stripe(header, again)
    assert not sdk_razorpay_body(bare(), again)
    assert our_stripe(header, again, now) == signing.check_body(bare(), again, [SECRET]).reason == "wrong"


@razorpays
def test_razorpays_helper_takes_an_empty_secret_and_we_do_not() -> None:
    assert sdk_razorpay_body(bare(secret=""), BODY, "")
    assert signing.check_body(bare(secret=""), BODY, [""]).reason == "wrong"
    said = query(["plink_1", "o_1", "paid", "pay_1"], "")
    assert sdk_razorpay_callback(said, "")
    assert our_callback(said, "") == "wrong"


@razorpays
def test_razorpays_helper_takes_its_key_from_the_query_and_we_do_not() -> None:
    """`?secret=evil`, signed with "evil": whoever passes a raw query to the helper believes everybody."""
    said = query(["plink_1", "o_1", "paid", "pay_1"], "evil", secret="evil")
    assert sdk_razorpay_callback(said)
    assert our_callback(said) == "wrong"
    ours = query(["plink_1", "o_1", "paid", "pay_1"], secret="evil", payment_link_id="plink_2", order_id="x")
    assert our_callback(ours) == "good", "what is not signed is not looked at"


@razorpays
@pytest.mark.parametrize("name", [*razorpay_envelope.SIGNED, "razorpay_signature"])
def test_razorpays_helper_returns_or_raises_for_a_missing_field_and_we_say_no(name: str) -> None:
    said = query(["plink_1", "o_1", "paid", "pay_1"])
    del said[name]
    try:
        assert sdk_razorpay_callback(said) is False, "no exception: a caller who waits for one goes on"
    except KeyError:
        assert name in ("razorpay_payment_link_id", "razorpay_signature")
    assert our_callback(said) == "missing"


@razorpays
def test_razorpays_helper_makes_text_of_anything_and_we_do_not() -> None:
    said = query(["plink_1", "7", "paid", "pay_1"], razorpay_payment_link_reference_id=7)
    assert sdk_razorpay_callback(said)
    assert our_callback(said) == "missing"


@razorpays
def test_razorpays_helper_cannot_tell_where_a_field_ends_and_we_need_not() -> None:
    said = query(["plink_1|o_1", "x", "paid", "pay_1"])
    moved = {**said, "razorpay_payment_link_id": "plink_1", "razorpay_payment_link_reference_id": "o_1|x"}
    assert sdk_razorpay_callback(said)
    assert sdk_razorpay_callback(moved), "another link, the same signature"
    assert our_callback(said) == our_callback(moved) == "malformed"


@razorpays
def test_razorpays_helper_raises_for_a_signature_that_is_not_ascii_and_we_answer() -> None:
    with pytest.raises(TypeError):
        razorpay.Utility().verify_webhook_signature(BODY.decode(), "é" * 64, SECRET)
    assert signing.check_body("é".encode() * 32, BODY, [SECRET]).reason == "malformed"
    said = query(["plink_1", "o_1", "paid", "pay_1"], razorpay_signature="\udcff" * 64)
    assert our_callback(said) == "malformed"


@razorpays
def test_upper_case_hex_holds_for_nobody() -> None:
    assert not sdk_razorpay_body(bare().upper(), BODY)
    assert signing.check_body(bare().upper(), BODY, [SECRET]).reason == "malformed"
