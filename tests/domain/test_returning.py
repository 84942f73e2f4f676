"""Credit notes: parts of a sale are worth exactly the sale, whatever the parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.basket import Line, totals
from pos.domain.errors import BadInput
from pos.domain.returning import Pick, Return, ReturnLine, picks_of, return_lines, returned_milli, total_minor


@st.composite
def sold_lines(draw: st.DrawFn) -> Line:
    quantity = draw(st.integers(1, 9_000))
    bare = Line(
        "SKU", "Thing", quantity, draw(st.integers(0, 100_000)), draw(st.sampled_from([0, 50_000, 190_000])), "T"
    )
    discount = draw(st.integers(0, bare.list_minor))
    return Line(bare.sku, bare.name, quantity, bare.unit_price_minor, bare.tax_ppm, bare.tax_name, discount)


def note_of(lines: tuple[ReturnLine, ...], included: bool) -> Return:
    total = total_minor(lines, tax_included=included)
    return Return("id", "n", "o", 1, "1", "INR", total, included, "", "", "", 0, "2026-11-27", lines=lines)


@given(st.lists(sold_lines(), min_size=1, max_size=4), st.booleans(), st.data())
def test_everything_in_parts_is_exactly_the_sale(lines: list[Line], included: bool, data: st.DataObject) -> None:
    sale = totals(lines, tax_included=included)
    left = [line.quantity_milli for line in lines]
    notes: list[Return] = []
    while any(left):
        at = data.draw(st.sampled_from([at for at, quantity in enumerate(left) if quantity]))
        whole = len(notes) >= 8  # then the rest at once
        quantity = left[at] if whole else data.draw(st.integers(1, left[at]))
        left[at] -= quantity
        part = return_lines(lines, returned_milli(notes), [Pick(at, quantity)], tax_included=included)
        assert all(min(p.list_minor, p.discount_minor, p.tax_minor, p.amount_minor) >= 0 for p in part)
        notes.append(note_of(part, included))
    assert sum(note.total_minor for note in notes) == sale.total_minor
    assert sum(line.discount_minor for note in notes for line in note.lines) == sale.discount_minor
    by_rate: dict[tuple[str, int], int] = {}
    for tax in (tax for note in notes for tax in note.taxes):
        by_rate[(tax.name, tax.rate_ppm)] = by_rate.get((tax.name, tax.rate_ppm), 0) + tax.amount_minor
    assert by_rate == {(tax.name, tax.rate_ppm): tax.amount_minor for tax in sale.taxes}


TWO = (Line("TEA", "Chai", 2_000, 6_000), Line("CAKE", "Bread", 1_000, 14_000), Line("TEA", "Chai", 1_500, 6_000))


def test_a_sku_on_several_lines_is_taken_from_the_first() -> None:
    assert picks_of(TWO, {0: 1_000}, [("TEA", 2_000)]) == (Pick(0, 1_000), Pick(2, 1_000))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [([("TEA", 3_501)], "3.5"), ([("TEA", 3_000), ("TEA", 1_000)], "0.5"), ([("MILK", 1_000)], "TEA, CAKE, TEA")],
)
def test_more_than_was_sold_or_something_else_is_refused(wanted: list[tuple[str, int]], says: str) -> None:
    with pytest.raises(BadInput) as refused:
        picks_of(TWO, {}, wanted)
    assert says in refused.value.hint


@pytest.mark.parametrize("picks", [(), (Pick(3, 1),), (Pick(-1, 1),), (Pick(0, 0),), (Pick(0, -5),), (Pick(0, 2_001),)])
def test_picks_that_cannot_be_are_refused(picks: tuple[Pick, ...]) -> None:
    with pytest.raises(BadInput):
        return_lines(TWO, {}, picks, tax_included=True)
