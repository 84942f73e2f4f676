"""`pos gateways ...`: set gateways up, test them, put them in order. Words and options only.

Keys come from standard input or, unseen, from the terminal; never from an argument, and none is ever printed.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import click

from pos.app.wiring import Till
from pos.cli.common import as_option, json_option, say, say_json, utc, with_till
from pos.domain.errors import BadInput
from pos.services.setup_cards import secret_title
from pos.services.setup_views import GatewayCard, HookView, NewKeys, Tested
from pos.words.gateways import hook_hint

STDIN_MAX_CHARS = 8192
EXIT_BAD, EXIT_UNREACHABLE = 1, 4
MARKS = {"ok": "ok ", "bad": "BAD", "none": " - "}


@click.group()
def gateways() -> None:
    """Gateways of this shop: their keys, the order of their use, whether they answer.

    \b
    Example:
      pos gateways add stripe --mode test < key.txt
      pos gateways test stripe
    """


@gateways.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Every gateway that is known: those of the shop in the order of their use, then the others.

    Example: pos gateways list --json
    """

    async def work(till: Till) -> None:
        cards = await till.setup.cards()
        if as_json:
            say_json([card_json(card) for card in cards])
            return
        for card in cards:
            say(f"{card.place or '-'}  {card.name:12} {_state(card):24} {card.account}".rstrip())
            if card.problem:
                say(f"   {card.problem}")

    with_till(work)


@gateways.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """One gateway: where its keys lie (never what they are), and what it can do.

    Example: pos gateways show stripe
    """

    async def work(till: Till) -> None:
        card, hook = await till.setup.card(name), await till.webhooks.of(name)
        if as_json:
            say_json(card_json(card) | {"webhook": hook.state, "webhook_url": hook.address or None})
            return
        _show(till, card)
        say(f"webhooks: {_hook(card, hook)}")

    with_till(work)


@gateways.command()
@click.argument("name")
@click.option("--mode", type=click.Choice(["test", "live"]), required=True, help="Play money, or real money.")
@click.option("--api-base", default="", metavar="URL", help="Another server of the same interface; test mode only.")
@click.option("--qr", default="", metavar="WAY", help="What the code carries: auto, gateway, relay, or upi.")
@click.option("--other-account", is_flag=True, help="The keys are meant to be of another account than before.")
@as_option
@json_option
def add(name: str, mode: str, api_base: str, qr: str, other_account: bool, actor: str, as_json: bool) -> None:
    """Set a gateway up, or replace its keys. They are tried before they are kept.

    One key a line on standard input, in the order that `pos gateways show NAME` lists them; on a terminal they are
    asked for, unseen. A key that comes from the environment or a file need not be given.

    \b
    Example:
      pos gateways add stripe --mode test < key.txt
      pos gateways add stripe --mode test --api-base http://127.0.0.1:8420 < key.txt
    """

    async def work(till: Till) -> None:
        card = await till.setup.card(name)
        keys = NewKeys(name, mode, _keys(card), api_base.rstrip("/"), qr, other_account)
        done = await till.setup.add(keys, actor=actor)
        if as_json:
            say_json(card_json(done))
            return
        say(f"{done.title} accepted the keys: account {done.account}, {done.mode} mode. They are kept.")

    with_till(work)


@gateways.command()
@click.argument("name")
@json_option
def test(name: str, as_json: bool) -> None:
    """Ask the gateway, and say what was really looked at. Nothing is changed.

    Example: pos gateways test stripe
    """

    async def work(till: Till) -> Tested:
        await till.setup.card(name)  # a name that does not exist is told with those that do
        return await till.gatecheck.test(name)

    tested = with_till(work)
    if as_json:
        say_json({"gateway": name, "at": utc(tested.at_ms), "checks": [asdict(check) for check in tested.checks]})
    else:
        for check in tested.checks:
            say(f"{MARKS[check.state]}  {check.title}  {check.figure}  {check.hint}".rstrip())
    if tested.bad:
        sys.exit(EXIT_UNREACHABLE if tested.unreachable else EXIT_BAD)


@gateways.command()
@click.argument("name")
@as_option
def enable(name: str, actor: str) -> None:
    """Take payments with this gateway.

    Example: pos gateways enable stripe
    """

    async def work(till: Till) -> None:
        card = await till.setup.enable(name, True, actor=actor)
        say(f"{card.title} takes payments.")

    with_till(work)


@gateways.command()
@click.argument("name")
@as_option
def disable(name: str, actor: str) -> None:
    """Take no more payments with this gateway. Refused while a link there may still be paid.

    Example: pos gateways disable stripe
    """

    async def work(till: Till) -> None:
        card = await till.setup.enable(name, False, actor=actor)
        say(f"{card.title} takes no payments.")

    with_till(work)


@gateways.command()
@click.argument("names", nargs=-1, required=True)
@as_option
def order(names: tuple[str, ...], actor: str) -> None:
    """Use these first, in this order; F12 takes the first.

    Example: pos gateways order stripe
    """

    async def work(till: Till) -> None:
        cards = await till.setup.order(names, actor=actor)
        say("Used in this order: " + (", ".join(card.title for card in cards if card.place) or "none takes payments"))

    with_till(work)


@gateways.command()
@click.argument("name")
@as_option
def remove(name: str, actor: str) -> None:
    """Forget a gateway's keys and take it out of the settings. Its orders stay in the books.

    Example: pos gateways remove stripe
    """

    async def work(till: Till) -> None:
        card = await till.setup.card(name)
        await till.setup.remove(name, actor=actor)
        say(f"The keys of {card.title} are forgotten.")

    with_till(work)


def _keys(card: GatewayCard) -> dict[str, str]:
    """What was typed or came on standard input, by name; "" for what the environment or a file gives.

    Raises:
        BadInput: fewer or more lines than there are keys to give.
    """
    wanted = [secret for secret in card.secrets if not secret.fixed]
    if sys.stdin.isatty():
        return {s.name: click.prompt(secret_title(s.name), hide_input=True, err=True).strip() for s in wanted}
    lines = [line.strip() for line in sys.stdin.read(STDIN_MAX_CHARS + 1).splitlines() if line.strip()]
    if len(lines) == len(wanted):
        return {secret.name: line for secret, line in zip(wanted, lines, strict=True)}
    names = ", then ".join(secret.title.lower() for secret in wanted) or "nothing: the environment has it"
    title = f"{card.title} needs {len(wanted)} keys on standard input, {len(lines)} came."
    raise BadInput(title, f"Give one a line: {names}.")


def _state(card: GatewayCard) -> str:
    if card.problem:
        return "cannot be loaded"
    if not card.listed:
        return "not set up"
    words = [f"{card.mode} mode", "on" if card.enabled else "off"]
    if card.locked:
        words.append("keys locked")
    elif not card.keys_known:
        words.append("no keys")
    return ", ".join(words)


def _show(till: Till, card: GatewayCard) -> None:
    say(f"{card.title}  {_state(card)}  {card.host}")
    if card.problem:
        say(card.problem)
    if card.account:
        say(f"account {card.account} {card.account_name}".rstrip())
    for secret in card.secrets:
        say(f"  {secret.name:14} {secret.place or 'not set'}  {secret.shown}".rstrip())
    for row in card.abilities:
        say(f"  {'ok' if row.good else '- '}  {row.title:22} {row.text}")
    if card.minimum_minor is not None:
        say(f"smallest payment {till.formats.money(card.minimum_minor)}")


def _hook(card: GatewayCard, hook: HookView) -> str:
    return hook.address or hook_hint(hook.state).format(gateway=card.title, name=card.name)


def card_json(card: GatewayCard) -> dict[str, Any]:
    """A gateway as data; of its keys only names and places."""
    return {**asdict(card), "takes_payments": card.takes_payments}
