"""The log in one SQLite file: numbers, tags and duplicates are settled inside the writing transaction.

Reads go through a connection and a thread of their own. No HTTP and no tenant secret is known here.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pos import wire
from pos.domain.errors import Broken, NotFound
from pos.relay import database
from pos.relay.log import Anchor, Entry, Head, Hint, Link, Receipt, Resume
from pos.relay.writer import Writer

T = TypeVar("T")

FILE = "log.db"
VERSION = 1
PRUNE_ROWS = 5000  # rows in one transaction
ANCHORS_KEPT = 400  # per till

SCHEMA = """
CREATE TABLE heads (
    shop TEXT PRIMARY KEY, epoch TEXT NOT NULL UNIQUE, seq INTEGER NOT NULL, tag TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE events (
    shop TEXT NOT NULL, seq INTEGER NOT NULL, tag TEXT NOT NULL, kind TEXT NOT NULL, gateway TEXT NOT NULL,
    event TEXT NOT NULL, type TEXT NOT NULL, link TEXT NOT NULL, payment TEXT NOT NULL, refund TEXT NOT NULL,
    reference TEXT NOT NULL, received_at_ms INTEGER NOT NULL, PRIMARY KEY (shop, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX events_once ON events (shop, gateway, event) WHERE kind = 'webhook';
CREATE TABLE links (
    token BLOB PRIMARY KEY, shop TEXT NOT NULL, gateway TEXT NOT NULL, url TEXT NOT NULL, state TEXT NOT NULL,
    reference TEXT NOT NULL, link TEXT NOT NULL, "order" TEXT NOT NULL, amount TEXT NOT NULL, method TEXT NOT NULL,
    "when" TEXT NOT NULL, receipt TEXT NOT NULL, updated_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE receipts (
    token BLOB PRIMARY KEY, shop TEXT NOT NULL, text TEXT NOT NULL, until_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE anchors (
    shop TEXT NOT NULL, till TEXT NOT NULL, count INTEGER NOT NULL, head TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (shop, till, count, head)
) WITHOUT ROWID
"""

INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
ROW = "seq, tag, shop, kind, gateway, event, type, link, payment, refund, reference, received_at_ms"


class SqliteLog:
    """`pos.relay.log.Log` over `<folder>/log.db`. Make it inside a running loop."""

    def __init__(self, folder: Path, max_queued: int = 8192) -> None:
        database.prepare_folder(folder)
        db = database.open_database(folder / FILE, SCHEMA, VERSION)
        self._reading = database.open_reader(folder / FILE)
        self._reader = ThreadPoolExecutor(1, "relay-reader")
        self._heads: dict[str, Head] = {}  # the writer thread's alone
        self._writer = Writer(db, max_queued, self._heads.clear)
        self.on_published: Callable[[str, list[Entry]], None] = lambda epoch, entries: None
        self.on_new_epoch: Callable[[str], None] = lambda shop: None
        self.contradictions = 0

    # events

    async def append(self, hint: Hint) -> bool:
        stored = await self._writer.run(lambda db: self._insert(db, hint), self._published)
        return stored is not None

    def _insert(self, db: sqlite3.Connection, hint: Hint) -> tuple[str, Entry] | None:
        head = self._head(db, hint.shop)
        seq, refs = head.seq + 1, hint.refs
        tag = wire.tag_of(seq, hint.kind, hint.gateway, hint.event, hint.type, refs, hint.received_at_ms)
        said = (hint.kind, hint.gateway, hint.event, hint.type, refs.link, refs.payment, refs.refund, refs.reference)
        if db.execute(INSERT, (hint.shop, seq, tag, *said, hint.received_at_ms)).rowcount == 0:
            self._compare(db, hint, said[3:])
            return None
        self._heads[hint.shop] = Head(head.epoch, seq, tag)
        db.execute("UPDATE heads SET seq = ?, tag = ? WHERE shop = ?", (seq, tag, hint.shop))
        return head.epoch, Entry(seq, tag, hint)

    def _compare(self, db: sqlite3.Connection, hint: Hint, said: tuple[str, ...]) -> None:
        """The same event id with other words: the first one stays, and the contradiction is counted."""
        kept = db.execute(
            "SELECT type, link, payment, refund, reference FROM events"
            " WHERE shop = ? AND gateway = ? AND event = ? AND kind = 'webhook'",
            (hint.shop, hint.gateway, hint.event),
        ).fetchone()
        if kept is None:
            raise Broken("The relay's log has a number twice.", "Is a second relay writing into this folder?")
        self.contradictions += kept != said

    def _published(self, stored: tuple[str, Entry] | None) -> None:
        if stored is not None:
            self.on_published(stored[0], [stored[1]])

    def _head(self, db: sqlite3.Connection, shop: str) -> Head:
        """In the writing transaction. A shop that is new to this log gets an epoch of its own."""
        known = self._heads.get(shop) or _read_head(db, shop)
        head = known or Head(_new_epoch(), 0, "0")
        if known is None:
            db.execute("INSERT INTO heads VALUES (?, ?, ?, ?)", (shop, *head))
        self._heads[shop] = head
        return head

    async def head(self, shop: str) -> Head:
        found = await self._read(lambda db: _read_head(db, shop))
        if found is None:
            found = await self._writer.run(lambda db: self._head(db, shop))
        return found

    async def page(self, shop: str, after: int, limit: int) -> list[Entry]:
        return await self._read(lambda db: _read_page(db, shop, after, limit))

    # where a till goes on

    async def resume(self, shop: str, cursor: wire.Cursor | None) -> Resume:
        head = await self.head(shop)
        place = await self._read(lambda db: _place(db, shop, head, cursor))
        if place.reason in ("ahead", "tag"):
            # The till knows events of this epoch that are not here: this log is an older copy of itself. Other tills
            # may have a cursor that still fits and would miss what was lost in between; a new epoch tells them.
            head = await self._writer.run(lambda db: self._replace_epoch(db, shop, head.epoch))
            self.on_new_epoch(shop)
        return place._replace(head=head)

    def _replace_epoch(self, db: sqlite3.Connection, shop: str, epoch: str) -> Head:
        head = self._head(db, shop)
        if head.epoch == epoch:  # else somebody else noticed first
            head = Head(_new_epoch(), head.seq, head.tag)
            db.execute("UPDATE heads SET epoch = ? WHERE shop = ?", (head.epoch, shop))
            self._heads[shop] = head
        return head

    async def renew_epochs(self) -> None:
        """After a restore from a backup, which only its owner can know of: every till sweeps."""
        await self._writer.run(_renew_epochs)

    # short links, receipts, anchors

    async def put_link(self, token: str, link: Link) -> bool:
        return await self._writer.run(lambda db: _put_link(db, _hidden(token), link))

    async def link(self, token: str) -> Link | None:
        return await self._read(lambda db: _read_link(db, _hidden(token)))

    async def put_receipt(self, token: str, receipt: Receipt) -> None:
        await self._writer.run(lambda db: _put_receipt(db, _hidden(token), receipt))

    async def receipt(self, token: str, now_ms: int) -> Receipt | None:
        sql = "SELECT shop, text, until_ms FROM receipts WHERE token = ? AND until_ms > ?"
        row = await self._read(lambda db: db.execute(sql, (_hidden(token), now_ms)).fetchone())
        return Receipt(*row) if row else None

    async def put_anchor(self, anchor: Anchor) -> None:
        await self._writer.run(lambda db: _put_anchor(db, anchor))

    async def anchor(self, shop: str, till: str) -> Anchor | None:
        sql = "SELECT * FROM anchors WHERE shop = ? AND till = ? ORDER BY count DESC, at_ms DESC LIMIT 1"
        row = await self._read(lambda db: db.execute(sql, (shop, till)).fetchone())
        return Anchor(*row) if row else None

    # keeping it small, keeping it open

    async def prune(self, before_ms: int, now_ms: int) -> int:
        """Remove what is older than the retention, a few thousand rows per transaction; how many went."""
        gone, last = 0, PRUNE_ROWS
        while last >= PRUNE_ROWS:
            last = await self._writer.run(lambda db: _prune_events(db, before_ms))
            gone += last
        return gone + await self._writer.run(lambda db: _prune_rest(db, before_ms, now_ms))

    def healthy(self) -> bool:
        return self._writer.healthy()

    @property
    def writer(self) -> Writer:
        return self._writer

    async def close(self) -> None:
        await self._writer.close()
        self._reader.shutdown()
        self._reading.close()

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reader, query, self._reading)
        except sqlite3.Error as error:
            raise Broken("The relay's log cannot be read.", str(error)) from error


def count_events(folder: Path) -> dict[str, int]:
    """Events kept per shop; for `pos relay stats`, beside a running relay."""
    if not (folder / FILE).exists():
        return {}
    db = database.open_reader(folder / FILE)
    try:
        return dict(db.execute("SELECT shop, count(*) FROM events GROUP BY shop").fetchall())
    except sqlite3.Error as error:
        raise Broken("The relay's log cannot be read.", str(error)) from error
    finally:
        db.close()


def _new_epoch() -> str:
    return secrets.token_hex(6)


def _hidden(token: str) -> bytes:
    """Links are kept under a digest: whoever reads the file cannot open them."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _read_head(db: sqlite3.Connection, shop: str) -> Head | None:
    row = db.execute("SELECT epoch, seq, tag FROM heads WHERE shop = ?", (shop,)).fetchone()
    return Head(*row) if row else None


def _read_page(db: sqlite3.Connection, shop: str, after: int, limit: int) -> list[Entry]:
    sql = f"SELECT {ROW} FROM events WHERE shop = ? AND seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - a constant
    return [_entry(row) for row in db.execute(sql, (shop, after, limit))]


def _entry(row: tuple[int, str, str, str, str, str, str, str, str, str, str, int]) -> Entry:
    seq, tag, shop, kind, gateway, event, type_, link, payment, refund, reference, received_at_ms = row
    refs = wire.Refs(link, payment, refund, reference)
    return Entry(seq, tag, Hint(shop, kind, gateway, event, type_, refs, received_at_ms))


def _renew_epochs(db: sqlite3.Connection) -> None:
    for (shop,) in db.execute("SELECT shop FROM heads").fetchall():
        db.execute("UPDATE heads SET epoch = ? WHERE shop = ?", (_new_epoch(), shop))


def _place(db: sqlite3.Connection, shop: str, head: Head, cursor: wire.Cursor | None) -> Resume:
    """The rules of `docs/relay-protocol.md`, "Where a stream goes on", in their order."""
    start = Resume(head, 0, "0", "")
    if cursor is None:
        return start._replace(reason="first")
    known = db.execute("SELECT shop FROM heads WHERE epoch = ?", (cursor.epoch,)).fetchone()
    if known is not None and known[0] != shop:
        raise NotFound("There is no such place in this shop's events.", "Start without a cursor.")
    here = Resume(head, cursor.seq, cursor.tag, "")
    agrees = _agrees(db, shop, head, cursor)
    if cursor.epoch != head.epoch:
        return (here if agrees == "" else start)._replace(reason="epoch")
    return here if agrees == "" else start._replace(reason=agrees)


def _agrees(db: sqlite3.Connection, shop: str, head: Head, cursor: wire.Cursor) -> str:
    """Whether number and tag belong together here: empty, or the reason why the place cannot be used."""
    if cursor.seq > head.seq:
        return "ahead"
    if cursor.seq == head.seq:
        return "" if cursor.tag == head.tag else "tag"
    row = db.execute("SELECT tag FROM events WHERE shop = ? AND seq = ?", (shop, cursor.seq)).fetchone()
    if row is not None:
        return "" if row[0] == cursor.tag else "tag"
    oldest = db.execute("SELECT min(seq) FROM events WHERE shop = ?", (shop,)).fetchone()[0]
    nothing_missed = oldest is not None and cursor.seq == oldest - 1
    return "" if nothing_missed else "pruned"


def _put_link(db: sqlite3.Connection, token: bytes, link: Link) -> bool:
    row = db.execute("SELECT shop FROM links WHERE token = ?", (token,)).fetchone()
    if row is not None and row[0] != link.shop:
        raise NotFound("There is no such link.")
    texts = (link.reference, link.link, link.order, link.amount, link.method, link.when, link.receipt)
    values = (token, link.shop, link.gateway, link.url, link.state, *texts, link.updated_at_ms)
    db.execute("INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    return row is None


def _read_link(db: sqlite3.Connection, token: bytes) -> Link | None:
    row = db.execute("SELECT * FROM links WHERE token = ?", (token,)).fetchone()
    return Link(*row[1:]) if row else None


def _put_receipt(db: sqlite3.Connection, token: bytes, receipt: Receipt) -> None:
    row = db.execute("SELECT shop FROM receipts WHERE token = ?", (token,)).fetchone()
    if row is not None and row[0] != receipt.shop:
        raise NotFound("There is no such receipt.")
    values = (token, receipt.shop, receipt.text, receipt.until_ms)
    db.execute("INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?)", values)


def _put_anchor(db: sqlite3.Connection, anchor: Anchor) -> None:
    values = (anchor.shop, anchor.till, anchor.count, anchor.head, anchor.at_ms)
    db.execute("INSERT INTO anchors VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", values)
    db.execute(
        "DELETE FROM anchors WHERE shop = ?1 AND till = ?2 AND count <"
        " (SELECT count FROM anchors WHERE shop = ?1 AND till = ?2 ORDER BY count DESC LIMIT 1 OFFSET ?3)",
        (anchor.shop, anchor.till, ANCHORS_KEPT),
    )


def _prune_events(db: sqlite3.Connection, before_ms: int) -> int:
    """Per shop from its oldest event on; a head keeps its number, so a number is never given twice."""
    gone = 0
    for (shop,) in db.execute("SELECT shop FROM heads").fetchall():
        gone += db.execute(
            "DELETE FROM events WHERE shop = ?1 AND received_at_ms < ?2 AND seq <="
            " (SELECT max(seq) FROM (SELECT seq FROM events WHERE shop = ?1 ORDER BY seq LIMIT ?3))",
            (shop, before_ms, PRUNE_ROWS - gone),
        ).rowcount
        if gone >= PRUNE_ROWS:
            break
    return gone


def _prune_rest(db: sqlite3.Connection, before_ms: int, now_ms: int) -> int:
    links = db.execute("DELETE FROM links WHERE updated_at_ms < ?", (before_ms,)).rowcount
    return links + db.execute("DELETE FROM receipts WHERE until_ms <= ?", (now_ms,)).rowcount
