"""The ledger itself, without HTTP: whatever customers, shops and drills do in whatever order, the money adds up."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pos.sandbox import aftermath, lifecycle
from pos.sandbox.accounts import DEFAULT_KEY, DEFAULT_KEYS
from pos.sandbox.aftermath import RefundOrder
from pos.sandbox.bank import Bank
from pos.sandbox.books import Books, Refusal
from pos.sandbox.currencies import fee_minor, maximum_minor, minimum_minor, written
from pos.sandbox.lifecycle import LinkOrder, Try
from pos.sandbox.razorpay_dialect import RazorpayDialect
from pos.sandbox.records import Dispute, Entry, Event, Intent, Link, Payment, Payout, Refund
from pos.sandbox.server import _background
from pos.sandbox.store import R, Tx
from pos.sandbox.stripe_dialect import StripeDialect

ACTIONS = (
    "open",
    "pay",
    "settle",
    "close",
    "capture",
    "void",
    "force",
    "refund",
    "bounce",
    "dispute",
    "judge",
    "payout",
)
WAYS: dict[str, list[dict[str, Any]]] = {
    "stripe": [{}, {}],
    "razorpay": [
        {"kind": "page", "completes": "captured", "capture_within_s": 3600.0},
        {"kind": "code", "completes": "captured", "details": {"name": None, "description": None, "close_by": None}},
    ],
}
SAID_BACK = "callback_method description expire_by upi_link reminder_enable"
WAYS["razorpay"][0]["details"] = {**dict.fromkeys(SAID_BACK.split()), "customer": {}, "notify": {}}
RATES = {"stripe": (29, 30, 0), "razorpay": (20, 0, 18)}
Step = tuple[str, int, int]  # what, to which of those there are, how much


def pick(books: Books, record: type[R], number: int) -> R | None:
    rows = books.tx.many(record, "ORDER BY seq")
    return rows[number % len(rows)] if rows else None


def act(books: Books, step: Step) -> None:
    """One step; it may be refused."""
    what, number, amount = step
    if what == "open":
        ways = WAYS[books.dialect.name][number % 2]
        order = LinkOrder(amount + 1, "inr", "x", books.now + 3600, "", manual_capture=number % 3 == 0, **ways)
        lifecycle.open_link(books, order)
    elif what == "payout":
        aftermath.pay_out(books)
    else:
        record, do = _ON[what]
        found = pick(books, record, number)
        if found is not None:
            do(books, found, amount)


def _settle(books: Books, payment: Payment, amount: int) -> None:
    if payment.state == "pending" or payment.settles_as is not None:
        lifecycle.settle(books, payment)


_ON: dict[str, tuple[type, Callable[[Books, object, int], object]]] = {
    "pay": (Link, lambda b, link, n: lifecycle.try_to_pay(b, link, Try(lifecycle.OUTCOMES[n % 6], "upi"))),  # type: ignore[arg-type]
    "settle": (Payment, _settle),  # type: ignore[dict-item]
    "close": (Link, lambda b, link, n: lifecycle.close_link(b, link)),  # type: ignore[arg-type]
    "capture": (Payment, lambda b, payment, n: lifecycle.capture_authorized(b, payment, n + 1)),  # type: ignore[arg-type]
    "void": (Intent, lambda b, intent, n: lifecycle.void(b, intent)),  # type: ignore[arg-type]
    "force": (Link, lambda b, link, n: lifecycle.force_capture(b, link, None, own_intent=n % 2 == 0)),  # type: ignore[arg-type]
    "refund": (Payment, lambda b, payment, n: aftermath.refund(b, payment, RefundOrder(n % 300 + 1))),  # type: ignore[arg-type]
    "bounce": (Refund, lambda b, refund, n: aftermath.fail_refund(b, refund, "why")),  # type: ignore[arg-type]
    "dispute": (Payment, lambda b, payment, n: aftermath.open_dispute(b, payment, None, "general")),  # type: ignore[arg-type]
    "judge": (Dispute, lambda b, dispute, n: aftermath.close_dispute(b, dispute, "won" if n % 2 else "lost")),  # type: ignore[arg-type]
}


def check(tx: Tx) -> None:
    """What must hold after every step."""
    payments, refunds = tx.many(Payment), tx.many(Refund)
    live = Counter(p.link for p in payments if p.state in lifecycle.LIVE and not p.forced)
    assert max(live.values(), default=0) <= 1
    for payment in payments:
        back = sum(r.amount_minor for r in refunds if r.payment == payment.id and r.state != "failed")
        assert back <= payment.captured_minor <= payment.amount_minor
        assert (payment.captured_minor > 0) == (payment.state == "captured") == (payment.entry is not None)
    assert balance(tx) == expected(tx, payments, refunds)
    for payout in tx.many(Payout):
        inside = tx.many(Entry, "WHERE payout = ?", payout.id)
        assert sum(entry.net_minor for entry in inside) == 0, "a payout and what is in it cancel out"
    over = [payment for payment in payments if payment.state != "pending"]  # some gateways say nothing before
    assert len({event.id for event in tx.many(Event)}) >= len(over), "nothing happens in silence"


def balance(tx: Tx) -> int:
    return sum(entry.net_minor for entry in tx.many(Entry))


def expected(tx: Tx, payments: list[Payment], refunds: list[Refund]) -> int:
    """The balance, from what happened instead of from the entries."""
    came = sum(p.captured_minor - fee_of(tx, p.captured_minor) for p in payments if p.state == "captured")
    went = sum(r.amount_minor for r in refunds if r.state != "failed")
    disputed = sum(d.fee_minor + (0 if d.state == "won" else d.amount_minor) for d in tx.many(Dispute))
    return came - went - disputed - sum(payout.amount_minor for payout in tx.many(Payout))


def fee_of(tx: Tx, amount: int) -> int:
    per_mille, fixed, tax_percent = RATES[tx.value("SELECT dialect FROM account")]
    fee = fee_minor(amount, per_mille, fixed)
    return min(amount, fee + int(fee * tax_percent / 100 + 0.5))


STEPS = 200


@pytest.mark.parametrize("key", DEFAULT_KEYS, ids=["Stripe", "Razorpay"])
@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_the_money_adds_up(tmp_path: Path, seed: int, key: str) -> None:
    chance = random.Random(seed)
    done: Counter[str] = Counter()
    with contextlib.closing(Bank(tmp_path, [StripeDialect(), RazorpayDialect()])) as bank:
        (account,) = bank.use_keys([key])
        for _ in range(STEPS):
            step = (chance.choice(ACTIONS), chance.randrange(40), chance.randrange(1000))
            with contextlib.suppress(Refusal):
                bank.write_now(lambda tx, step=step: act(bank.books(tx, account), step))
                done[step[0]] += 1
            bank.write_now(check)
    assert min(done[what] for what in ("open", "pay", "force", "refund", "payout")) > 0


def test_a_second_live_payment_cannot_be_written_at_all(tmp_path: Path) -> None:
    """Even by code that forgets to look: the file refuses it."""
    with contextlib.closing(Bank(tmp_path, [StripeDialect()])) as bank:
        (account,) = bank.use_keys([DEFAULT_KEY])

        def twice(tx: Tx) -> None:
            books = bank.books(tx, account)
            link = lifecycle.open_link(books, LinkOrder(500, "inr", "x", books.now + 3600, "http://127.0.0.1/"))
            paid = lifecycle.try_to_pay(books, link, Try("paid"))
            same = "account, created, intent, link, amount_minor, captured_minor, currency, method, state, forced"
            tx.execute(
                f"INSERT INTO payment (id, metadata, {same}) SELECT 'ch_2', metadata, {same} FROM payment WHERE id = ?",
                paid.id,
            )

        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            bank.write_now(twice)
        assert bank.write_now(lambda tx: tx.many(Payment)) == []


@pytest.mark.parametrize(
    ("amount", "fee"), [(98_400, 2884), (1000, 59), (500, 45), (517, 45), (518, 45), (50, 31), (10, 10)]
)
def test_fees_are_rounded_half_up_and_never_more_than_the_payment(amount: int, fee: int) -> None:
    assert fee_minor(amount, 29, 30) == fee


def test_amounts_are_written_with_their_currencys_decimals() -> None:
    assert written(98_400, "inr") == "₹984.00"
    assert written(500, "jpy") == "¥500"
    assert written(12_345, "kwd").endswith("12.345")
    assert (minimum_minor("usd"), maximum_minor("usd")) == (50, 99_999_999)


async def test_a_bank_whose_background_dies_says_so(tmp_path: Path) -> None:
    class FullDisk(Bank):
        async def tick(self) -> int:
            raise sqlite3.OperationalError("database or disk is full")

    heard: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    with contextlib.closing(FullDisk(tmp_path, [StripeDialect()])) as bank:
        async with _background(bank, heard.set_result), asyncio.timeout(10):
            assert "disk is full" in str(await heard)


def test_an_answer_carries_its_date_once(tmp_path: Path) -> None:
    """The server adds no Date of its own beside the bank's."""
    from tests.processes import serve

    with serve(["sandbox", "serve", "--data", str(tmp_path)]) as served:
        answer = httpx.get(served.url, trust_env=False)
    assert len(answer.headers.get_list("date")) == 1
    assert "server" not in answer.headers
