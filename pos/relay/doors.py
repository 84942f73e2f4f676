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
from pos.gateways.foreign import loaded, package_of
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
    modules = {point.name: (point.value, package_of(point)) for point in entry_points(group=GROUP)}
    for module in pkgutil.iter_modules(pos.gateways.__path__):
        name = f"pos.gateways.{module.name}.envelope"
        if module.ispkg and importlib.util.find_spec(name) is not None:
            modules[module.name] = name, "truetill"
    return {gateway: _door(gateway, *found) for gateway, found in modules.items()}


def _door(gateway: str, module: str, package: str) -> Door:
    def read() -> Door:
        found = importlib.import_module(module)
        return Door(gateway, getattr(found, "verify", None), found.read_webhook, tuple(found.PAGE_HOSTS))

    return loaded(f"What reads the messages of {gateway!r}", package, read)
