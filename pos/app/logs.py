"""Logs: one line of JSON each, rotated, without secrets."""

from __future__ import annotations

import json
import logging
import logging.handlers
from pathlib import Path

from pos.app.crash import Redacted
from pos.app.redact import redact

MAX_BYTES = 2_000_000
KEPT_FILES = 5


class JsonLines(logging.Formatter):
    """Level, logger, message, traceback: one line whatever stands in them."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "from": record.name,
            "text": redact(record.getMessage()),
        }
        if record.exc_info or record.exc_text:
            line["trace"] = redact(record.exc_text or self.formatException(record.exc_info or (None, None, None)))
        return json.dumps(line, ensure_ascii=False)


def start(home: Path, *, level: int = logging.INFO) -> None:
    """Log into the home's `logs/till.log`; httpx's own lines carry addresses and are kept out."""
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / "till.log", maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
    )
    handler.setFormatter(JsonLines())
    handler.addFilter(Redacted())
    root = logging.getLogger()
    root.setLevel(level)
    root.addHandler(handler)
    for noisy in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
