"""`pos day`: the end of the day."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import click

from pos.app.wiring import Till
from pos.cli.common import as_option, json_option, say, say_json, utc, with_till
from pos.domain.matching import MEANING
from pos.domain.money import parse_major
from pos.services.views import DayView


@click.group()
def day() -> None:
    """The end of the day: preview, close, show."""


@day.command()
@click.option("--no-refresh", is_flag=True, help="Do not read the gateways' reports first.")
@json_option
def preview(no_refresh: bool, as_json: bool) -> None:
    """The day as it stands: matched, corrected, and what needs a person.

    Example: pos day preview
    """

    async def work(till: Till) -> None:
        _show(till, await till.day.preview(refresh=not no_refresh), as_json)

    with_till(work)


@day.command()
@click.option("--counted", default=None, metavar="AMOUNT", help="Cash counted in the drawer, in major units.")
@click.option("--reason", default="", metavar="TEXT", help="Why the drawer is over or short.")
@as_option
@json_option
def close(counted: str | None, reason: str, actor: str, as_json: bool) -> None:
    """Close the day: open exceptions are carried over under your name, nothing blocks.

    Example: pos day close --counted 1250.00
    """

    async def work(till: Till) -> DayView:
        counted_minor = parse_major(counted, till.currency) if counted is not None else None
        who = actor or till.people.current()
        view = await till.day.close(actor=who, counted_minor=counted_minor, reason=reason)
        _show(till, view, as_json)
        return view

    with_till(work)


@day.command()
@click.argument("date")
@json_option
def show(date: str, as_json: bool) -> None:
    """A closed day, as it was closed.

    Example: pos day show 2026-11-22
    """

    async def work(till: Till) -> None:
        _show(till, await till.day.show(date), as_json)

    with_till(work)


def _show(till: Till, view: DayView, as_json: bool) -> None:
    if as_json:
        say_json(day_json(view))
        return
    money = till.formats.money
    if view.test:
        say("TEST: no money moved")
    say(
        f"day {view.day}: {len(view.matched)} matched, {len(view.corrected)} corrected, {len(view.exceptions)} need you"
    )
    if not view.complete:
        say("the gateway's report could not be read whole: " + "; ".join(view.unread))
        click.echo("pos: the report is partial, not balanced.", err=True)
    for row in view.exceptions:
        amount = money(row.amount_minor) if row.amount_minor else ""
        say(f"  {row.code} {row.number or row.subject}: {MEANING[row.code]} {amount}  -> {row.action.value}")
    for noted in view.noted:
        day_of = till.formats.short_day(noted.at_ms)
        say(f"  {noted.code} {noted.number}: {MEANING[noted.code]} ({day_of}) {money(noted.here_minor or 0)}")
    for total in view.totals:
        here = money(total.here_minor) if total.here_minor is not None else "-"
        there = money(total.there_minor) if total.there_minor is not None else "-"
        say(f"  {total.title:14} {here:>16} {there:>16}")
    if view.cash_difference_minor:
        say(f"cash differs by {money(view.cash_difference_minor)}")
    if view.closed_at_ms is not None:
        say(f"closed by {view.closed_by}, number {view.z_number}, hash {view.hash[:16]}")
    if view.closed_at_ms is not None and view.problems:
        say("integrity not proven: " + "; ".join(view.problems))
        sys.exit(1)


def day_json(view: DayView) -> dict[str, Any]:
    """The day as data: counts per category, exceptions, totals."""
    plain = asdict(view)
    counts = view.categories()
    times = {key: utc(plain.pop(f"{key}_ms")) for key in ("from", "to", "report_at", "closed_at")}
    for row in (*plain["matched"], *plain["corrected"], *plain["noted"], *plain["exceptions"]):
        row["at"] = utc(row.pop("at_ms"))
    return {**plain, **times, "categories": counts}
