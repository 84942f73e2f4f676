"""Signatures: what must be accepted, the catalogue of what must not, and the official SDK as a judge."""

import hashlib
import hmac
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.gateways import signing

SECRET = "whsec_of_a_test"
BODY = b'{"id":"evt_1","type":"charge.succeeded"}'
NOW = 1_790_000_000


def stamp(body: bytes = BODY, secret: str = SECRET, t: object = NOW) -> bytes:
    """A v1 signature made by hand, with the standard library alone."""
    return hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest().encode()


def check(header: bytes | None, body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), now: float = NOW) -> str:
    return signing.check_stripe(header, body, secrets, now).reason


def test_a_signature_within_the_tolerance_holds() -> None:
    good = b"t=%d,v1=%s" % (NOW, stamp())
    assert signing.check_stripe(good, BODY, [SECRET], NOW)
    assert check(good, now=NOW + 300) == "good"
    assert check(good, now=NOW - 300) == "good"


def test_old_and_new_secret_hold_during_a_rotation() -> None:
    both = b"t=%d,v1=%s,v1=%s" % (NOW, stamp(secret="old"), stamp(secret="new"))
    assert check(both, secrets=("old",)) == check(both, secrets=("new",)) == "good"
    assert check(b"t=%d,v1=%s" % (NOW, stamp(secret="old")), secrets=("new", "old")) == "good"


BAD = {
    "no header": (None, "missing"),
    "empty header": (b"", "missing"),
    "wrong secret": (b"t=%d,v1=%s" % (NOW, stamp(secret="other")), "wrong"),
    "other body": (b"t=%d,v1=%s" % (NOW, stamp(b"{}")), "wrong"),
    "too old": (b"t=%d,v1=%s" % (NOW - 301, stamp(t=NOW - 301)), "stale"),
    "too new": (b"t=%d,v1=%s" % (NOW + 301, stamp(t=NOW + 301)), "stale"),
    "two t": (b"t=%d,t=%d,v1=%s" % (NOW, NOW, stamp()), "malformed"),
    "no t": (b"v1=%s" % stamp(), "malformed"),
    "no v1": (b"t=%d" % NOW, "malformed"),
    "v0 only": (b"t=%d,v0=%s" % (NOW, stamp()), "malformed"),
    "five wrong v1": (b"t=%d," % NOW + b",".join([b"v1=" + b"0" * 64] * 5), "wrong"),
    "seventeen v1": (b"t=%d," % NOW + b",".join([b"v1=0"] * 17), "malformed"),
    "10 kB": (b"t=%d,v1=%s,x=%s" % (NOW, stamp(), b"x" * 10_000), "malformed"),
    "non-ASCII signature": (b"t=%d,v1=%s" % (NOW, "é".encode() * 32), "wrong"),
    "upper case": (b"t=%d,v1=%s" % (NOW, stamp().upper()), "wrong"),
    "a time that is no number": (b"t=soon,v1=%s" % stamp(t="soon"), "malformed"),
    "a signed minus": (b"t=-1,v1=%s" % stamp(t=-1), "malformed"),
    "other digits": ("t=١٢,v1=x".encode(), "malformed"),
    "a huge time": (b"t=%s,v1=%s" % (b"9" * 400, stamp(t="9" * 400)), "malformed"),
    "blanks": (b"t=%d, v1=%s" % (NOW, stamp()), "malformed"),
    "garbage": (bytes(range(256)), "malformed"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_signatures_are_refused(name: str) -> None:
    header, reason = BAD[name]
    assert check(header) == reason


def test_the_right_one_among_five_is_found() -> None:
    five = b"t=%d," % NOW + b",".join([b"v1=" + b"0" * 64] * 4) + b",v1=" + stamp()
    assert check(five) == "good"


def test_an_empty_secret_verifies_nothing() -> None:
    signed = b"t=%d,v1=%s" % (NOW, stamp(secret=""))
    assert check(signed, secrets=("",)) == "wrong"
    assert check(signed, secrets=()) == "wrong"
    assert check(b"t=%d,v1=%s" % (NOW, stamp(secret=" ")), secrets=(" ",)) == "wrong"
    bare = hmac.new(b"", BODY, hashlib.sha256).hexdigest().encode()
    assert signing.check_body(bare, BODY, [""]).reason == "wrong"


def test_a_bare_body_signature() -> None:
    good = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest().encode()
    assert signing.check_body(good, BODY, ["old", SECRET])
    assert signing.check_body(good, BODY + b" ", [SECRET]).reason == "wrong"
    assert signing.check_body(None, BODY, [SECRET]).reason == "missing"
    assert signing.check_body(b"0" * 10_000, BODY, [SECRET]).reason == "malformed"
    assert signing.check_body("é".encode(), BODY, [SECRET]).reason == "wrong"


def test_a_repeated_header_counts_as_none() -> None:
    assert signing.only_header([(b"a", b"1"), (b"b", b"2")], b"a") == b"1"
    assert signing.only_header([(b"a", b"1"), (b"a", b"1")], b"a") is None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_make_it_raise_or_pass(header: bytes, body: bytes) -> None:
    assert not signing.check_stripe(header, body, [SECRET], NOW)
    assert not signing.check_body(header, body, [SECRET])


@pytest.mark.judge
def test_what_the_official_sdk_accepts_we_accept() -> None:
    stripe = pytest.importorskip("stripe")
    now = int(time.time())
    chance = random.Random(7)
    for n in range(200):
        body = b'{"id":"evt_%d","object":"event","type":"x","pad":"%s"}' % (n, "é€".encode() * chance.randrange(20))
        t = now - chance.randrange(0, 290)
        header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret=SECRET, timestamp=t)
        assert stripe.Webhook.construct_event(body, header, SECRET)["id"] == f"evt_{n}"
        assert check(header.encode(), body, now=now) == "good"


@pytest.mark.judge
def test_where_the_official_sdk_is_lax_we_are_not() -> None:
    stripe = pytest.importorskip("stripe")
    now = int(time.time())
    later = b"t=%d,v1=%s" % (now + 86_400, stamp(t=now + 86_400))
    assert stripe.Webhook.construct_event(BODY, later.decode(), SECRET)["id"] == "evt_1"
    assert check(later, now=now) == "stale"
    twice = b"t=%d,v1=%s,t=%d" % (now, stamp(t=now), now - 9999)
    assert stripe.Webhook.construct_event(BODY, twice.decode(), SECRET)["id"] == "evt_1"
    assert check(twice, now=now) == "malformed"


@pytest.mark.judge
def test_two_thousand_mutations_are_accepted_by_neither() -> None:
    stripe = pytest.importorskip("stripe")
    now = int(time.time())
    good = b"t=%d,v1=%s" % (now, stamp(t=now))
    chance = random.Random(11)
    accepted_by_the_sdk = 0
    for _ in range(2000):
        header, body = _mutated(good, BODY, chance)
        assert not signing.check_stripe(header, body, [SECRET], now), (header, body)
        try:
            stripe.Webhook.construct_event(body, header.decode("latin-1"), SECRET)
            accepted_by_the_sdk += 1
        except (stripe.SignatureVerificationError, ValueError, TypeError):
            pass
    assert accepted_by_the_sdk == 0


def _mutated(header: bytes, body: bytes, chance: random.Random) -> tuple[bytes, bytes]:
    """One byte of what is signed, or of the signature, changed, dropped or added."""
    target = bytearray(body if chance.random() < 0.4 else header)
    in_header = bytes(target) == header
    place = chance.randrange(len(target))
    change = chance.choice(["flip", "drop", "add"])
    if change == "flip":
        target[place] ^= 1 << chance.randrange(8)
    elif change == "drop":
        del target[place]
    else:
        target.insert(place, chance.choice(b"0123456789abcdefgtv1=,"))
    return (bytes(target), body) if in_header else (header, bytes(target))
