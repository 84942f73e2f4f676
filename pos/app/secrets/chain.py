"""All sources of one till in their order: environment, file, keyring, vault; and where a new secret goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pos.app.redact import hide
from pos.app.secrets.names import FILE_VARIABLE, PASSPHRASE, NamedSource, check_name, check_value, is_live
from pos.app.secrets.plain import EnvironmentSecrets, FileSecrets
from pos.app.secrets.ring import NO_KEYRING_HINT, KeyringSecrets, owner_of
from pos.app.secrets.vault import UNLOCK_HINT, Vault
from pos.domain.errors import BadInput, NotFound, PosError, Unreachable

Ask = Callable[[], str]


def open_secrets(home: Path, environment: Mapping[str, str] | None = None, ask: Ask = lambda: "") -> ChainedSecrets:
    """Environment before file before keyring before vault. Each is touched only for what those before do not know.

    `ask`: asks a person for the vault's passphrase, at most once, when nobody else gives it; "" means none.

    Raises:
        BadInput: the file named by `POS_SECRETS_FILE` is missing, readable by others, or cannot be read.
    """
    env = os.environ if environment is None else environment
    fixed: list[NamedSource] = [EnvironmentSecrets(env)]
    if env.get(FILE_VARIABLE):
        fixed.append(FileSecrets(Path(env[FILE_VARIABLE])))

    def passphrase() -> str:
        return next((given for source in fixed if (given := source.get(PASSPHRASE))), "") or ask()

    return ChainedSecrets(fixed, KeyringSecrets(owner_of(home)), Vault(home, passphrase))


class ChainedSecrets:
    """Several sources, the first that knows a name wins; `fixed` ones are only read."""

    def __init__(self, fixed: Sequence[NamedSource], ring: KeyringSecrets, vault: Vault) -> None:
        self._fixed = fixed
        self._ring = ring
        self.vault = vault

    def get(self, name: str) -> str | None:
        """The value, or None where no source knows it.

        Raises:
            Unreachable: nobody knows it, but the keyring or the vault is locked or does not answer: not the same as
                not knowing.
            NotAllowed, BadInput, Broken: the vault's passphrase is wrong, its file open to others or damaged.
        """
        check_name(name)
        found = self._find(name)
        return hide(found[1]) if found else None

    def set(self, name: str, value: str) -> None:
        """Keep it in the keyring, or, where that cannot be relied on, in the vault. Nowhere else, whatever it is.

        Raises:
            BadInput: no such name or no such value; or the environment or the file names another, which would win.
            Unreachable: no usable keyring, and no unlocked vault.
            Broken: the disk does not take it.
        """
        self._check_not_fixed(check_name(name))
        if name == PASSPHRASE:
            raise BadInput("The passphrase of the vault is kept nowhere.", "`pos secrets vault change` sets another.")
        check_value(hide(value))
        if self._ring.usable():
            self._ring.set(name, value)
            self._forget_older(name)
            return
        if self.vault.exists and self.vault.wake():
            self.vault.set(name, value)
            return
        raise self._nowhere(value)

    def remove(self, name: str) -> None:
        """Take it out of keyring and vault, wherever it lies.

        Raises:
            NotFound: no such secret there.
            BadInput: it comes from the environment or the file.
            Unreachable: no usable keyring, or the vault is locked.
        """
        self._check_not_fixed(check_name(name))
        places = [source for source in self._places() if self._holds(source, name)]
        for source in places:
            source.remove(name)
        if places:
            return
        self._find(name)  # tells of what is locked
        if not self.vault.exists:
            self._ring.remove(name)  # tells of a keyring that is not there
        raise NotFound(f"There is no secret {name} here.", "See `pos secrets list`.")

    def names(self) -> list[str]:
        """Names that are known now; a locked vault's are not.

        Raises:
            Unreachable: the keyring does not open, and there is no vault instead.
        """
        found = {name for source in (*self._fixed, self.vault) for name in source.names()}
        try:
            found.update(self._ring.names())
        except Unreachable:
            if not self.vault.exists:
                raise
        return sorted(found)

    def source_of(self, name: str) -> str:
        """Where a secret comes from, for people; empty if it is unknown, or lies in what is locked."""
        try:
            found = self._find(check_name(name))
        except PosError:
            return ""
        return found[0] if found else ""

    def has_keyring(self) -> bool:
        """Whether there is a keyring that can be relied on. Asks it, so it may block."""
        return self._ring.usable()

    def place(self) -> tuple[bool, str]:
        """Whether keys can be kept in order, and where, for people. Asks the keyring, so it may block."""
        if self._ring.usable():
            closed = self.vault.exists and not self.vault.unlocked
            return True, "keys are kept in the keyring" + (" (there is also a vault, locked)" if closed else "")
        if not self.vault.exists:
            return True, "nothing here can keep a key: no keyring that can be relied on, no vault. " + NO_KEYRING_HINT
        try:
            if self.vault.wake():
                self.vault.names()
                return True, "keys are kept in the vault, which is open"
        except PosError as error:
            return False, str(error)
        return False, f"the vault is locked. {UNLOCK_HINT}"

    def _places(self) -> tuple[NamedSource, NamedSource]:
        return self._ring, self.vault

    def _find(self, name: str) -> tuple[str, str] | None:
        """(where, value). A place that does not open is only told of when no other knows the name."""
        closed: PosError | None = None
        for source in (*self._fixed, *self._places()):
            try:
                value = source.get(name)
            except PosError as error:
                closed = error
                continue
            if value is not None:
                return source.title, value
        if closed is not None:
            raise closed
        return None

    def _holds(self, source: NamedSource, name: str) -> bool:
        try:
            return source.get(name) is not None
        except PosError:
            return False

    def _forget_older(self, name: str) -> None:
        """A copy in the vault would come back, old, on the day the keyring is gone."""
        if self.vault.unlocked and self._holds(self.vault, name):
            self.vault.remove(name)

    def _nowhere(self, value: str) -> Unreachable:
        if self.vault.exists:
            return Unreachable("The vault is locked.", UNLOCK_HINT)
        what = "a key for real money" if is_live(value) else "a secret"
        return Unreachable(f"There is no keyring here that can keep {what}, and no vault.", NO_KEYRING_HINT)

    def _check_not_fixed(self, name: str) -> None:
        for source in self._fixed:
            if source.get(name) is not None:
                raise BadInput(f"{name} comes from {source.title}.", "Change it there.")
