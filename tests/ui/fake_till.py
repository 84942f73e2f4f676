"""A till in memory behind the same doors as the real one: no database, no network, a clock that is told the time.

The contract in test_fake_till.py holds for it and, where a real till can be built, for that one too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pos.domain.basket import Line, check_lines, totals
from pos.domain.cash import GiveBack
from pos.domain.catalogue import Product
from pos.domain.errors import BadInput, NotAllowed, NotFound, OtherAccount, PosError, Refused, Unreachable
from pos.domain.matching import Action
from pos.domain.order import Life
from pos.domain.plan import Plan, Share, check_shares
from pos.domain.returning import Return, left_milli, picks_of, return_lines, returned_milli, total_minor
from pos.domain.shown import Outward, Shown
from pos.domain.verdict import Certainty, Flag, Money
from pos.services.bus import Bus, GatewaysChanged, LinkIssued, OrderChanged, PageOpened, StatusChanged
from pos.services.planview import by_plan, shares_of
from pos.services.receipts import credit_note_lines
from pos.services.returns import Decision, TakenBack
from pos.services.returns import Goods as Chosen
from pos.services.setup_views import Ability, Check, GatewayCard, HookView, NewKeys, SafeView, SecretView, Tested
from pos.services.views import (
    AttemptView,
    DayView,
    ExceptionView,
    GatewayChoice,
    OrderRow,
    OrderView,
    PaidLine,
    PaymentView,
    Resolution,
    ReturnLineView,
    ReturnView,
    StatusView,
    TimelineRow,
)
from pos.words.gateways import Able, Connection

TITLES = {"razorpay": "Razorpay", "stripe": "Stripe"}
ABILITIES = {
    "razorpay": (
        (True, "Payment Link"), (True, "while unpaid"), (True, "up to 6 months"), (False, "look up first"),
        (False, "no time stamp"), (False, "without our number"), (True, "yes"),
    ),
    "stripe": (
        (True, "Checkout Session"), (True, "while open"), (False, "30 min to 24 h"), (True, "24 h or more"),
        (True, "with time stamp"), (True, "cursor"), (True, "yes"),
    ),
}  # fmt: skip
ROWS = ("one_payment", "close", "lives", "repeat", "webhook", "report", "part")
ROW_TITLES = (
    "Link for one payment", "Close it ourselves", "Link lives", "Repeat-safe key", "Signed webhook", "Report",
    "Part refunds",
)  # fmt: skip
LINK = "https://pay.corner.cafe/p/2xT9cAbCd"
MAY = {
    Shown.UNPAID: {"edit", "hold", "void", "qr", "cash", "terminal", "split", "next"},
    Shown.WAITING: {"check", "next", "give_up", "cash", "terminal", "switch"},
    Shown.UNKNOWN: {"check", "next", "release", "by_hand"},
    Shown.PAID: {"receipt", "return_", "refund", "next"},
    Shown.PART_REFUNDED: {"receipt", "return_", "refund", "next"},
    Shown.RETURNED: {"receipt", "return_", "refund", "next"},
    Shown.REFUNDED: {"receipt", "return_", "refund", "next"},
    Shown.PAID_TWICE: {"refund", "next", "receipt"},
    Shown.OVERPAID: {"refund", "next", "receipt"},
    Shown.PART_PAID: {"qr", "cash", "terminal", "split", "collect", "give_back", "next"},
    Shown.CANCELLED: {"next"},
}


@dataclass
class Clock:
    ms: int = 1_795_335_120_000

    def __call__(self) -> int:
        return self.ms

    def pass_s(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


@dataclass
class FakeTill:
    """`TillApi` in memory. Methods without an underscore below *A customer* play the outside world."""

    clock: Clock = field(default_factory=Clock)
    currency: str = "INR"
    locale: str = "en_IN"
    shop_name: str = "Corner Café"
    till: str = "2"
    time_zone: str = "Asia/Kolkata"
    tax_included: bool = True
    test_mode: bool = False
    user: str = "Asha"
    roles: dict[str, str] = field(default_factory=lambda: {"Asha": "cashier", "Meera": "manager"})
    orders: dict[str, OrderView] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    timelines: dict[str, list[TimelineRow]] = field(default_factory=dict)
    goods: list[Product] = field(default_factory=list)
    today: DayView | None = None
    next_number: int = 1
    gateway_answers: bool = True
    refuses: PosError | None = None
    """Raised by the next call of a service."""
    holds: str = ""
    """Calls that begin with this word wait until it is taken away."""
    calls: list[str] = field(default_factory=list)
    watched: str | None = None
    status_now: StatusView | None = None

    def __post_init__(self) -> None:
        self.bus = Bus()
        self.selling = Selling(self)
        self.checkout = Checkout(self)
        self.cash = Cash(self)
        self.tenders = Tenders(self)
        self.gateways_down: set[str] = set()
        self.splits = Splits(self)
        self.backs = Backs(self)
        self.refunds = Refunds(self)
        self.returns = Returns(self)
        self.givingup = GivingUp(self)
        self.day = Day(self)
        self.exceptions = Exceptions(self)
        self.queries = Queries(self)
        self.catalogue = Goods(self)
        self.people = People(self)
        self.sync = Sync(self)
        self.setup = Setup(self)
        self.gatecheck = GateCheck(self)
        self.webhooks = Webhooks(self)
        self.vaults = Vaults(self)

    # Used by the services -------------------------------------------------------------------------------------------

    async def asked(self, name: str) -> None:
        """Every call takes a turn of the loop, as a real one does; and fails when it was told to."""
        self.calls.append(name)
        await asyncio.sleep(0)
        while self.holds and name.startswith(self.holds):
            await asyncio.sleep(0)
        if self.refuses is not None:
            error, self.refuses = self.refuses, None
            raise error

    def change(self, order_id: str, *, tell: bool = True, **changes: Any) -> OrderView:
        view = replace(self.orders[order_id], **changes)
        allowed = by_plan(frozenset(MAY.get(view.shown, MAY[Shown.UNPAID])), view.plan)
        if any(payment.stuck_minor for payment in view.payments):
            allowed |= {"cash_back"}
        view = replace(view, may=allowed, version=view.version + 1)
        self.orders[order_id] = view
        if tell:
            self.bus.publish(OrderChanged(view.row))
        return view

    def tell_time(self, order_id: str, source: str, text: str, state: str = "ok", payment: str = "") -> None:
        self.timelines.setdefault(order_id, []).append(TimelineRow(self.clock(), source, text, state, payment))

    def make(self, lines: Sequence[Line], *, number: str = "", shown: Shown = Shown.UNPAID, **more: Any) -> OrderView:
        """Put an order into the books as it stands."""
        if not number:
            number = f"{self.till}-{self.next_number:05d}"
            self.next_number += 1
        sums = totals(lines, tax_included=self.tax_included)
        made = OrderView(
            order_id=f"order-{number}",
            number=number,
            key="",
            currency=self.currency,
            life=Life.DRAFT,
            revision=1,
            created_at_ms=self.clock(),
            lines=tuple(lines),
            totals=sums,
            due_minor=0,
            kept_minor=0,
            left_minor=sums.total_minor,
            owed_minor=0,
            captured_minor=0,
            refunded_minor=0,
            money=Money.UNPAID,
            certainty=Certainty.SETTLED,
            shown=shown,
            outward=Outward.UNKNOWN,
            flags=(),
            attempt=None,
            payments=(),
            change_minor=0,
            opened=False,
            may=frozenset(MAY.get(shown, MAY[Shown.UNPAID])),
            version=1,
        )
        self.orders[made.order_id] = replace(made, **more)
        return self.orders[made.order_id]

    # A customer and a gateway ---------------------------------------------------------------------------------------

    def customer_opens(self, order_id: str) -> None:
        self.change(order_id, tell=False, opened=True)
        self.tell_time(order_id, "callback", "Customer opened the payment page")
        self.bus.publish(PageOpened(order_id))

    def customer_pays(self, order_id: str, payment: str = "pay_R7mQ2xKd81Lw") -> OrderView:
        """The whole amount arrives; a second time it is paid twice."""
        view = self.orders[order_id]
        if view.plan:
            return self.part_comes(order_id, "UPI · Razorpay")
        total, now = view.totals.total_minor, self.clock()
        paid = PaymentView(payment, "razorpay", 1, "captured", total, now, 0)
        self.tell_time(order_id, "gateway", f"{total} captured at Razorpay", payment=payment)
        if view.kept_minor:
            payments = (*view.payments, replace(paid, to_refund_minor=total))
            return self.change(
                order_id, shown=Shown.PAID_TWICE, money=Money.OVERPAID, kept_minor=2 * total, captured_minor=2 * total,
                owed_minor=total, payments=payments, flags=(Flag.DOUBLE,), certainty=Certainty.SETTLED,
            )  # fmt: skip
        attempt = replace(view.attempt, phase="closed", qr_text="") if view.attempt else None
        return self.change(
            order_id, shown=Shown.PAID, money=Money.PAID, kept_minor=total, captured_minor=total, left_minor=0,
            due_minor=total, payments=(paid,), certainty=Certainty.SETTLED, paid_at_ms=now, attempt=attempt,
            life=Life.PLACED, outward=Outward.SUCCESS, opened=True, payment_text="UPI · Razorpay",
        )  # fmt: skip

    def part_comes(self, order_id: str, words: str, change_minor: int = 0) -> OrderView:
        """The next part of a plan is paid."""
        view = self.orders[order_id]
        kept = view.kept_minor + view.ask_minor
        total, whole = view.totals.total_minor, kept == view.totals.total_minor
        attempt = replace(view.attempt, phase="closed", qr_text="", fenced=True) if view.attempt else None
        return self.change(
            order_id, shown=Shown.PAID if whole else Shown.PART_PAID, money=Money.PAID if whole else Money.PART_PAID,
            kept_minor=kept, left_minor=total - kept, due_minor=total, certainty=Certainty.SETTLED, life=Life.PLACED,
            attempt=attempt, paid_by=(*view.paid_by, PaidLine(words, view.ask_minor)), payment_text=words,
            plan=shares_of(self.plans[order_id], kept), change_minor=change_minor,
            paid_at_ms=self.clock() if whole else None, outward=Outward.SUCCESS if whole else Outward.UNKNOWN,
        )  # fmt: skip

    def gateway_falls_silent(self, order_id: str) -> OrderView:
        view = self.orders[order_id]
        attempt = view.attempt and replace(view.attempt, next_look_at_ms=self.clock() + 11_000, looks_failed=3)
        self.tell_time(order_id, "poll", "Asked Razorpay, no answer in 10 s", "unknown")
        return self.change(
            order_id, shown=Shown.UNKNOWN, certainty=Certainty.UNKNOWN, unknown_since_ms=self.clock(), attempt=attempt
        )

    def set_status(self, **changes: Any) -> None:
        self.status_now = replace(self.status(), **changes)
        self.bus.publish(StatusChanged(self.status_now))

    def status(self) -> StatusView:
        waiting = sum(1 for view in self.orders.values() if view.shown is Shown.WAITING)
        unknown = sum(1 for view in self.orders.values() if view.shown is Shown.UNKNOWN)
        now = self.clock()
        base = self.status_now or StatusView(
            gateway="ok", relay="ok", relay_heard_at_ms=now - 3_000, reconciled_at_ms=now - 240_000, waiting=0,
            unknown=0, test_mode=self.test_mode, shop=self.shop_name, till=self.till, shift_no=184,
            shift_opened_at_ms=now - 20_400_000, user=self.user, role=self.roles[self.user],
        )  # fmt: skip
        return replace(base, waiting=waiting, unknown=unknown, user=self.user, role=self.roles[self.user])


@dataclass
class Selling:
    till: FakeTill

    async def save(self, lines: Sequence[Line], *, order_id: str = "", actor: str = "") -> OrderView:
        await self.till.asked("save")
        check_lines(lines)
        if not order_id:
            view = self.till.make(lines)
            self.till.tell_time(view.order_id, "till", "Order saved on this till")
            return view
        sums = totals(lines, tax_included=self.till.tax_included)
        return self.till.change(
            order_id, tell=False, lines=tuple(lines), totals=sums, left_minor=sums.total_minor,
            revision=self.till.orders[order_id].revision,
        )  # fmt: skip

    async def hold(self, order_id: str, *, actor: str = "") -> OrderView:
        await self.till.asked("hold")
        return self.till.change(order_id, life=Life.HELD, shown=Shown.HELD)

    async def recall(self, order_id: str, *, actor: str = "") -> OrderView:
        await self.till.asked("recall")
        return self.till.change(order_id, life=Life.DRAFT, shown=Shown.UNPAID)

    async def void(self, order_id: str, *, reason: str, actor: str = "") -> OrderView:
        await self.till.asked(f"void {reason}")
        return self.till.change(order_id, life=Life.VOIDED, shown=Shown.CANCELLED, left_minor=0)

    async def unfinished(self) -> OrderView | None:
        await self.till.asked("unfinished")
        drafts = [view for view in self.till.orders.values() if view.life is Life.DRAFT]
        return drafts[-1] if drafts else None


@dataclass
class Checkout:
    till: FakeTill

    async def issue(self, order_id: str, gateway: str, *, actor: str = "") -> OrderView:
        await self.till.asked(f"issue {gateway}")
        view, now = self.till.orders[order_id], self.till.clock()
        if view.shown is Shown.WAITING and view.attempt is not None and view.attempt.gateway == gateway:
            return view
        if view.shown is Shown.WAITING:
            view = await self.give_up(order_id)
        number = (view.attempt.no if view.attempt else 0) + 1
        attempt = AttemptView(
            id=f"{order_id}-{number}", no=number, gateway=gateway, gateway_title=TITLES[gateway],
            mode="test" if self.till.test_mode else "live",
            phase="open" if self.till.gateway_answers else "requesting", amount_minor=view.ask_minor,
            link_id=f"plink_{number}", link_url=LINK if self.till.gateway_answers else "",
            qr_text=LINK if self.till.gateway_answers else "", expires_at_ms=now + 852_000,
            shown_at_ms=now if self.till.gateway_answers else None, drafted_at_ms=now, next_look_at_ms=now + 3_000,
            looks_failed=0, fenced=False,
        )  # fmt: skip
        self.till.tell_time(order_id, "till", f"Link requested from {TITLES[gateway]}")
        more: dict[str, Any] = {"shown": Shown.WAITING, "certainty": Certainty.WAITING}
        if not self.till.gateway_answers:
            more = {"shown": Shown.UNKNOWN, "certainty": Certainty.UNKNOWN, "unknown_since_ms": now}
        else:
            self.till.tell_time(order_id, "gateway", "Link ready, QR shown")
        view = self.till.change(
            order_id, life=Life.PLACED, due_minor=view.totals.total_minor, attempt=attempt,
            payment_text=f"QR · {TITLES[gateway]}", **more,
        )  # fmt: skip
        if attempt.qr_text:
            self.till.bus.publish(LinkIssued(order_id, attempt.id))
        return view

    async def check_now(self, order_id: str) -> OrderView:
        await self.till.asked("check_now")
        return self.till.orders[order_id]

    async def give_up(self, order_id: str, *, actor: str = "") -> OrderView:
        await self.till.asked("give_up")
        view = self.till.orders[order_id]
        attempt = replace(view.attempt, phase="closed", qr_text="", fenced=True) if view.attempt else None
        self.till.tell_time(order_id, "gateway", "Link closed, it cannot be paid again")
        return self.till.change(order_id, shown=Shown.UNPAID, certainty=Certainty.SETTLED, attempt=attempt)

    async def cancel(self, order_id: str, *, reason: str, actor: str = "") -> OrderView:
        await self.till.asked(f"cancel {reason}")
        return self.till.change(order_id, life=Life.VOIDED, shown=Shown.CANCELLED, left_minor=0)

    async def release(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        self.till.people.allow("override", actor)
        await self.till.asked(f"release {reason}")
        view = self.till.orders[order_id]
        attempt = replace(view.attempt, phase="released", qr_text="") if view.attempt else None
        return self.till.change(
            order_id, shown=Shown.UNPAID, certainty=Certainty.SETTLED, attempt=attempt, flags=(Flag.UNFENCED,)
        )


@dataclass
class Tenders:
    till: FakeTill

    async def terminal(self, order_id: str, *, note: str = "", actor: str = "") -> OrderView:
        view = self.till.orders[order_id]
        if view.shown is Shown.WAITING:
            view = await self.till.checkout.give_up(order_id)
        await self.till.asked(f"terminal {note}".strip())
        if view.plan:
            return self.till.part_comes(order_id, "Card terminal")
        return self._paid(view, "Card terminal")

    async def by_hand(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        await self.till.asked(f"by hand {reason}")
        return self._paid(self.till.orders[order_id], "By hand")

    async def withdraw(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        raise AssertionError("no screen takes this back")

    def _paid(self, view: OrderView, words: str) -> OrderView:
        total = view.totals.total_minor
        self.till.tell_time(view.order_id, "till", words)
        return self.till.change(
            view.order_id, life=Life.PLACED, shown=Shown.PAID, money=Money.PAID, kept_minor=total, left_minor=0,
            due_minor=total, payment_text=words, paid_at_ms=self.till.clock(), outward=Outward.SUCCESS,
        )  # fmt: skip


@dataclass
class Cash:
    till: FakeTill

    async def take(self, order_id: str, *, given_minor: int | None = None, actor: str = "") -> OrderView:
        view = self.till.orders[order_id]
        if view.shown is Shown.WAITING:
            view = await self.till.checkout.give_up(order_id)
        await self.till.asked("cash")
        if view.shown is Shown.UNKNOWN:
            raise Refused(f"A payment of order {view.number} may still come.", "Wait until it is settled.")
        given = view.ask_minor if given_minor is None else given_minor
        if given < view.ask_minor:
            raise BadInput("That is less than what is to pay.", "Take the whole amount.")
        if view.plan:
            return self.till.part_comes(order_id, "Cash", given - view.ask_minor)
        total = view.totals.total_minor
        self.till.tell_time(order_id, "till", "Taken in cash")
        return self.till.change(
            order_id, life=Life.PLACED, shown=Shown.PAID, money=Money.PAID, kept_minor=total, left_minor=0,
            due_minor=total, change_minor=given - view.left_minor, payment_text="Cash", paid_at_ms=self.till.clock(),
            outward=Outward.SUCCESS,
        )  # fmt: skip


@dataclass
class Splits:
    till: FakeTill

    async def plan(self, order_id: str, shares: Sequence[Share], *, actor: str = "") -> OrderView:
        await self.till.asked("split " + " ".join(f"{s.way}:{s.gateway}={s.amount_minor}" for s in shares))
        view = self.till.orders[order_id]
        check_shares(shares, view.left_minor)
        made = Plan("plan", order_id, 1, view.revision, view.kept_minor, tuple(shares), self.till.clock())
        self.till.plans[order_id] = made
        return self.till.change(order_id, plan=shares_of(made, view.kept_minor))

    async def drop(self, order_id: str, *, actor: str = "") -> OrderView:
        await self.till.asked("drop")
        return self.till.change(order_id, plan=())


@dataclass
class Backs:
    till: FakeTill

    async def give_back(self, order_id: str, back: GiveBack, *, actor: str, approved_by: str = "") -> OrderView:
        self.till.people.allow("override", actor)
        await self.till.asked(f"cash back {back.payment} {back.amount_minor} {back.reason}")
        view = self.till.orders[order_id]
        payments = tuple(replace(payment, stuck_minor=0) for payment in view.payments)
        return self.till.change(
            order_id, shown=Shown.REFUNDED, refunded_minor=back.amount_minor, payments=payments, flags=()
        )


@dataclass
class Refunds:
    till: FakeTill

    async def refund_owed(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        self.till.people.allow("refund", actor)
        await self.till.asked(f"refund_owed {reason} {approved_by}".strip())
        view = self.till.orders[order_id]
        if not view.owed_minor:
            raise Refused("Nothing is owed back.", "Look at its timeline.")
        payments = tuple(replace(payment, to_refund_minor=0) for payment in view.payments)
        self.till.tell_time(order_id, "manager", "Refund asked for")
        return self.till.change(
            order_id, shown=Shown.PAID, money=Money.PAID, kept_minor=view.totals.total_minor, owed_minor=0,
            refunded_minor=view.owed_minor, payments=payments, flags=(), left_minor=0,
        )  # fmt: skip

    async def retry(
        self, order_id: str, refund_id: str, *, reason: str, actor: str, approved_by: str = ""
    ) -> OrderView:
        self.till.people.allow("refund", actor)
        await self.till.asked(f"retry {refund_id} {reason}")
        return self.till.orders[order_id]

    async def refund(
        self, order_id: str, *, amount_minor: int | None, reason: str, actor: str, approved_by: str = ""
    ) -> OrderView:
        self.till.people.allow("refund", actor)
        await self.till.asked(f"refund {amount_minor} {reason} {approved_by}".strip())
        view = self.till.orders[order_id]
        back = amount_minor or view.kept_minor
        shown = Shown.REFUNDED if back >= view.kept_minor else Shown.PART_REFUNDED
        return self.till.change(order_id, shown=shown, refunded_minor=back)

    async def accept(self, order_id: str, *, reason: str, actor: str) -> OrderView:
        self.till.people.allow("override", actor)
        await self.till.asked("accept")
        return self.till.change(order_id, life=Life.PLACED, shown=Shown.PAID)


@dataclass
class Returns:
    till: FakeTill
    notes: dict[str, list[Return]] = field(default_factory=dict)

    async def look(self, order_id: str, goods: Chosen | None = None) -> ReturnView:
        await self.till.asked("look at returns")
        view, notes = self.till.orders[order_id], self.notes.get(order_id, [])
        before = returned_milli(notes)
        left = left_milli(view.lines, before)
        lines = tuple(
            ReturnLineView(at, each.sku, each.name, each.quantity_milli, left[at]) for at, each in enumerate(view.lines)
        )
        seen = ReturnView(order_id, lines, 0, 0, tuple(note.number for note in notes))
        if goods is None:
            return seen
        note = self._note(view, goods, "", "")
        return replace(seen, total_minor=note.total_minor, tax_minor=sum(tax.amount_minor for tax in note.taxes))

    async def take_back(self, order_id: str, goods: Chosen, decision: Decision) -> TakenBack:
        self.till.people.allow("refund", decision.actor)
        await self.till.asked(f"take back {decision.reason} {decision.approved_by}".strip())
        note = self._note(self.till.orders[order_id], goods, decision.reason, decision.actor)
        self.notes.setdefault(order_id, []).append(note)
        back = sum(each.total_minor for each in self.notes[order_id])
        view = self.till.orders[order_id]
        shown = Shown.REFUNDED if back >= view.kept_minor else Shown.PART_REFUNDED
        after = self.till.change(
            order_id, shown=shown, returned_minor=back, notes=tuple(each.number for each in self.notes[order_id])
        )
        return TakenBack(note, after)

    async def paper(self, number: str) -> list[str]:
        note = next((n for notes in self.notes.values() for n in notes if n.number == number), None)
        if note is None:
            raise NotFound(f"There is no credit note {number!r}.", "Its number stands in the order's timeline.")
        return credit_note_lines(self.till.shop_name, note, self.till.orders[note.order_id].number, "13:42", test=False)

    def _note(self, view: OrderView, goods: Chosen, reason: str, actor: str) -> Return:
        notes = self.notes.get(view.order_id, [])
        picks = (*goods.picks, *picks_of(view.lines, returned_milli(notes), goods.skus))
        lines = return_lines(view.lines, returned_milli(notes), picks, tax_included=True)
        total = total_minor(lines, tax_included=True)
        number = f"{self.till.till}-R{sum(map(len, self.notes.values())) + 1:05d}"
        return Return(
            "note", number, view.order_id, 1, self.till.till, "INR", total, True, reason, actor, actor,
            self.till.clock(), "2026-11-22", lines=lines,
        )  # fmt: skip


@dataclass
class GivingUp:
    till: FakeTill

    async def give_back_and_void(self, order_id: str, *, reason: str, actor: str, approved_by: str = "") -> OrderView:
        self.till.people.allow("refund", actor)
        await self.till.asked(f"give back and void {reason}")
        return self.till.change(
            order_id, life=Life.VOIDED, shown=Shown.REFUNDED, money=Money.UNPAID, kept_minor=0, left_minor=0
        )


@dataclass
class Day:
    till: FakeTill

    async def preview(self, *, refresh: bool = True, day: str = "") -> DayView:
        await self.till.asked(f"preview {refresh}")
        assert self.till.today is not None
        return self.till.today

    async def close(self, *, actor: str, counted_minor: int | None = None, reason: str = "") -> DayView:
        self.till.people.allow("close_day", actor)
        await self.till.asked(f"close {counted_minor} {reason}".rstrip())
        assert self.till.today is not None
        self.till.today = replace(
            self.till.today, closed_at_ms=self.till.clock(), closed_by=actor, z_number=185, hash="9f2c"
        )
        return self.till.today

    async def show(self, day: str) -> DayView:
        return await self.preview(refresh=False, day=day)

    async def attach(self, payment: str, order_number: str, *, actor: str, reason: str) -> OrderView:
        await self.till.asked(f"attach {payment} {order_number}")
        return await self.till.queries.order(order_number)


@dataclass
class Exceptions:
    till: FakeTill

    async def listed(self) -> list[ExceptionView]:
        assert self.till.today is not None
        return list(self.till.today.exceptions)

    async def act(self, exception_id: str, decision: Resolution) -> OrderView | None:
        row = next(row for row in await self.listed() if row.id == exception_id)
        if row.action is Action.RETRY_REFUND:
            return await self.till.refunds.retry(
                row.order_id, row.subject, reason=decision.reason, actor=decision.actor
            )
        if row.action is Action.REFUND:
            return await self.till.refunds.refund_owed(row.order_id, reason=decision.reason, actor=decision.actor)
        if row.action is Action.ASK:
            return await self.till.checkout.check_now(row.order_id)
        raise AssertionError(f"no window acts at once on {row.action}")

    async def settle(self, exception_id: str, *, reason: str, actor: str, approved_by: str = "") -> None:
        await self.till.asked(f"settle {exception_id} {reason}")
        assert self.till.today is not None
        left = tuple(row for row in self.till.today.exceptions if row.id != exception_id)
        self.till.today = replace(self.till.today, exceptions=left)


@dataclass
class Queries:
    till: FakeTill

    async def order(self, order_id: str) -> OrderView:
        await self.till.asked("order")
        for view in self.till.orders.values():
            if order_id in (view.order_id, view.number):
                return view
        raise NotFound(f"There is no order {order_id!r}.", "Give its number.")

    async def dossier(self, order_id: str) -> dict[str, Any]:
        raise AssertionError("a dossier is read from real books: tests/services/test_dossier.py")

    async def timeline(self, order_id: str) -> list[TimelineRow]:
        await self.till.asked("timeline")
        return list(self.till.timelines.get(order_id, []))

    async def orders(self, *, status: str = "", day: str = "", text: str = "", limit: int = 500) -> list[OrderRow]:
        await self.till.asked(f"orders {status} {text}".strip())
        views = sorted(self.till.orders.values(), key=lambda v: v.created_at_ms, reverse=True)
        rows = [view.row for view in views if text.casefold() in f"{view.number} {view.payment_text}".casefold()]
        return [row for row in rows if status in ("", row.shown, row.money, row.certainty)][:limit]

    async def waiting(self) -> list[OrderRow]:
        await self.till.asked("waiting")
        return [v.row for v in self.till.orders.values() if v.shown in (Shown.WAITING, Shown.UNKNOWN)]

    async def held(self) -> list[OrderRow]:
        await self.till.asked("held")
        return [v.row for v in self.till.orders.values() if v.life is Life.HELD]

    async def status(self) -> StatusView:
        await self.till.asked("status")
        return self.till.status()

    def gateways(self) -> list[GatewayChoice]:
        used = [card for card in self.till.setup.ordered() if card.takes_payments]
        return [GatewayChoice(c.name, c.title, c.mode, True, c.name in self.till.gateways_down) for c in used]

    async def receipt(self, order_id: str) -> list[str]:
        await self.till.asked("receipt")
        view = self.till.orders[order_id]
        return [self.till.shop_name, f"Order {view.number}", *(line.name for line in view.lines), "Thank you"]


@dataclass
class Goods:
    till: FakeTill

    async def products(self) -> list[Product]:
        return list(self.till.goods)

    async def find(self, code: str) -> Product:
        await self.till.asked(f"find {code}")
        for product in self.till.goods:
            if code in (product.sku, product.barcode):
                return product
        raise NotFound(f"No product has the code {code}.", "Search by name, or add it to the catalogue.")


@dataclass
class People:
    till: FakeTill

    def allow(self, action: str, actor: str) -> None:
        if action != "sell" and self.till.roles.get(actor) != "manager":
            raise NotAllowed(f"{actor} may not do this.", "Ask a manager.")

    def current(self) -> str:
        return self.till.user

    def role(self, actor: str) -> str:
        return self.till.roles.get(actor, "")


@dataclass
class Sync:
    till: FakeTill

    def watch(self, order_id: str | None) -> None:
        self.till.watched = order_id


def gateway_card(name: str, **more: Any) -> GatewayCard:
    """A gateway that is set up and healthy, as far as `more` does not say otherwise."""
    names = {"razorpay": ("key_id", "key_secret")}.get(name, ("secret_key",))
    titles = {"key_id": "Key id", "key_secret": "Key secret", "secret_key": "Secret key"}
    rows = zip(ROWS, ROW_TITLES, ABILITIES[name], strict=True)
    card = GatewayCard(
        name=name, title=TITLES[name], listed=True, enabled=True, mode="test", host=f"api.{name}.com", own_host=True,
        account=f"acct_{name[:3]}Nk2vQ8", account_name="Corner Café", health="ok", asked=149, timed_out=0,
        median_ms=268, place=0, before="", minimum_minor=100, qr="auto", qr_kinds=("auto", "gateway", "relay"),
        secrets=tuple(
            SecretView(each, titles[each], "keyring", each != "key_id", "rzp_test_Nk2…" if each == "key_id" else "")
            for each in names
        ),
        abilities=tuple(Ability(key, title, good, text) for key, title, (good, text) in rows),
    )  # fmt: skip
    return replace(card, **more)


def not_set_up(name: str) -> GatewayCard:
    card = gateway_card(
        name, listed=False, enabled=False, account="", account_name="", health="", asked=0, median_ms=None
    )
    return replace(card, secrets=tuple(replace(secret, place="", shown="") for secret in card.secrets))


@dataclass
class Setup:
    till: FakeTill
    known: dict[str, GatewayCard] = field(default_factory=lambda: {name: gateway_card(name) for name in TITLES})
    minutes: float = 5.0
    relay: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    """What was given to be kept, by `gateway.name`: a fake has no keyring."""

    def ordered(self) -> list[GatewayCard]:
        cards, used = [], []
        for card in sorted(self.known.values(), key=lambda each: (not each.listed, not each.enabled)):
            if card.takes_payments:
                card = replace(card, place=len(used) + 1, before=used[-1] if used else "")
                used.append(card.title)
            else:
                card = replace(card, place=0, before="")
            cards.append(card)
        return cards

    def report_minutes(self) -> float:
        return self.minutes

    async def cards(self) -> list[GatewayCard]:
        await self.till.asked("cards")
        return self.ordered()

    async def add(self, keys: NewKeys, *, actor: str) -> GatewayCard:
        self.till.people.allow("gateways", actor)
        await self.till.asked(f"add {keys.gateway} {keys.mode}")
        if not self.till.gateway_answers:
            raise Unreachable(f"{TITLES[keys.gateway]} cannot be reached.", "Nothing was sent.")
        if any("stranger" in value for value in keys.secrets.values()) and not keys.other_account:
            raise OtherAccount(f"These keys are of another {TITLES[keys.gateway]} account.", "Give them once more.")
        if any("wrong" in value for value in keys.secrets.values()):
            raise Refused(f"{TITLES[keys.gateway]} does not accept the key.", "Set it again in Manage > Gateways.")
        self.kept.update({f"{keys.gateway}.{name}": value for name, value in keys.secrets.items()})
        return self._put(gateway_card(keys.gateway, mode=keys.mode, health="", asked=0, median_ms=None))

    async def enable(self, name: str, on: bool, *, actor: str) -> GatewayCard:
        self.till.people.allow("gateways", actor)
        await self.till.asked(f"enable {name} {on}")
        self._check_settled(name, on)
        return self._put(replace(self._listed(name), enabled=on))

    async def order(self, names: Sequence[str], *, actor: str) -> list[GatewayCard]:
        self.till.people.allow("gateways", actor)
        await self.till.asked(f"order {' '.join(names)}")
        first = [self._listed(name) for name in names]
        rest = [card for card in self.known.values() if card.name not in names]
        self.known = {card.name: card for card in (*first, *rest)}
        self._tell()
        return self.ordered()

    async def carry(self, name: str, qr: str, *, actor: str) -> GatewayCard:
        self.till.people.allow("gateways", actor)
        await self.till.asked(f"carry {name} {qr}")
        if qr not in self._listed(name).qr_kinds:
            raise BadInput(f"{TITLES[name]} makes no {qr.upper()} codes.", "Choose another.")
        return self._put(replace(self._listed(name), qr=qr))

    async def remove(self, name: str, *, actor: str) -> None:
        self.till.people.allow("gateways", actor)
        await self.till.asked(f"remove {name}")
        self._check_settled(name, False)
        self._put(replace(not_set_up(self._listed(name).name)))

    async def report_every(self, minutes: float, *, actor: str) -> float:
        self.till.people.allow("gateways", actor)
        await self.till.asked(f"report_every {minutes}")
        self.minutes = minutes
        return minutes

    def _listed(self, name: str) -> GatewayCard:
        card = self.known.get(name)
        if card is None or not card.listed:
            raise NotFound(f"{name} is not set up.", "Add its keys.")
        return card

    def _check_settled(self, name: str, on: bool) -> None:
        waiting = [v for v in self.till.orders.values() if v.shown in (Shown.WAITING, Shown.UNKNOWN)]
        if not on and any(view.attempt is not None and view.attempt.gateway == name for view in waiting):
            raise Refused("1 link there may still be paid.", "Close or settle before it is switched off.")

    def _put(self, card: GatewayCard) -> GatewayCard:
        self.known[card.name] = card
        self._tell()
        return next(each for each in self.ordered() if each.name == card.name)

    def _tell(self) -> None:
        names = tuple(card.name for card in self.ordered() if card.takes_payments)
        self.till.bus.publish(GatewaysChanged(names))


@dataclass
class GateCheck:
    till: FakeTill

    async def test(self, name: str) -> Tested:
        await self.till.asked(f"test {name}")
        card = self.till.setup.known[name]
        if not card.takes_payments:
            raise NotFound(f"{name!r} takes no payments here.", "Add its keys, or switch it on.")
        if not self.till.gateway_answers:
            checks = (
                Check("address", "bad", Connection.ADDRESS, hint=f"{card.title} cannot be reached."),
                Check("keys", "none", Connection.KEYS, Connection.NOT_LOOKED_AT),
                Check("account", "none", Connection.WHICH_ACCOUNT, Connection.NOT_LOOKED_AT),
                Check("clock", "none", Connection.CLOCKS, Connection.NOT_LOOKED_AT),
                Check("webhook", "none", Connection.NO_RELAY),
            )
            return Tested(name, self.till.clock(), checks)
        relay = Check("webhook", "none", Connection.NO_RELAY)
        if self.till.setup.relay:
            relay = Check("webhook", "ok", Connection.WEBHOOK, Connection.AGO.format(time=Able.MINUTES(2)))
        checks = (
            Check("address", "ok", Connection.ADDRESS, Connection.MS.format(n=82)),
            Check("keys", "ok", Connection.KEYS_LIVE if card.mode == "live" else Connection.KEYS_TEST),
            Check("account", "ok", Connection.RIGHT_ACCOUNT.format(account=card.account), self.till.currency),
            Check("clock", "ok", Connection.CLOCKS, Connection.SECONDS.format(n="0.3")),
            relay,
        )
        return Tested(name, self.till.clock(), checks)


@dataclass
class Webhooks:
    till: FakeTill
    doors: frozenset[str] = frozenset(TITLES)
    heard: bool = True

    async def of(self, gateway: str) -> HookView:
        await self.till.asked(f"webhook {gateway}")
        relay = self.till.setup.relay
        if not relay:
            return HookView("none")
        if not self.heard:
            return HookView("unheard")
        address = f"{relay}/hooks/s41c09a7be2/{gateway}/{'8xQ2mZ4k' * 3}"[: len(relay) + 60]
        return HookView("known", address) if gateway in self.doors else HookView("missing")


@dataclass
class Vaults:
    till: FakeTill
    view: SafeView = field(default_factory=lambda: SafeView("keyring"))
    passphrase: str = ""

    async def look(self) -> SafeView:
        await self.till.asked("look")
        return self.view

    async def create(self, passphrase: str, *, actor: str) -> SafeView:
        self.till.people.allow("gateways", actor)
        await self.till.asked("create vault")
        self.passphrase, self.view = passphrase, SafeView("vault", "open")
        return self.view

    async def unlock(self, passphrase: str, *, actor: str) -> SafeView:
        self.till.people.allow("gateways", actor)
        await self.till.asked("unlock vault")
        if passphrase != self.passphrase:
            raise NotAllowed("That is not the passphrase.", "Try again.")
        self.view = SafeView("vault", "open")
        return self.view

    async def lock(self, *, actor: str) -> SafeView:
        self.till.people.allow("gateways", actor)
        await self.till.asked("lock vault")
        self.view = SafeView("vault", "locked")
        return self.view
