"""The envelope between relay and till: known fields decoded strictly, unknown fields and kinds skipped.

Pure: bytes in, values out. No socket, no store and no clock may live here; `docs/relay-protocol.md` is its prose.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

import msgspec

from pos.domain.envelope import Envelope
from pos.domain.envelope import Refs as DomainRefs
from pos.domain.errors import BadInput

VERSION = 1
KINDS = frozenset({"webhook", "callback", "opened"})

MAX_TEXT = 255  # characters of one id or word
MAX_CURSOR = 128  # characters
MAX_LINE_BYTES = 64 * 1024  # one line of the stream
MAX_FRAME_BYTES = 256 * 1024  # the data lines of one frame together
TAG_HEX = 16  # characters: 64 bits, enough to notice an accident

_CURSOR = re.compile(r"([a-z0-9]{4,32}):(0|[1-9][0-9]{0,15}):([a-z0-9]{1,64})", re.ASCII)

Word = Annotated[str, msgspec.Meta(max_length=MAX_TEXT, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Garbled(BadInput):
    """Bytes that are no part of this protocol: a captive portal, a broken proxy, another server."""


class Cursor(NamedTuple):
    """A place in a shop's stream. `seq` 0 with tag "0" stands before the first event of an epoch."""

    epoch: str
    seq: int
    tag: str

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}:{self.tag}"

    @classmethod
    def origin(cls, epoch: str) -> Cursor:
        return cls(epoch, 0, "0")

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read `<epoch>:<seq>:<tag>`.

        Raises:
            Garbled: it is something else.
        """
        found = _CURSOR.fullmatch(text) if len(text) <= MAX_CURSOR else None
        if found is None:
            raise Garbled("That is no relay cursor.", "Start again without one.")
        return cls(found[1], int(found[2]), found[3])


class Refs(msgspec.Struct, frozen=True, omit_defaults=True):
    """As `pos.domain.envelope.Refs`; absent on the wire where empty."""

    link: Word = ""
    payment: Word = ""
    refund: Word = ""
    reference: Word = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One hint, as it travels. `received_at` is when the relay got it, RFC 3339 in UTC."""

    v: int = VERSION
    id: Annotated[str, msgspec.Meta(max_length=MAX_CURSOR)]
    kind: Word
    gateway: Word
    event: Word
    type: Word
    refs: Refs
    received_at: Annotated[datetime, msgspec.Meta(tz=True)]

    @property
    def cursor(self) -> Cursor:
        return Cursor.parse(self.id)

    def envelope(self) -> Envelope:
        refs = DomainRefs(self.refs.link, self.refs.payment, self.refs.refund, self.refs.reference)
        return Envelope(self.gateway, self.event, self.type, refs)


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """`event: epoch`: the till's cursor cannot be continued; sweep, and go on from `cursor`.

    `reason`: first (no cursor given), epoch (another epoch's), ahead (we never had that number), tag (number and tag
    disagree), pruned (older than what is kept), garbled (no cursor at all).
    """

    v: int = VERSION
    epoch: str
    cursor: str
    reason: str


class _Head(msgspec.Struct):
    v: int
    kind: str


_head = msgspec.json.Decoder(_Head)
_event = msgspec.json.Decoder(Event)
_notice = msgspec.json.Decoder(Notice)


def tag_of(seq: int, kind: str, gateway: str, event: str, type_: str, refs: Refs, received_at_ms: int) -> str:
    """Digest of an event's content: SHA-256 over its fields joined with line feeds, the first 64 bits in hex.

    No field can hold a line feed (see `Word`), so two different events never join to the same bytes.
    """
    fields = (kind, gateway, event, type_, refs.link, refs.payment, refs.refund, refs.reference)
    joined = "\n".join((str(seq), *fields, str(received_at_ms)))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:TAG_HEX]


def at(ms: int) -> datetime:
    """Milliseconds since 1970 as a time in UTC, exactly (no float in between)."""
    seconds, rest = divmod(ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def encode(event: Event | Notice) -> bytes:
    return msgspec.json.encode(event)


def decode_event(data: bytes | str) -> Event | None:
    """Read one event; None for a kind or version that this till does not know.

    Raises:
        Garbled: not JSON, or a known field is not what it must be.
    """
    try:
        head = _head.decode(data)
        if head.v != VERSION or head.kind not in KINDS:
            return None
        event = _event.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled("The relay sent an event that cannot be read.", str(error)) from error
    Cursor.parse(event.id)
    return event


def decode_notice(data: bytes | str) -> Notice:
    """Read the data of an `epoch` frame.

    Raises:
        Garbled: not a notice.
    """
    try:
        notice = _notice.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled("The relay sent a notice that cannot be read.", str(error)) from error
    Cursor.parse(notice.cursor)
    return notice


@dataclass(frozen=True, slots=True)
class Frame:
    """One dispatched frame of an event stream. `id` is None where the frame carried none."""

    event: str
    id: str | None
    data: str


class SseParser:
    """Incremental reader of server-sent events: feed it chunks as they come, cut anywhere.

    Comments (heartbeats) and blocks without data (a bare `retry:`) give no frame. Bounded: a line over
    `MAX_LINE_BYTES` or a frame over `MAX_FRAME_BYTES` raises `Garbled`, as do bytes that are not UTF-8.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._started = False
        self._reset()

    def _reset(self) -> None:
        self._event = ""
        self._id: str | None = None
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that this chunk completed, in order."""
        text = self._rest + chunk
        if not self._started:
            if len(text) < 3 and b"\xef\xbb\xbf".startswith(text):
                self._rest = text
                return []
            self._started, text = True, text.removeprefix(b"\xef\xbb\xbf")
        lines, self._rest = _cut_lines(text)
        if len(self._rest) > MAX_LINE_BYTES:
            raise Garbled("The relay's stream holds a line without end.", "Is this address really the relay?")
        frames = []
        for line in lines:
            frame = self._line(line)
            if frame is not None:
                frames.append(frame)
        return frames

    def _line(self, line: bytes) -> Frame | None:
        if not line:
            return self._dispatch()
        if len(line) > MAX_LINE_BYTES:
            raise Garbled("The relay's stream holds a line without end.", "Is this address really the relay?")
        name, _, value = line.partition(b":")
        self._field(name, value.removeprefix(b" "))
        return None

    def _field(self, name: bytes, raw: bytes) -> None:
        if name not in (b"data", b"id", b"event"):
            return  # comments have an empty name; `retry` and whatever comes later are not for us
        try:
            value = raw.decode()
        except UnicodeDecodeError as error:
            raise Garbled("The relay's stream is not UTF-8.", "Is this address really the relay?") from error
        if name == b"event":
            self._event = value
        elif name == b"id":
            self._id = value if "\0" not in value else self._id
        else:
            self._size += len(raw)
            if self._size > MAX_FRAME_BYTES:
                raise Garbled("The relay's stream holds a frame without end.", "Is this address really the relay?")
            self._data.append(value)

    def _dispatch(self) -> Frame | None:
        frame = Frame(self._event or "message", self._id, "\n".join(self._data)) if self._data else None
        self._reset()
        return frame


_ENDS = re.compile(rb"\r\n|\n|\r")


def _cut_lines(text: bytes) -> tuple[list[bytes], bytes]:
    """Whole lines, and what is left. A carriage return at the very end may still become CRLF: it waits."""
    held = b""
    if text.endswith(b"\r"):
        text, held = text[:-1], b"\r"
    *lines, rest = _ENDS.split(text)
    return lines, rest + held
