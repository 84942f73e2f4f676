"""A till whose gateway is never called: for measuring what happens before the call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pos.app.wiring import Till, open_till
from pos.domain.basket import Line
from pos.domain.catalogue import Product
from pos.domain.facts import Mode
from pos.domain.order import Life
from pos.domain.ports import Gateway
from pos.domain.store_port import Tx
from pos.gateways.http import HttpGateway
from pos.gateways.stripe.adapter import make
from pos.services.issue import Drafted, Sending

SETTINGS = """[shop]
name = "Bench"
currency = "INR"
time_zone = "Asia/Kolkata"

[gateways.stripe]
mode = "test"
api_base = "http://127.0.0.1:9"
"""
ROWS_PER_ORDER = 9  # order, revision, counter x2, freeze, attempt, outbox, journal x2


class QuietTill:
    """`place` is the one write that comes before a call to the gateway."""

    rows_per_order = ROWS_PER_ORDER

    def __init__(self, till: Till, gateway: Gateway) -> None:
        self._till = till
        self._gateway = gateway

    def place(self, lines: list[Line]) -> None:
        def write(tx: Tx) -> Drafted:
            checkout, selling = self._till.checkout, self._till.selling
            order = selling.create(tx, lines, key="", actor="Owner", life=Life.DRAFT)
            return checkout.draft(tx, order, self._gateway, "Owner")

        drafted = self._till.database.write_now(write)
        assert isinstance(drafted, Sending)

    def put_products(self, products: Sequence[Product]) -> None:
        self._till.database.write_now(lambda tx: tx.shop.put_products(products))

    def close(self) -> None:
        self._till.database.close()

    def commits(self) -> int:
        return self._till.database.commits

    def stop_checkpoints(self) -> None:
        self._pragma("PRAGMA wal_autocheckpoint=0")

    def checkpoint(self) -> None:
        with self._till.database.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _pragma(self, text: str) -> None:
        def run(tx: Tx) -> None:
            tx.connection.exec_driver_sql(text)  # type: ignore[attr-defined]

        self._till.database.write_now(run)


def quiet_till(home: Path) -> tuple[QuietTill, list[Line]]:
    home.mkdir(parents=True)
    (home / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    till = open_till(home)
    gateway = HttpGateway(make(Mode.TEST).with_account("acct_bench"), "http://127.0.0.1:9", "sk_test_bench")
    lines = [Line(f"S{n}", f"Thing number {n}", 1000, 1_000 + n, 50_000, "GST") for n in range(8)]
    return QuietTill(till, gateway), lines
