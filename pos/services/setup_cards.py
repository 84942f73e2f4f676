"""The cards of Manage > Gateways: what the settings, the books and this session know of each gateway. Never writes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pos.domain.errors import NotFound, PosError
from pos.domain.ports import Capabilities
from pos.domain.rows import Account
from pos.services.abilities import abilities
from pos.services.context import Context
from pos.services.desk import Desk, Health
from pos.services.setup_ports import Entry, GatewaySettingsFile, GatewayShelf, KeySafe
from pos.services.setup_views import LOCKED, GatewayCard, SecretView
from pos.words.gateways import Keys

SHOWN_CHARS = 12
"""Of a key's id, which is no secret: `rzp_test_Nk2v`."""


class Cards:
    def __init__(
        self, context: Context, desk: Desk, settings: GatewaySettingsFile, shelf: GatewayShelf, safe: KeySafe
    ) -> None:
        self._context = context
        self._desk = desk
        self._settings = settings
        self._shelf = shelf
        self._safe = safe

    async def all(self) -> list[GatewayCard]:
        """Those in the settings in the order of their use, then the others that could be set up.

        Raises:
            BadInput: the settings cannot work.
        """
        listed = await asyncio.to_thread(self._settings.entries)
        names = {entry.name for entry in listed}
        rest = [
            Entry(name, enabled=False, mode=self._usual_mode(listed), listed=False)
            for name in self._shelf.names()
            if name not in names
        ]
        accounts = await self._context.store.read(
            lambda tx: {e.name: tx.shop.account(e.name) for e in (*listed, *rest)}
        )
        ranked = sorted(listed, key=lambda entry: not entry.enabled)  # stable: those that take payments first
        used: list[str] = []
        cards = []
        for entry in (*ranked, *rest):
            card = await asyncio.to_thread(self._card, entry, accounts[entry.name], tuple(used))
            if card.takes_payments:
                used.append(card.title)
            cards.append(card)
        return cards

    async def one(self, name: str) -> GatewayCard:
        """Raises NotFound: no gateway of that name."""
        for card in await self.all():
            if card.name == name:
                return card
        raise NotFound(f"There is no gateway {name!r}.", f"Known: {', '.join(self._shelf.names())}.")

    def _card(self, entry: Entry, account: Account | None, used: tuple[str, ...]) -> GatewayCard:
        try:
            able = self._shelf.capabilities(entry.name)
        except PosError as error:
            unloaded = self._desk.unloaded.get(entry.name)
            return _unknown_card(entry, unloaded.problem if unloaded else error)
        secrets, problem = self._secrets(entry.name, able)
        health = self._desk.health.get(entry.name, Health())
        takes = entry.listed and entry.enabled and all(secret.known for secret in secrets)
        mine = account if account is not None and account.mode == entry.mode and entry.listed else None
        return GatewayCard(
            name=entry.name,
            title=able.title,
            listed=entry.listed,
            enabled=entry.listed and entry.enabled,
            mode=entry.mode,
            host=entry.api_base or able.hosts[0],
            own_host=not entry.api_base,
            account=mine.account if mine else "",
            account_name=mine.name if mine else "",
            health=health.word if health.asked else "",
            asked=health.asked,
            timed_out=health.timed_out,
            median_ms=health.median_ms,
            secrets=secrets,
            place=len(used) + 1 if takes else 0,
            before=used[-1] if takes and used else "",
            minimum_minor=able.minimum_minor.get(self._context.shop.currency),
            qr=entry.qr,
            qr_kinds=("auto", "gateway", "relay", *(kind for kind in able.collects if kind != "link")),
            abilities=abilities(able),
            problem=problem,
        )

    def _secrets(self, name: str, able: Capabilities) -> tuple[tuple[SecretView, ...], str]:
        views, problem = [], ""
        for each in able.secrets:
            secret = each == able.secrets[-1]
            full = full_name(name, each)
            place, value = self._safe.place(full), ""
            if place not in ("", LOCKED) and not secret:
                value = self._safe.get(full) or ""
            shown = f"{value[:SHOWN_CHARS]}…" if len(value) > SHOWN_CHARS else value
            views.append(SecretView(each, secret_title(each), place, secret, shown))
        return tuple(views), problem

    def _usual_mode(self, listed: Sequence[Entry]) -> str:
        return next((entry.mode for entry in listed if entry.enabled), "test")


def full_name(gateway: str, secret: str) -> str:
    return f"gateways.{gateway}.{secret}"


def secret_title(name: str) -> str:
    """What a secret is called for people; an adapter's own name as it stands."""
    known: dict[str, str] = {"secret_key": Keys.SECRET_KEY, "key_id": Keys.KEY_ID, "key_secret": Keys.KEY_SECRET}
    return known.get(name, name.replace("_", " ").capitalize())


def _unknown_card(entry: Entry, error: PosError) -> GatewayCard:
    """In the settings, but its package is not there."""
    return GatewayCard(
        entry.name, entry.name, entry.listed, entry.enabled, entry.mode, "", True, "", "", "", 0, 0, None, (), 0, "",
        None, entry.qr, (), (), str(error),
    )  # fmt: skip
