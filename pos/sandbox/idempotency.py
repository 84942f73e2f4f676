"""At most one outcome per account and key: replay, mismatch, conflict. No words of a gateway.

The answer is written in the transaction of its work, so that no crash can separate the two. A key in progress is
known to this process only: a process that dies takes its unfinished work along.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pos.sandbox.records import Answer
from pos.sandbox.store import Tx

KEY_LIFE_S = 24 * 3600  # a key may be forgotten after 24 h
LONGEST_KEY = 255  # characters


class InProgress(Exception):
    """Another request with this key has not been answered yet."""


class Mismatch(Exception):
    """The key was used for something else: `other_target`, or other parameters."""

    def __init__(self, other_target: str | None) -> None:
        super().__init__(other_target or "other parameters")
        self.other_target = other_target


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what under which key; `parameters` as they came over the wire."""

    account: str
    key: str
    target: str  # method and path
    parameters: bytes
    request: str
    now: int

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.parameters).hexdigest()


class InFlight:
    """The keys that are being worked on."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def claim(self, asked: Asked | None) -> Iterator[None]:
        """Hold the key while the request lasts; nothing to hold where none was sent.

        Raises:
            InProgress: somebody else holds it.
        """
        if asked is None:
            yield
            return
        held = (asked.account, asked.key)
        if held in self._keys:
            raise InProgress
        self._keys.add(held)
        try:
            yield
        finally:
            self._keys.discard(held)


def recall(tx: Tx, asked: Asked) -> Answer | None:
    """What was answered under this key, if it was for the same request and is not too old.

    Raises:
        Mismatch: it was for another one.
    """
    answer = tx.one(Answer, "WHERE account = ? AND key = ?", asked.account, asked.key)
    if answer is None:
        return None
    if asked.now - answer.created >= KEY_LIFE_S:
        tx.execute("DELETE FROM answer WHERE account = ? AND key = ?", asked.account, asked.key)
        return None
    if answer.target != asked.target:
        raise Mismatch(answer.target)
    if answer.digest != asked.digest:
        raise Mismatch(None)
    return answer


def remember(tx: Tx, asked: Asked, status: int, body: str) -> None:
    row = {"account": asked.account, "key": asked.key, "target": asked.target, "digest": asked.digest}
    tx.insert("answer", {**row, "created": asked.now, "status": status, "body": body, "request": asked.request})
