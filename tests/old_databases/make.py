"""Makes the database kept of a released version: `python -m tests.old_databases.make 0.1.0`, once, at its release.

It holds an order of every kind: paid by link, by cash, refunded, cancelled, paid twice, waiting, and a closed day.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

from tests.shop import CAKE, TEA, Shop, bank_process, open_shop

HERE = Path(__file__).resolve().parent


async def fill(shop: Shop) -> None:
    paid = await shop.sell(TEA, key="paid")
    await shop.pays(paid)
    await shop.check(paid)
    await shop.till.cash.sell(shop.lines(CAKE), 20_000, key="cash")
    refunded = await shop.sell(TEA, CAKE, key="refunded")
    await shop.pays(refunded)
    await shop.check(refunded)
    await shop.till.refunds.refund(refunded.order_id, amount_minor=None, reason="cold", actor="Owner")
    cancelled = await shop.sell(TEA, key="cancelled")
    await shop.till.checkout.cancel(cancelled.order_id, reason="left")
    double = await shop.sell(CAKE, key="double")
    await shop.pays(double)
    await shop.check(double)
    assert double.attempt is not None
    shop.bank.desk("POST", f"/links/{double.attempt.link_id}/capture", {})
    shop.clock.advance(2)
    await shop.till.reconcile.sweep("stripe", to_ms=shop.clock.now_ms() + 60_000, from_ms=0)
    await shop.till.day.close(actor="Owner", counted_minor=14_000)
    await shop.sell(CAKE, key="waiting")


async def make(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, bank_process(Path(folder) / "bank") as bank:
        shop = open_shop(bank, Path(folder) / "home")
        await fill(shop)
        await shop.till.close()
        with sqlite3.connect(Path(folder) / "home" / "till.db") as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(Path(folder) / "home" / "till.db", target)


if __name__ == "__main__":
    asyncio.run(make(HERE / f"{sys.argv[1]}.db"))
