"""The catalogue of bad webhooks, 36 to 48 of all bad inputs: each entry at each gateway's door of a real relay.

What an entry asks of the till rather than of the relay is shown where `ELSEWHERE` says.
"""

from __future__ import annotations

import ast
import asyncio
import gzip
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pos.gateways.razorpay.envelope import EVENT_HEADER
from tests.processes import ROOT
from tests.relay.asgi import SECRET, Answer, sign, stripe_event
from tests.relay.conftest import NOW, Running
from tests.relay.test_intake import stored

OTHER = "whsec_of_somebody_else"
DUPLICATES = 10_000
AT_ONCE = 1000  # under the relay's own limit of hooks in flight
HUGE = 50_000_000  # bytes
PART = 65_536  # bytes

Headers = dict[str, str | bytes]


@dataclass
class Speaker:
    """One gateway as it speaks to its door: an event's bytes, and the headers that go with them."""

    relay: Running
    path: str
    elsewhere: str
    """The same gateway's door of another shop, whose secret is another."""

    def event(self, n: int | str = 1, link: str = "cs_1", **more: Any) -> bytes:
        raise AssertionError("each gateway has its own words")

    def headers(self, body: bytes, secret: str = SECRET, event: str = "evt_1", **more: str | bytes) -> Headers:
        raise AssertionError("each gateway signs in its own way")

    def signature(self, value: str | bytes) -> Headers:
        """A signature header that holds just this."""
        raise AssertionError("each gateway has a header of its own")

    async def send(self, body: bytes | Iterator[bytes], headers: Headers, path: str = "") -> Answer:
        return await self.relay.client.ask("POST", path or self.path, body, headers)

    async def good(self, n: int | str = 1, **more: Any) -> Answer:
        body = self.event(n, **more)
        return await self.send(body, self.headers(body, event=f"evt_{n}"))

    async def refused(self, status: int, body: bytes | Iterator[bytes], headers: Headers, path: str = "") -> None:
        """This answer, in the one shape of every no, and nothing is kept of it in any shop."""
        answer = await self.send(body, headers, path)
        assert (answer.status, set(answer.json)) == (status, {"error"}), (answer.text, headers)
        assert await self.kept() == await stored(self.relay, self.relay.bakery.id) == []

    async def kept(self) -> list[str]:
        """Ids of the events in the shop's stream."""
        return [entry.hint.event for entry in await stored(self.relay)]


class Stripe(Speaker):
    def event(self, n: int | str = 1, link: str = "cs_1", **more: Any) -> bytes:
        return json.dumps({**stripe_event(n, link), **more}).encode()

    def headers(self, body: bytes, secret: str = SECRET, event: str = "evt_1", **more: str | bytes) -> Headers:
        return {**self.signature(sign(body, int(self.relay.now), secret)), **more}

    def signature(self, value: str | bytes) -> Headers:
        return {"stripe-signature": value}


class Razorpay(Speaker):
    def event(self, n: int | str = 1, link: str = "cs_1", **more: Any) -> bytes:
        thing = {"entity": {"id": link, "reference_id": "o_1", "amount": 98400, "notes": []}}
        said = {"entity": "event", "account_id": "acc_1", "event": "payment_link.paid", "contains": ["payment_link"]}
        return json.dumps({**said, "payload": {"payment_link": thing}, "n": n, **more}).encode()

    def headers(self, body: bytes, secret: str = SECRET, event: str = "evt_1", **more: str | bytes) -> Headers:
        return {**self.signature(bare(body, secret)), EVENT_HEADER.decode(): event, **more}

    def signature(self, value: str | bytes) -> Headers:
        return {"x-razorpay-signature": value}


def bare(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


GATEWAYS = {"stripe": Stripe, "razorpay": Razorpay}
Entry = Callable[[Speaker], Awaitable[None]]
CATALOGUE: dict[int, Entry] = {}


def entry(number: int) -> Callable[[Entry], Entry]:
    """Puts a case into the catalogue under its number."""

    def keep(case: Entry) -> Entry:
        assert number not in CATALOGUE
        CATALOGUE[number] = case
        return case

    return keep


@pytest.fixture
def speaker(running: Running, gateway: str) -> Speaker:
    tenants = running.core.tenants
    for shop in (running.cafe.id, running.bakery.id):
        if gateway not in tenants.hook_paths(shop):
            tenants.add_shop(tenants.shops()[shop], {gateway: SECRET}, NOW)
    tenants.rotate_secret(running.bakery.id, gateway, OTHER, 0)
    paths = [tenants.hook_paths(shop)[gateway] for shop in (running.cafe.id, running.bakery.id)]
    return GATEWAYS[gateway](running, *paths)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("number", range(36, 49))
async def test_bad_webhook(speaker: Speaker, number: int) -> None:
    await CATALOGUE[number](speaker)


@entry(36)
async def no_signature(at: Speaker) -> None:
    body = at.event()
    await at.refused(401, body, {})
    await at.refused(401, body, at.signature(""))
    await at.refused(401, body, at.signature(" "))
    await at.refused(401, body, {"signature": bare(body), "authorization": f"Bearer {SECRET}"})


@entry(37)
async def wrong_secret(at: Speaker) -> None:
    body = at.event()
    for secret in (OTHER, SECRET + " ", SECRET.upper(), "", SECRET[:-1]):
        await at.refused(401, body, at.headers(body, secret))
    await at.refused(401, body, at.headers(body + b" "))
    await at.refused(401, body, at.headers(json.dumps(json.loads(body), indent=1).encode()))


@entry(38)
async def another_time(at: Speaker) -> None:
    if isinstance(at, Stripe):
        body, now = at.event(), int(at.relay.now)
        for t in (now - 301, now + 301, now - 86_400, now + 86_400, 0):
            await at.refused(401, body, at.signature(sign(body, t)))
        return
    # Razorpay signs no time: what was overheard holds. What holds against it is that an event is kept once by its id,
    # and that a hint says "ask about this", so that a second one under another id makes the till ask once more.
    old = at.event(created_at=1_400_000_000)
    for _ in range(3):
        assert (await at.send(old, at.headers(old))).status == 200
        at.relay.now += 86_400
    assert await at.kept() == ["evt_1"]
    assert (await at.send(old, at.headers(old, event="evt_made_up"))).status == 200
    said = [entry.hint for entry in await stored(at.relay)]
    assert said[0].refs == said[1].refs


@entry(39)
async def odd_signature_headers(at: Speaker) -> None:
    body, now = at.event(), int(at.relay.now)
    v1, wrong = sign(body, now).partition("v1=")[2], "0" * 64
    stripes = [f"t={now},t={now},v1={v1}", f"t={now - 1},t={now},v1={v1}", f"t={now}", f"t={now},v0={v1}", f"v1={v1}"]
    stripes += [f"t={now}" + f",v1={wrong}" * 5, f"t={now},v1={v1}" + ",v1=0" * 16, f"t={now},v1={v1.upper()}"]
    stripes += [f"t={now},v1={v1},x=" + "x" * 10_000, f"t=,v1={v1}", f"t=-{now},v1={v1}"]
    mac = bare(body)
    bares = [f"{mac},{mac}", f"{wrong},{mac}", ",".join([wrong] * 5), mac + "0" * 10_000, mac * 160, mac.upper()]
    bares += [mac[:-1], f"sha256={mac}", f"v1={mac}", f'"{mac}"', f"{mac};", f"0x{mac}"]
    for value in [*stripes, *bares]:
        await at.refused(401, body, at.signature(value))
    if isinstance(at, Stripe):
        five = f"t={now}" + f",v1={wrong}" * 4 + f",v1={v1}"
        assert (await at.send(body, at.signature(five))).status == 200, "a rotation may sign several times"


@entry(40)
async def signatures_that_are_no_ascii(at: Speaker) -> None:
    body = at.event()
    good = next(iter(at.headers(body).values()))
    text = good if isinstance(good, bytes) else good.encode()
    for odd in ("é".encode(), b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xff", b"\x00", "٠".encode(), "ｆ".encode()):
        for value in (text[:-1] + odd, text + odd, odd + text, text[:-2] + odd * 2, odd * 32, odd):
            await at.refused(401, body, at.signature(value))


@entry(41)
async def signed_bodies_that_are_no_event(at: Speaker) -> None:
    name = b"type" if isinstance(at, Stripe) else b"event"
    deep = b'{"%b":"x","data":' % name + b'{"object":' * 10_000 + b"1" + b"}" * 10_001
    empty = (b"", b"hello", b"<html></html>", b"[]", b"null", b"7", b'"x"', b"{}", b'{"%b":""}' % name)
    odd = (b"[" * 10_000, b"[" * 10_000 + b"]" * 10_000, deep, b'{"%b":"x","n":1e400}' % name, b'{"%b":"\xff"}' % name)
    cut = (at.event()[:-1], at.event() * 2, b'{"%b":NaN}' % name, "\ufeff".encode("utf-16"))
    for body in (*empty, *odd, *cut):
        await at.refused(400, body, at.headers(body))
    twice = b'{"id":"evt_1","%b":"a","%b":"b.c"}' % (name, name)
    assert (await at.send(twice, at.headers(twice))).status == 200
    assert [e.hint.type for e in await stored(at.relay)] == ["b.c"], (
        "of equal keys the last, as the gateways' clients do"
    )


@entry(42)
async def the_same_id_with_another_body(at: Speaker) -> None:
    assert (await at.good(1, link="first")).status == 200
    assert (await at.good(1, link="second")).status == 200, "asking for a repeat would bring the same again"
    assert [e.hint.refs.link for e in await stored(at.relay)] == ["first"]
    assert at.relay.log.contradictions == 1
    assert "truetill_relay_contradictions_total 1" in (await at.relay.client.ask("GET", "/metrics")).text


@entry(43)
async def another_shop_account_or_mode(at: Speaker) -> None:
    body = at.event()
    await at.refused(401, body, at.headers(body), at.elsewhere)
    await at.refused(401, body, at.headers(body, OTHER))
    crossed = at.elsewhere.rpartition("/")[0] + "/" + at.path.rpartition("/")[2]
    await at.refused(404, body, at.headers(body), crossed)
    for other in GATEWAYS.keys() - {"stripe" if isinstance(at, Stripe) else "razorpay"}:
        parts = at.path.split("/")
        await at.refused(404, body, at.headers(body), "/".join([*parts[:3], other, parts[4]]))
    # What a message claims about account and mode is not believed and not kept: the till asks with its own key.
    foreign = {"livemode": True, "account": "acct_other", "account_id": "acc_other"}
    assert (await at.good(2, **foreign)).status == 200
    assert (await at.good(1)).status == 200
    first, second = await stored(at.relay)
    assert replace(first.hint, event="") == replace(second.hint, event="")
    assert b"_other" not in (at.relay.core.settings.data / "log.db-wal").read_bytes()


@entry(44)
async def an_order_that_nobody_knows(at: Speaker) -> None:
    assert (await at.good(1, link="of_nobody")).status == 200
    (kept,) = await stored(at.relay)
    assert (kept.hint.refs.link, kept.hint.refs.reference) == ("of_nobody", "o_1"), "whose it is, a till finds out"


@entry(45)
async def events_in_any_order(at: Speaker) -> None:
    name = "type" if isinstance(at, Stripe) else "event"
    words = ["payment.failed", "payment.captured", "payment.authorized", "payment.captured", "payment.failed"]
    for number, word in enumerate(words):
        assert (await at.good(number, **{name: word})).status == 200
    assert [(e.seq, e.hint.type) for e in await stored(at.relay)] == list(enumerate(words, 1)), "as they came"


@entry(46)
async def bodies_without_measure(at: Speaker) -> None:
    body, read = at.event(), [0]

    def parts(total: int) -> Iterator[bytes]:
        while read[0] < total or not total:
            read[0] += PART
            yield b" " * PART

    await at.refused(413, body, at.headers(body, **{"content-length": str(HUGE)}))
    await at.refused(413, b" " * HUGE, at.headers(body))
    for total in (HUGE, 0):  # 0: without end
        read[0] = 0
        await at.refused(413, parts(total), at.headers(body))
        assert read[0] <= at.relay.core.settings.limits.hook_body_bytes + 2 * PART
    await at.refused(413, body, at.headers(body, **{"content-length": "9" * 400}))
    for length in ("-1", "many", "", "1e3", "+5", "0x10", "1_000", "5, 5", "٥".encode(), b"\xff"):
        await at.refused(400, body, at.headers(body, **{"content-length": length}))
    packed = gzip.compress(b" " * HUGE)
    await at.refused(415, packed, at.headers(packed, **{"content-encoding": "gzip"}))
    await at.refused(415, body, at.headers(body, **{"content-encoding": "br, gzip"}))
    await at.refused(400, packed, at.headers(packed))  # packed in silence: it is no JSON, and nobody unpacks it
    assert (await at.good()).status == 200


@entry(47)
async def a_body_that_does_not_come(at: Speaker) -> None:
    core, body = at.relay.core, at.event()
    patient = core.settings
    core.settings = replace(patient, limits=replace(patient.limits, body_within_s=0.05))
    sent: list[dict[str, Any]] = []
    first = iter([{"type": "http.request", "body": body[:5], "more_body": True}])

    async def receive() -> dict[str, Any]:
        return next(first, None) or await asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(k.encode(), v if isinstance(v, bytes) else v.encode()) for k, v in at.headers(body).items()]
    scope = {"type": "http", "method": "POST", "path": at.path, "headers": headers, "client": ("127.0.0.1", 1)}
    async with asyncio.timeout(5):
        await at.relay.client.app({**scope, "query_string": b"", "state": {}}, receive, send)
    assert sent[0]["status"] == 408
    assert await at.kept() == []
    core.settings = patient
    assert (await at.good()).status == 200


@entry(48)
async def ten_thousand_duplicates(at: Speaker) -> None:
    body, counted = at.event(), 0
    for _ in range(DUPLICATES // AT_ONCE):
        headers = at.headers(body)
        answers = await asyncio.gather(*(at.send(body, headers) for _ in range(AT_ONCE)))
        counted += [answer.status for answer in answers].count(200)
        at.relay.now += 10  # the relay lets two hundred a second through for one shop
    assert counted == DUPLICATES
    assert await at.kept() == ["evt_1"]
    assert at.relay.core.metrics.count("hooks_total", 'outcome="duplicate"') == DUPLICATES - 1
    assert at.relay.log.contradictions == 0


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_old_events_hold_under_the_old_secret_while_it_is_kept(speaker: Speaker) -> None:
    """Razorpay retries an event with the secret of its day for 24 hours; what is sent again by hand has the new one."""
    core, new, keep_s = speaker.relay.core, "whsec_the_new_one", 2 * 86_400
    assert (await speaker.good(1)).status == 200
    core.tenants.rotate_secret(speaker.relay.cafe.id, speaker.path.split("/")[3], new, speaker.relay.now + keep_s)
    again = speaker.event(1)
    assert (await speaker.send(again, speaker.headers(again, new))).status == 200, "sent again by hand"
    assert (await speaker.good(2)).status == 200, "an old one, retried"
    speaker.relay.now += keep_s - 1
    assert (await speaker.good(3)).status == 200
    assert await speaker.kept() == ["evt_1", "evt_2", "evt_3"]
    speaker.relay.now += 2
    late, current = speaker.event(4), speaker.event(5)
    assert (await speaker.send(late, speaker.headers(late, event="evt_4"))).status == 401
    assert (await speaker.send(current, speaker.headers(current, new, "evt_5"))).status == 200
    assert await speaker.kept() == ["evt_1", "evt_2", "evt_3", "evt_5"]


ELSEWHERE = {
    42: ["tests/relay/test_intake.py::test_the_same_id_with_other_words_keeps_the_first_and_is_counted"],
    43: ["tests/services/test_money.py::test_hints_make_no_facts_and_foreign_ones_do_no_harm"],
    44: [
        "tests/services/test_money.py::test_hints_make_no_facts_and_foreign_ones_do_no_harm",
        "tests/services/test_money.py::test_a_payment_of_a_lost_book_is_an_orphan_and_can_be_attached",
    ],
    45: [
        "tests/services/test_money.py::test_every_way_the_news_comes_ends_in_the_same_money",
        "tests/sync/test_listener.py::test_an_event_alone_makes_no_order_paid",
    ],
    46: ["tests/relay/test_guard.py::test_what_is_no_request_is_refused"],
    47: [
        "tests/relay/test_guard.py::test_a_header_that_drips_is_closed_all_the_same",
        "tests/relay/test_guard.py::test_a_slow_body_is_closed",
    ],
}
"""Where the rest of an entry is shown: the till's part, and what happens on real sockets before the relay sees it."""


def test_the_catalogue_is_whole_and_what_is_elsewhere_is_there() -> None:
    assert sorted(CATALOGUE) == list(range(36, 49))
    for place in (place for places in ELSEWHERE.values() for place in places):
        file, _, name = place.partition("::")
        assert name in {getattr(node, "name", "") for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8")))}, (
            place
        )
