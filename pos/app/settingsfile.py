"""Writing `settings.toml`: single values in their place, comments and order kept. Reading it is `pos.app.config`.

No value is written that the reader would refuse, and no file is overwritten that changed since it was read.
"""

from __future__ import annotations

import os
import stat
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pos.app import config
from pos.app.config import FILE, Settings
from pos.domain.errors import BadInput, Broken

TRIES = 5  # a person's editor saves now and then, not five times while we write one line
BOM = b"\xef\xbb\xbf"
Where = tuple[str, ...]
Change = tuple[Where, object]
"""Where a value stands (`("gateways", "stripe", "mode")`) and what it shall be; None takes it away."""


class SettingsFile:
    """The settings of one home."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE
        self._home = home

    def read(self) -> Settings:
        """As `config.load`."""
        return config.load(self._home)

    def stamp(self) -> str:
        """Another text whenever the file was written; "" where there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return ""
        return f"{found.st_mtime_ns}:{found.st_size}:{found.st_ino}"

    def change(self, changes: Sequence[Change]) -> Settings:
        """Write these values, all or none; what else was written to the file meanwhile stays.

        Raises:
            BadInput: there is no file, or the settings could not work like this; nothing was written.
            Broken: the disk does not take it, or the file is written to by somebody else all the time.
        """
        for _ in range(TRIES):
            before = self._bytes()
            text = before.removeprefix(BOM).decode("utf-8")
            after = edited(text, changes)
            settings = config.parse(after)
            raw = (BOM if before.startswith(BOM) else b"") + after.encode()
            if raw == before or self._replace(before, raw):
                return settings
        raise Broken(f"{self._path} is written to by somebody else.", "Close the editor, and try again.")

    def _bytes(self) -> bytes:
        config.load(self._home)  # a file that is wrong already is refused with its line
        return self._path.read_bytes()

    def _replace(self, before: bytes, after: bytes) -> bool:
        """Put the new text in the file's place in one step; False if the file is no longer what was read."""
        target = self._path.resolve()  # a link stays a link
        try:
            mode = stat.S_IMODE(target.stat().st_mode)
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{FILE}.")
            temporary = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(after)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.chmod(mode)
                if target.read_bytes() != before:
                    return False
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(target.parent)
        except OSError as error:
            raise Broken(f"{self._path} cannot be written: {error.strerror}.", "Nothing was changed.") from error
        return True


def edited(text: str, changes: Sequence[Change]) -> str:
    """The text with these values in it, everything else as it was.

    Raises:
        BadInput: the file is written in a way that cannot be changed without touching other things.
    """
    try:
        document = tomlkit.parse(text)
        for path, value in changes:
            _put(document, path, value)
        after = document.as_string()
    except (TOMLKitError, KeyError, TypeError, ValueError) as error:
        raise _by_hand() from error
    if _plain(after) != _expected(text, changes):  # what a reader finds is what was meant, and nothing else
        raise _by_hand()
    return after


def _by_hand() -> BadInput:
    return BadInput(f"{FILE} is written in a way that this program cannot change safely.", "Change it by hand.")


def _put(document: Any, path: Where, value: object) -> None:
    table = document
    for at, name in enumerate(path[:-1]):
        if name not in table:
            if value is None:
                return
            last = at == len(path) - 2
            table.append(name, tomlkit.table(is_super_table=not last))
        table = table[name]
    if value is not None:
        table[path[-1]] = value
    elif path[-1] in table:
        del table[path[-1]]


def _plain(text: str) -> dict[str, Any] | None:
    try:
        return _without_empty(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return None


def _expected(text: str, changes: Sequence[Change]) -> dict[str, Any]:
    tables: dict[str, Any] = tomllib.loads(text)
    for path, value in changes:
        table = tables
        for name in path[:-1]:
            table = table.setdefault(name, {})
        if value is None:
            table.pop(path[-1], None)
        else:
            table[path[-1]] = value
    return _without_empty(tables)


def _without_empty(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Empty tables aside, which say nothing; but a gateway's empty table says that it is there."""
    kept = {name: value for name, value in tables.items() if value != {}}
    return {name: value for name, value in kept.items() if name != "gateways" or value}


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
