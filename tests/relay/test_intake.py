"""Webhooks in: every bad one refused and nothing stored, every good one stored before the 2xx, once."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pos.domain.errors import Broken
from pos.relay.log import Entry
from tests.relay.asgi import SECRET, sign, stripe_event
from tests.relay.conftest import NOW, Running

GOOD = json.dumps(stripe_event(1)).encode()
T = int(NOW)
WRITE_S = 30.0
"""How long a write may be held up before something is wrong with the test."""


async def stored(relay: Running, shop: str = "") -> list[Entry]:
    return await relay.log.page(shop or relay.cafe.id, 0, 1000)


async def test_a_good_webhook_is_kept_as_ids_only(running: Running) -> None:
    assert (await running.hook(stripe_event(1))).status == 200
    (entry,) = await stored(running)
    said = entry.hint
    assert (said.kind, said.gateway, said.event) == ("webhook", "stripe", "evt_1")
    assert said.type == "checkout.session.completed"
    assert (said.refs.link, said.refs.reference) == ("cs_1", "o_1")
    assert said.received_at_ms == int(NOW * 1000)
    assert b"98400" not in (running.core.settings.data / "log.db-wal").read_bytes()


BAD: dict[str, tuple[bytes, dict[str, str | bytes], int]] = {
    "no signature": (GOOD, {}, 401),
    "wrong secret": (GOOD, {"stripe-signature": sign(GOOD, T, "whsec_other")}, 401),
    "other body": (GOOD, {"stripe-signature": sign(b"{}", T)}, 401),
    "too old": (GOOD, {"stripe-signature": sign(GOOD, T - 301)}, 401),
    "too new": (GOOD, {"stripe-signature": sign(GOOD, T + 301)}, 401),
    "two t": (GOOD, {"stripe-signature": f"t={T}," + sign(GOOD, T)}, 401),
    "no v1": (GOOD, {"stripe-signature": f"t={T}"}, 401),
    "five wrong v1": (GOOD, {"stripe-signature": f"t={T}" + ",v1=00" * 5}, 401),
    "10 kB header": (GOOD, {"stripe-signature": sign(GOOD, T) + ",x=" + "x" * 10_000}, 401),
    "non-ASCII signature": (GOOD, {"stripe-signature": f"t={T},v1=".encode() + "é".encode() * 32}, 401),
    "surrogates": (GOOD, {"stripe-signature": f"t={T},v1=".encode() + b"\xed\xa0\x80"}, 401),
    "not JSON": (b"hello", {"stripe-signature": sign(b"hello", T)}, 400),
    "an array": (b"[]", {"stripe-signature": sign(b"[]", T)}, 400),
    "nested": (b"[" * 10_000, {"stripe-signature": sign(b"[" * 10_000, T)}, 400),
    "not UTF-8": (b'{"type":"\xff"}', {"stripe-signature": sign(b'{"type":"\xff"}', T)}, 400),
    "no type": (b"{}", {"stripe-signature": sign(b"{}", T)}, 400),
    "infinite": (b'{"a":1e400}', {"stripe-signature": sign(b'{"a":1e400}', T)}, 400),
    "empty": (b"", {"stripe-signature": sign(b"", T)}, 400),
    "gzip": (GOOD, {"stripe-signature": sign(GOOD, T), "content-encoding": "gzip"}, 415),
    "announced 50 MB": (GOOD, {"stripe-signature": sign(GOOD, T), "content-length": "50000000"}, 413),
    "announced beyond numbers": (GOOD, {"stripe-signature": sign(GOOD, T), "content-length": "9" * 400}, 413),
    "length of text": (GOOD, {"stripe-signature": sign(GOOD, T), "content-length": "many"}, 400),
    "negative length": (GOOD, {"stripe-signature": sign(GOOD, T), "content-length": "-1"}, 400),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_webhooks_are_refused_and_leave_nothing(running: Running, name: str) -> None:
    body, headers, status = BAD[name]
    answer = await running.client.ask("POST", running.cafe.hook, body, headers)
    assert answer.status == status, answer.text
    assert set(answer.json) == {"error"}
    assert await stored(running) == []


async def test_signed_duplicate_keys_are_read_like_the_sdk_does_the_last_wins(running: Running) -> None:
    assert (await running.hook(b'{"id":"evt_1","type":"a","type":"b"}')).status == 200
    assert [e.hint.type for e in await stored(running)] == ["b"]


async def test_a_chunked_body_without_end_is_refused(running: Running) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b"x" * 65_536

    answer = await running.client.ask("POST", running.cafe.hook, endless(), {"stripe-signature": sign(b"x", T)})
    assert answer.status == 413
    assert sent <= 6 * 65_536


async def test_a_good_webhook_in_parts_is_taken(running: Running) -> None:
    parts = [GOOD[:10], b"", GOOD[10:]]
    answer = await running.client.ask("POST", running.cafe.hook, parts, {"stripe-signature": sign(GOOD, T)})
    assert answer.status == 200


async def test_unknown_shop_and_wrong_token_are_one_answer(running: Running) -> None:
    shop, token = running.cafe.id, running.cafe.hook.rsplit("/", 1)[1]
    wrong = [
        f"/hooks/{shop}/stripe/{token}x",
        f"/hooks/{shop}/stripe/",
        f"/hooks/{shop}/razorpay/{token}",
        f"/hooks/{running.bakery.id}/stripe/{token}",
        f"/hooks/sdeadbeef/stripe/{token}",
        f"/hooks/{shop}/stripe/{token}/more",
        "/hooks/",
        "/hooks/%2e%2e/x/y",
    ]
    headers = {"stripe-signature": sign(GOOD, T)}
    answers = [await running.client.ask("POST", path, GOOD, headers) for path in wrong]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    assert await stored(running) == await stored(running, running.bakery.id) == []


async def test_only_post(running: Running) -> None:
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        assert (await running.client.ask(method, running.cafe.hook)).status == 405


async def test_another_shops_secret_does_not_sign_for_this_one(running: Running) -> None:
    running.core.tenants.rotate_secret(running.bakery.id, "stripe", "whsec_bakery_alone", 0)
    mine = await running.client.hook(running.cafe.hook, stripe_event(1), "whsec_bakery_alone", t=T)
    assert mine.status == 401


async def test_a_duplicate_is_acknowledged_and_kept_once(running: Running) -> None:
    for _ in range(3):
        assert (await running.hook(stripe_event(1))).status == 200
    assert len(await stored(running)) == 1
    assert running.core.metrics.count("hooks_total", 'outcome="duplicate"') == 2


async def test_the_same_id_with_other_words_keeps_the_first_and_is_counted(running: Running) -> None:
    await running.hook(stripe_event(1, link="cs_1"))
    assert (await running.hook(stripe_event(1, link="cs_other"))).status == 200
    assert [entry.hint.refs.link for entry in await stored(running)] == ["cs_1"]
    assert running.log.contradictions == 1
    assert "truetill_relay_contradictions_total 1" in (await running.client.ask("GET", "/metrics")).text


async def test_two_shops_may_have_the_same_event_id(running: Running) -> None:
    await running.hook(stripe_event(1))
    await running.hook(stripe_event(1), running.bakery)
    assert len(await stored(running)) == len(await stored(running, running.bakery.id)) == 1


async def test_hundreds_at_once_are_all_kept_in_few_commits(running: Running) -> None:
    """They come while the disk is busy with another write: what waits by then shares one commit."""
    busy, free = threading.Event(), threading.Event()

    def slow(db: sqlite3.Connection) -> None:
        busy.set()
        assert free.wait(WRITE_S)

    writer = running.log.writer
    before = asyncio.ensure_future(writer.run(slow))
    assert await asyncio.to_thread(busy.wait, WRITE_S)
    coming = [asyncio.ensure_future(running.hook(stripe_event(n))) for n in range(500)]
    async with asyncio.timeout(WRITE_S):
        while writer.queued < len(coming):
            await asyncio.sleep(0)
    batches = writer.batches
    free.set()
    answers = await asyncio.gather(*coming)
    await before
    assert {answer.status for answer in answers} == {200}
    entries = await stored(running)
    assert [entry.seq for entry in entries] == list(range(1, 501))
    assert {entry.hint.event for entry in entries} == {f"evt_{n}" for n in range(500)}
    assert writer.batches - batches == 2, "the slow one, and all the others together"


async def test_during_a_rotation_old_and_new_secret_are_valid(running: Running) -> None:
    running.core.tenants.rotate_secret(running.cafe.id, "stripe", "whsec_the_new_one", running.now + 3600)
    assert (await running.hook(stripe_event(1))).status == 200
    new = await running.client.hook(running.cafe.hook, stripe_event(2), "whsec_the_new_one", t=T)
    assert new.status == 200
    running.now += 3601
    assert (await running.hook(stripe_event(3))).status == 401


async def test_a_full_disk_is_never_acknowledged(running: Running) -> None:
    async def full(hint: object) -> bool:
        raise Broken("The relay could not store it.", "database or disk is full")

    append, running.core.log.append = running.core.log.append, full  # type: ignore[method-assign]
    answer = await running.hook(stripe_event(1))
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    running.core.log.append = append  # type: ignore[method-assign]
    assert (await running.hook(stripe_event(1))).status == 200
    assert len(await stored(running)) == 1


async def test_a_failing_write_takes_no_other_along_and_heals(running: Running) -> None:
    def broken(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO nowhere VALUES (1)")

    results: list[Any] = await asyncio.gather(
        running.hook(stripe_event(1)),
        running.log.writer.run(broken),
        running.hook(stripe_event(2)),
        return_exceptions=True,
    )
    assert isinstance(results[1], Broken)
    assert {results[0].status, results[2].status} == {200}
    assert [entry.seq for entry in await stored(running)] == [1, 2]
    assert (await running.client.ask("GET", "/healthz")).status == 200


async def test_a_flood_from_one_address_is_slowed(running: Running) -> None:
    limits = running.core.settings.limits
    statuses = [(await running.client.ask("POST", "/hooks/x/y/z")).status for _ in range(int(limits.ip_burst) + 5)]
    assert statuses.count(429) == 5
    assert (await running.hook(stripe_event(1))).status == 429
    running.now += 1
    assert (await running.hook(stripe_event(1))).status == 200


async def test_secrets_lie_encrypted_and_tokens_as_digests(running: Running) -> None:
    folder = running.core.settings.data
    lying = b"".join(path.read_bytes() for path in folder.iterdir())
    for secret in (SECRET, running.cafe.token, running.cafe.hook.rsplit("/", 1)[1]):
        assert secret.encode() not in lying
    assert (folder / "relay.key").stat().st_mode & 0o777 == 0o600
