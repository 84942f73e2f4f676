"""What may be asked for now, by the order's saved plan. Reads only; plans are made in `pos.services.splitting`."""

from __future__ import annotations

from dataclasses import replace

from pos.domain.errors import Refused
from pos.domain.joins import Bundle
from pos.domain.order import Life, Order
from pos.domain.plan import Ask, Way, ask_of, standing
from pos.domain.store_port import Tx
from pos.domain.verdict import Verdict, fold

WORDS = {Way.QR: "by QR", Way.TERMINAL: "by card terminal", Way.CASH: "in cash"}


def as_placed(bundle: Bundle) -> Bundle:
    """What is due of an order that is only being rung up is its total, once it is placed."""
    return replace(bundle, order=replace(bundle.order, life=Life.PLACED))


def ask_in(tx: Tx, order: Order, verdict: Verdict, way: Way) -> Ask:
    """What may be asked for in this way: all that is left, or the next part of the order's plan.

    Raises:
        Refused: the plan says another way comes next.
    """
    ask, planned = ask_of(standing(tx.plans.last(order.id), order), verdict.due_minor, verdict.kept_minor)
    if planned is not None and planned is not way:
        raise Refused(
            f"The next part of order {order.number} is to be paid {WORDS[planned]}.",
            "Take that part, or change the split first.",
        )
    return ask


def check_way(tx: Tx, order_id: str, way: Way) -> None:
    """Before a link is closed to take money in another way. Raises Refused: the plan says another way comes next."""
    bundle = as_placed(tx.facts.bundle(order_id))
    ask_in(tx, bundle.order, fold(bundle), way)
