"""The relay as a real process: killed, stopped, restarted, and set up beside itself from the command line."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pos import wire
from tests.processes import Served, run_pos, serve, start
from tests.relay.asgi import SECRET, sign, stripe_event

KILLS = 20
LEAVES_WITHIN_S = 2.0

pytestmark = pytest.mark.xdist_group("relay-process")


def pos(data: Path, *args: str, stdin: str = "", **env: str) -> Any:
    done = run_pos(["relay", *args, "--data", str(data), "--json"], env, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "relay"


@pytest.fixture
def shop(data: Path) -> dict[str, str]:
    """id, hook path, till and token of one shop, made by the commands of the interface."""
    made = pos(data, "add-shop", "Corner Café", "--gateway", "stripe", POS_SECRET_WEBHOOK_STRIPE=SECRET)
    till = pos(data, "add-till", made["shop"])
    return {"shop": made["shop"], "hook": made["hooks"]["stripe"], **till}


def serving(data: Path, *more: str) -> list[str]:
    return ["relay", "serve", "--port", "0", "--data", str(data), *more]


def post(url: str, path: str, event: dict[str, Any]) -> int:
    body = json.dumps(event).encode()
    headers = {"stripe-signature": sign(body, int(time.time()))}
    return httpx.post(url + path, content=body, headers=headers, trust_env=False).status_code


def bearer(shop: dict[str, str]) -> dict[str, str]:
    return {"authorization": f"Bearer {shop['token']}"}


def events(url: str, shop: dict[str, str]) -> list[wire.Event]:
    """All events, walked in pages."""
    got, after, more = list[wire.Event](), "", True
    while more:
        query = f"{url}/v1/events?limit=1000&after={after}"
        page = httpx.get(query, headers=bearer(shop), trust_env=False).json()
        got += [event for item in page["events"] if (event := wire.decode_event(json.dumps(item)))]
        after, more = page["next"], page["more"]
    return got


def frames(response: httpx.Response) -> Iterator[wire.Frame]:
    parser = wire.SseParser()
    for chunk in response.iter_raw():
        yield from parser.feed(chunk)


def test_a_hook_reaches_the_till(data: Path, shop: dict[str, str]) -> None:
    with (
        serve(serving(data)) as relay,
        httpx.stream("GET", relay.url + "/v1/events", headers=bearer(shop), trust_env=False, timeout=10) as stream,
    ):
        heard = frames(stream)
        assert next(heard).event == "epoch"
        assert post(relay.url, shop["hook"], stripe_event(1)) == 200
        event = wire.decode_event(next(heard).data)
        assert event is not None
        assert event.event == "evt_1"


def test_shops_and_tills_are_added_and_revoked_beside_a_running_relay(data: Path) -> None:
    with serve(serving(data)) as relay:
        made = pos(data, "add-shop", "Bakery", "--gateway", "stripe", stdin=SECRET + "\n")
        till = pos(data, "add-till", "Bakery")
        assert post(relay.url, made["hooks"]["stripe"], stripe_event(1)) == 200
        pos(data, "rotate-secret", "Bakery", "--gateway", "stripe", stdin="whsec_the_new_one\n")
        assert post(relay.url, made["hooks"]["stripe"], stripe_event(2)) == 200
        with httpx.stream("GET", relay.url + "/v1/events", headers=bearer(till), trust_env=False, timeout=10) as stream:
            heard = frames(stream)
            assert [next(heard).event for _ in range(3)] == ["epoch", "message", "message"]
            pos(data, "revoke-till", till["till"])
            assert list(heard) == [], "its stream is ended"
        assert httpx.get(relay.url + "/v1/whoami", headers=bearer(till), trust_env=False).status_code == 401
        code = pos(data, "pair", "Bakery")["code"]
        paired = httpx.post(relay.url + "/v1/pair", json={"code": code}, trust_env=False).json()
        assert len(events(relay.url, paired)) == 2
        assert pos(data, "stats")["shops"][0]["events"] == 2


def flood(url: str, path: str, first: int, acked: list[int], stop: threading.Event) -> None:
    """Send until the relay dies, and note what it acknowledged."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    n = first
    try:
        while not stop.is_set():
            body = json.dumps(stripe_event(n)).encode()
            connection.request("POST", path, body, {"stripe-signature": sign(body, int(time.time()))})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                acked.append(n)
            n += 1
    except (OSError, http.client.HTTPException):
        return
    finally:
        connection.close()


def test_nothing_acknowledged_is_lost_when_the_plug_is_pulled(data: Path, shop: dict[str, str]) -> None:
    chance, acked = random.Random(5), list[int]()
    for round_ in range(KILLS):
        with serve(serving(data)) as relay:
            stop = threading.Event()
            senders = [
                threading.Thread(target=flood, args=(relay.url, shop["hook"], (round_ * 4 + n) * 100_000, acked, stop))
                for n in range(4)
            ]
            before = len(acked)
            for sender in senders:
                sender.start()
            wanted = before + chance.randrange(1, 60)
            deadline = time.monotonic() + 20
            while len(acked) < wanted and time.monotonic() < deadline:
                stop.wait(0.001)
            relay.kill()  # in the middle of requests: at least one was acknowledged a moment ago
            stop.set()
            for sender in senders:
                sender.join()
            assert len(acked) >= wanted
    with serve(serving(data)) as relay:
        got = events(relay.url, shop)
    numbers = [int(event.event.removeprefix("evt_")) for event in got]
    assert set(acked) <= set(numbers)
    assert len(numbers) == len(set(numbers)), "each once"
    assert [event.cursor.seq for event in got] == list(range(1, len(got) + 1)), "no hole, no number twice"
    assert len({event.cursor.epoch for event in got}) == 1


def test_it_leaves_within_two_seconds_with_streams_open(data: Path, shop: dict[str, str]) -> None:
    tills = [shop, *(pos(data, "add-till", shop["shop"]) for _ in range(2))]
    served = start(serving(data))
    try:
        url = served.wait_ready()
        ended = [threading.Event() for _ in tills]
        ready = [threading.Event() for _ in tills]
        for n, till in enumerate(tills):
            threading.Thread(target=_listen, args=(url, till, ready[n], ended[n]), daemon=True).start()
        assert all(event.wait(10) for event in ready)
        began = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - began < LEAVES_WITHIN_S
        assert all(event.wait(5) for event in ended), "every stream was ended"
        assert served.errors == []
    finally:
        if served.process.poll() is None:
            served.kill()


def _listen(url: str, till: dict[str, str], ready: threading.Event, ended: threading.Event) -> None:
    with httpx.stream("GET", url + "/v1/events", headers=bearer(till), trust_env=False, timeout=30) as stream:
        for _ in stream.iter_raw():
            ready.set()
    ended.set()


def test_a_till_resumes_over_a_restart(data: Path, shop: dict[str, str]) -> None:
    with serve(serving(data)) as relay:
        for n in range(3):
            assert post(relay.url, shop["hook"], stripe_event(n)) == 200
        cursor = events(relay.url, shop)[1].id
    with serve(serving(data)) as relay:
        headers = bearer(shop) | {"last-event-id": cursor}
        with httpx.stream("GET", relay.url + "/v1/events", headers=headers, trust_env=False, timeout=10) as stream:
            event = wire.decode_event(next(frames(stream)).data)
    assert event is not None
    assert event.event == "evt_2"


def test_a_second_relay_on_the_folder_is_refused(data: Path, shop: dict[str, str]) -> None:
    with serve(serving(data)) as relay:
        done = run_pos(serving(data))
        assert done.returncode == 1
        assert "Another relay is running" in done.stderr
        port = relay.url.rsplit(":", 1)[1]
        taken = run_pos(["relay", "serve", "--port", port, "--data", str(data.parent / "other")])
        assert taken.returncode == 2
        assert "cannot listen" in taken.stderr


def test_fifty_megabytes_are_refused_and_not_kept_in_memory(data: Path, shop: dict[str, str]) -> None:
    with serve(serving(data)) as relay:
        assert post(relay.url, shop["hook"], stripe_event(1)) == 200
        before = _resident_kb(relay)
        for chunked in (False, True):
            assert _send_50_mb(relay.url, shop["hook"], chunked) in (413, None)
        assert httpx.get(relay.url + "/healthz", trust_env=False).status_code == 200
        assert _resident_kb(relay) - before < 5_000


def _send_50_mb(url: str, path: str, chunked: bool) -> int | None:
    """The status, or None where the relay closed the connection before it could be read."""
    part, parts = b"x" * 500_000, 100
    headers = {} if chunked else {"content-length": str(len(part) * parts)}
    try:
        answer = httpx.post(url + path, content=(part for _ in range(parts)), headers=headers, trust_env=False)
    except httpx.TransportError:
        return None
    return answer.status_code


def _resident_kb(served: Served) -> int:
    lines = Path(f"/proc/{served.process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


BAD_COMMANDS = {
    "unknown gateway": (["add-shop", "X", "--gateway", "nobody"], "", "does not know"),
    "no secret": (["add-shop", "X", "--gateway", "stripe"], "", "No webhook secret"),
    "a blank secret": (["add-shop", "X", "--gateway", "stripe"], "  \n", "No webhook secret"),
    "unknown shop": (["add-till", "nobody"], "", "no shop"),
    "unknown till": (["revoke-till", "nobody"], "", "no till"),
    "no heartbeat": (["serve", "--heartbeat-s", "0"], "", "heartbeat"),
}


@pytest.mark.parametrize("name", BAD_COMMANDS)
def test_what_cannot_be_done_is_one_clear_line(data: Path, name: str) -> None:
    args, stdin, says = BAD_COMMANDS[name]
    done = run_pos(["relay", *args, "--data", str(data)], stdin=stdin)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["serve", "add-shop", "add-till", "pair", "revoke-till", "rotate-secret", "stats"])
def test_every_command_helps_with_an_example(command: str) -> None:
    done = run_pos(["relay", command, "--help"])
    assert done.returncode == 0
    assert "Example" in done.stdout


def test_ctrl_c_is_as_good_as_sigterm(data: Path) -> None:
    served = start(serving(data))
    served.wait_ready()
    os.kill(served.process.pid, signal.SIGINT)
    assert served.process.wait(5) == 0
    assert served.stop() == 0
