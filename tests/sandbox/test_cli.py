"""`pos sandbox` from the outside: its ready line, its exit statuses, its help."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.processes import run_pos, serve, start
from tests.sandbox.conftest import Inbox, Shop


def test_it_says_ready_once_and_leaves_in_time(tmp_path: Path) -> None:
    with serve(["sandbox", "serve", "--data", str(tmp_path)]) as served:
        with httpx.stream("GET", served.url, trust_env=False) as open_connection:
            assert open_connection.status_code == 200
            began = time.monotonic()
            assert served.stop() == 0
        assert time.monotonic() - began < 2.0
        assert served.output == [f"ready {served.url}"]
        assert served.errors == []


def test_it_leaves_in_time_with_an_answer_held_back(shop: Shop, tmp_path: Path) -> None:
    with serve(["sandbox", "serve", "--data", str(tmp_path)]) as served:
        body = {"operation": "page.show", "kind": "delay", "delay_s": 60}
        httpx.post(f"{served.url}/_sandbox/faults", json=body, trust_env=False)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{served.url}/c/pay/x", timeout=0.2, trust_env=False)
        began = time.monotonic()
        served.stop()
        assert time.monotonic() - began < 2.0


def test_a_customer_in_a_script(shop: Shop) -> None:
    session = shop.session()
    declined = run_pos(["sandbox", "pay", session.url, "--outcome", "declined"])
    assert (declined.returncode, declined.stdout) == (1, "declined\n")
    paid = run_pos(["sandbox", "pay", session.url, "--json"])
    assert paid.returncode == 0
    assert json.loads(paid.stdout) == {
        "link": session.url,
        "outcome": "paid",
        "location": f"http://127.0.0.1:9/done?session={session.id}",
    }
    again = run_pos(["sandbox", "pay", session.url])
    assert (again.returncode, again.stdout) == (1, "already_paid\n")


def test_a_upi_text_that_nobody_answers_asks_where_its_bank_is() -> None:
    done = run_pos(["sandbox", "pay", "upi://pay?pa=x&am=1.00", "--sandbox", "http://127.0.0.1:9"])
    assert (done.returncode, "at http://127.0.0.1:9." in done.stderr, "--sandbox" in done.stderr) == (4, True, True)


def test_a_customer_who_waits_or_leaves(shop: Shop) -> None:
    assert run_pos(["sandbox", "pay", shop.session().url, "--outcome", "pending"]).returncode == 0
    assert run_pos(["sandbox", "pay", shop.session().url, "--outcome", "leave"]).returncode == 0
    assert run_pos(["sandbox", "pay", shop.session().url, "--method", "card"]).returncode == 0


def test_bad_input_is_status_2_with_one_line(shop: Shop) -> None:
    for arguments in (
        ["not-a-link"],
        [f"{shop.url}/"],
        [shop.session().url, "--outcome", "maybe"],
        [shop.session().url, "--method", "barter"],
    ):
        done = run_pos(["sandbox", "pay", *arguments])
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr


def test_nobody_there_is_status_4() -> None:
    done = run_pos(["sandbox", "pay", "http://127.0.0.1:9/c/pay/cs_test_x"])
    assert (done.returncode, len(done.stderr.splitlines())) == (4, 1)


def test_serving_needs_test_keys_a_free_port_and_a_secret(tmp_path: Path) -> None:
    base = ["sandbox", "serve", "--data", str(tmp_path)]
    live = run_pos([*base, "--key", "sk_live_123"])
    assert (live.returncode, "sk_live_123" in live.stderr) == (2, False)
    assert run_pos([*base, "--webhook", "http://127.0.0.1:9"]).returncode == 2
    assert run_pos([*base, "--port", "70000"]).returncode == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = run_pos([*base, "--port", str(taken.getsockname()[1])])
        assert (busy.returncode, "Cannot serve on" in busy.stderr) == (2, True)


def test_a_webhook_from_the_command_line(tmp_path: Path, inbox: Inbox) -> None:
    arguments = ["sandbox", "serve", "--data", str(tmp_path), "--webhook", inbox.url, "--webhook-secret-env", "HOOK"]
    for _ in range(2):  # a second start with the same words keeps one endpoint
        with serve(arguments, {"HOOK": inbox.secret}) as served:
            endpoints = httpx.get(f"{served.url}/_sandbox/webhooks", trust_env=False).json()
            assert [(row["url"], "secret" in row) for row in endpoints] == [(inbox.url, False)]


def test_help_has_an_example_for_each_command() -> None:
    for command in ("serve", "pay"):
        done = run_pos(["sandbox", command, "--help"])
        assert done.returncode == 0
        assert f"pos sandbox {command}" in done.stdout.partition("Example")[2]


def test_a_process_that_cannot_serve_says_why(tmp_path: Path) -> None:
    (tmp_path / "bank.db").write_bytes(b"this is not a database, but it is long enough to look like one" * 20)
    served = start(["sandbox", "serve", "--data", str(tmp_path)])
    assert served.process.wait(20) == 1
    served.kill()
    assert len(served.errors) == 1
    assert "bank.db cannot be opened" in served.errors[0]
