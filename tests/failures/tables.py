"""Reading the two tables: what each number says, and which tests it names."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.processes import ROOT

HERE = Path(__file__).resolve().parent
CASES = HERE / "CASES.md"
BAD_INPUT = HERE / "BAD_INPUT.md"
_ROW = re.compile(r"^\| (\d+) \| (.*) \|$")
_TEST = re.compile(r"`(tests/[^`]*::[^`]*)`")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; `tests` are node ids, with a case in brackets or for all cases of a function."""

    number: int
    text: str
    tests: tuple[str, ...]

    @property
    def later(self) -> bool:
        return re.search(r"\| later\b", self.text) is not None

    @property
    def cannot_occur(self) -> bool:
        return "**Cannot occur**" in self.text

    @property
    def not_yet(self) -> bool:
        return "**Not yet**" in self.text


def rows(table: Path) -> list[Row]:
    found = []
    for line in table.read_text(encoding="utf-8").splitlines():
        match = _ROW.match(line)
        if match:
            found.append(Row(int(match.group(1)), match.group(2), tuple(_TEST.findall(line))))
    return found


@cache
def functions(path: str) -> frozenset[str]:
    """Names of the functions of a test module; none where there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def exists(node_id: str) -> bool:
    path, _, name = node_id.partition("::")
    return name.partition("[")[0] in functions(path)
