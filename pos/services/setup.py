"""Setting gateways up: keys are tried before they are kept, then settings, books and the running till follow.

1. Ask the gateway who we are with the new keys; nothing is stored yet.
2. Keys of another account, or the other mode: refused while a link there may be paid or a refund is on its way.
3. Keep the keys (keyring or vault), write the settings, put account and journal in the books.
4. Enrol what changed in the running desk: the next F12 uses it.

No value of a key is in what comes out of here, in the journal or in an error. HTTP and keyrings are behind ports.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pos.domain.errors import BadInput, Broken, NotFound, OtherAccount, PosError, Refused, Unreachable
from pos.domain.rows import Account
from pos.domain.store_port import Tx
from pos.services.bookmode import mode_with
from pos.services.bus import GatewaysChanged
from pos.services.context import Context
from pos.services.desk import Desk, Enrolled, Health, Unloaded
from pos.services.people import People
from pos.services.setup_cards import Cards, full_name
from pos.services.setup_ports import Changes, Entry, GatewaySettingsFile, GatewayShelf, KeySafe
from pos.services.setup_views import LOCKED, GatewayCard, NewKeys

ACTION = "gateways"
PRINT_CHARS = 12


class GatewaySetup:
    """What a manager does at Manage > Gateways and with `pos gateways`."""

    def __init__(
        self,
        context: Context,
        desk: Desk,
        people: People,
        settings: GatewaySettingsFile,
        shelf: GatewayShelf,
        safe: KeySafe,
    ) -> None:
        self._context = context
        self._desk = desk
        self._people = people
        self._settings = settings
        self._shelf = shelf
        self._safe = safe
        self._cards = Cards(context, desk, settings, shelf, safe)
        self._stamp = settings.stamp()
        self._one = asyncio.Lock()

    # Looking --------------------------------------------------------------------------------------------------------

    async def cards(self) -> list[GatewayCard]:
        """As `Cards.all`."""
        return await self._cards.all()

    async def card(self, name: str) -> GatewayCard:
        """Raises NotFound: no gateway of that name."""
        return await self._cards.one(name)

    # Changing -------------------------------------------------------------------------------------------------------

    async def add(self, keys: NewKeys, *, actor: str) -> GatewayCard:
        """Set a gateway up, or give it other keys. A secret that is left empty stays as it is.

        Raises:
            NotAllowed: the actor may not.
            BadInput: a key that cannot be, of the other mode, or meant for another server; books of the other mode.
            Refused: the gateway does not accept it, or something there is not settled yet.
            OtherAccount: the keys are another account's, and `keys.other_account` does not say that this is meant.
            NotSent, OutcomeUnknown: the gateway cannot be reached, or does not say. Nothing is kept then.

        Cancelled while the gateway is asked, nothing is kept; once it is being kept, it is kept whole.
        """
        self._people.allow(ACTION, actor)
        async with self._one:
            entry, old = await self._wanted(keys)
            await self._check_book_mode(entry.mode)
            values = await asyncio.to_thread(self._values, keys)
            candidate = self._shelf.enrolled(entry, values)
            before = await self._context.store.read(lambda tx: tx.shop.account(entry.name))
            health = Health()
            account = await self._desk.meet(candidate, health)
            if before is not None and (before.account, before.mode) != (account.account, account.mode):
                await self._check_settled(entry.name, f"the keys of {candidate.title} are changed to another account")
                if not keys.other_account:
                    raise _other_account(candidate.title, before, account)

            async def keep() -> None:
                await self._keep(keys, entry, old)
                await self._record(account, entry, values, actor)
                await self._enrol()
                self._desk.health[entry.name] = health  # it was asked just now

            await _whole(keep())
        return await self.card(keys.gateway)

    async def _wanted(self, keys: NewKeys) -> tuple[Entry, Entry | None]:
        """The gateway as it shall be in the settings, and as it is."""
        listed = await asyncio.to_thread(self._settings.entries)
        old = next((entry for entry in listed if entry.name == keys.gateway), None)
        rank = old.rank if old else max((entry.rank for entry in listed), default=-1) + 1
        base = old or Entry(keys.gateway, rank=rank)
        entry = replace(base, enabled=True, mode=keys.mode, api_base=keys.api_base, listed=True)
        return replace(entry, qr=keys.qr or entry.qr), old

    async def _check_book_mode(self, mode: str) -> None:
        await self._context.store.read(lambda tx: mode_with(tx, tuple(self._shelf.names()), [mode]))

    def _values(self, keys: NewKeys) -> dict[str, str]:
        """Every secret that logs in: what was typed, else what is kept."""
        able = self._shelf.capabilities(keys.gateway)
        return {
            name: keys.secrets.get(name) or self._safe.get(full_name(keys.gateway, name)) or "" for name in able.secrets
        }

    async def _keep(self, keys: NewKeys, entry: Entry, old: Entry | None) -> None:
        """Keys first, settings behind: what the settings name must be there. If the settings cannot be written,

        the keys are put back as they were.
        """
        typed = {name: value for name, value in keys.secrets.items() if value}

        def keep() -> None:
            before = {name: self._safe.get(full_name(keys.gateway, name)) for name in typed}
            try:
                for name, value in typed.items():
                    if before[name] != value:
                        self._safe.set(full_name(keys.gateway, name), value)
                self._settings.change({entry.name: _values_of(entry, old)})
            except PosError:
                for name, former in before.items():
                    self._put_back(full_name(keys.gateway, name), former)
                raise

        await asyncio.to_thread(keep)

    def _put_back(self, name: str, value: str | None) -> None:
        now = self._safe.get(name)
        if now == value:
            return
        if value is None:
            self._safe.remove(name)
        else:
            self._safe.set(name, value)

    async def _record(self, account: Account, entry: Entry, values: Mapping[str, str], actor: str) -> None:
        body = {"what": "keys", "mode": entry.mode, "account": account.account, "print": _print(values)}
        if entry.api_base:
            body["server"] = entry.api_base

        def write(tx: Tx) -> None:
            self._desk.keep(tx, account)
            self._journal(tx, actor, entry.name, body)

        await self._context.store.write(write)

    async def enable(self, name: str, on: bool, *, actor: str) -> GatewayCard:
        """Takes payments, or not.

        Raises:
            NotAllowed: the actor may not.
            NotFound: no such gateway in the settings.
            Refused: off, while something there is not settled yet. BadInput: on, beside a gateway of the other mode.
            Broken: on, and its package does not load.
        """
        self._people.allow(ACTION, actor)
        async with self._one:
            entry = await self._listed(name)
            if entry.enabled != on:
                if on:
                    self._shelf.capabilities(name)
                    await self._check_book_mode(entry.mode)
                else:
                    await self._check_settled(name, f"{self._title(name)} is switched off")
                await self._change({name: {"enabled": on}}, actor, name, {"what": "on" if on else "off"})
        return await self.card(name)

    async def order(self, names: Sequence[str], *, actor: str) -> list[GatewayCard]:
        """Use these first, in this order; those not named follow as they stood.

        Raises:
            NotAllowed: the actor may not. NotFound: one of them is not in the settings.
        """
        self._people.allow(ACTION, actor)
        async with self._one:
            listed = [entry.name for entry in await asyncio.to_thread(self._settings.entries)]
            for name in names:
                await self._listed(name)
            wanted = [*dict.fromkeys(names), *(name for name in listed if name not in names)]
            changes = {name: {"rank": rank} for rank, name in enumerate(wanted)}
            await self._change(changes, actor, wanted[0], {"what": "order", "order": wanted})
        return await self.cards()

    async def carry(self, name: str, qr: str, *, actor: str) -> GatewayCard:
        """What the code carries: `auto`, `gateway`, `relay`, or another way this gateway knows.

        Raises:
            NotAllowed: the actor may not. NotFound: not in the settings. BadInput: no such way.
        """
        self._people.allow(ACTION, actor)
        async with self._one:
            await self._listed(name)
            await self._change({name: {"qr": qr}}, actor, name, {"what": "qr", "qr": qr})
        return await self.card(name)

    async def report_every(self, minutes: float, *, actor: str) -> float:
        """The pause between readings of the gateways' reports, from the next one on.

        Raises:
            NotAllowed: the actor may not. BadInput: not between 1 and 720, or too long for how far back is read.
        """
        self._people.allow(ACTION, actor)
        async with self._one:
            await asyncio.to_thread(self._settings.report_every, minutes)
            self._context.shop = replace(self._context.shop, sync_every_minutes=minutes)
            body = {"what": "report", "every_minutes": minutes}
            await self._context.store.write(lambda tx: self._journal(tx, actor, "", body))
        return minutes

    def report_minutes(self) -> float:
        return self._context.shop.sync_every_minutes

    async def remove(self, name: str, *, actor: str) -> None:
        """Take a gateway's keys away and the gateway out of the settings. What it did stays in the books.

        Raises:
            NotAllowed: the actor may not. NotFound: neither in the settings nor a key of it kept.
            Refused: something there is not settled yet. BadInput: a key comes from the environment or a file.
        """
        self._people.allow(ACTION, actor)
        async with self._one:
            await self._check_settled(name, f"the keys of {self._title(name)} are removed")
            places = await asyncio.to_thread(self._places, name)
            if not places and not any(e.name == name for e in await asyncio.to_thread(self._settings.entries)):
                raise NotFound(f"{self._title(name)} is not set up.", "Nothing was changed.")
            if LOCKED in places.values():
                raise Unreachable("The keys are locked away.", "Open the vault or keyring first.")
            for full, place in places.items():
                if place in ("environment", "file"):
                    raise BadInput(f"{full} comes from the {place}.", "Take it out there; or switch the gateway off.")
            await self._change({name: None}, actor, name, {"what": "removed"})
            for full in places:
                await asyncio.to_thread(self._safe.remove, full)
            await self._enrol()

    def _places(self, name: str) -> dict[str, str]:
        """Where its keys lie. Which keys those are its adapter says; without it, their names do."""
        try:
            fulls = [full_name(name, each) for each in self._shelf.capabilities(name).secrets]
        except (NotFound, Broken):
            fulls = [each for each in self._safe.names() if each.startswith(full_name(name, ""))]
        return {full: place for full in fulls if (place := self._safe.place(full))}

    async def reload(self) -> bool:
        """Follow settings that somebody else wrote (a command, an editor); True if they had changed.

        Settings that cannot work change nothing: the till goes on as it is.
        """
        stamp = self._settings.stamp()
        if stamp == self._stamp:
            return False
        async with self._one:
            await self._enrol()
        return True

    async def refresh(self) -> None:
        """Enrol again with the keys that can be had now: the vault was opened."""
        async with self._one:
            await self._enrol()

    # Inside ---------------------------------------------------------------------------------------------------------

    async def _listed(self, name: str) -> Entry:
        for entry in await asyncio.to_thread(self._settings.entries):
            if entry.name == name:
                return entry
        raise NotFound(f"{self._title(name)} is not set up.", f"`pos gateways add {name}`, or Manage > Gateways.")

    def _title(self, name: str) -> str:
        """Its own name where its package does not say: it can be switched off and taken away all the same."""
        try:
            return self._shelf.capabilities(name).title
        except (NotFound, Broken):
            return name

    async def _check_settled(self, name: str, when: str) -> None:
        def read(tx: Tx) -> tuple[int, int]:
            return tx.attempts.unsettled(name), tx.outbox.refunds_waiting(name) + tx.facts.refunds_pending(name)

        links, refunds = await self._context.store.read(read)
        if links:
            word = "link" if links == 1 else "links"
            raise Refused(
                f"{links} {word} there may still be paid.",
                f"Close or settle it before {when}: Ctrl+T and Orders show which.",
            )
        if refunds:
            word = "refund is" if refunds == 1 else "refunds are"
            raise Refused(f"{refunds} {word} on the way there.", f"Wait for the answer before {when}.")

    async def _change(self, changes: Changes, actor: str, subject: str, body: dict[str, Any]) -> None:
        await asyncio.to_thread(self._settings.change, changes)
        await self._context.store.write(lambda tx: self._journal(tx, actor, subject, body))
        await self._enrol()

    def _journal(self, tx: Tx, actor: str, subject: str, body: dict[str, Any]) -> None:
        by = actor or self._people.current()
        tx.journal.append(self._context.now_ms(), by, "gateway.changed", subject, body)

    async def _enrol(self) -> None:
        """The desk has what the settings say, from the next question on."""

        def read() -> tuple[str, list[Enrolled | Unloaded]]:
            stamp = self._settings.stamp()
            found = [entry for entry in self._settings.entries() if entry.enabled]
            return stamp, [self._shelf.enrolled_kept(entry) for entry in found]

        stamp, entries = await asyncio.to_thread(read)
        names, modes = tuple(self._shelf.names()), [entry.mode for entry in entries]
        mode = await self._context.store.read(lambda tx: mode_with(tx, names, modes))
        self._stamp = stamp
        self._desk.enrol(entries)
        self._context.shop = replace(self._context.shop, test_mode=mode != "live")
        self._context.bus.publish(GatewaysChanged(tuple(self._desk.names())))


async def _whole(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, whoever stops waiting for it."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _other_account(title: str, before: Account, now: Account) -> OtherAccount:
    return OtherAccount(
        f"These keys are of another {title} account: {now.account}, not {before.account}.",
        f"What was paid at {before.account} is not looked at with them. Give them once more if that is meant.",
    )


def _print(values: Mapping[str, str]) -> str:
    """A digest by which two entries of the journal can be told apart; nothing of a key can be read from it."""
    return hashlib.sha256("|".join(values.values()).encode()).hexdigest()[:PRINT_CHARS]


def _values_of(entry: Entry, old: Entry | None) -> dict[str, object]:
    """What is to be written: the mode always, the rest where it differs from what is there or from the usual."""
    base = old or Entry(entry.name)
    wanted: dict[str, object] = {"mode": entry.mode}
    for name in ("enabled", "api_base", "qr", "rank"):
        value = getattr(entry, name)
        if value != getattr(base, name):
            wanted[name] = None if value == "" else value
    return wanted
