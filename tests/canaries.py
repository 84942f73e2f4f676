"""Canaries: secrets that nobody could mistake, and the search for them in whatever a run left behind.

A run is given `Canaries.of(...)`; afterwards `sightings` looks for every value as it is, and in the forms in which
programs write values by accident (base64, hex, escaped, two bytes a letter).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LOOK_S = 0.01  # between two looks at the command lines of everything that runs
FILE_MAX_BYTES = 64 * 1024 * 1024


@dataclass
class Canaries:
    """Secret values by what they are for."""

    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, **prefixes: str) -> Canaries:
        """One new value per name, behind the prefix that such a secret has."""
        return cls({name: f"{prefix}Canary{secrets.token_hex(10)}" for name, prefix in prefixes.items()})

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def add(self, name: str, value: str) -> None:
        """One that the run itself made. A new table each time: a watcher may be reading the old one."""
        self.values = {**self.values, name: value}

    def sightings(self, where: str, blob: bytes, *, but: tuple[str, ...] = ()) -> list[str]:
        """`where: name (form)` for each canary in `blob`; `but` names those that may be there."""
        return [
            f"{where}: {name} ({form})"
            for name, value in self.values.items()
            if name not in but
            for form, shape in shapes(value).items()
            if shape in blob
        ]

    def in_folder(self, folder: Path, *, but: tuple[str, ...] = ()) -> list[str]:
        """Sightings in all files below `folder`, and in their names."""
        found = []
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            assert path.stat().st_size <= FILE_MAX_BYTES, f"{path} is too large to be searched"
            found += self.sightings(str(path), str(path).encode() + b"\n" + path.read_bytes(), but=but)
        return found

    @contextmanager
    def watching_command_lines(self) -> Iterator[list[str]]:
        """Sightings in the command line of any process of this machine while the block runs. Linux."""
        found: list[str] = []
        enough = threading.Event()

        def watch() -> None:
            while not enough.wait(LOOK_S):
                for who, line in command_lines():
                    found.extend(self.sightings(f"command line of {who}", line))

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            enough.set()
            thread.join()


def shapes(value: str) -> dict[str, bytes]:
    """What a value looks like when something writes it: form to bytes."""
    raw = value.encode()
    found = {
        "plain": raw,
        "reversed": raw[::-1],
        "hex": raw.hex().encode(),
        "escaped": json.dumps(value)[1:-1].encode(),
        "quoted": urllib.parse.quote(value, safe="").encode(),
        "utf-16": value.encode("utf-16-le"),
    }
    for shift in range(3):  # base64 looks different at each of three offsets; its ends depend on the neighbours
        text = base64.b64encode(b"\0" * shift + raw)
        found[f"base64+{shift}"] = text[4 if shift else 0 : (shift + len(raw)) // 3 * 4]
    return found


def command_lines() -> list[tuple[str, bytes]]:
    """(process id, command line) of everything that runs now."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and process.name != str(os.getpid()):
            try:
                found.append((process.name, (process / "cmdline").read_bytes()))
            except OSError:  # gone meanwhile
                continue
    return found
