"""Where secrets come from: the environment, a file of mode 600, the system's keyring. In that order.

Nothing is ever written in plain text: only the keyring is written to, and only a real one. Values never appear in
messages or logs. Calls may block (D-Bus); long-lived programs make them at start or in a thread.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import platformdirs

from pos.domain.errors import BadInput, NotFound, PosError, Unreachable
from pos.domain.ports import SecretStore

SERVICE = "truetill"
PREFIX = "POS_SECRET_"
FILE_VARIABLE = "POS_SECRETS_FILE"
FILE_MAX_BYTES = 64 * 1024
VALUE_MAX_CHARS = 4096
NAMES_KEPT = 200  # entries of ours in one keyring
REAL_KEYRINGS = {
    "keyring.backends.SecretService": ("Keyring",),
    "keyring.backends.kwallet": ("DBusKeyring", "DBusKeyringKWallet4"),
    "keyring.backends.macOS": ("Keyring",),
    "keyring.backends.Windows": ("WinVaultKeyring",),
}
"""Keyrings that encrypt. Others (plain text, null, prompting on a terminal) are not used even when they are chosen."""
NO_KEYRING_HINT = (
    f"Install and unlock a keyring (on Debian: gnome-keyring), or, for a server, give it as {PREFIX}... in the "
    f"environment or in a file of mode 600 named by {FILE_VARIABLE}. The sandbox works without."
)
_NAME = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+")
_INDEX = "names of the entries"
_SELF_TEST = "self test"
T = TypeVar("T")


class NamedSource(SecretStore, Protocol):
    """A store that can say where a secret comes from."""

    @property
    def title(self) -> str: ...


def check_name(name: str) -> str:
    """The name itself, if it is one: `gateways.stripe.secret_key`.

    Raises:
        BadInput: it is not.
    """
    if len(name) > 100 or not _NAME.fullmatch(name):
        raise BadInput(f"{name[:100]!r} is no name of a secret.", "For example: gateways.stripe.secret_key.")
    return name


def open_secrets(home: Path, environment: Mapping[str, str] | None = None) -> ChainedSecrets:
    """Environment before file before keyring. The keyring is touched only for what the others do not know.

    Raises:
        BadInput: the file named by `POS_SECRETS_FILE` is missing, readable by others, or cannot be read.
    """
    env = os.environ if environment is None else environment
    sources: list[NamedSource] = [EnvironmentSecrets(env)]
    if env.get(FILE_VARIABLE):
        sources.append(FileSecrets(Path(env[FILE_VARIABLE])))
    sources.append(KeyringSecrets(_owner(home)))
    return ChainedSecrets(sources)


def _owner(home: Path) -> str:
    """Which home an entry belongs to, so that a demo or test home never touches the shop's; empty for the usual one."""
    here, usual = home.expanduser().resolve(), Path(platformdirs.user_data_dir(SERVICE, appauthor=False)).resolve()
    return "" if here == usual else hashlib.sha256(str(here).encode()).hexdigest()[:12]


class ChainedSecrets:
    """Several sources, the first that knows a name wins; the last one is written to."""

    def __init__(self, sources: list[NamedSource]) -> None:
        self._sources = sources

    def get(self, name: str) -> str | None:
        """The value, or None where no source knows it.

        Raises:
            Unreachable: there is a keyring, but it is locked or does not answer: not the same as not knowing.
        """
        check_name(name)
        for source in self._sources:
            value = source.get(name)
            if value is not None:
                return value
        return None

    def set(self, name: str, value: str) -> None:
        """Keep it in the keyring.

        Raises:
            BadInput: no such name or no such value; or the environment or the file names another, which would win.
            Unreachable: no usable keyring.
        """
        self._check_not_fixed(name)
        self._sources[-1].set(check_name(name), check_value(value))

    def remove(self, name: str) -> None:
        """Take it out of the keyring.

        Raises:
            NotFound: no such secret there.
            BadInput: it comes from the environment or the file.
            Unreachable: no usable keyring.
        """
        self._check_not_fixed(name)
        self._sources[-1].remove(check_name(name))

    def names(self) -> list[str]:
        return sorted({name for source in self._sources for name in source.names()})

    def source_of(self, name: str) -> str:
        """Where a secret comes from, for people; empty if it is unknown."""
        return next((source.title for source in self._sources if source.get(name) is not None), "")

    def _check_not_fixed(self, name: str) -> None:
        for source in self._sources[:-1]:
            if source.get(name) is not None:
                raise BadInput(f"{name} comes from {source.title}.", "Change it there.")


def check_value(value: str) -> str:
    """The value itself, if it can be a key.

    Raises:
        BadInput: empty, too long, or with characters that no key has.
    """
    if not value or len(value) > VALUE_MAX_CHARS or not value.isprintable():
        raise BadInput("That is no secret: it is empty, too long, or has line breaks in it.", "Copy it again.")
    return value


class EnvironmentSecrets:
    """`POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY` is `gateways.stripe.secret_key`."""

    title = "the environment"

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def get(self, name: str) -> str | None:
        return self._environment.get(variable(name)) or None

    def set(self, name: str, value: str) -> None:
        raise BadInput("The environment cannot be written to.", f"Set {variable(name)} where the program is started.")

    def remove(self, name: str) -> None:
        raise BadInput("The environment cannot be written to.", f"Unset {variable(name)}.")

    def names(self) -> list[str]:
        given = [
            key.removeprefix(PREFIX) for key, value in self._environment.items() if key.startswith(PREFIX) and value
        ]
        return sorted(name for name in map(_dotted, given) if _NAME.fullmatch(name))


def variable(name: str) -> str:
    """The environment variable of a secret's name."""
    return PREFIX + name.upper().replace(".", "_")


def _dotted(text: str) -> str:
    """GATEWAYS_STRIPE_SECRET_KEY -> gateways.stripe.secret_key; other sections have one dot."""
    parts = text.lower().split("_", 2 if text.startswith("GATEWAYS_") else 1)
    return ".".join(parts)


class FileSecrets:
    """A file that only its owner can read: TOML, or lines of `name=value`.

    Raises (at construction):
        BadInput: missing, no plain file, readable or writable by others, too large, or not to be understood.
    """

    def __init__(self, path: Path) -> None:
        self.title = f"the file {path}"
        self._path = path
        self._values = _parse(_read_private(path), path)

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def set(self, name: str, value: str) -> None:
        raise BadInput(f"{self._path} is not written by this program.", "Edit it yourself; its mode must stay 600.")

    def remove(self, name: str) -> None:
        raise BadInput(f"{self._path} is not written by this program.", "Edit it yourself; its mode must stay 600.")

    def names(self) -> list[str]:
        return sorted(self._values)


def _read_private(path: Path) -> str:
    """The file's text; looked at and read through one handle, so that it cannot be exchanged in between."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise BadInput(f"{path} is no plain file.", f"Name another in {FILE_VARIABLE}.")
            if os.name == "posix" and found.st_mode & 0o077:
                mode = stat.S_IMODE(found.st_mode)
                raise BadInput(f"{path} can be read by others (mode {mode:o}).", f"Run: chmod 600 {path}")
            raw = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", f"Correct {FILE_VARIABLE}, or unset it.") from error
    if len(raw) > FILE_MAX_BYTES:
        raise BadInput(f"{path} is too large for a file of secrets.", f"Name another in {FILE_VARIABLE}.")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8 text.", "Write it again as plain text.") from None


def _parse(text: str, path: Path) -> dict[str, str]:
    try:
        values = dict(_flat(tomllib.loads(text), ""))
    except tomllib.TOMLDecodeError:
        values = _lines(text, path)
    for name, value in values.items():
        if not _NAME.fullmatch(name) or not value.isprintable() or not value:
            raise BadInput(f"{path}: {name[:100]!r} has no usable name or value.", 'Write name = "value".')
    return values


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            pairs.extend(_flat(value, f"{prefix}{key}."))
        else:
            pairs.append((f"{prefix}{key}", value if isinstance(value, str) else ""))
    return pairs


def _lines(text: str, path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        bare = value.strip()
        quoted = len(bare) > 1 and bare[0] == bare[-1] == '"'
        if not equals or ('"' in bare and not quoted):
            raise BadInput(f"{path}, line {number}, cannot be understood.", 'Write name = "value", one per line.')
        values[name.strip()] = bare[1:-1] if quoted else bare
    return values


class KeyringSecrets:
    """The system's keyring, service `truetill`. Imported and asked only when it is needed.

    Without a real keyring it knows nothing and refuses to keep anything. `owner` sets homes apart.
    """

    title = "the keyring"

    def __init__(self, owner: str = "", load: Callable[[], Any] | None = None) -> None:
        self._owner = owner
        self._load = load or _system_keyring
        self._backend: Any = None
        self._tested = False

    def get(self, name: str) -> str | None:
        backend = self._known()
        if backend is None:
            return None
        value = _guarded(lambda: backend.get_password(SERVICE, self._entry(name)))
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
        backend = self._required()
        if self.get(name) is None:
            raise NotFound(f"There is no secret {name} in the keyring.", "See `pos secrets list`.")
        _guarded(lambda: backend.delete_password(SERVICE, self._entry(name)))
        self._put(_INDEX, json.dumps([other for other in self.names() if other != name]))

    def names(self) -> list[str]:
        try:
            listed = json.loads(self.get(_INDEX) or "[]")
        except ValueError:
            return []
        return sorted(name for name in listed if isinstance(name, str) and _NAME.fullmatch(name))

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
        _guarded(lambda: backend.delete_password(SERVICE, self._entry(_SELF_TEST)))
        if self.get(_SELF_TEST) is not None:
            raise Unreachable("The keyring does not forget what it is told to.", NO_KEYRING_HINT)
        self._tested = True

    def usable(self) -> bool:
        """For `pos doctor`: whether secrets can be kept here."""
        try:
            self.self_test()
        except PosError:
            return False
        return True

    def _put(self, name: str, value: str) -> None:
        backend = self._required()
        _guarded(lambda: backend.set_password(SERVICE, self._entry(name), value))
        if self.get(name) != value:
            raise Unreachable("The keyring did not keep the secret.", NO_KEYRING_HINT)

    def _entry(self, name: str) -> str:
        return f"{name}@{self._owner}" if self._owner else name

    def _known(self) -> Any:
        if self._backend is None:
            self._backend = self._load()
        return self._backend

    def _required(self) -> Any:
        backend = self._known()
        if backend is None:
            raise Unreachable("There is no keyring here that can keep a secret.", NO_KEYRING_HINT)
        return backend


def _guarded(act: Callable[[], T]) -> T:
    """Whatever a keyring can throw (locked, prompt dismissed, no terminal, bus gone) becomes one sentence.

    Raises:
        Unreachable: the keyring did not do it.
    """
    try:
        return act()
    except _keyring_errors() as error:
        raise Unreachable(f"The keyring does not open ({type(error).__name__}).", NO_KEYRING_HINT) from error


def _keyring_errors() -> tuple[type[Exception], ...]:
    from keyring.errors import KeyringError

    found: tuple[type[Exception], ...] = (KeyringError, EOFError, OSError, RuntimeError, ValueError)
    try:
        from jeepney.wrappers import DBusErrorResponse  # type: ignore[import-untyped]
        from secretstorage.exceptions import SecretStorageException
    except ImportError:  # not on this system
        return found
    return (*found, SecretStorageException, DBusErrorResponse)


def _system_keyring() -> Any:
    """The chosen keyring if it is a real one, or the best real one where several are chained; else None."""
    import keyring

    chosen = _guarded(keyring.get_keyring)
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
