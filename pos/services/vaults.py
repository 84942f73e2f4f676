"""Where keys can be kept on this machine, and the vault where there is no keyring. A passphrase is kept nowhere."""

from __future__ import annotations

import asyncio

from pos.domain.errors import Unreachable
from pos.services.people import People
from pos.services.setup import ACTION, GatewaySetup
from pos.services.setup_ports import KeySafe, Vault
from pos.services.setup_views import SafeView


class Vaults:
    def __init__(self, safe: KeySafe, people: People, setup: GatewaySetup) -> None:
        self._safe = safe
        self._people = people
        self._setup = setup

    async def look(self) -> SafeView:
        return await asyncio.to_thread(self._look)

    def _look(self) -> SafeView:
        if self._safe.has_keyring():
            return SafeView("keyring")
        vault = self._safe.vault()
        if vault is None:
            return SafeView("nowhere")
        if not vault.exists:
            return SafeView("vault", "missing")
        return SafeView("vault", "open" if vault.unlocked else "locked")

    async def create(self, passphrase: str, *, actor: str) -> SafeView:
        """Make the vault and open it.

        Raises:
            NotAllowed: the actor may not. BadInput: there is one, or the passphrase is too weak.
            Unreachable: this program has none.
        """
        self._people.allow(ACTION, actor)
        await asyncio.to_thread(self._vault().create, passphrase)
        return await self.look()

    async def unlock(self, passphrase: str, *, actor: str) -> SafeView:
        """Open the vault; gateways whose keys lie in it work from then on. Raises NotAllowed where it stays shut."""
        self._people.allow(ACTION, actor)
        await asyncio.to_thread(self._vault().unlock, passphrase)
        await self._setup.refresh()
        return await self.look()

    async def lock(self, *, actor: str) -> SafeView:
        """Shut it; gateways that are open stay so until the till ends."""
        self._people.allow(ACTION, actor)
        await asyncio.to_thread(self._vault().lock)
        return await self.look()

    def _vault(self) -> Vault:
        vault = self._safe.vault()
        if vault is None:
            raise Unreachable("There is no vault here.", "Use the system's keyring.")
        return vault
