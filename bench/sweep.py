"""What a page of a gateway's report costs: commits of a real sweep of the bank's report, for each page it reads.

200 sales are paid at the bank behind the till's back: the dearest page there is, every row turns an order paid.
A sweep reads them, then reads them again. Its own end (the run's row and the watermark) is one commit more and is told
apart.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from bench.common import Figure, Result

SALES = 200
PAGE = 100
SEED = 1
GATEWAY = "stripe"


def run() -> Result:
    from pos.app.demo.world import world
    from pos.app.wiring import open_till

    with world(pending_s=2.0) as made:
        os.environ.update(made.environment)
        try:
            till = open_till(made.home)
            try:
                raw = asyncio.run(_measure(till, made))
            finally:
                till.database.close()
        finally:
            for name in made.environment:
                os.environ.pop(name, None)
    figures = []
    for name in ("new", "again"):
        pages, commits = raw[f"{name}_pages"], raw[f"{name}_commits"]
        note = f"{raw[f'{name}_rows']} rows, {pages} pages, {commits} commits and one for the run"
        figures.append(Figure(f"commits a page, {name}", commits / pages, 1.0, note))
    return Result("sweep", figures, SEED, None, raw)


async def _measure(till: Any, made: Any) -> dict[str, Any]:
    from pos.domain.basket import Line

    lines = [Line("FLAT", "Flat white", 1000, 18_000, 50_000, "GST")]
    for _ in range(SALES):
        view = await till.checkout.sell(lines, GATEWAY)
        await asyncio.to_thread(made.desk, "POST", f"/links/{view.attempt.link_id}/capture", {"own_intent": False})
    raw: dict[str, Any] = {}
    for name in ("new", "again"):
        pages, ask = [0], till.desk.ask

        async def counted(gate: Any, call: Any, pages: list[int] = pages, ask: Any = ask, **more: Any) -> Any:
            pages[0] += call.operation == "report"
            return await ask(gate, call, **more)

        till.desk.ask = counted
        before = till.database.commits
        now = till.context.now_ms()
        run = await till.reconcile.sweep(GATEWAY, from_ms=now - 3_600_000, to_ms=now + 60_000)
        till.desk.ask = ask
        assert run.complete, run.note
        raw |= {f"{name}_rows": run.rows, f"{name}_pages": pages[0]}
        raw[f"{name}_commits"] = till.database.commits - before - 1
    await till.desk.close()
    return raw
