"""What a program that we start gets to know of us. Never here: which program that is."""

from __future__ import annotations

import os

SECRETS = "POS_SECRET"
"""What the names of keys in the environment begin with, and that of the file with keys."""


def environment(**more: str) -> dict[str, str]:
    """Ours without anything that is, or leads to, a key: a sound player and a demo's bank need none."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(SECRETS)} | more
