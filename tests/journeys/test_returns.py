"""Journeys: goods come back, and a part-paid sale is given up, from the command line."""

from __future__ import annotations

from tests.journeys.conftest import Street


def test_goods_of_a_sale_by_link_come_back(street: Street) -> None:
    order = street.asks("TEA=2")
    street.pays(order)
    street.synced_until(order["number"], shown="paid")
    words = ("return", order["number"], "--line", "TEA=0.5", "--reason", "cold", "--key", "r1")
    first = street.does(*words)
    assert (first["return"]["number"], first["return"]["total_minor"], first["shown"]) == (
        "1-R00001",
        3_000,
        "part_refunded",
    )
    assert (first["due_minor"], first["kept_minor"], first["returned_minor"]) == (12_000, 12_000, 3_000)
    assert street.does(*words)["return"] == first["return"]
    too_much = street.pos("return", order["number"], "--line", "TEA=1.501")
    assert (too_much.status, "At most 1.5" in too_much.err) == (2, True)
    paper = street.pos("return", order["number"], "--line", "TEA=1.5")
    assert (paper.status, "Credit note 1-R00002" in paper.out, "90.00" in paper.out) == (0, True, True)
    assert street.order(order["number"])["shown"] == "returned"
    assert street.pos("return", order["number"], "--line", "TEA").status == 2
    street.assert_books()


def test_goods_of_a_cash_sale_come_back_and_the_drawer_agrees(street: Street) -> None:
    sold = street.sell("--line", "CAKE", "--line", "TEA", "--cash", "200")
    back = street.does("return", sold["number"], "--line", "CAKE")
    assert (back["returned_minor"], back["money"], back["shown"]) == (14_000, "paid", "part_refunded")
    closed = street.does("day", "close", "--counted", "60.00")
    assert closed["cash_difference_minor"] == 0
    street.assert_books()


def test_a_part_paid_order_is_given_back_and_voided(street: Street) -> None:
    order = street.asks("CAKE")
    street.bank.fault("page.pay", "other_amount", amount_minor=9_000)
    street.pays(order)
    street.synced_until(order["number"], money="part_paid")
    assert street.pos("cancel", order["number"]).status == 1
    back = street.does("cancel", order["number"], "--give-back", "--reason", "left")
    assert (back["life"], back["kept_minor"], back["refunded_minor"]) == ("voided", 0, 9_000)
    street.assert_books()


def test_above_the_shops_limit_a_second_manager_is_named(street: Street) -> None:
    settings = street.home / "settings.toml"
    settings.write_text(settings.read_text() + '[people]\nsecond_person_above = "50.00"\n')
    sold = street.sell("--line", "TEA", "--cash", "60")
    alone = street.pos("return", sold["number"], "--line", "TEA")
    assert (alone.status, "second manager" in alone.err) == (2, True)
    himself = street.pos("return", sold["number"], "--line", "TEA", "--approved-by", "Owner")
    assert (himself.status, "cannot be the second" in himself.err) == (2, True)
    assert street.order(sold["number"])["returned_minor"] == 0
