"""All that is known of one order on one page: for a dispute with a bank, a tax office, or a customer. Reads only.

Every fact stands with each of its sightings (who told us, why we asked, when, and the digest of what was answered),
every call with its outcome, every decision with its name and its place in the journal's chain. The page carries the
SHA-256 of its own content, so that a copy can be compared with the books.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from pos.domain.joins import Bundle
from pos.domain.shown import outward, shown
from pos.domain.store_port import Tx
from pos.domain.verdict import fold
from pos.services.context import ShopSettings
from pos.services.orderview import find_order, state_of
from pos.services.timeline import Money, timeline

SECRET = {"token", "qr_url"}
"""Columns that open a customer's page: not for a paper that goes round."""


def dossier(tx: Tx, name: str, shop: ShopSettings, money: Money, now_ms: int) -> dict[str, Any]:
    """The page as plain values: amounts in minor units, times in ms since 1970 UTC. `name` as `find_order` takes it.

    Raises:
        NotFound: no such order.
    """
    order = find_order(tx, name)
    bundle = tx.facts.bundle(order.id)
    content: dict[str, Any] = {
        "shop": {"name": shop.name, "id": shop.shop_id, "till": shop.till, "test": shop.test_mode},
        "order": {key: value for key, value in asdict(bundle.order).items() if key != "lines"},
        "lines": [asdict(line) | {"amount_minor": line.amount_minor} for line in bundle.order.lines],
        "state": _state(bundle, now_ms),
        "attempts": [{k: v for k, v in asdict(a).items() if k not in SECRET} for a in bundle.attempts],
        "facts": _facts(tx, order.id),
        "calls": [asdict(call) for call in tx.outbox.calls(order.id)],
        "plans": [asdict(plan) for plan in tx.plans.all(order.id)],
        "tenders": [asdict(tender) for tender in bundle.tenders],
        "refunds": [asdict(refund) for refund in bundle.refunds],
        "returns": [asdict(note) for note in tx.returns.of_order(order.id)],
        "exceptions": [asdict(problem) for problem in tx.problems.of_order(order.id)],
        "journal": [asdict(entry) for entry in tx.journal.of_subject(order.id)],
        "timeline": [asdict(row) for row in timeline(tx, order, money)],
        "made_at_ms": now_ms,
    }
    return content | {"sha256": digest_of(content)}


def digest_of(content: dict[str, Any]) -> str:
    """SHA-256 of the page without its own digest: keys sorted, no spaces, UTF-8."""
    known = {key: value for key, value in content.items() if key != "sha256"}
    text = json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _state(bundle: Bundle, now_ms: int) -> dict[str, Any]:
    verdict = fold(bundle)
    state = state_of(bundle, verdict, now_ms)
    return {
        "shown": shown(state).value,
        "money": verdict.money.value,
        "certainty": state.certainty.value,
        "outward": outward(state).value,
        "due_minor": verdict.due_minor,
        "kept_minor": verdict.kept_minor,
        "captured_minor": verdict.captured_minor,
        "refunded_minor": verdict.refunded_minor,
        "returned_minor": verdict.returned_minor,
        "owed_minor": verdict.owed_minor,
        "left_minor": verdict.left_minor,
        "flags": [flag.value for flag in verdict.flags],
        "payments": [asdict(payment) for payment in verdict.payments],
    }


def _facts(tx: Tx, order_id: str) -> list[dict[str, Any]]:
    """Each once, in the order in which it was first seen, with its sightings."""
    found: dict[str, dict[str, Any]] = {}
    for fact, sighting in tx.facts.timeline(order_id):
        row = found.setdefault(fact.id, {"id": fact.id, **fact._asdict(), "sightings": []})
        row["sightings"].append(sighting._asdict())
    return list(found.values())
