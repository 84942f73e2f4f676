"""The short form of `./run prove interleavings`."""

from __future__ import annotations

import pytest

from pos.domain.order import Life
from tests.interleavings.folds import SETS, prefixes_agree, verdicts
from tests.interleavings.run import numbers_of, play
from tests.simulation.world import Ground

RUNS = 8
"""Of one story; the ways to hear of it differ from run to run."""


@pytest.mark.parametrize("life", [Life.PLACED, Life.VOIDED])
@pytest.mark.parametrize("name", SETS)
def test_all_orders_of_seven_facts_have_one_verdict(name: str, life: Life) -> None:
    count, found = verdicts(SETS[name], life)
    assert count == 5_040
    assert len(found) == 1


@pytest.mark.parametrize("name", SETS)
def test_every_part_of_them_has_one_verdict(name: str) -> None:
    assert prefixes_agree(SETS[name], Life.PLACED) == 128


QUICK = ("stripe: paid", "razorpay: slow, then there")


@pytest.mark.parametrize("name", QUICK)
def test_a_story_ends_in_one_way(name: str) -> None:
    ground = Ground()
    ends = set()
    for number in numbers_of(name, RUNS):
        played, end, failures = play(ground, number)
        assert (played, failures) == (name, [])
        ends.add(end)
    ground.close()
    assert len(ends) == 1
    assert "'paid'" in ends.pop()
