"""Writes the template of all sentences, and brings every translation up to it. Run after sentences change:

    .venv/bin/python -m tests.words.update_catalogue

New sentences are left empty in the translations; what is gone is dropped. A test fails until they are filled.
"""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
WORDS = ROOT / "pos" / "words"
TRANSLATIONS = ROOT / "resources" / "translations"
TEMPLATE = TRANSLATIONS / "truetill.pot"


def sentences() -> Catalog:
    """Every sentence of pos/words with the module it stands in: `Text`, `Plural` and `_` calls."""
    catalogue = Catalog(project="Truetill", charset="utf-8", fuzzy=False)
    for path in sorted(WORDS.glob("*.py")):
        place = [(path.relative_to(ROOT).as_posix(), None)]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found = _message(node)
            if found:
                catalogue.add(found, locations=place)
    return catalogue


def _message(node: ast.AST) -> str | tuple[str, str] | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if node.func.id in ("Text", "_") and texts:
        return texts[0]
    return (texts[0], texts[1]) if node.func.id == "Plural" and len(texts) == 2 else None


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem if path.suffix == ".po" else None)


def write(path: Path, catalogue: Catalog) -> None:
    # a date of its own in every run would make every diff noisy
    catalogue.creation_date = catalogue.revision_date = datetime(2026, 11, 22, tzinfo=UTC)
    with path.open("wb") as file:
        write_po(file, catalogue, width=100, sort_output=True, include_lineno=False, omit_header=False)


def main() -> None:
    template = sentences()
    write(TEMPLATE, template)
    for path in sorted(TRANSLATIONS.glob("*.po")):
        catalogue = read(path)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        write(path, catalogue)


if __name__ == "__main__":
    main()
