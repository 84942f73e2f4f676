"""What the window's code never does, each with what it would break."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "pos" / "ui"
CONSTRUCTOR_LINES = 40


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def calls(name: str) -> list[str]:
    return [
        f"{where}:{node.lineno}"
        for where, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
    ]


def test_nothing_runs_events_inside_events() -> None:
    """Inside a coroutine either would run another task in the middle of this one: qasync loses it for good."""
    assert calls("exec") == []
    assert calls("processEvents") == []


def test_no_child_climbs_to_its_parents() -> None:
    assert calls("parent") == []
    assert [where for where in calls("window") if not where.startswith("scanner.py")] == []


def test_coroutines_are_started_in_one_place() -> None:
    for name in ("create_task", "ensure_future", "run_coroutine_threadsafe"):
        assert [where for where in calls(name) if not where.startswith(("tasks.py", "aio.py"))] == []


def test_constructors_only_assemble() -> None:
    long = [
        f"{where} {node.name}: {(item.end_lineno or 0) - item.lineno + 1}"
        for where, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name == "__init__"
        and (item.end_lineno or 0) - item.lineno + 1 > CONSTRUCTOR_LINES
    ]  # fmt: skip
    assert long == []


def test_the_books_are_never_polled_by_a_view() -> None:
    """Views are told; only controls and the counter ask services."""
    asking = [
        f"{where}:{node.lineno}"
        for where, tree in trees()
        if where.startswith(("views/", "widgets/", "models/", "delegates/"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("queries", "checkout", "selling", "refunds")
    ]
    assert asking == []
