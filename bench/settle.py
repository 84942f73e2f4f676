"""Facts taken in by a running till: how many a second, what the window feels of it, what a page and a verdict cost.

The window, its loop and the till are real; disk syncs take 25 ms, as those of a worn-out disk do. 2,500 orders wait for
their payment; then 25 pages of 100 payments come in as a report's pages do, four facts each and none known before: the
dearest case, every order turns paid; four pages are on their way at a time. The till goes on with its other work beside
it: each link is to be closed once its order is paid, and the gateway says after 0.3 s that it is busy, which is noted.
Meanwhile a 60 Hz timer runs in the window's thread, and before and after that on an idle window: what other programs on
the machine take is in both. Then the same pages once more, as every sweep reads what the last one read. `sweep`:
commits of a real sweep of the bank's report, per page of 100 rows. `verdict`: one order with 50 facts.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.common import Figure, Result, SlowDisk, median, plain_environment, scratch

SYNC_US = 25_000
ORDERS = 2_500
PAGE = 100
FACTS_EACH = 4
WANTED_PER_S = 5_000
TIMER_MS = 16
IDLE_S = 4.0
TIMER_RATIO = 1.15
LONGEST_MS = 33.0
VERDICT_MS = 0.2
VERDICTS = 300
AT_ONCE = 4
MADE_AT_ONCE = 250
RUN_S = 500
SEED = 1
LATER_MS = 3_600_000
NOBODY = "http://127.0.0.1:9"
BUSY_GATEWAY = """
import http.server, time
class Busy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(0.3)
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_POST = do_GET
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
print(server.server_port, flush=True)
server.serve_forever()
"""


def run() -> Result:
    folder = scratch()
    try:
        disk = SlowDisk(folder)
        if not disk.available:
            return Result("settle", [Figure("all", None, None, "no C compiler for slow syncs")], SEED, None)
        env = disk.environment() | {"QT_QPA_PLATFORM": "offscreen", "SYNC_US": str(SYNC_US)}
        raw: dict[str, Any] = {}
        for part, given in (("settle", env), ("verdict", plain_environment())):
            command = [sys.executable, "-m", "bench.settle", part, str(folder)]
            done = subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=RUN_S)
            if done.returncode:
                return Result("settle", [Figure(part, None, None, done.stderr[-400:])], SEED, SYNC_US, raw)
            raw |= json.loads(done.stdout.splitlines()[-1])
        return Result("settle", _figures(raw), SEED, SYNC_US, raw)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _figures(raw: dict[str, Any]) -> list[Figure]:
    new, again = raw["new_per_s"], raw["again_per_s"]
    idle, busy = _p99(raw["idle_ms"]), _p99(raw["busy_ms"])
    longest = max(raw["busy_ms"])
    verdict = median(raw["verdict_ms"])
    return [
        Figure(
            "5,000 facts a second against new ones", WANTED_PER_S / new, 1.0, f"{new:.0f}/s, every order turns paid"
        ),
        Figure(
            "5,000 facts a second against known ones", WANTED_PER_S / again, 1.0, f"{again:.0f}/s, as a sweep reads"
        ),
        Figure("60 Hz timer at p99 against idle", busy / idle, TIMER_RATIO, f"{busy:.1f} ms, idle {idle:.1f} ms"),
        Figure("longest wait of the timer against 33 ms", longest / LONGEST_MS, 1.0, f"{longest:.1f} ms"),
        Figure("verdict of an order with 50 facts against 0.2 ms", verdict / VERDICT_MS, 1.0, f"{verdict:.3f} ms"),
        Figure("others who wanted a processor, for each there is", raw["load"], None, "of no account below 0.2"),
    ]


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def child(folder: Path) -> None:
    """With slow syncs: a window over a till with many open orders; prints the raw figures."""
    from bench.till import SETTINGS
    from pos.app.desktop import run_story

    home = folder / "home"
    home.mkdir(parents=True)
    os.environ["POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY"] = "sk_test_bench"

    async def play(till: Any, stage: Any) -> dict[str, Any]:
        return await _measure(till)

    with subprocess.Popen([sys.executable, "-c", BUSY_GATEWAY], stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        address = f"http://127.0.0.1:{gateway.stdout.readline().strip()}"
        (home / "settings.toml").write_text(SETTINGS.replace(NOBODY, address), encoding="utf-8")
        try:
            print(json.dumps(run_story(home, folder / "shots", play)))
        finally:
            gateway.kill()


async def _measure(till: Any) -> dict[str, Any]:
    import gc

    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    made = await _orders(till)
    gc.freeze()
    idle = await _ticks(asyncio.sleep(IDLE_S))
    pages = [_page(till, made[at : at + PAGE]) for at in range(0, len(made), PAGE)]
    raw: dict[str, Any] = {"idle_ms": idle, "busy_ms": [], "load": load}
    for name in ("new", "again"):
        started = time.perf_counter()
        raw["busy_ms"] += await _ticks(_take_in(till, pages))
        raw[f"{name}_per_s"] = len(made) * FACTS_EACH / (time.perf_counter() - started)
    raw["idle_ms"] += await _ticks(asyncio.sleep(IDLE_S))
    return raw


async def _orders(till: Any) -> list[tuple[str, int]]:
    """(id, amount) of orders that wait, each with its link on show."""
    from dataclasses import replace

    from pos.domain.basket import Line
    from pos.domain.facts import Mode
    from pos.domain.order import Life
    from pos.domain.payment import Phase
    from pos.domain.rows import Account
    from pos.gateways.http import HttpGateway
    from pos.gateways.stripe.adapter import make

    gate = HttpGateway(make(Mode.TEST).with_account("acct_bench"), NOBODY, "sk_test_bench")
    lines = [Line("S1", "Thing", 1000, 1_000, 50_000, "GST")]
    met = Account("stripe", "acct_bench", Mode.TEST, "Bench", till.desk.enrolled["stripe"].key_print)
    await till.database.write(lambda tx: till.desk.keep(tx, met))

    def some(tx: Any) -> list[tuple[str, int]]:
        found, now = [], till.context.now_ms()
        for _ in range(MADE_AT_ONCE):
            order = till.selling.create(tx, lines, key="", actor="Owner", life=Life.DRAFT)
            drafted = till.checkout.draft(tx, order, gate, "Owner")
            shown = {"link_id": f"cs_{order.id}", "shown_at_ms": now, "looked_at_ms": now}
            tx.attempts.update(replace(drafted.attempt, phase=Phase.OPEN, look_due_at_ms=now + LATER_MS, **shown))
            tx.outbox.finish(drafted.outgoing.id, "done")
            found.append((order.id, drafted.attempt.amount_minor))
        return found

    made: list[tuple[str, int]] = []
    while len(made) < ORDERS:
        made += await till.database.write(some)
    return made


def _page(till: Any, orders: list[tuple[str, int]]) -> Any:
    from pos.domain.facts import Fact, Kind, Mode, Source
    from pos.domain.payment import reference
    from pos.services.evidence import Evidence

    now, facts = till.context.now_ms(), []
    for order_id, amount in orders:
        bare = Fact("stripe", "acct_bench", Mode.TEST, Kind.PAYMENT_PENDING, f"py_{order_id}")
        facts += [bare, _as(bare, kind=Kind.PAYMENT_OF_REFERENCE, target=reference(order_id, 1))]
        facts += [_as(bare, kind=Kind.PAYMENT_FEE, amount_minor=25, currency="INR")]
        facts += [_as(bare, kind=Kind.PAYMENT_CAPTURED, amount_minor=amount, currency="INR", at_ms=now)]
    return Evidence("stripe", tuple(facts), Source.REPORT, "sweep")


def _as(fact: Any, **values: Any) -> Any:
    from dataclasses import replace

    return replace(fact, **values)


async def _take_in(till: Any, pages: list[Any]) -> None:
    """Several at a time, as a sweep of each gateway and the looks that hints cause are under way together."""
    waiting = iter(pages)

    async def take_some() -> None:
        for page in waiting:
            await till.settle.take_in(page)

    await asyncio.gather(*(take_some() for _ in range(AT_ONCE)))


async def _ticks(work: Any) -> list[float]:
    """Milliseconds between the ticks of a 60 Hz timer while `work` runs."""
    from PySide6.QtCore import Qt, QTimer

    times: list[float] = []
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: times.append(time.perf_counter()))
    timer.start(TIMER_MS)
    try:
        await work
    finally:
        timer.stop()
    return [(after - before) * 1000 for before, after in itertools.pairwise(times)]


def verdicts() -> None:
    """Prints how long one order with 50 facts takes, many times."""
    from pos.domain.verdict import fold
    from tests.house.money_rules import order_with_facts

    bundle = order_with_facts(50)
    times = []
    for _ in range(VERDICTS):
        started = time.perf_counter()
        fold(bundle)
        times.append((time.perf_counter() - started) * 1000)
    print(json.dumps({"verdict_ms": times}))


if __name__ == "__main__":
    if sys.argv[1] == "verdict":
        verdicts()
    else:
        child(Path(sys.argv[2]))
