"""`pos secrets ...`: keys in the keyring. Words and options only; no value is ever printed, echoed or an argument."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from pos.domain.errors import BadInput

if TYPE_CHECKING:
    from pos.app.secrets import ChainedSecrets

STDIN_MAX_CHARS = 8192


@click.group()
def secrets() -> None:
    """Keys and tokens of this till, in the system's keyring.

    \b
    Example:
      pos secrets set gateways.stripe.secret_key < key.txt
      pos secrets list
    """


@secrets.command("set")
@click.argument("name")
def set_(name: str) -> None:
    """Keep a secret; its value is read from standard input (on a terminal it is asked for, unseen).

    \b
    Example: pos secrets set gateways.stripe.secret_key < key.txt
    """
    from pos.app.secrets import check_name

    _store().set(check_name(name), _value(name))
    click.echo(f"{name} is kept in the keyring.")


def _value(name: str) -> str:
    if sys.stdin.isatty():
        asked: str = click.prompt(name, hide_input=True)
        return asked.strip()
    value = sys.stdin.read(STDIN_MAX_CHARS + 1).strip()
    if not value:
        raise BadInput("Nothing came on standard input.", f"For example: pos secrets set {name} < key.txt")
    return value


@secrets.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """Names of the secrets that are known, and where each comes from. Never values.

    \b
    Example: pos secrets list --json
    """
    store = _store()
    found = [{"name": name, "source": store.source_of(name)} for name in store.names()]
    if as_json:
        click.echo(json.dumps(found))
        return
    for entry in found:
        click.echo(f"{entry['name']}  ({entry['source']})")
    if not found:
        click.echo("No secrets are known here.", err=True)


@secrets.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget a secret of the keyring.

    \b
    Example: pos secrets remove gateways.stripe.secret_key
    """
    _store().remove(name)
    click.echo(f"{name} is forgotten.")


def _store() -> ChainedSecrets:
    from pos.app.config import home_folder
    from pos.app.secrets import open_secrets

    return open_secrets(home_folder())
