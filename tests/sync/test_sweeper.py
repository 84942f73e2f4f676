"""One process sweeps, by a lease; further back once a day; a report that is broken in part is read in the others."""

from __future__ import annotations

from pos.domain.facts import Kind
from pos.domain.ports import PreparedCall
from pos.domain.store_port import SweepRun, Tx
from pos.domain.verdict import Flag
from pos.services.bus import Event, OrderChanged
from pos.services.views import OrderView
from pos.sync.sweeper import ASK_AGAIN_S, Sweeper
from tests.engines import sql
from tests.services.test_money import link_of
from tests.shop import TEA, Bank, Shop, reopen

PAUSE_S = 300.0
DAY_MS = 86_400_000


def runs(shop: Shop) -> list[SweepRun]:
    def read(tx: Tx) -> list[SweepRun]:
        rows = sql(tx, "SELECT * FROM sweep_run ORDER BY started_at_ms")
        names = list(SweepRun.__dataclass_fields__)
        made = [SweepRun(**{k: v for k, v in row.items() if k in names}) for row in rows]
        return [run for run in made if run.gateway == shop.gateway]

    return shop.till.database.read_now(read)


async def has_bounced(shop: Shop, view: OrderView) -> None:
    """Until the bank itself says that the refund came back; nothing of it is settled here."""
    gate = await shop.till.desk.get(shop.gateway)
    payment = view.payments[0].id
    for _ in range(200):
        call: PreparedCall | None = gate.adapter.fetch_payment(payment)
        while call is not None:
            reading = (await shop.till.desk.ask(gate, call)).reading
            if {f.kind for f in reading.facts} & {Kind.REFUND_FAILED, Kind.REFUND_REVERSED}:
                return
            call = reading.next
    raise AssertionError("the refund did not bounce")


async def test_one_of_two_processes_sweeps_and_the_other_asks_again_soon(shop: Shop) -> None:
    other = reopen(shop)
    first = Sweeper(shop.till.context, shop.till.reconcile)
    second = Sweeper(other.till.context, other.till.reconcile)
    assert await first.tick(PAUSE_S) == PAUSE_S
    assert await second.tick(PAUSE_S) == ASK_AGAIN_S
    assert len(runs(shop)) == 1
    shop.clock.advance(PAUSE_S + 61)  # the first was killed: its lease is over
    assert await second.tick(PAUSE_S) == PAUSE_S
    assert len(runs(shop)) == 2
    await other.till.close()


async def test_a_lease_from_before_the_clock_was_set_back_keeps_nobody_from_sweeping(shop: Shop) -> None:
    other = reopen(shop)
    shop.clock.advance(20 * 86_400)
    await Sweeper(shop.till.context, shop.till.reconcile).tick(PAUSE_S)
    shop.clock.advance(-20 * 86_400)
    assert await Sweeper(other.till.context, other.till.reconcile).tick(PAUSE_S) == PAUSE_S
    await other.till.close()


async def test_the_bounce_of_an_old_refund_is_found_without_a_relay(shop: Shop, bank: Bank) -> None:
    """Reports go by the time a refund was made: one that bounces days later is outside the usual window."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    view = await shop.check(view)
    bank.fault("refund.create", "refund_fails", after_s=0.0, succeed_first=True)
    await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    await has_bounced(shop, view)

    def long_ago(tx: Tx) -> None:
        sql(tx, "UPDATE orders SET created_at_ms = created_at_ms - :past", past=3 * DAY_MS)

    shop.till.database.write_now(long_ago)
    shop.clock.advance(3 * 86_400)
    sweeper = Sweeper(shop.till.context, shop.till.reconcile)
    offset = shop.clock.offset_ms
    gate = await shop.till.desk.get(shop.gateway)
    true_ask = gate.ask

    async def days_later(call: object, *, timeout_s: float) -> object:
        """The bank's clock, three days on."""
        asked = await true_ask(call, timeout_s=timeout_s)  # type: ignore[arg-type]
        now = asked.gateway_now_ms
        return asked._replace(gateway_now_ms=None if now is None else now + offset)

    object.__setattr__(gate, "ask", days_later)
    await shop.till.reconcile.sweep(shop.gateway)
    assert Flag.REFUND_FAILED not in (await shop.again(view)).flags
    await sweeper.tick(PAUSE_S)
    assert Flag.REFUND_FAILED in (await shop.again(view)).flags
    reached = [run.to_ms - run.from_ms for run in runs(shop)]
    shop.clock.advance(PAUSE_S)
    await sweeper.tick(PAUSE_S)
    assert [run.to_ms - run.from_ms for run in runs(shop)][len(reached) + 1 :] == []  # not again on the same day


async def test_a_part_that_cannot_be_read_hides_none_of_the_others(shop: Shop, bank: Bank) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    view = await shop.check(view)
    bank.fault("refund.create", "refund_fails", after_s=0.0, succeed_first=True)
    await shop.till.refunds.refund(view.order_id, amount_minor=None, reason="cold", actor="Owner")
    await has_bounced(shop, view)
    shop.clock.advance(2)
    bank.fault("payment.list", "html", 1)
    run = await shop.till.reconcile.sweep(
        shop.gateway, from_ms=shop.clock.now_ms() - 3_600_000, to_ms=shop.clock.now_ms() + 60_000
    )
    assert not run.complete
    assert run.note
    assert Flag.REFUND_FAILED in (await shop.again(view)).flags
    assert shop.till.database.read_now(lambda tx: tx.sync.watermark(shop.gateway)) is None


async def test_a_second_sweep_of_the_same_window_folds_nothing_again(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    shop.clock.advance(2)
    to_ms = shop.clock.now_ms() + 60_000
    await shop.till.reconcile.sweep(shop.gateway, from_ms=to_ms - 3_600_000, to_ms=to_ms)
    told: list[Event] = []
    shop.till.bus.subscribe(told.append)
    assert (await shop.till.reconcile.sweep(shop.gateway, from_ms=to_ms - 3_600_000, to_ms=to_ms)).rows >= 1
    assert [e for e in told if isinstance(e, OrderChanged)] == []
    assert link_of(view)


async def test_the_watermark_is_by_the_gateways_clock_as_it_is_now(shop: Shop) -> None:
    """The till's clock was right when the gateway was last asked, and is days ahead since."""
    await shop.till.reconcile.sweep(shop.gateway)
    right = shop.clock.now_ms()
    shop.clock.advance(5 * 86_400)
    await shop.till.reconcile.sweep(shop.gateway)
    mark = shop.till.database.read_now(lambda tx: tx.sync.watermark(shop.gateway))
    assert mark is not None
    assert abs(mark - right) < 60_000
