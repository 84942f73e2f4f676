"""`pos terminal`, `pos by-hand`: money that the till neither sees nor counts."""

from __future__ import annotations

import click

from pos.app.wiring import Till
from pos.cli.common import approved_option, as_option, exit_for, json_option, show_order, with_till
from pos.services.views import OrderView


@click.command()
@click.argument("order")
@click.option("--note", default="", help="What the slip says, for the books: an approval code.")
@as_option
@json_option
def terminal(order: str, note: str, actor: str, as_json: bool) -> None:
    """What is left of an order was paid on a terminal that is not connected to this till. A live link is closed first.

    Example: pos terminal 1-00042 --note 083116
    """

    async def work(till: Till) -> OrderView:
        found = await till.queries.order(order)
        view = await till.tenders.terminal(found.order_id, note=note, actor=actor or till.people.current())
        show_order(till, view, as_json=as_json)
        return view

    exit_for(with_till(work))


@click.command(name="by-hand")
@click.argument("order")
@click.option("--reason", required=True, help="What is believed, for the journal: the bank's message with its number.")
@click.option("--withdraw", is_flag=True, help="It was not so after all: take it back.")
@as_option
@approved_option
@json_option
def by_hand(order: str, reason: str, withdraw: bool, actor: str, approved_by: str, as_json: bool) -> None:
    """A manager believes a bank's message: the last link that was shown counts as paid, and is watched on. What the
    gateway says later outranks it.

    Example: pos by-hand 1-00042 --reason "UPI 412233445566, seen on the customer's phone"
    """

    async def work(till: Till) -> OrderView:
        found = await till.queries.order(order)
        who = actor or till.people.current()
        decide = till.tenders.withdraw if withdraw else till.tenders.by_hand
        view = await decide(found.order_id, reason=reason, actor=who, approved_by=approved_by)
        show_order(till, view, as_json=as_json)
        return view

    exit_for(with_till(work))
