"""Models obey Qt's rules and announce small changes only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt

from pos.domain.basket import Line
from pos.ui.models.cart import CartModel, detail
from pos.ui.models.day import DayModel
from pos.ui.models.orders import OrdersModel
from pos.ui.models.rows import RowsModel
from pos.ui.models.tiles import MAX_FOUND, Catalogue, TilesModel
from pos.ui.models.timeline import TimelineModel
from pos.words.formats import Formats
from tests.ui import scenes

FORMATS = Formats("en_IN", "INR", "Asia/Kolkata")


def filled_models() -> list[QAbstractItemModel]:
    till = scenes.till()
    order_id = scenes.double(till)
    scenes.end_of_day(till)
    assert till.today is not None
    cart, orders, day = CartModel(FORMATS), OrdersModel(FORMATS), DayModel(FORMATS, till.clock)
    tiles, timeline = TilesModel(FORMATS), TimelineModel(FORMATS)
    cart.set_rows(scenes.lines())
    orders.show([view.row for view in till.orders.values()])
    day.show(till.today.exceptions)
    tiles.show(Catalogue(till.goods).tiles)
    timeline.set_rows(till.timelines[order_id])
    return [cart, orders, day, tiles, timeline]


@pytest.mark.parametrize("at", range(5))
def test_models_obey_qt(at: int, qtmodeltester: Any) -> None:
    qtmodeltester.check(filled_models()[at], force_py=True)


@pytest.mark.parametrize("at", range(5))
def test_every_row_can_be_read_aloud(at: int) -> None:
    model = filled_models()[at]
    for row in range(model.rowCount()):
        assert model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)


class Watched:
    def __init__(self, model: RowsModel) -> None:
        self.said: list[str] = []
        model.dataChanged.connect(lambda a, b: self.said.append(f"changed {a.row()}-{b.row()}"))
        model.rowsInserted.connect(lambda _, a, b: self.said.append(f"inserted {a}-{b}"))
        model.rowsRemoved.connect(lambda _, a, b: self.said.append(f"removed {a}-{b}"))
        model.modelReset.connect(lambda: self.said.append("reset"))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("abc", "abc", []),
        ("abc", "aXc", ["changed 1-1"]),
        ("abc", "abcd", ["inserted 3-3"]),
        ("", "ab", ["inserted 0-1"]),
        ("abc", "ac", ["removed 1-1"]),
        ("abc", "", ["removed 0-2"]),
        ("abcd", "aXYd", ["changed 1-1", "changed 2-2"]),
        ("abcd", "aXd", ["removed 1-2", "inserted 1-1"]),
        ("aa", "aaa", ["inserted 2-2"]),
    ],
)
def test_only_what_differs_is_announced(before: str, after: str, said: list[str]) -> None:
    model = RowsModel()
    model.set_rows(list(before))
    watched = Watched(model)
    model.set_rows(list(after))
    assert model.rows == list(after)
    assert watched.said == said


def test_a_cart_line_says_quantity_price_discount_and_note() -> None:
    assert [detail(line, FORMATS) for line in scenes.lines()] == [
        "2 × 180.00 · Oat milk", "1 × 160.00 · −10 % · end of tray", "1 × 480.00 · Ground for V60",
    ]  # fmt: skip


def test_a_discount_that_is_no_whole_percent_is_an_amount() -> None:
    line = replace(scenes.lines()[1], discount_minor=1599)
    assert "−15.99" in detail(line, FORMATS)


def test_a_weight_is_written_as_one() -> None:
    assert detail(Line("C", "Cheese", 250, 80_000), FORMATS).startswith("0.25 × 800.00")


def test_old_rows_do_not_replace_newer() -> None:
    till = scenes.till()
    scenes.double(till)
    model = OrdersModel(FORMATS)
    model.show([view.row for view in till.orders.values()])
    row = model.rows[3]
    assert model.change(replace(row, version=row.version + 2, payment_text="new"))
    assert not model.change(replace(row, version=row.version + 1, payment_text="old"))
    assert model.rows[3].payment_text == "new"


# Searching ------------------------------------------------------------------------------------------------------------


def test_products_are_found_by_words_in_any_order_and_by_code() -> None:
    catalogue = Catalogue(scenes.products())
    assert [t.product.name for t in catalogue.search("white fl")] == ["Flat white"]
    assert [t.product.name for t in catalogue.search("P13")] == ["House beans 250 g"]
    assert catalogue.by_code("8901234500004") == catalogue.by_code("p04")
    assert catalogue.search("   ") == []
    assert catalogue.search("no such thing") == []


def test_a_search_is_bounded_and_finds_each_product_once() -> None:
    products = [replace(scenes.products()[0], sku=f"S{no}", name=f"tea tea {no}", barcode="") for no in range(200)]
    found = Catalogue(products).search("tea")
    assert len(found) == MAX_FOUND
    assert len({t.product.sku for t in found}) == MAX_FOUND


def test_a_match_never_runs_over_the_end_of_a_product() -> None:
    first, second = scenes.products()[:2]
    catalogue = Catalogue([replace(first, name="ab", barcode=""), replace(second, name="cd", barcode="")])
    assert catalogue.search("p01 cd") == []


def test_categories_keep_the_catalogues_order() -> None:
    assert Catalogue(scenes.products()).categories() == ["Coffee", "Tea", "Bakery", "Kitchen", "Retail", "Other"]
