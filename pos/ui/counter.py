"""The order on the counter and its payment: which stage it is in, and what the keys do with it. No widget, no rule
about money: every decision is a service's, every amount comes out of a view."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from pos.domain.order import Life
from pos.domain.status import Shown
from pos.words.sell import Cash

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pos.services.api import TillApi
    from pos.services.views import GatewayChoice, OrderRow, OrderView, TimelineRow
    from pos.ui.basket import Basket
    from pos.ui.tasks import Tasks


FIRST_WORK_MS = 12
"""A payment's order is written before the screen is laid out for it, within a frame: so the two do not compete."""
TIMELINE_WAIT_S = 0.03
"""What happened is read behind what is waited for: the code, the tick."""


class Stage(StrEnum):
    """What the counter shows. `OPEN`: placed, nothing going on, not paid (a link was given up, expired, failed)."""

    RINGING = "ringing"
    ASKING = "asking"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    PAID = "paid"
    OWED = "owed"
    OPEN = "open"


_BY_WORD = {
    Shown.PAID_TWICE: Stage.OWED,
    Shown.OVERPAID: Stage.OWED,
    Shown.DISPUTED: Stage.PAID,
    Shown.RETURNED: Stage.PAID,
    Shown.REFUNDED: Stage.PAID,
    Shown.PART_REFUNDED: Stage.PAID,
    Shown.PAID: Stage.PAID,
    Shown.UNKNOWN: Stage.UNKNOWN,
    Shown.WAITING: Stage.WAITING,
}


def _own_gateway(view: OrderView) -> tuple[str, bool]:
    """That of the plan's next part, else of the order's attempt, else ""; and whether it must be that one.

    A link that is over binds nobody: where its gateway does not answer, the next one takes the order.
    """
    from pos.domain.payment import LIVE  # not before the first paint

    if view.next_share is not None and view.next_share.gateway:
        return view.next_share.gateway, True
    return (view.attempt.gateway, view.attempt.phase in LIVE) if view.attempt is not None else ("", False)


def ask_minor(counter: Counter) -> int:
    """What the next payment asks for: the next part of a plan, else all that is left or rung up."""
    saved = counter.view or counter.basket.view
    if saved is not None and saved.plan:
        return saved.ask_minor
    return counter.view.left_minor if counter.view is not None else counter.basket.totals.total_minor


class Counter(QObject):
    """`changed` after every change of what is shown; `turned_paid` once, when the order on screen becomes paid.

    `code_due` just before a `changed` that shows a link: the code is what is waited for.
    """

    changed = Signal()
    code_due = Signal()
    turned_paid = Signal()
    turned_unknown = Signal()
    failed = Signal(object)

    def __init__(self, basket: Basket, tasks: Tasks) -> None:
        super().__init__()
        self._tasks = tasks
        self._till: TillApi | None = None
        self.basket = basket
        self.view: OrderView | None = None
        """The order once it is more than a draft; None while ringing."""
        self.timeline: list[TimelineRow] = []
        self.asking = ""
        """Title of the gateway that is being asked for a link, or ""."""
        self._turn = 0
        """Counts the orders that stood here: what was asked about one must not be taken for the next."""
        self.busy = ""
        """What is being waited for, in words, or ""."""
        basket.changed.connect(self._basket_changed)

    def attach(self, till: TillApi) -> None:
        self._till = till
        self.basket.attach(till)

    @property
    def till(self) -> TillApi:
        assert self._till is not None, "commands are off until the till is ready"
        return self._till

    @property
    def ready(self) -> bool:
        return self._till is not None

    @property
    def actor(self) -> str:
        return self.till.people.current()

    @property
    def stage(self) -> Stage:
        if self.asking:
            return Stage.ASKING
        if self.view is None:
            return Stage.RINGING
        found = _BY_WORD.get(self.view.shown)
        if found is None:
            return Stage.RINGING if "edit" in self.view.may and self.view.kept_minor == 0 else Stage.OPEN
        return found

    @property
    def editable(self) -> bool:
        return self.stage is Stage.RINGING and not self.busy

    @property
    def order_id(self) -> str:
        view = self.view or self.basket.view
        return view.order_id if view else ""

    def may(self, what: str) -> bool:
        """Whether the order on the counter allows it; while ringing everything that needs lines only."""
        if self.busy or self._till is None:
            return False
        if self.view is None:
            return bool(self.basket.lines)
        return what in self.view.may

    # Paying ---------------------------------------------------------------------------------------------------------

    def default_gateway(self) -> GatewayChoice | None:
        """The gateway of F12: the order's own while it has one, else the first that is enabled and answers."""
        choices = [choice for choice in self.till.queries.gateways() if choice.enabled]
        own, bound = _own_gateway(self.view) if self.view is not None else ("", False)
        for choice in choices:
            if choice.name == own and (bound or not choice.down):
                return choice
        return next((choice for choice in choices if not choice.down), choices[0] if choices else None)

    def pay_qr(self, gateway: GatewayChoice) -> None:
        """Save, place and issue the link, or show the live one again."""
        if self.asking:
            return  # pressed again before the screen was laid out anew
        self.asking = gateway.title
        self.timeline = []
        self._start(self._issue(gateway.name), "", shown_at_once=False)

    def take_cash(self, given_minor: int | None = None, *, slip: str | None = None) -> None:
        """Cash for what is left, or what a terminal's `slip` says; a live link is closed first, by the service."""
        work = self._cash(given_minor) if slip is None else self._terminal(slip)
        self._start(work, Cash.CLOSING_LINK if self.stage is Stage.WAITING else Cash.TITLE)

    def check(self) -> None:
        self._start(self.till.checkout.check_now(self.order_id), "")

    def give_up(self) -> None:
        """Close the open link; the order stays on the counter and can be paid another way."""
        self._start(self.till.checkout.give_up(self.order_id, actor=self.actor), Cash.CLOSING_LINK)

    def release(self, reason: str, second: str = "", *, believed: bool = False) -> None:
        """A manager gives the link up; `believed`: because a bank's message says that it was paid."""
        decide = self.till.tenders.by_hand if believed else self.till.checkout.release
        self._start(decide(self.order_id, reason=reason, actor=self.actor, approved_by=second), "")

    def refund_owed(self, reason: str, second: str = "") -> None:
        owed = self.till.refunds.refund_owed
        self._start(owed(self.order_id, reason=reason, actor=self.actor, approved_by=second), "")

    def refund(self, amount_minor: int | None, reason: str, second: str = "") -> None:
        more = {"reason": reason, "actor": self.actor, "approved_by": second}
        self._start(self.till.refunds.refund(self.order_id, amount_minor=amount_minor, **more), "")

    # Orders come and go ---------------------------------------------------------------------------------------------

    def next_customer(self) -> None:
        """The till is free at once; a waiting order stays in the tray."""
        self._leave()
        self.basket.clear()
        self.changed.emit()

    def hold(self) -> None:
        async def held() -> None:
            view = await self.basket.flush()
            if view is not None:
                await self.till.selling.hold(view.order_id, actor=self.actor)

        self._start_then(held(), lambda _: self.next_customer())

    def recall(self, order_id: str) -> None:
        self._start_then(self.till.selling.recall(order_id, actor=self.actor), self.put_down)

    def void(self, reason: str) -> None:
        async def voided() -> None:
            view = await self._saved()
            if view is not None:
                await self.till.checkout.cancel(view.order_id, reason=reason, actor=self.actor)

        self._start_then(voided(), lambda _: self.next_customer())

    def open(self, order_id: str) -> None:
        """Bring an order of the tray or the history back onto the counter."""
        self._start_then(self.till.queries.order(order_id), self.put_down)

    def put_down(self, view: OrderView) -> None:
        """Show this order on the counter."""
        self._leave()
        self.basket.load(view)
        self.view = None if view.life in (Life.DRAFT, Life.HELD) else view
        if self.view is not None:
            self.till.sync.watch(view.order_id)
            self._read_timeline()
        self.changed.emit()

    # News -----------------------------------------------------------------------------------------------------------

    def on_row(self, row: OrderRow) -> None:
        """An order changed somewhere: at once what the row says, then the rest of the order."""
        if self.view is None or row.order_id != self.view.order_id or row.version < self.view.version:
            return
        shown = replace(
            self.view, shown=row.shown, money=row.money, certainty=row.certainty, version=row.version,
            payment_text=row.payment_text,
        )  # fmt: skip
        self._show(shown)
        self.reload()

    def on_opened(self, order_id: str) -> None:
        if self.view is not None and order_id == self.view.order_id:
            self._show(replace(self.view, opened=True))
            self._read_timeline()

    def on_link(self, order_id: str) -> None:
        if order_id == self.order_id and not self.asking:
            self.reload()

    def reload(self) -> None:
        """Read the order and its timeline again, behind what is shown."""
        if self.view is not None:
            self._read(self.till.queries.order(self.view.order_id), self._take)

    # Inside ---------------------------------------------------------------------------------------------------------

    async def _issue(self, gateway: str) -> OrderView | None:
        view = await self._saved()
        return view and await self.till.checkout.issue(view.order_id, gateway, actor=self.actor)

    async def _cash(self, given_minor: int | None) -> OrderView | None:
        view = await self._saved()
        return view and await self.till.cash.take(view.order_id, given_minor=given_minor, actor=self.actor)

    async def _terminal(self, note: str) -> OrderView | None:
        view = await self._saved()
        return view and await self.till.tenders.terminal(view.order_id, note=note, actor=self.actor)

    async def _saved(self) -> OrderView | None:
        """The order as the books have it, with every line saved; None where there is nothing to pay."""
        return await self.basket.flush() or self.view

    def _basket_changed(self) -> None:
        """Lines of an order that was placed and came back are saved under its own number."""
        saved = self.basket.view
        shown = self.view
        same = shown is not None and saved is not None and saved.order_id == shown.order_id
        if same and shown is not None and saved is not None and saved.version > shown.version:
            self.view = saved
        self.changed.emit()

    def _start(self, work: Coroutine[Any, Any, OrderView | None], busy: str, *, shown_at_once: bool = True) -> None:
        self._start_then(work, self._take, busy, shown_at_once=shown_at_once)

    def _start_then(
        self, work: Coroutine[Any, Any, Any], then: Any, busy: str = "", *, shown_at_once: bool = True
    ) -> None:
        """`shown_at_once` False: the work begins first, and what changes on screen is laid out while it waits."""
        self.busy = busy
        turn = self._turn

        def done(result: Any) -> None:
            if turn == self._turn:
                self.asking = self.busy = ""
                then(result)

        def failed(error: Any) -> None:
            self.failed.emit(error)
            if turn == self._turn:
                self.asking = self.busy = ""
                self.changed.emit()
                self._after_failure()

        self._tasks.start(self, work, done, failed)
        if shown_at_once:
            self.changed.emit()
        else:
            QTimer.singleShot(FIRST_WORK_MS, self, self.changed.emit)

    def _after_failure(self) -> None:
        """The books know more than the failure: an order that was placed meanwhile is shown as it stands now."""
        if self.order_id:
            self._read(self.till.queries.order(self.order_id), self._take)

    def _take(self, view: OrderView | None) -> None:
        if view is None or (self.order_id and view.order_id != self.order_id):
            return
        if view.life in (Life.DRAFT, Life.HELD):
            self.view = None
            self.changed.emit()
            return
        if self.view is None:
            self.till.sync.watch(view.order_id)
        if self.view is not None and view.version < self.view.version:
            return
        opened = view.opened or (self.view is not None and self.view.opened)
        self._show(replace(view, opened=opened, change_minor=view.change_minor or self._change_before(view)))
        self._read_timeline()

    def _change_before(self, view: OrderView) -> int:
        """The change stays on screen although a later look at the order no longer tells it."""
        same = self.view is not None and self.view.order_id == view.order_id
        return self.view.change_minor if same and self.view is not None else 0

    def _show(self, view: OrderView) -> None:
        before = self.stage
        self.view = view
        self.basket.follow(view)
        if self.stage is Stage.WAITING:
            self.code_due.emit()
        self.changed.emit()
        if self.stage is Stage.PAID and before is not Stage.PAID:
            self.turned_paid.emit()
        if self.stage is Stage.UNKNOWN and before is not Stage.UNKNOWN:
            self.turned_unknown.emit()

    def _read_timeline(self) -> None:
        def take(rows: list[TimelineRow]) -> None:
            self.timeline = rows
            self.changed.emit()

        async def read(order_id: str) -> list[TimelineRow]:
            import asyncio  # 60 ms: not before the first paint

            await asyncio.sleep(TIMELINE_WAIT_S)
            return await self.till.queries.timeline(order_id)

        if self.view is not None:
            self._read(read(self.view.order_id), take)

    def _read(self, work: Coroutine[Any, Any, Any], then: Callable[[Any], None]) -> None:
        """Read something about the order on the counter; an answer that comes when another stands there is dropped."""
        turn = self._turn
        self._tasks.start(self, work, lambda found: then(found) if turn == self._turn else None)

    def _leave(self) -> None:
        self._turn += 1
        if self._till is not None:
            self._till.sync.watch(None)
        self.view, self.timeline, self.asking, self.busy = None, [], "", ""
