"""The process whose writes are logged: a till that sells for a day, and says in the log what people were told.

`writelog.c` is loaded before it; each promise and, after each commit, the digest of the books is a mark between the
writes. It ends as if it were killed, so that the files lie as they were.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
from pathlib import Path

from pos.domain.errors import PosError
from tests.crash.driver import KEYS, _Address
from tests.crash.plants import PLANTS
from tests.crash.promises import digest
from tests.crash.seller import Seller
from tests.shop import CAKE, TEA, Bank, MovedClock, Shop, reopen

STATE = "state "


async def day(bank: Bank, home: Path, marks: int, orders: int, seed: int) -> None:
    keys = json.loads((home.parent / KEYS).read_text(encoding="utf-8"))
    shop = reopen(Shop(None, bank, MovedClock(), home, keys))  # type: ignore[arg-type]
    database = shop.till.database
    books = home / "till.db"

    def committed() -> None:
        os.write(marks, f"{STATE}{digest(books)}\n".encode())

    committed()
    database.after_commit = committed
    await database.write(lambda tx: tx.shop.put_products([TEA, CAKE]))
    seller = Seller(shop, random.Random(seed), lambda promise: os.write(marks, promise.line()))
    while seller.sold < orders:
        with contextlib.suppress(PosError):  # the cashier reads it and goes on; nothing was promised
            await seller.act()
    await seller.close_day()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bank", required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--plant", choices=PLANTS, default="")
    given = parser.parse_args()
    if given.plant:
        PLANTS[given.plant]()
    marks = os.open(os.environ["WRITELOG_MARKS"], os.O_WRONLY | os.O_CREAT, 0o600)
    bank = Bank(_Address(given.bank), Path())  # type: ignore[arg-type]
    asyncio.run(day(bank, given.home, marks, given.orders, given.seed))
    os._exit(0)


if __name__ == "__main__":
    main()
