"""Razorpay's answers in our words. Pure, and total: no answer, however broken, raises.

What an answer is about is checked against what was asked: another object's id, another amount or another reference is
not understood, and what is not understood is UNKNOWN and no fact. A list that was asked for with a filter is believed
only as far as its rows fit the filter.

One look takes several answers, since a link does not show its payments and a payment does not show its link:
link -> payments of its order -> refunds of each; payment -> its links -> its UPI code -> whether it is that code's ->
its refunds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl

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
    with_query,
)
from pos.gateways.razorpay import refusals, requests
from pos.gateways.razorpay.facts import OUR_REFUND, OUR_SHOP, OUR_TILL, REFERENCE, Teller, is_paid, link_info, qr_info
from pos.gateways.razorpay.objects import (
    CodeHead,
    Dispute,
    Head,
    LinkHead,
    LinkPage,
    Page,
    Payment,
    PaymentLink,
    QrCode,
    ReconRow,
    Refund,
    note,
)

Reader = Callable[[Teller, PreparedCall, bytes], Reading]
NO_TEXT = "this account's UPI codes come as pictures only; set gateways.razorpay.qr to auto"


def read(teller: Teller, call: PreparedCall, answer: Answer) -> Reading:
    """The one entrance: see `ports.Adapter.read`."""
    if not 200 <= answer.status < 300:
        return _refused(teller, call, refusals.read(call.operation, answer))
    try:
        return _READERS[call.operation](teller, call, answer.body)
    except NotUnderstood as problem:
        return Reading(Outcome.UNKNOWN, message=plain(f"not understood: {problem}"))


def _refused(teller: Teller, call: PreparedCall, reading: Reading) -> Reading:
    """A no means something more for three calls: a refund of ours that failed for good; an account without UPI codes,

    which has none to be found and lacks them; a payment that no list knows, which came through neither.
    """
    if reading.outcome is Outcome.NOT_FOUND and call.operation is Operation.FETCH_PAYMENT:
        return reading._replace(outcome=Outcome.OK, next=_elsewhere(call)) if _elsewhere(call) else reading
    if reading.outcome is not Outcome.REFUSED:
        return reading
    if call.operation is Operation.REFUND:
        ours = _asked(call)["notes"][OUR_REFUND]
        return reading._replace(facts=(teller.refused_refund(ours),))
    if _path(call) == requests.QR_CODES and call.operation is Operation.FIND:
        return Reading(Outcome.OK, message=reading.message)
    if _path(call) == requests.QR_CODES and call.operation is Operation.WHOAMI:
        return Reading(Outcome.OK, message=reading.message, lacks=("upi",))
    if _path(call) == requests.QR_CODES and call.operation is Operation.FETCH_PAYMENT:
        return Reading(Outcome.OK, message=reading.message, next=_refunds(Operation.FETCH_PAYMENT, _told(call)))
    return reading


def _elsewhere(call: PreparedCall) -> PreparedCall | None:
    """Where to ask next when a list of links or codes says that it knows no such payment."""
    if _path(call) == requests.LINKS:
        return requests.qr_of_payment(_told(call)["payment"])
    return _refunds(Operation.FETCH_PAYMENT, _told(call)) if _path(call) == requests.QR_CODES else None


def _done(facts: Iterable[Fact], **more: object) -> Reading:
    unique = tuple({fact.id: fact for fact in facts}.values())
    return Reading(Outcome.OK, facts=unique)._replace(**more)  # type: ignore[arg-type]


def _path(call: PreparedCall) -> str:
    return call.path.partition("?")[0]


def _told(call: PreparedCall) -> dict[str, str]:
    """What a call remembers for its reader."""
    return dict(parse_qsl(call.key, keep_blank_values=True))


def _asked(call: PreparedCall) -> dict[str, Any]:
    """Our own request, read back."""
    asked: dict[str, Any] = json.loads(call.body)
    return asked


def _same(got: str, wanted: str) -> None:
    if got != wanted:
        raise NotUnderstood(f"the answer is about {got}, which was not asked for")


# --- links ---------------------------------------------------------------------------------------------------------


def _created(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Must be the link that was asked for. The answer shows it as it was made, so it is never a complete look."""
    asked = _asked(call)
    if call.path == requests.QR_CODES:
        code = decode(body, QrCode)
        info, created, wanted = qr_info(code), code.created_at, (asked["payment_amount"], "INR")
        reference = asked["notes"][REFERENCE]
    else:
        link = decode(body, PaymentLink)
        info, created, wanted = link_info(link), link.created_at, (asked["amount"], asked["currency"])
        reference = asked["reference_id"]
    if (info.reference, info.amount_minor, info.currency) != (reference, *wanted):
        raise NotUnderstood(f"{info.id} has another reference, amount or currency than was asked for")
    message = NO_TEXT if call.path == requests.QR_CODES and not info.url else ""
    facts = [teller.link(info, created)]
    return _done(facts, links=(info._replace(complete_look=False),), message=message)


def _looked(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Fetch and close: the link's own state, then the tries to pay it, then what was given back."""
    path = _path(call)
    if path.endswith("/payments"):
        return _tries(teller, call, body)
    if path.endswith("/refunds"):
        return _given_back(teller, call, body)
    if path.startswith(requests.QR_CODES):
        return _looked_at_qr(teller, call, body)
    link = decode(body, PaymentLink)
    _same(link.id, path.removesuffix("/cancel").rpartition("/")[2])
    info = link_info(link)
    more = None
    if link.order_id is not None:
        more = requests.payments_of_order(Operation.FETCH, link.order_id, _remembered(info, paid=link.status == "paid"))
    return _done([teller.link(info, link.created_at)], links=(info,), rows=1, next=more)


def _looked_at_qr(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    code = decode(body, QrCode)
    _same(code.id, _path(call).removesuffix("/close").rpartition("/")[2])
    info = qr_info(code)
    more = requests.payments_of_qr(Operation.FETCH, code.id, _remembered(info, paid=is_paid(code)))
    return _done([teller.link(info, code.created_at)], links=(info,), rows=1, next=more)


def _remembered(info: LinkInfo, *, paid: bool) -> str:
    return requests.memo(
        id=info.id,
        state=info.state,
        url=info.url,
        reference=info.reference,
        expires="" if info.expires_at_ms is None else info.expires_at_ms,
        paid=int(paid),
    )


def _tries(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """All tries to pay one link, listed after its state was seen: that makes the look complete.

    Not complete is a link that is called paid without a payment that is, and a list that goes on or may.
    """
    told = _told(call)
    page = decode(body, Page)
    payments = [decode(row, Payment) for row in page.items]
    order = _path(call).removesuffix("/payments").rpartition("/")[2]
    facts: list[Fact] = []
    for payment in payments:
        if call.path.startswith(requests.ORDERS):
            _same(payment.order_id or "", order)
        facts += [*teller.payment(payment), teller.of_link(payment.id, told["id"])]
        facts += teller.of_reference(payment.id, told["reference"])
    captured = [payment.id for payment in payments if payment.captured]
    all_listed = page.count <= len(payments) < requests.PAGE_ROWS
    whole = all_listed and (bool(captured) or told["paid"] == "0")
    info = LinkInfo(
        told["id"], told["state"], told["url"], told["reference"], int(told["expires"]) if told["expires"] else None
    )
    links = (info._replace(complete_look=whole),)
    return _done(facts, links=links, rows=len(payments), next=requests.refunds_of(Operation.FETCH, captured))


def _found(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Links with exactly our reference; where there is none, UPI codes of the window that carry it.

    Codes that are none of ours need not make sense.
    """
    wanted = _told(call)
    if _path(call) == requests.LINKS:
        links = [decode(row, PaymentLink) for row in decode(body, LinkPage).payment_links]
        ours = [link for link in links if link.reference_id and link.reference_id == wanted["reference"]]
        infos = [link_info(link) for link in ours]
        facts = [teller.link(info, link.created_at) for info, link in zip(infos, ours, strict=True)]
        return _done(facts, links=tuple(infos), rows=len(links), next=None if ours else requests.find_qr(wanted))
    page = decode(body, Page)
    heads = [decode(row, CodeHead) for row in page.items]
    codes = [
        decode(row, QrCode)
        for row, head in zip(page.items, heads, strict=True)
        if note(head.notes, REFERENCE) == wanted["reference"]
    ]
    infos = [qr_info(code) for code in codes]
    facts = [teller.link(info, code.created_at) for info, code in zip(infos, codes, strict=True)]
    return _done(facts, links=tuple(infos), rows=len(page.items), next=_next_page(call, page))


# --- payments and refunds ------------------------------------------------------------------------------------------


def _payment(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    path = _path(call)
    if path == requests.LINKS:
        return _links_of(teller, call, body)
    if path == requests.QR_CODES:
        return _codes_of(teller, call, body)
    if path.startswith(f"{requests.QR_CODES}/"):
        return _is_of_code(teller, call, body)
    if path.endswith("/refunds"):
        return _given_back(teller, call, body)
    payment = decode(body, Payment)
    _same(payment.id, path.rpartition("/")[2])
    more = requests.links_of_payment(payment.id, payment.order_id or "")
    return _done(teller.payment(payment), rows=1, next=more, given_back_minor=payment.amount_refunded)


def _links_of(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Links that name the payment, or its order: a list that ignored the filter binds nothing."""
    told = _told(call)
    links = [decode(row, LinkHead) for row in decode(body, LinkPage).payment_links]
    ours = [
        link
        for link in links
        if told["payment"] in {each.payment_id for each in link.payments or ()}
        or (link.order_id and link.order_id == told["order"])
    ]
    payment = told["payment"]
    facts = [fact for link in ours for fact in _bound(teller, payment, link.id, link.reference_id or "")]
    facts += [fact for link in ours for fact in teller.of_shop(payment, link.notes)]
    more = _refunds(Operation.FETCH_PAYMENT, told) if ours else requests.qr_of_payment(told["payment"])
    return _done(facts, rows=len(links), next=more)


def _bound(teller: Teller, payment_id: str, link_id: str, reference: str) -> list[Fact]:
    return [teller.of_link(payment_id, link_id), *teller.of_reference(payment_id, reference)]


def _codes_of(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """UPI codes of one payment. A code does not name its payments, so the only one is asked whether it is its own."""
    told = _told(call)
    codes = [decode(row, CodeHead) for row in decode(body, Page).items]
    more = _refunds(Operation.FETCH_PAYMENT, told)
    if len(codes) == 1:
        (code,) = codes
        marks = {name: note(code.notes, name) for name in (OUR_SHOP, OUR_TILL)}
        memo = requests.memo(payment=told["payment"], id=code.id, reference=note(code.notes, REFERENCE), **marks)
        more = requests.payments_of_qr(Operation.FETCH_PAYMENT, code.id, memo)
    return _done([], rows=len(codes), next=more)


def _is_of_code(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """The payments of a code bind the one that was asked about, if it is among them."""
    told = _told(call)
    ids = {decode(row, Head).id for row in decode(body, Page).items}
    found = told["payment"] in ids
    facts = _bound(teller, told["payment"], told["id"], told["reference"]) if found else []
    facts += teller.of_shop(told["payment"], told) if found else []
    return _done(facts, rows=len(ids), next=_refunds(Operation.FETCH_PAYMENT, told))


def _refunds(operation: Operation, told: Mapping[str, str]) -> PreparedCall | None:
    return requests.refunds_of(operation, [told["payment"]])


def _given_back(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Refunds of one payment, page by page, then those of the next."""
    page = decode(body, Page)
    refunds = [decode(row, Refund) for row in page.items]
    payment = _path(call).removesuffix("/refunds").rpartition("/")[2]
    for refund in refunds:
        _same(refund.payment_id, payment)
    if page.count > len(refunds):
        raise NotUnderstood("the page lacks refunds that it counts")
    later = call.key.split()
    if len(refunds) >= requests.PAGE_ROWS:
        skip = int(parameters(call.path)["skip"]) + len({refund.id for refund in refunds})
        more = requests.refunds_of(call.operation, [payment, *later], skip)
    else:
        more = requests.refunds_of(call.operation, later)
    facts = [fact for refund in refunds for fact in teller.refund(refund)]
    return _done(facts, rows=len(refunds), next=more)


def _captured(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    payment = decode(body, Payment)
    _same(payment.id, call.path.removesuffix("/capture").rpartition("/")[2])
    asked = _asked(call)
    if (payment.amount, payment.currency) != (asked["amount"], asked["currency"]):
        raise NotUnderstood(f"{payment.id} was captured with another amount than was asked for")
    if not payment.captured:
        raise NotUnderstood(f"{payment.id} is not captured yet")
    return _done(teller.payment(payment), rows=1)


def _refunded(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """Must be the refund that was asked for: its payment, its amount, our mark."""
    refund = decode(body, Refund)
    asked = _asked(call)
    payment = call.path.removesuffix("/refund").rpartition("/")[2]
    marks = refund.notes if isinstance(refund.notes, dict) else {}
    wanted = (payment, asked["amount"], asked["notes"][OUR_REFUND])
    if (refund.payment_id, refund.amount, marks.get(OUR_REFUND)) != wanted:
        raise NotUnderstood(f"{refund.id} is another refund than was asked for")
    return _done(teller.refund(refund), rows=1, refund_id=refund.id)


def _refund(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    refund = decode(body, Refund)
    _same(refund.id, _path(call).rpartition("/")[2])
    return _done(teller.refund(refund), rows=1, refund_id=refund.id)


# --- lists ---------------------------------------------------------------------------------------------------------


def _next_page(call: PreparedCall, page: Page) -> PreparedCall | None:
    """The following page, which begins with the last rows of this one: rows that shifted would be missed else.

    Raises:
        NotUnderstood: this page does not begin with rows of the one before, so something between them was not read.
    """
    ids = list(dict.fromkeys(decode(row, Head).id for row in page.items))
    told = _told(call)
    if told.get("tail") and not set(told["tail"].split()) & set(ids):
        raise NotUnderstood("the list moved while it was read")
    asked = parameters(call.path)
    if len(page.items) < int(asked["count"]):
        return None
    kept = {name: value for name, value in told.items() if name != "tail"}
    asked["skip"] = str(int(asked["skip"]) + len(ids) - requests.OVERLAP_ROWS)
    memo = requests.memo(**kept, tail=" ".join(ids[-requests.OVERLAP_ROWS :]))
    return call._replace(path=with_query(_path(call), list(asked.items())), key=memo)


def _reported(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    page = decode(body, Page)
    path = _path(call)
    if path == requests.RECON:
        return _settled(teller, call, page)
    row_ids = [decode(row, Head).id for row in page.items]
    facts, odd = understood(zip(row_ids, page.items, strict=True), lambda row: _ROWS[path](teller, row))
    for again in _told(call).get("tail", "").split():  # asked for twice on purpose
        if again in row_ids:
            row_ids.remove(again)
    return _done(facts, rows=len(page.items), row_ids=tuple(row_ids), odd=odd, next=_next_page(call, page))


def _settled(teller: Teller, call: PreparedCall, page: Page) -> Reading:
    """One day's settlements, page by page, then the next day's until the window ends."""
    rows = [decode(row, ReconRow) for row in page.items]
    told, asked = _told(call), parameters(call.path)
    day, last = date.fromisoformat(told["day"]), date.fromisoformat(told["last"])
    more = None
    row_ids = tuple(f"{row.type} {row.entity_id}" for row in rows)
    if len(rows) >= int(asked["count"]):
        more = requests.settled_on(day, last, int(asked["skip"]) + len(set(row_ids)))
    elif day < last:
        more = requests.settled_on(day + timedelta(days=1), last)
    facts = [fact for row in rows for fact in teller.payout_line(row)]
    return _done(facts, rows=len(rows), row_ids=row_ids, next=more)


def _whose(teller: Teller, call: PreparedCall, body: bytes) -> Reading:
    """A list at all means that the key is accepted; then whether the account has UPI codes."""
    decode(body, Page)
    more = requests.has_qr() if _path(call) == requests.PAYMENTS else None
    return Reading(Outcome.OK, rows=1, next=more)


_ROWS: dict[str, Callable[[Teller, bytes], Iterable[Fact]]] = {
    requests.PAYMENTS: lambda teller, row: teller.payment(decode(row, Payment)),
    requests.REFUNDS: lambda teller, row: teller.refund(decode(row, Refund)),
    requests.DISPUTES: lambda teller, row: teller.dispute(decode(row, Dispute)),
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
    Operation.WHOAMI: _whose,
}
