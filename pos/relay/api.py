"""What a till asks of the relay besides its events: who am I, short links, receipts, anchors, pairing.

The shop always comes from the token. Every body is read strictly; texts are the till's, shown escaped, never trusted.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from pos.domain.errors import BadInput, Broken, NotFound
from pos.relay import http
from pos.relay.core import Core
from pos.relay.log import LINK_STATES, Anchor, Link, Receipt
from pos.relay.settings import page_url_problem
from pos.relay.tenants import Till

TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)  # 22 characters of base64url are 128 bits
RECEIPT_CHARACTERS = 12_000

Line = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Id = Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]


class LinkBody(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /v1/links/{token}`. `order`, `amount`, `method` and `when` are shown to the customer as they are."""

    gateway: Id
    url: Annotated[str, msgspec.Meta(max_length=2048)]
    state: str = "open"
    reference: Id = ""
    link: Id = ""
    order: Line = ""
    amount: Line = ""
    method: Line = ""
    when: Line = ""
    receipt: Line = ""


class ReceiptBody(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /v1/receipts/{token}`: plain text, at most `keep_s` seconds (30 days unless the relay keeps less)."""

    text: Annotated[str, msgspec.Meta(max_length=RECEIPT_CHARACTERS)]
    keep_s: Annotated[int, msgspec.Meta(ge=60)] = 30 * 86_400


class AnchorBody(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    head: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class PairBody(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(max_length=40)]


_link = msgspec.json.Decoder(LinkBody)
_receipt = msgspec.json.Decoder(ReceiptBody)
_anchor = msgspec.json.Decoder(AnchorBody)
_pair = msgspec.json.Decoder(PairBody)


class Api:
    """Starlette endpoints; each answers errors in one shape, `{"error": ...}`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def whoami(self, request: Request) -> Response:
        till = self._bearer(request)
        core = self._core
        head = await core.log.head(till.shop)
        return reply(
            200,
            {
                "shop": till.shop,
                "name": core.tenants.shop_name(till.shop),
                "till": till.id,
                "epoch": head.epoch,
                "cursor": str(head.cursor),
                "hooks": core.tenants.hook_paths(till.shop),
                "public_url": core.settings.public_url,
                "return": f"/return/{till.shop}/{{token}}",
                "pay": "/p/{token}",
            },
        )

    async def put_link(self, request: Request) -> Response:
        till, token = self._bearer(request), _token(request)
        body: LinkBody = await self._body(request, _link)
        link = self._checked(till, body)
        fresh = await self._core.log.put_link(token, link)
        return reply(201 if fresh else 200, {"state": link.state, "path": f"/p/{token}"})

    def _checked(self, till: Till, body: LinkBody) -> Link:
        """Raises BadInput: an unknown state or gateway, or a page that is not the gateway's."""
        if body.state not in LINK_STATES:
            raise BadInput("That is no state of a link.", "One of " + ", ".join(LINK_STATES))
        door = self._core.doors.get(body.gateway)
        if door is None:
            raise BadInput("This relay does not know that gateway.", ", ".join(sorted(self._core.doors)))
        problem = page_url_problem(body.url, door.page_hosts, self._core.settings)
        if problem:
            raise BadInput("A short link cannot lead there:", problem)
        fields: dict[str, str] = msgspec.structs.asdict(body)
        return Link(shop=till.shop, updated_at_ms=self._core.now_ms(), **fields)

    async def put_receipt(self, request: Request) -> Response:
        till, token = self._bearer(request), _token(request)
        body: ReceiptBody = await self._body(request, _receipt)
        keep_ms = int(min(body.keep_s, self._core.settings.retention_s) * 1000)
        receipt = Receipt(till.shop, body.text, self._core.now_ms() + keep_ms)
        await self._core.log.put_receipt(token, receipt)
        return reply(200, {"path": f"/r/{token}"})

    async def put_anchor(self, request: Request) -> Response:
        till = self._bearer(request)
        body: AnchorBody = await self._body(request, _anchor)
        await self._core.log.put_anchor(Anchor(till.shop, till.id, body.count, body.head, self._core.now_ms()))
        return reply(200, {"count": body.count})

    async def last_anchor(self, request: Request) -> Response:
        till = self._bearer(request)
        anchor = await self._core.log.anchor(till.shop, till.id)
        if anchor is None:
            raise NotFound("This till has left no anchor.")
        return reply(200, {"count": anchor.count, "head": anchor.head, "at_ms": anchor.at_ms})

    async def pair(self, request: Request) -> Response:
        core = self._core
        wait_s = core.gates.pairings.wait_s(http.address(request.scope), core.monotonic())
        if wait_s:
            raise http.Refusal(429, "Too many tries from this address.", wait_s)
        body: PairBody = await self._body(request, _pair)
        paired = core.tenants.pair(body.code, core.now())
        if paired is None:
            raise NotFound("That code is not valid.", "Make a new one with `pos relay pair SHOP`.")
        till, token = paired
        return reply(200, {"shop": till.shop, "till": till.id, "token": token})

    def _bearer(self, request: Request) -> Till:
        till = self._core.till(request.scope)
        if till is None:
            raise http.Refusal(401, "This till is not known here.")
        return till

    async def _body(self, request: Request, shape: msgspec.json.Decoder[Any]) -> Any:
        limits = self._core.settings.limits
        body = await http.read_body(request.scope, request.receive, limits.api_body_bytes, limits.body_within_s)
        return http.decode(body, shape)


def reply(status: int, content: object) -> Response:
    return Response(msgspec.json.encode(content), status, {"cache-control": "no-store"}, "application/json")


async def on_error(request: Request, error: Exception) -> Response:
    """Our errors as statuses. What is not ours is not caught here."""
    if isinstance(error, http.Refusal):
        answer = reply(error.status, {"error": error.title})
        if error.retry_after_s:
            answer.headers["retry-after"] = str(max(1, round(error.retry_after_s)))
        if error.status == 401:
            answer.headers["www-authenticate"] = "Bearer"
        return answer
    if isinstance(error, Broken):
        return reply(503, {"error": str(error)})
    return reply(404 if isinstance(error, NotFound) else 400, {"error": str(error)})


def _token(request: Request) -> str:
    token: str = request.path_params["token"]
    if not TOKEN.fullmatch(token):
        raise BadInput("That is no token.", "22 to 64 letters, digits, - and _, made from at least 128 random bits.")
    return token
