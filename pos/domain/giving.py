"""What may still go back of an order's payments, and what it makes good. Pure functions over bundle and verdict."""

from __future__ import annotations

from pos.domain.joins import FAILED, Bundle, disputes_of, known_of
from pos.domain.verdict import Proposal, Verdict, newest_first, refundable_minor, unreplaced


def refundable_of(bundle: Bundle, verdict: Verdict, payment_id: str) -> int:
    """`refundable_minor` of one payment of an order, 0 if it is not one of its payments."""
    disputes = disputes_of(known_of(bundle.facts))
    for payment in verdict.payments:
        if payment.id == payment_id and payment.counts:
            return refundable_minor(payment, (*verdict.refunds, *verdict.backs), disputes)
    return 0


def back_room(bundle: Bundle, verdict: Verdict, payment_id: str) -> int:
    """What may still go back of a payment: of what the order is owed while it is, else of what was captured."""
    room = refundable_of(bundle, verdict, payment_id)
    return min(room, verdict.owed_minor) if verdict.owed_minor else room


def owed_at(verdict: Verdict, gateway: str) -> int:
    """What of the excess is this gateway's: it is owed to the newest captures first, to each as much as it brought."""
    left, here = verdict.owed_minor, 0
    for payment in newest_first(verdict.payments):
        part = min(left, max(0, payment.captured_minor - payment.reversed_minor))
        left -= part
        here += part if payment.gateway == gateway else 0
    return here


def stuck(bundle: Bundle, verdict: Verdict) -> list[Proposal]:
    """Payments that the gateway refused to give back, or that bounced: what of each may be given back otherwise.

    The amount is what its failed refunds leave open; where they are made good, all that may still go back.
    """
    found = []
    waiting = unreplaced(verdict.refunds, bundle)
    for payment in verdict.payments:
        room = back_room(bundle, verdict, payment.id)
        if room and any(r.payment == payment.id and r.state in FAILED for r in verdict.refunds):
            open_minor = sum(r.amount_minor for r in waiting if r.payment == payment.id)
            amount = min(room, open_minor or room)
            found.append(Proposal(payment.gateway, payment.account, payment.id, amount))
    return found


def replaced_by(payment: str, amount_minor: int, verdict: Verdict, bundle: Bundle) -> str:
    """Which failed refunds of a payment a new one of this amount makes good, the oldest first."""
    left, names = amount_minor, []
    for failed in sorted(unreplaced(verdict.refunds, bundle), key=lambda r: r.ours or r.id):
        if failed.payment == payment and failed.amount_minor <= left:
            left -= failed.amount_minor
            names.append(failed.ours or failed.id)
    return " ".join(names)
