"""100,000 forgeries per adapter, made from valid messages: none is accepted, none raises."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from pos.gateways.razorpay import envelope as razorpay
from pos.gateways.stripe import envelope as stripe
from tests.gateways.mutate import changed
from tests.gateways.test_signing import NOW, SECRET, bare, joined, stamp

FORGERIES = 100_000
SEED = 20_261_125
OLD = "whsec_that_was_before"
BODIES = [
    b'{"id":"evt_1","type":"checkout.session.completed","data":{"object":{"id":"cs_1"}}}',
    '{"id":"evt_2","type":"charge.succeeded","note":"Grüße, 12,50 €"}'.encode(),
    b'{"entity":"event","event":"payment_link.paid","account_id":"acc_1","payload":{}}',
    b"{}",
]
FIELDS = [
    ["plink_ExjpAUN3gVHrPJ", "0190-abc_1", "paid", "pay_Fc8mUeDrEKf08Y"],
    ["plink_FMbhpT6nqDjDei", "0190-abc_2", "expired", "pay_FHfqtkRzWvxky4"],
]


def pair(signed: dict[bytes, bytes], chance: random.Random) -> tuple[bytes, bytes]:
    """A signature and a body that do not belong together, made from two that do."""
    good, other = chance.sample(BODIES, 2)
    kind = chance.randrange(3)
    signature = signed[good] if kind == 1 else changed(signed[good], signed[other], chance)
    body = good if kind == 0 else changed(good, other, chance)
    # Spliced at its very end it is the other message, and a repeated piece may be one more entry beside the right one.
    genuine = body in signed and set(signed[body].split(b",")) <= set(signature.split(b","))
    return pair(signed, chance) if genuine else (signature, body)


def stripe_signer(body: bytes) -> bytes:
    return b"t=%d,v1=%s" % (NOW, stamp(body))


@pytest.mark.parametrize(
    ("verify", "name", "signer"),
    [
        pytest.param(stripe.verify, stripe.SIGNATURE_HEADER, stripe_signer, id="stripe"),
        pytest.param(razorpay.verify, razorpay.SIGNATURE_HEADER, bare, id="razorpay"),
    ],
)
def test_no_forged_webhook_is_accepted(verify: Callable[..., Any], name: bytes, signer: Callable[..., bytes]) -> None:
    print(f"seed {SEED}")
    chance, secrets, signed = random.Random(SEED), [SECRET, OLD], {body: signer(body) for body in BODIES}
    assert all(verify(secrets, [(name, signed[body])], body, NOW) for body in BODIES)
    reasons: dict[str, int] = {}
    for _ in range(FORGERIES):
        signature, body = pair(signed, chance)
        check = verify(secrets, [(name, signature)], body, NOW)
        assert not check, (SEED, signature, body)
        reasons[check.reason] = reasons.get(check.reason, 0) + 1
    assert reasons["wrong"] > FORGERIES // 4, reasons  # most are well-formed and only the arithmetic says no
    assert reasons["malformed"] > FORGERIES // 10, reasons


def forged_query(chance: random.Random) -> dict[str, Any]:
    """A callback's query with one to three of its five parameters changed, gone, or no text; at times with a key."""
    fields, others = chance.sample(FIELDS, 2)
    query: dict[str, Any] = dict(zip(razorpay.SIGNED, fields, strict=True)) | {razorpay.SIGNATURE: SIGNED[fields[0]]}
    other = dict(zip(razorpay.SIGNED, others, strict=True)) | {razorpay.SIGNATURE: SIGNED[others[0]]}
    for name in chance.sample(sorted(query), chance.randrange(1, 4)):
        made = changed(query[name].encode(), other[name].encode(), chance).decode("utf-8", "surrogateescape")
        query[name] = chance.choice([made] * 8 + [None, ""])
        if chance.random() < 0.02:
            query[name] = chance.choice([7, b"paid", ["paid"], True])
        if chance.random() < 0.05:
            del query[name]
    if chance.random() < 0.2:
        query |= {"secret": SECRET, "payment_link_id": fields[0]}
    return query


SIGNED = {fields[0]: joined(fields) for fields in FIELDS}


def test_no_forged_callback_is_accepted() -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    for fields in FIELDS:
        good = dict(zip(razorpay.SIGNED, fields, strict=True)) | {razorpay.SIGNATURE: SIGNED[fields[0]]}
        assert razorpay.verify_callback(SECRET, good)
    reasons: dict[str, int] = {}
    for _ in range(FORGERIES):
        query = forged_query(chance)
        check = razorpay.verify_callback(SECRET, query)
        assert not check, (SEED, query)
        reasons[check.reason] = reasons.get(check.reason, 0) + 1
    assert set(reasons) == {"missing", "malformed", "wrong"}, reasons
    assert min(reasons.values()) > FORGERIES // 20, reasons


def test_a_tail_moved_to_the_next_field_is_another_callback() -> None:
    """Every place where the signed text could be cut otherwise."""
    whole = "|".join(FIELDS[0])
    for places in ((a, b, c) for a in range(1, 24) for b in range(a + 1, 40) for c in range(b + 1, len(whole), 5)):
        a, b, c = places
        cut = [whole[:a], whole[a + 1 : b], whole[b + 1 : c], whole[c + 1 :]]
        query = dict(zip(razorpay.SIGNED, cut, strict=True)) | {razorpay.SIGNATURE: SIGNED[FIELDS[0][0]]}
        if cut != FIELDS[0]:
            assert not razorpay.verify_callback(SECRET, query), cut
