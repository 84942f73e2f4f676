"""Which gateways there are: those built in, and those other packages announce in entry point group `pos.gateways`.

Adapters are imported when they are used. A package cannot take the name of one that is built in.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from pos.domain.errors import Broken, NotFound
from pos.domain.facts import Mode
from pos.domain.ports import Adapter

GROUP = "pos.gateways"
BUILT_IN = {"stripe": "pos.gateways.stripe.adapter:make", "razorpay": "pos.gateways.razorpay.adapter:make"}


def names() -> list[str]:
    """Names of all gateways, sorted."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def adapter(name: str, mode: Mode) -> Adapter:
    """A new adapter, its account still unknown.

    Raises:
        NotFound: no gateway of that name.
        Broken: its package cannot be loaded.
    """
    make = _maker(name)
    return make(mode)


def _maker(name: str) -> Callable[[Mode], Adapter]:
    target = BUILT_IN.get(name) or _announced(name)
    if target is None:
        raise NotFound(f"There is no gateway {name!r}.", f"Known: {', '.join(names())}.")
    module, _, attribute = target.partition(":")
    try:
        return cast("Callable[[Mode], Adapter]", getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise Broken(f"The gateway {name!r} cannot be loaded: {error}.", "Install its package again.") from error


def _announced(name: str) -> str | None:
    found: list[EntryPoint] = [point for point in entry_points(group=GROUP) if point.name == name]
    return found[0].value if found else None
