"""`pos sell`, `pay`, `cancel`, `refund`: taking and giving back money."""

from __future__ import annotations

import click

from pos.app.wiring import Till
from pos.cli.common import approved_option, as_option, exit_for, json_option, lines_of, show_order, with_till
from pos.domain.cash import GiveBack
from pos.domain.errors import BadInput
from pos.domain.money import parse_major
from pos.services.views import OrderView


@click.command()
@click.option("--line", "lines", multiple=True, metavar="SKU[=QTY]", help="One product; repeat for more.")
@click.option("--qr", "gateway", default=None, metavar="GATEWAY", help="Ask for a payment link.")
@click.option("--cash", "cash", default=None, metavar="AMOUNT", help="Cash given, in major units: 12.50.")
@click.option("--key", default="", help="Your own key; the same again returns the same order.")
@as_option
@json_option
def sell(lines: tuple[str, ...], gateway: str | None, cash: str | None, key: str, actor: str, as_json: bool) -> None:
    """Ring up and pay.

    Example: pos sell --line COFFEE=2 --qr stripe --key table-7
    """
    if (gateway is None) == (cash is None):
        raise BadInput("Say how it is paid.", "Give either --qr GATEWAY or --cash AMOUNT.")

    async def work(till: Till) -> OrderView:
        basket = await lines_of(till, lines)
        if cash is not None:
            view = await till.cash.sell(basket, parse_major(cash, till.currency), key=key, actor=actor)
        else:
            view = await till.checkout.sell(basket, till.gateway(gateway or ""), key=key, actor=actor)
        show_order(till, view, as_json=as_json, qr=True)
        return view

    exit_for(with_till(work))


@click.command()
@click.argument("order")
@click.option("--qr", "gateway", default=None, metavar="GATEWAY", help="Which gateway to ask for a link.")
@click.option("--cash", "cash", default=None, metavar="AMOUNT", help="Cash given, in major units: 12.50.")
@as_option
@json_option
def pay(order: str, gateway: str | None, cash: str | None, actor: str, as_json: bool) -> None:
    """Issue the order's link, or show the live one again; or take cash, once its link is closed. Of an order that was
    split (`pos split`) this collects the next part.

    Example: pos pay 1-00042 --qr stripe
    """
    if (gateway is None) == (cash is None):
        raise BadInput("Say how it is paid.", "Give either --qr GATEWAY or --cash AMOUNT.")

    async def work(till: Till) -> OrderView:
        found = await till.queries.order(order)
        if cash is not None:
            given = parse_major(cash, till.currency)
            view = await till.cash.take(found.order_id, given_minor=given, actor=actor)
        else:
            view = await till.checkout.issue(found.order_id, till.gateway(gateway or ""), actor=actor)
        show_order(till, view, as_json=as_json, qr=True)
        return view

    exit_for(with_till(work))


@click.command()
@click.argument("order")
@click.option("--reason", default="cancelled", help="Why, for the journal.")
@click.option("--give-back", is_flag=True, help="Of a part-paid order: give back what was paid, and void it.")
@as_option
@approved_option
@json_option
def cancel(order: str, reason: str, give_back: bool, actor: str, approved_by: str, as_json: bool) -> None:
    """Close the order's link at the gateway and void the order.

    Example: pos cancel 1-00042 --reason "customer left"
    """

    async def work(till: Till) -> OrderView:
        found = await till.queries.order(order)
        if give_back:
            who = actor or till.people.current()
            back = till.givingup.give_back_and_void
            view = await back(found.order_id, reason=reason, actor=who, approved_by=approved_by)
        else:
            view = await till.checkout.cancel(found.order_id, reason=reason, actor=actor)
        show_order(till, view, as_json=as_json)
        return view

    exit_for(with_till(work))


@click.command()
@click.argument("order")
@click.option("--amount-minor", type=int, default=None, help="How much, in minor units; all that is left otherwise.")
@click.option("--cash", is_flag=True, help="In cash, where the gateway refused it or could not; a manager decides.")
@click.option("--payment", default="", metavar="PAYMENT", help="With --cash: which payment, where there are several.")
@click.option("--reason", required=True, help="Why, for the journal.")
@as_option
@approved_option
@json_option
def refund(order: str, amount_minor: int | None, cash: bool, payment: str, **more: object) -> None:
    """Give money back to the payment it came from; or in cash, where its gateway refused or is not set up any more.

    Example: pos refund 1-00042 --amount-minor 500 --reason "cold coffee"
    """
    as_json = bool(more["as_json"])
    if payment and not cash:
        raise BadInput("A payment is named only with --cash.", "Without it the payments are chosen, newest first.")

    async def work(till: Till) -> OrderView:
        found = await till.queries.order(order)
        reason, who, second = str(more["reason"]), str(more["actor"]) or till.people.current(), str(more["approved_by"])
        if cash:
            back = GiveBack(reason, payment, amount_minor)
            view = await till.backs.give_back(found.order_id, back, actor=who, approved_by=second)
        else:
            view = await till.refunds.refund(
                found.order_id, amount_minor=amount_minor, reason=reason, actor=who, approved_by=second
            )
        show_order(till, view, as_json=as_json)
        return view

    exit_for(with_till(work))
