"""The doors of the house: what a window or a command may ask for. Protocols; the classes behind them stand beside.

Every call that can take longer than a frame is async. Errors are `PosError`s with a title and a hint. `actor` is the
name of who does it; roles are checked by `people.allow`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pos.domain.basket import Line
from pos.domain.cash import GiveBack
from pos.domain.catalogue import Product
from pos.domain.plan import Share
from pos.services.bus import Bus
from pos.services.returns import Decision, Goods, TakenBack
from pos.services.setup_views import GatewayCard, HookView, NewKeys, SafeView, Tested
from pos.services.views import (
    DayView,
    ExceptionView,
    GatewayChoice,
    OrderRow,
    OrderView,
    Resolution,
    ReturnView,
    StatusView,
    TimelineRow,
)


class SellingApi(Protocol):
    async def save(self, lines: Sequence[Line], *, order_id: str = "", actor: str = "") -> OrderView:
        """Save a draft (a new order where `order_id` is ""); called whenever the basket changes."""
        ...

    async def hold(self, order_id: str, *, actor: str = "") -> OrderView: ...
    async def recall(self, order_id: str, *, actor: str = "") -> OrderView: ...
    async def void(self, order_id: str, *, reason: str, actor: str = "") -> OrderView:
        """Void an order that has no money and no live link (`checkout.give_up` closes one first)."""
        ...

    async def unfinished(self) -> OrderView | None:
        """The draft of this till that was being rung up when the app stopped, to be restored."""
        ...


class CheckoutApi(Protocol):
    async def issue(self, order_id: str, gateway: str, *, actor: str = "") -> OrderView:
        """Place the order and issue its link, or show the live one again. The QR may be shown when `qr_text` is set.

        Comes back with certainty *unknown* when the gateway does not answer. Raises Unreachable, Refused, BadInput.
        """
        ...

    async def check_now(self, order_id: str) -> OrderView:
        """Ask the gateway at once."""
        ...

    async def give_up(self, order_id: str, *, actor: str = "") -> OrderView:
        """Close the open link at the gateway. Phase *closing* in the answer: not confirmed yet."""
        ...

    async def cancel(self, order_id: str, *, reason: str, actor: str = "") -> OrderView:
        """Close the link, then void the order; Refused when it was paid meanwhile, OutcomeUnknown when unconfirmed."""
        ...

    async def release(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """A manager's override of the fence: the link is given up and watched on; flag *unfenced*."""
        ...


class CashApi(Protocol):
    async def take(self, order_id: str, *, given_minor: int | None = None, actor: str = "") -> OrderView:
        """Take what is left to pay in cash (exact if `given_minor` is None). A live link is closed first;

        Refused when it cannot be confirmed closed or was paid meanwhile. `change_minor` is in the answer.
        """
        ...


class TendersApi(Protocol):
    async def terminal(self, order_id: str, *, note: str = "", actor: str = "") -> OrderView:
        """What is left, approved by a terminal that is not connected here. A live link is closed first."""
        ...

    async def by_hand(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """A manager believes a bank's message about the last link that was shown."""
        ...

    async def withdraw(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """Take back what was accepted by hand."""
        ...


class SplitsApi(Protocol):
    async def plan(self, order_id: str, shares: Sequence[Share], *, actor: str = "") -> OrderView:
        """Save how what is left is shared: links first, then the terminal, cash last. A live link is closed first."""
        ...

    async def drop(self, order_id: str, *, actor: str = "") -> OrderView:
        """Take the plan back; what is left may be paid in any way."""
        ...


class RefundsApi(Protocol):
    """`approved_by` names a second manager; NotAllowed where one is needed and missing."""

    async def refund_owed(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """Give back what is owed (second payment, excess, money of a voided order)."""
        ...

    async def refund(
        self, order_id: str, *, amount_minor: int | None, reason: str, actor: str, approved_by: str = ""
    ) -> OrderView:
        """Good will: give back `amount_minor` (None: all that is left) of a paid order."""
        ...

    async def retry(
        self, order_id: str, refund_id: str, *, reason: str, actor: str, approved_by: str = ""
    ) -> OrderView:
        """Ask for a refund that failed anew, for the same purpose and credit note."""
        ...

    async def accept(self, order_id: str, *, reason: str, actor: str) -> OrderView:
        """M09: a voided order that was paid becomes a sale again."""
        ...


class GiveBacksApi(Protocol):
    async def give_back(self, order_id: str, back: GiveBack, *, actor: str, approved_by: str = "") -> OrderView:
        """In cash or on the terminal, what a link took and its gateway cannot give back; within the refunds' cap."""
        ...


class ReturnsApi(Protocol):
    async def look(self, order_id: str, goods: Goods | None = None) -> ReturnView:
        """What of a sale may come back, and what the goods are worth; Refused where nothing of it may."""
        ...

    async def take_back(self, order_id: str, goods: Goods, decision: Decision) -> TakenBack:
        """Write the credit note and give its money back."""
        ...

    async def paper(self, number: str) -> list[str]:
        """A credit note as lines of text, 42 characters wide."""
        ...


class GivingUpApi(Protocol):
    async def give_back_and_void(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        """A part-paid order: void it, and give back what was paid."""
        ...


class DayApi(Protocol):
    async def preview(self, *, refresh: bool = True, day: str = "") -> DayView:
        """The day as it stands; `refresh` reads the gateways' reports first (slow, may be partial)."""
        ...

    async def close(self, *, actor: str, counted_minor: int | None = None, reason: str = "") -> DayView:
        """Close the business day: never blocked by open exceptions, which are carried over under `actor`'s name."""
        ...

    async def show(self, day: str) -> DayView: ...
    async def attach(self, payment: str, order_number: str, *, actor: str, reason: str) -> OrderView: ...


class ExceptionsApi(Protocol):
    """What needs a person: an order's, the shop's, and payments whose order is not here."""

    async def listed(self) -> list[ExceptionView]: ...
    async def act(self, exception_id: str, decision: Resolution) -> OrderView | None:
        """Carry out the proposed step; Refused where it takes a customer."""
        ...

    async def settle(self, exception_id: str, *, reason: str, actor: str, approved_by: str = "") -> None:
        """It was settled outside the till: closed with a manager's reason; no money moves by this."""
        ...


class QueriesApi(Protocol):
    async def order(self, order_id: str) -> OrderView:
        """By id, printed number or the caller's key."""
        ...

    async def timeline(self, order_id: str) -> list[TimelineRow]: ...
    async def dossier(self, order_id: str) -> dict[str, Any]:
        """All that is known of one order, with every sighting and call; shape: `pos.services.dossier`."""
        ...

    async def orders(self, *, status: str = "", day: str = "", text: str = "", limit: int = 500) -> list[OrderRow]: ...
    async def waiting(self) -> list[OrderRow]: ...
    async def held(self) -> list[OrderRow]: ...
    async def status(self) -> StatusView: ...
    def gateways(self) -> list[GatewayChoice]: ...
    async def receipt(self, order_id: str) -> list[str]:
        """The receipt as lines of text, 42 characters wide."""
        ...


class CatalogueApi(Protocol):
    async def products(self) -> list[Product]: ...
    async def find(self, code: str) -> Product:
        """By barcode or SKU; NotFound with a sentence."""
        ...


class PeopleApi(Protocol):
    def allow(self, action: str, actor: str) -> None:
        """Raises NotAllowed when `actor` may not; actions: sell, refund, override, close_day, gateways, settings."""
        ...

    def current(self) -> str: ...
    def role(self, actor: str) -> str: ...


class SetupApi(Protocol):
    """Setting gateways up. Every change needs an actor who may (`people.allow("gateways", actor)`), else NotAllowed."""

    async def cards(self) -> list[GatewayCard]:
        """Those in the settings in the order of their use, then the others that could be set up."""
        ...

    async def add(self, keys: NewKeys, *, actor: str) -> GatewayCard:
        """Try keys, and keep them if the gateway accepts them; Refused, BadInput, Unreachable leave all as it was."""
        ...

    async def enable(self, name: str, on: bool, *, actor: str) -> GatewayCard:
        """Takes payments or not; Refused while a link there may still be paid or a refund is on its way."""
        ...

    async def order(self, names: Sequence[str], *, actor: str) -> list[GatewayCard]: ...
    async def carry(self, name: str, qr: str, *, actor: str) -> GatewayCard:
        """What the code carries; BadInput for what this gateway does not make."""
        ...

    async def remove(self, name: str, *, actor: str) -> None:
        """Forget the keys; Refused as `enable`, BadInput where a key comes from the environment or a file."""
        ...

    async def report_every(self, minutes: float, *, actor: str) -> float: ...
    def report_minutes(self) -> float: ...


class WebhooksApi(Protocol):
    async def of(self, gateway: str) -> HookView:
        """Where this gateway's webhooks go, as the relay says now; never raises."""
        ...


class GateCheckApi(Protocol):
    async def test(self, name: str) -> Tested:
        """Ask over a new connection what can be asked; NotFound for a gateway that takes no payments."""
        ...


class VaultsApi(Protocol):
    """Where keys can be kept here. The vault is for machines without a keyring; its passphrase is kept nowhere."""

    async def look(self) -> SafeView: ...
    async def create(self, passphrase: str, *, actor: str) -> SafeView: ...
    async def unlock(self, passphrase: str, *, actor: str) -> SafeView:
        """NotAllowed where the passphrase is wrong."""
        ...

    async def lock(self, *, actor: str) -> SafeView: ...


class SyncApi(Protocol):
    """The background work, as far as a screen knows it."""

    def watch(self, order_id: str | None) -> None:
        """This order is on screen: look at it often."""
        ...


class TillApi(Protocol):
    """Everything together; `pos.app.wiring` makes one."""

    @property
    def currency(self) -> str: ...
    @property
    def locale(self) -> str: ...
    @property
    def shop_name(self) -> str: ...
    @property
    def till(self) -> str: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def tax_included(self) -> bool: ...
    @property
    def test_mode(self) -> bool: ...
    @property
    def selling(self) -> SellingApi: ...
    @property
    def checkout(self) -> CheckoutApi: ...
    @property
    def cash(self) -> CashApi: ...
    @property
    def tenders(self) -> TendersApi: ...
    @property
    def splits(self) -> SplitsApi: ...
    @property
    def backs(self) -> GiveBacksApi: ...
    @property
    def refunds(self) -> RefundsApi: ...
    @property
    def returns(self) -> ReturnsApi: ...
    @property
    def givingup(self) -> GivingUpApi: ...
    @property
    def day(self) -> DayApi: ...
    @property
    def exceptions(self) -> ExceptionsApi: ...
    @property
    def queries(self) -> QueriesApi: ...
    @property
    def catalogue(self) -> CatalogueApi: ...
    @property
    def people(self) -> PeopleApi: ...
    @property
    def sync(self) -> SyncApi: ...
    @property
    def setup(self) -> SetupApi: ...
    @property
    def gatecheck(self) -> GateCheckApi: ...
    @property
    def webhooks(self) -> WebhooksApi: ...
    @property
    def vaults(self) -> VaultsApi: ...
    @property
    def bus(self) -> Bus: ...
