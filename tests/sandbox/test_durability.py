"""What was answered is on disk: a restart keeps everything, and so does pulling the plug."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pos.domain.errors import Broken
from pos.sandbox import customer
from pos.sandbox.store import SCHEMA, VERSION, Store
from tests.processes import Served, run_pos, serve
from tests.sandbox.conftest import Shop, form, known_shop
from tests.sandbox.razorpay_shop import RazorpayShop, known_razorpay_shop

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


# -- Razorpay's dialect in the same file -------------------------------------------------------------------------------

PAIR = ("rzp_test_durable", "secret")


@contextlib.contextmanager
def razorpay_bank(folder: Path) -> Iterator[tuple[Served, RazorpayShop]]:
    arguments = ["sandbox", "serve", "--data", str(folder), "--key", ":".join(PAIR), "--pending-seconds", "1"]
    with serve(arguments) as served:
        shop = known_razorpay_shop(served.url, *PAIR, account="")
        shop.account = shop.control("/accounts", method="GET")[0]["id"]
        try:
            yield served, shop
        finally:
            shop.close()


def all_entities(shop: RazorpayShop) -> dict[str, Any]:
    paths = ("payments", "orders", "refunds", "payments/qr_codes", "settlements", "payment_links")
    made = {path: shop.get(f"/v1/{path}", count=100) for path in paths}
    for row in [*made["payment_links"]["payment_links"], *made["payments/qr_codes"]["items"]]:
        row.pop("short_url", None)
        row.pop("image_url", None)
    return made


def test_a_restart_and_a_pulled_plug_keep_razorpays_things(tmp_path: Path) -> None:
    with razorpay_bank(tmp_path) as (served, shop):
        _, payment = shop.paid()
        refund = shop.post(f"/v1/payments/{payment['id']}/refund", {"amount": 400}, "refund-0190-abc").json()
        code = shop.code()
        shop.scan(code)
        shop.control("/payouts", {"account": shop.account})
        shop.set(manual_capture=True)
        before = all_entities(shop)
        served.kill()
    with razorpay_bank(tmp_path) as (_, shop):
        assert all_entities(shop) == before
        again = shop.post(f"/v1/payments/{payment['id']}/refund", {"amount": 400}, "refund-0190-abc").json()
        assert again == refund
        assert customer.pay(shop.link()["short_url"]).outcome == "paid"
        assert shop.payments()[0]["status"] == "authorized", "the account's setting is kept too"


def test_a_late_authorization_comes_after_a_crash(tmp_path: Path) -> None:
    with razorpay_bank(tmp_path) as (served, shop):
        customer.pay(shop.link()["short_url"], "failed_then_late")
        served.kill()
    with razorpay_bank(tmp_path) as (_, shop):
        waiting = threading.Event()
        for _ in range(500):
            if shop.payments()[0]["status"] == "captured":
                break
            waiting.wait(0.02)
        assert [payment["status"] for payment in shop.payments()] == ["captured"]


def old_file(folder: Path) -> None:
    """A bank as its first version wrote it: one account, one link that was paid, one event on its way."""
    with contextlib.closing(sqlite3.connect(folder / "bank.db")) as old:
        old.executescript(SCHEMA)
        old.executescript("""
            INSERT INTO account VALUES ('acct_sandbox', 'stripe', 'Old shop', 1);
            INSERT INTO link VALUES (1, 'cs_test_old', 'acct_sandbox', 1, 98400, 'inr', 'complete', 9, 'r1', 'Order 1',
                'http://127.0.0.1:9/done', NULL, 0, '{}', '{}', '{}');
            INSERT INTO intent VALUES (1, 'pi_old', 'acct_sandbox', 1, 'cs_test_old', 98400, 'inr', NULL, 0, '{}');
            INSERT INTO payment VALUES (1, 'py_old', 'acct_sandbox', 1, 'pi_old', 'cs_test_old', 98400, 98400, 'inr',
                'upi', 'captured', 2, NULL, 'txn_old', 0, NULL, NULL, '{}');
            INSERT INTO entry VALUES (1, 'txn_old', 'acct_sandbox', 2, 'payment', 98400, 2884, 'inr', 'py_old', 'upi',
                2, NULL);
            INSERT INTO refund VALUES (1, 're_old', 'acct_sandbox', 3, 'py_old', 400, 'inr', 'succeeded', NULL, NULL,
                'txn_back', NULL, NULL, NULL, '{}');
            INSERT INTO endpoint VALUES (1, 'we_old', 'acct_sandbox', 1, 'http://127.0.0.1:9/', 'whsec', 'control', 1);
            INSERT INTO event VALUES (1, 'evt_old', 'acct_sandbox', 2, 'charge.succeeded', '{}', NULL, NULL);
            INSERT INTO delivery VALUES (1, 'dlv_old', 'evt_old', 'we_old', 'pending', 0, 0, 0, NULL);
            PRAGMA user_version = 1;
        """)


def test_a_file_of_the_first_version_is_read_and_goes_on(tmp_path: Path) -> None:
    old_file(tmp_path)
    with serve(["sandbox", "serve", "--data", str(tmp_path)]) as served:
        shop = known_shop(served.url, "sk_test_sandbox")
        with contextlib.closing(shop.http):
            session = shop.look("cs_test_old")
            assert (session.status, session.payment_intent.latest_charge.amount_refunded) == ("complete", 400)
            assert shop.stripe.v1.refunds.create({"charge": "py_old", "amount": 500}).status == "succeeded"
            assert customer.pay(shop.session().url).outcome == "paid"
        pair = ("rzp_test_sandbox", "sandbox_secret")
        answer = httpx.get(f"{served.url}/v1/payments", auth=pair, trust_env=False)
        assert answer.json()["items"] == []
    with contextlib.closing(sqlite3.connect(tmp_path / "bank.db")) as upgraded:
        assert upgraded.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_old_and_new_files_have_the_same_tables(tmp_path: Path) -> None:
    shapes = []
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        if name == "old":
            old_file(tmp_path / name)
        Store(tmp_path / name / "bank.db").close()
        with contextlib.closing(sqlite3.connect(tmp_path / name / "bank.db")) as file:
            shapes.append(sorted(file.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()))
    assert shapes[0] == shapes[1]


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "bank.db")) as file:
        file.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(Broken, match="newer version"):
        Store(tmp_path / "bank.db")
