"""Products from CSV: read strictly, with the line that is wrong."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pos.domain.catalogue import Product
from pos.domain.errors import BadInput
from pos.domain.money import parse_major

REQUIRED = ("sku", "name", "price")
KNOWN = (*REQUIRED, "tax", "tax_name", "barcode", "category", "favourite")
MAX_ROWS = 200_000


def read_csv(file: Path, currency: str) -> tuple[list[Product], list[str]]:
    """Products, and the names of columns that are not known.

    Raises:
        BadInput: a required column or value is missing or cannot be; names the line.
    """
    with file.open(newline="", encoding="utf-8-sig") as source:
        reader = csv.DictReader(source)
        header = [name.strip() for name in reader.fieldnames or []]
        missing = [name for name in REQUIRED if name not in header]
        if missing:
            raise BadInput(f"{file.name} has no column {', '.join(missing)}.", "The header must name sku,name,price.")
        products = []
        for number, row in enumerate(reader, 2):
            if number > MAX_ROWS:
                raise BadInput(f"{file.name} has more than {MAX_ROWS} lines.", "Split it.")
            products.append(_product(row, currency, f"{file.name}, line {number}"))
    return products, [name for name in header if name not in KNOWN]


def _product(row: dict[str, str | None], currency: str, where: str) -> Product:
    values = {name: (row.get(name) or "").strip() for name in KNOWN}
    if not values["sku"] or not values["name"]:
        raise BadInput(f"{where}: sku or name is empty.", "Every product needs both.")
    try:
        price = parse_major(values["price"], currency)
        tax = Decimal(values["tax"] or "0")
    except (BadInput, InvalidOperation) as error:
        raise BadInput(f"{where}: {error}", "Write prices as 12.50 and taxes in per cent, as 5 or 8.875.") from error
    if not 0 <= tax < 100:
        raise BadInput(f"{where}: a tax of {tax} % cannot be.", "Write taxes in per cent.")
    return Product(
        sku=values["sku"],
        name=values["name"],
        price_minor=price,
        tax_ppm=int(tax * 10_000),
        tax_name=values["tax_name"],
        barcode=values["barcode"],
        category=values["category"],
        favourite=values["favourite"].lower() in {"yes", "1", "true"},
    )
