"""`pos order`, `pos orders`: looking."""

from __future__ import annotations

from dataclasses import asdict

import click

from pos.app.wiring import Till
from pos.cli.common import json_option, order_json, say, say_json, utc, with_till
from pos.services.queries import STATUSES
from pos.words.states import LOOKS


@click.command()
@click.argument("order")
@json_option
def order(order: str, as_json: bool) -> None:
    """One order with its whole timeline; ORDER is its number, its id, or your key.

    Example: pos order 1-00042 --json
    """

    async def work(till: Till) -> None:
        view = await till.queries.order(order)
        rows = await till.queries.timeline(view.order_id)
        if as_json:
            lines = [asdict(line) | {"amount_minor": line.amount_minor} for line in view.lines]
            timeline = [{"at": utc(r.at_ms), "source": r.source, "text": r.text, "state": r.state} for r in rows]
            say_json({**order_json(view), "lines": lines, "timeline": timeline})
            return
        money = till.formats.money
        say(f"order {view.number}  {money(view.totals.total_minor)}  {LOOKS[view.shown].long_word}")
        for line in view.lines:
            say(f"  {till.formats.quantity(line.quantity_milli)} x {line.name}  {money(line.amount_minor)}")
        for row in rows:
            say(f"{till.formats.time_s(row.at_ms)}  {row.source:9} {row.text}")

    with_till(work)


@click.command()
@click.option("--status", type=click.Choice(STATUSES), default=None, help="Only orders in this state.")
@click.option("--day", default="", metavar="YYYY-MM-DD", help="Only orders of this business day.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
def orders(status: str | None, day: str, limit: int, as_json: bool) -> None:
    """A list, the newest first.

    Example: pos orders --status unknown
    """

    async def work(till: Till) -> None:
        rows = await till.queries.orders(status=status or "", day=day, limit=limit)
        if as_json:
            say_json(
                [
                    {
                        "order_id": r.order_id,
                        "number": r.number,
                        "created_at": utc(r.created_at_ms),
                        "total_minor": r.total_minor,
                        "currency": r.currency,
                        "money": r.money.value,
                        "certainty": r.certainty.value,
                        "shown": r.shown.value,
                    }
                    for r in rows
                ]
            )
            return
        for r in rows:
            total = till.formats.money(r.total_minor)
            say(f"{r.number:10} {till.formats.time(r.created_at_ms)} {total:>14}  {r.shown.value:13} {r.payment_text}")

    with_till(work)
