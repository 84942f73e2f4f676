"""`pos`: the list of commands. Each lives in a module of its own and is imported when it is used."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from pos.domain.errors import PosError

COMMANDS = {
    "sandbox": ("pos.cli.sandbox:sandbox", "The bank in the box, and its customers."),
    "relay": ("pos.cli.relay:relay", "The relay and its tenants."),
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
    try:
        return pos.main(args=arguments, prog_name="pos")
    except PosError as error:
        click.echo(f"pos: {error}", err=True)
        sys.exit(error.exit_status)
