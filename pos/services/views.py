"""Read models: what a screen or a command is shown. Plain values, ready to print; no behaviour, no I/O.

Amounts in minor units of `currency`, times in milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pos.domain.basket import Line, Totals
from pos.domain.matching import Action
from pos.domain.order import Life
from pos.domain.shown import Outward, Shown
from pos.domain.verdict import Certainty, Flag, Money


@dataclass(frozen=True, slots=True)
class AttemptView:
    """The attempt a screen is about: the live one, else the last. `qr_text` is what the code carries, or ""."""

    id: str
    no: int
    gateway: str
    gateway_title: str
    mode: str
    phase: str
    amount_minor: int
    link_id: str
    link_url: str
    qr_text: str
    expires_at_ms: int | None
    shown_at_ms: int | None
    drafted_at_ms: int
    next_look_at_ms: int | None
    looks_failed: int
    fenced: bool


@dataclass(frozen=True, slots=True)
class ShareView:
    """A part of the order's plan: `way` is qr, terminal or cash, in words `text`; `state`: paid, next, open."""

    way: str
    gateway: str
    amount_minor: int
    paid_minor: int
    state: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class PaidLine:
    """One way in which money came, or went back (negative): what a receipt says of it."""

    text: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PaymentView:
    id: str
    gateway: str
    attempt_no: int | None
    state: str
    captured_minor: int
    captured_at_ms: int | None
    to_refund_minor: int
    stuck_minor: int = 0
    """What its gateway refused to give back, or could not: a manager may give it back in cash."""


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """`source`: till, gateway, webhook, callback, poll, report, manager; `state`: ok, waiting, unknown, bad."""

    at_ms: int
    source: str
    text: str
    state: str = "ok"
    payment: str = ""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One line of a list, and the payload of `OrderChanged`."""

    order_id: str
    number: str
    created_at_ms: int
    total_minor: int
    currency: str
    payment_text: str
    shown: Shown
    money: Money
    certainty: Certainty
    version: int


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order, whole, but for its timeline."""

    order_id: str
    number: str
    key: str
    currency: str
    life: Life
    revision: int
    created_at_ms: int
    lines: tuple[Line, ...]
    totals: Totals
    due_minor: int
    kept_minor: int
    left_minor: int
    owed_minor: int
    captured_minor: int
    refunded_minor: int
    money: Money
    certainty: Certainty
    shown: Shown
    outward: Outward
    flags: tuple[Flag, ...]
    attempt: AttemptView | None
    payments: tuple[PaymentView, ...]
    change_minor: int
    opened: bool
    may: frozenset[str]
    """What the cashier may do: edit, hold, void, qr, cash, split, check, next, give_up, release, receipt, return_,
    refund, collect, give_back, cash_back."""
    version: int
    payment_text: str = ""
    paid_at_ms: int | None = None
    unknown_since_ms: int | None = None
    plan: tuple[ShareView, ...] = ()
    """The saved plan of tenders, while it stands."""
    paid_by: tuple[PaidLine, ...] = ()

    @property
    def next_share(self) -> ShareView | None:
        """The part of the plan that is to be paid next."""
        return next((share for share in self.plan if share.state == "next"), None)

    @property
    def ask_minor(self) -> int:
        """What the next way of paying asks for: the next part of the plan, else all that is left."""
        share = self.next_share
        return self.left_minor if share is None else min(self.left_minor, share.amount_minor - share.paid_minor)

    returned_minor: int = 0
    """Given back for goods or good will; what the sale kept is not less for it."""
    notes: tuple[str, ...] = ()
    """Numbers of its credit notes, oldest first."""

    @property
    def row(self) -> OrderRow:
        return OrderRow(
            self.order_id,
            self.number,
            self.created_at_ms,
            self.totals.total_minor,
            self.currency,
            self.payment_text,
            self.shown,
            self.money,
            self.certainty,
            self.version,
        )


@dataclass(frozen=True, slots=True)
class ReturnLineView:
    """One line of a sale: how much was sold, and how much may still come back."""

    line: int
    sku: str
    name: str
    sold_milli: int
    left_milli: int


@dataclass(frozen=True, slots=True)
class ReturnView:
    """A sale, and what chosen goods of it are worth: `tax_minor` is contained in the total. `notes`: earlier ones."""

    order_id: str
    lines: tuple[ReturnLineView, ...]
    total_minor: int
    tax_minor: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExceptionView:
    """Something that needs a person, with its evidence and one proposed action."""

    id: str
    code: str
    order_id: str
    number: str
    at_ms: int
    gateway: str
    here_minor: int | None
    gateway_minor: int | None
    currency: str
    action: Action
    amount_minor: int
    subject: str
    open: bool


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a person decides: why, who, and the order's number where a payment is to be attached to one.

    `approved_by`: a second manager who agrees, where the shop's limit asks for one.
    """

    reason: str
    actor: str
    order: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class TotalRow:
    """`here` from the till's books; `there` counted, or what the gateway's report says; None = not known."""

    key: str
    title: str
    here_minor: int | None
    there_minor: int | None


@dataclass(frozen=True, slots=True)
class MatchRow:
    """One order or payment of the day after matching: code M01, M02, M03, M21."""

    code: str
    order_id: str
    number: str
    at_ms: int
    gateway: str
    here_minor: int | None
    gateway_minor: int | None


@dataclass(frozen=True, slots=True)
class DayView:
    """A business day as the manager sees it. `complete` is False when a report could not be read whole."""

    day: str
    from_ms: int
    to_ms: int
    currency: str
    gateways: tuple[str, ...]
    report_at_ms: int | None
    rows_read: int
    complete: bool
    matched: tuple[MatchRow, ...]
    corrected: tuple[MatchRow, ...]
    exceptions: tuple[ExceptionView, ...]
    waiting: int
    unknown: int
    totals: tuple[TotalRow, ...]
    cash_difference_minor: int | None
    parked_count: int
    parked_minor: int
    closed_at_ms: int | None
    closed_by: str = ""
    z_number: int | None = None
    hash: str = ""
    problems: tuple[str, ...] = ()
    """Why integrity is not proven; empty when the books verified at the close."""
    unread: tuple[str, ...] = ()
    """Why a gateway's report could not be read whole."""
    stage: str = "counted"
    test: bool = False
    """Books of test mode: no money moved."""
    noted: tuple[MatchRow, ...] = ()
    """M21: money that this day's Z tells of and that was captured on another day."""

    def categories(self) -> dict[str, int]:
        """How many rows of each category."""
        counts = Counter(row.code for row in (*self.matched, *self.corrected, *self.noted))
        counts.update(row.code for row in self.exceptions)
        if self.parked_count:
            counts["M10"] = self.parked_count
        return dict(sorted(counts.items()))


@dataclass(frozen=True, slots=True)
class StatusView:
    """The lights. `gateway`/`relay`: ok | slow | down | locked (its keys lie in what is not open) | off; `*_ms` None =

    never. They tell the truth:

    `relay` is ok only with a heartbeat in the last 30 s. `books`: ok | down (the database does not answer; the rest is
    as it last was) | read_only (nothing may be written here now); `problem` and `problem_hint` then say why.
    """

    gateway: str
    relay: str
    relay_heard_at_ms: int | None
    reconciled_at_ms: int | None
    waiting: int
    unknown: int
    test_mode: bool
    shop: str
    till: str
    shift_no: int | None
    shift_opened_at_ms: int | None
    user: str
    role: str
    books: str = "ok"
    problem: str = ""
    problem_hint: str = ""


@dataclass(frozen=True, slots=True)
class GatewayChoice:
    name: str
    title: str
    mode: str
    enabled: bool
    down: bool = False
    """It has not answered lately, does not accept the key, or its package does not load."""
