"""How the relay opens its SQLite files: durable, checked, refused if newer. No table is known here."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pos.domain.errors import Broken

BUSY_MS = 5000


def prepare_folder(folder: Path) -> None:
    """Make the data folder, for its owner alone. Raises Broken with the system's words."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Broken(f"The relay's folder {folder} cannot be made.", str(error)) from error


def open_database(path: Path, schema: str, version: int) -> sqlite3.Connection:
    """Open, create if new, and read back that a commit here survives a power cut.

    Raises:
        Broken: made by a newer version, not a database, or the file system does not give what was asked.
    """
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
        try:
            _durable(db, path)
            _create(db, path, schema, version)
        except BaseException:
            db.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise Broken(f"{path.name} cannot be opened.", str(error)) from error
    return db


def open_reader(path: Path) -> sqlite3.Connection:
    """A second connection that cannot write."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    db.execute("PRAGMA query_only = ON")
    return db


def _durable(db: sqlite3.Connection, path: Path) -> None:
    db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    if (mode, db.execute("PRAGMA synchronous").fetchone()[0]) != ("wal", 2):
        raise Broken(f"{path.name} would not survive a power cut.", "Put the relay's folder on a local disk.")


def _create(db: sqlite3.Connection, path: Path, schema: str, version: int) -> None:
    with transaction(db):
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > version:
            raise Broken(
                f"{path.name} was made by a newer version.", "Install that version again; nothing was changed."
            )
        if found == 0:
            for statement in filter(str.strip, schema.split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {version}")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: all or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
