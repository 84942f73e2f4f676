"""Random orders and facts, for the laws."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from pos.domain.facts import Fact, Kind, Mode
from pos.domain.joins import Bundle
from pos.domain.order import Life, Order
from pos.domain.payment import Attempt, Phase, reference

ORDER = "0190a000-0000-7000-8000-000000000001"
ACCOUNT = "acct_1"
TOTAL = 1000
LINKS = ("cs_1", "cs_2")


def order(life: Life = Life.PLACED, total: int = TOTAL) -> Order:
    return Order(ORDER, "1-00001", "1", "INR", life, 1, total, 1_000, "2026-11-22")


def attempt(no: int, phase: Phase = Phase.OPEN, amount: int = TOTAL) -> Attempt:
    return Attempt(
        id=f"a{no}",
        order_id=ORDER,
        no=no,
        revision=1,
        gateway="stripe",
        account=ACCOUNT,
        mode=Mode.TEST,
        amount_minor=amount,
        currency="INR",
        key=f"k{no}",
        reference=reference(ORDER, no),
        phase=phase,
        drafted_at_ms=1_000,
        send_by_ms=61_000,
        link_id=LINKS[no - 1],
        url=f"https://checkout.example/{no}",
        shown_at_ms=2_000,
        look_due_at_ms=5_000,
    )


def fact(kind: Kind, object_: str, target: str = "", **values: object) -> Fact:
    given = {"amount_minor": None, "currency": "", "at_ms": None} | values
    return Fact("stripe", ACCOUNT, Mode.TEST, kind, object_, target, **given)  # type: ignore[arg-type]


def bundle(facts: tuple[Fact, ...], life: Life = Life.PLACED) -> Bundle:
    attempts = (attempt(1), attempt(2, Phase.CLOSED))
    links = {("stripe", link): ORDER for link in LINKS}
    return Bundle(order(life), attempts, facts, (), (), links)


PAYMENTS = ("ch_1", "ch_2")
_simple = [
    fact(kind, payment)
    for kind, payment in itertools.product(
        (Kind.PAYMENT_PENDING, Kind.PAYMENT_FAILED, Kind.PAYMENT_AUTHORIZED, Kind.PAYMENT_VOIDED), PAYMENTS
    )
]
_captures = [
    fact(Kind.PAYMENT_CAPTURED, payment, amount_minor=amount, currency=currency, at_ms=at)
    for payment, amount, currency, at in itertools.product(PAYMENTS, (400, TOTAL), ("INR", "EUR"), (3_000,))
]
_bindings = [fact(Kind.PAYMENT_OF_LINK, p, link) for p, link in zip(PAYMENTS, LINKS, strict=True)]
_bindings += [fact(Kind.PAYMENT_OF_REFERENCE, p, reference(ORDER, n)) for n, p in enumerate(PAYMENTS, 1)]
_refunds = [
    fact(kind, "re_1", amount_minor=300, currency="INR")
    for kind in (Kind.REFUND_PENDING, Kind.REFUND_SUCCEEDED, Kind.REFUND_FAILED, Kind.REFUND_REVERSED)
] + [fact(Kind.REFUND_OF_PAYMENT, "re_1", "ch_1")]
_others = [
    fact(Kind.PAYMENT_REVERSED, "ch_1", amount_minor=TOTAL, currency="INR"),
    fact(Kind.DISPUTE_OPEN, "dp_1", amount_minor=TOTAL, currency="INR"),
    fact(Kind.DISPUTE_LOST, "dp_1", amount_minor=TOTAL, currency="INR"),
    fact(Kind.DISPUTE_OF_PAYMENT, "dp_1", "ch_1"),
    fact(Kind.LINK_OPENED, "cs_1"),
    fact(Kind.LINK_CLOSED, "cs_1"),
    fact(Kind.LINK_EXPIRED, "cs_2"),
]
PAYMENT_FACTS = [*_simple, *_captures, *_bindings]
ALL_FACTS = [*PAYMENT_FACTS, *_refunds, *_others]

facts = st.lists(st.sampled_from(ALL_FACTS), max_size=12)
payment_facts = st.lists(st.sampled_from(PAYMENT_FACTS), max_size=10)
lives = st.sampled_from([Life.PLACED, Life.VOIDED])
