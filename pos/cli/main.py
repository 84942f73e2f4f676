"""`pos`: the list of commands. Each lives in a module of its own and is imported when it is used."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from pos.domain.errors import PosError

COMMANDS = {
    "till": ("pos.cli.till:till", "The desktop app."),
    "demo": ("pos.cli.demo:demo", "A sample shop: relay, bank and till; or the story, offscreen."),
    "sell": ("pos.cli.sell:sell", "Ring up and pay."),
    "pay": ("pos.cli.sell:pay", "Issue, or show again, an order's link; or take cash."),
    "order": ("pos.cli.orders:order", "One order with its whole timeline."),
    "evidence": ("pos.cli.evidence:evidence", "All that is known of one order, as JSON or PDF."),
    "orders": ("pos.cli.orders:orders", "A list of orders."),
    "split": ("pos.cli.split:split", "Share what is left among links, terminal and cash."),
    "terminal": ("pos.cli.tenders:terminal", "What is left was paid on a terminal of its own."),
    "by-hand": ("pos.cli.tenders:by_hand", "A manager believes a bank's message, or takes that back."),
    "cancel": ("pos.cli.sell:cancel", "Close an order's link and void it."),
    "refund": ("pos.cli.sell:refund", "Give money back."),
    "exceptions": ("pos.cli.exceptions:exceptions", "What needs a person."),
    "resolve": ("pos.cli.exceptions:resolve", "Take the step proposed for an exception."),
    "return": ("pos.cli.returns:take_back", "Take goods back, with a credit note."),
    "sync": ("pos.cli.sync:sync", "The background work, without a window."),
    "reconcile": ("pos.cli.sync:reconcile", "Read one window of a gateway's report."),
    "day": ("pos.cli.day:day", "The end of the day."),
    "books": ("pos.cli.books:books", "Do the books hold; everything in them."),
    "catalogue": ("pos.cli.catalogue:catalogue", "Products as CSV."),
    "relay": ("pos.cli.relay:relay", "The relay and its tenants."),
    "sandbox": ("pos.cli.sandbox:sandbox", "The bank in the box, and its customers."),
    "gateways": ("pos.cli.gateways:gateways", "Set gateways up, test them, put them in order."),
    "secrets": ("pos.cli.secrets:secrets", "Keys in the keyring, or in a vault."),
    "doctor": ("pos.cli.doctor:doctor", "One page that says what is wrong."),
}


class LazyGroup(click.Group):
    """Knows the names and one-line helps; imports a command's module only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version="0.1.0", prog_name="truetill")
def pos() -> None:
    """Truetill: a point of sale that knows what was paid.

    Exit status: 0 done; 1 the books or the outcome say no; 2 wrong usage or bad input; 3 unknown, nothing is
    lost, `pos sync` will tell; 4 not reachable.
    """


def run(arguments: list[str] | None = None) -> Any:
    """Run a command; our errors become one clear line on standard error and the right exit status."""
    from pos.app.crash import guard

    guard()
    try:
        return pos.main(args=arguments, prog_name="pos")
    except PosError as error:
        click.echo(f"pos: {error}", err=True)
        sys.exit(error.exit_status)
