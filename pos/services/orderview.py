"""One order as people see it: the read model made from its bundle and verdict. No writes."""

from __future__ import annotations

from collections.abc import Sequence

from pos.domain import basket
from pos.domain.cash import Method
from pos.domain.errors import NotFound
from pos.domain.giving import stuck
from pos.domain.joins import Bundle
from pos.domain.order import Life, Order
from pos.domain.payment import CALL_TIMEOUT_S, Attempt, Phase
from pos.domain.plan import standing
from pos.domain.rows import OrderLine
from pos.domain.shown import Shown, State, outward, shown
from pos.domain.store_port import Tx
from pos.domain.verdict import Certainty, Flag, Money, Verdict, certainty, fold
from pos.services.planview import METHOD_WORDS, by_plan, paid_by, shares_of
from pos.services.views import AttemptView, OrderRow, OrderView, PaymentView
from pos.words.happened import Methods
from pos.words.ways import gateway_title

TAKE = ("cash", "terminal")
"""Ways to pay at the counter; each closes a live link first."""


def payment_text(methods: tuple[str, ...], gateways: tuple[str, ...]) -> str:
    """How an order is being paid, for lists: "QR · Stripe", "Cash", or both."""
    parts = [Methods.QR.format(gateway=gateway_title(name)) for name in gateways]
    return " + ".join([*parts, *(METHOD_WORDS[Method(m)] for m in methods if m != Method.BY_HAND)])


def row_of(bundle: Bundle, verdict: Verdict, now_ms: int) -> OrderRow:
    """The order's line, from what was just folded."""
    state = state_of(bundle, verdict, now_ms)
    return OrderRow(
        order_id=bundle.order.id,
        number=bundle.order.number,
        created_at_ms=bundle.order.created_at_ms,
        total_minor=bundle.order.total_minor,
        currency=bundle.order.currency,
        payment_text=_how_paid(bundle, verdict),
        shown=shown(state),
        money=verdict.money,
        certainty=state.certainty,
        version=bundle.order.version,
    )


def state_of(bundle: Bundle, verdict: Verdict, now_ms: int) -> State:
    sure = certainty(bundle.attempts, verdict.in_flight, now_ms)
    return State(bundle.order, verdict, sure, bundle.attempts)


def _how_paid(bundle: Bundle, verdict: Verdict) -> str:
    counted = {t.method.value for t in bundle.tenders if t.amount_minor > 0 and t.method is not Method.BY_HAND}
    methods = tuple(sorted(counted))
    return payment_text(methods, _gateways(bundle.attempts, verdict, methods))


def _gateways(attempts: Sequence[Attempt], verdict: Verdict, methods: tuple[str, ...]) -> tuple[str, ...]:
    """Through which links it is being paid; once it is paid, those that ended unpaid are left out."""
    asked = [a for a in attempts if a.phase is not Phase.ABANDONED]
    if verdict.money in (Money.PAID, Money.OVERPAID):
        if not verdict.captured_minor and methods:
            return ()
        asked = [a for a in asked if a.fence_kind != "expired"] or asked
    return tuple(dict.fromkeys(a.gateway for a in asked))


def row_of_line(line: OrderLine, now_ms: int) -> OrderRow:
    """A list's row from cached money: certainty is computed now, the rest as `books verify` checks it."""
    verdict = _cached_verdict(line)
    bundle = Bundle(line.order, line.attempts)
    state = state_of(bundle, verdict, now_ms)
    return OrderRow(
        line.order.id,
        line.order.number,
        line.order.created_at_ms,
        line.order.total_minor,
        line.order.currency,
        payment_text(line.methods, _gateways(line.attempts, verdict, line.methods)),
        shown(state),
        verdict.money,
        state.certainty,
        line.order.version,
    )


def _cached_verdict(line: OrderLine) -> Verdict:
    cached = line.cached
    return Verdict(
        money=Money(cached.money),
        due_minor=line.order.due_minor,
        kept_minor=cached.kept_minor,
        kept_firm_minor=cached.kept_minor,
        captured_minor=cached.captured_minor,
        tendered_minor=0,
        refunded_minor=cached.refunded_minor,
        returned_minor=cached.returned_minor,
        flags=tuple(Flag(word) for word in cached.flags.split()),
        payments=(),
        refunds=(),
        in_flight=line.in_flight,
        proposals=(),
    )


def find_order(tx: Tx, text: str) -> Order:
    """An order by id, printed number or the caller's key.

    Raises:
        NotFound: none of these.
    """
    found = tx.orders.get(text) or tx.orders.by_number(text) or tx.orders.by_key(text)
    if found is None:
        raise NotFound(f"There is no order {text!r}.", "Give its number, such as 1-00042, its id, or its key.")
    return found


def view_of(tx: Tx, order_id: str, now_ms: int, known: Bundle | None = None) -> OrderView:
    """One order, whole. `known` is its bundle where the caller has it as this transaction left it."""
    bundle = known or tx.facts.bundle(order_id)
    verdict = fold(bundle)
    order = bundle.order
    state = state_of(bundle, verdict, now_ms)
    word = shown(state)
    attempt = attempt_of(bundle)
    calls = tx.outbox.calls(order_id)
    opened = attempt is not None and any(c.operation == "opened" and c.attempt_id == attempt.id for c in calls)
    tax_included = tx.orders.tax_included(order_id)
    shares = shares_of(standing(tx.plans.last(order_id), order), verdict.kept_minor)
    payments = _payments(bundle, verdict)
    allowed = by_plan(may(state, word), shares) | ({"cash_back"} if any(p.stuck_minor for p in payments) else set())
    return OrderView(
        order_id=order.id,
        number=order.number,
        key=order.key,
        currency=order.currency,
        life=order.life,
        revision=order.revision,
        created_at_ms=order.created_at_ms,
        lines=order.lines,
        totals=basket.totals(order.lines, tax_included=tax_included),
        due_minor=verdict.due_minor,
        kept_minor=verdict.kept_minor,
        left_minor=verdict.left_minor if order.life is Life.PLACED else _unplaced_left(order),
        owed_minor=verdict.owed_minor,
        captured_minor=verdict.captured_minor,
        refunded_minor=verdict.refunded_minor,
        money=verdict.money,
        certainty=state.certainty,
        shown=word,
        outward=outward(state),
        flags=verdict.flags,
        attempt=_attempt_view(attempt) if attempt else None,
        payments=payments,
        change_minor=_change(bundle),
        opened=opened,
        may=allowed,
        version=order.version,
        payment_text=_how_paid(bundle, verdict),
        paid_at_ms=_paid_at(bundle, verdict),
        unknown_since_ms=_unknown_since(bundle, state),
        plan=shares,
        paid_by=paid_by(bundle, verdict),
        returned_minor=verdict.returned_minor,
        notes=_notes(tx, bundle),
    )


def _unplaced_left(order: Order) -> int:
    return order.total_minor if order.life in (Life.DRAFT, Life.HELD) else 0


def attempt_of(bundle: Bundle) -> Attempt | None:
    """The attempt a screen is about: the live one, else the last that was shown, else the last."""
    live = [a for a in bundle.attempts if a.live]
    shown_ones = [a for a in bundle.attempts if a.phase is not Phase.ABANDONED]
    return max(live or shown_ones or list(bundle.attempts), key=lambda a: a.no, default=None)


def _attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        id=attempt.id,
        no=attempt.no,
        gateway=attempt.gateway,
        gateway_title=gateway_title(attempt.gateway),
        mode=attempt.mode,
        phase=attempt.phase,
        amount_minor=attempt.amount_minor,
        link_id=attempt.link_id,
        link_url=attempt.url if attempt.was_shown else "",
        qr_text=(attempt.qr_url or attempt.url) if attempt.phase is Phase.OPEN else "",
        expires_at_ms=attempt.expires_at_ms,
        shown_at_ms=attempt.shown_at_ms,
        drafted_at_ms=attempt.drafted_at_ms,
        next_look_at_ms=attempt.look_due_at_ms,
        looks_failed=attempt.looks_failed,
        fenced=attempt.fenced,
    )


def _payments(bundle: Bundle, verdict: Verdict) -> tuple[PaymentView, ...]:
    numbers = {a.id: a.no for a in bundle.attempts}
    back = {p.payment: p.amount_minor for p in verdict.proposals}
    held = {p.payment: p.amount_minor for p in stuck(bundle, verdict)}
    ordered = sorted(verdict.payments, key=lambda p: (p.captured_at_ms or 0, p.id))
    return tuple(
        PaymentView(
            id=p.id,
            gateway=p.gateway,
            attempt_no=numbers.get(p.attempt_id),
            state=p.state,
            captured_minor=p.captured_minor,
            captured_at_ms=p.captured_at_ms,
            to_refund_minor=back.get(p.id, 0),
            stuck_minor=held.get(p.id, 0),
        )
        for p in ordered
    )


def _notes(tx: Tx, bundle: Bundle) -> tuple[str, ...]:
    """Looked for only where money went back for one: this is read after every change of an order."""
    if not any(r.return_id for r in bundle.refunds) and not any(t.return_id for t in bundle.tenders):
        return ()
    return tuple(note.number for note in tx.returns.of_order(bundle.order.id))


def _change(bundle: Bundle) -> int:
    cash = [t for t in bundle.tenders if t.method is Method.CASH and t.amount_minor > 0]
    return max(0, cash[-1].given_minor - cash[-1].amount_minor) if cash and cash[-1].given_minor else 0


def _paid_at(bundle: Bundle, verdict: Verdict) -> int | None:
    if verdict.money not in (Money.PAID, Money.OVERPAID):
        return None
    times = [p.captured_at_ms for p in verdict.payments if p.captured_at_ms and p.counts]
    times += [t.at_ms for t in bundle.tenders if t.amount_minor > 0]
    return max(times, default=None)


def _unknown_since(bundle: Bundle, state: State) -> int | None:
    if state.certainty is not Certainty.UNKNOWN:
        return None
    live = next((a for a in bundle.attempts if a.live), None)
    if live is None:
        return None
    return live.looked_at_ms or live.shown_at_ms or live.drafted_at_ms + CALL_TIMEOUT_S * 1000


def may(state: State, word: Shown) -> frozenset[str]:
    """What the cashier may do next (design/payment-truth.md section 5)."""
    order, verdict = state.order, state.verdict
    live = any(a.live for a in state.attempts)
    fenced = all(a.fenced or a.phase is Phase.RELEASED for a in state.attempts if a.was_shown)
    if word is Shown.UNKNOWN:
        return frozenset({"check", "next", "release"} | ({"by_hand"} if _was_shown(state) else set()))
    if verdict.owed_minor > 0:
        return frozenset({"refund", "next", "accept"} if order.life is Life.VOIDED else {"refund", "next", "receipt"})
    waits = live or state.certainty is Certainty.WAITING
    if verdict.money is Money.PAID:
        return frozenset({"receipt", "return_", "refund", "next"} | ({"check"} if waits else set()))
    if waits:
        # without a live link something is in flight all the same: it is waited for, or a manager decides
        closing = not live or any(a.phase is Phase.CLOSING for a in state.attempts)
        by_hand = {"by_hand"} if _was_shown(state) else set()
        return frozenset(
            {"check", "next", "release"} | by_hand if closing else {"check", "next", "give_up", "switch", *TAKE}
        )
    if order.life is Life.VOIDED:
        return frozenset({"next"})
    if verdict.money is Money.PART_PAID:
        return frozenset({"qr", *TAKE, "split", "collect", "give_back", "next"})
    if not fenced:
        return frozenset({"check", "next", "release"})
    return frozenset({"edit", "hold", "void", "qr", *TAKE, "split", "next"})


def _was_shown(state: State) -> bool:
    return any(a.was_shown for a in state.attempts)
