"""What only PostgreSQL needs: several tills share one server, each with its own connections. No tables, no rules.

One lock per database makes writes of all tills follow one another, as SQLite's BEGIN IMMEDIATE does within a file:
counters never run ahead of what is committed, journals and day-ends are chained in one order, and two tills that learn
two halves of one payment cannot both overlook the other's half. A write takes milliseconds and never waits for a
gateway, so a shop's tills do not notice.
"""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

CONNECT_TIMEOUT_S = 3
SILENCE_LIMIT_MS = 6_000
"""A server that does not take our bytes for so long is gone; without it TCP would wait for a quarter of an hour."""
LOCK_WAIT_MS = 10_000
IDLE_WRITER_MS = 15_000
"""The server ends a write whose till was cut off in the middle, so that the others can go on."""
ASK_FOR_S = 6.0
ASK_PAUSE_S = 0.25
WRITE_LOCK = 7_703
REPEATABLE = ("40001", "40P01")  # serialisation failure, deadlock: nothing was kept, the same write may run again

CONNECT_ARGS: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENCE_LIMIT_MS,
    "application_name": "truetill",
}

_BEGIN = text(
    f"SELECT set_config('lock_timeout', '{LOCK_WAIT_MS}', true),"
    f" set_config('idle_in_transaction_session_timeout', '{IDLE_WRITER_MS}', true),"
    " CASE WHEN current_setting('synchronous_commit') = 'off'"
    " THEN set_config('synchronous_commit', 'on', true) END,"
    f" pg_advisory_xact_lock({WRITE_LOCK}), pg_current_xact_id()::text"
)
_KEEPS = text("SELECT current_setting('server_version'), current_setting('fsync'), current_setting('full_page_writes')")
_OUTCOME = text("SELECT pg_xact_status(CAST(:ticket AS xid8))")


def begin_write(connection: Connection) -> str:
    """Wait for the other tills' writes; returns the transaction's number, by which its outcome can be asked for.

    What this transaction reads from here on is what they left. An acknowledged commit is on the server's disk, whatever
    its default says.
    """
    return str(connection.execute(_BEGIN).one()[4])


def examine(connection: Connection) -> tuple[bool, str]:
    """Whether the server keeps what it acknowledges through a power cut, and what it is."""
    version, fsync, pages = connection.execute(_KEEPS).one()
    said = f"PostgreSQL {version}"
    unsafe = " and ".join(
        f"{name} = off" for name, set_to in (("fsync", fsync), ("full_page_writes", pages)) if set_to == "off"
    )
    return not unsafe, f"{said}, but {unsafe}: a power cut may lose sales" if unsafe else said


def repeatable(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in REPEATABLE


def was_committed(engine: Engine, ticket: str) -> bool | None:
    """What became of a commit whose answer was lost; None while the server does not say, within `ASK_FOR_S`."""
    pause = threading.Event()
    for _ in range(int(ASK_FOR_S / ASK_PAUSE_S)):
        try:
            with engine.connect() as connection:
                said = connection.execute(_OUTCOME, {"ticket": ticket}).scalar()
        except DBAPIError:
            said = None
        if said in ("committed", "aborted"):
            return bool(said == "committed")
        pause.wait(ASK_PAUSE_S)
    return None
