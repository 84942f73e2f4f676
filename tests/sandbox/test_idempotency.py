"""The key's whole contract, over plain HTTP: what is replayed, what is refused, and what is never kept."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Shop, form

SESSIONS = "/v1/checkout/sessions"


def count(shop: Shop) -> int:
    return len(shop.http.get(SESSIONS, params={"limit": 100}).json()["data"])


def test_the_same_key_gives_the_same_answer_byte_for_byte(shop: Shop) -> None:
    first = shop.post(SESSIONS, form(), "k-1")
    again = shop.post(SESSIONS, form(), "k-1")
    assert (again.status_code, again.content) == (200, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"] != again.headers["request-id"]
    assert again.headers["idempotency-key"] == "k-1"
    assert count(shop) == 1


def test_the_order_of_parameters_does_not_matter(shop: Shop) -> None:
    first = shop.post(SESSIONS, form(), "k-1")
    assert shop.post(SESSIONS, dict(reversed(form().items())), "k-1").content == first.content


def test_a_stored_500_is_replayed_and_did_nothing(shop: Shop) -> None:
    shop.fault("link.create", "error_500")
    first = shop.post(SESSIONS, form(), "k-1")
    again = shop.post(SESSIONS, form(), "k-1")
    assert (first.status_code, again.status_code, again.content) == (500, 500, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert count(shop) == 0
    assert shop.post(SESSIONS, form(), "k-2").status_code == 200


def test_a_500_after_the_work_leaves_the_work(shop: Shop) -> None:
    shop.fault("link.create", "error_500", after_work=True)
    assert shop.post(SESSIONS, form(), "k-1").status_code == 500
    assert shop.post(SESSIONS, form(), "k-1").status_code == 500
    assert count(shop) == 1


def test_an_execution_error_is_kept(shop: Shop) -> None:
    paid = shop.paid()
    first = shop.post(f"{SESSIONS}/{paid.id}/expire", key="k-1")
    again = shop.post(f"{SESSIONS}/{paid.id}/expire", key="k-1")
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("kind", "status"), [("rate_limited", 429), ("unauthorized", 401)], ids=["rate limited", "unauthorized"]
)
def test_a_refusal_at_the_door_is_not_kept(shop: Shop, kind: str, status: int) -> None:
    shop.fault("link.create", kind)
    assert shop.post(SESSIONS, form(), "k-1").status_code == status
    done = shop.post(SESSIONS, form(), "k-1")
    assert done.status_code == 200
    assert "idempotent-replayed" not in done.headers


def test_a_validation_failure_is_not_kept(shop: Shop) -> None:
    assert shop.post(SESSIONS, form(success_url=None), "k-1").status_code == 400
    done = shop.post(SESSIONS, form(), "k-1")  # other parameters, and yet no mismatch: nothing was stored
    assert done.status_code == 200
    assert "idempotent-replayed" not in done.headers


def test_other_parameters_are_a_mismatch_and_change_nothing(shop: Shop) -> None:
    first = shop.post(SESSIONS, form(), "k-1")
    other = shop.post(SESSIONS, form(amount_minor=1000), "k-1")
    assert other.status_code == 400
    assert other.json()["error"]["type"] == "idempotency_error"
    assert shop.post(SESSIONS, form(), "k-1").content == first.content
    assert count(shop) == 1


def test_while_the_first_is_in_progress_the_second_is_a_conflict(shop: Shop) -> None:
    shop.fault("link.create", "delay", delay_s=3.0, before_work=True)
    answers: list[httpx.Response] = []
    slow = threading.Thread(target=lambda: answers.append(shop.post(SESSIONS, form(), "k-1")))
    slow.start()
    conflict = until_conflict(shop)
    assert conflict["code"] == "idempotency_key_in_use"
    assert shop.post(SESSIONS, form(), "k-2").status_code == 200  # another key is not in the way
    slow.join(10)
    assert answers[0].status_code == 200
    replayed = shop.post(SESSIONS, form(), "k-1")
    assert replayed.content == answers[0].content
    assert count(shop) == 2


def until_conflict(shop: Shop) -> dict[str, Any]:
    """The 409 that comes while another request holds the key. Uses a key's own mismatch-free request."""
    ends = time.monotonic() + 2.5
    while time.monotonic() < ends:
        waiting = shop.control("/faults", method="GET")
        if not waiting:  # the slow request has met its fault, so it holds the key
            answer = shop.post(SESSIONS, form(), "k-1")
            assert answer.status_code == 409
            error: dict[str, Any] = answer.json()["error"]
            return error
    raise AssertionError("the slow request never began")


def test_keys_belong_to_their_account(shop: Shop) -> None:
    shop.post(SESSIONS, form(), "k-1")
    shop.control("/accounts", {"key": "sk_test_second"})
    answer = httpx.post(
        shop.url + SESSIONS,
        data=form(),
        headers={"Idempotency-Key": "k-1"},
        auth=("sk_test_second", ""),
        trust_env=False,
    )
    assert answer.status_code == 200
    assert "idempotent-replayed" not in answer.headers


def test_a_key_is_forgotten_after_its_life(shop: Shop) -> None:
    first = shop.post(SESSIONS, form(), "k-1").json()["id"]
    shop.control("/settings", {"clock_offset_s": 24 * 3600 + 1})
    second = shop.post(SESSIONS, form(), "k-1")
    assert "idempotent-replayed" not in second.headers
    assert second.json()["id"] != first


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_keys_have_a_length(shop: Shop, key: str) -> None:
    assert shop.post(SESSIONS, form(), key).status_code == 400


def test_reading_ignores_keys(shop: Shop) -> None:
    shop.post(SESSIONS, form(), "k-1")
    answer = shop.http.get(SESSIONS, headers={"Idempotency-Key": "k-1"})
    assert answer.status_code == 200
    assert len(answer.json()["data"]) == 1


def test_twenty_at_once_with_one_key_make_one_link(shop: Shop) -> None:
    statuses: list[int] = []

    def ask() -> None:
        answer = httpx.post(
            shop.url + SESSIONS,
            data=form(),
            headers={"Idempotency-Key": "storm"},
            auth=(shop.key, ""),
            trust_env=False,
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(statuses) == 20
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert count(shop) == 1
