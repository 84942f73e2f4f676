"""How an order is being shared, and in which ways its money came: what screens, receipts and commands say of both."""

from __future__ import annotations

from pos.domain.cash import Method, Tender
from pos.domain.joins import Bundle
from pos.domain.plan import Plan, parts
from pos.domain.verdict import Verdict
from pos.services.views import PaidLine, ShareView
from pos.words.happened import Methods
from pos.words.ways import gateway_title, way_text

METHOD_WORDS = {Method.CASH: Methods.CASH, Method.TERMINAL: Methods.TERMINAL, Method.BY_HAND: Methods.BY_HAND}
WAYS = {"qr": frozenset({"qr"}), "cash": frozenset({"cash"}), "terminal": frozenset({"terminal"})}
"""What may be done to collect a share of each way; the others wait for their turn."""


def shares_of(plan: Plan | None, kept_minor: int) -> tuple[ShareView, ...]:
    """The parts of a standing plan: those that are paid, the one that comes next, and the others."""
    found: list[ShareView] = []
    waiting = False
    for part in parts(plan, kept_minor) if plan else ():
        state = "paid" if not part.lacks_minor else "open" if waiting else "next"
        waiting = waiting or state == "next"
        share = part.share
        words = way_text(share.way, share.gateway)
        found.append(ShareView(share.way.value, share.gateway, share.amount_minor, part.filled_minor, state, words))
    return tuple(found)


def by_plan(allowed: frozenset[str], shares: tuple[ShareView, ...]) -> frozenset[str]:
    """What may be done while a plan stands: of the ways to pay only the one that comes next."""
    following = next((share for share in shares if share.state == "next"), None)
    if following is None:
        return allowed
    return allowed - (frozenset.union(*WAYS.values()) - WAYS[following.way])


def paid_by(bundle: Bundle, verdict: Verdict) -> tuple[PaidLine, ...]:
    """Each payment and tender that counts, in the order in which they came."""
    lines = [
        (p.captured_at_ms or 0, Methods.QR.format(gateway=gateway_title(p.gateway)), p.captured_minor)
        for p in verdict.payments
        if p.counts and p.captured_minor
    ]
    lines += [
        (tender.at_ms, _word(tender), amount) for tender in bundle.tenders if (amount := _counted(tender, verdict))
    ]
    return tuple(PaidLine(text, amount) for _, text, amount in sorted(lines, key=lambda line: line[0]))


def _word(tender: Tender) -> str:
    method = str(METHOD_WORDS[tender.method])
    return Methods.BACK.format(method=method.lower()) if tender.payment else method


def _counted(tender: Tender, verdict: Verdict) -> int:
    """What was accepted by hand and captured later is told as the payment that it turned out to be."""
    if tender.method is not Method.BY_HAND:
        return tender.amount_minor
    captured = sum(p.captured_minor for p in verdict.payments if p.attempt_id == tender.attempt_id)
    return 0 if captured else tender.amount_minor
