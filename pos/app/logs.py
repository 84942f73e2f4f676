"""Logs: one line of JSON each, rotated, without secrets."""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
from pathlib import Path

MAX_BYTES = 2_000_000
KEPT_FILES = 5
_SECRET = re.compile(r"(sk|rk|whsec|pk)_[A-Za-z0-9_]{6,}|Bearer\s+\S+|\b(?:\d[ -]?){13,19}\b")


class JsonLines(logging.Formatter):
    """Level, logger, message; anything that looks like a key, a token or a card number is blanked."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "from": record.name,
            "text": redact(record.getMessage()),
        }
        if record.exc_info:
            line["trace"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def redact(text: str) -> str:
    return _SECRET.sub("[…]", text)


def start(home: Path, *, level: int = logging.INFO) -> None:
    """Log into the home's `logs/till.log`; httpx's own lines carry addresses and are kept out."""
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / "till.log", maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
    )
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.setLevel(level)
    root.addHandler(handler)
    for noisy in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
