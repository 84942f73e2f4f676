"""What was answered is on disk: a restart keeps everything, and so does pulling the plug."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from pos.sandbox import customer
from tests.processes import Served, run_pos, serve
from tests.sandbox.conftest import Shop, form, known_shop

KEY = "sk_test_durable"


@contextlib.contextmanager
def bank(folder: Path) -> Iterator[tuple[Served, Shop]]:
    with serve(["sandbox", "serve", "--data", str(folder), "--key", KEY, "--pending-seconds", "1"]) as served:
        shop = known_shop(served.url, KEY)
        try:
            yield served, shop
        finally:
            shop.http.close()


def everything(shop: Shop) -> dict[str, Any]:
    """All that the API shows; addresses of pages and the moment's status of webhooks left out."""
    made: dict[str, Any] = {}
    for path in ("checkout/sessions", "payment_intents", "charges", "refunds", "balance_transactions", "events"):
        rows = shop.http.get(f"/v1/{path}", params={"limit": 100}).json()["data"]
        made[path] = [{key: row[key] for key in row if key not in ("url", "receipt_url", "data")} for row in rows]
    return made


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    with bank(tmp_path) as (served, shop):
        answer = shop.post("/v1/checkout/sessions", form(), "key-1")
        paid = shop.paid()
        shop.stripe.v1.refunds.create({"payment_intent": paid.payment_intent.id, "amount": 100})
        shop.control("/settings", {"pending_s": 7.5})
        shop.fault("link.close", "rate_limited")
        before = everything(shop)
        assert served.stop(within_s=2.0) == 0
    with bank(tmp_path) as (_, shop):
        assert everything(shop) == before
        again = shop.post("/v1/checkout/sessions", form(), "key-1")
        assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
        assert [fault["kind"] for fault in shop.control("/faults", method="GET")] == ["rate_limited"]
        assert customer.pay(f"{shop.url}/c/pay/{answer.json()['id']}").outcome == "paid"


def test_pulling_the_plug_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """Three times: links and refunds are asked for without pause, the process is killed in the middle."""
    answered: dict[str, str] = {}
    for turn in range(3):
        with bank(tmp_path) as (served, shop):
            stop = threading.Event()
            worker = threading.Thread(target=ask_until_dead, args=(shop, f"turn{turn}", answered, stop))
            worker.start()
            enough(answered, 10 * (turn + 1))
            served.kill()
            stop.set()
            worker.join(10)
    with bank(tmp_path) as (_, shop):
        known = {row.id for row in shop.stripe.v1.checkout.sessions.list({"limit": 100}).auto_paging_iter()}
        assert set(answered.values()) <= known
        for key, link in answered.items():
            again = shop.post("/v1/checkout/sessions", form(), key)
            assert (again.json()["id"], again.headers["idempotent-replayed"]) == (link, "true")
        assert shop.control("", method="GET")["counts"]["link"] - len(answered) in range(
            4
        )  # at most one unanswered a turn


def ask_until_dead(shop: Shop, turn: str, answered: dict[str, str], stop: threading.Event) -> None:
    for number in range(5000):
        if stop.is_set():
            return
        key = f"{turn}-{number}"
        try:
            answer = shop.post("/v1/checkout/sessions", form(), key)
        except httpx.HTTPError:
            return
        if answer.status_code == 200:
            answered[key] = answer.json()["id"]


def enough(answered: dict[str, str], count: int) -> None:
    waiting = threading.Event()
    for _ in range(1500):
        if len(answered) >= count:
            return
        waiting.wait(0.01)
    raise AssertionError(f"only {len(answered)} answers")


def test_what_was_pending_settles_after_a_crash(tmp_path: Path) -> None:
    with bank(tmp_path) as (served, shop):
        session = shop.session()
        customer.pay(session.url, "pending")
        served.kill()
    with bank(tmp_path) as (_, shop):
        waiting = threading.Event()
        for _ in range(500):
            if shop.look(session.id).payment_status == "paid":
                break
            waiting.wait(0.02)
        assert [charge.status for charge in shop.stripe.v1.charges.list().data] == ["succeeded"]


def test_one_folder_has_one_bank(tmp_path: Path) -> None:
    with bank(tmp_path):
        second = run_pos(["sandbox", "serve", "--data", str(tmp_path)])
    assert second.returncode == 1
    assert "Does another sandbox serve this folder?" in second.stderr


def test_keys_are_those_of_the_command_line(tmp_path: Path) -> None:
    with bank(tmp_path) as (_, shop):
        assert shop.http.get("/v1/charges").status_code == 200
    with serve(["sandbox", "serve", "--data", str(tmp_path)]) as served:
        for key, status in ((KEY, 401), ("sk_test_sandbox", 200)):
            answer = httpx.get(f"{served.url}/v1/charges", auth=(key, ""), trust_env=False)
            assert answer.status_code == status
