"""The papers say what is: settings, commands, versions, decisions, links and pictures."""

import re
import textwrap
import tomllib
from pathlib import Path

import click
import msgspec
import pytest

from pos.app import config
from pos.cli.main import pos as program
from tests.house.source import ROOT, commands, text

PAPERS = sorted(path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if not path.name.startswith("."))
ARCHITECTURE_WORDS = 1_800
"""Three printed pages."""


def commands_in(paper: str) -> set[str]:
    """What follows `pos` in a paper's code, word by word until something that is no plain word."""
    found = set()
    for block in re.findall(r"^```\w*\n(.*?)^```|`([^`\n]+)`", text(paper), re.M | re.S):
        for line in "\n".join(block).splitlines():
            for match in re.finditer(r"(?:^|[\s;|&(])(?:\./run )?pos((?: [a-z][a-z-]*)+)", line):
                found.add(match.group(1).strip())
    return found


def known(words: str) -> bool:
    """Whether the words begin with a command or name a group; further words may be its arguments."""
    parts = words.split()
    return any(" ".join(parts[:n]) in commands() for n in (1, 2)) or _is_group(parts[0])


def _is_group(name: str) -> bool:
    command = program.get_command(click.Context(program), name)
    return isinstance(command, click.Group)


def test_version_and_changelog_agree() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    newest = re.search(r"^## \[([^\]]+)\] - \d{4}-\d\d-\d\d$", text("CHANGELOG.md"), re.M)
    assert newest is not None
    assert newest.group(1) == version
    said = next(p for p in program.params if p.name == "version")
    assert said is not None
    assert f'version="{version}"' in text("pos/cli/main.py")


def documented_settings() -> dict[str, dict[str, str]]:
    """Key to default, by section, from README's tables."""
    found: dict[str, dict[str, str]] = {}
    for section, body in re.findall(r"^### `\[([^\]]+)\]`.*?\n(.*?)(?=^###? |\Z)", text("README.md"), re.M | re.S):
        found[section] = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", body, re.M))
    return found


def real_settings() -> dict[str, dict[str, str]]:
    sections: dict[str, type] = {f.name: f.type for f in msgspec.structs.fields(config.Settings)}
    assert "gateways" in sections
    sections["gateways.stripe"] = config.GatewaySettings
    del sections["gateways"]
    return {name: {f.name: _toml(f.default) for f in msgspec.structs.fields(kind)} for name, kind in sections.items()}


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def test_every_setting_is_documented_with_its_default() -> None:
    assert documented_settings() == real_settings()


def test_the_example_in_readme_is_accepted() -> None:
    examples = re.findall(r"^ *```toml\n(.*?)^ *```", text("README.md"), re.M | re.S)
    assert examples
    for example in examples:
        assert config.parse(textwrap.dedent(example)).shop.name


def test_the_commands_in_the_papers_exist() -> None:
    for paper in (
        "README.md",
        "docs/operations.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/export.md",
        "CHANGELOG.md",
    ):
        unknown = {words for words in commands_in(paper) if not known(words)}
        assert not unknown, f"{paper} names commands that do not exist: {unknown}"


def test_readme_names_every_command() -> None:
    named = {words.split()[0] for words in commands_in("README.md")}
    top = set(program.list_commands(click.Context(program)))
    assert named >= top, f"README says nothing of {sorted(top - named)}"


def test_the_doors_in_the_papers_exist() -> None:
    usage = text("run.py")
    for paper in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"):
        for door in set(re.findall(r"\./run ([a-z]+)", text(paper))):
            assert f"./run {door}" in usage, f"{paper}: ./run {door}"


def test_exit_statuses_are_told_alike() -> None:
    for paper in ("README.md", "docs/operations.md"):
        assert re.search(r"0 done; 1 .*?; 2 .*?; 3 unknown.*?; 4\s+not\s+reachable", text(paper), re.S), paper


def test_decisions_are_numbered_and_linked() -> None:
    files = sorted((ROOT / "docs/adr").glob("*.md"))
    numbers = [path.name[:4] for path in files]
    assert numbers == [f"{n:04}" for n in range(1, len(files) + 1)]
    for path in files:
        content = path.read_text("utf-8")
        assert content.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"^## (.*)$", content, re.M) == ["Context", "Choice", "Price paid"]
        assert len(content.split()) < 600, f"{path.name} is longer than a page"
        assert f"docs/adr/{path.name}" in text("ARCHITECTURE.md")


def test_architecture_has_three_pages_and_names_every_room() -> None:
    content = text("ARCHITECTURE.md")
    assert len(content.split()) <= ARCHITECTURE_WORDS
    for room in (ROOT / "pos").iterdir():
        if not room.name.startswith("_"):
            assert f"`pos/{room.name}`" in content


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_pictures_and_paths_exist(paper: Path) -> None:
    content = paper.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", content):
        assert target.startswith("https://") or (paper.parent / target).exists(), f"{paper.name}: {target}"
    for path in re.findall(r"`((?:pos|tests|docs|resources)/[\w./-]+)`", content):
        assert (ROOT / path).exists(), f"{paper.name}: {path}"
