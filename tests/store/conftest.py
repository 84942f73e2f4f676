"""A real database file for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pos.store.engine import Database, make_engine, sqlite_url
from pos.store.upgrade import upgrade


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = make_engine(sqlite_url(tmp_path / "till.db"))
    upgrade(engine)
    made = Database(engine, "1")
    yield made
    made.close()
