"""`GET /v1/events`: a shop's hints to its tills, as server-sent events or in pages.

A stream goes on where the till's cursor says, or says that it cannot. The shop comes from the till's token alone.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from pos import wire
from pos.domain.errors import Broken, NotFound
from pos.relay import http
from pos.relay.core import Core
from pos.relay.hub import Feed, Stream, frame, notice_frame
from pos.relay.log import Resume
from pos.relay.tenants import Till

PAGE_ROWS = 500  # rows of backlog in one write
MAX_LIMIT = 1000  # events in one page of JSON
RETRY_MS = 2000
HEARTBEAT = b": heartbeat\n\n"
START = b"retry: %d\n\n" % RETRY_MS
SSE = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Events:
    """Raw ASGI; one instance per relay."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            return await http.refuse(send, 405, "GET only.")
        try:
            till = self._core.till(scope)
            if till is None:
                return await http.refuse(send, 401, "This till is not known here.")
            query = _query(scope)
            if "after" in query or "limit" in query:
                return await self._page(till, query, send)
            return await self._stream(till, scope, receive, send)
        except http.Refusal as refusal:
            return await http.refuse(send, refusal.status, refusal.title, refusal.retry_after_s)
        except NotFound as error:
            return await http.refuse(send, 404, str(error))
        except Broken as error:
            return await http.refuse(send, 503, str(error), 1.0)

    async def _resume(self, till: Till, text: str | None) -> Resume:
        cursor, garbled = _cursor(text)
        place = await self._core.log.resume(till.shop, cursor)
        if garbled:
            place = place._replace(reason="garbled")
        if place.reason:
            self._core.metrics.add("notices_total", f'reason="{place.reason}"')
        return place

    # pages

    async def _page(self, till: Till, query: dict[str, str], send: Send) -> None:
        limit = query.get("limit", "200")
        if not (limit.isascii() and limit.isdigit() and len(limit) < 6 and 1 <= int(limit) <= MAX_LIMIT):
            raise http.Refusal(400, f"limit is a number from 1 to {MAX_LIMIT}.")
        place = await self._resume(till, query.get("after") or None)
        entries = await self._core.log.page(till.shop, place.seq, int(limit))
        epoch, last = place.head.epoch, entries[-1] if entries else None
        after = wire.Cursor(epoch, last.seq, last.tag) if last else wire.Cursor(epoch, place.seq, place.tag)
        page = {
            "v": wire.VERSION,
            "epoch": epoch,
            "notice": place.notice if place.reason else None,
            "events": [entry.event(epoch) for entry in entries],
            "next": str(after),
            "more": len(entries) == int(limit),
        }
        await http.answer_json(send, 200, page)

    # the stream

    async def _stream(self, till: Till, scope: Scope, receive: Receive, send: Send) -> None:
        core = self._core
        if core.hub.closing or len(core.hub) >= core.settings.limits.streams:
            raise http.Refusal(503, "Too many streams.", 5.0)
        given = http.header(scope, b"last-event-id")
        place = await self._resume(till, given.decode("latin-1") if given else None)
        stream = Stream(till.id, scope.get("state", {}).get("abort"))
        feed = core.hub.join(till.shop, stream)
        hung_up = asyncio.ensure_future(_hung_up(receive, stream))
        try:
            # Read again after joining: what was committed before, the log has; what comes after, the feed brings.
            head = await core.log.head(till.shop)
            if head.epoch != place.head.epoch:
                raise http.Refusal(503, "This shop's stream has just begun anew.", 1.0)
            await self._follow(till.shop, place._replace(head=head), feed, stream, send)
        finally:
            core.hub.leave(till.shop, stream)
            hung_up.cancel()
            if stream.stuck:
                core.metrics.add("refused_total", 'reason="does_not_read"')

    async def _follow(self, shop: str, place: Resume, feed: Feed, stream: Stream, send: Send) -> None:
        """Until the end: what the ring has, else what the log has, else sleep."""
        await send({"type": "http.response.start", "status": 200, "headers": SSE})
        await stream.push(send, START + (notice_frame(place.notice) if place.reason else b"") + HEARTBEAT)
        seq, epoch = place.seq, place.head.epoch
        while not stream.ended:
            ready = feed.after(seq)
            if ready is None and (seq < place.head.seq or seq < feed.head):
                ready = await self._from_log(shop, epoch, seq, stream)
            if ready is not None and ready[1]:
                seq = ready[0]
                await stream.push(send, ready[1])
            elif stream.beat:
                stream.beat = False
                await stream.push(send, HEARTBEAT)
            else:
                await stream.sleep()
        await send({"type": "http.response.body", "body": b""})

    async def _from_log(self, shop: str, epoch: str, seq: int, stream: Stream) -> tuple[int, bytes]:
        try:
            entries = await self._core.log.page(shop, seq, PAGE_ROWS)
        except Broken:
            stream.end()  # the till comes back, and is told what is wrong before a stream begins
            return seq, b""
        return (entries[-1].seq if entries else seq), b"".join(frame(epoch, entry) for entry in entries)


async def _hung_up(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()


def _query(scope: Scope) -> dict[str, str]:
    try:
        found = parse_qs(scope["query_string"].decode("ascii"), keep_blank_values=True, max_num_fields=8)
    except ValueError as error:
        raise http.Refusal(400, "The query cannot be read.") from error
    return {name: values[0] for name, values in found.items()}


def _cursor(text: str | None) -> tuple[wire.Cursor | None, bool]:
    """The cursor, and whether there was something that is none."""
    if text is None:
        return None, False
    try:
        return wire.Cursor.parse(text), False
    except wire.Garbled:
        return None, True
