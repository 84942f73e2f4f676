"""Pages for the customer's phone: where the browser comes back, the short pay link, the e-receipt.

They show what the till last said, escaped, and believe no parameter. Opening one leaves a hint, never a truth.
"""

from __future__ import annotations

import html

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pos import wire
from pos.domain.errors import Broken
from pos.relay import http, looks
from pos.relay.api import TOKEN
from pos.relay.core import Core
from pos.relay.log import Hint, Link
from pos.relay.settings import page_url_problem

REFRESH_S = 4
REFRESH_FOR_MS = 15 * 60 * 1000  # a page that was forgotten stops asking


class Pages:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def returned(self, request: Request) -> Response:
        """`GET /return/{shop}/{token}`."""
        shop, token = request.path_params["shop"], request.path_params["token"]
        core = self._core
        core.tenants.refresh()
        name = core.tenants.shop_name(shop)
        if self._too_often(request):
            return page(looks.BUSY, "", status=429)
        if name is None or not TOKEN.fullmatch(token):
            return page(looks.NOT_HERE, "", status=404)
        link = await core.log.link(token)
        if link is not None and link.shop != shop:
            return page(looks.NOT_HERE, "", status=404)
        await self._hint("callback", shop, token, link, request)
        core.metrics.add("pages_total", 'page="return"')
        if link is None:
            return page(looks.LOOK_AT_THE_TILL, name)
        asks_again = core.now_ms() - link.updated_at_ms < REFRESH_FOR_MS
        return page(looks.RETURN_STATES[link.state], name, link, refresh=asks_again)

    async def pay(self, request: Request) -> Response:
        """`GET /p/{token}`."""
        token, core = request.path_params["token"], self._core
        if self._too_often(request):
            return page(looks.BUSY, "", status=429)
        link = await core.log.link(token) if TOKEN.fullmatch(token) else None
        if link is None:
            return page(looks.NOT_HERE, "", status=404)
        await self._hint("opened", link.shop, token, link, request)
        core.metrics.add("pages_total", 'page="pay"')
        door = core.doors.get(link.gateway)
        if link.state == "open" and door and not page_url_problem(link.url, door.page_hosts, core.settings):
            return RedirectResponse(link.url, 303, headers=looks.headers())
        core.tenants.refresh()
        return page(
            looks.PAY_STATES.get(link.state, looks.LOOK_AT_THE_TILL), core.tenants.shop_name(link.shop) or "", link
        )

    async def receipt(self, request: Request) -> Response:
        """`GET /r/{token}`: the text that a till put there."""
        token, core = request.path_params["token"], self._core
        if self._too_often(request):
            return page(looks.BUSY, "", status=429)
        found = await core.log.receipt(token, core.now_ms()) if TOKEN.fullmatch(token) else None
        if found is None:
            return page(looks.NO_RECEIPT, "", status=404)
        core.metrics.add("pages_total", 'page="receipt"')
        core.tenants.refresh()
        body = looks.receipt(html.escape(core.tenants.shop_name(found.shop) or ""), html.escape(found.text))
        return Response(body, 200, looks.headers(), "text/html; charset=utf-8")

    def _too_often(self, request: Request) -> bool:
        core = self._core
        return core.gates.pages.wait_s(http.address(request.scope), core.monotonic()) > 0

    async def _hint(self, kind: str, shop: str, token: str, link: Link | None, request: Request) -> None:
        """At most once per minute and token; for tokens that no till has registered, a few per shop.

        `event` is the token: the till knows which attempt it gave it to. A hint that cannot be stored must not
        keep the customer from paying or from being told.
        """
        core, now = self._core, self._core.monotonic()
        if request.method != "GET" or not core.gates.again.may(f"{kind} {shop} {token}", now):
            return
        if link is None and core.gates.unknown_returns.wait_s(shop, now):
            return
        refs = wire.Refs(link=link.link, reference=link.reference) if link else wire.Refs()
        gateway, type_ = (link.gateway if link else ""), ("return" if kind == "callback" else "opened")
        try:
            await core.store(Hint(shop, kind, gateway, token, type_, refs, core.now_ms()))
        except Broken:
            core.metrics.add("refused_total", 'reason="hint_not_stored"')


def page(
    look: looks.Look, shop: str, link: Link | None = None, *, status: int = 200, refresh: bool = False
) -> Response:
    """One page; every text that is not ours is escaped here."""
    facts = looks.Facts()
    if link is not None:
        texts = (link.order, link.amount, link.method, link.when)
        facts = looks.Facts(*(html.escape(text) for text in texts))
        if TOKEN.fullmatch(link.receipt):
            facts = facts._replace(receipt=f"/r/{link.receipt}")
    body = looks.page(look, html.escape(shop), facts, refresh_s=REFRESH_S if refresh and look.waits else 0)
    return Response(body, status, looks.headers(), "text/html; charset=utf-8")
