"""A short form of `./run prove traces`: what orders of a few simulated days went through is possible in the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.__main__ import available
from tests.model.traces import FORGED, NEW, Tally, not_admitted, recorded
from tests.simulation.planted import planted
from tests.simulation.world import Ground

pytestmark = pytest.mark.skipif(not available(), reason="Debian's spin and gcc are not installed here")
SEEDS = (1, 2)
FAULTY = (1, 2, 3)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.close()


def test_what_the_code_does_the_model_may_do(ground: Ground, tmp_path: Path) -> None:
    tally = Tally()
    for seed in SEEDS:
        tally.add(seed, recorded(ground, seed, 40))
    print(tally)
    assert len(tally.distinct) >= 3
    assert all(trace[0] == NEW for trace in tally.distinct)
    assert not_admitted(tmp_path, tally) == []
    assert len(FORGED) >= 4  # each of which was refused


def test_code_without_a_fence_does_what_the_model_may_not(ground: Ground, tmp_path: Path) -> None:
    tally = Tally()
    with planted("cash without fence"):
        for seed in FAULTY:
            tally.add(seed, recorded(ground, seed, 40, may_fail=True))
    assert [why for why in not_admitted(tmp_path, tally) if why.startswith("not in the model")]
