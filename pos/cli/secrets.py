"""`pos secrets ...`: keys in the keyring or the vault. Words and options only; no value is printed or an argument."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from pos.cli.asking import ask_vault, passphrases
from pos.domain.errors import BadInput

if TYPE_CHECKING:
    from pos.app.secrets import ChainedSecrets

STDIN_MAX_CHARS = 8192


class NoValues(click.Command):
    """A command whose extra words may be a secret: refused without repeating them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if type(error) is not click.UsageError:  # a name is missing, an option unknown: said as everywhere
                raise
            text = "A secret is never an argument: other programs could read it. Give it on standard input."
            raise click.UsageError(text, ctx) from None


@click.group()
def secrets() -> None:
    """Keys and tokens of this till, in the system's keyring, or in a vault that a passphrase opens.

    \b
    Example:
      pos secrets set gateways.stripe.secret_key < key.txt
      pos secrets list
    """


@secrets.command("set", cls=NoValues)
@click.argument("name")
def set_(name: str) -> None:
    """Keep a secret; its value is read from standard input (on a terminal it is asked for, unseen).

    \b
    Example: pos secrets set gateways.stripe.secret_key < key.txt
    """
    from pos.app.secrets import check_name

    store = _store()
    store.set(check_name(name), _value(name))
    click.echo(f"{name} is kept in {store.source_of(name)}.")
    _warn_of(name)


def _warn_of(name: str) -> None:
    """A name that nothing reads is kept (its package may come later), and most likely misspelt."""
    from pos.app.enrolling import known_secrets

    known = known_secrets(name)
    if name not in known:
        click.echo(f"Nothing here reads {name}. Known names: {', '.join(known)}.", err=True)


def _value(name: str) -> str:
    if sys.stdin.isatty():
        asked: str = click.prompt(name, hide_input=True, err=True)
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
    else:
        for entry in found:
            click.echo(f"{entry['name']}  ({entry['source']})")
        if not found:
            click.echo("No secrets are known here.", err=True)
    if store.vault.exists and not store.vault.unlocked:
        click.echo("The vault is locked; what is in it is not listed.", err=True)


@secrets.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget a secret of the keyring or the vault.

    \b
    Example: pos secrets remove gateways.stripe.secret_key
    """
    _store().remove(name)
    click.echo(f"{name} is forgotten.")


@secrets.group()
def vault() -> None:
    """A sealed file in the till's home, for machines without a keyring. A passphrase opens it; nobody can recover it.

    \b
    Example:
      pos secrets vault create
      pos secrets vault status
    """


@vault.command(cls=NoValues)
def create() -> None:
    """Make the vault. The passphrase is asked for unseen, or read as a line of standard input.

    \b
    Example: pos secrets vault create
    """
    made = _store().vault
    made.create(passphrases("New passphrase of the vault")[0])
    click.echo(f"The vault is made: {made.path}. If its passphrase is lost, the keys in it must be set again.")


@vault.command(cls=NoValues)
def change() -> None:
    """Change its passphrase: the old one, then the new one, unseen or as two lines of standard input.

    \b
    Example: pos secrets vault change
    """
    changed = _store().vault
    changed.check()
    old, new = passphrases("Old passphrase of the vault", "New passphrase of the vault")
    changed.change(old, new)
    click.echo("The passphrase is changed. Programs that are running must unlock the vault again.")


@vault.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Where keys are kept here, and whether the vault is in order. Asks for nothing.

    \b
    Example: pos secrets vault status --json
    """
    from pos.app.config import home_folder
    from pos.app.secrets import open_secrets

    store = open_secrets(home_folder())
    found = store.vault
    if found.exists:
        found.check()
        found.wake()
    if as_json:
        state = {"exists": found.exists, "unlocked": found.unlocked, "file": str(found.path)}
        click.echo(json.dumps(state))
        return
    click.echo(f"{found.path}: {_state(store)}")
    click.echo(f"New keys: {store.place()[1]}")


def _state(store: ChainedSecrets) -> str:
    if not store.vault.exists:
        return "there is no vault"
    return "in order, and the passphrase given at the start opens it" if store.vault.unlocked else "in order, locked"


def _store() -> ChainedSecrets:
    from pos.app.config import home_folder
    from pos.app.secrets import open_secrets

    return open_secrets(home_folder(), ask=ask_vault)
