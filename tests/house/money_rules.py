"""Writes docs/money-rules.md from the code: what every combination of facts means. A house test compares the two.

`python -m tests.house.money_rules` prints the page, `--write` keeps it. Nothing is decided here: each row builds an
order, and the functions that the till runs say what it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from pos.domain.cash import Method, Tender
from pos.domain.facts import Fact, Kind, Mode
from pos.domain.joins import DISPUTE_RANK, PAYMENT_RANK, REFUND_RANK, Bundle
from pos.domain.matching import MEANING, Action, findings
from pos.domain.order import Life, Order
from pos.domain.payment import ALLOWED, CALL_TIMEOUT_S, LIVE, SHOWN, Attempt, Phase, reference
from pos.domain.refund import Purpose, Refund
from pos.domain.shown import TABLE, Shown, State, outward, shown
from pos.domain.verdict import LOOK_LATE_S, LOOKS_FAILED, certainty, fold
from pos.services.orderview import may
from pos.words.states import LOOKS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "money-rules.md"
ORDER_ID, ACCOUNT = "0190a000-0000-7000-8000-000000000001", "acct_shop"
TOTAL, NOW_MS = 1_000, 10_000
ENDED = {Phase.CLOSED, Phase.ABANDONED, Phase.RELEASED}
PAYMENT_WORDS = ("none", "pending", "failed", "authorized", "voided", "captured")


@dataclass(frozen=True)
class Case:
    """One row: in words, and as what is known of the order."""

    words: tuple[str, ...]
    bundle: Bundle = field(compare=False)

    @property
    def result(self) -> tuple[str, ...]:
        return _result(self.bundle)


def order(life: Life) -> Order:
    return Order(ORDER_ID, "1-00001", "1", "EUR", life, 1, TOTAL, 1_000, "2026-11-22")


def attempt(phase: Phase, no: int = 1, **more: object) -> Attempt:
    fenced = NOW_MS if phase is Phase.CLOSED else None
    made = Attempt(
        id=f"attempt{no}", order_id=ORDER_ID, no=no, revision=1, gateway="stripe", account=ACCOUNT, mode=Mode.TEST,
        amount_minor=TOTAL, currency="EUR", key=f"key{no}", reference=reference(ORDER_ID, no), phase=phase,
        drafted_at_ms=NOW_MS, send_by_ms=NOW_MS + 60_000, link_id=f"cs_{no}", shown_at_ms=NOW_MS, fenced_at_ms=fenced,
        fence_kind="closed" if fenced else "", look_due_at_ms=NOW_MS + 3_000,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def fact(kind: Kind, thing: str, target: str = "", **more: object) -> Fact:
    return Fact("stripe", ACCOUNT, Mode.TEST, kind, thing, target, **more)  # type: ignore[arg-type]


def payment(state: str, no: int = 1, amount: int = TOTAL, **more: object) -> tuple[Fact, ...]:
    """What is known of the payment of link `no` once it is in this state."""
    if state == "none":
        return ()
    kind = Kind(f"payment.{state}")
    values: dict[str, object] = {}
    if kind is Kind.PAYMENT_CAPTURED:
        values = {"amount_minor": amount, "currency": "EUR", "at_ms": NOW_MS + no}
    return fact(Kind.PAYMENT_OF_LINK, f"ch_{no}", f"cs_{no}"), fact(kind, f"ch_{no}", "", **(values | more))


def cash(amount: int = TOTAL, **more: object) -> Tender:
    made = Tender("tender", ORDER_ID, Method.CASH, amount, "EUR", NOW_MS)
    return replace(made, **more)  # type: ignore[arg-type]


def refund(state: str, amount: int, purpose: Purpose, no: int = 1) -> tuple[Refund, tuple[Fact, ...]]:
    row = Refund(
        f"refund{no}",
        ORDER_ID,
        "stripe",
        ACCOUNT,
        "ch_1",
        amount,
        "EUR",
        purpose,
        "",
        "Owner",
        "Owner",
        f"r{no}",
        NOW_MS,
    )
    told = (fact(Kind.REFUND_OF_OURS, f"re_{no}", row.id), fact(Kind.REFUND_OF_PAYMENT, f"re_{no}", "ch_1"))
    if state == "requested":
        return row, ()
    return row, (*told, fact(Kind(f"refund.{state}"), f"re_{no}", amount_minor=amount, currency="EUR"))


def known(life: Life, attempts: Sequence[Attempt] = (), facts: Iterable[Fact] = (), **more: object) -> Bundle:
    links = {("stripe", f"cs_{no}"): ORDER_ID for no in (1, 2)}
    made = Bundle(order(life), tuple(attempts), tuple(facts), links=links)
    return replace(made, **more)  # type: ignore[arg-type]


def order_with_facts(count: int) -> Bundle:
    """An order paid twice, with as many refunds as make up `count` different facts: what a benchmark folds."""
    facts = [each for no in (1, 2) for state in PAYMENT_WORDS[1:] for each in payment(state, no)]
    rows: list[Refund] = []
    while len({each.id for each in facts}) < count:
        row, told = refund("succeeded", 1, Purpose.RETURN, len(rows) + 1)
        rows.append(row)
        facts += told
    unique = list({each.id: each for each in facts}.values())[:count]
    return known(Life.PLACED, (attempt(Phase.CLOSED), attempt(Phase.CLOSED, 2)), unique, refunds=tuple(rows))


# --- the tables -----------------------------------------------------------------------------------------------------


def links_and_payments() -> Iterator[Case]:
    """Every phase of a link and every state of its payment, with and without cash, sold and voided."""
    for life in (Life.PLACED, Life.VOIDED):
        for phase in Phase:
            for state in PAYMENT_WORDS:
                for paid in ((), (cash(),)):
                    bundle = known(life, (attempt(phase),), payment(state), tenders=paid)
                    yield Case((life, phase, state, "yes" if paid else "no"), bundle)


def without_links() -> Iterator[Case]:
    for life in Life:
        for amount in (0, TOTAL // 2, TOTAL, TOTAL * 2):
            paid = (cash(amount),) if amount else ()
            words = {0: "none", TOTAL // 2: "half", TOTAL: "all", TOTAL * 2: "twice"}[amount]
            yield Case((life, words), known(life, tenders=paid))


def odd_payments() -> Iterator[Case]:
    one = (attempt(Phase.CLOSED),)
    two = (attempt(Phase.CLOSED), attempt(Phase.CLOSED, 2))
    both = (*payment("captured"), *payment("captured", 2))
    expired = (*payment("captured"), fact(Kind.LINK_EXPIRED, "cs_1"))
    wrong = payment("captured")
    yield Case(("two links, both paid",), known(Life.PLACED, two, both))
    yield Case(("one link, more than asked for",), known(Life.PLACED, one, payment("captured", amount=TOTAL + 50)))
    yield Case(("one link, less than asked for",), known(Life.PLACED, one, payment("captured", amount=TOTAL - 50)))
    yield Case(("another currency",), known(Life.PLACED, one, payment("captured", currency="USD")))
    other = [each._replace(account="acct_other") for each in wrong]
    yield Case(("another account",), known(Life.PLACED, one, other))
    live = [each._replace(mode=Mode.LIVE) for each in wrong]
    yield Case(("live mode in books of test mode",), known(Life.PLACED, one, live))
    yield Case(("paid after the link expired",), known(Life.PLACED, one, expired))
    back = (*payment("captured"), fact(Kind.PAYMENT_REVERSED, "ch_1", amount_minor=TOTAL, currency="EUR"))
    yield Case(("taken back by the gateway",), known(Life.PLACED, one, back))
    released = (attempt(Phase.RELEASED, fence_kind="override"), attempt(Phase.CLOSED, 2))
    yield Case(("given up by a manager, then both paid",), known(Life.PLACED, released, both))
    hand = cash(method=Method.BY_HAND, attempt_id="attempt1")
    yield Case(("accepted by hand",), known(Life.PLACED, (attempt(Phase.RELEASED),), (), tenders=(hand,)))
    more = payment("captured")
    yield Case(
        ("accepted by hand, then captured",), known(Life.PLACED, (attempt(Phase.CLOSED),), more, tenders=(hand,))
    )


def refunds_and_disputes() -> Iterator[Case]:
    one, paid = (attempt(Phase.CLOSED),), payment("captured")
    twice = (*payment("captured"), *payment("captured", 2))
    two = (attempt(Phase.CLOSED), attempt(Phase.CLOSED, 2))
    for state in ("requested", *(kind.removeprefix("refund.") for kind in REFUND_RANK)):
        row, told = refund(state, TOTAL, Purpose.UNDO)
        yield Case(("undo, of two payments", state), known(Life.PLACED, two, (*twice, *told), refunds=(row,)))
        row, told = refund(state, TOTAL, Purpose.RETURN)
        yield Case(("return of all", state), known(Life.PLACED, one, (*paid, *told), refunds=(row,)))
        noted = replace(row, return_id="note")
        yield Case(("return of all, with its goods", state), known(Life.PLACED, one, (*paid, *told), refunds=(noted,)))
        row, told = refund(state, TOTAL // 2, Purpose.RETURN)
        yield Case(("return of half", state), known(Life.PLACED, one, (*paid, *told), refunds=(row,)))
        row, told = refund(state, TOTAL, Purpose.UNDO)
        yield Case(("undo, order voided", state), known(Life.VOIDED, one, (*paid, *told), refunds=(row,)))
    elsewhere = (
        fact(Kind.REFUND_OF_PAYMENT, "re_x", "ch_1"),
        fact(Kind.REFUND_SUCCEEDED, "re_x", amount_minor=TOTAL, currency="EUR"),
    )
    yield Case(("made at the gateway", "succeeded"), known(Life.PLACED, one, (*paid, *elsewhere)))
    yield Case(("made at the gateway, of two payments", "succeeded"), known(Life.PLACED, two, (*twice, *elsewhere)))
    for kind in DISPUTE_RANK:
        told = (fact(Kind.DISPUTE_OF_PAYMENT, "dp", "ch_1"), fact(kind, "dp", amount_minor=TOTAL, currency="EUR"))
        state = kind.removeprefix("dispute.")
        yield Case(("dispute", state), known(Life.PLACED, one, (*paid, *told)))
        yield Case(("dispute, of two payments", state), known(Life.PLACED, two, (*twice, *told)))


def given_back_in_cash() -> Iterator[Case]:
    """What a link took and its gateway could not give back: a tender that is bound to the payment."""
    one, two = (attempt(Phase.CLOSED),), (attempt(Phase.CLOSED), attempt(Phase.CLOSED, 2))
    paid, twice = payment("captured"), (*payment("captured"), *payment("captured", 2))
    for words, purpose, amount, life, attempts, facts in (
        ("undo, of two payments", Purpose.UNDO, TOTAL, Life.PLACED, two, twice),
        ("undo, order voided", Purpose.UNDO, TOTAL, Life.VOIDED, one, paid),
        ("return of all", Purpose.RETURN, TOTAL, Life.PLACED, one, paid),
        ("return of half", Purpose.RETURN, TOTAL // 2, Life.PLACED, one, paid),
    ):
        row, told = refund("failed", amount, purpose)
        back = cash(-amount, payment="ch_1", purpose=purpose.value, replaces=row.id)
        yield Case((words,), known(life, attempts, (*facts, *told), refunds=(row,), tenders=(back,)))


def _result(bundle: Bundle) -> tuple[str, ...]:
    verdict = fold(bundle)
    sure = certainty(bundle.attempts, verdict.in_flight, NOW_MS + 1)
    state = State(bundle.order, verdict, sure, bundle.attempts)
    word = shown(state)
    asks = [f.code + (f" {f.action}" if f.action is not Action.NONE else "") for f in findings(bundle, verdict)]
    return (
        LOOKS[word].long,
        verdict.money,
        _percent(verdict.kept_minor),
        _percent(verdict.owed_minor),
        outward(state),
        " ".join(verdict.flags),
        ", ".join(asks),
        " ".join(sorted(may(state, word))),
    )


def _percent(minor: int) -> str:
    return f"{minor * 100 // TOTAL} %" if minor else ""


RESULTS = ("People read", "Money", "Kept", "Owed back", "Others are told", "Flags", "Exceptions", "May")


def table(names: Sequence[str], cases: Iterable[Case]) -> list[str]:
    """Rows one after the other; neighbours that differ in their last but one word only are one row."""
    head = [*names, *RESULTS]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for words, result in _joined([(case.words, case.result) for case in cases]):
        lines.append("| " + " | ".join([*words, *result]) + " |")
    return [*lines, ""]


def _joined(rows: list[tuple[tuple[str, ...], tuple[str, ...]]]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    for (result, first), group in groupby(rows, key=lambda row: (row[1], row[0][:-1])):
        last = list(dict.fromkeys(words[-1] for words, _ in group))
        yield (*first, " / ".join(last)), result


def joins() -> list[str]:
    """What is known already, and what is learnt: the higher one stands, in whatever order they come."""
    lines = []
    ranks: Mapping[str, Mapping[Kind, int]] = {
        "payment": PAYMENT_RANK, "refund": REFUND_RANK, "dispute": DISPUTE_RANK,
    }  # fmt: skip
    for what, rank in ranks.items():
        names = [kind.removeprefix(f"{what}.") for kind in rank]
        lines += [f"**{what}**: " + " < ".join(_levels(rank, what)) + ".", ""]
        lines += ["| known \\ learnt | " + " | ".join(names) + " |", "|" + "---|" * (len(names) + 1)]
        for kind in rank:
            ends = [max((kind, other), key=lambda k: (rank[k], k)).removeprefix(f"{what}.") for other in rank]
            lines.append(f"| {kind.removeprefix(f'{what}.')} | " + " | ".join(ends) + " |")
        lines.append("")
    return lines


def _levels(rank: Mapping[Kind, int], what: str) -> Iterator[str]:
    ordered = sorted(rank, key=lambda kind: (rank[kind], kind))
    for _, group in groupby(ordered, key=lambda kind: rank[kind]):
        yield " or ".join(kind.removeprefix(f"{what}.") for kind in group)


def phases() -> list[str]:
    lines = ["| Phase | May become | Live | Was shown |", "|---|---|---|---|"]
    for phase in Phase:
        after = " ".join(sorted(ALLOWED[phase])) or "-"
        lines.append(f"| {phase} | {after} | {_yes(phase in LIVE)} | {_yes(phase in SHOWN)} |")
    return [*lines, ""]


def _yes(holds: bool) -> str:
    return "yes" if holds else ""


def page() -> str:
    first = ", ".join(LOOKS[word].long for word, _ in TABLE)
    categories = [f"| {code} | {words} |" for code, words in MEANING.items()]
    assert {word for word, _ in TABLE} == set(Shown)
    lines = [
        "# What every combination means",
        "",
        "Written by `python -m tests.house.money_rules --write` from `pos.domain.verdict`, `pos.domain.shown`,",
        "`pos.domain.matching` and `pos.services.orderview`; a test compares this page with them. Amounts are shares",
        "of the order's total. *Kept* is what the shop has of it, *Others are told* what `--json` and exports say.",
        "Rows that the till does not let come about are here too: what a damaged file would mean has an answer.",
        "",
        "## What comes together",
        "",
        "Facts are never taken back, so two that speak of one object are joined: the higher one stands.",
        "",
        *joins(),
        "## What people read",
        "",
        f"The first that holds: {first}.",
        "",
        f"*Outcome unknown*: a live link's call is {CALL_TIMEOUT_S} s old and not answered, or a look that was due is",
        f"{LOOK_LATE_S} s late, or {LOOKS_FAILED} looks failed. It is computed when it is read and never stored.",
        "",
        "## A link and its payment",
        "",
        *table(("Order", "Link", "Payment", "Cash taken"), links_and_payments()),
        "## Without a link",
        "",
        *table(("Order", "Cash taken"), without_links()),
        "## Payments that are not as they should be",
        "",
        *table(("What happened",), odd_payments()),
        "## Money that goes back",
        "",
        *table(("What", "State"), refunds_and_disputes()),
        "## Given back in cash",
        "",
        "Its gateway had refused to give it back, or could not; the row stands for that refund as well.",
        "",
        *table(("What",), given_back_in_cash()),
        "## Phases of an attempt",
        "",
        *phases(),
        "## Exceptions",
        "",
        "| Category | Meaning |",
        "|---|---|",
        *categories,
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
