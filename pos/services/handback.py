"""Money that goes back over the counter: in what it was taken in, newest first. Under the order's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pos.domain.cash import Method, Tender
from pos.domain.giving import replaced_by
from pos.domain.joins import Bundle
from pos.domain.refund import Purpose
from pos.domain.store_port import Tx
from pos.domain.verdict import Proposal, fold
from pos.services.context import Context
from pos.services.tendering import Tendering


@dataclass(frozen=True, slots=True)
class Because:
    """What the tenders say about themselves; `act` is the journal's word."""

    act: str
    reason: str
    actor: str
    return_id: str = ""


class HandBack:
    def __init__(self, context: Context, tendering: Tendering) -> None:
        self._context = context
        self._tendering = tendering

    def write(self, tx: Tx, bundle: Bundle, amount_minor: int, why: Because) -> None:
        """Tenders of together `-amount_minor`, each with its Z entry, its line in the journal and the drawer."""
        for method, part in _by_method(bundle, amount_minor):
            self._tendering.write(tx, self._tender(bundle, method, part, why), why.act, why.reason)

    def write_bound(self, tx: Tx, bundle: Bundle, of: Sequence[Proposal], why: Because) -> None:
        """Cash for payments that nobody can be asked for any more, each bound to its payment and in its cap."""
        verdict = fold(bundle)
        for proposal in of:
            payment, amount = proposal.payment, proposal.amount_minor
            tender = replace(
                self._tender(bundle, Method.CASH, amount, why),
                payment=payment,
                purpose=Purpose.RETURN.value,
                replaces=replaced_by(payment, amount, verdict, bundle),
            )
            self._tendering.write(tx, tender, "tender.given_back", why.reason)

    def _tender(self, bundle: Bundle, method: Method, amount_minor: int, why: Because) -> Tender:
        return Tender(
            id=self._context.ids.uuid7(),
            order_id=bundle.order.id,
            method=method,
            amount_minor=-amount_minor,
            currency=bundle.order.currency,
            at_ms=self._context.now_ms(),
            actor=why.actor,
            reason=why.reason,
            till=self._context.shop.till,
            return_id=why.return_id,
        )


def _by_method(bundle: Bundle, amount_minor: int) -> list[tuple[Method, int]]:
    """From the terminal at most what it took; the rest in cash, also what was only said to have been paid."""
    own = [t for t in bundle.tenders if not t.payment]  # what went back for a payment was never taken over the counter
    newest = sorted(own, key=lambda t: (t.at_ms, t.id), reverse=True)
    found: list[tuple[Method, int]] = []
    for method in dict.fromkeys(t.method for t in newest if t.method is not Method.BY_HAND):
        taken = sum(t.amount_minor + t.rounding_minor for t in newest if t.method is method)
        part = min(amount_minor, taken)
        if part > 0:
            found.append((method, part))
            amount_minor -= part
    in_cash = amount_minor + sum(part for method, part in found if method is Method.CASH)
    others = [pair for pair in found if pair[0] is not Method.CASH]
    return [*others, (Method.CASH, in_cash)] if in_cash else others
