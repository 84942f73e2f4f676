"""What every gateway adapter must do, as tests against a running gateway or a bank that speaks its dialect.

Importable by authors of other adapters: subclass `GatewayContract` in a test module that has a fixture `harness`
(pytest with pytest-asyncio in automatic mode). Nothing here knows a particular gateway; what one cannot do is taken
from its capabilities.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Protocol

from pos.domain.facts import Fact, Kind, shop_mark
from pos.domain.ports import (
    Adapter,
    Asked,
    LinkInfo,
    LinkRequest,
    NoAnswer,
    Outcome,
    Part,
    PreparedCall,
    Reading,
    RefundRequest,
)
from pos.gateways.base import NamesAccount
from pos.gateways.http import HttpGateway

TIMEOUT_S = 10.0
PAGES_MAX = 50  # pages of one list that a test follows
CLOCK_SLACK_MS = 120_000
WINDOW_MS = 3_600_000
AMOUNT_MINOR = 12_340
CUSTOMERS_AT_ONCE = 4
PAYMENT_STATES = (
    Kind.PAYMENT_PENDING,
    Kind.PAYMENT_FAILED,
    Kind.PAYMENT_AUTHORIZED,
    Kind.PAYMENT_CAPTURED,
    Kind.PAYMENT_REVERSED,
)


class Harness(Protocol):
    """A gateway to test against, and its customer."""

    adapter: Adapter
    """With the account still unknown."""
    base_url: str
    secrets: Mapping[str, str]
    """What logs in, by the names in `Capabilities.secrets`; the last of those is the one that must stay secret."""
    currency: str
    report_payments: int
    """How many payments need more than one page of the report."""

    async def customer(self, link: LinkInfo, does: str) -> None:
        """Somebody opens the link and ends as `paid` or `declined`; a link that takes no payment is left again.

        `link.url` is a page's address or a UPI text.
        """
        ...

    async def misbehave(self, what: str) -> None:
        """The next call goes wrong: `busy`, `error`, `html`, `truncated`, or `dropped` (done, but not answered)."""
        ...


class Talk:
    """A gateway's connection, with what tests say to it again and again."""

    def __init__(self, harness: Harness, gateway: HttpGateway) -> None:
        self.harness = harness
        self.gateway = gateway
        self.adapter = gateway.adapter

    async def ask(self, call: PreparedCall) -> Asked:
        return await self.gateway.ask(call, timeout_s=TIMEOUT_S)

    async def read(self, call: PreparedCall) -> Reading:
        return (await self.ask(call)).reading

    async def all(self, call: PreparedCall | None) -> list[Reading]:
        """A call and all that follow it."""
        readings: list[Reading] = []
        while call is not None:
            assert len(readings) < PAGES_MAX, "the list has no end"
            readings.append(await self.read(call))
            assert readings[-1].outcome is Outcome.OK, readings[-1].message
            call = readings[-1].next
        return readings

    def request(self, amount_minor: int = AMOUNT_MINOR, collect: str = "link") -> LinkRequest:
        """For a new order, never asked for before."""
        reference = f"{uuid.uuid4()}_1"
        return LinkRequest(
            key=f"tt1-{uuid.uuid4().hex}",
            reference=reference,
            amount_minor=amount_minor,
            currency=self.harness.currency,
            description="Contract test",
            shop="contract",
            till="1",
            return_url="https://relay.example/return",
            collect=collect,
        )

    async def link(self, request: LinkRequest) -> LinkInfo:
        reading = await self.read(self.adapter.create(request))
        assert reading.outcome is Outcome.OK, reading.message
        (link,) = reading.links
        return link

    async def fetched(self, link: LinkInfo) -> Reading:
        """One whole look: the facts of all its pages, and the link as the last page that speaks of it shows it."""
        readings = await self.all(self.adapter.fetch(link.id))
        facts = {fact.id: fact for reading in readings for fact in reading.facts}
        infos = [info for reading in readings for info in reading.links if info.id == link.id]
        return readings[0]._replace(facts=tuple(facts.values()), links=(infos[-1],), next=None)

    async def paid(self, request: LinkRequest) -> tuple[LinkInfo, Fact]:
        """A link that a customer paid, and its capture."""
        link = await self.link(request)
        await self.harness.customer(link, "paid")
        (captured,) = told((await self.fetched(link)).facts, Kind.PAYMENT_CAPTURED)
        return link, captured

    def refund(self, payment: str, amount_minor: int) -> RefundRequest:
        key, ours = f"tt1-{uuid.uuid4().hex}", str(uuid.uuid4())
        return RefundRequest(key, ours, payment, amount_minor, self.harness.currency)


async def found(t: Talk, request: LinkRequest) -> list[LinkInfo]:
    """Links of a reference, over all pages."""
    now = (await t.ask(t.adapter.whoami())).gateway_now_ms
    assert now is not None
    readings = await t.all(t.adapter.find(request.reference, now - WINDOW_MS, now + CLOCK_SLACK_MS))
    return [link for reading in readings for link in reading.links]


async def report(t: Talk, part: Part) -> list[Reading]:
    """One part of the report of the last hour, all pages."""
    now = (await t.ask(t.adapter.whoami())).gateway_now_ms
    assert now is not None
    return await t.all(t.adapter.report(part, now - WINDOW_MS, now + CLOCK_SLACK_MS))


def told(facts: Iterable[Fact], *kinds: Kind) -> list[Fact]:
    return [fact for fact in facts if fact.kind in kinds]


@contextlib.asynccontextmanager
async def talk(harness: Harness) -> AsyncIterator[Talk]:
    """A connection whose account was asked for first, as the till does."""
    gateway = HttpGateway(harness.adapter, harness.base_url, harness.secrets)
    try:
        who = (await gateway.ask(harness.adapter.whoami(), timeout_s=TIMEOUT_S)).reading
    finally:
        await gateway.close()
    assert who.outcome is Outcome.OK, who.message
    account = who.account
    if isinstance(harness.adapter, NamesAccount):
        assert not harness.adapter.capabilities.names_account
        account = harness.adapter.account_of(harness.secrets)
    assert account
    known = HttpGateway(harness.adapter.with_account(account), harness.base_url, harness.secrets)
    try:
        yield Talk(harness, known)
    finally:
        await known.close()


class CreateContract:
    """Asking for a link."""

    async def test_a_link_is_open_and_its_page_may_be_shown(self, harness: Harness) -> None:
        async with talk(harness) as t:
            request = t.request()
            link = await t.link(request)
            assert (link.state, link.reference) == ("open", request.reference)
            assert t.gateway.page_allowed(link.url, link.collect)

    async def test_the_same_call_again_makes_no_second_link(self, harness: Harness) -> None:
        """With a key it is the same link; without one it is a no, or at least the one that is found."""
        async with talk(harness) as t:
            request = t.request()
            first = await t.link(request)
            if t.adapter.capabilities.key_life_s:
                assert (await t.link(request)).id == first.id
            elif t.adapter.capabilities.find_by_reference != "none":
                assert (await t.read(t.adapter.create(request))).outcome is Outcome.REFUSED
                assert [one.id for one in await found(t, request)] == [first.id]
            assert (await t.link(t.request())).id != first.id

    async def test_a_key_with_another_amount_is_an_alarm(self, harness: Harness) -> None:
        async with talk(harness) as t:
            if not t.adapter.capabilities.key_life_s:
                return
            request = t.request()
            await t.link(request)
            other = request._replace(amount_minor=request.amount_minor + 10)
            reading = await t.read(t.adapter.create(other))
            assert (reading.outcome, reading.links, reading.facts) == (Outcome.KEY_REUSED, (), ())

    async def test_an_answer_that_is_lost_is_found_again(self, harness: Harness) -> None:
        async with talk(harness) as t:
            request = t.request()
            await harness.misbehave("dropped")
            try:
                await t.ask(t.adapter.create(request))
            except NoAnswer:
                pass
            else:
                raise AssertionError("the answer was not lost")
            if t.adapter.capabilities.key_life_s:
                link = await t.link(request)
                assert {one.id for one in await found(t, request)} == {link.id}
            else:
                (link,) = await found(t, request)
                assert (link.state, link.amount_minor, link.currency) == ("open", AMOUNT_MINOR, request.currency)
                assert t.gateway.page_allowed(link.url, link.collect)

    async def test_calls_are_the_same_bytes_and_carry_no_key(self, harness: Harness) -> None:
        async with talk(harness) as t:
            request = t.request()
            call = t.adapter.create(request)
            assert call == t.adapter.create(request)
            said = call.body + call.path.encode() + repr(call.headers).encode() + call.key.encode()
            assert not [name for name, value in harness.secrets.items() if value.encode() in said]

    async def test_every_way_to_collect_makes_something_that_can_be_shown_and_paid(self, harness: Harness) -> None:
        async with talk(harness) as t:
            for collect in t.adapter.capabilities.collects:
                request = t.request(collect=collect)
                link = await t.link(request)
                assert (link.state, link.reference) == ("open", request.reference)
                assert t.gateway.page_allowed(link.url, link.collect)
                await harness.customer(link, "paid")
                looked = await t.fetched(link)
                (captured,) = told(looked.facts, Kind.PAYMENT_CAPTURED)
                assert (captured.amount_minor, captured.currency) == (request.amount_minor, request.currency)
                assert (looked.links[0].state, looked.links[0].complete_look) == ("closed", True)
                assert {one.id for one in await found(t, request)} == {link.id}


class LookContract:
    """Looking at links and payments, and finding them again."""

    async def test_a_link_nobody_paid(self, harness: Harness) -> None:
        async with talk(harness) as t:
            link = await t.link(t.request())
            reading = await t.fetched(link)
            assert (reading.links[0].id, reading.links[0].state) == (link.id, "open")
            assert told(reading.facts, Kind.LINK_OPENED)
            assert not told(reading.facts, *PAYMENT_STATES)

    async def test_a_declined_try_leaves_the_link_open(self, harness: Harness) -> None:
        async with talk(harness) as t:
            link = await t.link(t.request())
            await harness.customer(link, "declined")
            reading = await t.fetched(link)
            assert reading.links[0].state == "open"
            assert told(reading.facts, Kind.PAYMENT_FAILED)
            assert not told(reading.facts, Kind.PAYMENT_CAPTURED)
            await harness.customer(link, "paid")
            assert len(told((await t.fetched(link)).facts, Kind.PAYMENT_CAPTURED)) == 1

    async def test_a_paid_link_tells_amount_time_and_what_it_belongs_to(self, harness: Harness) -> None:
        async with talk(harness) as t:
            request = t.request()
            link = await t.link(request)
            await harness.customer(link, "paid")
            asked = await t.ask(t.adapter.fetch(link.id))
            reading = await t.fetched(link)
            (captured,) = told(reading.facts, Kind.PAYMENT_CAPTURED)
            assert (captured.amount_minor, captured.currency) == (request.amount_minor, request.currency)
            assert (captured.account, captured.mode) == (t.adapter.account, t.adapter.mode)
            assert captured.at_ms is not None
            assert asked.gateway_now_ms is not None
            assert abs(asked.gateway_now_ms - captured.at_ms) < CLOCK_SLACK_MS
            bound = {(f.object, f.target) for f in told(reading.facts, Kind.PAYMENT_OF_LINK)}
            assert bound == {(captured.object, link.id)}
            assert (reading.links[0].state, reading.links[0].complete_look) == ("closed", True)

    async def test_a_payment_names_the_shop_and_till_that_asked_for_it(self, harness: Harness) -> None:
        """Another shop on the same account knows it for one of ours, and not for a stranger's."""
        async with talk(harness) as t:
            request = t.request()
            _, captured = await t.paid(request)
            readings = await t.all(t.adapter.fetch_payment(captured.object))
            marks = {(f.object, f.target) for r in readings for f in told(r.facts, Kind.PAYMENT_OF_SHOP)}
            ours = {(captured.object, shop_mark(request.shop, request.till))}
            assert marks == (ours if t.adapter.capabilities.names_shop else set())

    async def test_looking_twice_tells_the_same_facts(self, harness: Harness) -> None:
        async with talk(harness) as t:
            link, captured = await t.paid(t.request())
            again = (await t.fetched(link)).facts
            assert captured.id in {fact.id for fact in again}

    async def test_a_single_use_link_is_paid_once(self, harness: Harness) -> None:
        async with talk(harness) as t:
            link, captured = await t.paid(t.request())
            await harness.customer(link, "paid")
            captures = told((await t.fetched(link)).facts, Kind.PAYMENT_CAPTURED)
            assert [fact.object for fact in captures] == [captured.object]

    async def test_a_payment_alone_leads_to_its_link_or_reference(self, harness: Harness) -> None:
        async with talk(harness) as t:
            request = t.request()
            link, captured = await t.paid(request)
            facts = [f for reading in await t.all(t.adapter.fetch_payment(captured.object)) for f in reading.facts]
            assert captured.id in {fact.id for fact in facts}
            bound = {fact.target for fact in told(facts, Kind.PAYMENT_OF_LINK, Kind.PAYMENT_OF_REFERENCE)}
            assert bound
            assert bound <= {link.id, request.reference}

    async def test_what_does_not_exist_is_not_found(self, harness: Harness) -> None:
        async with talk(harness) as t:
            link = await t.link(t.request())
            for call in (t.adapter.fetch(link.id + "x"), t.adapter.fetch_payment("nothing")):
                reading = await t.read(call)
                assert (reading.outcome, reading.facts) == (Outcome.NOT_FOUND, ())

    async def test_finding_by_reference_is_exact(self, harness: Harness) -> None:
        async with talk(harness) as t:
            if t.adapter.capabilities.find_by_reference == "none":
                return
            request = t.request()
            link, _ = await t.paid(request)
            await t.link(t.request())
            assert {(one.id, one.state) for one in await found(t, request)} == {(link.id, "closed")}
            assert await found(t, t.request()) == []


class CloseContract:
    """Closing a link, and giving money back."""

    async def test_a_closed_link_takes_no_money(self, harness: Harness) -> None:
        async with talk(harness) as t:
            link = await t.link(t.request())
            closed = await t.read(t.adapter.close(link.id))
            assert closed.outcome is Outcome.OK
            await harness.customer(link, "paid")
            reading = await t.fetched(link)
            assert reading.links[0].state in ("closed", "expired")
            assert reading.links[0].complete_look
            assert not told(reading.facts, *PAYMENT_STATES)

    async def test_closing_a_paid_link_says_that_it_is_gone(self, harness: Harness) -> None:
        async with talk(harness) as t:
            link, captured = await t.paid(t.request())
            assert (await t.read(t.adapter.close(link.id))).outcome is Outcome.GONE
            assert captured.id in {fact.id for fact in (await t.fetched(link)).facts}

    async def test_a_part_is_given_back_once_and_tells_whose_it_is(self, harness: Harness) -> None:
        async with talk(harness) as t:
            link, captured = await t.paid(t.request())
            request = t.refund(captured.object, 1000)
            first = await t.read(t.adapter.refund(request))
            again = await t.read(t.adapter.refund(request))
            assert (first.outcome, again.outcome) == (Outcome.OK, Outcome.OK)
            assert first.refund_id == again.refund_id != ""
            facts = (await t.fetched(link)).facts
            (given,) = told(facts, Kind.REFUND_SUCCEEDED, Kind.REFUND_PENDING)
            assert (given.object, given.amount_minor, given.currency) == (first.refund_id, 1000, request.currency)
            assert [f.target for f in told(facts, Kind.REFUND_OF_PAYMENT)] == [captured.object]
            assert [f.target for f in told(facts, Kind.REFUND_OF_OURS)] == [request.refund_id]
            fetched = await t.read(t.adapter.fetch_refund(first.refund_id))
            assert given.id in {fact.id for fact in fetched.facts}

    async def test_not_more_than_all_is_given_back(self, harness: Harness) -> None:
        async with talk(harness) as t:
            _, captured = await t.paid(t.request())
            assert captured.amount_minor is not None
            too_much = await t.read(t.adapter.refund(t.refund(captured.object, captured.amount_minor + 10)))
            assert too_much.outcome is Outcome.REFUSED
            assert told(too_much.facts, Kind.REFUND_FAILED)
            whole = await t.read(t.adapter.refund(t.refund(captured.object, captured.amount_minor)))
            assert whole.outcome is Outcome.OK
            more = await t.read(t.adapter.refund(t.refund(captured.object, 10)))
            assert more.outcome is Outcome.REFUSED

    async def test_a_refund_key_with_another_amount_is_an_alarm(self, harness: Harness) -> None:
        async with talk(harness) as t:
            if not t.adapter.capabilities.refund_key:
                return
            _, captured = await t.paid(t.request())
            request = t.refund(captured.object, 1000)
            await t.read(t.adapter.refund(request))
            other = await t.read(t.adapter.refund(request._replace(amount_minor=1010)))
            assert (other.outcome, other.facts) == (Outcome.KEY_REUSED, ())


class ReportContract:
    """The report: every payment once."""

    async def test_the_report_lists_every_payment_once_over_its_pages(self, harness: Harness) -> None:
        async with talk(harness) as t:
            gate = asyncio.Semaphore(CUSTOMERS_AT_ONCE)

            async def sale() -> str:
                async with gate:
                    return (await t.paid(t.request()))[1].id

            expected = set(await asyncio.gather(*(sale() for _ in range(harness.report_payments))))
            readings = await report(t, Part.PAYMENTS)
            assert len(readings) > 1
            seen = [fact.id for reading in readings for fact in told(reading.facts, Kind.PAYMENT_CAPTURED)]
            if t.adapter.capabilities.paging == "cursor":  # pages by number overlap on purpose
                assert len(seen) == len(set(seen))
            assert expected <= set(seen)
            assert sum(reading.rows for reading in readings) >= len(seen)

    async def test_the_report_lists_refunds_with_their_payments(self, harness: Harness) -> None:
        async with talk(harness) as t:
            _, captured = await t.paid(t.request())
            made = await t.read(t.adapter.refund(t.refund(captured.object, 1000)))
            facts = [fact for reading in await report(t, Part.REFUNDS) for fact in reading.facts]
            of = {fact.object: fact.target for fact in told(facts, Kind.REFUND_OF_PAYMENT)}
            assert of[made.refund_id] == captured.object

    async def test_every_part_of_the_report_can_be_read_to_its_end(self, harness: Harness) -> None:
        async with talk(harness) as t:
            await t.paid(t.request())
            for part in t.adapter.capabilities.parts:
                assert await report(t, part)


class TroubleContract:
    """Wrong keys, busy gateways, answers that cannot be read."""

    async def test_a_wrong_key_is_said_so(self, harness: Harness) -> None:
        hidden = harness.adapter.capabilities.secrets[-1]
        secret = harness.secrets[hidden]
        wrong = HttpGateway(harness.adapter, harness.base_url, {**harness.secrets, hidden: secret + "wrong"})
        try:
            asked = await wrong.ask(harness.adapter.whoami(), timeout_s=TIMEOUT_S)
        finally:
            await wrong.close()
        assert asked.reading.outcome is Outcome.UNAUTHORIZED
        assert secret not in asked.reading.message

    async def test_a_busy_gateway_is_asked_again_later(self, harness: Harness) -> None:
        async with talk(harness) as t:
            request = t.request()
            await harness.misbehave("busy")
            reading = await t.read(t.adapter.create(request))
            assert (reading.outcome, reading.facts) == (Outcome.BUSY, ())
            assert reading.retry_after_s is not None
            assert (await t.link(request)).state == "open"

    async def test_answers_that_cannot_be_read_are_unknown_and_no_facts(self, harness: Harness) -> None:
        async with talk(harness) as t:
            link, captured = await t.paid(t.request())
            for what in ("error", "html", "truncated"):
                await harness.misbehave(what)
                reading = await t.read(t.adapter.fetch(link.id))
                assert (what, reading.outcome, reading.facts) == (what, Outcome.UNKNOWN, ())
            assert captured.id in {fact.id for fact in (await t.fetched(link)).facts}


class GatewayContract(CreateContract, LookContract, CloseContract, ReportContract, TroubleContract):
    """All of it. Subclass it; see the module's docstring."""
