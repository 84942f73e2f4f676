"""What goes to standard error by itself, without secrets: crashes nobody caught, lines logged before there is a log."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType

from pos.app.redact import redact


class Redacted(logging.Filter):
    """Blanks secrets in a record itself, message and traceback, before any formatter sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        record.exc_text = redact(record.exc_text) if record.exc_text else None
        record.stack_info = redact(record.stack_info) if record.stack_info else None
        return True


def guard() -> None:
    """From here on a traceback of this process, of any thread, is written without secrets. For programs, not tests."""
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed
    if logging.lastResort is not None:
        logging.lastResort.addFilter(Redacted())


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


def _thread_crashed(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        _crashed(args.exc_type, args.exc_value, args.exc_traceback)
