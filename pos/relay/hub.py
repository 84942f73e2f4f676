"""Who listens: the open streams per shop, and the last frames, encoded once for all of them. Memory only.

Nothing is decided here, and nothing is kept that the log does not have.
"""

from __future__ import annotations

import asyncio
from collections import deque

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
        """All frames after `seq` and the number of the last; None where the ring does not reach back that far."""
        if not self.ring or self.ring[0][0] > seq + 1:
            return None
        frames = [made for number, made in self.ring if number > seq]
        return self.head, b"".join(frames)


class Stream:
    """One open connection. It sleeps until something wakes it: an event, its heartbeat, the end."""

    __slots__ = ("_beat_s", "_loop", "_sleeper", "_timer", "beat", "ended", "till", "woken")

    def __init__(self, till: str, beat_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._beat_s = beat_s
        self._sleeper: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.till = till
        self.ended = False
        self.beat = False
        self.woken = False

    def wake(self) -> None:
        self.woken = True
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    def end(self) -> None:
        self.ended = True
        self.wake()

    def _on_beat(self) -> None:
        self.beat = True
        self.wake()

    async def sleep(self) -> None:
        """Until woken. A heartbeat is due `beat_s` after the stream last went to sleep."""
        if not self.woken:
            self._timer = self._loop.call_later(self._beat_s, self._on_beat)
            self._sleeper = self._loop.create_future()
            try:
                await self._sleeper
            finally:
                self._timer.cancel()
                self._sleeper = None
        self.woken = False


class Hub:
    def __init__(self, per_till: int) -> None:
        self._per_till = per_till
        self._feeds: dict[str, Feed] = {}
        self._tills: dict[str, list[Stream]] = {}
        self.closing = False

    def __len__(self) -> int:
        return sum(len(streams) for streams in self._tills.values())

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
        if len(mine) > self._per_till:
            mine[0].end()
        feed = self._feeds.setdefault(shop, Feed())
        feed.streams[stream] = None
        return feed

    def leave(self, shop: str, stream: Stream) -> None:
        mine = self._tills[stream.till]
        mine.remove(stream)
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
