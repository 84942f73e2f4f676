"""A real database for each test, on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pos.store.engine import Database, make_engine, sqlite_url
from pos.store.upgrade import upgrade
from tests.engines import ENGINES, POSTGRESQL


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty database is."""
    if request.param == POSTGRESQL:
        return str(request.getfixturevalue("postgresql_url"))
    return sqlite_url(tmp_path / "till.db")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    engine = make_engine(url)
    upgrade(engine)
    made = Database(engine, "1")
    yield made
    made.close()
