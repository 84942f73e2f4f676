"""The page with all that is known of one order: complete, without secrets, and what the command and the file say."""

from __future__ import annotations

import json
import re
import zlib

import pytest

from pos.domain.errors import NotFound
from pos.services.dossier import digest_of
from pos.ui import evidence, pdf
from tests.services.test_money import link_of, sweep
from tests.shop import TEA, Shop


async def known_of(shop: Shop) -> dict[str, object]:
    """Paid twice by two phones, one given back; every way in which we learn of it."""
    view = await shop.sell(TEA)
    await shop.pays(view)
    await shop.check(view)
    shop.bank.desk("POST", f"/links/{link_of(view)}/capture", {})
    await sweep(shop)
    await shop.till.refunds.refund_owed(view.order_id, reason="paid twice <b>", actor="Owner")
    return await shop.till.queries.dossier(view.number)


async def test_every_fact_stands_with_every_sighting_and_every_call(shop: Shop) -> None:
    known = await known_of(shop)
    order_id = known["order"]["id"]  # type: ignore[index]
    rows = shop.till.database.read_now(lambda tx: tx.facts.timeline(order_id))
    told = [(fact["id"], s["source"], s["hint"]) for fact in known["facts"] for s in fact["sightings"]]  # type: ignore[attr-defined]
    assert sorted(told) == sorted((fact.id, sighting.source.value, sighting.hint) for fact, sighting in rows)
    assert {"fetch", "report"} <= {source for _, source, _ in told}
    calls = shop.till.database.read_now(lambda tx: tx.outbox.calls(order_id))
    assert len(known["calls"]) == len(calls) > 0  # type: ignore[arg-type]
    assert known["state"]["shown"] == "paid"  # type: ignore[index]
    assert [p["code"] for p in known["exceptions"]]  # type: ignore[attr-defined]
    acts = {entry["act"] for entry in known["journal"]}  # type: ignore[attr-defined]
    assert {"attempt.drafted", "order.money", "refund.asked"} <= acts


async def test_the_page_carries_its_own_digest_and_no_address_of_a_customers_page(shop: Shop) -> None:
    known = await known_of(shop)
    assert json.loads(json.dumps(known)) == known
    assert digest_of(known) == known["sha256"]
    assert digest_of({**known, "order": {}}) != known["sha256"]
    order_id = known["order"]["id"]  # type: ignore[index]
    attempt = shop.till.database.read_now(lambda tx: tx.attempts.of_order(order_id))[0]
    assert attempt.token
    assert attempt.token not in json.dumps(known)


async def test_the_paper_says_all_of_it_and_escapes_what_people_typed(shop: Shop, qapp: object) -> None:
    known = await known_of(shop)
    html = evidence.page(known, shop.till.formats)
    for fact in known["facts"]:  # type: ignore[attr-defined]
        assert fact["kind"] in html
    assert "paid twice &lt;b&gt;" in html
    assert known["sha256"] in html  # type: ignore[operator]
    data = pdf.make_sheet("Order", html)
    assert data.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) >= 1
    assert any(b"TJ" in zlib.decompress(each) or b"Tj" in zlib.decompress(each) for each in _streams(data))


async def test_an_order_that_is_not_there(shop: Shop) -> None:
    with pytest.raises(NotFound):
        await shop.till.queries.dossier("9-99999")


def _streams(data: bytes) -> list[bytes]:
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    return [each for each in found if each[:1] == b"x"]
