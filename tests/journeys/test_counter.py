"""Journeys: what a shop does, with every process real."""

from __future__ import annotations

from tests.journeys.conftest import Street, bank_words, port_of, relay_words, sources
from tests.processes import serve


def test_a_customer_pays_and_the_relay_tells_the_till(street: Street) -> None:
    street.follow()
    order = street.asks("TEA=2", "--key", "table-7")
    assert (order["due_minor"], order["shown"]) == (12_000, "waiting")
    assert street.pays(order) == "paid"
    paid = street.until("table-7", shown="paid")
    assert paid["captured_minor"] == 12_000
    assert sources(paid) & {"webhook", "poll"}
    assert street.asks("TEA=2", "--key", "table-7")["order_id"] == order["order_id"]
    street.assert_books()


def test_without_a_relay_everything_works_by_asking(fragile: Street) -> None:
    street = fragile
    street.relay.stop()
    street.follow()
    order = street.asks()
    street.pays(order)
    assert street.until(order["number"], shown="paid")["kept_minor"] == 6_000
    street.assert_books()


def test_the_relay_is_killed_and_comes_back_and_no_hint_is_lost(fragile: Street) -> None:
    street = fragile
    order = street.asks()
    street.pays(order)
    street.relay.kill()
    with serve(relay_words(street.folder, port_of(street.relay)), street.environment):
        street.follow()
        assert street.until(order["number"], shown="paid")["flags"] == []
    street.assert_books()


def test_the_bank_is_killed_while_a_link_is_open_and_the_till_waits(fragile: Street) -> None:
    street = fragile
    order = street.asks("CAKE")
    street.pays(order)
    street.bank.served.kill()
    down = street.pos("sync", "--once")
    assert down.status == 4
    assert street.order(order["number"])["money"] == "unpaid"
    with serve(bank_words(street.folder, port_of(street.bank.served)), street.environment):
        assert street.pos("sync", "--once").status == 0
        assert street.until(order["number"], shown="paid")["kept_minor"] == 14_000
    street.assert_books()


def test_the_background_work_is_killed_in_the_middle_and_goes_on(street: Street) -> None:
    follower = street.follow()
    orders = [street.asks() for _ in range(3)]
    for order in orders:
        street.pays(order)
    follower.kill()
    street.follow()
    for order in orders:
        street.until(order["number"], shown="paid")
    street.assert_books()


def test_a_day_from_the_first_sale_to_the_close(street: Street) -> None:
    paid = street.asks()
    street.pays(paid)
    assert street.sell("--line", "CAKE", "--cash", "200")["money"] == "paid"
    cancelled = street.asks()
    assert street.pos("cancel", cancelled["number"], "--reason", "left").status == 0
    assert street.pays(cancelled) == "expired"
    street.pos("sync", "--once")
    street.until(paid["number"], shown="paid")
    back = street.pos("refund", paid["number"], "--amount-minor", "1000", "--reason", "cold", "--json")
    assert (back.status, back.json["refunded_minor"]) == (0, 1000)
    preview = street.pos("day", "preview", "--json").json
    assert preview["complete"]
    assert preview["exceptions"] == []
    closed = street.pos("day", "close", "--counted", "140.00", "--json")
    assert closed.status == 0
    day = closed.json
    assert day["hash"]
    shown = street.pos("day", "show", day["day"], "--json").json
    assert shown["totals"] == day["totals"]
    assert street.pos("day", "close").status == 1
    street.assert_books()
    target = street.folder / "books.jsonl"
    assert street.pos("books", "export", "--to", str(target)).status == 0
    assert target.read_text().count('"type": "order"') == 3
