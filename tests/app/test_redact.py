"""What is written down has no secret in it: messages, tracebacks, of any thread, in the log and before there is one."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pos.app import logs, redact
from pos.app.crash import Redacted
from tests.processes import ROOT

KNOWN = "correct-horse'battery"  # looks like nothing; only knowing it helps


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_hidden", {})


@pytest.mark.parametrize(
    "secret",
    [
        "sk_live_51Habcdef",
        "sk_test_51Habcdef",
        "rk_live_abc-def_1",
        "pk_live_51Habcdef",
        "whsec_abcDEF123456",
        "rzp_live_ILgsfZCZoFIKMb",
        "tt_till_x-y_zabcdef",
        "Bearer abc.def~ghi123",
        "Basic " + base64.b64encode(b"rzp_test_key:secret").decode(),
        "4242 4242 4242 4242",
        "4242424242424242",
    ],
)
@pytest.mark.parametrize("around", ["{}", "key={}&x=1", '{{"k": "{}"}}', "({})", "x/{}?", "was {}, is not"])
def test_what_looks_like_a_secret_is_blanked(secret: str, around: str) -> None:
    told = redact.redact(around.format(secret))
    assert secret not in told
    assert secret.split()[-1] not in told
    assert redact.BLANK in told


@pytest.mark.parametrize(
    "words", ["order 2-01873, 600 INR", "task_completed_fully", "a basic setting of the bearer", ""]
)
def test_ordinary_words_stay(words: str) -> None:
    assert redact.redact(words) == words


def test_what_the_process_knows_is_blanked_however_it_looks() -> None:
    assert redact.hide(KNOWN) == KNOWN
    redact.hide("abc")  # too short to be told from a word
    assert (
        redact.redact(f"abc {KNOWN} {KNOWN!r} {[KNOWN]}") == f'abc {redact.BLANK} "{redact.BLANK}" ["{redact.BLANK}"]'
    )


def test_the_newest_are_remembered_within_a_bound() -> None:
    for number in range(redact.HIDDEN_MAX + 10):
        redact.hide(f"secret number {number}")
    assert len(redact._hidden) == redact.HIDDEN_MAX
    assert redact.redact(f"secret number {redact.HIDDEN_MAX + 9}") == redact.BLANK


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    found = logging.getLogger()
    before, level = list(found.handlers), found.level
    yield found
    for handler in [handler for handler in found.handlers if handler not in before]:
        found.removeHandler(handler)
        handler.close()
    found.setLevel(level)


def test_the_log_has_neither_in_messages_nor_in_tracebacks(tmp_path: Path, root: logging.Logger) -> None:
    redact.hide(KNOWN)
    logs.start(tmp_path)
    log = logging.getLogger("test.redact")
    log.warning("key %s of %r", "sk_live_abcdefgh", KNOWN)
    try:
        raise ValueError(f"refused: {KNOWN}")
    except ValueError as error:
        try:
            raise RuntimeError("Bearer abcdefghijk") from error
        except RuntimeError:
            log.exception("it failed with %s", KNOWN, stack_info=True)
    text = (tmp_path / "logs" / "till.log").read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["text"] for line in lines] == ['key […] of "[…]"', "it failed with […]"]
    assert "RuntimeError: […]" in lines[1]["trace"]
    assert "ValueError: refused: […]" in lines[1]["trace"]
    assert KNOWN not in text
    assert "abcdefgh" not in text


def test_any_formatter_sees_a_record_without_them() -> None:
    redact.hide(KNOWN)
    try:
        raise ValueError(KNOWN)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "%s!", (KNOWN,), sys.exc_info())
    assert Redacted().filter(record)
    assert KNOWN not in logging.Formatter().format(record)
    assert record.getMessage() == "[…]!"


def crash_of(script: str) -> str:
    prelude = f"from pos.app.crash import guard; from pos.app.redact import hide; guard(); key = hide({KNOWN!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "script",
    [
        "raise ValueError(f'refused {key} and sk_live_abcdefgh')",
        "import threading; t = threading.Thread(target=lambda: int(key)); t.start(); t.join()",
        "import logging; logging.getLogger('x').warning('not accepted: %s', key)",
        "import logging\ntry:\n  int(key)\nexcept ValueError:\n  logging.getLogger('x').exception('no')",
        "import asyncio\nasync def f(): raise ValueError(key)\n"
        "async def g():\n  t = asyncio.create_task(f()); await asyncio.sleep(0); await asyncio.sleep(0); del t\n"
        "asyncio.run(g())",
    ],
    ids=["crash", "thread", "log", "trace", "task"],
)
def test_a_crash_tells_where_and_not_what(script: str) -> None:
    told = crash_of(script)
    assert redact.BLANK in told
    assert KNOWN not in told
    assert "sk_live_abcdefgh'" not in told
