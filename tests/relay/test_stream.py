"""Events out: at once, in order, resumed without loss or double, and honest when they cannot be resumed."""

import asyncio
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos import wire
from pos.domain.errors import Broken
from pos.relay.app import Relay
from pos.relay.hub import Feed
from pos.relay.log import Entry, Resume
from pos.relay.server import close_core, open_core
from pos.relay.settings import Settings
from tests.relay.asgi import Client, stripe_event
from tests.relay.conftest import NOW, Running, add_shop


async def send(relay: Running, *numbers: int) -> None:
    for n in numbers:
        assert (await relay.hook(stripe_event(n))).status == 200


async def test_an_event_is_pushed_with_its_ids(running: Running) -> None:
    async with running.client.stream(running.cafe.token) as stream:
        notice = await stream.notice()
        assert notice.reason == "first"
        assert notice.cursor == f"{notice.epoch}:0:0"
        await send(running, 1)
        event = await stream.event()
    assert (event.v, event.kind, event.gateway, event.event) == (1, "webhook", "stripe", "evt_1")
    assert event.refs == wire.Refs(link="cs_1", reference="o_1")
    assert event.received_at == wire.at(int(NOW * 1000))
    assert event.cursor.epoch == notice.epoch
    assert event.cursor.seq == 1
    args = (event.kind, event.gateway, event.event, event.type, event.refs, int(NOW * 1000))
    assert event.cursor.tag == wire.tag_of(1, *args)


async def test_the_push_comes_in_the_turn_of_the_commit(running: Running) -> None:
    """When the sender has its 2xx, the frame is already on its way: no poll, no timer in between."""
    async with running.client.stream(running.cafe.token) as stream:
        await stream.notice()
        while not stream.quiet():
            await stream.comment(b": heartbeat")
        await send(running, 1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not stream.quiet()


async def test_a_stream_is_resumed_without_loss_or_double(running: Running) -> None:
    """A till that hangs up at random moments, while webhooks keep coming, gets each once."""
    chance, got, cursor = random.Random(3), list[str](), None

    async def flood() -> None:
        for n in range(300):
            await send(running, n)

    sender = asyncio.create_task(flood())
    while len(got) < 300:
        async with running.client.stream(running.cafe.token, cursor) as stream:
            if cursor is None:
                await stream.notice()
            for _ in range(min(chance.randrange(1, 40), 300 - len(got))):
                event = await stream.event()
                got.append(event.event)
                cursor = event.id
    await sender
    assert got == [f"evt_{n}" for n in range(300)]


async def test_a_long_backlog_comes_from_the_log_in_order(running: Running) -> None:
    for start in (0, 650):
        await asyncio.gather(*(send(running, n) for n in range(start, start + 650)))
    async with running.client.stream(running.cafe.token) as stream:
        await stream.notice()
        seqs = [(await stream.event()).cursor.seq for _ in range(1300)]
        await send(running, 5000)
        assert (await stream.event()).event == "evt_5000"
    assert seqs == list(range(1, 1301))


async def test_two_tills_of_a_shop_both_hear_and_no_other_shop_does(running: Running) -> None:
    _, second = running.core.tenants.add_till(running.cafe.id, NOW)
    async with (
        running.client.stream(running.cafe.token) as one,
        running.client.stream(second) as two,
        running.client.stream(running.bakery.token) as other,
    ):
        for stream in (one, two, other):
            await stream.notice()
        await send(running, 1)
        assert (await one.event()).event == (await two.event()).event == "evt_1"
        await running.hook(stripe_event(9), running.bakery)
        assert (await other.event()).event == "evt_9"


async def test_heartbeats_come_when_nothing_else_does(settings: Settings) -> None:
    core, _ = open_core(replace(settings, heartbeat_s=0.02))
    shop = add_shop(core, "Café")
    async with Client(Relay(core)).stream(shop.token) as stream:
        await stream.comment(b": heartbeat\n\n: heartbeat\n\n: heartbeat\n\n")
        assert stream.raw.startswith(b"retry: 2000\n\n")
    await close_core(core)


async def test_what_is_stored_between_looking_and_listening_is_not_missed(running: Running) -> None:
    resume = running.core.log.resume

    async def then_one_more(shop: str, cursor: wire.Cursor | None) -> Resume:
        place = await resume(shop, cursor)
        await send(running, 1)
        return place

    running.core.log.resume = then_one_more  # type: ignore[method-assign]
    async with running.client.stream(running.cafe.token) as stream:
        await stream.notice()
        assert (await stream.event()).event == "evt_1"


async def test_an_epoch_that_ends_between_looking_and_listening_is_not_missed(running: Running) -> None:
    await send(running, 1)
    resume = running.core.log.resume

    async def then_a_new_epoch(shop: str, cursor: wire.Cursor | None) -> Resume:
        place = await resume(shop, cursor)
        await running.log.renew_epochs()
        return place

    running.core.log.resume = then_a_new_epoch  # type: ignore[method-assign]
    async with running.client.stream(running.cafe.token) as stream:
        assert await stream.started() == 503
    assert len(running.core.hub) == 0


async def test_a_log_that_cannot_be_read_ends_the_stream_and_not_the_relay(running: Running) -> None:
    await send(running, 1)

    async def broken(shop: str, after: int, limit: int) -> list[Entry]:
        raise Broken("The relay's log cannot be read.")

    page, running.core.log.page = running.core.log.page, broken  # type: ignore[method-assign]
    async with running.client.stream(running.cafe.token) as stream:
        await stream.notice()
        await stream.end()
    assert (await running.client.ask("GET", "/v1/events?limit=1", token=running.cafe.token)).status == 503
    running.core.log.page = page  # type: ignore[method-assign]
    async with running.client.stream(running.cafe.token) as stream:
        await stream.notice()
        assert (await stream.event()).event == "evt_1"


@given(st.integers(0, 300), st.integers(0, 600))
def test_the_ring_gives_what_is_after_or_says_that_it_cannot(head: int, seq: int) -> None:
    feed = Feed()
    for number in range(1, head + 1):
        feed.ring.append((number, b"%d," % number))
        feed.head = number
    got = feed.after(min(seq, head))
    oldest = feed.ring[0][0] if feed.ring else None
    if oldest is None or min(seq, head) < oldest - 1:
        assert got is None
    else:
        assert got == (head, b"".join(b"%d," % number for number in range(min(seq, head) + 1, head + 1)))


# cursors that cannot be continued


async def reason(relay: Running, cursor: str) -> str:
    async with relay.client.stream(relay.cafe.token, cursor) as stream:
        assert await stream.started() == 200
        await stream.comment(b": heartbeat")
        frame = await stream.frame() if b"event: epoch" in stream.raw else None
        return wire.decode_notice(frame.data).reason if frame else ""


async def test_every_cursor_has_an_answer(running: Running) -> None:
    await send(running, 1, 2, 3)
    head = await running.log.head(running.cafe.id)
    second = (await running.log.page(running.cafe.id, 1, 1))[0]
    assert await reason(running, str(head.cursor)) == ""
    assert await reason(running, f"{head.epoch}:2:{second.tag}") == ""
    assert await reason(running, f"{head.epoch}:0:0") == ""
    for garbled in ("nonsense", "a:b:c", "x" * 5000, "abcd:1:ff, abcd:1:ff", "é"):
        assert await reason(running, garbled) == "garbled"
    assert await reason(running, "0123456789ab:2:ffff") == "epoch"
    assert await reason(running, f"{head.epoch}:99:ffff") == "ahead"
    renewed = await running.log.head(running.cafe.id)
    assert renewed.epoch != head.epoch
    assert await reason(running, f"{renewed.epoch}:2:ffff") == "tag"


async def test_after_a_notice_the_stream_starts_from_a_safe_point(running: Running) -> None:
    await send(running, 1, 2, 3)
    async with running.client.stream(running.cafe.token, "nonsense") as stream:
        notice = await stream.notice()
        assert [(await stream.event()).event for _ in range(3)] == ["evt_1", "evt_2", "evt_3"]
        assert wire.Cursor.parse(notice.cursor).seq == 0


async def test_a_relay_restored_from_an_older_copy_is_noticed(settings: Settings, tmp_path: Path) -> None:
    core, _ = open_core(settings)
    relay = Running(core, core.log, Client(Relay(core)), add_shop(core, "Café"), add_shop(core, "Bakery"))  # type: ignore[arg-type]
    core.now = lambda: NOW
    await send(relay, 1, 2)
    await close_core(core)
    shutil.copytree(settings.data, tmp_path / "copy")

    core, log = open_core(settings)
    relay.core, relay.log, relay.client = core, log, Client(Relay(core))
    core.now = lambda: NOW
    await send(relay, 3, 4, 5)
    behind = str((await log.page(relay.cafe.id, 1, 1))[0].event((await log.head(relay.cafe.id)).epoch).id)
    known = str((await log.head(relay.cafe.id)).cursor)
    await close_core(core)
    shutil.rmtree(settings.data)
    shutil.copytree(tmp_path / "copy", settings.data)

    core, log = open_core(settings)
    relay.core, relay.log, relay.client = core, log, Client(Relay(core))
    core.now = lambda: NOW
    assert await reason(relay, known) == "ahead"
    assert await reason(relay, behind) == "epoch", "a till whose cursor still fits must hear of it as well"
    await send(relay, 6, 7, 8)
    assert await reason(relay, known) == "epoch"
    await close_core(core)


async def test_a_restored_relay_that_has_gone_on_is_noticed_by_the_tag(running: Running) -> None:
    await send(running, 1, 2, 3)
    head = await running.log.head(running.cafe.id)
    await running.log.writer.run(lambda db: db.execute("UPDATE events SET tag = 'aa' WHERE seq = 2"))
    entry_two = f"{head.epoch}:2:" + "bb" * 8
    async with running.client.stream(running.cafe.token, str(head.cursor)) as innocent:
        await innocent.comment(b": heartbeat")
        assert await reason(running, entry_two) == "tag"
        await innocent.end()  # its cursor is of an old epoch now: it comes back and is told
    assert await reason(running, str(head.cursor)) == "epoch"


async def test_a_new_epoch_can_be_ordered_after_a_restore(running: Running) -> None:
    await send(running, 1)
    head = await running.log.head(running.cafe.id)
    await running.log.renew_epochs()
    assert await reason(running, str(head.cursor)) == "epoch"


async def test_what_is_older_than_the_retention_goes_and_the_till_is_told(running: Running) -> None:
    await send(running, 1, 2, 3)
    head = await running.log.head(running.cafe.id)
    first = (await running.log.page(running.cafe.id, 0, 1))[0]
    running.now += 31 * 86_400
    await send(running, 4)
    assert await running.log.prune(int(running.now * 1000) - 30 * 86_400_000, int(running.now * 1000)) == 3
    assert [entry.seq for entry in await running.log.page(running.cafe.id, 0, 9)] == [4]
    assert await reason(running, str(head.cursor)) == "", "nothing after it is gone"
    assert await reason(running, f"{head.epoch}:1:{first.tag}") == "pruned"
    assert (await running.log.head(running.cafe.id)).seq == 4


# pages


async def test_pages_walk_the_same_events(running: Running) -> None:
    await send(running, *range(25))
    got, after = list[str](), ""
    for _ in range(10):
        page = (await running.client.ask("GET", f"/v1/events?limit=10&after={after}", token=running.cafe.token)).json
        assert (page["notice"]["reason"] if page["notice"] else None) == ("first" if not after else None)
        got += [event["event"] for event in page["events"]]
        after = page["next"]
        if not page["more"]:
            break
    assert got == [f"evt_{n}" for n in range(25)]
    async with running.client.stream(running.cafe.token, after) as stream:
        await send(running, 99)
        assert (await stream.event()).event == "evt_99"


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", "", "1e3", "٣", "9" * 50])
async def test_a_limit_that_is_none_is_refused(running: Running, limit: str) -> None:
    assert (await running.client.ask("GET", f"/v1/events?limit={limit}", token=running.cafe.token)).status == 400


# who may listen


async def test_strangers_and_other_methods_are_refused(running: Running) -> None:
    for token in ("", "nonsense", running.cafe.token + "x", running.cafe.token[:-1], "x" * 5000):
        assert (await running.client.ask("GET", "/v1/events?limit=1", token=token)).status == 401
    basic = await running.client.ask("GET", "/v1/events", headers={"authorization": "Basic " + running.cafe.token})
    assert basic.status == 401
    assert (await running.client.ask("POST", "/v1/events", token=running.cafe.token)).status == 405


async def test_another_shops_cursor_is_a_404(running: Running) -> None:
    await running.hook(stripe_event(1), running.bakery)
    theirs = str((await running.log.head(running.bakery.id)).cursor)
    async with running.client.stream(running.cafe.token, theirs) as stream:
        assert await stream.started() == 404
    page = await running.client.ask("GET", f"/v1/events?after={theirs}", token=running.cafe.token)
    assert page.status == 404


async def test_a_revoked_till_loses_its_streams(running: Running) -> None:
    async with running.client.stream(running.cafe.token) as stream:
        await stream.notice()
        running.core.tenants.revoke_till(running.cafe.till, NOW)
        running.core.hub.keep_only(running.core.tenants.tills())
        await stream.end()
    assert (await running.client.ask("GET", "/v1/whoami", token=running.cafe.token)).status == 401


async def test_a_till_that_comes_back_ends_its_oldest_stream(running: Running) -> None:
    async with running.client.stream(running.cafe.token) as one, running.client.stream(running.cafe.token) as two:
        await one.notice()
        await two.notice()
        async with running.client.stream(running.cafe.token) as three:
            await three.notice()
            await one.end()
            await send(running, 1)
            assert (await two.event()).event == (await three.event()).event == "evt_1"
    assert len(running.core.hub) == 0


async def test_no_more_streams_than_the_limit(settings: Settings) -> None:
    core, _ = open_core(replace(settings, limits=replace(settings.limits, streams=1)))
    shop, client = add_shop(core, "Café"), Client(Relay(core))
    async with client.stream(shop.token) as one:
        await one.notice()
        async with client.stream(shop.token) as two:
            assert await two.started() == 503
    await close_core(core)


async def test_closing_ends_every_stream(running: Running) -> None:
    async with running.client.stream(running.cafe.token) as stream:
        await stream.notice()
        running.core.hub.close()
        await stream.end()
        async with running.client.stream(running.cafe.token) as late:
            assert await late.started() == 503
