"""Whether news comes one by one or by the hundred: the same money, exceptions, Z entries and journal for each order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pos.app.clock import SystemIds
from pos.domain.cash import Method, Tender
from pos.domain.facts import Fact, Kind, Source
from pos.domain.order import Life
from pos.domain.payment import Attempt, Phase, reference
from pos.domain.ports import LinkInfo
from pos.domain.refund import Purpose, Refund
from pos.domain.store_port import Tx
from pos.services.bus import Bus
from pos.services.context import Context, ShopSettings
from pos.services.evidence import Evidence
from pos.services.settle import Settle
from pos.store.engine import Database, make_engine, sqlite_url
from pos.store.upgrade import upgrade
from tests.domain import strategies
from tests.engines import ENGINES, POSTGRESQL, asked, sql

NOW = 20_000
ORDERS = 4
EXAMPLES = 15
STATEMENTS_MAX = 32
EFFECTS = "SELECT effect, subject, made_at_ms, valid_until_ms, state FROM effect WHERE order_id = :order_id"
OURS = "rf_1"
"""The row of a refund that the till itself asked for."""
_worlds = itertools.count(1)
Page = list[tuple[int, list[Fact], list[str]]]
"""What one page says of each order: its number in the page, facts, links with their states."""

_OWN_REFUND = [
    strategies.fact(Kind.REFUND_OF_OURS, "re_2", OURS),
    strategies.fact(Kind.REFUND_OF_PAYMENT, "re_2", "ch_1"),
    strategies.fact(Kind.REFUND_SUCCEEDED, "re_2", amount_minor=200, currency="INR"),
    strategies.fact(Kind.REFUND_FAILED, "re_2", amount_minor=200, currency="INR"),
    strategies.fact(Kind.REFUND_FAILED, OURS, amount_minor=200, currency="INR"),
]
_about_one = st.tuples(
    st.integers(0, ORDERS - 1),
    st.lists(st.sampled_from([*strategies.ALL_FACTS, *_OWN_REFUND]), max_size=8, unique_by=lambda f: f.id),
    st.lists(st.sampled_from(["open", "closed", "expired"]), max_size=1),
)
_page = st.lists(_about_one, min_size=1, max_size=ORDERS, unique_by=lambda about: about[0])
_pages = st.lists(_page, min_size=1, max_size=4)
_phases = st.lists(st.sampled_from([Phase.REQUESTING, Phase.OPEN, Phase.CLOSED]), min_size=ORDERS, max_size=ORDERS)
_with_more = st.lists(st.sampled_from(["", "cash", "refund"]), min_size=ORDERS, max_size=ORDERS)


class Clock:
    def now_ms(self) -> int:
        return NOW

    def monotonic_s(self) -> float:
        return 0.0


@pytest.fixture(scope="module", params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all examples: each makes orders of its own."""
    with ExitStack() as stack:
        if request.param == POSTGRESQL:
            url = stack.enter_context(request.getfixturevalue("postgresql").database())
        else:
            url = sqlite_url(tmp_path_factory.mktemp("batches") / "till.db")
        engine = make_engine(url)
        upgrade(engine)
        made = Database(engine, "1")
        stack.callback(made.close)
        yield made


class World:
    """Some orders like those of `strategies`, by names of their own; two worlds differ in names alone.

    `phases` are those of the orders' first attempts, `more` what else they have: cash, a refund that was asked for.
    """

    def __init__(self, database: Database, phases: Sequence[Phase], more: Sequence[str]) -> None:
        self._database = database
        self._number = next(_worlds)
        shop = ShopSettings("shop", "Shop", "INR", "Asia/Kolkata", "en_IN", "1")
        self._settle = Settle(Context(database, Clock(), SystemIds(), Bus(), shop, "test"))
        database.write_now(lambda tx: [self._place(tx, n, phases[n], more[n]) for n in range(ORDERS)])

    def id(self, number: int) -> str:
        return f"{self._number:08x}-0000-7000-8000-{number:012d}"

    def _name(self, name: str, number: int) -> str:
        if name.startswith(strategies.ORDER):
            return name.replace(strategies.ORDER, self.id(number))
        return f"{name}.{self._number}.{number}" if name else ""

    def _plain(self, value: Any, number: int) -> Any:
        if not isinstance(value, str):
            return value
        return value.replace(f".{self._number}.{number}", "").replace(self.id(number), strategies.ORDER)

    def _place(self, tx: Tx, number: int, phase: Phase, more: str) -> None:
        order_id = self.id(number)
        order = replace(strategies.order(Life.PLACED), id=order_id, number=f"{self._number}-{number}")
        tx.orders.insert(order)
        tx.orders.set_lines(order, [], tax_included=True)
        for attempt in (strategies.attempt(1, phase), strategies.attempt(2, Phase.CLOSED)):
            tx.attempts.insert(self._own(attempt, number))
        if more == "cash":
            tx.money.add_tender(Tender(self._name("t", number), order_id, Method.CASH, 300, "INR", 2_000))
        if more == "refund":
            row = (self._name(OURS, number), order_id, "stripe", strategies.ACCOUNT, self._name("ch_1", number))
            key = self._name("k", number)
            tx.money.add_refund(Refund(*row, 200, "INR", Purpose.UNDO, "", "", "", key, NOW))

    def _own(self, attempt: Attempt, number: int) -> Attempt:
        names = {name: self._name(getattr(attempt, name), number) for name in ("id", "key", "reference", "link_id")}
        return replace(attempt, order_id=self.id(number), **names)

    def evidence(self, page: Page) -> Evidence:
        facts, links = [], []
        for number, own, states in page:
            for fact in own:
                named = {"object": self._name(fact.object, number), "target": self._name(fact.target, number)}
                facts.append(fact._replace(**named))
            links += [LinkInfo(self._name(strategies.LINKS[0], number), state, complete_look=True) for state in states]
        return Evidence("stripe", tuple(facts), Source.REPORT, "probe", tuple(links))

    def take_in(self, evidence: Sequence[Evidence]) -> None:
        self._database.write_now(lambda tx: self._settle.apply(tx, evidence, NOW))

    def books(self) -> list[dict[str, Any]]:
        """All that the books say of each order, names and touches aside."""
        return self._database.read_now(lambda tx: [self._of_order(tx, number) for number in range(ORDERS)])

    def _of_order(self, tx: Tx, number: int) -> dict[str, Any]:
        order_id, mark = self.id(number), f".{self._number}.{number}"
        order = tx.orders.get(order_id)
        assert order is not None
        rows = {
            "attempts": [asdict(a) for a in tx.attempts.of_order(order_id)],
            "problems": [asdict(p) | {"id": ""} for p in tx.problems.of_order(order_id)],
            "entries": [asdict(e) for e in tx.money.entries(open_only=False) if e.order_id == order_id],
            "effects": [dict(row) for row in sql(tx, EFFECTS, order_id=order_id)],
            "parked": [asdict(p) for p in tx.facts.parked() if p.payment.endswith(mark)],
            "healed": [asdict(h) for h in tx.problems.healed(0, NOW + 1) if h.order_id == order_id],
        }
        plain = {
            name: sorted(str({key: self._plain(value, number) for key, value in row.items()}) for row in found)
            for name, found in rows.items()
        }
        journal = [(e.act, e.body) for e in tx.journal.of_subject(order_id)]
        cached = asdict(tx.orders.cached([order_id])[order_id])
        return plain | {"journal": journal, "version": order.version, **cached}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=_pages, phases=_phases, more=_with_more)
def test_a_page_at_once_and_its_orders_one_by_one_end_in_the_same_books(
    database: Database, pages: list[Page], phases: list[Phase], more: list[str]
) -> None:
    once = World(database, phases, more)
    single = World(database, phases, more)
    together = World(database, phases, more)
    for page in pages:
        once.take_in([once.evidence(page)])
        together.take_in([together.evidence([about]) for about in page])
        for about in sorted(page):
            single.take_in([single.evidence([about])])
    assert once.books() == single.books()
    assert together.books() == single.books()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_payment_that_turns_out_to_be_anothers_is_taken_from_who_had_it(database: Database, at_once: bool) -> None:
    """A manager tied it to one order, then the gateway names another: the first must not stay paid."""
    world = World(database, [Phase.OPEN] * ORDERS, [""] * ORDERS)
    captured = strategies.fact(
        Kind.PAYMENT_CAPTURED, "ch_1", amount_minor=strategies.TOTAL, currency="INR", at_ms=3_000
    )
    attached = strategies.fact(Kind.PAYMENT_ATTACHED, "ch_1", reference(strategies.ORDER, 1))
    person = world.evidence([(0, [captured, attached], [])])
    said = person.facts[1]._replace(kind=Kind.PAYMENT_OF_REFERENCE, target=reference(world.id(1), 1))
    gateway = replace(person, facts=(said,))
    for items in [[person, gateway]] if at_once else [[person], [gateway]]:
        world.take_in(items)
    assert [lines["money"] for lines in world.books()[:2]] == ["unpaid", "paid"]


def test_a_page_is_read_and_written_in_as_many_statements_as_one_order(database: Database) -> None:
    """What a page costs does not grow by order: each kind of row is read once and written once."""
    facts = [
        strategies.fact(Kind.PAYMENT_OF_REFERENCE, "ch_1", reference(strategies.ORDER, 1)),
        strategies.fact(Kind.PAYMENT_CAPTURED, "ch_1", amount_minor=400, currency="INR", at_ms=3_000),
    ]
    counts = []
    for orders in (1, ORDERS):
        world = World(database, [Phase.OPEN] * ORDERS, [""] * ORDERS)
        evidence = world.evidence([(number, facts, ["open"]) for number in range(orders)])
        with asked(database) as statements:
            world.take_in([evidence])
        assert [lines["money"] for lines in world.books()[:orders]] == ["part_paid"] * orders
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert counts[0] < STATEMENTS_MAX
