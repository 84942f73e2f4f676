"""Stripe's answers in our words. Pure, and total: no answer, however broken, raises.

What an answer is about is checked against what was asked: another object's id, another amount or another reference is
not understood, and what is not understood is UNKNOWN and no fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pos.gateways.base import (
    Answer,
    Fact,
    LinkInfo,
    NotUnderstood,
    Operation,
    Outcome,
    PreparedCall,
    Reading,
    decode,
    parameters,
    plain,
    understood,
)
from pos.gateways.stripe import refusals, requests
from pos.gateways.stripe.amounts import from_stripe
from pos.gateways.stripe.facts import Teller, link_info, mode_of
from pos.gateways.stripe.objects import (
    Account,
    BalanceTransaction,
    Charge,
    Dispute,
    Head,
    Page,
    PaymentIntent,
    Payout,
    Refund,
    Session,
    SessionHead,
)

Reader = Callable[[Teller, PreparedCall, bytes], Reading]


def read(teller: Teller, call: PreparedCall, answer: Answer) -> Reading:
    """The one entrance: see `ports.Adapter.read`."""
    if not 200 <= answer.status < 300:
        return _refused(teller, call, refusals.read(call.operation, answer))
    try:
        return _READERS[call.operation](teller, call, answer.body)
    except NotUnderstood as problem:
        return Reading(Outcome.UNKNOWN, message=plain(f"not understood: {problem}"))


def _refused(teller: Teller, call: PreparedCall, reading: Reading) -> Reading:
    """A definite no to a refund of ours is a fact: it failed, under our row's id."""
    if call.operation is not Operation.REFUND or reading.outcome is not Outcome.REFUSED:
        return reading
    asked = parameters(call.body)
    ours = asked.get("metadata[truetill_refund]", "")
    return reading._replace(facts=(teller.refused_refund(ours),)) if ours else reading


def _done(facts: Iterable[Fact], **more: object) -> Reading:
    unique = tuple({fact.id: fact for fact in facts}.values())
    return Reading(Outcome.OK, facts=unique)._replace(**more)  # type: ignore[arg-type]


# --- links ---------------------------------------------------------------------------------------------------------


def _created(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Must be the link that was asked for; a replayed answer shows it as it was, so this is never a complete look."""
    session = decode(body, Session)
    asked = parameters(call.body)
    wanted = (asked.get("client_reference_id"), asked.get("line_items[0][price_data][unit_amount]"))
    if (session.client_reference_id, str(session.amount_total)) != wanted:
        raise NotUnderstood(f"{session.id} has another reference or amount than was asked for")
    if session.currency != asked.get("line_items[0][price_data][currency]"):
        raise NotUnderstood(f"{session.id} has another currency than was asked for")
    reading = _done(teller.session(session), mode=mode_of(session.livemode))
    if reading.mode is not teller.mode:
        return reading._replace(outcome=Outcome.UNKNOWN, message=f"{session.id} was made in {reading.mode} mode")
    return reading._replace(links=(link_info(session, fresh=False),))


def _looked(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Fetch and close: the session with its payments, and the call that reads what did not fit in."""
    if not call.path.startswith(requests.SESSIONS):
        return _listed(teller, call, body)
    session = decode(body, Session)
    _same(session.id, call.path.partition("?")[0].removesuffix("/expire"))
    facts = _done(teller.session(session)).facts
    more = _more(Operation.FETCH, _charge_in(session.payment_intent))
    links = (link_info(session, fresh=True),)
    return Reading(Outcome.OK, facts=facts, links=links, rows=1, next=more, mode=mode_of(session.livemode))


def _found(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Sessions of a window: only those with exactly our reference are read, foreign ones need not even make sense."""
    page = decode(body, Page)
    heads = [decode(row, SessionHead) for row in page.data]
    ours = [
        decode(row, Session)
        for row, head in zip(page.data, heads, strict=True)
        if head.client_reference_id and head.client_reference_id == call.key
    ]
    facts = [fact for session in ours for fact in teller.session(session)]
    links = tuple(link_info(session, fresh=True) for session in ours)
    return _done(facts, links=links, rows=len(heads), next=_next_page(call, page, [head.id for head in heads]))


def _charge_in(intent: str | PaymentIntent | None) -> Charge | None:
    charge = intent.latest_charge if isinstance(intent, PaymentIntent) else None
    return charge if isinstance(charge, Charge) else None


def _more(operation: Operation, charge: Charge | None) -> PreparedCall | None:
    """What a charge's answer names but does not hold: refunds after the tenth, then disputes.

    A payment fetched by itself then goes on to the session it came from.
    """
    if charge is None or not charge.intent_id:
        return None
    if charge.refunds and charge.refunds.has_more:
        path = requests.REFUNDS
    elif charge.disputed:
        path = requests.DISPUTES
    elif operation is Operation.FETCH_PAYMENT:
        path = requests.SESSIONS
    else:
        return None
    return requests.listed_by(operation, path, charge.intent_id, charge.id)


# --- payments and refunds ------------------------------------------------------------------------------------------


def _payment(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    if not call.path.startswith(f"{requests.CHARGES}/"):
        return _listed(teller, call, body)
    charge = decode(body, Charge)
    _same(charge.id, call.path.partition("?")[0])
    facts = teller.charge(charge, voided=_cancelled(charge))
    back, _ = from_stripe(charge.amount_refunded, charge.currency)
    more, mode = _more(Operation.FETCH_PAYMENT, charge), mode_of(charge.livemode)
    return _done(facts, rows=1, next=more, mode=mode, given_back_minor=back)


def _cancelled(charge: Charge) -> bool:
    return isinstance(charge.payment_intent, PaymentIntent) and charge.payment_intent.status == "canceled"


def _captured(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """First the charge, which tells its PaymentIntent; then the capture itself."""
    if call.method == "GET":
        reading = _payment(teller, call, body)
        charge = decode(body, Charge)
        wanted = charge.status == "succeeded" and not charge.captured and charge.intent_id
        return reading._replace(next=requests.capture_intent(charge.intent_id, call.key) if wanted else None)
    intent = decode(body, PaymentIntent)
    _same(intent.id, call.path.removesuffix("/capture"))
    return _done(teller.intent(intent), rows=1, mode=mode_of(intent.livemode))


def _refunded(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Must be the refund that was asked for: its payment, its amount, our mark."""
    refund = decode(body, Refund)
    asked = parameters(call.body)
    charge_id = refund.charge.id if isinstance(refund.charge, Charge) else refund.charge
    ours = (refund.metadata or {}).get("truetill_refund", "")
    wanted = (asked.get("charge"), asked.get("amount"), asked.get("metadata[truetill_refund]"))
    if (charge_id, str(refund.amount), ours) != wanted:
        raise NotUnderstood(f"{refund.id} is another refund than was asked for")
    return _done(teller.refund(refund), rows=1, refund_id=refund.id)


def _refund(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    refund = decode(body, Refund)
    _same(refund.id, call.path.partition("?")[0])
    return _done(teller.refund(refund), rows=1, refund_id=refund.id)


def _same(got: str, path: str) -> None:
    if got != path.rpartition("/")[2]:
        raise NotUnderstood(f"the answer is about {got}, which was not asked for")


# --- lists ---------------------------------------------------------------------------------------------------------


def _next_page(call: PreparedCall, page: Page, ids: list[str]) -> PreparedCall | None:
    if not page.has_more:
        return None
    if not ids or ids[-1] == parameters(call.path).get("starting_after"):
        raise NotUnderstood("the list says there is more but does not go on")
    return requests.following(call, ids[-1])


def _rows(teller: Teller, path: str, page: Page) -> tuple[list[str], list[Fact]]:
    """Ids and facts of a page's rows, whichever list it is. One row that is not understood spoils the page."""
    ids: list[str] = []
    facts: list[Fact] = []
    for row in page.data:
        identifier, told = _ROWS[path](teller, row)
        ids.append(identifier)
        facts.extend(told)
    return ids, facts


def _listed(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Refunds, disputes and sessions of one PaymentIntent, one list after the other."""
    page = decode(body, Page)
    path = call.path.partition("?")[0]
    ids, facts = _rows(teller, path, page)
    links: tuple[LinkInfo, ...] = ()
    if path == requests.SESSIONS:
        sessions = [decode(row, Session) for row in page.data]
        links = tuple(link_info(session, fresh=True) for session in sessions)
        facts += [teller.of_link(call.key, session) for session in sessions if _intent_id(session) == _asked_for(call)]
    more = _next_page(call, page, ids) or _next_list(call, path)
    return _done(facts, links=links, rows=len(ids), next=more)


def _intent_id(session: Session) -> str:
    intent = session.payment_intent
    return intent.id if isinstance(intent, PaymentIntent) else intent or ""


def _asked_for(call: PreparedCall) -> str:
    return parameters(call.path).get("payment_intent", "")


def _next_list(call: PreparedCall, path: str) -> PreparedCall | None:
    if path == requests.REFUNDS:
        following = requests.DISPUTES
    elif path == requests.DISPUTES and call.operation is Operation.FETCH_PAYMENT:
        following = requests.SESSIONS
    else:
        return None
    return requests.listed_by(call.operation, following, _asked_for(call), call.key)


def _reported(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    page = decode(body, Page)
    path = call.path.partition("?")[0]
    if path == requests.PAYOUTS:
        return _payouts(call, page)
    if path == requests.BALANCE:
        return _payout_lines(teller, call, page)
    ids = [decode(row, Head).id for row in page.data]
    facts, odd = understood(zip(ids, page.data, strict=True), lambda row: _ROWS[path](teller, row)[1])
    return _done(facts, rows=len(ids), row_ids=tuple(ids), odd=odd, next=_next_page(call, page, ids))


def _payouts(call: PreparedCall, page: Page) -> Reading:
    """One payout at a time, so that its lines can be read before the next. Manual and failed payouts have none."""
    payouts = [decode(row, Payout) for row in page.data]
    more = _next_page(call, page, [payout.id for payout in payouts])
    if len(payouts) > 1:
        raise NotUnderstood("more payouts than were asked for")
    if payouts and payouts[0].automatic and payouts[0].status not in ("canceled", "failed"):
        more = requests.payout_lines(payouts[0].id, more.path if more else "")
    return Reading(Outcome.OK, rows=len(payouts), next=more)


def _payout_lines(teller: Teller, call: PreparedCall, page: Page) -> Reading:
    payout = parameters(call.path).get("payout", "")
    lines = [decode(row, BalanceTransaction) for row in page.data]
    told = [line for line in lines if line.source != payout]
    facts = [teller.payout_line(line, payout, teller.mode) for line in told]
    more = _next_page(call, page, [line.id for line in lines])
    if more is None and call.key:
        more = requests.get(Operation.REPORT, call.key)
    return _done(facts, rows=len(lines), row_ids=tuple(line.id for line in lines), next=more)


def _charge_row(teller: Teller, row: bytes) -> tuple[str, Iterable[Fact]]:
    charge = decode(row, Charge)
    return charge.id, teller.charge(charge)


def _refund_row(teller: Teller, row: bytes) -> tuple[str, Iterable[Fact]]:
    refund = decode(row, Refund)
    return refund.id, teller.refund(refund)


def _dispute_row(teller: Teller, row: bytes) -> tuple[str, Iterable[Fact]]:
    dispute = decode(row, Dispute)
    return dispute.id, teller.dispute(dispute)


def _session_row(teller: Teller, row: bytes) -> tuple[str, Iterable[Fact]]:
    session = decode(row, Session)
    return session.id, teller.session(session)


# --- the account ---------------------------------------------------------------------------------------------------


def _account(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    account = decode(body, Account)
    dashboard = account.settings.dashboard if account.settings else None
    shown = (dashboard.display_name if dashboard else None) or (
        account.business_profile.name if account.business_profile else None
    )
    return Reading(Outcome.OK, rows=1, account=account.id, account_name=plain(shown))


_ROWS = {
    requests.CHARGES: _charge_row,
    requests.REFUNDS: _refund_row,
    requests.DISPUTES: _dispute_row,
    requests.SESSIONS: _session_row,
}
_READERS: dict[Operation, Reader] = {
    Operation.CREATE: _created,
    Operation.FIND: _found,
    Operation.FETCH: _looked,
    Operation.CLOSE: _looked,
    Operation.FETCH_PAYMENT: _payment,
    Operation.FETCH_REFUND: _refund,
    Operation.CAPTURE: _captured,
    Operation.REFUND: _refunded,
    Operation.REPORT: _reported,
    Operation.WHOAMI: _account,
}
