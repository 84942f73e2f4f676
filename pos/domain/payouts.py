"""What a gateway pays out beside what it took: M16 (fee) and M17 (gross). Pure.

Lines of payouts come days after the payment. A line is compared only in a currency that both sides are told in: an
account may be settled in another one than the payment's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pos.domain.facts import Fact, Kind
from pos.domain.joins import FAILED, Bundle, PaymentState
from pos.domain.matching import Action, Finding
from pos.domain.verdict import Verdict

Lines = Mapping[tuple[str, str], Sequence[Fact]]
"""Lines of payouts by (gateway, payment or refund)."""


def differing(bundle: Bundle, verdict: Verdict, tolerance_minor: int) -> Iterator[Finding]:
    """A finding for each payment or refund whose payout lines differ by more than the tolerance."""
    lines = _lines(bundle.facts)
    if not lines:
        return
    for payment in verdict.payments:
        own = lines.get((payment.gateway, payment.id), ())
        taken = payment.captured_minor
        if own and not payment.wrong:
            right = (taken, taken - payment.reversed_minor)
            yield from _gross(own, payment.id, payment.currency, right, tolerance_minor)
        yield from _fee(own, payment, bundle.facts, tolerance_minor)
    gateways = {payment.id: payment.gateway for payment in verdict.payments}
    for refund in verdict.refunds:
        own = lines.get((gateways.get(refund.payment, ""), refund.id), ())
        # what bounced comes back in a line of its own, perhaps in a later payout
        given = (-refund.amount_minor, 0) if refund.state in FAILED else (-refund.amount_minor,)
        yield from _gross(own, refund.id, bundle.order.currency, given, tolerance_minor)


def _lines(facts: Iterable[Fact]) -> Lines:
    found: dict[tuple[str, str], dict[str, Fact]] = defaultdict(dict)
    for fact in facts:
        if fact.kind is Kind.PAYOUT_INCLUDED:
            found[(fact.gateway, fact.object)][fact.id] = fact
    return {name: tuple(own.values()) for name, own in found.items()}


def _gross(
    lines: Sequence[Fact], subject: str, currency: str, right: Collection[int], tolerance_minor: int
) -> Iterator[Finding]:
    if not lines or any(line.currency != currency for line in lines):
        return
    paid = sum(line.amount_minor or 0 for line in lines)
    off = min(abs(paid - each) for each in right)
    if off > tolerance_minor:
        yield Finding("M17", Action.INVESTIGATE, off, subject)


def _fee(
    lines: Sequence[Fact], payment: PaymentState, facts: Iterable[Fact], tolerance_minor: int
) -> Iterator[Finding]:
    """What the payout kept back beside what the payment itself was said to cost."""
    currencies = {line.currency for line in lines}
    if payment.fee_minor is None or len(currencies) != 1:
        return
    told = {
        fact.currency
        for fact in facts
        if fact.kind is Kind.PAYMENT_FEE and (fact.gateway, fact.object) == (payment.gateway, payment.id)
    }
    off = abs(sum(line.fee_minor or 0 for line in lines) - payment.fee_minor)
    if told == currencies and off > tolerance_minor:
        yield Finding("M16", Action.INVESTIGATE, off, payment.id)
