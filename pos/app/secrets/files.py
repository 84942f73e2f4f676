"""Files that only their owner may read: read through one handle, written whole or not at all, one writer at a time.

Nothing here knows what stands in them.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pos.domain.errors import BadInput, Broken, Unreachable

LOCK_WAIT_S = 10.0
LOCK_LOOK_S = 0.02  # between two looks at a lock that another process holds


def read_private(path: Path, max_bytes: int, instead: str) -> bytes:
    """A file's bytes; looked at and read through one handle, so that it cannot be exchanged in between.

    `instead`: what to do where this file will not do, a sentence.

    Raises:
        BadInput: missing, no plain file, open to others, or larger than `max_bytes`.
    """
    try:
        # O_NONBLOCK: else a pipe is waited for before it can be looked at
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            _check_private(os.fstat(handle), path, instead)
            with os.fdopen(handle, "rb", closefd=False) as file:
                raw = file.read(max_bytes + 1)
        finally:
            os.close(handle)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", instead) from error
    if len(raw) > max_bytes:
        raise BadInput(f"{path} is too large for a file of secrets.", instead)
    return raw


def _check_private(found: os.stat_result, path: Path, instead: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise BadInput(f"{path} is no plain file.", instead)
    if os.name == "posix" and found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        raise BadInput(f"{path} can be read by others (mode {mode:o}).", f"Run: chmod 600 {path}")


def write_private(path: Path, raw: bytes) -> None:
    """Put `raw` in the place of `path`, mode 600; after a power cut the old or the new file is there, whole.

    To be called by the holder of the file's lock: the draft beside it has one name, so that a killed writer's is swept.

    Raises:
        Broken: the disk does not take it; the old file stands as it was.
    """
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        _write_new(draft, raw)
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        hint = "Make room on the disk, or let this user write to the folder; nothing was changed."
        raise Broken(f"{path} cannot be written: {error.strerror}.", hint) from error


def _write_new(path: Path, raw: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows has no handles of folders; its rename is journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def only_writer(path: Path, within_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the lock of `path` (a file beside it, which stays); threads and processes wait for each other.

    Raises:
        Unreachable: somebody else held it for `within_s` seconds.
        Broken: there can be no such file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Broken(f"{path} cannot be locked: {error.strerror}.", "Let this user write to its folder.") from error
    try:
        _wait_for(handle, path, within_s)
        yield
    finally:
        os.close(handle)  # lets go of the lock


def _wait_for(handle: int, path: Path, within_s: float) -> None:
    until = time.monotonic() + within_s
    while not _try_lock(handle):
        if time.monotonic() > until:
            raise Unreachable(f"Another program is writing to {path.name}.", "Try again in a moment.")
        time.sleep(LOCK_LOOK_S)


def _try_lock(handle: int) -> bool:
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    return True
