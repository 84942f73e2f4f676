"""Journeys of a piece of news: by webhook through the relay, lost and healed, signed with an old or a new secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from pos.app.demo.world import WEBHOOK_SECRET
from pos.sandbox import customer
from tests.journeys.conftest import GATEWAYS, Street, eventually, port_of, relay_words, sources
from tests.processes import serve

NEW_SECRET = "whsec_the_new_one_of_this_shop"
EVERY_WEBHOOK = 100


def window() -> list[str]:
    now = datetime.now(UTC)
    return ["--from", (now - timedelta(hours=1)).isoformat(), "--to", (now + timedelta(minutes=1)).isoformat()]


def test_webhooks_alone_turn_orders_of_both_gateways_paid(street: Street) -> None:
    street.listen()
    orders = [street.does("sell", "--line", "TEA", "--qr", name) for name in GATEWAYS]
    for order in orders:
        street.pays(order)
    for order in orders:
        paid = street.until(order["number"], shown="paid")
        assert "webhook" in sources(paid)
        assert not sources(paid) & {"poll", "report"}
    street.assert_books()


def test_the_address_to_paste_at_a_gateway_is_the_door_its_webhooks_use(street: Street) -> None:
    for name in GATEWAYS:
        shown = street.does("gateways", "show", name)
        assert shown["webhook"] == "known"
        unsigned = httpx.post(shown["webhook_url"], json={}, trust_env=False)
        strange = httpx.post(shown["webhook_url"] + "x", json={}, trust_env=False)
        assert (unsigned.status_code, strange.status_code) == (401, 404)
        assert shown["webhook_url"] in street.pos("gateways", "show", name).out
        tested = street.does("gateways", "test", name)
        assert not [check for check in tested["checks"] if check["state"] == "bad"], "no stream, and yet a relay"


def test_every_webhook_twice_and_in_reverse_changes_nothing(street: Street) -> None:
    street.listen()
    street.bank.fault("webhook", "duplicated", 4, times=3)
    street.bank.fault("webhook", "reversed", 4, gap_s=0.1)
    order = street.asks()
    street.pays(order)
    paid = street.until(order["number"], shown="paid")
    eventually(lambda: all(row["state"] == "delivered" for row in street.deliveries()))
    assert (paid["captured_minor"], street.order(order["number"])["captured_minor"]) == (6_000, 6_000)
    street.assert_books()


def test_a_lost_webhook_is_healed_by_a_probe(street: Street) -> None:
    street.bank.fault("webhook", "dropped", EVERY_WEBHOOK)
    order = street.asks()
    street.pays(order)
    assert street.order(order["number"])["shown"] == "waiting"

    def probed() -> bool:
        street.does("sync", "--once", "--only", "probe")
        return bool(street.order(order["number"])["shown"] == "paid")

    eventually(probed)
    assert "poll" in sources(street.order(order["number"]))
    assert not sources(street.order(order["number"])) & {"webhook", "report"}
    street.assert_books()


def test_a_lost_webhook_is_healed_by_the_report(street: Street) -> None:
    street.bank.fault("webhook", "dropped", EVERY_WEBHOOK)
    order = street.asks()
    street.pays(order)

    def swept() -> bool:
        run = street.does("reconcile", "--gateway", street.gateway, *window())
        assert run["complete"]
        return bool(run["categories"].get("M02") == 1)

    eventually(swept)
    paid = street.order(order["number"])
    assert (paid["shown"], paid["captured_minor"]) == ("paid", 6_000)
    assert "report" in sources(paid)
    other = street.does("reconcile", "--gateway", street.other, *window())
    assert (other["complete"], other["rows"]) == (True, 0)
    street.assert_books()


def test_the_customers_browser_comes_back_and_decides_nothing(street: Street) -> None:
    """Its address says *paid*, whoever typed it: the page shows what the till says, and the till asks."""
    street.bank.fault("webhook", "dropped", EVERY_WEBHOOK)
    street.follow()
    unpaid, order = street.asks("CAKE"), street.asks()
    paying, lying = (relay_page(street, link) for link in street.links_at_gateway())
    lied = httpx.get(f"{lying}?razorpay_payment_link_status=paid&session_id=x", timeout=10, trust_env=False)
    assert (lied.status_code, unpaid["number"] in lied.text) == (200, True)
    result = customer.pay(order["attempt"]["link_url"], "paid")
    assert str(result.location).startswith(paying)
    assert httpx.get(str(result.location), timeout=10, trust_env=False).status_code == 200
    assert "callback" in sources(street.until(order["number"], shown="paid"))
    assert street.order(unpaid["number"])["shown"] == "waiting"
    street.assert_books()


def relay_page(street: Street, link: Any) -> str:
    """Where the gateway sends the browser after paying, once the till has told the relay of the link."""
    back: str = (link.get("success_url") or link.get("callback_url")).partition("?")[0]
    short = back.replace(f"/return/{street.shop}/", "/p/")
    assert short.startswith(street.relay.url)
    eventually(lambda: httpx.get(short, timeout=10, trust_env=False).status_code == 303)
    return back


@pytest.mark.parametrize("keep_hours", ["96", "0"])
def test_a_new_webhook_secret_while_old_events_are_still_on_their_way(fragile: Street, keep_hours: str) -> None:
    """Razorpay signs a retry with the secret of the event's own time, Stripe with the present one."""
    street, name = fragile, fragile.gateway
    street.listen()
    order = street.asks()
    street.relay.stop()
    street.pays(order)
    assert eventually(lambda: [row for row in street.deliveries() if row["tries"]])
    data = ["--data", str(street.town.folder / "relay"), "--keep-old-hours", keep_hours]
    rotated = street.pos("relay", "rotate-secret", street.shop, "--gateway", name, *data, stdin=NEW_SECRET + "\n")
    assert (rotated.status, NEW_SECRET in rotated.out + rotated.err) == (0, False), rotated.err
    street.bank.desk("POST", f"/webhooks/{street.endpoints[name]}", {"secret": NEW_SECRET})
    with serve(relay_words(street.town.folder, port_of(street.relay)), street.environment):
        if name == "razorpay" and keep_hours == "0":
            eventually(lambda: [row for row in street.deliveries() if row["last_status"] == 401])
            assert street.order(order["number"])["shown"] == "waiting"
            street.synced_until(order["number"], shown="paid")
        else:
            assert "webhook" in sources(street.until(order["number"], shown="paid"))
        fresh = street.asks("CAKE")
        street.pays(fresh)
        assert "webhook" in sources(street.until(fresh["number"], shown="paid"))
    street.assert_books()


def test_a_forged_webhook_reaches_nobody(street: Street) -> None:
    street.listen()
    order = street.asks()
    body = b'{"event":"payment_link.paid","type":"checkout.session.completed"}'
    for headers in ({}, {"X-Razorpay-Signature": "0" * 64}, {"Stripe-Signature": f"t=1,v1={WEBHOOK_SECRET}"}):
        answer = httpx.post(street.hooks[street.gateway], content=body, headers=headers, timeout=10, trust_env=False)
        assert answer.status_code in (400, 401)
    assert street.order(order["number"])["shown"] == "waiting"
