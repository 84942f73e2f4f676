"""`pos doctor`: one page that says what is wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import click

from pos.app import config
from pos.app.secrets import ChainedSecrets
from pos.app.wiring import Till
from pos.cli.common import home, json_option, say, say_json, with_till
from pos.domain.errors import PosError
from pos.services.setup_views import SafeView

SKEW_LIMIT_MS = 120_000
NOWHERE = SafeView("vault", "missing")
"""No keyring, and the vault that would stand in for it was not made."""
Note = Callable[[str, bool, str], None]


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check settings, database, keys, gateways, relay and clock.

    Example: pos doctor
    """
    rows: list[tuple[str, bool, str]] = []

    def note(what: str, good: bool, text: str) -> None:
        rows.append((what, good, text))

    try:
        settings = config.load(home())
        note("settings", True, f"{settings.shop.name}, till {settings.till.id}, {settings.shop.currency}")
        with_till(lambda till: _examine(till, note))
    except PosError as error:
        note("till", False, str(error))
    if as_json:
        say_json([{"what": what, "ok": good, "text": text} for what, good, text in rows])
    else:
        for what, good, text in rows:
            say(f"{'ok ' if good else 'BAD'}  {what:12} {text}")
    sys.exit(0 if all(good for _, good, _ in rows) else 1)


async def _examine(till: Till, note: Note) -> None:
    note("mode", True, "TEST: no money moves" if till.test_mode else "LIVE")
    note("database", *till.database.examine())
    if till.database.trouble is not None:
        note("writing", False, str(till.database.trouble))
    breaks = await till.books.verify()
    note("books", not breaks, "the books verify" if not breaks else "; ".join(str(b) for b in breaks[:5]))
    await _examine_secrets(till, note)
    for each in till.desk.unloaded.values():
        note(each.name, False, str(each.problem))
    if not till.desk.names() and not till.desk.unloaded:
        note("gateways", True, "none is set up: cash only")
    for name in till.desk.names():
        try:
            gateway = await till.desk.get(name)
            await till.desk.ask(gateway, gateway.adapter.whoami())
            skew = till.desk.health[name].skew_ms
            note(name, True, f"account {gateway.adapter.account}, {gateway.adapter.mode}")
            note("clock", abs(skew) < SKEW_LIMIT_MS, f"{_seconds(skew)} against {name}")
        except PosError as error:
            note(name, False, str(error))
    await _show_abilities(till, note)
    await _examine_relay(till, note)


def _seconds(ms: int) -> str:
    """With its sign, where there is anything to sign."""
    whole = round(ms / 1000)
    return f"{whole:+d} s" if whole else "0 s"


async def _examine_secrets(till: Till, note: Note) -> None:
    """No place for keys is in order where none is needed: cash only, or all keys from the environment or a file."""
    if isinstance(till.secrets, ChainedSecrets):
        good, text = await asyncio.to_thread(till.secrets.place)  # a keyring may take its time
        needed = any(card.enabled and not card.keys_known for card in await till.setup.cards())
        nowhere = needed and await till.vaults.look() == NOWHERE
        note("secrets", good and not nowhere, text)


async def _show_abilities(till: Till, note: Note) -> None:
    """What the till makes up for at each gateway, and the smallest payment there."""
    for card in await till.setup.cards():
        if card.takes_payments:
            lacks = ", ".join(f"{row.title.lower()} ({row.text})" for row in card.abilities if not row.good)
            least = f"; from {till.formats.money(card.minimum_minor)}" if card.minimum_minor is not None else ""
            note("able", True, f"{card.title}: the till makes up for {lacks or 'nothing'}{least}")


async def _examine_relay(till: Till, note: Note) -> None:
    try:
        if till.relay is None and till.shop.relay_url:
            note("relay", False, "its till token is not set: `pos secrets set relay.till_token`")
            return
        if till.relay is None:
            note("relay", True, "none: the till asks the gateways itself")
            return
        who = await till.relay.whoami()
        note("relay", True, f"shop {who.shop}, till {who.till}")
    except PosError as error:
        note("relay", False, str(error))
