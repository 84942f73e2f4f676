"""A Checkout Session's whole life at a server that nobody here wrote: made, paid on its page, closed, told by webhook.

What the go-between adds to it stands in `go_between.py`; only what is `emulate`'s own is judged.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import httpx
import psutil
import pytest

from pos.domain.facts import Kind, Mode
from pos.domain.ports import LinkRequest, Outcome, Reading
from pos.gateways.http import HttpGateway
from pos.gateways.stripe import envelope
from pos.gateways.stripe.adapter import StripeAdapter
from tests.judges.conftest import Judge
from tests.judges.go_between import GoBetween

pytestmark = [pytest.mark.judge, pytest.mark.judge_emulate, pytest.mark.xdist_group("judges")]

STRIPE = StripeAdapter(account="acct_judged", mode=Mode.TEST)
BACK = "http://127.0.0.1:9/return?session={CHECKOUT_SESSION_ID}"
REQUEST = LinkRequest("tt1-judged", "0190-abc_1", 98_400, "INR", "Order 2-01873", "shop-1", "1", BACK)
WITHIN_S = 10.0


@pytest.fixture
async def gateway(emulate: GoBetween) -> AsyncIterator[HttpGateway]:
    made = HttpGateway(STRIPE, emulate.url, "sk_test_judge")
    yield made
    await made.close()


@pytest.fixture
async def customer(emulate: GoBetween) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=emulate.url, trust_env=False) as browser:
        yield browser


async def made(gateway: HttpGateway, request: LinkRequest = REQUEST) -> Reading:
    reading = (await gateway.ask(STRIPE.create(request), timeout_s=WITHIN_S)).reading
    assert reading.outcome is Outcome.OK, reading.message
    return reading


async def look(gateway: HttpGateway, link: str) -> Reading:
    return (await gateway.ask(STRIPE.fetch(link), timeout_s=WITHIN_S)).reading


async def close(gateway: HttpGateway, link: str) -> Reading:
    return (await gateway.ask(STRIPE.close(link), timeout_s=WITHIN_S)).reading


async def test_a_link_is_made_open_and_leads_to_its_page(gateway: HttpGateway, customer: httpx.AsyncClient) -> None:
    reading = await made(gateway)
    (link,) = reading.links
    assert (reading.outcome, link.state, reading.mode) == (Outcome.OK, "open", Mode.TEST)
    assert gateway.page_allowed(link.url)
    assert link.url.endswith(f"/checkout/{link.id}")
    page = (await customer.get(link.url)).text
    assert "984.00 INR" in page
    assert "Order 2-01873" in page


async def test_a_paid_page_closes_the_link(gateway: HttpGateway, customer: httpx.AsyncClient) -> None:
    (link,) = (await made(gateway)).links
    assert (await look(gateway, link.id)).links[0].state == "open"
    paid = await customer.post(f"/checkout/{link.id}/complete")
    assert (paid.status_code, paid.headers["location"]) == (302, BACK.replace("{CHECKOUT_SESSION_ID}", link.id))
    reading = await look(gateway, link.id)
    assert (reading.outcome, reading.links[0].state) == (Outcome.OK, "closed")
    assert {fact.kind for fact in reading.facts} == {Kind.LINK_CLOSED}, "no payment was shown, so none is believed"
    assert not reading.links[0].complete_look, "closed without a payment in sight is no proof of anything"


async def test_closing_ends_the_link_for_good(gateway: HttpGateway, customer: httpx.AsyncClient) -> None:
    (link,) = (await made(gateway)).links
    closed = await close(gateway, link.id)
    assert (closed.outcome, closed.links[0].state) == (Outcome.OK, "expired")
    late = await customer.post(f"/checkout/{link.id}/complete")
    assert late.headers["location"] == f"/checkout/{link.id}", "sent back to a page that says it is over"
    assert "expired" in (await customer.get(f"/checkout/{link.id}")).text
    reading = await look(gateway, link.id)
    assert reading.links[0].state == "expired"
    assert {fact.kind for fact in reading.facts} == {Kind.LINK_EXPIRED}


async def test_closing_what_is_closed_says_look_again(gateway: HttpGateway, customer: httpx.AsyncClient) -> None:
    paid, expired = [(await made(gateway)).links[0].id for _ in range(2)]
    await customer.post(f"/checkout/{paid}/complete")
    await close(gateway, expired)
    assert (await close(gateway, paid)).outcome is Outcome.GONE
    assert (await close(gateway, expired)).outcome is Outcome.GONE


async def test_a_link_is_found_among_others_by_its_reference(gateway: HttpGateway) -> None:
    wanted = REQUEST._replace(reference=f"0190-found-{time.time_ns()}_1")
    (ours,) = (await made(gateway, wanted)).links
    await made(gateway)
    asked = await gateway.ask(STRIPE.find(wanted.reference, 0, int(time.time() * 1000)), timeout_s=WITHIN_S)
    assert asked.reading.outcome is Outcome.OK, asked.reading.message
    assert [link.id for link in asked.reading.links] == [ours.id]
    assert asked.reading.rows >= 2


async def test_a_link_that_was_never_made_is_not_found(gateway: HttpGateway) -> None:
    assert (await look(gateway, "cs_nobody")).outcome is Outcome.NOT_FOUND


async def test_its_webhooks_hold_and_name_the_link(
    emulate: GoBetween, gateway: HttpGateway, customer: httpx.AsyncClient
) -> None:
    paid, expired = [(await made(gateway)).links[0].id for _ in range(2)]
    emulate.heard.clear()
    for _ in range(2):
        await customer.post(f"/checkout/{paid}/complete")
    await close(gateway, expired)
    heard = []
    for headers, body in emulate.heard:
        assert envelope.verify([emulate.secret], headers, body, time.time())
        assert not envelope.verify(["whsec_of_nobody"], headers, body, time.time())
        assert not envelope.verify([emulate.secret], headers, body + b" ", time.time())
        assert not envelope.verify([emulate.secret], headers, body, time.time() + 400)
        said = envelope.read_webhook(body, headers)
        heard.append((said.type, said.refs.link))
        assert said.event.startswith("sha256:"), "its events have no id"
    assert heard == [("checkout.session.completed", paid), ("checkout.session.expired", expired)], (
        "paid once, told once"
    )


async def test_the_judge_listens_on_this_machine_only(
    gateway: HttpGateway, emulate_process: tuple[Judge, GoBetween]
) -> None:
    await made(gateway)
    process = psutil.Process(emulate_process[0].pid)
    listening = [c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]
