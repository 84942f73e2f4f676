"""The gateways whose messages this relay understands: those in the box have an `envelope` module beside their adapter,

other packages announce theirs in entry point group `pos.gateways.envelopes`. Only these light modules are loaded, never
an adapter: the relay asks no gateway and holds none of their keys.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points

import pos.gateways
from pos.domain.envelope import Envelope
from pos.domain.errors import Broken
from pos.gateways.signing import Check, Headers


@dataclass(frozen=True, slots=True)
class Door:
    """`verify` is None where a gateway does not sign: its message is a reason to ask, like every other.

    `read_webhook` gets the headers too: Razorpay says there which event it is.
    """

    gateway: str
    verify: Callable[[Sequence[str], Headers, bytes, float], Check] | None
    read_webhook: Callable[[bytes, Headers], Envelope]
    page_hosts: tuple[str, ...]


GROUP = "pos.gateways.envelopes"


def find_doors() -> dict[str, Door]:
    """Every gateway that has an `envelope` module, by its name. A package cannot take the name of one in the box.

    Raises:
        Broken: a package's module cannot be loaded, or is no envelope.
    """
    modules = {point.name: point.value for point in entry_points(group=GROUP)}
    for module in pkgutil.iter_modules(pos.gateways.__path__):
        name = f"pos.gateways.{module.name}.envelope"
        if module.ispkg and importlib.util.find_spec(name) is not None:
            modules[module.name] = name
    return {gateway: _door(gateway, name) for gateway, name in modules.items()}


def _door(gateway: str, module: str) -> Door:
    try:
        found = importlib.import_module(module)
        return Door(gateway, getattr(found, "verify", None), found.read_webhook, tuple(found.PAGE_HOSTS))
    except (ImportError, AttributeError) as error:
        hint = "Install its package again, or remove it."
        raise Broken(f"The messages of {gateway!r} cannot be read: {error}.", hint) from error
