"""A real database of every released version is kept, and opens here with everything in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pos.app.clock import SystemIds
from pos.app.wiring import Outside, Till, open_till
from pos.domain.shown import Shown
from tests.shop import GivenSecrets, MovedClock, settings_text

HERE = Path(__file__).resolve().parent
DATABASES = sorted(HERE.glob("*.db"))
WORDS = {
    "paid": Shown.PAID,
    "cash": Shown.PAID,
    "refunded": Shown.REFUNDED,
    "cancelled": Shown.CANCELLED,
    "double": Shown.PAID_TWICE,
}


def test_one_is_kept_of_this_version() -> None:
    assert [path.stem for path in DATABASES] == ["0.1.0"]


@pytest.mark.parametrize("kept", DATABASES, ids=lambda path: path.stem)
async def test_it_opens_verifies_and_goes_on(kept: Path, tmp_path: Path) -> None:
    shutil.copyfile(kept, tmp_path / "till.db")
    (tmp_path / "settings.toml").write_text(settings_text("http://127.0.0.1:9"), encoding="utf-8")
    secrets = GivenSecrets({"gateways.stripe.secret_key": "sk_test_x"})
    till: Till = open_till(tmp_path, Outside(MovedClock(), SystemIds(), secrets))
    try:
        assert [str(b) for b in await till.books.verify() if b.invariant != "I16"] == []
        for key, word in WORDS.items():
            assert (await till.queries.order(key)).shown is word
        lines = (await till.queries.order("cash")).lines
        again = await till.cash.sell(lines, 20_000, key="new")
        assert again.shown is Shown.PAID
        assert [str(b) for b in await till.books.verify() if b.invariant != "I16"] == []
    finally:
        await till.close()
