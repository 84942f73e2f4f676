"""Lines, taxes and totals. One function computes them; screen, receipt, gateway and Z all use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pos.domain.errors import BadInput
from pos.domain.money import MAX_AMOUNT_MINOR, round_half_up

MILLI = 1000
MAX_QUANTITY_MILLI = 9_999 * MILLI
MAX_LINES = 500
MAX_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity_milli` in thousandths of a piece (2 pieces = 2000); `discount_minor` off the whole line."""

    sku: str
    name: str
    quantity_milli: int
    unit_price_minor: int
    tax_ppm: int = 0
    tax_name: str = ""
    discount_minor: int = 0
    note: str = ""

    @property
    def list_minor(self) -> int:
        return round_half_up(self.unit_price_minor * self.quantity_milli, MILLI)

    @property
    def amount_minor(self) -> int:
        return self.list_minor - self.discount_minor


@dataclass(frozen=True, slots=True)
class TaxAmount:
    name: str
    rate_ppm: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Totals:
    """All in minor units: `total = subtotal - discount (+ taxes where they are added)`."""

    subtotal_minor: int
    discount_minor: int
    taxes: tuple[TaxAmount, ...]
    total_minor: int
    tax_included: bool


def line_tax_minor(line: Line, *, tax_included: bool) -> int:
    """Tax of one line, rounded half up per line, so that lines add up to the total."""
    if tax_included:
        return round_half_up(line.amount_minor * line.tax_ppm, 1_000_000 + line.tax_ppm)
    return round_half_up(line.amount_minor * line.tax_ppm, 1_000_000)


def totals(lines: Sequence[Line], *, tax_included: bool) -> Totals:
    """Add up lines.

    Raises:
        BadInput: no line, too many lines, or a total that no gateway takes.
    """
    taxes: dict[tuple[str, int], int] = {}
    for line in lines:
        key = (line.tax_name, line.tax_ppm)
        taxes[key] = taxes.get(key, 0) + line_tax_minor(line, tax_included=tax_included)
    subtotal = sum(line.list_minor for line in lines)
    discount = sum(line.discount_minor for line in lines)
    total = subtotal - discount + (0 if tax_included else sum(taxes.values()))
    if total > MAX_AMOUNT_MINOR:
        raise BadInput("The total is too large.", "Split the order into smaller ones.")
    rows = tuple(TaxAmount(name, rate, amount) for (name, rate), amount in sorted(taxes.items()) if rate)
    return Totals(subtotal, discount, rows, total, tax_included)


def check_lines(lines: Sequence[Line]) -> None:
    """Refuse what cannot be sold.

    Raises:
        BadInput: empty basket, quantity of zero or less, negative price or discount, too much of anything.
    """
    if not lines:
        raise BadInput("The basket is empty.", "Scan or choose a product first.")
    if len(lines) > MAX_LINES:
        raise BadInput(f"More than {MAX_LINES} lines.", "Start a second order.")
    for line in lines:
        if line.quantity_milli <= 0:
            raise BadInput(f"The quantity of {line.name} is not above zero.", "Take the line out instead.")
        if line.quantity_milli > MAX_QUANTITY_MILLI:
            raise BadInput(f"The quantity of {line.name} is too large.", f"The limit is {MAX_QUANTITY_MILLI // MILLI}.")
        if line.unit_price_minor < 0:
            raise BadInput(f"The price of {line.name} is negative.", "Give a discount or take goods back instead.")
        if not 0 <= line.discount_minor <= line.list_minor:
            raise BadInput(f"The discount on {line.name} is larger than the line.", "Lower the discount.")


def parse_quantity(text: str) -> int:
    """Thousandths of a piece from "2" or "0.250".

    Raises:
        BadInput: not a plain positive number, or more than three decimals.
    """
    whole, _, fraction = text.strip().partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 6) or (fraction and not fraction.isdigit()):
        raise BadInput(f"{text!r} is not a quantity.", "Type a number above zero, for example 2 or 0.250.")
    if not fraction.isascii() or len(fraction) > 3:
        raise BadInput(f"{text} has too many decimals.", "Quantities have three at the most.")
    quantity = int(whole) * MILLI + int(fraction.ljust(3, "0") or "0")
    if quantity <= 0:
        raise BadInput("The quantity is zero.", "Type a number above zero.")
    return quantity
