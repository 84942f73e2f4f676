"""What setting gateways up needs from the house: the settings, the gateways that exist, the places for keys. Protocols.

Calls may block (disk, keyring, the derivation of a key), so the services make them in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pos.domain.ports import Capabilities
from pos.services.desk import Enrolled, Unloaded


@dataclass(frozen=True, slots=True)
class Entry:
    """One gateway as the settings have it; where they do not name it, `listed` is False and the rest is the usual."""

    name: str
    enabled: bool = True
    mode: str = "test"
    api_base: str = ""
    return_url: str = ""
    qr: str = "auto"
    rank: int = 0
    listed: bool = True


Changes = Mapping[str, Mapping[str, object] | None]
"""By gateway the values to write, None takes one away; None for a gateway takes it out of the settings."""


class GatewaySettingsFile(Protocol):
    def entries(self) -> list[Entry]:
        """Those in the settings, in the order of their use.

        Raises:
            BadInput: the settings cannot work.
        """
        ...

    def change(self, changes: Changes) -> None:
        """All or nothing, comments kept.

        Raises:
            BadInput: the settings could not work like this.
            Broken: the disk does not take it.
        """
        ...

    def report_every(self, minutes: float) -> None:
        """The pause between readings of the gateways' reports. Raises as `change`."""
        ...

    def stamp(self) -> str:
        """Another text whenever the settings were written."""
        ...


class GatewayShelf(Protocol):
    """The gateways that exist, and how one is put together from the settings and its keys."""

    def names(self) -> Sequence[str]: ...
    def capabilities(self, name: str) -> Capabilities:
        """Raises NotFound, Broken: no such gateway, or its package does not load."""
        ...

    def enrolled(self, entry: Entry, keys: Mapping[str, str]) -> Enrolled:
        """With these keys, ready to be opened. Raises BadInput where it cannot make the codes that are wanted."""
        ...

    def enrolled_kept(self, entry: Entry) -> Enrolled | Unloaded:
        """As `enrolled`, with the keys that are kept; what keeps them from being read is told when it is opened."""
        ...


class HookAddresses(Protocol):
    """What the relay says of its doors for this shop's gateways."""

    async def addresses(self) -> dict[str, str] | None:
        """Whole addresses by gateway; None when the relay does not answer soon, or does not know this till."""
        ...


class KeySafe(Protocol):
    """Where keys lie. Names are `gateways.<name>.<secret>`."""

    def get(self, name: str) -> str | None: ...
    def names(self) -> list[str]:
        """Those that are known now; a locked place's are not."""
        ...

    def place(self, name: str) -> str:
        """keyring, vault, environment, file or other; locked where that cannot be told now; "" where there is none."""
        ...

    def set(self, name: str, value: str) -> None: ...
    def remove(self, name: str) -> None: ...
    def has_keyring(self) -> bool: ...
    def vault(self) -> Vault | None: ...


class Vault(Protocol):
    """A sealed file that a passphrase opens, where there is no keyring."""

    @property
    def exists(self) -> bool: ...
    @property
    def unlocked(self) -> bool: ...
    def create(self, passphrase: str) -> None: ...
    def unlock(self, passphrase: str) -> None: ...
    def lock(self) -> None: ...
    def change(self, old: str, new: str) -> None: ...
