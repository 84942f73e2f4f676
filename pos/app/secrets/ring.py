"""The system's keyring: only one that encrypts, tested before it is trusted, and never waited for without end."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from pos.app.secrets.names import FILE_VARIABLE, NAMES_KEPT, PREFIX, SERVICE, is_name
from pos.domain.errors import NotFound, PosError, Unreachable

ANSWER_S = 30.0
"""How long a keyring may take, which includes a person who is asked for its password. Then the till goes on without."""
REAL_KEYRINGS = {
    "keyring.backends.SecretService": ("Keyring",),
    "keyring.backends.kwallet": ("DBusKeyring", "DBusKeyringKWallet4"),
    "keyring.backends.macOS": ("Keyring",),
    "keyring.backends.Windows": ("WinVaultKeyring",),
}
"""Keyrings that encrypt. Others (plain text, null, prompting on a terminal) are not used even when they are chosen."""
NO_KEYRING_HINT = (
    "Unlock the desktop's keyring (on Debian: gnome-keyring), or make a vault with `pos secrets vault create`, or, for "
    f"a server, give it as {PREFIX}... in the environment or in a file of mode 600 named by {FILE_VARIABLE}. The "
    "sandbox works without."
)
_INDEX = "names of the entries"
_SELF_TEST = "self test"
T = TypeVar("T")


def owner_of(home: Path) -> str:
    """Which home an entry belongs to, so that a demo or test home never touches the shop's; empty for the usual one."""
    here, usual = home.expanduser().resolve(), Path(platformdirs.user_data_dir(SERVICE, appauthor=False)).resolve()
    return "" if here == usual else hashlib.sha256(str(here).encode()).hexdigest()[:12]


class Patience:
    """Asks in a thread of its own and waits a bounded time: a prompt that nobody answers must not hang a till.

    While an old question is still open nothing new is asked, so one thread at most is ever left waiting.
    """

    def __init__(self, within_s: float = ANSWER_S) -> None:
        self.within_s = within_s
        self._open: threading.Thread | None = None

    def ask(self, act: Callable[[], T]) -> T:
        """What `act` returns.

        Raises:
            Unreachable: it did not answer in time, an older question is still open, or it threw what keyrings throw.
        """
        if self._open is not None and self._open.is_alive():
            raise Unreachable("The keyring still does not answer.", _silent_hint())
        answer: Future[T] = Future()
        thread = threading.Thread(target=_answer, args=(act, answer), daemon=True, name="keyring")
        thread.start()
        try:
            return answer.result(self.within_s)
        except TimeoutError as error:
            self._open = thread
            raise Unreachable(f"The keyring has not answered for {self.within_s:g} s.", _silent_hint()) from error


def _silent_hint() -> str:
    return "Look for a window that asks for the keyring's password, and answer it. " + NO_KEYRING_HINT


def _answer(act: Callable[[], T], answer: Future[T]) -> None:
    """Whatever a keyring can throw (locked, prompt dismissed, no terminal, bus gone) becomes one sentence."""
    try:
        answer.set_result(act())
    except _keyring_errors() as error:
        refusal = Unreachable(f"The keyring does not open ({type(error).__name__}).", NO_KEYRING_HINT)
        refusal.__cause__ = error
        answer.set_exception(refusal)
    finally:
        if not answer.done():  # our own mistake: whoever waits must hear of it now, not after the time is up
            answer.set_exception(sys.exception() or RuntimeError("no answer"))


class KeyringSecrets:
    """The system's keyring, service `truetill`. Imported and asked only when it is needed.

    Without a real keyring it knows nothing and refuses to keep anything. `owner` sets homes apart.
    """

    title = "the keyring"

    def __init__(
        self, owner: str = "", load: Callable[[], Any] | None = None, patience: Patience | None = None
    ) -> None:
        self._owner = owner
        self._load = load or system_keyring
        self._patience = patience or Patience()
        self._backend: Any = None
        self._tested = False

    def get(self, name: str) -> str | None:
        """The value, or None where it has none or there is no real keyring.

        Raises:
            Unreachable: there is a keyring, but it is locked or does not answer: not the same as not knowing.
        """
        backend = self._known()
        if backend is None:
            return None
        value = self._patience.ask(lambda: backend.get_password(SERVICE, self._entry(name)))
        return value if isinstance(value, str) and value else None

    def set(self, name: str, value: str) -> None:
        """Keep it, and read it back.

        Raises:
            Unreachable: no real keyring, locked, or it does not keep what it is given.
        """
        self.self_test()
        self._put(name, value)
        self._put(_INDEX, json.dumps(sorted({*self.names(), name})[:NAMES_KEPT]))

    def remove(self, name: str) -> None:
        """Forget it.

        Raises:
            NotFound: it has none by that name.
            Unreachable: as `set`.
        """
        backend = self._required()
        if self.get(name) is None:
            raise NotFound(f"There is no secret {name} in the keyring.", "See `pos secrets list`.")
        self._patience.ask(lambda: backend.delete_password(SERVICE, self._entry(name)))
        self._put(_INDEX, json.dumps([other for other in self.names() if other != name]))

    def names(self) -> list[str]:
        try:
            listed = json.loads(self.get(_INDEX) or "[]")
        except ValueError:
            return []
        return sorted(name for name in listed if isinstance(name, str) and is_name(name))

    def self_test(self) -> None:
        """Write, read back, delete; once per process.

        Raises:
            Unreachable: the keyring cannot be relied on.
        """
        if self._tested:
            return
        token = hashlib.sha256(os.urandom(16)).hexdigest()
        self._put(_SELF_TEST, token)
        backend = self._required()
        self._patience.ask(lambda: backend.delete_password(SERVICE, self._entry(_SELF_TEST)))
        if self.get(_SELF_TEST) is not None:
            raise Unreachable("The keyring does not forget what it is told to.", NO_KEYRING_HINT)
        self._tested = True

    def usable(self) -> bool:
        """Whether secrets can be kept here."""
        try:
            self.self_test()
        except PosError:
            return False
        return True

    def _put(self, name: str, value: str) -> None:
        backend = self._required()
        self._patience.ask(lambda: backend.set_password(SERVICE, self._entry(name), value))
        if self.get(name) != value:
            raise Unreachable("The keyring did not keep the secret.", NO_KEYRING_HINT)

    def _entry(self, name: str) -> str:
        return f"{name}@{self._owner}" if self._owner else name

    def _known(self) -> Any:
        if self._backend is None:
            self._backend = self._patience.ask(self._load)
        return self._backend

    def _required(self) -> Any:
        backend = self._known()
        if backend is None:
            raise Unreachable("There is no keyring here that can keep a secret.", NO_KEYRING_HINT)
        return backend


def _keyring_errors() -> tuple[type[Exception], ...]:
    from keyring.errors import KeyringError

    found: tuple[type[Exception], ...] = (KeyringError, EOFError, OSError, RuntimeError, ValueError)
    try:
        from jeepney.wrappers import DBusErrorResponse  # type: ignore[import-untyped]
        from secretstorage.exceptions import SecretStorageException
    except ImportError:  # not on this system
        return found
    return (*found, SecretStorageException, DBusErrorResponse)


def system_keyring() -> Any:
    """The chosen keyring if it is a real one, or the best real one where several are chained; else None."""
    import keyring

    chosen = keyring.get_keyring()
    chained = getattr(chosen, "backends", None)
    for backend in chained if isinstance(chained, list) else [chosen]:
        if is_real(backend):
            return backend
    return None


def is_real(backend: Any) -> bool:
    """On the allow-list, and of a priority that says it works here."""
    kind = type(backend)
    if kind.__name__ not in REAL_KEYRINGS.get(kind.__module__, ()):
        return False
    try:
        return float(backend.priority) >= 1
    except _keyring_errors():
        return False
