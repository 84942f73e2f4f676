"""M12: paid here, absent at the gateway. It alarms, un-pays nothing, and closes when the payment turns up."""

from __future__ import annotations

from pos.domain.facts import Fact, Kind, Mode, Source
from pos.domain.shown import Shown
from pos.domain.store_port import Problem, SweepRun, Tx
from pos.services.absence import note_absences
from pos.services.evidence import Evidence
from pos.services.views import OrderView, Resolution
from tests.services.test_money import sweep
from tests.shop import TEA, Shop


async def paid_by_nobody(shop: Shop, *, account: str = "", ago_s: int = 120) -> OrderView:
    """What a till of this shop was told, and the bank does not know."""
    view = await shop.sell(TEA)
    assert view.attempt is not None
    await shop.check(view)
    known = shop.till.database.read_now(lambda tx: tx.shop.account(shop.gateway))
    assert known is not None
    base = Fact(shop.gateway, account or known.account, Mode.TEST, Kind.PAYMENT_CAPTURED, "pay_ghost")
    at_ms = shop.clock.now_ms() - ago_s * 1000
    captured = base._replace(amount_minor=TEA.price_minor, currency="INR", at_ms=at_ms)
    bound = base._replace(kind=Kind.PAYMENT_OF_LINK, target=view.attempt.link_id)
    await shop.till.settle.take_in(Evidence(shop.gateway, (captured, bound), Source.FETCH, "poll"))
    return view


def alarms(shop: Shop) -> list[Problem]:
    found = shop.till.database.read_now(lambda tx: tx.problems.listed(open_only=False))
    return [problem for problem in found if problem.code == "M12"]


async def test_it_alarms_once_the_report_is_past_it_and_unpays_nothing(shop: Shop) -> None:
    view = await paid_by_nobody(shop)
    assert alarms(shop) == []
    await sweep(shop)
    await sweep(shop)
    (alarm,) = alarms(shop)
    assert (alarm.order_id, alarm.subject, alarm.action) == (view.order_id, "pay_ghost", "investigate")
    assert (await shop.again(view)).shown is Shown.PAID
    await shop.check(view)
    assert alarms(shop)[0].closed_at_ms is None  # other news of the order do not close it
    await shop.till.exceptions.act(alarm.id, Resolution("the bank's list of the day", "Owner"))
    await sweep(shop)
    assert alarms(shop)[0].closed_by == "Owner"
    await shop.assert_books()


async def test_within_the_gateways_lag_or_before_a_whole_run_nothing_is_said(shop: Shop) -> None:
    await paid_by_nobody(shop, ago_s=0)
    now = shop.clock.now_ms()
    await shop.till.reconcile.sweep(shop.gateway, from_ms=now - 3_600_000, to_ms=now)
    assert alarms(shop) == []
    shop.bank.fault("payment.list", "drop", 50)
    run = await shop.till.reconcile.sweep(shop.gateway, from_ms=now - 3_600_000, to_ms=now + 600_000)
    assert (run.complete, alarms(shop)) == (False, [])


async def test_another_accounts_payment_is_not_missed(shop: Shop) -> None:
    await paid_by_nobody(shop, account="acct_before")
    await sweep(shop)
    assert alarms(shop) == []


async def test_it_closes_when_the_payment_turns_up(shop: Shop) -> None:
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    gate = await shop.till.desk.get(shop.gateway)
    now = shop.clock.now_ms()
    run = SweepRun("run", shop.gateway, now - 3_600_000, now + 600_000, now, now, complete=True)

    def as_if_it_was_not_listed(tx: Tx) -> None:
        note_absences(tx, shop.till.context.ids, run, (), gate.adapter)

    shop.till.database.write_now(as_if_it_was_not_listed)
    assert alarms(shop)[0].closed_at_ms is None
    await sweep(shop)
    assert (alarms(shop)[0].closed_at_ms is None, alarms(shop)[0].closed_by) == (False, "")
    await shop.assert_books()
