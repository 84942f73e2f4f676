"""Our HTTP edge and our reading of errors, judged by a server that keeps idempotency keys: `stripe-stateful-mock`.

It has no Checkout Sessions, so the calls that make a charge are written by hand; refunds are our adapter's own.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psutil
import pytest

from pos.domain.facts import Kind, Mode
from pos.domain.ports import Answer, Asked, NoAnswer, Operation, Outcome, PreparedCall, Reading, RefundRequest
from pos.gateways.base import form
from pos.gateways.http import HttpGateway
from pos.gateways.stripe.adapter import StripeAdapter
from tests.judges.conftest import Judge

pytestmark = [pytest.mark.judge, pytest.mark.judge_stateful, pytest.mark.xdist_group("judges")]

STRIPE = StripeAdapter(account="acct_judged", mode=Mode.TEST)
WITHIN_S = 10.0


class Watching:
    """Our adapter, unchanged, and the answers that it was given to read."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(STRIPE, name)

    def read(self, call: PreparedCall, answer: Answer) -> Reading:
        self.answers.append(answer)
        return STRIPE.read(call, answer)


class Desk:
    """Asks the judge through our HTTP edge."""

    def __init__(self, url: str, secret: str = "sk_test_judge", client: httpx.AsyncClient | None = None) -> None:
        self.seen = Watching()
        adapter: Any = self.seen
        self.gateway = HttpGateway(adapter, url, secret, client)

    async def ask(self, call: PreparedCall) -> Asked:
        return await self.gateway.ask(call, timeout_s=WITHIN_S)

    async def charge(self, key: str, amount_minor: int = 1999, source: str = "tok_visa") -> Asked:
        return await self.ask(charge_call(key, amount_minor, source))

    async def charged(self, key: str) -> str:
        assert (await self.charge(key)).status == 200
        charge: str = json.loads(self.last.body)["id"]
        return charge

    async def refund(self, charge: str, amount_minor: int, key: str) -> Asked:
        return await self.ask(STRIPE.refund(RefundRequest(key, f"rf-{key}", charge, amount_minor, "EUR", "ref_1")))

    @property
    def last(self) -> Answer:
        return self.seen.answers[-1]


class LosesTheAnswer(httpx.AsyncBaseTransport):
    """The request arrives, and on the way back the line is cut."""

    def __init__(self) -> None:
        self._way = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._way.handle_async_request(request)
        await response.aread()
        await response.aclose()
        raise httpx.ReadError("cut", request=request)

    async def aclose(self) -> None:
        await self._way.aclose()


def charge_call(key: str, amount_minor: int, source: str) -> PreparedCall:
    pairs = [("amount", str(amount_minor)), ("currency", "eur"), ("source", source)]
    headers = (("Content-Type", "application/x-www-form-urlencoded"), ("Idempotency-Key", key))
    return PreparedCall("stripe", Operation.CREATE, "POST", "/v1/charges", headers, form(pairs), key)


@pytest.fixture
async def desk(stateful: Judge) -> AsyncIterator[Desk]:
    opened = Desk(stateful.url)
    yield opened
    await opened.gateway.close()


async def test_the_same_bytes_with_the_same_key_are_done_once(desk: Desk) -> None:
    first = await desk.charge("once")
    assert desk.last.header("idempotent-replayed") == ""
    again = await desk.charge("once")
    assert desk.last.header("idempotent-replayed") == "true"
    assert (first.status, first.raw_sha256) == (again.status, again.raw_sha256)
    other = await desk.charge("twice")
    assert other.raw_sha256 != first.raw_sha256


async def test_what_was_done_before_the_line_was_cut_is_learnt_with_the_same_key(desk: Desk, stateful: Judge) -> None:
    cut = Desk(stateful.url, client=httpx.AsyncClient(transport=LosesTheAnswer()))
    with pytest.raises(NoAnswer):
        await cut.charge("lost")
    await cut.gateway.close()
    assert (await desk.charge("lost")).status == 200
    assert desk.last.header("idempotent-replayed") == "true", "it was done the first time, and once"


async def test_other_parameters_under_a_used_key_are_an_alarm(desk: Desk) -> None:
    await desk.charge("reused", 1999)
    assert (await desk.charge("reused", 2999)).reading.outcome is Outcome.KEY_REUSED
    assert desk.last.status == 400
    charge = await desk.charged("to-be-refunded")
    assert (await desk.refund(charge, 100, "refund-reused")).reading.outcome is Outcome.OK
    assert (await desk.refund(charge, 200, "refund-reused")).reading.outcome is Outcome.KEY_REUSED


async def test_too_many_requests_mean_ask_again_and_the_key_is_still_free(desk: Desk) -> None:
    assert (await desk.charge("hurried", source="tok_429")).reading.outcome is Outcome.BUSY
    assert (await desk.charge("hurried", source="tok_429")).reading.outcome is Outcome.BUSY
    assert (await desk.charge("hurried")).status == 200, "a 429 is not kept under the key"


async def test_an_inner_error_means_nothing_is_known_and_is_replayed(desk: Desk) -> None:
    first = (await desk.charge("broken", source="tok_500")).reading
    assert (first.outcome, first.message) == (Outcome.UNKNOWN, "HTTP status 500")
    again = (await desk.charge("broken", source="tok_500")).reading
    assert (again.outcome, again.message) == (Outcome.UNKNOWN, "HTTP status 500, replayed")


async def test_a_declined_card_is_a_definite_no(desk: Desk) -> None:
    reading = (await desk.charge("declined", source="tok_chargeDeclined")).reading
    assert (reading.outcome, desk.last.status) == (Outcome.REFUSED, 402)
    assert reading.message
    assert reading.facts == ()


async def test_refunds_are_made_once_per_key_and_never_more_than_was_paid(desk: Desk) -> None:
    charge = await desk.charged("refunded")
    made = (await desk.refund(charge, 999, "part")).reading
    assert made.outcome is Outcome.OK
    assert [fact.kind for fact in made.facts] == [Kind.REFUND_SUCCEEDED, Kind.REFUND_OF_PAYMENT, Kind.REFUND_OF_OURS]
    again = (await desk.refund(charge, 999, "part")).reading
    assert again.refund_id == made.refund_id
    assert desk.last.header("idempotent-replayed") == "true"
    over = (await desk.refund(charge, 1001, "too-much")).reading
    assert (over.outcome, [fact.kind for fact in over.facts]) == (Outcome.REFUSED, [Kind.REFUND_FAILED])
    rest = (await desk.refund(charge, 1000, "rest")).reading
    assert rest.outcome is Outcome.OK
    more = (await desk.refund(charge, 1, "one-more")).reading
    assert more.outcome is Outcome.REFUSED


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    assert (await desk.ask(STRIPE.fetch_payment("ch_nobody"))).reading.outcome is Outcome.NOT_FOUND
    assert (await desk.ask(STRIPE.fetch_refund("re_nobody"))).reading.outcome is Outcome.NOT_FOUND


async def test_a_key_of_another_kind_is_not_accepted(stateful: Judge) -> None:
    desk = Desk(stateful.url, "rk_of_somebody")
    assert (await desk.charge("stranger")).reading.outcome is Outcome.UNAUTHORIZED
    await desk.gateway.close()


async def test_the_judge_listens_on_this_machine_only(desk: Desk, stateful: Judge) -> None:
    await desk.charged("somewhere")
    listening = [c.laddr.ip for c in psutil.Process(stateful.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]
