"""`pos split`: how what is left of an order is shared among several payments."""

from __future__ import annotations

import click

from pos.app.wiring import Till
from pos.cli.common import as_option, exit_for, json_option, show_order, with_till
from pos.domain.errors import BadInput
from pos.domain.money import parse_major
from pos.domain.plan import Share, Way
from pos.services.views import OrderView

REST = "rest"


@click.command()
@click.argument("order")
@click.option("--qr", "links", multiple=True, metavar="GATEWAY=AMOUNT", help="A part by link; repeat for more.")
@click.option("--terminal", "terminals", multiple=True, metavar="AMOUNT", help="A part on the card terminal.")
@click.option("--cash", "cash", multiple=True, metavar="AMOUNT", help="A part in cash.")
@click.option("--drop", is_flag=True, help="Take the plan back: what is left may be paid in any way.")
@as_option
@json_option
def split(
    order: str, links: tuple[str, ...], terminals: tuple[str, ...], cash: tuple[str, ...], drop: bool, **more: object
) -> None:
    """Save how what is left to pay is shared: links first, then the card terminal, cash last. Amounts are in major
    units; one of them may be `rest`. `pos pay` and `pos terminal` then each take the next part.

    Example: pos split 1-00042 --qr stripe=500 --cash rest
    """
    wanted = [*_links(links), *((Way.TERMINAL, "", text) for text in terminals), *((Way.CASH, "", t) for t in cash)]
    if drop == bool(wanted):
        raise BadInput("Say how it is split.", "Give the parts, for example --qr stripe=500 --cash rest; or --drop.")
    actor, as_json = str(more["actor"]), bool(more["as_json"])

    async def work(till: Till) -> OrderView:
        found = await till.queries.order(order)
        if drop:
            view = await till.splits.drop(found.order_id, actor=actor)
        else:
            for name in (gateway for _, gateway, _ in wanted if gateway):
                till.gateway(name)
            shares = shares_of(wanted, found.left_minor, till.currency)
            view = await till.splits.plan(found.order_id, shares, actor=actor)
        show_order(till, view, as_json=as_json)
        return view

    exit_for(with_till(work))


def _links(texts: tuple[str, ...]) -> list[tuple[Way, str, str]]:
    found = []
    for text in texts:
        gateway, separator, amount = text.partition("=")
        if not separator:
            raise BadInput(f"{text!r} is no part.", "Write GATEWAY=AMOUNT, for example stripe=500.")
        found.append((Way.QR, gateway.strip(), amount))
    return found


def shares_of(wanted: list[tuple[Way, str, str]], left_minor: int, currency: str) -> list[Share]:
    """Amounts as they were typed; at most one `rest`, which is what the others leave.

    Raises:
        BadInput: an amount that cannot be, or two that want the rest.
    """
    known = [None if text.strip() == REST else parse_major(text, currency) for _, _, text in wanted]
    if known.count(None) > 1:
        raise BadInput("Only one part can be the rest.", "Give the amounts of the others.")
    rest = left_minor - sum(amount for amount in known if amount is not None)
    amounts = [rest if amount is None else amount for amount in known]
    return [Share(way, amount, gateway) for (way, gateway, _), amount in zip(wanted, amounts, strict=True)]
