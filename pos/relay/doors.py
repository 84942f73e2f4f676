"""The gateways whose messages this relay understands: each has an `envelope` module beside its adapter.

Only these light modules are loaded, never an adapter: the relay asks no gateway and holds none of their keys.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pos.gateways
from pos.domain.envelope import Envelope
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


def find_doors() -> dict[str, Door]:
    """Every gateway in the box that has an `envelope` module, by its name."""
    doors = {}
    for module in pkgutil.iter_modules(pos.gateways.__path__):
        name = f"pos.gateways.{module.name}.envelope"
        if module.ispkg and importlib.util.find_spec(name) is not None:
            found = importlib.import_module(name)
            verify = getattr(found, "verify", None)
            doors[module.name] = Door(module.name, verify, found.read_webhook, tuple(found.PAGE_HOSTS))
    return doors
