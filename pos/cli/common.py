"""What commands share: opening a till, printing, asking who does it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from pos.app.config import home_folder
from pos.app.secrets import open_secrets
from pos.app.wiring import Outside, Till, open_till
from pos.cli.asking import ask_vault
from pos.domain.basket import Line, parse_quantity
from pos.domain.catalogue import Product
from pos.domain.errors import BadInput
from pos.domain.verdict import Certainty, Money
from pos.services.views import OrderView

T = TypeVar("T")
EXIT_REFUSED, EXIT_UNKNOWN = 1, 3

json_option = click.option("--json", "as_json", is_flag=True, help="Print data as JSON.")
as_option = click.option("--as", "actor", default="", help="Who does it, by name; the role decides what is allowed.")

approved_option = click.option(
    "--approved-by", default="", metavar="NAME", help="A second manager who agrees; needed above the shop's limit."
)


def home() -> Path:
    return home_folder()


def with_till(work: Callable[[Till], Awaitable[T]]) -> T:
    """Open the till of `POS_HOME`, do the work on one event loop, close everything."""

    async def run() -> T:
        till = open_till(home(), Outside(secrets=open_secrets(home(), ask=ask_vault)))
        try:
            return await work(till)
        finally:
            await till.close()

    return asyncio.run(run())


def say(text: str) -> None:
    click.echo(text)


def say_json(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def utc(at_ms: int | None) -> str | None:
    """RFC 3339 in UTC."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def order_json(view: OrderView) -> dict[str, Any]:
    """The shape that scripts rely on (design/interfaces.md)."""
    attempt = view.attempt
    return {
        "order_id": view.order_id,
        "number": view.number,
        "key": view.key,
        "currency": view.currency,
        "due_minor": view.due_minor,
        "kept_minor": view.kept_minor,
        "captured_minor": view.captured_minor,
        "refunded_minor": view.refunded_minor,
        "returned_minor": view.returned_minor,
        "life": view.life.value,
        "money": view.money.value,
        "certainty": view.certainty.value,
        "shown": view.shown.value,
        "flags": [flag.value for flag in view.flags],
        "attempt": None
        if attempt is None
        else {
            "id": attempt.id,
            "no": attempt.no,
            "gateway": attempt.gateway,
            "phase": attempt.phase,
            "link_url": attempt.link_url,
            "qr_text": attempt.qr_text,
            "expires_at": utc(attempt.expires_at_ms),
        },
        "plan": [asdict(share) for share in view.plan],
    }


def show_order(till: Till, view: OrderView, *, as_json: bool, qr: bool = False) -> None:
    if as_json:
        say_json(order_json(view))
        return
    money = till.formats.money
    say(f"order {view.number}  {money(view.totals.total_minor)}  {view.shown.value}")
    if view.change_minor:
        say(f"change {money(view.change_minor)}")
    for share in view.plan:
        say(f"  {share.state:5} {money(share.amount_minor):>14}  {share.text}")
    if view.attempt is not None and view.attempt.qr_text and qr:
        say(view.attempt.qr_text)
        _draw_qr(view.attempt.qr_text)


def _draw_qr(text: str) -> None:
    """The code in the terminal, where one is looking."""
    if sys.stdout.isatty():
        import segno

        segno.make(text, error="m").terminal(compact=True)


def exit_for(view: OrderView) -> None:
    """Exit status 3 while the outcome of a payment is unknown; nothing is lost."""
    if view.certainty is Certainty.UNKNOWN and view.money not in (Money.PAID, Money.OVERPAID):
        click.echo(f"pos: order {view.number}: not confirmed yet, do not charge again. `pos sync` will tell.", err=True)
        sys.exit(EXIT_UNKNOWN)


async def lines_of(till: Till, wanted: tuple[str, ...]) -> list[Line]:
    """Lines from `SKU` or `SKU=QTY`.

    Raises:
        BadInput: no line, an unknown SKU, or a quantity that cannot be.
    """
    if not wanted:
        raise BadInput("The basket is empty.", "Give at least one --line SKU, for example --line COFFEE=2.")
    lines = []
    for text in wanted:
        sku, _, quantity = text.partition("=")
        product = await till.catalogue.find(sku.strip())
        lines.append(line_of(product, parse_quantity(quantity or "1")))
    return lines


def line_of(product: Product, quantity_milli: int) -> Line:
    return Line(product.sku, product.name, quantity_milli, product.price_minor, product.tax_ppm, product.tax_name)
