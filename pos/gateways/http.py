"""The one module that speaks HTTP to gateways: sends a prepared call once, with the key, and has the adapter read it.

Never here: what an answer means, when to ask again. There are no retries but one: a GET whose connection was cut is
sent once more after a moment, because a kept-open connection may have been closed at the other end in the meantime.
Calls that make something are never repeated here; the services do that, with the same bytes and key, on the record.
Each gateway has a client of its own, over one ssl context: one that hangs must not use up the connections of another.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import ipaddress
import logging
import os
import random
import re
import ssl
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies_environment

import httpx

from pos.domain.errors import BadInput
from pos.domain.facts import Mode
from pos.domain.ports import Adapter, Answer, Asked, NoAnswer, NotSent, PreparedCall
from pos.gateways.base import Authorising

MAX_BODY_BYTES = 8 * 1024 * 1024  # a hundred charges with everything expanded are well under one
MAX_HEADERS = 100  # headers of an answer that are kept
CONNECT_TIMEOUT_S = 5.0
GET_TRIES = 2
GET_PAUSE_S = 0.1  # the longest pause before a look is repeated
SECRET_KEY = "secret_key"  # noqa: S105 - the name of a secret
MAX_CONNECTIONS = 8  # per gateway
KEEP_OPEN_S = 20.0  # shorter than common idle limits, so that few requests meet a closed connection

_LIVE_KEY = re.compile(r"(?:\A|_)live_", re.IGNORECASE)
_TEST_KEY = re.compile(r"(?:\A|_)test_", re.IGNORECASE)
_UPI_TEXT = re.compile(r"upi://pay\?[A-Za-z0-9%&=._~+@,:;!*'()/-]{1,1000}")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

log = logging.getLogger("pos.gateways")


class HttpGateway:
    """An adapter with a connection and what logs in: `pos.domain.ports.Gateway`. `close` closes the client.

    `secrets` are by their names in `Capabilities.secrets`; text alone is the secret key.

    Raises (at construction):
        BadInput: an address the key must not be sent to, a key of the other mode, or a proxy that cannot be used.
    """

    def __init__(
        self, adapter: Adapter, base_url: str, secrets: Mapping[str, str] | str, client: httpx.AsyncClient | None = None
    ) -> None:
        given = {SECRET_KEY: secrets} if isinstance(secrets, str) else dict(secrets)
        self._adapter = adapter
        self._base = check_base_url(adapter, base_url, *given.values())
        self._login = _login(adapter, given)
        self._client = client or new_client(self._base)

    def __repr__(self) -> str:
        return f"HttpGateway({self._adapter.name}, {self._base})"

    @property
    def adapter(self) -> Adapter:
        return self._adapter

    def page_allowed(self, url: str, collect: str = "link") -> bool:
        return page_allowed(url, self._adapter, self._base, collect)

    async def ask(self, call: PreparedCall, *, timeout_s: float) -> Asked:
        """Send once and read; `timeout_s` holds for all of it, from waiting for a connection to the last byte.

        Raises:
            NotSent: provably never sent.
            NoAnswer: perhaps sent, and no whole answer came.
        """
        started = time.monotonic()
        try:
            answer = await self._exchange(call, timeout_s)
        except (NotSent, NoAnswer) as problem:
            _note(call, type(problem).__name__, started)
            raise
        _note(call, str(answer.status), started)
        reading = self._adapter.read(call, answer)
        return Asked(reading, hashlib.sha256(answer.body).hexdigest(), _date_ms(answer), answer.status)

    async def close(self) -> None:
        await self._client.aclose()

    async def _exchange(self, call: PreparedCall, timeout_s: float) -> Answer:
        way = _Way()
        tries = GET_TRIES if call.method == "GET" else 1
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    tries -= 1
                    way = _Way()
                    try:
                        return await self._send(call, way, timeout_s)
                    except httpx.NetworkError as error:
                        if not tries or isinstance(error, _NOT_SENT):
                            raise
                    except httpx.RemoteProtocolError:
                        if not tries:
                            raise
                    await asyncio.sleep(random.uniform(0, GET_PAUSE_S))  # noqa: S311 - so that tills do not come in step
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # OSError: TimeoutError, TLS in mid-stream
            raise _failure(self._adapter, way, error) from error

    async def _send(self, call: PreparedCall, way: _Way, timeout_s: float) -> Answer:
        # Half for TCP and half for TLS: httpcore 1.0.9 leaves the socket open when a handshake is cancelled,
        # so its own limit must come before our deadline.
        connect_s = min(CONNECT_TIMEOUT_S, timeout_s / 2)
        request = self._client.build_request(
            call.method,
            self._base + call.path,
            headers=[*call.headers, *self._login, ("Accept-Encoding", "identity")],
            content=call.body or None,
            timeout=httpx.Timeout(timeout_s, connect=connect_s),
            extensions={"trace": way.saw},
        )
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            body = await whole_body(response, MAX_BODY_BYTES)
        finally:
            await response.aclose()
        headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        return Answer(response.status_code, headers[:MAX_HEADERS], body)


class _Way:
    """How far one request came, as the connection itself reports it: the proof that nothing was sent."""

    def __init__(self) -> None:
        self.connecting = False
        self.maybe_sent = False

    async def saw(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith("connect_tcp.started"):
            self.connecting = True
        elif event.endswith("send_request_headers.started"):
            self.maybe_sent = True

    def proves_unsent(self, error: Exception) -> bool:
        """Only what is certain: no request bytes were handed over, and the failure is one of getting connected."""
        return not self.maybe_sent and (self.connecting or isinstance(error, _NOT_SENT))


class TooLarge(httpx.HTTPError):
    """An answer of more bytes than were to be read."""


async def whole_body(response: httpx.Response, max_bytes: int) -> bytes:
    """The raw bytes, at most `max_bytes`. Never unpacked: we ask for no compression, so there is no bomb.

    Raises:
        TooLarge: there are more.
    """
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > max_bytes:
            raise TooLarge(f"an answer of more than {max_bytes} bytes")
        parts.append(part)
    return b"".join(parts)


def _failure(adapter: Adapter, way: _Way, error: Exception) -> NotSent | NoAnswer:
    """NotSent only with proof; everything else may have arrived."""
    title = adapter.capabilities.title
    if way.proves_unsent(error):
        return NotSent(f"{title} cannot be reached.", "Nothing was sent. Check the network, or use another way to pay.")
    return NoAnswer(f"{title} gave no answer.", "It may have been done: nothing is lost, the answer is looked for.")


def _note(call: PreparedCall, result: str, started: float) -> None:
    """One line per call: never keys, bodies or queries (which name references)."""
    path = call.path.partition("?")[0]
    took_ms = round((time.monotonic() - started) * 1000)
    log.info("%s %s %s %s -> %s in %d ms", call.gateway, call.operation, call.method, path, result, took_ms)


def _date_ms(answer: Answer) -> int | None:
    """The gateway's clock from its `Date` header, ms since 1970 UTC; whole seconds."""
    try:
        date = parsedate_to_datetime(answer.header("date"))
        return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _login(adapter: Adapter, secrets: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    for name in adapter.capabilities.secrets:
        if not _VISIBLE.fullmatch(secrets.get(name, "")):
            what = name.replace("_", " ")
            raise BadInput(
                f"The {what} for {adapter.capabilities.title} is empty or has odd characters.", "Copy it again."
            )
    if isinstance(adapter, Authorising):
        return adapter.authorization(secrets)
    return (("Authorization", f"Bearer {secrets[SECRET_KEY]}"),)


@functools.cache
def shared_ssl_context() -> ssl.SSLContext:
    """One for the process: loading the certificates takes 20-55 ms, which a window would feel at every click."""
    return httpx.create_ssl_context()


def new_client(base_url: str) -> httpx.AsyncClient:
    """A client for one server. The system's proxy settings hold, but not for this machine and not over plain http:

    a proxy would read the key.

    Raises:
        BadInput: they name a proxy that cannot be used.
    """
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # they write whole addresses and headers
    direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
    try:
        return httpx.AsyncClient(
            verify=shared_ssl_context(),
            follow_redirects=False,
            timeout=httpx.Timeout(10.0, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=KEEP_OPEN_S),
            mounts=direct,
            trust_env=not base_url.lower().startswith("http://"),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        hint = "Correct it where the till is started, or unset it: a proxy is an http:// address, with a host."
        raise BadInput(f"The proxy settings cannot be used: {_odd_proxy()}.", hint) from error


def _odd_proxy() -> str:
    """Which variable of the environment is wrong; its value may hold a password and is not said."""
    given = {kind: address for kind, address in getproxies_environment().items() if kind in ("all", "https", "http")}
    wrong = next((kind for kind, address in given.items() if not _is_proxy(address)), "no" if given else "")
    if not wrong:
        return "those of this system"
    name = f"{wrong}_proxy"
    return f"{name if os.environ.get(name) else name.upper()} in the environment"


def _is_proxy(address: str) -> bool:
    try:
        return httpx.Proxy(address if "://" in address else f"http://{address}").url.scheme in ("http", "https")
    except (ValueError, httpx.InvalidURL):
        return False


# --- where a key may go, and where a customer may be sent ----------------------------------------------------------


def looks_live(secret: str) -> bool:
    """`sk_live_`, `rk_live_`, `rzp_live_`, `live_`: a key that moves real money."""
    return bool(_LIVE_KEY.search(secret))


def check_base_url(adapter: Adapter, base_url: str, *secrets: str) -> str:
    """The address without a closing slash, if these secrets may be sent there.

    Live keys go to the adapter's own hosts only, over https on the usual port. In test mode any https address will
    do, and plain http to this machine.

    Raises:
        BadInput: it may not.
    """
    title, live = adapter.capabilities.title, adapter.mode is Mode.LIVE
    if any(map(looks_live, secrets)) and not live:
        raise BadInput(
            f"The {title} key is for real money, but the mode is test.", "Choose live mode, or give a test key."
        )
    if live and any(map(_TEST_KEY.search, secrets)):
        raise BadInput(
            f"The {title} key is a test key, but the mode is live.", "Choose test mode, or give the live key."
        )
    parts = _split(base_url)
    if parts is None or parts.path.rstrip("/") or parts.query or parts.fragment:
        raise BadInput(
            f"{base_url!r} is no address of a {title} server.",
            "Write https:// and a host name; in test mode http:// to this machine will do.",
        )
    if live and not _is_own_host(parts, adapter.capabilities.hosts):
        hosts = ", ".join(adapter.capabilities.hosts)
        raise BadInput(f"A live {title} key goes to https://{hosts} only.", "Leave api_base out, or set mode = test.")
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise BadInput("Plain http is allowed to this machine only.", "Use https, or 127.0.0.1.")
    return base_url.rstrip("/")


def page_allowed(url: str, adapter: Adapter, base_url: str, collect: str = "link") -> bool:
    """Whether a code may carry this: https on the adapter's page hosts; of a UPI code a UPI text, and nothing else.

    In test mode also the host of the configured address; where that is this machine, plain http on it and, for a
    phone in the shop's own network (`demo --lan`), on a private address.
    """
    if collect == "upi":
        return "upi" in adapter.capabilities.collects and bool(_UPI_TEXT.fullmatch(url))
    parts = _split(url)
    if parts is None:
        return False
    if _is_own_host(parts, adapter.capabilities.page_hosts):
        return True
    base = _split(base_url)
    if adapter.mode is not Mode.TEST or base is None:
        return False
    if _is_loopback(base.hostname or ""):
        return _is_loopback(parts.hostname or "") or _is_private(parts.hostname or "")
    return parts.scheme == "https" and parts.hostname == base.hostname


def _split(url: str) -> SplitResult | None:
    """The parts of an http(s) address without a login in it, or None."""
    if not _VISIBLE.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    usable = parts.scheme in ("http", "https") and parts.hostname and parts.username is None and parts.password is None
    return parts if usable else None


def _is_own_host(parts: SplitResult, hosts: tuple[str, ...]) -> bool:
    return parts.scheme == "https" and parts.hostname in hosts and parts.port in (None, 443)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
