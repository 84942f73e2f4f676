"""Journeys of a shop with two gateways: a day with both, and a change of mind in the middle of an order."""

from __future__ import annotations

from tests.journeys.conftest import Street


def asked_of_bank(street: Street, since: int) -> list[str]:
    """The calls that make or close links, in their order: `create stripe`, `close razorpay`."""
    names = {
        "/v1/checkout/sessions": "create stripe",
        "/v1/payment_links": "create razorpay",
        "/expire": "close stripe",
        "/cancel": "close razorpay",
    }
    posts = [row["path"] for row in street.town.log[since:] if row["method"] == "POST"]
    return [words for path in posts for end, words in names.items() if path.endswith(end)]


def test_one_day_with_both_gateways(street: Street) -> None:
    first = street.asks("TEA")
    second = street.does("sell", "--line", "CAKE", "--qr", street.other)
    assert first["attempt"]["gateway"] == street.gateway
    assert second["attempt"]["gateway"] == street.other
    assert street.pays(first) == street.pays(second) == "paid"
    assert street.sell("--line", "TEA", "--cash", "100")["money"] == "paid"
    runs = street.does("sync", "--once")["sweeps"]
    assert {run["gateway"] for run in runs} == {"stripe", "razorpay"}
    assert all(run["complete"] for run in runs)
    for order, amount in ((first, 6_000), (second, 14_000)):
        paid = street.synced_until(order["number"], shown="paid")
        assert (paid["captured_minor"], paid["flags"]) == (amount, [])
    day = street.does("day", "close", "--counted", "60")
    assert (day["complete"], day["exceptions"], day["cash_difference_minor"]) == (True, [], 0)
    assert day["categories"] == {"M02": 2}  # without a webhook both were healed, and by no person
    street.assert_books()


def test_another_gateway_in_the_middle_of_an_order(street: Street) -> None:
    """The first code takes no money any more before the second one is shown."""
    order = street.asks()
    before = len(street.town.log)
    switched = street.does("pay", order["number"], "--qr", street.other)
    assert (switched["attempt"]["no"], switched["attempt"]["gateway"]) == (2, street.other)
    assert asked_of_bank(street, before) == [f"close {street.gateway}", f"create {street.other}"]
    first = street.pos("sandbox", "pay", order["attempt"]["link_url"])
    assert (first.status, first.out.strip()) == (1, "expired")
    assert street.pays(switched) == "paid"
    paid = street.synced_until(order["number"], shown="paid")
    assert (paid["captured_minor"], paid["flags"]) == (6_000, [])
    street.assert_books()


def test_back_and_forth_leaves_one_code_that_takes_money(street: Street) -> None:
    order = street.asks()
    shown = [order]
    for gateway in (street.other, street.gateway, street.other):
        shown.append(street.does("pay", order["number"], "--qr", gateway))
    assert [view["attempt"]["no"] for view in shown] == [1, 2, 3, 4]
    assert [street.pays(view) for view in shown] == ["expired"] * 3 + ["paid"]
    assert street.synced_until(order["number"], shown="paid")["captured_minor"] == 6_000
    street.assert_books()


def test_a_close_without_an_answer_shows_no_second_code(street: Street) -> None:
    order = street.asks()
    street.bank.fault("link.close", "drop", 5)
    street.bank.fault("link.fetch", "drop", 20)
    before = len(street.town.log)
    refused = street.pos("pay", order["number"], "--qr", street.other)
    assert (refused.status, "not confirmed closed" in refused.err) == (3, True), refused.err
    assert f"create {street.other}" not in asked_of_bank(street, before)
    street.bank.clear()
    switched = street.does("pay", order["number"], "--qr", street.other)
    assert street.pays(order) == "expired"
    assert street.pays(switched) == "paid"
    assert street.synced_until(order["number"], shown="paid")["captured_minor"] == 6_000
    street.assert_books()


def test_a_first_link_that_was_paid_meanwhile_is_not_switched(street: Street) -> None:
    order = street.asks()
    street.pays(order)
    after = street.does("pay", order["number"], "--qr", street.other)
    assert (after["shown"], after["attempt"]["no"]) == ("paid", 1)
    street.assert_books()


def test_paid_at_both_gateways_is_found_and_given_back_once(street: Street) -> None:
    """The first gateway captures although it had confirmed the link closed: nothing hides it."""
    order = street.asks()
    link = street.links_at_gateway()[0]["id"]
    switched = street.does("pay", order["number"], "--qr", street.other)
    street.pays(switched)
    street.drill("links", link, "capture", own_intent=False)
    twice = street.synced_until(order["number"], shown="paid_twice")
    assert (twice["captured_minor"], "double" in twice["flags"]) == (12_000, True)
    day = street.does("day", "preview")
    assert [(row["code"], row["amount_minor"]) for row in day["exceptions"]] == [("M06", 6_000)]
    right = street.does("refund", order["number"], "--reason", "paid twice")
    assert (right["shown"], right["refunded_minor"], right["kept_minor"]) == ("paid", 6_000, 6_000)
    assert street.does("day", "preview")["exceptions"] == []
    again = street.pos("refund", order["number"], "--amount-minor", "6001", "--reason", "too much")
    assert again.status != 0
    street.assert_books()


def test_while_one_gateway_is_away_the_other_sells(street: Street) -> None:
    """A key that is wrong for one of them is no reason not to sell through the other."""
    name = f"POS_SECRET_GATEWAYS_{street.other.upper()}_SECRET_KEY"
    wrong = {"stripe": "sk_test_of_nobody", "razorpay": "not_the_secret"}[street.other]
    street.environment[name] = wrong
    refused = street.pos("sell", "--line", "TEA", "--qr", street.other, "--key", "k")
    assert (refused.status, "does not accept the key" in refused.err) == (1, True), refused.err
    assert wrong not in refused.err + refused.out
    order = street.does("pay", "k", "--qr", street.gateway)
    assert street.pays(order) == "paid"
    assert street.pos("sync", "--once").status == 4
    assert street.until("k", shown="paid")["captured_minor"] == 6_000
    street.assert_books()
