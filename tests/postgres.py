"""A private PostgreSQL cluster for tests: on a socket in a folder of its own, a database for each shop from a template.

PostgreSQL refuses to run as root; where the tests are root, the server runs as the system's `postgres` (or `nobody`).
"""

from __future__ import annotations

import itertools
import os
import platform
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from pos.store.engine import make_engine
from pos.store.upgrade import upgrade

ADMIN = "tester"
TEMPLATE = "empty_till"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
"""For tests that do not pull the plug; a commit is as visible as ever, it is only not waited for on the disk."""
SMALL = {"shared_buffers": "16MB", "max_connections": "60", "listen_addresses": "''", "lc_messages": "C"}
MISSING = "PostgreSQL's server programs are not on this machine: `apt-get install postgresql`; `./run test` does it."


def programs() -> Path | None:
    """The folder of initdb and postgres; Debian keeps them off the path."""
    found = shutil.which("postgres")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if folders:
        return folders[-1].parent
    return Path(found).resolve().parent if found else None


def need_programs() -> Path:
    """On Linux, where CI runs, a missing server is a failure; elsewhere the tests that need one are skipped."""
    found = programs()
    if found is None:
        if platform.system() == "Linux":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return found


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Cluster:
    """`folder` is short: the path of a socket has little over a hundred characters."""

    def __init__(self, bin_folder: Path, folder: Path, *, fast: bool = True) -> None:
        self._bin = bin_folder
        self.folder = folder
        self._user = _user()
        self._fast = fast
        self._names = itertools.count(1)
        self.running = False
        self._quickly = ""
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", str(self._data), "-U", ADMIN, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{ADMIN}@/{database}?host={self.folder}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=self._user,
            cwd="/",
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Returns when it answers."""
        settings = SMALL | (FAST if self._fast else {})
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", log, "-o", f"-k {self.folder} {options}")
        self.running = True

    def stop(self, how: str = "fast") -> None:
        """`fast`: open connections are cut; `immediate`: as when the machine fails."""
        if self.running:
            self._run("pg_ctl", "stop", "-w", "-D", str(self._data), "-m", how)
            self.running = False

    def _admin(self, database: str) -> str:
        return f"host={self.folder} user={ADMIN} dbname={database}"

    def sql(self, text: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self._admin(database), autocommit=True) as connection:
            cursor = connection.execute(text)  # type: ignore[arg-type,unused-ignore]
            return cursor.fetchall() if cursor.description else []

    def make_template(self) -> None:
        version = self.sql("SELECT current_setting('server_version_num')::int")[0][0]
        self._quickly = "STRATEGY file_copy" if int(str(version)) >= 150_000 else ""  # before, it was the only way
        self.sql(f"CREATE DATABASE {TEMPLATE}")
        engine = make_engine(self.url(TEMPLATE))
        upgrade(engine)
        engine.dispose()

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """The address of a new database with this version's schema (`empty`: with none), dropped afterwards."""
        name = f"shop_{next(self._names)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else TEMPLATE} {self._quickly}")
        try:
            yield self.url(name)
        finally:
            if self.running:
                self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def cluster(*, fast: bool = True) -> Iterator[Cluster]:
    """A running one; gone with its folder afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        made = Cluster(need_programs(), folder, fast=fast)
        try:
            made.start()
            made.make_template()
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
