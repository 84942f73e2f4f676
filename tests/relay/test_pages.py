"""Pages and short links: what the till last said, escaped, and nothing that a customer's browser claims."""

import asyncio
import json
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import pytest

from pos.domain.errors import Broken
from pos.relay.app import Relay
from pos.relay.log import LINK_STATES, Entry
from pos.relay.server import close_core, open_core
from pos.relay.settings import Settings, page_url_problem
from tests.relay.asgi import Answer, Client
from tests.relay.conftest import NOW, Running, add_shop

TOKEN = "pay_0123456789-ABCDEFghij"
PAGE = "https://checkout.stripe.com/c/pay/cs_test_1#fid"
LINK = {
    "gateway": "stripe",
    "url": PAGE,
    "state": "open",
    "reference": "o_1",
    "link": "cs_1",
    "order": "2-01873",
    "amount": "₹984.00",
}


async def put(relay: Running, token: str = TOKEN, bearer: str = "", **changed: Any) -> Answer:
    body = json.dumps({**LINK, **changed}).encode()
    return await relay.client.ask("PUT", f"/v1/links/{token}", body, token=bearer or relay.cafe.token)


async def stored(relay: Running) -> list[Entry]:
    return await relay.log.page(relay.cafe.id, 0, 1000)


# the short pay link


async def test_a_registered_link_leads_to_the_gateways_page(running: Running) -> None:
    assert (await put(running)).status == 201
    answer = await running.client.ask("GET", f"/p/{TOKEN}")
    assert (answer.status, answer.headers["location"]) == (303, PAGE)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_opening_it_leaves_a_hint_once_per_minute(running: Running) -> None:
    await put(running)
    for _ in range(5):
        await running.client.ask("GET", f"/p/{TOKEN}")
    running.now += 61
    await running.client.ask("GET", f"/p/{TOKEN}")
    entries = await stored(running)
    assert [entry.hint.kind for entry in entries] == ["opened", "opened"]
    said = entries[0].hint
    assert (said.event, said.refs.link, said.refs.reference, said.gateway) == (TOKEN, "cs_1", "o_1", "stripe")


async def test_a_preview_that_only_asks_for_the_head_opens_nothing(running: Running) -> None:
    await put(running)
    assert (await running.client.ask("HEAD", f"/p/{TOKEN}")).status == 303
    assert await stored(running) == []


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("checking", "Please do not pay again"),
        ("paid", "Paid, thank you"),
        ("replaced", "There is a new code"),
        ("expired", "has expired"),
        ("closed", "cannot be paid any more"),
    ],
)
async def test_a_link_that_is_not_open_says_why(running: Running, state: str, says: str) -> None:
    assert (await put(running)).status == 201
    assert (await put(running, state=state)).status == 200
    answer = await running.client.ask("GET", f"/p/{TOKEN}")
    assert answer.status == 200
    assert says in answer.text
    assert "location" not in answer.headers
    assert PAGE not in answer.text


async def test_an_unknown_link_is_a_404(running: Running) -> None:
    for token in (TOKEN, "short", "x" * 500, "..%2e..", "a" * 21, "é" * 22):
        answer = await running.client.ask("GET", f"/p/{token}")
        assert answer.status == 404, token
        assert "Nothing here" in answer.text


@pytest.mark.parametrize(
    "url",
    [
        "http://checkout.stripe.com/c/pay/1",
        "https://evil.example/c/pay/1",
        "https://checkout.stripe.com.evil.example/",
        "https://checkout.stripe.com@evil.example/",
        "https://evil.example\\@checkout.stripe.com/",
        "https://checkout.stripe.com:8443/",
        "https://checkout.stripe.com:port/",
        "https://CHECKOUT.stripe.com.:443/",
        "//checkout.stripe.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://127.0.0.1/",
        "http://localhost/",
        "https://checkout.stripe.com/\r\nset-cookie: a=b",
        "https://checkout.stripe.com/ x",
        "https://chéckout.stripe.com/",
        "https://[::1",
        "",
        "https://checkout.stripe.com/" + "x" * 2040,
    ],
)
async def test_a_link_elsewhere_is_refused(running: Running, url: str) -> None:
    assert (await put(running, url=url)).status == 400
    assert (await running.client.ask("GET", f"/p/{TOKEN}")).status == 404


def test_this_machine_only_in_a_test(settings: Settings, test_settings: Settings) -> None:
    for url in ("http://127.0.0.1:9000/pay/1", "http://localhost:9000/", "http://[::1]:9000/"):
        assert page_url_problem(url, ("checkout.stripe.com",), settings)
        assert not page_url_problem(url, ("checkout.stripe.com",), test_settings)
    assert page_url_problem("http://192.168.1.7:9000/", (), test_settings), "a phone's network must be named"


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "paid!"},
        {"state": 7},
        {"gateway": "nobody"},
        {"order": "x" * 65},
        {"amount": "a\nb"},
        {"colour": "blue"},
        {"url": None},
        {"reference": "x" * 256},
    ],
)
async def test_a_body_that_is_not_right_is_refused_with_its_field(running: Running, changed: dict[str, Any]) -> None:
    answer = await put(running, **changed)
    assert answer.status == 400
    assert answer.json["error"]


async def test_odd_bodies_and_tokens(running: Running) -> None:
    url, bearer = f"/v1/links/{TOKEN}", running.cafe.token
    for body in (b"", b"[]", b"nonsense", b"[" * 10_000, b'"\xff"'):
        assert (await running.client.ask("PUT", url, body, token=bearer)).status == 400
    assert (await running.client.ask("PUT", url, b" " * 20_000, token=bearer)).status == 413
    for token in ("short", "a" * 65, "a" * 30 + "!", "ä" * 22):
        assert (await put(running, token=token)).status in (400, 404)
    assert (await put(running, bearer="nonsense")).status == 401


async def test_another_shop_can_neither_take_nor_change_a_link(running: Running) -> None:
    await put(running)
    theirs = await put(running, bearer=running.bakery.token, url="https://checkout.stripe.com/theirs")
    assert theirs.status == 404
    assert (await running.client.ask("GET", f"/p/{TOKEN}")).headers["location"] == PAGE


async def test_a_hint_that_cannot_be_stored_keeps_nobody_from_paying(running: Running) -> None:
    await put(running)

    async def full(hint: object) -> bool:
        raise Broken("The relay could not store it.")

    running.core.log.append = full  # type: ignore[method-assign]
    assert (await running.client.ask("GET", f"/p/{TOKEN}")).status == 303
    assert (await running.client.ask("GET", f"/return/{running.cafe.id}/{TOKEN}")).status == 200


# where the customer comes back


async def back(relay: Running, token: str = TOKEN, query: str = "", shop: str = "") -> Answer:
    return await relay.client.ask("GET", f"/return/{shop or relay.cafe.id}/{token}{query}")


async def test_the_page_shows_what_the_till_last_said(running: Running) -> None:
    await put(running)
    first = await back(running)
    assert "Checking…" in first.text
    assert "Please do not pay again." in first.text
    assert 'http-equiv="refresh"' in first.text
    for words in ("Corner Café", "Order 2-01873", "₹984.00"):
        assert words in first.text
    await put(running, state="paid", method="UPI", when="22 Nov, 13:42", receipt="receipt_0123456789-ABCD")
    paid = await back(running)
    for words in ("Paid, thank you", "UPI", "22 Nov, 13:42", "/r/receipt_0123456789-ABCD", "cannot charge you twice"):
        assert words in paid.text
    assert "refresh" not in paid.text


async def test_a_token_that_no_till_has_set_says_look_at_the_till(running: Running) -> None:
    answer = await back(running)
    assert answer.status == 200
    assert "Please look at the till" in answer.text
    assert [entry.hint.event for entry in await stored(running)] == [TOKEN]


@pytest.mark.parametrize(
    "query", ["?status=success", "?paid=1&state=paid", "?session_id=cs_1&redirect_status=succeeded"]
)
async def test_no_parameter_is_believed(running: Running, query: str) -> None:
    plain = await back(running)
    assert (await back(running, query=query)).body == plain.body
    await put(running)
    assert (await back(running)).body == (await back(running, query=query)).body


async def test_coming_back_leaves_a_hint_once_per_minute(running: Running) -> None:
    await put(running)
    for _ in range(20):
        await back(running)
        running.now += 4
    hints = [entry.hint for entry in await stored(running)]
    assert [(hint.kind, hint.type, hint.refs.link, hint.refs.reference) for hint in hints] == [
        ("callback", "return", "cs_1", "o_1")
    ] * 2


async def test_made_up_tokens_leave_few_hints(running: Running) -> None:
    for n in range(100):
        assert (await back(running, token=f"made-up-{n:020d}")).status == 200
    assert len(await stored(running)) == int(running.core.settings.limits.unknown_returns_burst)


async def test_another_shops_token_is_a_404(running: Running) -> None:
    await put(running)
    assert (await back(running, shop=running.bakery.id)).status == 404
    assert (await back(running, shop="sdeadbeef")).status == 404


async def test_a_forgotten_page_stops_asking(running: Running) -> None:
    await put(running)
    running.now += 16 * 60
    assert 'http-equiv="refresh"' not in (await back(running)).text


async def test_a_flood_of_pages_is_slowed(running: Running) -> None:
    statuses = [(await back(running, token="x" * 22)).status for _ in range(250)]
    assert statuses.count(429) == 250 - int(running.core.settings.limits.pages_burst)


# what could be injected


class Reader(HTMLParser):
    """Collects tags, and whatever could act: handlers, scripts, links that leave."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.acting: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.acting += [
            name for name, value in attrs if name.startswith("on") or (value or "").startswith("javascript")
        ]


EVIL = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;b&gt;", "{{7*7}}", "%s%s%n"]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("state", LINK_STATES)
async def test_every_text_is_escaped(running: Running, evil: str, state: str) -> None:
    await put(running, state=state, order=evil, amount=evil, method=evil, when=evil, receipt=evil)
    shop = running.core.tenants.add_shop(evil, {}, NOW)
    assert shop
    for answer in (await back(running), await running.client.ask("GET", f"/p/{TOKEN}"), await back(running, shop=shop)):
        reader = Reader()
        reader.feed(answer.text)
        assert not reader.acting
        assert not reader.tags & {"script", "img", "iframe", "form", "b{"}
        assert evil not in answer.text or "<" not in evil


async def test_every_page_carries_its_guards(running: Running) -> None:
    await put(running)
    pages = [
        await back(running),
        await running.client.ask("GET", "/p/nothing"),
        await running.client.ask("GET", "/r/x"),
    ]
    for answer in pages:
        csp = answer.headers["content-security-policy"]
        assert "default-src 'none'" in csp
        assert "unsafe" not in csp
        assert "frame-ancestors 'none'" in csp
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


# receipts, anchors, pairing, whoami


async def test_a_receipt_is_shown_as_text_and_removed_in_time(running: Running) -> None:
    body = b'{"text":"Flat white <b>  3.20","keep_s":3600}'
    put_it = await running.client.ask("PUT", f"/v1/receipts/{TOKEN}", body, token=running.cafe.token)
    assert put_it.json == {"path": f"/r/{TOKEN}"}
    shown = await running.client.ask("GET", f"/r/{TOKEN}")
    assert "Flat white &lt;b&gt;  3.20" in shown.text
    other = await running.client.ask("PUT", f"/v1/receipts/{TOKEN}", body, token=running.bakery.token)
    assert other.status == 404
    running.now += 3601
    assert (await running.client.ask("GET", f"/r/{TOKEN}")).status == 404
    assert await running.log.prune(0, int(running.now * 1000)) == 1


async def test_a_till_leaves_the_head_of_its_journal(running: Running) -> None:
    assert (await running.client.ask("GET", "/v1/anchors", token=running.cafe.token)).status == 404
    for count in (5, 9, 7):
        body = b'{"count":%d,"head":"%s"}' % (count, b"%064x" % count)
        assert (await running.client.ask("POST", "/v1/anchors", body, token=running.cafe.token)).status == 200
    last = (await running.client.ask("GET", "/v1/anchors", token=running.cafe.token)).json
    assert (last["count"], last["head"]) == (9, f"{9:064x}")
    assert (await running.client.ask("GET", "/v1/anchors", token=running.bakery.token)).status == 404
    for bad in (b'{"count":-1,"head":"00"}', b'{"count":1,"head":"zz"}', b"{}"):
        assert (await running.client.ask("POST", "/v1/anchors", bad, token=running.cafe.token)).status == 400


async def pair(relay: Running, code: str) -> Answer:
    return await relay.client.ask("POST", "/v1/pair", b'{"code":"%s"}' % code.encode())


async def test_a_pairing_code_makes_one_till_once_and_not_for_long(running: Running) -> None:
    code = running.core.tenants.pairing_code(running.cafe.id, running.now)
    made = await pair(running, code.lower())
    assert made.status == 200
    who = (await running.client.ask("GET", "/v1/whoami", token=made.json["token"])).json
    assert (who["shop"], who["till"]) == (running.cafe.id, made.json["till"])
    assert (await pair(running, code)).status == 404
    late = running.core.tenants.pairing_code(running.cafe.id, running.now)
    running.now += 601
    assert (await pair(running, late)).status == 404


async def test_pairing_codes_cannot_be_tried_for_long(running: Running) -> None:
    statuses = [(await pair(running, f"WRONG{n}")).status for n in range(30)]
    assert statuses.count(429) == 20


async def test_a_till_learns_where_it_belongs(running: Running) -> None:
    who = (await running.client.ask("GET", "/v1/whoami", token=running.cafe.token)).json
    head = await running.log.head(running.cafe.id)
    assert who == {
        "shop": running.cafe.id,
        "name": "Corner Café",
        "till": running.cafe.till,
        "epoch": head.epoch,
        "cursor": f"{head.epoch}:0:0",
        "hooks": {"stripe": running.cafe.hook},
        "public_url": "https://relay.test",
        "return": f"/return/{running.cafe.id}/{{token}}",
        "pay": "/p/{token}",
    }


@pytest.fixture
async def at_home(test_settings: Settings) -> AsyncIterator[Running]:
    core, log = open_core(test_settings)
    shop = add_shop(core, "Café")
    relay = Running(core, log, Client(Relay(core)), shop, shop)
    core.now = lambda: relay.now
    yield relay
    await close_core(core)


async def test_in_a_test_a_short_link_may_lead_to_the_sandbox(at_home: Running) -> None:
    assert (await put(at_home, url="http://127.0.0.1:9000/pay/cs_1")).status == 201
    opened = await asyncio.gather(*(at_home.client.ask("GET", f"/p/{TOKEN}") for _ in range(3)))
    assert {answer.headers["location"] for answer in opened} == {"http://127.0.0.1:9000/pay/cs_1"}
