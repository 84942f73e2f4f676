"""The bank: its accounts and their keys, its settings, its clock, and the one thread that touches its file.

Rules about money are in lifecycle and aftermath; words of gateways in the dialects.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from pos.domain.errors import BadInput
from pos.sandbox import aftermath, lifecycle
from pos.sandbox.accounts import DEFAULT_KEY as DEFAULT_KEY
from pos.sandbox.accounts import account, check_value, forget_keys, open_account
from pos.sandbox.books import Books, Cause, Settings
from pos.sandbox.dialect import Dialect
from pos.sandbox.idempotency import KEY_LIFE_S
from pos.sandbox.records import Account, Link, Payment, Refund
from pos.sandbox.store import Store, Tx

DUE_PER_TICK = 100  # links, payments and refunds that move on in one turn
T = TypeVar("T")


class Bank:
    """All work on the ledger goes through `run`: one thread, one transaction, synced before it returns."""

    def __init__(self, folder: Path, dialects: Sequence[Dialect]) -> None:
        self._store = Store(folder / "bank.db")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bank")
        self.dialects = {dialect.name: dialect for dialect in dialects}
        self.settings = self._store.read(self._read_settings)
        self.news = asyncio.Event()  # something was written: the dispatcher and the ticker look again

    # -- running ---------------------------------------------------------------------------------------------------

    async def run(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in one transaction; when this returns, what it wrote is on disk."""
        done = await asyncio.get_running_loop().run_in_executor(self._thread, self._store.write, fn)
        self.news.set()
        return done

    async def read(self, fn: Callable[[Tx], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._store.read, fn)

    def books(self, tx: Tx, owner: Account, cause: Cause | None = None) -> Books:
        return Books(tx, owner, self.dialects[owner.dialect], self.settings, cause or Cause())

    def clock(self) -> int:
        """The bank's own time, Unix seconds."""
        return int(time.time() + self.settings.clock_offset_s)

    def write_now(self, fn: Callable[[Tx], T]) -> T:
        """The same as `run`, before the event loop runs."""
        return self._store.write(fn)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._store.close()

    def forget_old_answers(self) -> None:
        """Keys that are past their life need no memory."""
        oldest = self.clock() - KEY_LIFE_S
        self.write_now(lambda tx: tx.execute("DELETE FROM answer WHERE created < ?", oldest).rowcount)

    def serve_at(self, public_url: str) -> None:
        """Where pay pages can be reached from now on."""
        self.settings = replace(self.settings, public_url=public_url.rstrip("/"))

    # -- who comes in, and how things are set --------------------------------------------------------------------------

    def use_keys(self, keys: Sequence[str]) -> list[Account]:
        """The keys of the command line: these, and no others that an earlier command line named.

        Raises:
            BadInput: a key that is no dialect's test key.
        """
        dialects = [self.dialect_of(key) for key in keys]

        def write(tx: Tx) -> list[Account]:
            forget_keys(tx, "cli")
            return [open_account(tx, key, dialect, source="cli") for key, dialect in zip(keys, dialects, strict=True)]

        return self.write_now(write)

    def dialect_of(self, key: str) -> Dialect:
        """The dialect whose test keys look like this one.

        Raises:
            BadInput: none has; it may be a live key.
        """
        for dialect in self.dialects.values():
            if dialect.key_name(key) is not None:
                return dialect
        known = " or ".join(dialect.key_form for dialect in self.dialects.values())
        raise BadInput("The sandbox takes test keys only.", f"They look like {known}; never give it a live one.")

    @staticmethod
    def _read_settings(tx: Tx) -> Settings:
        kept = {name: json.loads(value) for name, value in tx.execute("SELECT name, value FROM setting")}
        known = {item.name for item in fields(Settings)}
        return Settings(**{name: value for name, value in kept.items() if name in known})

    def set(self, tx: Tx, **changes: Any) -> Settings:
        """Change settings, for good.

        Raises:
            BadInput: an unknown name, or a value of the wrong type or below zero.
        """
        like = asdict(Settings())
        for name, value in changes.items():
            check_value({known: usual for known, usual in like.items() if known != "public_url"}, name, value)
            tx.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", name, json.dumps(value))
        self.settings = replace(self.settings, **changes)
        return self.settings

    # -- time passes -----------------------------------------------------------------------------------------------

    async def tick(self) -> int:
        """Let happen what is due: links expire, slow payments and refunds settle. How many moved."""
        found: list[tuple[str, str]] = await self.read(self._due)
        for table, subject in found:
            await self.run(lambda tx, table=table, subject=subject: self._move_on(tx, table, subject))  # type: ignore[misc]
        return len(found)

    def _due(self, tx: Tx) -> list[tuple[str, str]]:
        clock = time.time() + self.settings.clock_offset_s
        queries = (
            ("link", "SELECT id FROM link WHERE state = 'open' AND expires_at <= ? LIMIT ?"),
            ("payment", "SELECT id FROM payment WHERE settles_at IS NOT NULL AND settles_at <= ? LIMIT ?"),
            ("refund", "SELECT id FROM refund WHERE settles_at IS NOT NULL AND settles_at <= ? LIMIT ?"),
        )
        return [(table, row[0]) for table, sql in queries for row in tx.execute(sql, clock, DUE_PER_TICK)]

    def _move_on(self, tx: Tx, table: str, subject: str) -> None:
        """Read again under the lock: what was due may have moved in between."""
        if table == "link":
            link = tx.one(Link, "WHERE id = ? AND state = 'open'", subject)
            if link is not None:
                lifecycle.close_link(self._books_of(tx, link.account), link, "time")
        elif table == "payment":
            payment = tx.one(Payment, "WHERE id = ? AND settles_at IS NOT NULL", subject)
            if payment is not None:
                lifecycle.settle(self._books_of(tx, payment.account), payment)
        else:
            refund = tx.one(Refund, "WHERE id = ? AND settles_at IS NOT NULL", subject)
            if refund is not None:
                aftermath.settle_refund(self._books_of(tx, refund.account), refund)

    def _books_of(self, tx: Tx, account_id: str) -> Books:
        return self.books(tx, account(tx, account_id))
