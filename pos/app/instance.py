"""What a till's home keeps to be told from a copy of itself: the word of its lease in the shared books.

No secret: who reads it can show it to a database that they can write to already.
"""

from __future__ import annotations

import json
from pathlib import Path

from pos.app.secrets.files import write_private

FILE = "instance.json"


class HomeIdentity:
    """`pos.store.gate.Identity` in a file. Programs of one home write it one after the other, under the books' lock."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def words(self) -> tuple[str, ...]:
        """What cannot be read is no word: this home then waits until the lease is over, as a copy would."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ()
        words = kept.get("words") if isinstance(kept, dict) else None
        return tuple(str(word) for word in words if word) if isinstance(words, list) else ()

    def promise(self, known: str, next_word: str) -> None:
        write_private(self._path, json.dumps({"words": [known, next_word]}).encode())
