"""The relay as one ASGI application: hooks and events raw, the rest through Starlette. Only routes live here.

`ROUTES` is the whole list; the tests make their matrix of strangers and tokens from it.
"""

from __future__ import annotations

from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pos.domain.errors import PosError
from pos.relay.api import Api, on_error, reply
from pos.relay.core import Core
from pos.relay.intake import Intake
from pos.relay.pages import Pages
from pos.relay.stream import Events


class Rule(NamedTuple):
    """One route and who may use it: `open`, `path` (whoever knows the token in it) or `till` (a bearer token)."""

    method: str
    path: str
    who: str


ROUTES = (
    Rule("POST", "/hooks/{shop}/{gateway}/{token}", "path"),
    Rule("GET", "/return/{shop}/{token}", "path"),
    Rule("GET", "/p/{token}", "path"),
    Rule("GET", "/r/{token}", "path"),
    Rule("PUT", "/v1/links/{token}", "till"),
    Rule("PUT", "/v1/receipts/{token}", "till"),
    Rule("GET", "/v1/events", "till"),
    Rule("GET", "/v1/whoami", "till"),
    Rule("GET", "/v1/anchors", "till"),
    Rule("POST", "/v1/anchors", "till"),
    Rule("POST", "/v1/pair", "open"),
    Rule("GET", "/healthz", "open"),
    Rule("GET", "/metrics", "open"),
)


class Relay:
    """The application. Whoever makes it closes the log and the tenants of its core afterwards."""

    def __init__(self, core: Core) -> None:
        self._hooks, self._events, self._rest = Intake(core), Events(core), _rest(core)
        core.log.on_published = core.hub.publish
        core.log.on_new_epoch = core.hub.end_shop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
        elif path.startswith("/hooks/"):
            await self._hooks(scope, receive, send)
        elif path == "/v1/events":
            await self._events(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


def _rest(core: Core) -> Starlette:
    api, pages = Api(core), Pages(core)

    async def healthz(request: Request) -> Response:
        return reply(200, {"ok": True}) if core.log.healthy() else reply(503, {"ok": False})

    async def metrics(request: Request) -> Response:
        return Response(core.metrics.text(), media_type="text/plain; version=0.0.4")

    routes = [
        Route("/return/{shop}/{token}", pages.returned, methods=["GET"]),
        Route("/p/{token}", pages.pay, methods=["GET"]),
        Route("/r/{token}", pages.receipt, methods=["GET"]),
        Route("/v1/links/{token}", api.put_link, methods=["PUT"]),
        Route("/v1/receipts/{token}", api.put_receipt, methods=["PUT"]),
        Route("/v1/whoami", api.whoami, methods=["GET"]),
        Route("/v1/anchors", api.last_anchor, methods=["GET"]),
        Route("/v1/anchors", api.put_anchor, methods=["POST"]),
        Route("/v1/pair", api.pair, methods=["POST"]),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={PosError: on_error})
    app.router.redirect_slashes = False
    return app
