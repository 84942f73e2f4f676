"""All adapters: no answer raises, and none that is broken, mutated or cut off makes money out of nothing."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos.domain.facts import Kind
from pos.domain.ports import Answer, Outcome
from tests.gateways.cases import BROKEN, CASES, Case, changed, places
from tests.gateways.stripe_shapes import answer

VALUES = st.one_of(
    st.just(...),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["succeeded", "paid", "canceled", "requires_capture", "complete", "charge", "ch_2", 1250, [], {}]),
    st.sampled_from(["captured", "authorized", "created", "refunded", "pay_2", "order_2", "qr_2", "plink_2", 500]),
)


def captured_amounts(case: Case, got: Answer) -> set[int | None]:
    reading = case.adapter.read(case.call, got)
    return {fact.amount_minor for fact in reading.facts if fact.kind is Kind.PAYMENT_CAPTURED}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_whole_answer_is_understood(case: Case) -> None:
    assert case.adapter.read(case.call, answer(case.body)).outcome is Outcome.OK


@pytest.mark.parametrize("raw", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_broken_answer_is_unknown_and_no_fact(case: Case, raw: bytes) -> None:
    reading = case.adapter.read(case.call, Answer(200, (), raw))
    assert (reading.outcome, reading.facts, reading.links, reading.next) == (Outcome.UNKNOWN, (), (), None)
    assert reading.message


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_cut_is_unknown_and_no_fact(case: Case) -> None:
    raw = json.dumps(case.body).encode()
    for end in range(len(raw)):
        reading = case.adapter.read(case.call, Answer(200, (), raw[:end]))
        assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


@settings(max_examples=1000, deadline=None)
@given(data=st.data())
def test_a_mutated_answer_never_raises_and_makes_no_money(data: st.DataObject) -> None:
    """One field changed or gone: whatever is told as captured is a number that stands in the answer."""
    case = data.draw(st.sampled_from(CASES))
    path = data.draw(st.sampled_from(sorted(places(case.body), key=str)))
    raw = json.dumps(changed(case.body, path, data.draw(VALUES))).encode()
    numbers = {int(text) for text in re.findall(rb"(?<![\w.])\d+(?![\w.])", raw)}
    assert captured_amounts(case, Answer(200, (), raw)) <= numbers


@settings(max_examples=800, deadline=None)
@given(data=st.data())
def test_bytes_changed_anywhere_never_raise(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    raw = bytearray(json.dumps(case.body).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    status = data.draw(st.sampled_from([200, 201, 204, 301, 400, 401, 404, 409, 429, 500, 599]))
    reading = case.adapter.read(case.call, Answer(status, (), bytes(raw)))
    assert isinstance(reading.outcome, Outcome)


@settings(max_examples=300, deadline=None)
@given(case=st.sampled_from(CASES), status=st.integers(100, 599), body=st.binary(max_size=200))
def test_noise_is_never_a_success(case: Case, status: int, body: bytes) -> None:
    reading = case.adapter.read(case.call, Answer(status, (), body))
    assert reading.outcome in (Outcome.UNKNOWN, Outcome.BUSY)
    assert reading.facts == ()
