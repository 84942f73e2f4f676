"""The journal: one chain per till, its next number taken under the writer's lock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from pos.domain.journal import GENESIS, Entry, chain
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_j = tables.journal
_LAST = select(_j.c.seq, _j.c.hash).where(_j.c.till == bindparam("till")).order_by(_j.c.seq.desc()).limit(1)


class JournalRows(Rows):
    def __init__(self, connection: Connection, till: str) -> None:
        super().__init__(connection)
        self._till = till
        self._last: tuple[int, str] | None = None

    def append(self, at_ms: int, actor: str, act: str, subject: str, body: dict[str, Any]) -> None:
        self.append_all(at_ms, actor, act, [(subject, body)])

    def append_all(self, at_ms: int, actor: str, act: str, lines: Sequence[tuple[str, dict[str, Any]]]) -> None:
        if not lines:
            return
        last, previous = self._last or self._read_last()
        entries = []
        for seq, (subject, body) in enumerate(lines, last + 1):
            text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            digest = chain(previous, (self._till, seq, at_ms, actor, act, subject, text))
            entries.append(Entry(self._till, seq, at_ms, actor, act, subject, text, previous, digest))
            previous = digest
        self._insert_all(_j, [mapping.dump(entry) for entry in entries])
        self._last = (last + len(lines), previous)

    def _read_last(self) -> tuple[int, str]:
        """Where this till's chain ends; nobody else lengthens it while this transaction writes."""
        return next(((seq, digest) for seq, digest in self._read(_LAST, till=self._till)), (0, GENESIS))

    def of_subject(self, subject: str) -> list[Entry]:
        query = select(_j).where(_j.c.subject == subject).order_by(_j.c.at_ms, _j.c.seq)
        return [mapping.load(Entry, row) for row in self._all(query)]

    def knows(self, till: str) -> bool:
        return self._one(select(_j.c.seq).where(_j.c.till == till).limit(1)) is not None

    def entries(self, till: str = "") -> list[Entry]:
        query = select(_j).order_by(_j.c.till, _j.c.seq)
        if till:
            query = query.where(_j.c.till == till)
        return [mapping.load(Entry, row) for row in self._all(query)]
