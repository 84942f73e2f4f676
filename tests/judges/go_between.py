"""Stands between our Stripe adapter and `emulate` 0.11.2, which knows less of a Checkout Session than Stripe does.

What it adds, all of it, because a judge must not be flattered:

- `emulate` takes a price's id only, and refuses `price_data`. A product and a price are made at `emulate` from the
  request's `price_data`, and its id is put in the place. What `emulate` says of that price is its own.
- `emulate`'s sessions have no `amount_total`, `currency`, `client_reference_id`, `payment_intent` and `expires_at`.
  The first two are filled in from the price as `emulate` keeps it, the reference from the request (so no test may take
  it for judged), the last two with null. It makes no payment, so nothing here judges facts about money.
- `emulate`'s ids may hold a `-`, which no id of Stripe's does and our adapter refuses. A session with such an id is
  left where it is, left out of lists, and another one is asked for.

Status, payment status, address, metadata, errors, the hosted page and the webhooks are `emulate`'s, passed on as they
are. Webhooks come in at `/hooks` and are kept with their headers.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SESSIONS = "/v1/checkout/sessions"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PASSED_ON = {"authorization", "content-type", "stripe-version", "idempotency-key"}
PASSED_BACK = {"content-type", "location"}
PRICE_DATA = re.compile(r"line_items\[(\d+)\]\[price_data\]\[(.+)\]")
ODD_ID = "-"
ID_TRIES = 50  # about every fifth id is odd
STOPS_WITHIN_S = 5.0

Headers = list[tuple[bytes, bytes]]
Json = dict[str, Any]


@dataclass
class GoBetween:
    """`url` is where our adapter asks, `to` the judge; `heard` are the judge's webhooks, each with its headers."""

    url: str
    to: str = ""
    secret: str = "whsec_of_the_judge"
    heard: list[tuple[Headers, bytes]] = field(default_factory=list)
    added: dict[str, Json] = field(default_factory=dict)
    """What `emulate` does not keep of a session, by the session's id."""

    async def hook(self, request: Request) -> Response:
        self.heard.append((list(request.headers.raw), await request.body()))
        return Response(status_code=200)

    async def pass_on(self, request: Request) -> Response:
        body = await request.body()
        headers = {name: value for name, value in request.headers.items() if name in PASSED_ON}
        async with httpx.AsyncClient(base_url=self.to, headers=headers, trust_env=False) as judge:
            making = request.method == "POST" and request.url.path == SESSIONS
            added, body = await _with_price(judge, body) if making else ({}, body)
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            for _ in range(ID_TRIES):
                answer = await judge.request(request.method, target, content=body)
                if not (making and answer.is_success and ODD_ID in answer.json()["id"]):
                    break
        content = answer.content
        if answer.is_success and request.url.path.startswith(SESSIONS):
            content = self._completed(answer.json(), added)
        back = {name: value for name, value in answer.headers.items() if name in PASSED_BACK}
        return Response(content, answer.status_code, back)

    def _completed(self, said: Json, added: Json) -> bytes:
        """A session, or a list of them, with what it lacks. Nothing that the judge said of it is replaced."""
        if added:
            self.added[said["id"]] = added
        if "data" in said:
            said["data"] = [session for session in said["data"] if ODD_ID not in session["id"]]
        for session in said.get("data", [said]):
            for name, value in self.added.get(session["id"], {}).items():
                session.setdefault(name, value)
        return json.dumps(said).encode()


async def _with_price(judge: httpx.AsyncClient, body: bytes) -> tuple[Json, bytes]:
    """The form with a price's id for each `price_data`, and what the session's answer will lack."""
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    wanted: dict[str, Json] = {}
    for name, value in pairs:
        if found := PRICE_DATA.fullmatch(name):
            wanted.setdefault(found[1], {})[found[2]] = value
    form = {name: value for name, value in pairs if not PRICE_DATA.fullmatch(name)}
    added: Json = {"client_reference_id": form.get("client_reference_id"), "payment_intent": None, "expires_at": None}
    for place, data in wanted.items():
        price = await _price(judge, data)
        form[f"line_items[{place}][price]"] = price["id"]
        quantity = int(form[f"line_items[{place}][quantity]"])
        added["amount_total"] = added.get("amount_total", 0) + price["unit_amount"] * quantity
        added["currency"] = price["currency"]
    return added, urlencode(form).encode()


async def _price(judge: httpx.AsyncClient, data: Json) -> Json:
    product = await judge.post("/v1/products", data={"name": data["product_data][name"]})
    fields = {"currency": data["currency"], "unit_amount": data["unit_amount"], "product": product.json()["id"]}
    answer = await judge.post("/v1/prices", data=fields)
    assert answer.is_success, answer.text
    price: Json = answer.json()
    return price


@contextlib.contextmanager
def go_between() -> Iterator[GoBetween]:
    """Serves in a thread, on a free port of this machine."""
    listening = socket.create_server(("127.0.0.1", 0))
    between = GoBetween(f"http://127.0.0.1:{listening.getsockname()[1]}")
    routes = [
        Route("/hooks", between.hook, methods=["POST"]),
        Route("/{path:path}", between.pass_on, methods=METHODS),
    ]
    config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield between
    finally:
        server.should_exit = True
        thread.join(STOPS_WITHIN_S)
        listening.close()
