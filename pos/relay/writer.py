"""One thread that writes, with adaptive group commit: at once when idle, many jobs per fsync when busy.

Knows nothing of what it writes. A job is a function of the connection; its caller hears of it after the commit.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pos.domain.errors import Broken, PosError
from pos.relay.database import transaction

T = TypeVar("T")

MAX_BATCH = 512  # jobs in one transaction
JOB_ERRORS = (sqlite3.Error, PosError, ValueError, TypeError, OverflowError)


@dataclass(slots=True)
class Job:
    """`after` runs on the loop, just before the caller is woken, with the job's result."""

    run: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    after: Callable[[Any], None] | None = None
    result: Any = None
    error: Exception | None = None


class Writer:
    """Owns the writing connection. `on_rollback` is called in the thread, so that caches can be dropped."""

    def __init__(self, db: sqlite3.Connection, max_queued: int, on_rollback: Callable[[], None]) -> None:
        self._db, self._on_rollback = db, on_rollback
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._max_queued = max_queued
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._failing = False
        self._batch: list[Job] = []
        self.batches = 0
        self.jobs = 0
        self._thread = threading.Thread(target=self._main, name="relay-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[sqlite3.Connection], T], after: Callable[[T], None] | None = None) -> T:
        """Run `job` in a transaction; when this returns, it is on the disk.

        Raises:
            Broken: not written: closing, too many are waiting, or the disk's own words.
        """
        if self._closing or not self._thread.is_alive():
            raise Broken("The relay is closing.", "Send it again.")
        if self._jobs.qsize() >= self._max_queued:
            raise Broken("The relay cannot write fast enough.", "Send it again.")
        waiting: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(Job(job, waiting, after))
        return await waiting

    @property
    def queued(self) -> int:
        return self._jobs.qsize()

    def healthy(self) -> bool:
        return self._thread.is_alive() and not self._failing and not self._closing

    async def close(self) -> None:
        """Write what is waiting, then stop."""
        if not self._closing:
            self._closing = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _main(self) -> None:
        open_ = True
        try:
            while open_:
                batch, open_ = self._take()
                self._batch = batch
                if batch:
                    self._write(batch)
                    self._loop.call_soon_threadsafe(_deliver, batch)
                self._batch = []
        finally:
            self._db.close()
            self._loop.call_soon_threadsafe(self._abandon)  # after a failure of our own nobody may wait for ever

    def _take(self) -> tuple[list[Job], bool]:
        """Wait for one job, then take along whatever came while the last batch was being written."""
        job = self._jobs.get()
        batch: list[Job] = []
        while job is not None:
            batch.append(job)
            if len(batch) == MAX_BATCH:
                return batch, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _abandon(self) -> None:
        self._closing = True
        left = list(self._batch)
        while not self._jobs.empty():
            job = self._jobs.get_nowait()
            left += [job] if job is not None else []
        for job in left:
            job.error = job.error or Broken("The relay's writer has stopped.", "See its log; start it again.")
        _deliver(left)

    def _write(self, batch: list[Job]) -> None:
        """All in one transaction. If that fails, each alone, so that one bad job does not take the others along."""
        if not self._commit(batch) and len(batch) > 1:
            for job in batch:
                self._commit([job])
        self._failing = all(isinstance(job.error, sqlite3.Error) for job in batch)
        self.batches += 1
        self.jobs += len(batch)

    def _commit(self, batch: list[Job]) -> bool:
        try:
            with transaction(self._db):
                for job in batch:
                    job.result = job.run(self._db)
        except JOB_ERRORS as error:
            self._on_rollback()
            for job in batch:
                job.result, job.error = None, error
            return False
        for job in batch:
            job.error = None
        return True


def _deliver(batch: list[Job]) -> None:
    """On the loop: first tell the streams, then those who wait for an acknowledgement, in one turn."""
    for job in batch:
        if job.error is None and job.after is not None:
            job.after(job.result)
    for job in batch:
        if job.future.done():
            continue  # whoever waited is gone; the event is stored all the same
        if job.error is None:
            job.future.set_result(job.result)
        elif isinstance(job.error, PosError):
            job.future.set_exception(job.error)
        else:
            job.future.set_exception(Broken("The relay could not store it.", str(job.error)))
