"""Reading the house's own source: modules, their trees, the commands. Shared by the tests that guard it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click

from pos.cli.main import pos as program

ROOT = Path(__file__).resolve().parents[2]
POS = ROOT / "pos"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of `pos/` by its path from the root."""
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in sorted(POS.rglob("*.py"))}


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """(`path:line`, node) of every node of these kinds in `pos/`."""
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, kinds):
                yield f"{path}:{getattr(node, 'lineno', 0)}", node


def lines_of(node: ast.AST) -> int:
    """From the first line (decorators left out) to the last."""
    return (node.end_lineno or 0) - node.lineno + 1  # type: ignore[attr-defined]


def code_lines_of(node: ast.AST) -> int:
    """As `lines_of`, less a docstring."""
    docstring = node.body[0] if ast.get_docstring(node, clean=False) else None  # type: ignore[attr-defined,arg-type]
    return lines_of(node) - (lines_of(docstring) if docstring else 0)


@cache
def commands() -> dict[str, click.Command]:
    """Every command of `pos` by its words: `day close`."""
    found: dict[str, click.Command] = {}

    def walk(words: list[str], command: click.Command) -> None:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below is not None
                walk([*words, name], below)
        else:
            found[" ".join(words)] = command

    walk([], program)
    return found


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")
