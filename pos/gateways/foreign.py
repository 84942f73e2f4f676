"""Code of other people's packages, called where what it raises must not stop a till or reach somebody at a counter.

The one place that catches everything for that; never here: which packages there are.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import TypeVar

from pos.domain.errors import Broken

T = TypeVar("T")
WHY_MAX_CHARS = 160
"""Of what a package raised; the rest is for who wrote it, and stands behind the error."""


def loaded(what: str, package: str, work: Callable[[], T], *, saw_keys: bool = False) -> T:
    """What a package's code gives. `saw_keys`: it was given keys, so that nothing it says may be repeated.

    Raises:
        Broken: it raised, or wanted to end the program; one sentence of `what`.
    """
    try:
        return work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        kind = type(error).__name__
        first = next(iter(str(error).splitlines()), "") if not saw_keys else ""
        why = f"{kind}: {first}".strip(": ")[:WHY_MAX_CHARS].rstrip(".")
        hint = f"Install the package {package} again or another version of it, or uninstall it."
        raise Broken(f"{what} cannot be loaded ({why}).", hint) from (None if saw_keys else error)


def package_of(point: EntryPoint) -> str:
    """For people: what they would install."""
    return point.dist.name if point.dist is not None else point.module
