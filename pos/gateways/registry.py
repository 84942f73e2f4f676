"""Which gateways there are: those built in, and those other packages announce in entry point group `pos.gateways`.

Adapters are imported when they are used. A package cannot take the name of one that is built in.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import cast

from pos.domain.errors import NotFound
from pos.domain.facts import Mode
from pos.domain.ports import Adapter, Capabilities
from pos.gateways.base import NamesAccount
from pos.gateways.foreign import loaded, package_of

GROUP = "pos.gateways"
BUILT_IN = {"stripe": "pos.gateways.stripe.adapter:make", "razorpay": "pos.gateways.razorpay.adapter:make"}
OWN_PACKAGE = "truetill"


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
    return loaded(f"The gateway {name!r}", package, lambda: _made(target, mode))


def account_of(name: str, adapter: Adapter, keys: Mapping[str, str]) -> str:
    """The account as the adapter itself names it from the keys, "" where it does not. Raises Broken as `adapter`."""
    if not isinstance(adapter, NamesAccount):
        return ""
    _, package = _where(name)
    return loaded(f"The gateway {name!r}", package, lambda: adapter.account_of(keys), saw_keys=True)


def _made(target: str, mode: Mode) -> Adapter:
    module, _, attribute = target.partition(":")
    make = cast("Callable[[Mode], Adapter]", getattr(importlib.import_module(module), attribute))
    made = make(mode)
    _check(made.capabilities)  # read here: a field that does not exist shows now, not at F12
    return made


def _check(able: Capabilities) -> None:
    """Raises TypeError: it is something else, or holds a text where texts belong: parts of it would pass for hosts."""
    if not isinstance(able, Capabilities):
        raise TypeError("its capabilities are none")
    for name in ("hosts", "page_hosts", "secrets", "collects"):
        value = getattr(able, name)
        if not isinstance(value, tuple) or not (value or name == "page_hosts"):
            raise TypeError(f"capabilities.{name} is no tuple of texts")


def _where(name: str) -> tuple[str, str]:
    """(`module:attribute`, the package that it is of)."""
    if name in BUILT_IN:
        return BUILT_IN[name], OWN_PACKAGE
    found = next((point for point in entry_points(group=GROUP) if point.name == name), None)
    if found is None:
        hint = f"Known: {', '.join(names())}. Another one comes in a package of its own, which is not installed."
        raise NotFound(f"There is no gateway {name!r}.", hint)
    return found.value, package_of(found)
