"""`pos books`: do they hold, and everything in them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pos.app.wiring import Till
from pos.cli.common import json_option, say, say_json, with_till
from pos.services.books import Break


@click.group()
def books() -> None:
    """Verify the books, export them."""


@books.command()
@json_option
def verify(as_json: bool) -> None:
    """Check the invariants over every order; exit status 1 where one does not hold.

    Example: pos books verify
    """

    async def work(till: Till) -> list[Break]:
        return await till.books.verify()

    found = with_till(work)
    if as_json:
        say_json(
            {"ok": not found, "breaks": [{"invariant": b.invariant, "subject": b.subject, "why": b.why} for b in found]}
        )
    else:
        say("the books verify" if not found else "\n".join(str(b) for b in found))
    sys.exit(1 if found else 0)


@books.command()
@click.option("--to", "target", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
def export(target: Path) -> None:
    """Write everything as JSON lines (fields: docs/export.md).

    Example: pos books export --to books.jsonl
    """

    async def work(till: Till) -> list[str]:
        return await till.books.export()

    lines = with_till(work)
    target.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    say(f"{len(lines)} lines written")
