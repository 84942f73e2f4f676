"""`pos catalogue`: products as CSV."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import click

from pos.app.products import KNOWN, read_csv
from pos.app.wiring import Till
from pos.cli.common import say, with_till
from pos.domain.money import to_major


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
