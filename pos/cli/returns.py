"""`pos return`: goods come back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from pos.app.wiring import Till
from pos.cli.common import approved_option, as_option, exit_for, json_option, order_json, say, say_json, utc, with_till
from pos.domain.basket import parse_quantity
from pos.domain.errors import BadInput
from pos.domain.returning import Return
from pos.services.returns import Decision, Goods
from pos.services.views import OrderView


@click.command(name="return")
@click.argument("order")
@click.option("--line", "lines", multiple=True, metavar="SKU[=QTY]", help="What comes back; repeat for more.")
@click.option("--reason", default="returned", show_default=True, help="Why, for the credit note and the journal.")
@click.option("--key", default="", help="Your own key; the same again writes no second credit note.")
@as_option
@approved_option
@json_option
def take_back(
    order: str, lines: tuple[str, ...], reason: str, key: str, actor: str, approved_by: str, as_json: bool
) -> None:
    """Take goods of a paid sale back: writes a credit note, and gives its money back the way it came.

    Example: pos return 1-00042 --line COFFEE=2 --reason "wrong size"
    """
    goods = Goods(skus=[_wanted(text) for text in lines])
    if not goods.skus:
        raise BadInput("Nothing to take back was named.", "Give at least one --line SKU, for example --line COFFEE=2.")

    async def work(till: Till) -> OrderView:
        found = await till.queries.order(order)
        decision = Decision(reason, actor or till.people.current(), approved_by, key)
        taken = await till.returns.take_back(found.order_id, goods, decision)
        if as_json:
            say_json({**order_json(taken.view), "return": return_json(taken.note)})
        else:
            say("\n".join(await till.returns.paper(taken.note.number)))
        return taken.view

    exit_for(with_till(work))


def return_json(note: Return) -> dict[str, Any]:
    """The credit note; amounts in minor units, quantities in thousandths."""
    lines = [{**asdict(line), "amount_minor": line.amount_minor} for line in note.lines]
    plain = {**asdict(note), "lines": lines, "at": utc(note.at_ms)}
    del plain["at_ms"]
    return plain


def _wanted(text: str) -> tuple[str, int]:
    sku, _, quantity = text.partition("=")
    return sku.strip(), parse_quantity(quantity or "1")
