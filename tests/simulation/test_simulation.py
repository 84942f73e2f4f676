"""The short form of `./run prove simulation` and `./run prove plants`: a few seeds in every run of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.planted import PLANTS, found, planted
from tests.simulation.run import play
from tests.simulation.world import Ground

SEEDS = (1, 502, 1177, 1847)
"""One, and those that found something: a probe of a life that was over (502), an answer that came after a manager had

given the link up (1177), a link of which nothing was in flight any more and nobody looked (1847).
"""
QUICK = ("cash without fence", "hint taken as fact")
"""Planted faults that are found within a second or two."""
FEW = 15


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


def test_a_seed_plays_the_same_again(ground: Ground) -> None:
    first, again = play(ground, 5, 40), play(ground, 5, 40)
    assert (first.hits, first.commits) == (again.hits, again.commits)


@pytest.mark.parametrize("name", PLANTS)
def test_planted_faults_fit_the_code(name: str) -> None:
    with planted(name):
        pass


@pytest.mark.parametrize("name", QUICK)
def test_planted_faults_are_found(ground: Ground, name: str) -> None:
    seed, why = found(ground, name, most=FEW)
    assert seed, f"{name} was not found within {FEW} seeds"
    assert why
