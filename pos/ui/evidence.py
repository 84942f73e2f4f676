"""The dossier of one order as HTML for paper: tables of what is known, nothing left out, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from pos.domain.status import Shown
from pos.words.orders import Evidence
from pos.words.states import LOOKS

if TYPE_CHECKING:
    from pos.words.formats import Formats

STYLE = "".join(
    (
        "h1{font-size:16pt}",
        "h2{font-size:11pt;margin-top:12pt}",
        "td{padding:2pt;vertical-align:top}",
        "th{padding:2pt;text-align:left;color:#555555}",
    )
)
SHORT_DIGEST = 16
"""Hexadecimal digits of a digest that are printed; all of them stand in the JSON."""


def page(known: dict[str, Any], formats: Formats) -> str:
    """HTML in what Qt's rich text reads. `known` is as `pos.services.dossier` makes it."""
    order, shop = known["order"], known["shop"]
    made = Evidence.MADE.format(shop=shop["name"], till=shop["till"], when=_when(known["made_at_ms"], formats))
    parts = [f"<h1>{escape(Evidence.TITLE.format(number=order['number']))}</h1><p>{escape(made)}</p>"]
    if shop["test"]:
        parts.append(f"<p><b>{escape(Evidence.TEST)}</b></p>")
    parts += [
        _section(Evidence.STATE, "", _state(known, formats)),
        _section(Evidence.HAPPENED, "", _happened(known, formats)),
        _section(Evidence.LINKS, Evidence.LINKS_HEAD, _links(known, formats)),
        _section(Evidence.FACTS, Evidence.FACTS_HEAD, _facts(known, formats)),
        _section(Evidence.CALLS, Evidence.CALLS_HEAD, _calls(known, formats)),
        _section(Evidence.MONEY, Evidence.MONEY_HEAD, _money(known, formats)),
        _section(Evidence.EXCEPTIONS, Evidence.EXCEPTIONS_HEAD, _problems(known, formats)),
        _section(Evidence.JOURNAL, Evidence.JOURNAL_HEAD, _journal(known, formats)),
        f"<p>{escape(Evidence.DIGEST)}: {known['sha256']}</p>",
    ]
    return f"<html><head><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"


def _section(title: str, heads: str, rows: Iterable[Sequence[object]]) -> str:
    """A table below its title, `heads` parted by |; nothing where there are no rows."""
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return ""
    head = "<tr>" + "".join(f"<th>{escape(word)}</th>" for word in heads.split("|")) + "</tr>" if heads else ""
    return f"<h2>{escape(title)}</h2><table>{head}{body}</table>"


def _when(at_ms: int | None, formats: Formats) -> str:
    return f"{formats.day_of(at_ms)} {formats.time_s(at_ms)}" if at_ms is not None else ""


def _amount(minor: int | None, formats: Formats) -> str:
    return "" if minor is None else formats.money(minor)


def _amount_in(minor: int | None, currency: str, of_order: str, formats: Formats) -> str:
    """In the order's currency as people write it; in another one as it came, in its smallest unit."""
    return f"{minor} {currency}" if minor is not None and currency != of_order else _amount(minor, formats)


def _state(known: dict[str, Any], formats: Formats) -> Iterable[Sequence[object]]:
    state = known["state"]
    yield "", LOOKS[Shown(state["shown"])].long_word
    for name in ("due", "kept", "captured", "refunded", "owed", "left"):
        yield name, _amount(state[f"{name}_minor"], formats)
    if state["flags"]:
        yield "flags", " ".join(state["flags"])


def _happened(known: dict[str, Any], formats: Formats) -> Iterable[Sequence[object]]:
    for row in known["timeline"]:
        yield _when(row["at_ms"], formats), row["source"], row["text"]


def _links(known: dict[str, Any], formats: Formats) -> Iterable[Sequence[object]]:
    for a in known["attempts"]:
        amount = _amount(a["amount_minor"], formats)
        yield a["no"], a["gateway"], a["phase"], amount, a["link_id"], _when(a["fenced_at_ms"], formats)


def _facts(known: dict[str, Any], formats: Formats) -> Iterable[Sequence[object]]:
    for fact in known["facts"]:
        what, thing = fact["kind"], " ".join(filter(None, (fact["object"], fact["target"])))
        amount = _amount_in(fact["amount_minor"], fact["currency"], known["order"]["currency"], formats)
        for sighting in fact["sightings"]:
            source = " ".join(filter(None, (sighting["source"], sighting["hint"])))
            answer = sighting["raw_sha256"][:SHORT_DIGEST]
            yield what, thing, amount, _when(sighting["seen_at_ms"], formats), source, answer
            what, thing, amount = "", "", ""


def _calls(known: dict[str, Any], formats: Formats) -> Iterable[Sequence[object]]:
    for call in known["calls"]:
        outcome = " ".join(filter(None, (call["outcome"], call["message"])))
        yield _when(call["at_ms"], formats), call["operation"], call["source"], outcome, call["status"] or ""


def _money(known: dict[str, Any], formats: Formats) -> Iterable[Sequence[object]]:
    for tender in known["tenders"]:
        amount = _amount(tender["amount_minor"], formats)
        yield _when(tender["at_ms"], formats), tender["method"], amount, tender["actor"], tender["reason"]
    for refund in known["refunds"]:
        amount = _amount(refund["amount_minor"], formats)
        what = f"{refund['purpose']} {refund['payment']}"
        yield _when(refund["asked_at_ms"], formats), what, amount, refund["asked_by"], refund["reason"]


def _problems(known: dict[str, Any], formats: Formats) -> Iterable[Sequence[object]]:
    for problem in known["exceptions"]:
        closed = problem["closed_by"] or _when(problem["closed_at_ms"], formats)
        amount = _amount(problem["amount_minor"], formats)
        yield _when(problem["opened_at_ms"], formats), problem["code"], problem["action"], amount, closed


def _journal(known: dict[str, Any], formats: Formats) -> Iterable[Sequence[object]]:
    for entry in known["journal"]:
        no = f"{entry['till']}/{entry['seq']}"
        digest = entry["hash"][:SHORT_DIGEST]
        yield no, _when(entry["at_ms"], formats), entry["actor"], entry["act"], entry["body"], digest
