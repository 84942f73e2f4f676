"""Nobody gets another shop's anything: every route, every kind of stranger. Made from the route table."""

from __future__ import annotations

import json

import pytest
from starlette.routing import Route

from pos.relay.app import ROUTES, Rule, _rest
from tests.relay.asgi import Answer, stripe_event
from tests.relay.conftest import NOW, Running, Shop
from tests.relay.test_pages import LINK

TOKEN = "t" * 22
BODIES = {
    "PUT /v1/links/{token}": json.dumps(LINK).encode(),
    "PUT /v1/receipts/{token}": b'{"text":"mine"}',
    "POST /v1/anchors": b'{"count":1,"head":"%s"}' % (b"0" * 64),
}
STRANGERS = ("nobody", "garbage", "revoked", "hook token", "other shop's hook token", "till id", "shop id")


def name(rule: Rule) -> str:
    return f"{rule.method} {rule.path}"


async def credential(relay: Running, kind: str) -> str:
    if kind == "revoked":
        till, token = relay.core.tenants.add_till(relay.cafe.id, NOW)
        relay.core.tenants.revoke_till(till, NOW)
        return token
    kinds = {
        "nobody": "",
        "garbage": "tt_till_" + "x" * 43,
        "hook token": relay.cafe.hook.rsplit("/", 1)[1],
        "other shop's hook token": relay.bakery.hook.rsplit("/", 1)[1],
        "till id": relay.cafe.till,
        "shop id": relay.cafe.id,
    }
    return kinds[kind]


async def ask(relay: Running, rule: Rule, bearer: str, shop: Shop, token: str = TOKEN) -> Answer:
    path = rule.path.replace("{shop}", shop.id).replace("{gateway}", "stripe").replace("{token}", token)
    if rule.path == "/v1/events":
        path += "?limit=1000"  # as a page: a stream would not end
    return await relay.client.ask(rule.method, path, BODIES.get(name(rule), b""), token=bearer)


async def fill(relay: Running) -> None:
    """The café owns one of each thing."""
    await relay.hook(stripe_event("of_the_cafe"))
    for rule in ROUTES:
        if name(rule) in BODIES:
            assert (await ask(relay, rule, relay.cafe.token, relay.cafe)).status in (200, 201)


async def everything(relay: Running) -> tuple[object, ...]:
    log, cafe = relay.log, relay.cafe
    return (
        await log.page(cafe.id, 0, 100),
        await log.link(TOKEN),
        await log.receipt(TOKEN, 0),
        await log.anchor(cafe.id, cafe.till),
        await log.head(cafe.id),
    )


async def test_the_table_is_all_there_is(running: Running) -> None:
    served = {
        f"{method} {route.path}"
        for route in _rest(running.core).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    raw = {"POST /hooks/{shop}/{gateway}/{token}", "GET /v1/events"}
    assert {name(rule) for rule in ROUTES} == served | raw
    assert {rule.who for rule in ROUTES} == {"open", "path", "till"}
    for path in ("/", "/v1", "/v1/", "/v1/events/", "/hooks", "/docs", "/openapi.json", "/v1/tills", "/p/", "/.env"):
        assert (await running.client.ask("GET", path, token=running.cafe.token)).status == 404, path


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("rule", [rule for rule in ROUTES if rule.who == "till"], ids=name)
async def test_without_a_till_token_nothing_is_told_or_changed(running: Running, rule: Rule, stranger: str) -> None:
    await fill(running)
    before = await everything(running)
    answer = await ask(running, rule, await credential(running, stranger), running.cafe)
    assert answer.status == 401
    assert set(answer.json) == {"error"}
    assert await everything(running) == before


@pytest.mark.parametrize("rule", [rule for rule in ROUTES if rule.who == "till"], ids=name)
async def test_another_shops_till_gets_a_404_or_its_own(running: Running, rule: Rule) -> None:
    await fill(running)
    before = await everything(running)
    answer = await ask(running, rule, running.bakery.token, running.cafe)
    if "{token}" in rule.path or (rule.method == "GET" and rule.path == "/v1/anchors"):
        assert answer.status == 404
    else:
        assert answer.status == 200
    for secret in (running.cafe.id, running.cafe.hook, running.cafe.till, "of_the_cafe", "o_1"):
        assert secret not in answer.text
    assert await everything(running) == before


@pytest.mark.parametrize("bearer", ["", "cafe", "bakery"])
@pytest.mark.parametrize("rule", [rule for rule in ROUTES if rule.who == "path"], ids=name)
async def test_a_path_opens_with_its_token_only(running: Running, rule: Rule, bearer: str) -> None:
    """Bearing a till's token helps nobody on the public paths; a token of 128 bits is all that counts."""
    await fill(running)
    before = await everything(running)
    token = {"": "", "cafe": running.cafe.token, "bakery": running.bakery.token}[bearer]
    strange = await ask(running, rule, token, running.bakery if "{shop}" in rule.path else running.cafe, "u" * 22)
    expected = 200 if rule.path.startswith("/return/") else 404  # "look at the till", with nothing in it
    assert strange.status == expected
    for secret in (running.cafe.id, "2-01873", "₹984.00", "mine"):
        assert secret not in strange.text
    assert await everything(running) == before


@pytest.mark.parametrize("rule", [rule for rule in ROUTES if rule.who == "open"], ids=name)
async def test_what_is_open_names_nobody(running: Running, rule: Rule) -> None:
    await fill(running)
    answer = await ask(running, rule, "", running.cafe)
    assert answer.status in (200, 400)
    for secret in (running.cafe.id, running.cafe.till, "Corner", "of_the_cafe", TOKEN):
        assert secret not in answer.text
