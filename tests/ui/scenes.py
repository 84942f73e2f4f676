"""The shop of the pictures: Corner Café, its products and orders, so that screens can be laid beside their targets."""

from __future__ import annotations

from dataclasses import replace

from pos.domain.basket import Line
from pos.domain.catalogue import Product
from pos.domain.matching import Action
from pos.domain.order import Life
from pos.domain.shown import Shown
from pos.domain.verdict import Certainty, Money
from pos.services.views import DayView, ExceptionView, MatchRow, OrderView, PaymentView, TimelineRow, TotalRow
from tests.ui.fake_till import Clock, FakeTill, gateway_card

MIDNIGHT_MS = 1_795_285_800_000
"""22 November 2026, 00:00 in Asia/Kolkata."""
TAX = {"tax_ppm": 50_000, "tax_name": "GST"}


def at(text: str) -> int:
    """ "13:42:09" of the pictures' day as milliseconds."""
    hours, minutes, seconds = (int(part) for part in f"{text}:00".split(":")[:3])
    return MIDNIGHT_MS + ((hours * 60 + minutes) * 60 + seconds) * 1000


def products() -> list[Product]:
    names = (
        ("Flat white", 18000, "Coffee"), ("Cappuccino", 19000, "Coffee"), ("Filter coffee", 9000, "Coffee"),
        ("Masala chai", 6000, "Tea"), ("Iced latte", 22000, "Coffee"), ("Cold brew", 21000, "Coffee"),
        ("Almond croissant", 16000, "Bakery"), ("Banana bread", 14000, "Bakery"),
        ("Paneer sandwich", 24000, "Kitchen"), ("Veg puff", 7000, "Bakery"), ("Granola bowl", 26000, "Kitchen"),
        ("Orange juice", 15000, "Kitchen"), ("House beans 250 g", 48000, "Retail"), ("Keep cup", 65000, "Retail"),
        ("Gift card", 0, "Other"), ("Open item", 0, "Other"),
    )  # fmt: skip
    return [
        Product(f"P{no:02d}", name, price, 50_000, "GST", f"89012345{no:05d}", category, True)
        for no, (name, price, category) in enumerate(names, 1)
    ]


def lines() -> list[Line]:
    return [
        Line("P01", "Flat white", 2000, 18000, note="Oat milk", **TAX),
        Line("P07", "Almond croissant", 1000, 16000, discount_minor=1600, note="end of tray", **TAX),
        Line("P13", "House beans 250 g", 1000, 48000, note="Ground for V60", **TAX),
    ]


def one(minor: int, name: str = "Sundries") -> list[Line]:
    return [Line("X", name, 1000, minor, **TAX)]


def till(time: str = "13:42", user: str = "Asha") -> FakeTill:
    made = FakeTill(clock=Clock(at(time)), goods=products(), next_number=1873, user=user)
    made.set_status(
        relay_heard_at_ms=at(time) - 3_000, reconciled_at_ms=at(time) - 240_000, shift_opened_at_ms=at("08:02")
    )
    return made


def hold_two(shop: FakeTill) -> None:
    for no in (1860, 1862):
        shop.make(one(12_000), number=f"2-0{no}", life=Life.HELD, shown=Shown.HELD)


def waiting(shop: FakeTill, number: str, minor: int, shown_at: str, *, steps: int) -> OrderView:
    """An order with its QR out: 1 shown, 2 opened, 3 paying."""
    from pos.services.views import AttemptView

    start = at(shown_at)
    attempt = AttemptView(
        f"{number}-1", 1, "razorpay", "Razorpay", "test", "open", minor, "plink_1", "https://pay.corner.cafe/p/x",
        "https://pay.corner.cafe/p/x", start + 900_000, start, start - 1000, shop.clock() + 3000, 0, False,
    )  # fmt: skip
    flying = (PaymentView("pay_f", "razorpay", 1, "pending", 0, None, 0),) if steps == 3 else ()
    return shop.make(
        one(minor), number=number, life=Life.PLACED, shown=Shown.WAITING, certainty=Certainty.WAITING,
        attempt=attempt, opened=steps >= 2, payments=flying, payment_text="QR · Razorpay", created_at_ms=start - 2000,
        due_minor=minor,
    )  # fmt: skip


def history(shop: FakeTill) -> str:
    """The list of 05; returns the unknown order's id."""
    rows = (
        ("2-01865", "12:58", 22000, "Cash", Shown.PAID), ("2-01866", "13:04", 41000, "QR · Razorpay", Shown.PAID),
        ("2-01867", "13:10", 9000, "QR · Razorpay", Shown.PAID),
        ("1-00960", "13:18", 52000, "QR · Razorpay", Shown.REFUNDED), ("2-01868", "13:20", 19000, "Cash", Shown.PAID),
        ("2-01869", "13:22", 33000, "QR · Razorpay", Shown.FAILED),
        ("2-01870", "13:29", 148000, "QR · Stripe", Shown.PAID),
        ("2-01871", "13:31", 7500, "QR · Razorpay", Shown.UNKNOWN),
        ("1-00961", "13:36", 61000, "QR · Razorpay", Shown.PAID), ("2-01872", "13:38", 24000, "Cash", Shown.PAID),
    )  # fmt: skip
    for number, time, minor, how, shown in rows:
        _listed(shop, number, time, minor, how, shown)
    now = waiting(shop, "2-01873", 98400, "13:41:03", steps=3)
    shop.orders[now.order_id] = replace(now, created_at_ms=at("13:41:02"))
    unknown = shop.orders["order-2-01871"]
    waits = waiting(shop, "2-01871", 7500, "13:31:12", steps=2)
    shop.orders[unknown.order_id] = replace(
        unknown, attempt=replace(waits.attempt, next_look_at_ms=shop.clock() + 40_500, looks_failed=4),
        certainty=Certainty.UNKNOWN, unknown_since_ms=at("13:33:10"), money=Money.UNPAID, kept_minor=0,
    )  # fmt: skip
    happened = (
        ("13:31:10", "till", "Order saved, ₹75.00"), ("13:31:10", "till", "Link asked for"),
        ("13:31:12", "gateway", "Link plink_Q8… ready"), ("13:31:44", "callback", "Customer came back: “processing”"),
        ("13:33:10", "poll", "Gateway timed out, outcome unknown"),
        ("13:35:10", "poll", "Gateway timed out, outcome unknown"), ("13:38:00", "report", "Not in the report yet"),
    )  # fmt: skip
    shop.timelines[unknown.order_id] = [TimelineRow(at(t), s, text) for t, s, text in happened]
    return unknown.order_id


def _listed(shop: FakeTill, number: str, time: str, minor: int, how: str, shown: Shown) -> OrderView:
    paid = shown in (Shown.PAID, Shown.REFUNDED)
    return shop.make(
        one(minor), number=number, life=Life.PLACED, shown=shown, payment_text=how, created_at_ms=at(time),
        money=Money.PAID if paid else Money.UNPAID, kept_minor=minor if paid else 0, due_minor=minor,
        left_minor=0 if paid else minor, paid_at_ms=at(time) if paid else None,
    )  # fmt: skip


def double(shop: FakeTill) -> str:
    """The list and the order of 08; returns the order's id."""
    rows = (
        ("2-01840", "11:08", 38500, "QR · Razorpay", Shown.EXPIRED), ("2-01841", "11:12", 13000, "Cash", Shown.PAID),
        ("1-00928", "11:17", 115000, "QR · Stripe", Shown.PAID),
        ("2-01842", "11:22", 22000, "QR · Razorpay", Shown.FAILED),
        ("2-01843", "11:26", 12000, "QR · Stripe", Shown.REFUNDED),
        ("1-00929", "11:29", 84000, "QR · Razorpay", Shown.PAID),
        ("2-01844", "11:31", 18000, "QR · Razorpay", Shown.PAID_TWICE),
        ("2-01845", "11:35", 27000, "QR · Razorpay", Shown.PAID), ("2-01846", "11:38", 9000, "Cash", Shown.PAID),
        ("1-00930", "11:41", 12000, "QR · Razorpay", Shown.PAID),
        ("2-01847", "11:44", 56000, "QR · Razorpay", Shown.PAID),
        ("1-00931", "11:47", 64000, "QR · Stripe", Shown.PAID),
        ("2-01848", "11:49", 31000, "Cash", Shown.PAID),
    )  # fmt: skip
    for row in rows:
        _listed(shop, *row)
    payments = (
        PaymentView("pay_R4k2HsQm9F", "razorpay", 2, "captured", 18000, at("11:31:02"), 0),
        PaymentView("pay_R4k2JvTbc7", "razorpay", 1, "captured", 18000, at("11:33:41"), 18000),
    )
    order = shop.orders["order-2-01844"]
    shop.orders[order.order_id] = replace(
        order, payments=payments, money=Money.OVERPAID, kept_minor=36000, owed_minor=18000, captured_minor=36000
    )
    first, second = payments[0].id, payments[1].id
    happened = (
        ("11:28:40", "till", "Link 1 shown", ""), ("11:29:55", "gateway", "Closing link 1: no answer", ""),
        ("11:30:10", "manager", "Second link allowed · Meera", ""), ("11:30:12", "till", "Link 2 shown", ""),
        ("11:31:02", "webhook", "₹180.00 captured on link 2", first),
        ("11:33:41", "webhook", "₹180.00 captured on link 1", second),
        ("11:33:41", "till", "Paid twice, put in this queue", ""),
        ("11:38:00", "report", "Both payments in the report", f"{first} {second}"),
    )  # fmt: skip
    shop.timelines[order.order_id] = [TimelineRow(at(t), s, text, "ok", p) for t, s, text, p in happened]
    return order.order_id


def end_of_day(shop: FakeTill) -> None:
    """03: 403 matched, 4 corrected, 5 that need a person."""

    def needs(
        code: str, number: str, time: str, gateway: str, minors: tuple[int | None, int | None], act: tuple[Action, int]
    ) -> ExceptionView:
        order_id = f"order-{number}" if number else ""
        return ExceptionView(
            f"{code}-{time}", code, order_id, number, at(time), gateway, minors[0], minors[1], "INR", act[0], act[1],
            "pay_orphan", True,
        )  # fmt: skip

    exceptions = (
        needs("M09", "2-01851", "12:07", "razorpay", (None, 42000), (Action.REFUND, 42000)),
        needs("M04", "1-00932", "11:52", "razorpay", (125000, 152000), (Action.INVESTIGATE, 0)),
        needs("M11", "", "11:40", "stripe", (None, 31000), (Action.ATTACH, 31000)),
        needs("M06", "2-01844", "11:31", "razorpay", (18000, 36000), (Action.REFUND, 18000)),
        needs("M23", "2-01829", "10:58", "razorpay", (None, None), (Action.ASK, 0)),
    )
    rows = tuple(
        MatchRow("M01", f"order-2-{no:05d}", f"2-{no:05d}", at("09:00") + no * 1000, "razorpay", 9000, 9000)
        for no in range(1400, 1803)
    )
    healed = tuple(
        MatchRow("M02", f"order-2-{no:05d}", f"2-{no:05d}", at("10:00") + no * 1000, "razorpay", 9000, 9000)
        for no in range(1810, 1814)
    )
    shop.today = DayView(
        day="2026-11-22", from_ms=at("08:00"), to_ms=at("13:42"), currency="INR", gateways=("razorpay", "stripe"),
        report_at_ms=at("13:38"), rows_read=412, complete=True, matched=rows, corrected=healed, exceptions=exceptions,
        waiting=1, unknown=1, cash_difference_minor=0, parked_count=0, parked_minor=0, closed_at_ms=None,
        totals=(
            TotalRow("cash", "Cash", 846000, 846000), TotalRow("razorpay", "Razorpay", 10231000, 10318000),
            TotalRow("stripe", "Stripe", 1294000, 1325000), TotalRow("refunds", "Refunds", -64000, -64000),
            TotalRow("fees", "Gateway fees", None, -231241), TotalRow("payout", "Payout due", None, 11347759),
        ),
    )  # fmt: skip


def gateways(shop: FakeTill) -> None:
    """15: Razorpay first, Stripe behind it, a relay."""
    shop.setup.relay = "https://relay.corner.cafe"
    shop.setup.known = {
        "razorpay": gateway_card("razorpay", account="acc_Nk2vQ8", asked=1204, timed_out=3, median_ms=212, mode="live"),
        "stripe": gateway_card("stripe", mode="live"),
    }
