"""Nothing grows into the tail where other projects got ugly."""

import ast

from tests.house.source import FUNCTIONS, POS, ROOT, code_lines_of, modules, nodes

FUNCTION_LINES = 50
MODULE_LINES = 500
CLASS_LINES = 300
PUBLIC_METHODS = 15

LARGER = {
    "pos/relay/tenants.py:Tenants": ("methods", 16, "one method per command of `pos relay`, and what serving asks"),
    "pos/ui/counter.py:Counter": ("methods", 20, "one method per key of the counter"),
}
"""`path:name` -> (lines or public methods, ceiling, why).

Nothing is added here to save an hour; an entry leaves when its code is split.
"""


def test_functions_are_short() -> None:
    long = [
        f"{where} {node.name}: {code_lines_of(node)}"  # type: ignore[attr-defined]
        for where, node in nodes(*FUNCTIONS)
        if code_lines_of(node) > _ceiling(where, node.name, "lines", FUNCTION_LINES)  # type: ignore[attr-defined]
    ]
    assert not long, f"functions over {FUNCTION_LINES} lines (docstring apart): {long}"


def test_modules_are_short() -> None:
    counts = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in POS.rglob("*.py")}
    long = {path: count for path, count in counts.items() if count > MODULE_LINES}
    assert not long, f"modules over {MODULE_LINES} lines: {long}"


def test_classes_are_small() -> None:
    large = []
    for where, node in nodes(ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        public = [m for m in node.body if isinstance(m, FUNCTIONS) and _is_public_method(m)]
        lines = _ceiling(where, node.name, "lines", CLASS_LINES)
        methods = _ceiling(where, node.name, "methods", PUBLIC_METHODS)
        if code_lines_of(node) > lines or len(public) > methods:
            large.append(f"{where} {node.name}: {code_lines_of(node)} lines, {len(public)} public methods")
    assert not large, f"classes over {CLASS_LINES} lines or {PUBLIC_METHODS} public methods: {large}"


def _ceiling(where: str, name: str, what: str, usual: int) -> int:
    counted, ceiling, _ = LARGER.get(f"{where.rpartition(':')[0]}:{name}", ("", 0, ""))
    return ceiling if counted == what else usual


def test_exceptions_name_what_exists() -> None:
    names = {f"{where.rpartition(':')[0]}:{node.name}" for where, node in nodes(ast.ClassDef, *FUNCTIONS)}  # type: ignore[attr-defined]
    assert set(LARGER) <= names, "an exception for what is gone"


def _is_public_method(node: ast.AST) -> bool:
    """Properties are values, not methods."""
    assert isinstance(node, FUNCTIONS)
    names = {ast.unparse(d).rpartition(".")[2] for d in node.decorator_list}
    return not node.name.startswith("_") and not names & {"property", "setter", "cached_property"}


def test_every_module_says_what_lives_in_it() -> None:
    silent = [path for path, tree in modules().items() if not ast.get_docstring(tree) and tree.body]
    assert not silent
