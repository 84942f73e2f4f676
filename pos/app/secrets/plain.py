"""Sources that this program only reads: the environment, and a file of mode 600. For servers and tests."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pos.app.secrets.files import read_private
from pos.app.secrets.names import FILE_VARIABLE, PREFIX, is_name, variable
from pos.domain.errors import BadInput

FILE_MAX_BYTES = 64 * 1024
EXAMPLE = "gateways.stripe.secret_key"
_KEY = re.compile(r"\b(?:[sr]k|rzp)_(?:test|live)_|\bwhsec_", re.ASCII)
"""What can only be the value, on the side of the name: it would be listed."""


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
    """By name. What does not fit is told by its line: where somebody changed the sides, the name is the key itself."""
    try:
        values = dict(_flat(tomllib.loads(text), ""))
    except tomllib.TOMLDecodeError:
        return _lines(text, path)
    for name, value in values.items():
        if not _fits(name, value):
            raise _no_secret(path, _line_of(name, text))
    return values


def _fits(name: str, value: str) -> bool:
    return is_name(name) and _KEY.search(name) is None and value.isprintable() and bool(value)


def _no_secret(path: Path, line: int) -> BadInput:
    where = f"{path}, line {line}," if line else f"An entry of {path}"
    return BadInput(f"{where} has no usable name or value.", f'Write name = "value", for example {EXAMPLE} = "...".')


def _line_of(name: str, text: str) -> int:
    """Where a name is given: the line with its last word from which on the file has it; 0 where that cannot be told."""
    lines, last = text.split("\n"), name.rpartition(".")[2]
    for number in (number for number, line in enumerate(lines, 1) if last in line):
        try:
            if name in dict(_flat(tomllib.loads("\n".join(lines[:number])), "")):
                return number
        except tomllib.TOMLDecodeError:  # in the middle of a value
            continue
    return 0


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
        value = bare[1:-1] if quoted else bare
        if not _fits(name.strip(), value):
            raise _no_secret(path, number)
        values[name.strip()] = value
    return values
