"""What the contract cannot ask of every gateway: Stripe's payouts, disputes, slow and late money, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pos.domain.facts import Fact, Kind
from pos.domain.ports import LinkInfo, Outcome, Part
from pos.gateways.contract import AMOUNT_MINOR, Talk, report, talk, told
from tests.gateways.sandbox_harness import Sandbox

pytestmark = pytest.mark.xdist_group("gateway-sandbox")


async def all_of(t: Talk, link: LinkInfo) -> list[Fact]:
    """Every fact that looking at a link tells, over all calls it leads to."""
    return [fact for reading in await t.all(t.adapter.fetch(link.id)) for fact in reading.facts]


async def reported(t: Talk, part: Part) -> list[Fact]:
    return [fact for reading in await report(t, part) for fact in reading.facts]


def captured(facts: Iterable[Fact]) -> Fact:
    (fact,) = told(facts, Kind.PAYMENT_CAPTURED)
    return fact


async def test_slow_money_is_pending_and_the_link_takes_no_other(harness: Sandbox) -> None:
    async with talk(harness) as t:
        link = await t.link(t.request())
        await harness.customer(link, "pending")
        reading = await t.fetched(link)
        (pending,) = told(reading.facts, Kind.PAYMENT_PENDING)
        assert (reading.links[0].state, reading.links[0].complete_look) == ("closed", True)
        assert not told(reading.facts, Kind.PAYMENT_CAPTURED)
        assert (await t.read(t.adapter.close(link.id))).outcome is Outcome.GONE
        harness.control(f"/payments/{pending.object}/settle", {"as": "captured"})
        assert captured((await t.fetched(link)).facts).object == pending.object


async def test_money_that_comes_after_the_link_was_closed_is_told(harness: Sandbox) -> None:
    async with talk(harness) as t:
        link = await t.link(t.request())
        await t.read(t.adapter.close(link.id))
        harness.control(f"/links/{link.id}/capture", {})
        assert captured(await all_of(t, link)).amount_minor == AMOUNT_MINOR
        assert link.id in {f.target for f in told(await all_of(t, link), Kind.PAYMENT_OF_LINK)}


async def test_a_second_payment_of_a_paid_link_is_in_the_report_under_our_reference(harness: Sandbox) -> None:
    async with talk(harness) as t:
        request = t.request()
        link, _ = await t.paid(request)
        harness.control(f"/links/{link.id}/capture", {})
        facts = await reported(t, Part.PAYMENTS)
        ours = {f.object for f in told(facts, Kind.PAYMENT_OF_REFERENCE) if f.target == request.reference}
        assert len(ours) == 2
        assert ours <= {f.object for f in told(facts, Kind.PAYMENT_CAPTURED)}


async def test_another_amount_than_asked_for_is_told_as_it_was_paid(harness: Sandbox) -> None:
    async with talk(harness) as t:
        link = await t.link(t.request())
        harness.control(f"/links/{link.id}/pay", {"outcome": "paid", "amount_minor": 777})
        assert captured((await t.fetched(link)).facts).amount_minor == 777


async def test_a_dispute_is_told_by_the_look_and_by_the_report(harness: Sandbox) -> None:
    async with talk(harness) as t:
        link, payment = await t.paid(t.request())
        opened = harness.control(f"/payments/{payment.object}/dispute", {})
        assert [f.amount_minor for f in told(await all_of(t, link), Kind.DISPUTE_OPEN)] == [AMOUNT_MINOR]
        harness.control(f"/disputes/{opened['id']}/close", {"outcome": "lost"})
        facts = [fact for fact in await reported(t, Part.DISPUTES) if fact.object == opened["id"]]
        assert {fact.kind for fact in facts} == {Kind.DISPUTE_LOST, Kind.DISPUTE_OF_PAYMENT}
        assert {f.target for f in told(facts, Kind.DISPUTE_OF_PAYMENT)} == {payment.object}


async def test_a_refund_that_bounces_later_is_a_failed_refund_of_ours(harness: Sandbox) -> None:
    async with talk(harness) as t:
        link, payment = await t.paid(t.request())
        request = t.refund(payment.object, 1000)
        made = await t.read(t.adapter.refund(request))
        assert told(made.facts, Kind.REFUND_SUCCEEDED)
        harness.control(f"/refunds/{made.refund_id}/fail", {})
        facts = await all_of(t, link)
        assert [f.object for f in told(facts, Kind.REFUND_FAILED)] == [made.refund_id]
        assert [f.target for f in told(facts, Kind.REFUND_OF_OURS)] == [request.refund_id]


async def test_more_refunds_than_one_answer_holds_are_all_read(harness: Sandbox) -> None:
    async with talk(harness) as t:
        link, payment = await t.paid(t.request())
        made = {(await t.read(t.adapter.refund(t.refund(payment.object, 100)))).refund_id for _ in range(12)}
        assert {f.object for f in told(await all_of(t, link), Kind.REFUND_SUCCEEDED)} == made
        facts = [f for reading in await t.all(t.adapter.fetch_payment(payment.object)) for f in reading.facts]
        assert {f.object for f in told(facts, Kind.REFUND_SUCCEEDED)} == made
        assert {f.target for f in told(facts, Kind.PAYMENT_OF_LINK)} == {link.id}


async def test_a_payout_names_every_payment_and_refund_in_it_and_adds_up(harness: Sandbox) -> None:
    async with talk(harness) as t:
        _, payment = await t.paid(t.request())
        made = await t.read(t.adapter.refund(t.refund(payment.object, 1000)))
        payouts = harness.control("/payouts", {})
        lines = told(await reported(t, Part.PAYOUTS), Kind.PAYOUT_INCLUDED)
        by_object = {fact.object: fact for fact in lines}
        assert by_object[payment.object].amount_minor == AMOUNT_MINOR
        assert by_object[made.refund_id].amount_minor == -1000
        for payout in payouts:
            of = [fact for fact in lines if fact.target == payout["id"]]
            assert sum((f.amount_minor or 0) - (f.fee_minor or 0) for f in of) == payout["amount_minor"]


async def test_a_fee_is_told_with_the_payment(harness: Sandbox) -> None:
    async with talk(harness) as t:
        link, payment = await t.paid(t.request())
        (fee,) = told((await t.fetched(link)).facts, Kind.PAYMENT_FEE)
        assert fee.object == payment.object
        assert fee.amount_minor is not None
        assert 0 < fee.amount_minor < AMOUNT_MINOR


async def test_a_word_nobody_listed_is_unknown(harness: Sandbox) -> None:
    async with talk(harness) as t:
        link, _ = await t.paid(t.request())
        harness.control("/faults", {"operation": "*", "kind": "unknown_status"})
        reading = await t.read(t.adapter.fetch(link.id))
        assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())
        assert "teleported" in reading.message
