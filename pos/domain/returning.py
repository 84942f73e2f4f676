"""Goods taken back: a credit note, with lines of the sale's frozen revision. Pure arithmetic, no money is moved here.

What a part of a line is worth is the difference of two cumulative values: what everything returned up to and with it is
worth, less what was returned before. So parts add up to the line, to the cent, in whatever order and sizes they come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pos.domain.basket import Line, TaxAmount, line_tax_minor
from pos.domain.errors import BadInput
from pos.domain.money import round_half_up


@dataclass(frozen=True, slots=True)
class Pick:
    """So much of one line of the sale: `line` counts from 0, `quantity_milli` in thousandths of a piece."""

    line: int
    quantity_milli: int


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """What of one line comes back. `discount_minor` is the line's own, apportioned; `amount_minor` is after it.

    `tax_minor` is contained in the amount where the sale's prices include tax, and comes on top where they do not.
    """

    line: int
    sku: str
    name: str
    quantity_milli: int
    unit_price_minor: int
    tax_ppm: int
    tax_name: str
    list_minor: int
    discount_minor: int
    tax_minor: int

    @property
    def amount_minor(self) -> int:
        return self.list_minor - self.discount_minor


@dataclass(frozen=True, slots=True)
class Return:
    """A credit note, written once. `number` counts without gaps per till, `key` is the caller's own or ""."""

    id: str
    number: str
    order_id: str
    revision: int
    till: str
    currency: str
    total_minor: int
    tax_included: bool
    reason: str
    asked_by: str
    approved_by: str
    at_ms: int
    day: str
    key: str = ""
    lines: tuple[ReturnLine, ...] = ()

    @property
    def taxes(self) -> tuple[TaxAmount, ...]:
        """Per rate, as the sale's own totals show them."""
        sums: Counter[tuple[str, int]] = Counter()
        for line in self.lines:
            sums[(line.tax_name, line.tax_ppm)] += line.tax_minor
        return tuple(TaxAmount(name, rate, amount) for (name, rate), amount in sorted(sums.items()) if rate)


def returned_milli(returns: Iterable[Return]) -> dict[int, int]:
    """Of each line, how much has come back."""
    sums: Counter[int] = Counter()
    for note in returns:
        for line in note.lines:
            sums[line.line] += line.quantity_milli
    return dict(sums)


def left_milli(lines: Sequence[Line], before: Mapping[int, int]) -> list[int]:
    """Of each line, how much may still come back."""
    return [line.quantity_milli - before.get(at, 0) for at, line in enumerate(lines)]


def return_lines(
    lines: Sequence[Line], before: Mapping[int, int], picks: Sequence[Pick], *, tax_included: bool
) -> tuple[ReturnLine, ...]:
    """The lines of a credit note; picks of the same line are one. `before`: what came back already, by line.

    Raises:
        BadInput: nothing picked, a line that the sale does not have, or more than was sold and not returned.
    """
    wanted: Counter[int] = Counter()
    for pick in picks:
        if pick.quantity_milli <= 0:
            raise BadInput("A quantity to return is not above zero.", "Leave the line out instead.")
        wanted[pick.line] += pick.quantity_milli
    if not wanted:
        raise BadInput("Nothing to take back was chosen.", "Choose a line of the sale, and how much of it comes back.")
    left = left_milli(lines, before)
    for at, quantity in wanted.items():
        if not 0 <= at < len(lines):
            raise BadInput(f"The sale has no line {at + 1}.", f"It has {len(lines)}.")
        if quantity > left[at]:
            hint = f"At most {left[at] / 1000:g} can come back." if left[at] else "All of it has come back already."
            raise BadInput(f"More of {lines[at].name} than was sold.", hint)
    return tuple(
        _part(lines[at], at, before.get(at, 0), quantity, tax_included=tax_included)
        for at, quantity in sorted(wanted.items())
    )


def total_minor(lines: Iterable[ReturnLine], *, tax_included: bool) -> int:
    return sum(line.amount_minor + (0 if tax_included else line.tax_minor) for line in lines)


def picks_of(lines: Sequence[Line], before: Mapping[int, int], wanted: Iterable[tuple[str, int]]) -> tuple[Pick, ...]:
    """Lines of the sale for (SKU, quantity in thousandths); a SKU that stands on several lines is taken from the first.

    Raises:
        BadInput: a SKU that was not sold, or more of it than was sold and not returned.
    """
    left = left_milli(lines, before)
    picks: list[Pick] = []
    for sku, quantity in wanted:
        own = [at for at, line in enumerate(lines) if line.sku == sku]
        if not own:
            raise BadInput(f"{sku} is not on this sale.", "Its lines: " + ", ".join(line.sku for line in lines) + ".")
        room = sum(left[at] for at in own)
        if quantity > room:
            hint = f"At most {room / 1000:g} can come back." if room else "All of it has come back already."
            raise BadInput(f"More of {sku} than was sold.", hint)
        for at in own:
            part = min(quantity, left[at])
            if part > 0:
                picks.append(Pick(at, part))
                left[at] -= part
                quantity -= part
    return tuple(picks)


def _part(line: Line, at: int, before_milli: int, quantity_milli: int, *, tax_included: bool) -> ReturnLine:
    earlier = _first(line, before_milli, tax_included=tax_included)
    now = _first(line, before_milli + quantity_milli, tax_included=tax_included)
    net, discount, tax = (after - value for after, value in zip(now, earlier, strict=True))
    return ReturnLine(
        line=at,
        sku=line.sku,
        name=line.name,
        quantity_milli=quantity_milli,
        unit_price_minor=line.unit_price_minor,
        tax_ppm=line.tax_ppm,
        tax_name=line.tax_name,
        list_minor=net + discount,
        discount_minor=discount,
        tax_minor=tax,
    )


def _first(line: Line, quantity_milli: int, *, tax_included: bool) -> tuple[int, int, int]:
    """(after discount, discount, tax) of the first `quantity_milli` of a line: each grows with the quantity alone."""
    if quantity_milli == 0:
        return 0, 0, 0
    net = round_half_up(line.amount_minor * quantity_milli, line.quantity_milli)
    discount = round_half_up(line.discount_minor * quantity_milli, line.quantity_milli)
    # a line of one piece at this price: the sale's own function rounds the tax of what came back so far
    whole = replace(line, quantity_milli=1000, unit_price_minor=net, discount_minor=0)
    return net, discount, line_tax_minor(whole, tax_included=tax_included)
