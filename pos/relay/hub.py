"""Who listens: the open streams per shop, and the last frames, encoded once for all of them. Memory only.

Nothing is decided here, and nothing is kept that the log does not have.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from itertools import islice

from starlette.types import Send

from pos import wire
from pos.relay.log import Entry

RING_FRAMES = 256  # per shop; a stream that is further behind reads the log


def frame(epoch: str, entry: Entry) -> bytes:
    event = entry.event(epoch)
    return b"id: %b\ndata: %b\n\n" % (event.id.encode(), wire.encode(event))


def notice_frame(notice: wire.Notice) -> bytes:
    return b"event: epoch\nid: %b\ndata: %b\n\n" % (notice.cursor.encode(), wire.encode(notice))


class Feed:
    """One shop's live end. `head` is the number of the last event seen here, 0 before the first."""

    __slots__ = ("head", "ring", "streams")

    def __init__(self) -> None:
        self.head = 0
        self.ring: deque[tuple[int, bytes]] = deque(maxlen=RING_FRAMES)
        self.streams: dict[Stream, None] = {}

    def publish(self, epoch: str, entries: list[Entry]) -> None:
        for entry in entries:
            self.ring.append((entry.seq, frame(epoch, entry)))
            self.head = entry.seq
        for stream in self.streams:
            stream.wake()

    def after(self, seq: int) -> tuple[int, bytes] | None:
        """All frames after `seq` and the number of the last; None where the ring does not reach back that far.

        Numbers in the ring have no holes, so nearly always the one last frame is meant, and nothing is searched.
        """
        behind = self.head - seq
        if not self.ring or behind > len(self.ring):
            return None
        if behind <= 1:
            return self.head, self.ring[-1][1] if behind == 1 else b""
        return self.head, b"".join(made for _, made in islice(self.ring, len(self.ring) - behind, None))


class Stream:
    """One open connection. It sleeps until something wakes it: an event, its heartbeat, the end.

    `quiet_since` and `pushing_since` (monotonic seconds, 0: not) are read by the hub's tick. `abort` drops the
    connection with what is buffered for it.
    """

    __slots__ = ("_sleeper", "abort", "beat", "ended", "pushing_since", "quiet_since", "stuck", "till", "woken")

    def __init__(self, till: str, abort: Callable[[], None] | None) -> None:
        self._sleeper: asyncio.Future[None] | None = None
        self.till = till
        self.abort = abort
        self.ended = self.beat = self.woken = self.stuck = False
        self.quiet_since, self.pushing_since = time.monotonic(), 0.0

    def wake(self) -> None:
        self.woken = True
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    def end(self) -> None:
        self.ended = True
        self.wake()

    async def sleep(self) -> None:
        if not self.woken:
            self._sleeper = asyncio.get_running_loop().create_future()
            try:
                await self._sleeper
            finally:
                self._sleeper = None
        self.woken = False

    async def push(self, send: Send, data: bytes) -> None:
        self.quiet_since = self.pushing_since = time.monotonic()
        await send({"type": "http.response.body", "body": data, "more_body": True})
        self.pushing_since = 0.0

    def look(self, now: float, beat_s: float, send_within_s: float) -> None:
        """A till that does not read is dropped; a stream that was quiet for long enough gets its heartbeat."""
        if self.pushing_since and now - self.pushing_since > send_within_s:
            self.ended = self.stuck = True
            if self.abort is not None:
                self.abort()
        elif now - self.quiet_since >= beat_s:
            self.beat = True
            self.wake()


class Hub:
    """All open streams. One timer looks after all of them, and runs only while there are any."""

    def __init__(self, per_till: int, beat_s: float, send_within_s: float) -> None:
        self._per_till, self._beat_s, self._send_within_s = per_till, beat_s, send_within_s
        self._tick_s = min(1.0, beat_s / 10, send_within_s / 4)
        self._feeds: dict[str, Feed] = {}
        self._tills: dict[str, list[Stream]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._open = 0
        self.closing = False

    def __len__(self) -> int:
        return self._open

    def publish(self, epoch: str, entries: list[Entry]) -> None:
        feed = self._feeds.get(entries[0].hint.shop)
        if feed is not None:  # with nobody listening there is nothing to keep
            feed.publish(epoch, entries)

    def join(self, shop: str, stream: Stream) -> Feed:
        """Register before reading the log, so that nothing committed in between is missed.

        A till that comes back ends its oldest stream: the network may not have told us yet that it is dead.
        """
        mine = self._tills.setdefault(stream.till, [])
        mine.append(stream)
        self._open += 1
        if len(mine) > self._per_till:
            mine[0].end()
        feed = self._feeds.setdefault(shop, Feed())
        feed.streams[stream] = None
        if self._timer is None:
            self._tick()
        return feed

    def _tick(self) -> None:
        now = time.monotonic()
        for streams in self._tills.values():
            for stream in streams:
                stream.look(now, self._beat_s, self._send_within_s)
        again = asyncio.get_running_loop().call_later
        self._timer = again(self._tick_s, self._tick) if self._tills else None

    def leave(self, shop: str, stream: Stream) -> None:
        mine = self._tills[stream.till]
        mine.remove(stream)
        self._open -= 1
        if not mine:
            del self._tills[stream.till]
        feed = self._feeds[shop]
        del feed.streams[stream]
        if not feed.streams:
            del self._feeds[shop]

    def end_shop(self, shop: str) -> None:
        """Its epoch is new: drop what is encoded, and let every till come back and be told."""
        feed = self._feeds.get(shop)
        if feed is not None:
            feed.ring.clear()
            for stream in feed.streams:
                stream.end()

    def keep_only(self, tills: set[str]) -> None:
        """End the streams of tills that are not among these any more."""
        for till, streams in self._tills.items():
            if till not in tills:
                for stream in streams:
                    stream.end()

    def close(self) -> None:
        self.closing = True
        self.keep_only(set())
