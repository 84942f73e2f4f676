"""A process's writes as `writelog.c` logs them, and the disk that a power cut at any point of that log would leave.

What is taken for granted of a disk and its file system, and what is not:

* A file's bytes are on the disk once the file was synced after them. Of later writes any sectors may be there or not,
  in any order, whatever their order was; so may a later change of the file's length.
* A name (file made, renamed, removed) is on the disk once its folder was synced, not before: a file's own sync does not
  bring its name. Names change in their order, as in any file system with a journal.
* A sector is there whole or not at all; what a write does not touch, it does not damage. A write that is torn may also
  leave rubbish in those of its own sectors that did not arrive. What is missing in the middle of a file reads as zeros.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_name("writelog.c")
HEAD = struct.Struct("<c7xQqQ")
SECTORS = (512, 4096)
LIKELY = (0.1, 0.5, 0.9)
"""How likely a sector is kept in a cut of mode `random`; drawn for each cut."""
NONE, RANDOM, TORN = MODES = ("none", "random", "torn")


class NotModelled(Exception):
    """The process wrote in a way that the log does not hold."""


@dataclass(frozen=True)
class Record:
    """`what`: C made, W written, T length set, S synced, D folder synced, U removed, R renamed, M what it said."""

    what: str
    file: int
    at: int
    data: bytes

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(Path(part).name for part in self.data.decode().split("\0"))


def build(folder: Path) -> Path | None:
    """The library to load before a process; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "writelog.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return library


def environment(library: Path, under: Path, log: Path, marks: Path) -> dict[str, str]:
    """What a process needs so that its writes below `under` are logged; `log` must lie elsewhere."""
    return {
        "LD_PRELOAD": str(library),
        "WRITELOG_UNDER": str(under),
        "WRITELOG_TO": str(log),
        "WRITELOG_MARKS": str(marks),
    }


def read(log: Path) -> list[Record]:
    """Raises NotModelled."""
    raw = memoryview(log.read_bytes())
    records, at = [], 0
    while at < len(raw):
        what, file, offset, length = HEAD.unpack_from(raw, at)
        at += HEAD.size
        records.append(Record(what.decode(), file, offset, bytes(raw[at : at + length])))
        at += length
    odd = {record.data.decode() for record in records if record.what == "X"}
    if odd:
        raise NotModelled(", ".join(sorted(odd)))
    return records


@dataclass
class File:
    """`sure`: its bytes as of the last sync; `later`: what came after, with its place in the order of all."""

    sure: bytearray = field(default_factory=bytearray)
    later: list[tuple[int, Record]] = field(default_factory=list)

    def sync(self) -> None:
        for _, record in self.later:
            change(self.sure, record)
        self.later.clear()


@dataclass
class Disk:
    """One folder at one point of a log. `files` are known by numbers of ours: the system uses its own again."""

    files: list[File] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    """Durable ones."""
    renamed: list[Record] = field(default_factory=list)
    """Names that changed since the folder was synced; `file` is a number of ours."""
    taken: int = 0

    @classmethod
    def holding(cls, folder: Path) -> Disk:
        """What lies in a folder before anything is logged, all of it durable."""
        disk = cls()
        for path in folder.iterdir():
            disk.names[path.name] = disk._new(path.stat().st_ino, path.read_bytes())
        return disk

    def _new(self, system_number: int, content: bytes = b"") -> int:
        self.files.append(File(bytearray(content)))
        self.numbers[system_number] = len(self.files) - 1
        return len(self.files) - 1

    def take(self, record: Record) -> None:
        """The next record of the log."""
        self.taken += 1
        if record.what in ("C", "U", "R"):
            number = self._new(record.file) if record.what == "C" else self.numbers[record.file]
            self.renamed.append(Record(record.what, number, 0, record.data))
        elif record.what == "D":
            self.names = self._names(len(self.renamed))
            self.renamed.clear()
        elif record.what == "S":
            self.files[self.numbers[record.file]].sync()
        elif record.what in ("W", "T"):
            self.files[self.numbers[record.file]].later.append((self.taken, record))

    def _names(self, known: int) -> dict[str, int]:
        """With the first `known` changes since the last sync of the folder."""
        names = dict(self.names)
        for change_ in self.renamed[:known]:
            first, *second = change_.names
            if change_.what == "C":
                names[first] = change_.file
            else:
                moved = names.pop(first)
                names |= dict.fromkeys(second, moved)
        return names

    @property
    def pending(self) -> int:
        """Changes that a power cut now may undo."""
        return len(self.renamed) + sum(len(file.later) for file in self.files)

    def whole(self) -> dict[str, bytes]:
        """All that was written, as without a power cut."""
        return self._with(
            self._names(len(self.renamed)), {n: [r for _, r in f.later] for n, f in enumerate(self.files)}
        )

    def cut(self, mode: str, chance: random.Random) -> dict[str, bytes]:
        """What is found after a power cut here, by name."""
        if mode == NONE:
            return self._with(self.names, {})
        if mode == RANDOM:
            return self._with(self._names(chance.randint(0, len(self.renamed))), self._some(chance))
        return self._with(self._names(len(self.renamed)), self._torn(chance))

    def _with(self, names: Mapping[str, int], kept: Mapping[int, list[Record]]) -> dict[str, bytes]:
        found = {}
        for name, number in names.items():
            content = bytearray(self.files[number].sure)
            for record in kept.get(number, ()):
                change(content, record)
            found[name] = bytes(content)
        return found

    def _some(self, chance: random.Random) -> dict[int, list[Record]]:
        """Any sectors of any write, any change of length."""
        size, likely = chance.choice(SECTORS), chance.choice(LIKELY)
        kept = defaultdict(list)
        for number, file in enumerate(self.files):
            for _, record in file.later:
                pieces = [record] if record.what == "T" else sectors(record, size)
                kept[number] += [piece for piece in pieces if chance.random() < likely]
        return kept

    def _torn(self, chance: random.Random) -> dict[int, list[Record]]:
        """All up to one write, and of that one some sectors; others stay as they were, or hold rubbish."""
        writes = [order for file in self.files for order, record in file.later if record.what == "W"]
        last = chance.choice(writes) if writes else self.taken + 1
        kept = defaultdict(list)
        for number, file in enumerate(self.files):
            for order, record in file.later:
                if order < last:
                    kept[number].append(record)
                elif order == last:
                    kept[number] += torn(record, chance)
        return kept


def torn(record: Record, chance: random.Random) -> Iterator[Record]:
    """Of one write those sectors that arrived, or became rubbish; at least one is missing."""
    pieces = list(sectors(record, SECTORS[0]))
    missing = chance.randrange(len(pieces))
    for index, piece in enumerate(pieces):
        fate = (
            chance.choice(("old", "rubbish")) if index == missing else chance.choice(("old", "new", "new", "rubbish"))
        )
        if fate == "new":
            yield piece
        elif fate == "rubbish":
            yield Record("W", piece.file, piece.at, chance.randbytes(len(piece.data)))


def sectors(record: Record, size: int) -> Iterator[Record]:
    """A write, cut where a disk's sectors end."""
    at, end = record.at, record.at + len(record.data)
    while at < end:
        until = min((at // size + 1) * size, end)
        yield Record("W", record.file, at, record.data[at - record.at : until - record.at])
        at = until


def change(content: bytearray, record: Record) -> None:
    """Do to a file's bytes what a record says."""
    end = record.at + len(record.data)
    if record.what == "T" and record.at < len(content):
        del content[record.at :]
    elif len(content) < end:
        content.extend(bytes(end - len(content)))
    if record.what == "W":
        content[record.at : end] = record.data
