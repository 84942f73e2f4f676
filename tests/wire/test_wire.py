"""The wire: cursors and tags round trip, events decode strictly, a stream may be cut anywhere."""

from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos import wire
from pos.domain.envelope import Envelope
from pos.domain.envelope import Refs as DomainRefs

EVENT = wire.Event(
    id="abcd1234:7:00ff",
    kind="webhook",
    gateway="stripe",
    event="evt_1",
    type="checkout.session.completed",
    refs=wire.Refs(link="cs_1", reference="o_1"),
    received_at=datetime(2026, 11, 22, 8, 0, 0, 123000, UTC),
)

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
all_refs = st.builds(wire.Refs, words, words, words, words)


@given(
    st.from_regex(r"[a-z0-9]{4,32}", fullmatch=True),
    st.integers(0, 10**16 - 1),
    st.from_regex(r"[a-z0-9]{1,64}", fullmatch=True),
)
def test_a_cursor_survives_its_text(epoch: str, seq: int, tag: str) -> None:
    cursor = wire.Cursor(epoch, seq, tag)
    assert wire.Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text",
    ["", "x", "abcd:1", "abcd:-1:ff", "abcd:01:ff", "abcd:1:FF", "abcd:1:ff\n", "abcd:١:ff", "abcd:1:ff:2", "a" * 999,
     "abcd:" + "9" * 17 + ":ff", "null", "abcd:1:<script>"],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(wire.Garbled):
        wire.Cursor.parse(text)


@given(st.tuples(words, words, words, words), all_refs, st.integers(1, 10**15), st.integers(0, 4_000_000_000_000))
def test_tag_and_cursor_round_trip(fields: tuple[str, str, str, str], refs: wire.Refs, seq: int, ms: int) -> None:
    kind, gateway, event, type_ = fields
    tag = wire.tag_of(seq, kind, gateway, event, type_, refs, ms)
    assert tag == wire.tag_of(seq, kind, gateway, event, type_, refs, ms)
    assert wire.Cursor.parse(str(wire.Cursor("abcd", seq, tag))).tag == tag
    assert tag != wire.tag_of(seq + 1, kind, gateway, event, type_, refs, ms)
    assert tag != wire.tag_of(seq, kind, gateway, event + "x", type_, refs, ms)
    assert tag != wire.tag_of(seq, kind, gateway, event, type_, refs, ms + 1)


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_survive(ms: int) -> None:
    assert round(wire.at(ms).timestamp() * 1000) == ms


def test_an_event_survives_its_bytes() -> None:
    data = wire.encode(EVENT)
    assert wire.decode_event(data) == EVENT
    assert msgspec.json.decode(data)["received_at"] == "2026-11-22T08:00:00.123000Z"
    assert EVENT.cursor == wire.Cursor("abcd1234", 7, "00ff")
    refs = DomainRefs(link="cs_1", reference="o_1")
    assert EVENT.envelope() == Envelope("stripe", "evt_1", "checkout.session.completed", refs)


def changed(**fields: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(wire.encode(EVENT)), **fields})


def test_unknown_fields_are_skipped() -> None:
    assert wire.decode_event(changed(colour="blue", refs={"link": "cs_1", "reference": "o_1", "table": "7"})) == EVENT


def test_unknown_kinds_and_versions_are_skipped() -> None:
    assert wire.decode_event(changed(kind="weather", refs=7)) is None
    assert wire.decode_event(changed(v=2)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>log in</html>",
        b"[]",
        b"{}",
        b'{"v":1,"kind":"webhook"}',
        b"[" * 10_000,
        changed(id="nonsense"),
        changed(id=7),
        changed(gateway=None),
        changed(event="x" * 256),
        changed(event="a\nb"),
        changed(refs={"link": 7}),
        changed(refs=[]),
        changed(received_at="yesterday"),
        changed(received_at="2026-11-22T08:00:00"),
    ],
)
def test_garbled_events_are_our_error(data: bytes) -> None:
    with pytest.raises(wire.Garbled):
        wire.decode_event(data)


def test_a_notice_survives_its_bytes() -> None:
    notice = wire.Notice(epoch="abcd", cursor="abcd:0:0", reason="ahead")
    assert wire.decode_notice(wire.encode(notice)) == notice
    with pytest.raises(wire.Garbled):
        wire.decode_notice(b'{"v":1,"epoch":"abcd","cursor":"?","reason":"x"}')


STREAM = (
    b": hello\n\nretry: 2000\n\nid: abcd:1:ff\ndata: {}\n\n: heartbeat\n\n"
    b"event: epoch\nid: abcd:2:00\ndata: one\ndata:two\n\nid: only-an-id\n\ndata\n\ndata: caf\xc3\xa9\r\n\r\n"
)
FRAMES = [
    wire.Frame("message", "abcd:1:ff", "{}"),
    wire.Frame("epoch", "abcd:2:00", "one\ntwo"),
    wire.Frame("message", None, ""),
    wire.Frame("message", None, "café"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.booleans())
def test_a_stream_may_be_cut_anywhere(cuts: list[int], ending: bytes, bom: bool) -> None:
    stream = STREAM.replace(b"\r\n", b"\n").replace(b"\n", ending)
    stream = (b"\xef\xbb\xbf" if bom else b"") + stream + b": end\n"
    places = [0, *sorted(cuts), len(stream)]
    parser = wire.SseParser()
    frames = [frame for a, b in pairwise(places) for frame in parser.feed(stream[a:b])]
    assert frames == FRAMES


def test_half_a_frame_is_no_frame() -> None:
    parser = wire.SseParser()
    assert parser.feed(b"id: abcd:1:ff\ndata: {}\n") == []
    assert parser.feed(b"\n") == [wire.Frame("message", "abcd:1:ff", "{}")]


def test_streams_without_end_are_refused() -> None:
    with pytest.raises(wire.Garbled):
        wire.SseParser().feed(b"x" * (wire.MAX_LINE_BYTES + 1))
    with pytest.raises(wire.Garbled):
        wire.SseParser().feed(b"data: " + b"x" * wire.MAX_LINE_BYTES + b"\n\n")
    with pytest.raises(wire.Garbled):
        wire.SseParser().feed((b"data: " + b"x" * 60_000 + b"\n") * 10)
    with pytest.raises(wire.Garbled):
        wire.SseParser().feed(b"data: \xff\n")
