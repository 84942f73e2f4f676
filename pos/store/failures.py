"""The database's own errors become ours here, with a sentence that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from pos.domain.errors import Broken, PosError


@contextmanager
def our_errors() -> Iterator[None]:
    """Foreign errors stop here."""
    try:
        yield
    except DBAPIError as error:
        raise _translate(str(error.orig), gone=error.connection_invalidated) from error
    except sqlite3.Error as error:  # raised while a connection is prepared, before SQLAlchemy wraps
        raise _translate(str(error), gone=False) from error


def _translate(text: str, *, gone: bool) -> PosError:
    if "full" in text:
        return Broken("The disk is full.", "Nothing was half-written. Free some space, then try again.")
    if "readonly" in text or "read-only" in text:
        return Broken("The till's database cannot be written.", "Check the rights of the till's home folder.")
    if "locked" in text or "busy" in text:
        return Broken("Another program holds the till's database.", "Close it, then try again.")
    if "malformed" in text or "not a database" in text:
        return Broken("The till's database is damaged.", "Put the newest backup of till.db back.")
    if "disk I/O" in text:
        return Broken("The disk does not take data.", "Stop selling on this till and check its disk.")
    if gone or "onnection" in text:
        return Broken("The database server does not answer.", "This till cannot sell until it is back.")
    return Broken(f"The database refused: {text.splitlines()[0] if text else 'no reason'}.", "Please report this.")
