"""docs/export.md names every field of every line that `pos books export` really writes."""

import asyncio
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from pos.domain.plan import Share, Way
from pos.domain.verdict import Flag
from pos.services.returns import Decision, Goods
from tests.house.source import text
from tests.shop import CAKE, TEA, bank_process, open_shop


def documented() -> dict[str, set[str]]:
    """Fields by type, from the page's tables."""
    found = {}
    for part in re.split(r"^### ", text("docs/export.md"), flags=re.M)[1:]:
        name = re.match(r"`(\w+)`", part)
        assert name is not None
        found[name.group(1)] = set(re.findall(r"^\| `(\w+)` \|", part, re.M))
    return found


async def eventful_day(home: Path) -> list[dict[str, object]]:
    """The export of a day that leaves a line of every type."""
    with bank_process(home / "bank") as bank:
        shop = open_shop(bank, home / "home")
        till = shop.till
        try:
            sold = await shop.sell(TEA, CAKE)
            await shop.pays(sold)
            await shop.check(sold)
            await till.refunds.refund(sold.order_id, amount_minor=500, reason="cold", actor="Owner")
            twice = await shop.sell(CAKE)
            await till.checkout.release(twice.order_id, reason="phone died", actor="Owner")
            again = await till.checkout.issue(twice.order_id, "stripe", actor="Owner")
            await shop.pays(again)
            await shop.pays(twice)
            await shop.check(twice)
            shared = await till.selling.save(shop.lines(TEA))
            await till.splits.plan(shared.order_id, (Share(Way.TERMINAL, 4_000), Share(Way.CASH, 2_000)))
            await till.tenders.terminal(shared.order_id, actor="Owner")
            await till.cash.take(shared.order_id, given_minor=10_000)
            await till.cash.sell(shop.lines(TEA), 10_000)
            await till.returns.take_back(sold.order_id, Goods(skus=[("CAKE", 1_000)]), Decision("stale", "Owner"))
            await till.day.close(actor="Owner", counted_minor=6_300)
            return [json.loads(line) for line in await till.books.export()]
        finally:
            await till.close()


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    return asyncio.run(eventful_day(tmp_path_factory.mktemp("export")))


def test_the_page_names_every_type_and_field(lines: list[dict[str, object]]) -> None:
    written: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        written[str(line.pop("type"))] |= set(line)
    assert dict(written) == documented()


def test_the_page_names_what_stands_in_a_line_of_an_order(lines: list[dict[str, object]]) -> None:
    rows = re.findall(r"^\| `lines` \| list of (.*) \|$", text("docs/export.md"), re.M)
    sold = [line for order in lines if "void_reason" in order for line in order["lines"]]  # type: ignore[attr-defined]
    back = [line for note in lines if "tax_included" in note for line in note["lines"]]  # type: ignore[attr-defined]
    for row, found in zip(rows, (sold, back), strict=True):
        assert found
        assert all(set(line) == set(re.findall(r"`(\w+)`", row)) for line in found)


def test_the_page_names_every_flag() -> None:
    row = re.search(r"^\| `flags` \| list of (.*) \|$", text("docs/export.md"), re.M)
    assert row is not None
    assert set(re.findall(r"`(\w+)`", row.group(1))) == {flag.value for flag in Flag}
