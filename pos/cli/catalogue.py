"""`pos catalogue`: products as CSV."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from pos.app.wiring import Till
from pos.cli.common import say, with_till
from pos.domain.catalogue import Product
from pos.domain.errors import BadInput
from pos.domain.money import parse_major, to_major

REQUIRED = ("sku", "name", "price")
KNOWN = (*REQUIRED, "tax", "tax_name", "barcode", "category", "favourite")
MAX_ROWS = 200_000


@click.group()
def catalogue() -> None:
    """Products: import and export as CSV."""


@catalogue.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--preview", is_flag=True, help="Say what would change, and change nothing.")
def import_(file: Path, preview: bool) -> None:
    """Add or change products; header sku,name,price and optionally tax,barcode,category.

    Example: pos catalogue import products.csv --preview
    """

    async def work(till: Till) -> None:
        products, unknown = read_csv(file, till.currency)
        known = {p.sku: p for p in await till.catalogue.products()}
        new = sum(1 for p in products if p.sku not in known)
        changed = sum(1 for p in products if p.sku in known and known[p.sku] != p)
        if not preview:
            await till.catalogue.put(products, actor=till.people.current())
        say(f"{new} new, {changed} changed, {len(products) - new - changed} as they were" + (" (preview)" * preview))
        if unknown:
            say("columns not known and left out: " + ", ".join(unknown))

    with_till(work)


@catalogue.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_(file: Path) -> None:
    """Write all products as CSV.

    Example: pos catalogue export products.csv
    """

    async def work(till: Till) -> None:
        products = await till.catalogue.products()
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(KNOWN)
            for p in products:
                tax = f"{Decimal(p.tax_ppm) / 10_000:f}"
                price = to_major(p.price_minor, till.currency)
                writer.writerow([p.sku, p.name, price, tax, p.tax_name, p.barcode, p.category, "yes" * p.favourite])
        say(f"{len(products)} products written")

    with_till(work)


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
