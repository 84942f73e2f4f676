"""The bus: what happened, told to whoever listens. Events carry ids and new state, never names of screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pos.services.views import OrderRow, StatusView


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An order's money, life or certainty changed; `row` is its new line, so that no screen asks the store again."""

    row: OrderRow


@dataclass(frozen=True, slots=True)
class LinkIssued:
    order_id: str
    attempt_id: str


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """A code of this text will be wanted when the write that is under way is done; it must not be shown before."""

    text: str


@dataclass(frozen=True, slots=True)
class PageOpened:
    """The customer opened the payment page (a hint)."""

    order_id: str


@dataclass(frozen=True, slots=True)
class StatusChanged:
    status: StatusView


@dataclass(frozen=True, slots=True)
class ReconcileDone:
    gateway: str
    corrected: int
    exceptions: int
    complete: bool


@dataclass(frozen=True, slots=True)
class GatewaysChanged:
    """Other gateways, keys or order of use than before; `names` in the order of use."""

    names: tuple[str, ...]


Event = OrderChanged | LinkIssued | CodeWanted | PageOpened | StatusChanged | ReconcileDone | GatewaysChanged
Listener = Callable[[Event], None]


class Bus:
    """Calls every listener at once, in the caller's thread: the event loop's. Listeners are quick and do not raise."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Listen; call the result to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            listener(event)
