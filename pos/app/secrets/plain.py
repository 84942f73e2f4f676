"""Sources that this program only reads: the environment, and a file of mode 600. For servers and tests."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pos.app.secrets.files import read_private
from pos.app.secrets.names import FILE_VARIABLE, NAME_MAX_CHARS, PREFIX, is_name, variable
from pos.domain.errors import BadInput

FILE_MAX_BYTES = 64 * 1024


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
        return sorted(name for name in map(_dotted, given) if is_name(name))


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
        self._values = _parse(_read(path), path)

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def set(self, name: str, value: str) -> None:
        raise BadInput(f"{self._path} is not written by this program.", "Edit it yourself; its mode must stay 600.")

    def remove(self, name: str) -> None:
        raise BadInput(f"{self._path} is not written by this program.", "Edit it yourself; its mode must stay 600.")

    def names(self) -> list[str]:
        return sorted(self._values)


def _read(path: Path) -> str:
    raw = read_private(path, FILE_MAX_BYTES, f"Correct {FILE_VARIABLE}, or unset it.")
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
        if not is_name(name) or not value.isprintable() or not value:
            raise BadInput(f"{path}: {name[:NAME_MAX_CHARS]!r} has no usable name or value.", 'Write name = "value".')
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
