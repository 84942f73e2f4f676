"""The adapter: requests as bytes, answers as facts. Pure: no connection, no clock, no credential, nothing remembered.

The bank's API, all JSON, amounts in cents: a *request* for money has a page, a state (`open`, `paid`, `gone`) and its
payments inside; a payment has a state (`failed`, `taken`) and its refunds inside. See `docs/write-an-adapter.md` first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

from pos.domain.errors import BadInput
from pos.gateways.base import (
    Adapter,
    Answer,
    Capabilities,
    Fact,
    Kind,
    LinkInfo,
    LinkRequest,
    Mode,
    NotUnderstood,
    Operation,
    Outcome,
    Pairs,
    Part,
    PreparedCall,
    Reading,
    RefundRequest,
    decode,
    plain,
    retry_after,
    segment,
    with_query,
)

NAME = "village_bank"
TAKEN = frozenset({"EUR", "INR", "USD"})
CAPABILITIES = Capabilities(
    title="Village Bank",
    key_life_s=86_400,
    can_close=True,
    single_use=True,
    expiry_min_s=None,
    expiry_max_s=None,
    find_by_reference="search",
    report_lag_s=0,
    paging="cursor",
    refund_key=True,
    signed_webhooks=True,
    hosts=("api.village-bank.example",),
    page_hosts=("pay.village-bank.example",),
    link_title="Request for money",
)


def make(mode: Mode) -> Adapter:
    """The entry point in group `pos.gateways`."""
    return VillageBank(mode=mode)


# --- what the bank answers: strict shapes. A word or a type that is not here is not understood, and then no fact ----

Id = Annotated[str, Meta(pattern=r"\A[a-z]{3}_[0-9a-f]{1,40}\Z")]
Cents = Annotated[int, Meta(ge=0, le=99_999_999_999)]
Code = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]


class BankRefund(Struct):
    id: Id
    payment: Id
    cents: Cents
    currency: Code
    state: Literal["sent", "bounced"]
    mark: str
    at: Seconds


class BankPayment(Struct):
    id: Id
    request: Id
    reference: str
    cents: Cents
    currency: Code
    state: Literal["failed", "taken"]
    at: Seconds
    refunds: list[BankRefund]


class BankRequest(Struct):
    id: Id
    reference: str
    cents: Cents
    currency: Code
    state: Literal["open", "paid", "gone"]
    page: str
    at: Seconds
    payments: list[BankPayment]


class Requests(Struct):
    requests: list[BankRequest]


class Payments(Struct):
    payments: list[BankPayment]
    next: Id | None


class Refunds(Struct):
    refunds: list[BankRefund]
    next: Id | None


class Me(Struct):
    account: str
    name: str


class Refused(Struct):
    error: str
    why: str


@dataclass(frozen=True, slots=True)
class VillageBank:
    """See `pos.domain.ports.Adapter`: each method that prepares a call returns bytes, `read` says what came back."""

    account: str = ""
    mode: Mode = Mode.TEST
    name: ClassVar[str] = NAME
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def with_account(self, account: str) -> VillageBank:
        return replace(self, account=account)

    # -- calls: the same arguments make the same bytes, since an unanswered call is repeated from what was stored ----

    def whoami(self) -> PreparedCall:
        return _get(Operation.WHOAMI, "/me")

    def create(self, request: LinkRequest) -> PreparedCall:
        """Raises BadInput for what the bank would refuse: nothing is sent then."""
        if request.currency not in TAKEN or request.amount_minor <= 0:
            raise BadInput("The Village Bank cannot take this amount.", "Choose another gateway, or cash.")
        body = {"reference": request.reference, "cents": request.amount_minor, "currency": request.currency}
        return _post(Operation.CREATE, "/requests", body | {"text": request.description}, request.key)

    def find(self, reference: str, since_ms: int, until_ms: int) -> PreparedCall:
        """An exact search; the window is for gateways that can only be walked through."""
        return _get(Operation.FIND, "/requests", [("reference", reference)])

    def fetch(self, link_id: str) -> PreparedCall:
        return _get(Operation.FETCH, f"/requests/{segment(link_id)}")

    def fetch_payment(self, payment_id: str) -> PreparedCall:
        return _get(Operation.FETCH_PAYMENT, f"/payments/{segment(payment_id)}")

    def fetch_refund(self, refund_id: str) -> PreparedCall:
        return _get(Operation.FETCH_REFUND, f"/refunds/{segment(refund_id)}")

    def close(self, link_id: str) -> PreparedCall:
        return _post(Operation.CLOSE, f"/requests/{segment(link_id)}/close", {})

    def capture(self, payment_id: str, amount_minor: int, currency: str, key: str) -> PreparedCall:
        """The bank takes money at once, so there is never anything to capture: looking is all that can be done."""
        return _get(Operation.CAPTURE, f"/payments/{segment(payment_id)}")

    def refund(self, request: RefundRequest) -> PreparedCall:
        body = {"cents": request.amount_minor, "mark": request.refund_id}
        return _post(Operation.REFUND, f"/payments/{segment(request.payment)}/refunds", body, request.key)

    def report(self, part: Part, from_ms: int, to_ms: int) -> PreparedCall:
        window = [("from", str(from_ms // 1000)), ("to", str(to_ms // 1000 + 1))]
        return _get(Operation.REPORT, f"/{part.value}", window)

    # -- answers: whatever comes, this must not raise, and what is not understood must be UNKNOWN and no fact ---------

    def read(self, call: PreparedCall, answer: Answer) -> Reading:
        if not 200 <= answer.status < 300:
            return self._no(call, answer)
        try:
            return self._yes(call, answer.body)
        except NotUnderstood as problem:
            return Reading(Outcome.UNKNOWN, message=plain(str(problem)))

    def _no(self, call: PreparedCall, answer: Answer) -> Reading:
        """A no counts only in the bank's own words: proxies and hotel networks say 403 and 404 too."""
        if answer.status == 429:
            return Reading(Outcome.BUSY, retry_after_s=retry_after(answer))
        try:
            refused = decode(answer.body, Refused)
        except NotUnderstood:
            return Reading(Outcome.UNKNOWN, message=f"HTTP status {answer.status}")
        outcome = _REFUSALS.get(refused.error, Outcome.UNKNOWN)
        facts: tuple[Fact, ...] = ()
        if call.operation is Operation.REFUND and outcome is Outcome.REFUSED:
            # our refund has failed for good: told under our own id, which the order knows
            facts = (self._fact(Kind.REFUND_FAILED, json.loads(call.body)["mark"]),)
        return Reading(outcome, facts=facts, message=plain(refused.why))

    def _yes(self, call: PreparedCall, body: bytes) -> Reading:
        match call.operation:
            case Operation.WHOAMI:
                me = decode(body, Me)
                return Reading(Outcome.OK, account=me.account, account_name=plain(me.name))
            case Operation.CREATE | Operation.FETCH | Operation.CLOSE:
                return self._request(call, decode(body, BankRequest))
            case Operation.FIND:
                return self._found(call, decode(body, Requests))
            case Operation.FETCH_PAYMENT | Operation.CAPTURE:
                return _done(self._payment(_same(decode(body, BankPayment), call.path)))
            case Operation.FETCH_REFUND:
                return _done(self._refund(_same(decode(body, BankRefund), call.path)))
            case Operation.REFUND:
                return self._refunded(call, decode(body, BankRefund))
        return self._page(call, body)

    def _request(self, call: PreparedCall, request: BankRequest) -> Reading:
        """The link that was asked for, and no other: an answer about another order is no answer."""
        if call.operation is Operation.CREATE:
            asked = json.loads(call.body)
            wanted = (asked["reference"], asked["cents"], asked["currency"])
            if (request.reference, request.cents, request.currency) != wanted:
                raise NotUnderstood(f"{request.id} is not what was asked for")
        else:
            _same(request, call.path.removesuffix("/close"))
        # a repeated call gets the answer of the first one, so an answer to `create` never counts as a look
        fresh = call.operation is not Operation.CREATE
        return _done(self._of_request(request), links=(_info(request, fresh=fresh),))

    def _found(self, call: PreparedCall, page: Requests) -> Reading:
        """Believed only as far as it fits what was asked for."""
        ours = [each for each in page.requests if with_query("/requests", [("reference", each.reference)]) == call.path]
        facts = [fact for each in ours for fact in self._of_request(each)]
        return _done(facts, links=tuple(_info(each, fresh=True) for each in ours), rows=len(page.requests))

    def _refunded(self, call: PreparedCall, refund: BankRefund) -> Reading:
        asked = json.loads(call.body)
        if (refund.cents, refund.mark) != (asked["cents"], asked["mark"]) or f"/{refund.payment}/" not in call.path:
            raise NotUnderstood(f"{refund.id} is not what was asked for")
        return _done(self._refund(refund), refund_id=refund.id)

    def _page(self, call: PreparedCall, body: bytes) -> Reading:
        """One page of the report, and the call for the next one: the last id of this page is where it goes on."""
        if call.path.startswith("/payments"):
            payments = decode(body, Payments)
            facts = [fact for payment in payments.payments for fact in self._payment(payment)]
            rows, following = len(payments.payments), payments.next
        else:
            refunds = decode(body, Refunds)
            facts = [fact for refund in refunds.refunds for fact in self._refund(refund)]
            rows, following = len(refunds.refunds), refunds.next
        more = call._replace(path=f"{call.path.partition('&after=')[0]}&after={following}") if following else None
        if more == call:
            raise NotUnderstood("the list does not go on")
        return _done(facts, rows=rows, next=more)

    # -- facts: what is true for ever, with the bank's own ids, amounts and times ---

    def _of_request(self, request: BankRequest) -> Iterator[Fact]:
        kinds = {"open": Kind.LINK_OPENED, "paid": Kind.LINK_CLOSED, "gone": Kind.LINK_EXPIRED}
        yield self._fact(kinds[request.state], request.id)
        for payment in request.payments:
            yield from self._payment(payment)

    def _payment(self, payment: BankPayment) -> Iterator[Fact]:
        kind = Kind.PAYMENT_CAPTURED if payment.state == "taken" else Kind.PAYMENT_FAILED
        yield self._fact(kind, payment.id)._replace(
            amount_minor=payment.cents,
            currency=payment.currency,
            at_ms=payment.at * 1000,
        )
        yield self._fact(Kind.PAYMENT_OF_LINK, payment.id)._replace(target=payment.request)
        if payment.reference:
            yield self._fact(Kind.PAYMENT_OF_REFERENCE, payment.id)._replace(target=payment.reference)
        for refund in payment.refunds:
            yield from self._refund(refund)

    def _refund(self, refund: BankRefund) -> Iterator[Fact]:
        kind = Kind.REFUND_SUCCEEDED if refund.state == "sent" else Kind.REFUND_FAILED
        made = self._fact(kind, refund.id)
        yield made._replace(amount_minor=refund.cents, currency=refund.currency, at_ms=refund.at * 1000)
        yield self._fact(Kind.REFUND_OF_PAYMENT, refund.id)._replace(target=refund.payment)
        if refund.mark:
            yield self._fact(Kind.REFUND_OF_OURS, refund.id)._replace(target=refund.mark)

    def _fact(self, kind: Kind, thing: str) -> Fact:
        return Fact(self.name, self.account, self.mode, kind, thing)


_REFUSALS = {
    "no_key": Outcome.UNAUTHORIZED,
    "not_found": Outcome.NOT_FOUND,
    "not_open": Outcome.GONE,
    "key_reused": Outcome.KEY_REUSED,
    "refused": Outcome.REFUSED,
}


def _info(request: BankRequest, *, fresh: bool) -> LinkInfo:
    """`complete_look`: the answer shows the link as it is now, with every payment of it. The fence hangs on this."""
    return LinkInfo(
        id=request.id,
        state={"open": "open", "paid": "closed", "gone": "expired"}[request.state],
        url=request.page,
        reference=request.reference,
        complete_look=fresh,
        amount_minor=request.cents,
        currency=request.currency,
    )


def _same(thing: Any, path: str) -> Any:
    if thing.id != path.rpartition("/")[2]:
        raise NotUnderstood(f"the answer is about {thing.id}, which was not asked for")
    return thing


def _done(facts: Iterator[Fact] | list[Fact], **more: Any) -> Reading:
    return Reading(Outcome.OK, facts=tuple({fact.id: fact for fact in facts}.values()), **more)


def _get(operation: Operation, path: str, pairs: Pairs = ()) -> PreparedCall:
    return PreparedCall(NAME, operation, "GET", with_query(path, pairs))


def _post(operation: Operation, path: str, body: dict[str, Any], key: str = "") -> PreparedCall:
    headers = [("Content-Type", "application/json"), *([("Idempotency-Key", key)] if key else [])]
    return PreparedCall(NAME, operation, "POST", path, tuple(headers), json.dumps(body).encode(), key)
