"""Every sentence can be translated, and the translations that are shipped are whole."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from pos.words import language
from pos.words.pay import Unknown
from pos.words.sell import Tray
from tests.words import update_catalogue

ROOT = update_catalogue.ROOT
TRANSLATIONS = sorted(update_catalogue.TRANSLATIONS.glob("*.po"))


@pytest.fixture(autouse=True)
def _english_after() -> Iterator[None]:
    yield
    language.use("en")


def ids(catalogue: object) -> set[str]:
    return {str(message.id) for message in catalogue if message.id}  # type: ignore[attr-defined]


def test_the_template_has_every_sentence_and_no_other() -> None:
    template = update_catalogue.read(update_catalogue.TEMPLATE)
    assert ids(template) == ids(update_catalogue.sentences()), "run python -m tests.words.update_catalogue"


@pytest.mark.parametrize("path", TRANSLATIONS, ids=lambda path: path.stem)
def test_a_translation_is_whole(path: Path) -> None:
    catalogue = update_catalogue.read(path)
    assert ids(catalogue) == ids(update_catalogue.sentences())
    empty = [message.id for message in catalogue if message.id and not _filled(message)]
    assert empty == []


def _filled(message: Message) -> bool:
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("path", TRANSLATIONS, ids=lambda path: path.stem)
def test_a_translation_fills_the_same_fields(path: Path) -> None:
    for message in update_catalogue.read(path):
        sources = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for source, translated in zip(sources, strings, strict=True):
            assert fields(translated) == fields(source), source


def test_sentences_follow_the_language() -> None:
    assert Unknown.HEADLINE_2 == "Do not charge again."
    assert language.use("de_AT") == "de"
    assert Unknown.HEADLINE_2 == "Nicht noch einmal kassieren."
    assert Tray.WAITING(2) == "2 warten"
    assert language.use("xx") == "en"
    assert Unknown.HEADLINE_2 == "Do not charge again."


def test_an_empty_text_stays_empty() -> None:
    language.use("de")
    assert language.translate("") == ""


# Sentences stand in pos/words and nowhere else in the window --------------------------------------------------------

SENTENCE = re.compile(r"[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}")
LOGS = {"warning", "info", "error", "exception", "debug", "log"}


def sentences_in(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = {id(node) for node in _not_for_people(tree)}
    return [
        f"{path.name}:{node.lineno} {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        and id(node) not in allowed and SENTENCE.search(node.value)
    ]  # fmt: skip


def _not_for_people(tree: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, what is logged, what an assert or a raise of our own bugs says, and lists of keys."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.Assert) and node.msg is not None:
            yield from ast.walk(node.msg)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            name = node.exc.func.id if isinstance(node.exc.func, ast.Name) else ""
            if name in ("ValueError", "OSError", "AssertionError"):
                yield from ast.walk(node.exc)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGS:
            yield from ast.walk(node)


def test_no_sentence_stands_in_the_window() -> None:
    known = {"Return Enter", "DejaVu Sans Mono", "Noto Sans", "Noto Sans Devanagari", "Noto Sans CJK SC"}
    known |= {"Nirmala UI", "Microsoft YaHei", "PingFang SC"}
    found = [line for path in sorted((ROOT / "pos" / "ui").rglob("*.py")) for line in sentences_in(path)]
    assert [line for line in found if line.partition(" ")[2].strip("'") not in known] == []


def test_the_check_for_sentences_sees_one(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text('"""A doc string here."""\nlabel("Do not charge again.")\nlog.info("fine to log this")\n')
    assert sentences_in(path) == ["x.py:2 'Do not charge again.'"]


def test_every_word_is_used() -> None:
    code = "\n".join(p.read_text("utf-8") for p in (ROOT / "pos").rglob("*.py"))
    unused = []
    for path in sorted(update_catalogue.WORDS.glob("*.py")):
        if path.stem in ("language", "happened"):  # no sentences; receipts' words that the printed copies will use
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                names = [
                    t.id for s in node.body if isinstance(s, ast.Assign) for t in s.targets if isinstance(t, ast.Name)
                ]
                unused += [f"{node.name}.{name}" for name in names if not _used(code, node.name, name)]
    assert not unused, ", ".join(unused)


def _used(code: str, owner: str, name: str) -> bool:
    """By its name, or read by name from a table (`getattr`)."""
    if f"getattr({owner}, " in code:
        return True
    return bool(re.search(rf"\b(?:{owner}|Words)\.{name}\b", code))
