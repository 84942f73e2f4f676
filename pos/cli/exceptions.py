"""`pos exceptions`, `pos resolve`: what needs a person, and taking the step that is proposed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from pos.app.wiring import Till
from pos.cli.common import approved_option, as_option, exit_for, json_option, say, say_json, show_order, utc, with_till
from pos.services.exceptions import told
from pos.services.views import ExceptionView, OrderView, Resolution


@click.command()
@json_option
def exceptions(as_json: bool) -> None:
    """What needs a person, the oldest first, each with the one step that is proposed.

    Example: pos exceptions --json
    """

    async def work(till: Till) -> None:
        rows = await till.exceptions.listed()
        if as_json:
            say_json([exception_json(row) for row in rows])
            return
        money = till.formats.money
        for row in rows:
            amount = f" {money(row.amount_minor)}" if row.amount_minor else ""
            subject = f"  ({row.subject})" if row.subject else ""
            say(f"{told(row)}{amount}  -> {row.action.value}{subject}")
        if not rows:
            say("nothing needs a person")

    with_till(work)


@click.command()
@click.argument("code")
@click.argument("about")
@click.option("--settled", is_flag=True, help="It was settled outside the till: close it with the reason.")
@click.option("--order", default="", help="For a payment without an order (M11): the order it belongs to.")
@click.option("--reason", required=True, help="For the journal.")
@as_option
@approved_option
@json_option
def resolve(code: str, about: str, *, as_json: bool, **wanted: Any) -> None:
    """Take the step that is proposed for an exception; ABOUT is the number of its order, or what it is about.

    Example: pos resolve M06 1-00042 --reason "paid twice"
    """

    async def work(till: Till) -> OrderView | None:
        view = await _resolve(till, code, about, **wanted)
        if view is not None:
            show_order(till, view, as_json=as_json)
        elif as_json:
            say_json({"code": code.upper(), "about": about, "open": False})
        else:
            say(f"{code.upper()} {about}: settled")
        return view

    view = with_till(work)
    if view is not None:
        exit_for(view)


async def _resolve(till: Till, code: str, about: str, **wanted: Any) -> OrderView | None:
    row = await till.exceptions.find(code, about)
    actor = wanted["actor"] or till.people.current()
    reason, second = wanted["reason"], wanted["approved_by"]
    if wanted["settled"]:
        await till.exceptions.settle(row.id, reason=reason, actor=actor, approved_by=second)
        return None
    return await till.exceptions.act(row.id, Resolution(reason, actor, wanted["order"], second))


def exception_json(row: ExceptionView) -> dict[str, Any]:
    plain = asdict(row)
    return {**plain, "at": utc(plain.pop("at_ms"))}
