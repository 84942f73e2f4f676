"""The till's side of the relay: who am I, the stream of events, the state of links. See docs/relay-protocol.md.

The relay is not trusted with money: what comes from here are hints, and whatever it answers is read strictly.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import msgspec

from pos.domain.errors import BadInput, PosError, Refused, Unreachable
from pos.gateways.http import TooLarge, new_client, whole_body
from pos.wire import Event, Frame, Garbled, Notice, SseParser, decode_event, decode_notice

T = TypeVar("T")
READ_TIMEOUT_S = 30.0
"""Three heartbeats: a stream that is silent for longer is dead."""
CALL_TIMEOUT_S = 5.0
"""For a whole call, from waiting for a connection to the last byte of its answer."""
ANSWER_MAX_BYTES = 64 * 1024
"""Of an answer; the longest of ours has a line for each gateway of a shop."""
INTRODUCE_S = 1.0
DOWN = ("The relay cannot be reached.", "The till asks the gateway itself meanwhile.")
NOT_OURS = ("That is not our relay.", "Check [relay] url; a captive portal may be in between.")
HOOK = re.compile(r"/hooks/[\w-]{1,64}/[\w-]{1,64}/[\w-]{1,64}", re.ASCII)
"""A path as section 2 of the protocol has it; anything else is nothing to paste at a gateway."""
SHORT_LINK_S = 0.3
"""Seconds a customer waits for the shorter code; after that the gateway's own address is shown."""


class Kept(msgspec.Struct):
    """The relay has stored a link; `path` is its short address there."""

    path: str


class Who(msgspec.Struct):
    shop: str
    till: str
    epoch: str
    public_url: str = ""
    hooks: dict[str, str] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beat:
    """Bytes came, no event: a heartbeat."""


class TokenLocked(Unreachable):
    """Nothing was sent: the token lies in a vault or keyring that is not open."""


class RelayClient:
    """One relay, one till token.

    Raises (every call):
        Unreachable: nobody there, or not our relay.
        Refused: the token is not accepted.
    """

    def __init__(
        self, url: str, token: str, client: httpx.AsyncClient | None = None, *, later: Callable[[], str] | None = None
    ) -> None:
        """`later` reads the token (blocking, "" while it cannot be had), where it lies in what is not open yet."""
        self._url = url.rstrip("/")
        self._given = client
        self._token = token
        self._later = later

    async def _headers(self) -> dict[str, str]:
        """Raises TokenLocked."""
        if not self._token and self._later is not None:
            self._token = await asyncio.to_thread(self._later)
            if not self._token:
                raise TokenLocked("This till's token for the relay is locked away.", "Open the vault or keyring.")
        return {"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}

    async def whoami(self) -> Who:
        return _told(await self._call("GET", "/v1/whoami"), Who)

    async def put_link(self, token: str, body: dict[str, Any]) -> None:
        kept = _told(await self._call("PUT", f"/v1/links/{token}", body), Kept)
        if kept.path != f"/p/{token}":
            raise Unreachable(*NOT_OURS)

    async def events(self, cursor: str) -> AsyncIterator[Event | Notice | Beat]:
        """The stream from a cursor on; ends when the connection does."""
        headers = dict(await self._headers(), Accept="text/event-stream")
        if cursor:
            headers["Last-Event-ID"] = cursor
        timeout = httpx.Timeout(CALL_TIMEOUT_S, read=READ_TIMEOUT_S)
        parser = SseParser()
        try:
            async with self._client.stream("GET", self._url + "/v1/events", headers=headers, timeout=timeout) as answer:
                _check(answer)
                if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                    raise Unreachable(*NOT_OURS)
                async for chunk in answer.aiter_raw():
                    frames = parser.feed(chunk)
                    for frame in frames:
                        said = _read(frame)
                        if said is not None:
                            yield said
                    if not frames:
                        yield Beat()
        except httpx.HTTPError as error:
            raise Unreachable(*DOWN) from error

    async def close(self) -> None:
        if self._given is not None:
            await self._given.aclose()

    @property
    def _client(self) -> httpx.AsyncClient:
        """Made when it is first needed: a proxy setting that cannot be used must not keep a shop from selling."""
        if self._given is None:
            try:
                self._given = new_client(self._url)
            except BadInput as error:
                raise Unreachable(error.title, error.hint) from error
        return self._given

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        """The answer's body. Whoever sits at the other end gets no more of our time and memory than a relay needs."""
        headers = await self._headers()
        request = self._client.build_request(
            method, self._url + path, headers=headers, json=body, timeout=CALL_TIMEOUT_S
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                answer = await self._client.send(request, stream=True)
                try:
                    _check(answer)
                    return await whole_body(answer, ANSWER_MAX_BYTES)
                finally:
                    await answer.aclose()
        except TooLarge as error:
            raise Unreachable(*NOT_OURS) from error
        except (httpx.HTTPError, OSError) as error:  # OSError: TimeoutError too
            raise Unreachable(*DOWN) from error


class RelayShortLinks:
    """`pos.domain.ports.ShortLinks` at the relay."""

    def __init__(self, client: RelayClient, public_url: str) -> None:
        self._client = client
        self._public_url = public_url

    async def shop_id(self) -> str:
        """Our shop's id there, "" when the relay does not say within `INTRODUCE_S`."""
        try:
            return (await asyncio.wait_for(self._client.whoami(), INTRODUCE_S)).shop
        except (PosError, TimeoutError):
            return ""

    async def take(self, token: str, body: dict[str, str]) -> str:
        """The short address, or "" when the relay has not stored it within `SHORT_LINK_S`."""
        try:
            await asyncio.wait_for(self._client.put_link(token, dict(body)), SHORT_LINK_S)
        except (PosError, TimeoutError):
            return ""
        return f"{self._public_url}/p/{token}"


class RelayHooks:
    """`pos.services.setup_ports.HookAddresses` at the relay. `public_url` is where it is reached, unless it says so."""

    def __init__(self, client: RelayClient, public_url: str) -> None:
        self._client = client
        self._public_url = public_url

    async def addresses(self) -> dict[str, str] | None:
        """None when the relay does not say within `INTRODUCE_S`."""
        try:
            who = await asyncio.wait_for(self._client.whoami(), INTRODUCE_S)
        except (PosError, TimeoutError):
            return None
        base = (who.public_url or self._public_url).rstrip("/")
        return {name: base + path for name, path in who.hooks.items() if HOOK.fullmatch(path)}


def _told(answer: bytes, kind: type[T]) -> T:
    """What our relay says; a portal that answers everything with a page says something else."""
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreachable(*NOT_OURS) from error


def _check(answer: httpx.Response) -> None:
    """Raises as `RelayClient`; also for an answer that is packed, which ours never is and nobody asked for."""
    if answer.status_code in (401, 403, 404):
        raise Refused("The relay does not accept this till's token.", "Add the till again with `pos relay add-till`.")
    if answer.status_code >= 300:
        raise Unreachable(f"The relay answers {answer.status_code}.", "The till asks the gateway itself meanwhile.")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Unreachable(*NOT_OURS)


def _read(frame: Frame) -> Event | Notice | None:
    """Events and notices of kinds we know; a frame that cannot be read is skipped by its id, not repeated for ever."""
    if frame.event == "epoch":
        return decode_notice(frame.data)
    try:
        return decode_event(frame.data)
    except Garbled:
        return None
