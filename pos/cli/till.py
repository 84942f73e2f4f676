"""`pos till`: the window."""

from __future__ import annotations

import gc
import sys

import click

from pos.app.config import home_folder as home


@click.command()
def till() -> None:
    """Open the till's window; a second start raises the first.

    Example: pos till
    """
    gc.disable()  # nothing of the start is garbage; `main` turns it on again after the first paint
    from pos.app.desktop import main

    sys.exit(main(home()))
