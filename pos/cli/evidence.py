"""`pos evidence`: one order, everything known of it, for somebody who was not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from pos.app.wiring import Till
from pos.cli.common import json_option, say, say_json, with_till
from pos.words.orders import Evidence


@click.command()
@click.argument("order")
@click.option("--pdf", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write A4 pages here.")
@json_option
def evidence(order: str, pdf: Path | None, as_json: bool) -> None:
    """All that is known of one order: every fact with its sightings, every call, every decision. ORDER is its number,
    its id, or your key.

    Example: pos evidence 1-00042 --pdf evidence.pdf
    """

    async def work(till: Till) -> tuple[dict[str, Any], str]:
        known = await till.queries.dossier(order)
        from pos.ui import evidence as paper

        return known, paper.page(known, till.formats) if pdf else ""

    known, html = with_till(work)
    if pdf is not None:
        pdf.write_bytes(_pdf(Evidence.TITLE.format(number=known["order"]["number"]), html))
        say(f"{pdf} written")
    if as_json or pdf is None:
        say_json(known)


def _pdf(title: str, html: str) -> bytes:
    """Qt sets the text, with the till's font and without a screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from pos.app.desktop import application
    from pos.ui.pdf import make_sheet

    application()
    return make_sheet(title, html)
