"""The vault: secrets in one sealed file of the home, for machines without a keyring that can be relied on.

Locked, it tells nothing, not even names. Unlocked, this process holds the derived key (never the passphrase, never the
values) until `lock` or its end, and reads the file at every question, so that it sees what other processes have set.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from pos.app.redact import hide
from pos.app.secrets.files import only_writer, read_private, write_private
from pos.app.secrets.names import check_name, check_value
from pos.app.secrets.sealed import (
    RESTORE,
    VAULT_MAX_BYTES,
    Head,
    check_passphrase,
    derive,
    new_head,
    read_head,
    seal,
    unseal,
)
from pos.domain.errors import BadInput, NotAllowed, NotFound, Unreachable

FILE = "secrets.vault"
UNLOCK_HINT = (
    "Unlock it in Manage > Gateways, or start the program with its passphrase in POS_SECRET_VAULT_PASSPHRASE, or at a "
    "terminal, where it is asked for."
)
Entries = dict[str, str]


class Vault:
    """One home's vault. Every method may be called from any thread.

    `passphrase`: asked once for a passphrase when the vault is needed and locked (the environment, a file, a
    terminal); "" where there is none.
    """

    title = "the vault"

    def __init__(self, home: Path, passphrase: Callable[[], str] = lambda: "") -> None:
        self.path = home / FILE
        self._passphrase = passphrase
        self._asked = False
        self._refusal: NotAllowed | None = None
        self._guard = threading.RLock()
        self._open: tuple[Head, bytes] | None = None

    @property
    def exists(self) -> bool:
        return self.path.exists()

    @property
    def unlocked(self) -> bool:
        return self._open is not None

    def create(self, passphrase: str) -> None:
        """Make an empty vault, unlocked.

        Raises:
            BadInput: there is one already, or the passphrase is none.
            Broken: it cannot be written.
        """
        if self.exists:
            raise _one_already()
        head = new_head()
        key = derive(hide(check_passphrase(passphrase)), head)
        with self._guard, only_writer(self.path):
            if self.exists:
                raise _one_already()
            write_private(self.path, seal({}, key, head))
            self._open = head, key

    def unlock(self, passphrase: str) -> None:
        """Derive the key and keep it, if it is the right one.

        Raises:
            NotAllowed: wrong passphrase.
            NotFound: there is no vault.
            BadInput, Broken: its file is readable by others, damaged, or newer than this program.
        """
        raw = self._read()
        head = read_head(raw)
        key = derive(hide(passphrase), head)
        unseal(raw, key)
        with self._guard:
            self._open, self._refusal = (head, key), None

    def check(self) -> None:
        """Look at the file without opening it. Raises NotFound, BadInput, Broken: as `unlock`."""
        read_head(self._read())

    def lock(self) -> None:
        """Forget the key. The vault then stays locked until it is unlocked by hand."""
        with self._guard:
            self._open, self._refusal = None, None
            self._asked = True

    def change(self, old: str, new: str) -> None:
        """Seal everything under another passphrase; unlocked afterwards. Other processes must unlock again.

        Raises:
            NotAllowed, NotFound, BadInput, Broken: as `unlock`; `new` is no passphrase; or it cannot be written.
            Unreachable: somebody else changed it in the same moment.
        """
        raw = self._read()
        before, after = read_head(raw), new_head()
        old_key, new_key = derive(hide(old), before), derive(hide(check_passphrase(new)), after)
        unseal(raw, old_key)
        with self._guard, only_writer(self.path):
            raw = self._read()
            if not read_head(raw).same_key(before):
                raise Unreachable("The passphrase was changed by somebody else just now.", "Start again.")
            write_private(self.path, seal(unseal(raw, old_key), new_key, after))
            self._open = after, new_key

    # A place for secrets ----------------------------------------------------------------------------------------------

    def get(self, name: str) -> str | None:
        """The value, or None where there is no vault or nothing by that name in it.

        Raises:
            Unreachable: the vault is locked, or its passphrase was changed elsewhere.
            NotAllowed: a passphrase was given with the program's start, and is wrong.
            BadInput, Broken: as `unlock`.
        """
        return self.entries().get(name) if self.exists or self.unlocked else None

    def set(self, name: str, value: str) -> None:
        """Keep it. Raises as `get`; NotFound without a vault."""
        self._write(lambda entries: {**entries, check_name(name): check_value(value)})

    def remove(self, name: str) -> None:
        """Forget it. Raises as `get`; NotFound: no vault, or nothing by that name."""

        def without(entries: Entries) -> Entries:
            if name not in entries:
                raise NotFound(f"There is no secret {name} in the vault.", "See `pos secrets list`.")
            return {other: value for other, value in entries.items() if other != name}

        self._write(without)

    def names(self) -> list[str]:
        """Names of what is kept; none while it is locked, or when there is no vault."""
        return sorted(self.entries()) if self.unlocked or (self.exists and self.wake()) else []

    def wake(self) -> bool:
        """Unlock with the passphrase that came with the program's start, if one did; whether it is unlocked now.

        Raises:
            NotAllowed, BadInput, Broken: as `unlock`.
        """
        with self._guard:
            if self._refusal is not None:
                raise self._refusal
            if self._open is None and not self._asked and self.exists:
                self._asked = True
                self._unlock_with(self._passphrase())
        return self.unlocked

    def _unlock_with(self, given: str) -> None:
        try:
            if given:
                self.unlock(given)
        except NotAllowed as error:
            self._refusal = error  # told again whenever it matters, without another try
            raise

    def entries(self) -> Entries:
        """Everything, read now. Raises as `get`."""
        with self._guard:
            return self._entries(self._key())

    def _write(self, changed: Callable[[Entries], Entries]) -> None:
        with self._guard, only_writer(self.path):
            head, key = self._key()
            write_private(self.path, seal(changed(self._entries((head, key))), key, head))

    def _key(self) -> tuple[Head, bytes]:
        if not self.wake() or self._open is None:
            if not self.exists:
                raise _none_here()
            raise Unreachable("The vault is locked.", UNLOCK_HINT)
        return self._open

    def _entries(self, opened: tuple[Head, bytes]) -> Entries:
        head, key = opened
        raw = self._read()
        if not read_head(raw).same_key(head):
            self._open = None
            raise Unreachable("The vault is locked: its passphrase was changed elsewhere.", UNLOCK_HINT)
        return unseal(raw, key)

    def _read(self) -> bytes:
        if not self.exists:
            raise _none_here()
        return read_private(self.path, VAULT_MAX_BYTES, RESTORE)


def _one_already() -> BadInput:
    return BadInput("There is a vault already.", "Change its passphrase with `pos secrets vault change`.")


def _none_here() -> NotFound:
    return NotFound("There is no vault here.", "Make one with `pos secrets vault create`.")
