"""What people, banks and bad luck do in a simulated shop. `ACTS` is the whole list, with how often each comes.

An act is begun and not waited for: the next may come while it is still under way. Which order, which till, which
outcome: all drawn from the seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pos.app.wiring import Till
from pos.domain.basket import Line
from pos.domain.cash import GiveBack
from pos.domain.catalogue import Product
from pos.domain.errors import PosError
from pos.domain.plan import Share, Way
from pos.sandbox import drills, faults
from pos.sandbox.books import Refusal
from tests.shop import CAKE, TEA
from tests.simulation.checks import Watch, rows_at_bank
from tests.simulation.world import TILLS, World

RECENT = 4
"""Most acts are about one of the newest orders, so that they meet."""
UNATTENDED_S = 240.0
"""Longest time in which no loop of a till is run."""
GATEWAYS = ("stripe", "razorpay")
OWNER = "Owner"
OPERATIONS = (
    "link.create",
    "link.fetch",
    "link.list",
    "link.close",
    "payment.fetch",
    "payment.list",
    "refund.create",
    "refund.create",
    "*",
)
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("drop", {"before_work": False}),
    ("drop", {"before_work": True}),
    ("delay", {"delay_s": 14.0, "before_work": False}),
    ("delay", {"delay_s": 14.0, "before_work": True}),
    ("error_500", {"after_work": True}),
    ("error_500", {"after_work": False}),
    ("rate_limited", {"retry_after_s": 2}),
    ("html", {}),
    ("truncated", {}),
    ("unknown_status", {}),
)
REFUND_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("refund_pending", {"after_s": 30.0}),
    ("refund_fails", {"after_s": 30.0, "succeed_first": True}),
    ("refund_fails", {"after_s": 30.0, "succeed_first": False}),
)


def line_of(product: Product) -> Line:
    return Line(product.sku, product.name, 1000, product.price_minor, product.tax_ppm, product.tax_name)


class Crowd:
    """Everybody and everything around a simulated shop."""

    def __init__(self, world: World, watch: Watch) -> None:
        self.world, self.watch, self.rng = world, watch, world.rng
        self._keys = 0

    # -- one step ------------------------------------------------------------------------------------------------------

    async def step(self) -> None:
        act = self.rng.choices(self._acts, self._weights)[0]
        self.world.trail.append(f"{self.world.loop.time():.1f} {act.__name__}")
        act(self)
        pause_s = self._pause_s()
        while pause_s > UNATTENDED_S:  # the loops of a till that runs do not sleep that long
            pause_s -= UNATTENDED_S
            await asyncio.sleep(UNATTENDED_S)
            for name in TILLS:
                self.world.probe(name)
        await asyncio.sleep(pause_s)
        await self._background()

    def _pause_s(self) -> float:
        kind = self.rng.random()
        if kind < 0.55:
            return self.rng.uniform(0.0, 0.5)
        if kind < 0.9:
            return self.rng.uniform(0.5, 6.0)
        return self.rng.uniform(6.0, 90.0) if kind < 0.985 else self.rng.uniform(600.0, 2_400.0)

    async def _background(self) -> None:
        world = self.world
        await world.bank.tick()
        if self.rng.random() < 0.5:
            await world.dispatcher.round()
        for name in TILLS:
            if self.rng.random() < 0.35:
                world.probe(name)
            if self.rng.random() < 0.02:
                world.sweep(name)
            if self.rng.random() < 0.3:
                world.listen(world.lives[name])

    # -- choosing ------------------------------------------------------------------------------------------------------

    def _till(self) -> str:
        return self.rng.choice(TILLS)

    def _order(self) -> str | None:
        """Mostly one of the newest, now and then any."""
        count = RECENT if self.rng.random() < 0.9 else 100
        rows = self._books("SELECT id FROM orders ORDER BY created_at_ms DESC, id DESC LIMIT :n", n=count)
        return self.rng.choice(rows)[0] if rows else None

    def _shown(self) -> list[tuple[Any, ...]]:
        """(link, order) of every code that was ever on a screen, the newest first: a customer may have a photograph."""
        sql = "SELECT link_id, order_id FROM attempt WHERE shown_at_ms IS NOT NULL ORDER BY drafted_at_ms DESC LIMIT 8"
        return self._books(sql)

    def _books(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.world.ground.engine.connect() as plain:
            connection = plain.execution_options(reader=True)
            return [tuple(row) for row in connection.exec_driver_sql(sql, values).all()]

    def _lines(self) -> list[Line]:
        chosen: list[Product] = self.rng.choices((TEA, CAKE), k=self.rng.randint(1, 3))
        return [line_of(product) for product in chosen]

    def _at(self, what: str, act: Callable[[Till, str], Any], till: str = "") -> None:
        order = self._order()
        if order is not None:
            self.world.begin(till or self._till(), what, lambda t: act(t, order))

    # -- cashiers ------------------------------------------------------------------------------------------------------

    def sell_by_code(self) -> None:
        lines, gateway = self._lines(), self.rng.choice(GATEWAYS)
        self._keys += self.rng.random() < 0.8
        key = f"key-{self._keys}" if self.rng.random() < 0.3 else ""
        self.world.begin(self._till(), "sell", lambda t: t.checkout.sell(lines, gateway, key=key))

    def save_draft(self) -> None:
        lines = self._lines()
        self.world.begin(self._till(), "save", lambda t: t.selling.save(lines))

    def pay(self) -> None:
        gateway = self.rng.choice(GATEWAYS)
        self._at("pay", lambda t, o: t.checkout.issue(o, gateway))

    def pay_at_both_tills(self) -> None:
        order = self._order()
        if order is not None:
            for till in TILLS:
                gateway = self.rng.choice(GATEWAYS)
                self.world.begin(till, "pay", lambda t, g=gateway: t.checkout.issue(order, g))

    def check(self) -> None:
        self._at("check", lambda t, o: t.checkout.check_now(o))

    def take_cash(self) -> None:
        self._at("cash", lambda t, o: t.cash.take(o))

    def split(self) -> None:
        """Half by link, the rest in any ways that come after; or the plan is taken back."""
        if self.rng.random() < 0.2:
            self._at("drop split", lambda t, o: t.splits.drop(o))
            return
        first, last = self.rng.random(), self.rng.choice((Way.QR, Way.TERMINAL, Way.CASH))

        async def work(till: Till, order: str) -> object:
            left = (await till.queries.order(order)).left_minor
            part = max(1, int(left * first))
            return await till.splits.plan(order, (Share(Way.QR, part), Share(last, left - part)))

        self._at("split", work)

    def take_terminal(self) -> None:
        self._at("terminal", lambda t, o: t.tenders.terminal(o))

    def give_up(self) -> None:
        self._at("give up", lambda t, o: t.checkout.give_up(o))

    def cancel(self) -> None:
        self._at("cancel", lambda t, o: t.checkout.cancel(o, reason="changed their mind"))

    def edit(self) -> None:
        lines = self._lines()
        self._at("edit", lambda t, o: t.selling.save(lines, order_id=o))

    def show_on_screen(self) -> None:
        order = self._order()
        self.world.lives[self._till()].till.sync.watch(order if self.rng.random() < 0.8 else None)

    # -- managers ------------------------------------------------------------------------------------------------------

    def release(self) -> None:
        self._at("release", lambda t, o: t.checkout.release(o, reason="the customer left", actor=OWNER))

    def accept(self) -> None:
        self._at("accept", lambda t, o: t.refunds.accept(o, reason="they came back", actor=OWNER))

    def refund_owed(self) -> None:
        self._at("refund owed", lambda t, o: t.refunds.refund_owed(o, reason="paid twice", actor=OWNER))

    def refund(self) -> None:
        amount = self.rng.choice((None, 1_000, 2_000, 5_000))
        self._at("refund", lambda t, o: t.refunds.refund(o, amount_minor=amount, reason="returned", actor=OWNER))

    def give_back(self) -> None:
        amount = self.rng.choice((None, 1_000, 5_000))
        back = GiveBack("the card is closed", amount_minor=amount)
        asked = self._books("SELECT order_id FROM refund ORDER BY asked_at_ms DESC, id DESC LIMIT :n", n=RECENT)
        if not asked:
            return
        order = self.rng.choice(asked)[0]
        self.world.begin(self._till(), "cash back", lambda t: t.backs.give_back(order, back, actor=OWNER))

    # -- customers and the bank ----------------------------------------------------------------------------------------

    def customer_pays(self) -> None:
        self._customer("paid")

    def customer_is_declined(self) -> None:
        self._customer("declined")

    def customer_pays_slowly(self) -> None:
        self._customer(self.rng.choice(("pending", "pending", "pending_fails")))

    def customer_pays_late(self) -> None:
        self._customer(self.rng.choice(("late", "failed_then_late")), excuse=True)

    def _customer(self, outcome: str, *, excuse: bool = False) -> None:
        on_screen = self._books("SELECT link_id, order_id FROM attempt WHERE phase = 'open' ORDER BY drafted_at_ms")
        shown = on_screen if on_screen and self.rng.random() < 0.8 else self._shown()
        if not shown:
            return
        link, order = self.rng.choice(shown)
        if self._drill(drills.pay_link, link, {"outcome": outcome}) and excuse:
            self.watch.excused.add(order)

    def money_is_forced(self) -> None:
        """Twice on a paid link, late on an expired one, or another amount: what gateways have been seen to do."""
        shown = self._shown()
        if not shown:
            return
        link, order = self.rng.choice(shown)
        self.watch.excused.add(order)
        body: dict[str, Any] = {"own_intent": self.rng.random() < 0.7}
        if self.rng.random() < 0.4:
            body["amount_minor"] = self.rng.choice((1_000, 6_000, 50_000))
        self._drill(drills.capture_link, link, body)

    def link_expires(self) -> None:
        open_links = rows_at_bank(self.world, "SELECT id FROM link WHERE state = 'open' ORDER BY seq")
        if open_links:
            self._drill(drills.expire_link, self.rng.choice(open_links)[0], {})

    def refund_bounces(self) -> None:
        made = rows_at_bank(self.world, "SELECT id FROM refund WHERE state != 'failed' ORDER BY seq")
        if made:
            self._drill(drills.fail_refund, self.rng.choice(made)[0], {})

    def dispute(self) -> None:
        paid = rows_at_bank(self.world, "SELECT id FROM payment WHERE state = 'captured' ORDER BY seq")
        if paid:
            self._drill(drills.dispute_payment, self.rng.choice(paid)[0], {})

    def dispute_ends(self) -> None:
        disputes = rows_at_bank(self.world, "SELECT id FROM dispute WHERE state = 'open' ORDER BY seq")
        if disputes:
            outcome = self.rng.choice(("won", "lost"))
            self._drill(drills.close_dispute, self.rng.choice(disputes)[0], {"outcome": outcome})

    def _drill(self, drill: Callable[..., Any], subject: str, body: dict[str, Any]) -> bool:
        bank = self.world.bank
        name = f"{drill.__name__} {body.get('outcome', '')}".strip()
        try:
            bank.write_now(lambda tx: drill(bank, tx, subject, body))
        except (PosError, Refusal) as error:
            self.world.hits[f"{name}: {type(error).__name__}"] += 1
            return False
        self.world.hits[f"{name}: done"] += 1
        return True

    # -- bad luck ------------------------------------------------------------------------------------------------------

    def bank_misbehaves(self) -> None:
        operation = self.rng.choice(OPERATIONS)
        kinds = KINDS + (REFUND_KINDS if operation == "refund.create" else ())
        kind, options = self.rng.choice(kinds)
        count = self.rng.choice((1, 1, 2, 4))
        self.world.bank.write_now(lambda tx: faults.add(tx, operation, kind, count, options))
        self.world.hits[f"bank {kind}"] += count

    def line_goes_down(self) -> None:
        """For a while; what is asked then does not arrive, and sometimes provably."""
        cut, till = self.world.network.cut, self._till()
        cut.add(till)
        self.world.loop.call_later(self.rng.uniform(2.0, 60.0), cut.discard, till)

    def weather(self) -> None:
        self.world.network.trouble = self.rng.choice((0.0, 0.0, 0.1, 0.3))
        self.world.relay.trouble = self.rng.choice((0.0, 0.2, 0.6, 1.0))

    def relay_forgets(self) -> None:
        self.world.relay.forget()

    def till_crashes(self) -> None:
        """At one of its next commits or calls, before or after it; what was under way is lost."""
        place = self.rng.choice(("before_commit", "after_commit", "before_call", "after_call"))
        self.world.lives[self._till()].process.ends_in[place] = self.rng.randint(0, 4)

    def clock_is_wrong(self) -> None:
        self.world.clocks[self._till()].off_ms = self.rng.choice((0, -90_000, 120_000, 600_000))
        self.world.hits["clock set"] += 1

    _table: tuple[tuple[Callable[[Crowd], None], int], ...] = (
        (sell_by_code, 8),
        (save_draft, 2),
        (pay, 10),
        (pay_at_both_tills, 4),
        (check, 5),
        (take_cash, 6),
        (take_terminal, 1),
        (split, 4),
        (give_up, 5),
        (cancel, 4),
        (edit, 3),
        (show_on_screen, 2),
        (release, 1),
        (accept, 1),
        (refund_owed, 2),
        (refund, 4),
        (give_back, 3),
        (customer_pays, 12),
        (customer_is_declined, 2),
        (customer_pays_slowly, 3),
        (customer_pays_late, 1),
        (money_is_forced, 1),
        (link_expires, 1),
        (refund_bounces, 1),
        (dispute, 1),
        (dispute_ends, 1),
        (bank_misbehaves, 5),
        (line_goes_down, 1),
        (weather, 3),
        (relay_forgets, 1),
        (till_crashes, 3),
        (clock_is_wrong, 1),
    )
    _acts = tuple(act for act, _ in _table)
    _weights = tuple(weight for _, weight in _table)
