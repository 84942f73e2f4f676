"""The short form of `./run prove simulation`: a few seeds in every run of the tests, always the same ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.run import play
from tests.simulation.world import Ground

SEEDS = range(1, 7)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shop_in_bad_weather_keeps_its_books(ground: Ground, seed: int) -> None:
    played = play(ground, seed)
    assert played.failures == []
    assert played.steps == 100
    assert played.commits > 50
