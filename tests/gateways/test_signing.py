"""Signatures: what must be accepted, and the catalogue of what must not.

Beside it: `test_signing_judged.py`, the official clients as judges; `test_signing_mutations.py`, 100,000
forgeries each.
"""

import hashlib
import hmac
from collections.abc import Sequence

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


def bare(body: bytes = BODY, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def test_a_bare_body_signature() -> None:
    assert signing.check_body(bare(), BODY, ["old", SECRET])
    assert signing.check_body(bare(), BODY + b" ", [SECRET]).reason == "wrong"
    assert signing.check_body(b"0" * 64, BODY, [SECRET]).reason == "wrong"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "missing"),
        (b"", "missing"),
        (bare().upper(), "malformed"),
        (bare() + b"\n", "malformed"),
        (b" " + bare(), "malformed"),
        (bare()[:-1], "malformed"),
        (bare() * 2, "malformed"),
        (b"0" * 10_000, "malformed"),
        ("é".encode() * 32, "malformed"),
        ("٠".encode() * 64, "malformed"),
        (b"\xed\xa0\x80" * 21 + b"0", "malformed"),
        (b"sha256=" + bare(), "malformed"),
    ],
)
def test_a_body_signature_is_64_lower_case_hex_digits_or_nothing(header: bytes | None, reason: str) -> None:
    assert signing.check_body(header, BODY, [SECRET]).reason == reason


FIELDS = ["plink_1", "o_1", "paid", "pay_1"]


def joined(fields: list[str] | None = None, secret: str = SECRET) -> str:
    return bare("|".join(fields or FIELDS).encode("utf-8", "surrogatepass"), secret).decode()


def callback(signature: object, fields: Sequence[object] = FIELDS, secret: str = SECRET) -> str:
    return signing.check_callback(signature, fields, secret).reason


def test_a_callback_holds_over_its_fields_in_their_order() -> None:
    assert callback(joined()) == "good"
    assert (
        callback(joined(["plink_1", "tisch 3 ü", "paid", "pay_1"]), ["plink_1", "tisch 3 ü", "paid", "pay_1"]) == "good"
    )
    assert callback(joined(), FIELDS[::-1]) == "wrong"
    assert callback(joined(secret="other")) == "wrong"


@pytest.mark.parametrize("place", range(4))
def test_a_callback_needs_every_field_as_text(place: int) -> None:
    for odd in (None, "", 7, b"o_1", ["o_1"], True, {"o": 1}):
        fields = [*FIELDS[:place], odd, *FIELDS[place + 1 :]]
        assert callback(joined([str(field or "") for field in fields]), fields) == "missing"
    for short in (FIELDS[:place], FIELDS[place + 1 :]):
        assert callback(joined(), short) == "wrong"


@pytest.mark.parametrize("odd", [None, "", 7, b"0" * 64, ["0" * 64], True])
def test_a_callback_needs_a_signature_as_text(odd: object) -> None:
    assert callback(odd) == "missing"


@pytest.mark.parametrize(
    "odd", [joined().upper(), joined() + "\n", joined()[1:], "é" * 64, "٠" * 64, "\ud800" * 64, "0" * 10_000]
)
def test_a_callbacks_signature_has_one_form(odd: str) -> None:
    assert callback(odd) == "malformed"


def test_fields_that_could_be_cut_otherwise_are_refused() -> None:
    assert joined(["a|b", "c", "paid", "pay_1"]) == joined(["a", "b|c", "paid", "pay_1"]), "one signature for two"
    assert callback(joined(["a|b", "c", "paid", "pay_1"]), ["a|b", "c", "paid", "pay_1"]) == "malformed"
    assert callback(joined(["a", "b|c", "paid", "pay_1"]), ["a", "b|c", "paid", "pay_1"]) == "malformed"


def test_odd_texts_in_a_callback_raise_nothing() -> None:
    for odd in ("\ud800", "x\udcff", "x" * 256):
        fields = ["plink_1", odd, "paid", "pay_1"]
        assert callback(joined(fields), fields) == "malformed"


@pytest.mark.parametrize("secret", ["", " ", "\t\n", "\u00a0"])
def test_a_blank_secret_verifies_nothing(secret: str) -> None:
    assert signing.check_body(bare(secret=secret), BODY, [secret]).reason == "wrong"
    assert callback(joined(secret=secret), secret=secret) == "wrong"


def test_a_secret_that_is_no_text_is_skipped_and_the_next_one_holds() -> None:
    assert signing.check_body(bare(), BODY, ["\ud800", SECRET])
    assert check(b"t=%d,v1=%s" % (NOW, stamp()), secrets=("\udcff", SECRET)) == "good"
    assert callback(joined(), secret="\ud800") == "wrong"


def test_a_repeated_header_counts_as_none() -> None:
    assert signing.only_header([(b"a", b"1"), (b"b", b"2")], b"a") == b"1"
    assert signing.only_header([(b"a", b"1"), (b"a", b"1")], b"a") is None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_make_it_raise_or_pass(header: bytes, body: bytes) -> None:
    assert not signing.check_stripe(header, body, [SECRET], NOW)
    assert not signing.check_body(header, body, [SECRET])
