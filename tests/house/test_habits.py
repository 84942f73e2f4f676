"""What must never stand in the code, and what must always stand beside it."""

import ast
import json
import re
import sys

import click
import pytest

from pos.domain import errors
from pos.domain.matching import MEANING
from pos.domain.shown import TABLE, Shown
from pos.words.states import LOOKS
from tests.house.source import POS, ROOT, commands, modules, nodes, text

BROAD = {
    "pos/ui/tasks.py": "the task runner: a view's task must not take the window down",
    "pos/sync/supervisor.py": "the loop edge: one broken loop must not stop the others",
    "pos/relay/server.py": "the ASGI edge of the relay",
    "pos/sandbox/server.py": "the ASGI edge of the sandbox",
    "pos/gateways/foreign.py": "code of other packages is loaded here: what it raises must not stop a till's cash",
    "pos/store/engine.py": "the writer thread hands whatever went wrong to its caller, whole",
}
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.PosError)}
NO_HINT = {
    "pos/app/demo/play.py": "what the story asserts; its reader is the developer who broke it",
    "pos/app/demo/story.py": "the same",
    "pos/relay/api.py": "becomes a bare 404 to a program",
    "pos/relay/log_sqlite.py": "becomes a 404, whose page has words of its own",
}
"""Where an error needs no hint, and why: nobody at a counter reads it."""


def test_the_domain_needs_the_standard_library_only() -> None:
    foreign = []
    for path, tree in modules().items():
        if not path.startswith("pos/domain/"):
            continue
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                if name.split(".")[0] not in sys.stdlib_module_names and not (name + ".").startswith("pos.domain."):
                    foreign.append(f"{path}: {name}")
    assert not foreign


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    left = [str(p.relative_to(ROOT)) for p in POS.rglob("*.py") if words.search(p.read_text("utf-8"))]
    assert not left


def test_broad_excepts_stand_in_the_named_places_only() -> None:
    found = set()
    for where, node in nodes(ast.ExceptHandler):
        assert isinstance(node, ast.ExceptHandler)
        caught = [] if node.type is None else node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {ast.unparse(name) for name in caught}
        reraises = bool(node.body) and isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
        if (node.type is None or names & {"Exception", "BaseException"}) and not reraises:
            found.add(where.rpartition(":")[0])
    assert found <= set(BROAD), f"broad except outside the named places: {sorted(found - set(BROAD))}"


def test_every_error_says_what_to_do() -> None:
    silent = []
    for where, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        name = ast.unparse(node.func).rpartition(".")[2]
        if name not in ERRORS or where.rpartition(":")[0] in NO_HINT:
            continue
        hint = node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords if k.arg == "hint"), None)
        starred = any(isinstance(argument, ast.Starred) for argument in node.args)
        if not starred and (hint is None or (isinstance(hint, ast.Constant) and not hint.value)):
            silent.append(f"{where} {ast.unparse(node)[:90]}")
    assert not silent, "errors without a hint:\n" + "\n".join(silent)


def test_the_check_for_hints_sees_errors() -> None:
    assert {"PosError", "BadInput", "Refused", "Broken", "OutcomeUnknown", "Unreachable"} <= ERRORS
    calls = [n for _, n in nodes(ast.Call) if ast.unparse(n.func).rpartition(".")[2] in ERRORS]  # type: ignore[attr-defined]
    assert len(calls) > 50


@pytest.mark.parametrize("shown", list(Shown))
def test_every_state_has_word_colour_and_icon(shown: Shown) -> None:
    look = LOOKS[shown]
    assert look.short_word
    assert look.long_word
    assert (ROOT / "resources/icons" / f"{look.icon}.svg").is_file()
    for theme in ("light", "dark", "contrast"):
        tokens = json.loads(text(f"resources/theme/{theme}.json"))
        assert {look.tone, f"{look.tone}_soft"} <= set(tokens), f"{theme} has no colour {look.tone}"


def test_every_state_can_be_reached_in_the_table() -> None:
    assert [word for word, _ in TABLE[:-1]] == list(dict.fromkeys(word for word, _ in TABLE[:-1]))
    assert {word for word, _ in TABLE} == set(Shown)


def test_every_category_has_a_meaning() -> None:
    assert list(MEANING) == [f"M{number:02}" for number in range(1, 24)]
    assert all(MEANING.values())


def test_findings_use_known_categories_only() -> None:
    used = {n.value for _, n in nodes(ast.Constant) if isinstance(n.value, str) and re.fullmatch(r"M\d\d", n.value)}  # type: ignore[attr-defined]
    assert used <= set(MEANING)


@pytest.mark.parametrize("words", sorted(commands()))
def test_every_command_has_help_with_an_example(words: str) -> None:
    command = commands()[words]
    shown = command.get_help(click.Context(command, info_name=f"pos {words}"))
    assert re.search(rf"Example:\s+(.*\n\s+)*?.*\bpos {words}\b", shown), shown
    undocumented = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert set(undocumented) <= {"host", "port", "limit", "gateway"}, undocumented


def test_lock_files_hold_digests_and_no_address() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        content = text(lock)
        assert "://" not in content
        assert "index-url" not in content
        pinned = re.findall(r"^[a-z0-9][\w.\-\[\]]*==[^\s\\]+", content, re.M | re.I)
        blocks = re.split(r"^(?=[a-zA-Z0-9])", content, flags=re.M)[1:]
        assert len(pinned) == len(blocks) > 20
        assert all("--hash=sha256:" in block for block in blocks)
