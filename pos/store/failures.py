"""The database's own errors become ours here, with a sentence that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from pos.domain.errors import Broken, PosError, Unreachable

GONE = ("08", "57P01", "57P02", "57P03", "53300", "25P03")
"""PostgreSQL's classes and codes: no connection, shut down, crashed, starting, too many of us, cut off."""
LOGIN = ("28", "3D")
LOGIN_WORDS = ("authentication failed", "does not exist", "no password supplied", "no pg_hba.conf entry")
"""While connecting there is no code, only words."""
LOCKED = ("55P03", "40001", "40P01")


@contextmanager
def our_errors() -> Iterator[None]:
    """Foreign errors stop here."""
    try:
        yield
    except DBAPIError as error:
        if error.orig is not None and hasattr(error.orig, "sqlstate"):
            raise _from_server(error.orig.sqlstate, error) from error
        raise _from_file(str(error.orig)) from error
    except sqlite3.Error as error:  # of the driver itself: `Rows` asks it, and it prepares connections
        raise _from_file(str(error)) from error


def _from_file(text: str) -> PosError:
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
    return _refused(text)


def _from_server(code: str | None, error: DBAPIError) -> PosError:
    """By PostgreSQL's code, which is the same in every language; a connection that never was has none."""
    words = str(error.orig)
    if code is None and any(said in words for said in LOGIN_WORDS):
        code = LOGIN[0]
    silent = code is None and isinstance(error, (OperationalError, InterfaceError))
    if silent or error.connection_invalidated or (code or "").startswith(GONE):
        return Unreachable("The database server does not answer.", "This till cannot sell until it is back.")
    if (code or "").startswith(LOGIN):
        return Broken("The database server does not let this till in.", "Check `[database] url` in settings.toml.")
    if code == "53100":
        return Broken("The database server's disk is full.", "Nothing was half-written. Free some space there.")
    if code == "25006":
        return Broken("The database server takes no writes.", "Check whether it is a standby, or set to read only.")
    if code in LOCKED:
        return Broken("Another till has been writing for too long.", "Nothing was kept of this. Try again.")
    return _refused(words)


def _refused(text: str) -> PosError:
    return Broken(f"The database refused: {text.splitlines()[0] if text else 'no reason'}.", "Please report this.")
