"""What a disk keeps: the rules that the power cuts are cut by, one by one."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.writelog import NONE, RANDOM, TORN, Disk, NotModelled, Record, build, environment, read, sectors, torn
from tests.processes import environment as whole_environment

CUTS = 200


def disk(*records: Record) -> Disk:
    made = Disk()
    for record in records:
        made.take(record)
    return made


def made(number: int, name: str) -> Record:
    return Record("C", number, 0, f"/home/{name}".encode())


def written(number: int, at: int, data: bytes) -> Record:
    return Record("W", number, at, data)


FOLDER = Record("D", 1, 0, b"")
SYNC = Record("S", 5, 0, b"")


def cuts(of: Disk, mode: str) -> set[tuple[tuple[str, bytes], ...]]:
    chance = random.Random(1)
    return {tuple(sorted(of.cut(mode, chance).items())) for _ in range(CUTS)}


def test_what_was_not_synced_is_not_there() -> None:
    before = disk(made(5, "a"), FOLDER, written(5, 0, b"old"), SYNC, written(5, 0, b"new"))
    assert before.cut(NONE, random.Random()) == {"a": b"old"}
    before.take(SYNC)
    assert before.cut(NONE, random.Random()) == {"a": b"new"}
    assert not before.pending


def test_a_name_is_its_folders_not_its_files() -> None:
    nameless = disk(made(5, "a"), written(5, 0, b"x"), SYNC)
    assert nameless.cut(NONE, random.Random()) == {}
    assert cuts(nameless, RANDOM) == {(), (("a", b"x"),)}


def test_a_renamed_file_is_the_old_one_or_the_new_one() -> None:
    moved = disk(made(5, "a"), written(5, 0, b"old"), SYNC, FOLDER, made(6, "b"), written(6, 0, b"new"))
    moved.take(Record("S", 6, 0, b""))
    moved.take(Record("R", 6, 0, b"/home/b\0/home/a"))
    found = cuts(moved, RANDOM)
    assert found == {(("a", b"old"),), (("a", b"old"), ("b", b"new")), (("a", b"new"),)}


def test_a_removed_file_comes_back_until_the_folder_is_synced() -> None:
    gone = disk(made(5, "a"), written(5, 0, b"x"), SYNC, FOLDER, Record("U", 5, 0, b"/home/a"))
    assert gone.cut(NONE, random.Random()) == {"a": b"x"}
    gone.take(made(5, "b"))  # the system uses the number again
    assert gone.cut(NONE, random.Random()) == {"a": b"x"}
    gone.take(FOLDER)
    assert gone.cut(NONE, random.Random()) == {"b": b""}


def test_any_sectors_of_later_writes_may_be_there_in_any_order() -> None:
    two = disk(
        made(5, "a"), FOLDER, written(5, 0, bytes(1024)), SYNC, written(5, 0, b"1" * 512), written(5, 512, b"2" * 512)
    )
    found = {content for ((_, content),) in cuts(two, RANDOM)}
    assert {(c[:1], c[-1:]) for c in found} == {(b"\0", b"\0"), (b"1", b"\0"), (b"\0", b"2"), (b"1", b"2")}


def test_a_shortened_file_may_be_long_again() -> None:
    short = disk(made(5, "a"), FOLDER, written(5, 0, b"xx"), SYNC, Record("T", 5, 0, b""))
    assert {content for ((_, content),) in cuts(short, RANDOM)} == {b"", b"xx"}


def test_a_torn_write_is_never_whole_and_all_before_it_is() -> None:
    before = disk(made(5, "a"), FOLDER, written(5, 0, b"1" * 512), written(5, 512, b"2" * 1024))
    contents = {content for ((_, content),) in cuts(before, TORN)}
    assert b"1" * 512 + b"2" * 1024 not in contents
    later = [content for content in contents if len(content) > 512]
    assert later
    assert {content[:512] for content in later} == {b"1" * 512}
    assert any(set(content[512:]) - set(b"2\0") for content in later)  # rubbish


def test_sectors_are_the_disks_own() -> None:
    write = written(5, 500, bytes(range(200)))
    pieces = list(sectors(write, 512))
    assert [(piece.at, len(piece.data)) for piece in pieces] == [(500, 12), (512, 188)]
    assert b"".join(piece.data for piece in pieces) == write.data
    assert all(piece.at in (500, 512) for piece in torn(write, random.Random(3)))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = build(tmp_path_factory.mktemp("library"))
    if found is None:
        pytest.skip("no C compiler here")
    return found


def logged(library: Path, folder: Path, program: str) -> list[Record]:
    (folder / "home").mkdir()
    words = environment(library, folder / "home", folder / "log", folder / "marks")
    command = [sys.executable, "-c", program, str(folder / "home"), str(folder / "marks")]
    subprocess.run(command, check=True, env=whole_environment(words))
    return read(folder / "log")


def test_a_process_is_logged_in_its_order(library: Path, tmp_path: Path) -> None:
    program = """
import os, sys
home, marks = sys.argv[1:]
marks = os.open(marks, os.O_WRONLY | os.O_CREAT)
file = os.open(f"{home}/a", os.O_RDWR | os.O_CREAT)
os.write(file, b"one")
os.write(marks, b"said")
os.pwrite(file, b"two", 1)
os.fsync(file)
os.ftruncate(file, 2)
os.replace(f"{home}/a", f"{home}/b")
folder = os.open(home, os.O_RDONLY)
os.fsync(folder)
with open(f"{home}/b", "ab") as more:
    more.write(b"!")
open(f"{home}/c", "w").close()
os.unlink(f"{home}/c")
"""
    records = logged(library, tmp_path, program)
    assert "".join(record.what for record in records) == "CWMWSTRDWCU"
    assert [(r.at, r.data) for r in records if r.what == "W"] == [(0, b"one"), (1, b"two"), (2, b"!")]
    replayed = disk(*records)
    assert replayed.whole() == {"b": (tmp_path / "home" / "b").read_bytes()} == {"b": b"ot!"}
    assert not (tmp_path / "marks").read_bytes()


@pytest.mark.parametrize(
    "act",
    [
        "mmap.mmap(file, 16)",
        "os.writev(file, [b'x'])",
        "os.posix_fallocate(file, 0, 100)",
        "os.truncate(path, 1)",
        "os.link(path, path + '2')",
        "os.mkdir(path + '3')",
    ],
)
def test_what_is_not_modelled_is_refused(library: Path, tmp_path: Path, act: str) -> None:
    program = f"""
import mmap, os, sys
path = sys.argv[1] + "/a"
file = os.open(path, os.O_RDWR | os.O_CREAT)
os.write(file, bytes(16))
{act}
"""
    with pytest.raises(NotModelled):
        logged(library, tmp_path, program)
    assert os.path.exists(tmp_path / "home" / "a")
