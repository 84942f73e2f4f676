"""One transaction and its repositories."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import Connection

from pos.store.repositories.attempts import AttemptRows
from pos.store.repositories.days import DayRows
from pos.store.repositories.facts import FactRows
from pos.store.repositories.journal import JournalRows
from pos.store.repositories.money import MoneyRows
from pos.store.repositories.orders import OrderRows
from pos.store.repositories.outbox import OutboxRows
from pos.store.repositories.plans import PlanRows
from pos.store.repositories.problems import ProblemRows
from pos.store.repositories.returns import ReturnRows
from pos.store.repositories.shop import ShopRows
from pos.store.repositories.sync import SyncRows


class Transaction:
    """Repositories over one connection; made when first used."""

    def __init__(self, connection: Connection, till: str) -> None:
        self.connection = connection
        self.till = till

    @cached_property
    def orders(self) -> OrderRows:
        return OrderRows(self.connection)

    @cached_property
    def attempts(self) -> AttemptRows:
        return AttemptRows(self.connection)

    @cached_property
    def facts(self) -> FactRows:
        return FactRows(self.connection)

    @cached_property
    def money(self) -> MoneyRows:
        return MoneyRows(self.connection)

    @cached_property
    def plans(self) -> PlanRows:
        return PlanRows(self.connection)

    @cached_property
    def returns(self) -> ReturnRows:
        return ReturnRows(self.connection)

    @cached_property
    def problems(self) -> ProblemRows:
        return ProblemRows(self.connection)

    @cached_property
    def outbox(self) -> OutboxRows:
        return OutboxRows(self.connection)

    @cached_property
    def sync(self) -> SyncRows:
        return SyncRows(self.connection, self.till)

    @cached_property
    def days(self) -> DayRows:
        return DayRows(self.connection)

    @cached_property
    def shop(self) -> ShopRows:
        return ShopRows(self.connection)

    @cached_property
    def journal(self) -> JournalRows:
        return JournalRows(self.connection, self.till)
