"""Bringing a database to this version's schema, or refusing it unchanged."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from pos.domain.errors import Broken, PosError
from pos.store import gate, tables
from pos.store.engine import begin_write
from pos.store.failures import our_errors
from pos.store.repositories.shop import ShopRows

HEAD = "0003"
KNOWN = ("0001", "0002", "0003")
WRITES_SINCE = 3
"""The level (`gate.LEVEL`) of the oldest program that may write this schema."""
READS_SINCE = 3
"""... and of the oldest that reads it rightly. A migration that only adds leaves this as it is; one after which older

programs would count money otherwise does not.
"""
MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Create or upgrade the schema in one transaction, then check that its guards stand.

    A newer version's database is left as it is: where that version says that we can read it, it opens, and the gate
    refuses what we may not write.

    Raises:
        Broken: the database was written by a newer version and cannot be read by this one, or its guards are gone.
    """
    try:
        with our_errors(), engine.connect() as connection:
            begin_write(connection)  # two tills that start at once do not both make the tables
            _bring_up(connection)
            connection.commit()
    except PosError:
        engine.dispose()
        raise


def _bring_up(connection: Connection) -> None:
    version = _version(connection)
    newer = version is not None and version not in KNOWN
    if newer and _min_reader(connection) > gate.LEVEL:
        raise Broken(
            "This database was written by a newer version of Truetill.",
            "Install that version again; nothing was changed.",
        )
    if not newer and version != HEAD:
        _run(connection)
        _say_who_may_write(connection)
    _check_guards(connection)


def _min_reader(connection: Connection) -> int:
    """The level of the oldest program that can read what a newer one wrote; none where that does not say."""
    said = ShopRows(connection).meta(gate.MIN_READER)
    return int(said) if said is not None else gate.LEVEL + 1


def _say_who_may_write(connection: Connection) -> None:
    """From here on an older program that is running beside us is refused at its next write."""
    rows = ShopRows(connection)
    rows.set_meta(gate.MIN_WRITER, str(WRITES_SINCE))
    rows.set_meta(gate.MIN_READER, str(READS_SINCE))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _run(connection: Connection) -> None:
    # alembic takes 0.3 s to import and is needed only when there is something to do
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _check_guards(connection: Connection) -> None:
    """Batch migrations drop triggers silently; a database without its guards is not opened."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    standing = set(connection.execute(text(query)).scalars())
    wanted = {"guard_revision_frozen"}
    for name in tables.GUARDED:
        if connection.dialect.name == "sqlite":
            wanted |= {f"guard_{name}_update", f"guard_{name}_delete"}
        else:
            wanted |= {f"guard_{name}", f"guard_{name}_truncate"}
    if not wanted <= standing:
        raise Broken("The database has lost its guards.", "Put the newest backup of till.db back.")
