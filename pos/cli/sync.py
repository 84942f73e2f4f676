"""`pos sync`, `pos reconcile`: the background work, without a window."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from dataclasses import asdict
from datetime import datetime

import click

from pos.app import logs
from pos.app.wiring import Till, background, prober_of
from pos.cli.common import home, json_option, say, say_json, utc, with_till
from pos.domain.errors import BadInput
from pos.domain.store_port import SweepRun
from pos.services.bus import Event, OrderChanged

PARTS = {"outbox": "outbox", "relay": "relay", "probe": "probe", "sweep": "sweep"}


@click.command()
@click.option("--once", is_flag=True, help="Do what is due, then leave.")
@click.option("--follow", is_flag=True, help="Go on until told to stop.")
@click.option("--only", type=click.Choice(tuple(PARTS)), default=None, help="One part of the work.")
@json_option
def sync(once: bool, follow: bool, only: str | None, as_json: bool) -> None:
    """Look at open payments, listen to the relay, read the reports.

    Example: pos sync --once
    """
    if once == follow:
        raise BadInput("Say how long.", "Give either --once or --follow.")
    if follow:
        logs.start(home())
    with_till(lambda till: _once(till, only, as_json) if once else _follow(till, only))


async def _once(till: Till, only: str | None, as_json: bool) -> None:
    changed: dict[str, str] = {}

    def heard(event: Event) -> None:
        if isinstance(event, OrderChanged):
            changed[event.row.number] = event.row.shown.value

    till.bus.subscribe(heard)
    prober = prober_of(till)
    looked, runs = 0, []
    if only in (None, "probe"):
        looked = await prober.drain()
    if only == "outbox":
        looked = await prober.send_outbox()
    if only in (None, "sweep"):
        runs = await till.reconcile.sweep_all()
    if as_json:
        say_json({"looked": looked, "orders": changed, "sweeps": [_run_json(run) for run in runs]})
    else:
        say(f"looked at {looked}; " + "; ".join(_run_text(run) for run in runs))
        for number, word in changed.items():
            say(f"order {number}: {word}")
    if any(not run.complete for run in runs):
        sys.exit(4)


async def _follow(till: Till, only: str | None) -> None:
    supervisor = background(till, only or "")
    if only == "relay" and till.relay is None:
        raise BadInput("There is no relay to listen to.", "Set [relay] url and its till token, or leave --only out.")
    say(f"ready till {till.till}")
    work = asyncio.ensure_future(supervisor.run())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


@click.command()
@click.option("--gateway", required=True, help="Which gateway's report.")
@click.option("--from", "since", required=True, metavar="TIME", help="RFC 3339, for example 2026-11-22T00:00:00Z.")
@click.option("--to", "until", required=True, metavar="TIME", help="RFC 3339.")
@json_option
def reconcile(gateway: str, since: str, until: str, as_json: bool) -> None:
    """Read one window of a gateway's report and settle it; prints the categories and counts.

    Example: pos reconcile --gateway stripe --from 2026-11-22T00:00:00Z --to 2026-11-23T00:00:00Z
    """
    from_ms, to_ms = _moment(since), _moment(until)
    if from_ms >= to_ms:
        raise BadInput("The window is empty.", "--from must be before --to.")

    async def work(till: Till) -> bool:
        run = await till.reconcile.sweep(till.gateway(gateway), from_ms=from_ms, to_ms=to_ms)
        view = await till.day.preview(refresh=False)
        counts = view.categories()
        if run.duplicates:
            counts["M20"] = run.duplicates
        if as_json:
            say_json({**_run_json(run), "categories": counts})
        else:
            say(_run_text(run))
            for code in sorted(counts):
                say(f"  {code} {counts[code]}")
        return run.complete

    if not with_till(work):
        sys.exit(4)


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is not a time.", "Write it as 2026-11-22T08:00:00Z.") from error
    if moment.tzinfo is None:
        raise BadInput(f"{text!r} has no zone.", "Add Z for UTC, or +05:30.")
    return int(moment.timestamp() * 1000)


def _run_json(run: SweepRun) -> dict[str, object]:
    times = {k.removesuffix("_ms"): utc(v) for k, v in asdict(run).items() if k.endswith("_ms")}
    return {k: v for k, v in asdict(run).items() if not k.endswith("_ms")} | times


def _run_text(run: SweepRun) -> str:
    state = "complete" if run.complete else f"partial: {run.note}"
    return f"{run.gateway}: {run.rows} rows read, {run.corrected} corrected, {state}"
