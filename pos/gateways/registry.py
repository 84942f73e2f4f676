"""Which gateways there are: those built in, and those other packages announce in entry point group `pos.gateways`.

Adapters are imported when they are used. A package cannot take the name of one that is built in. What its code raises
while it is loaded goes no further than this module.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TypeVar, cast

from pos.domain.errors import Broken, NotFound
from pos.domain.facts import Mode
from pos.domain.ports import Adapter, Capabilities
from pos.gateways.base import NamesAccount

T = TypeVar("T")
GROUP = "pos.gateways"
BUILT_IN = {"stripe": "pos.gateways.stripe.adapter:make", "razorpay": "pos.gateways.razorpay.adapter:make"}
OWN_PACKAGE = "truetill"
WHY_MAX_CHARS = 160
"""Of what a package raised; the rest is for who wrote it, and stands behind the error."""


def names() -> list[str]:
    """Names of all gateways, sorted."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def adapter(name: str, mode: Mode) -> Adapter:
    """A new adapter, its account still unknown.

    Raises:
        NotFound: no gateway of that name.
        Broken: its package cannot be loaded.
    """
    target, package = _where(name)
    return _foreign(name, package, lambda: _made(target, mode))


def account_of(name: str, adapter: Adapter, keys: Mapping[str, str]) -> str:
    """The account as the adapter itself names it from the keys, "" where it does not. Raises Broken as `adapter`."""
    if not isinstance(adapter, NamesAccount):
        return ""
    _, package = _where(name)
    return _foreign(name, package, lambda: adapter.account_of(keys), saw_keys=True)


def _foreign(name: str, package: str, work: Callable[[], T], *, saw_keys: bool = False) -> T:
    """What code of another package gives. Whatever it raises ends here, as one sentence: cash needs no gateway.

    `saw_keys`: it was given keys, so that nothing it says may be repeated.

    Raises:
        Broken: it raised, or wanted to end the program.
    """
    try:
        return work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        kind = type(error).__name__
        raise _broken(name, package, kind if saw_keys else f"{kind}: {error}") from (None if saw_keys else error)


def _made(target: str, mode: Mode) -> Adapter:
    module, _, attribute = target.partition(":")
    make = cast("Callable[[Mode], Adapter]", getattr(importlib.import_module(module), attribute))
    made = make(mode)
    if not isinstance(made.capabilities, Capabilities):  # read here: a field that does not exist shows now, not at F12
        raise TypeError("its capabilities are none")
    return made


def _broken(name: str, package: str, why: str) -> Broken:
    first = next(iter(why.splitlines()), "").strip()[:WHY_MAX_CHARS].rstrip(".")
    hint = f"Install the package {package} again, or another version; until then `pos gateways disable {name}`."
    return Broken(f"The gateway {name!r} cannot be loaded ({first}).", hint)


def _where(name: str) -> tuple[str, str]:
    """(`module:attribute`, the package that it is of)."""
    if name in BUILT_IN:
        return BUILT_IN[name], OWN_PACKAGE
    found = next((point for point in entry_points(group=GROUP) if point.name == name), None)
    if found is None:
        hint = f"Known: {', '.join(names())}. Another one comes in a package of its own, which is not installed."
        raise NotFound(f"There is no gateway {name!r}.", hint)
    return found.value, found.dist.name if found.dist is not None else found.module
