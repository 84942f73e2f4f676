"""The places of keys as the services see them: what lies where, in one word; the vault where the store has one."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pos.domain.errors import PosError
from pos.domain.ports import SecretStore
from pos.services.setup_ports import Vault

PLACES = (("the environment", "environment"), ("the file", "file"), ("the keyring", "keyring"), ("the vault", "vault"))


@runtime_checkable
class Placed(Protocol):
    """A store that says where a secret comes from."""

    def source_of(self, name: str) -> str: ...


@runtime_checkable
class Vaulted(Protocol):
    """A store that keeps what it is given: in a keyring, else in its vault."""

    @property
    def vault(self) -> Vault: ...
    def has_keyring(self) -> bool: ...


class Safe:
    """`pos.services.setup_ports.KeySafe` on a secret store."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    def get(self, name: str) -> str | None:
        return self._secrets.get(name)

    def names(self) -> list[str]:
        return self._secrets.names()

    def place(self, name: str) -> str:
        if not isinstance(self._secrets, Placed):
            return "other" if self._secrets.get(name) else ""
        title = self._secrets.source_of(name)
        try:
            if not title:
                self._secrets.get(name)
        except PosError:  # not the same as not there: whoever opens it may find it
            return "locked"
        return next((word for begin, word in PLACES if title.startswith(begin)), "other" if title else "")

    def set(self, name: str, value: str) -> None:
        self._secrets.set(name, value)

    def remove(self, name: str) -> None:
        self._secrets.remove(name)

    def has_keyring(self) -> bool:
        """Asked of the keyring itself: it writes, reads and forgets a word, so this may block."""
        return not isinstance(self._secrets, Vaulted) or self._secrets.has_keyring()

    def vault(self) -> Vault | None:
        return self._secrets.vault if isinstance(self._secrets, Vaulted) else None
