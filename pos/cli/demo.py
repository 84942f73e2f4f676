"""`pos demo`: a sample shop in a throw-away home; with a screen the till, without one the story."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import socket
import sys
import time
from pathlib import Path
from typing import Any

import click

from pos.app.demo.play import Stage
from pos.app.demo.story import Story
from pos.app.demo.world import World, world
from pos.app.wiring import Till, background
from pos.domain.errors import BadInput, PosError

DEFAULT_SALES = 3
DEFAULT_SEED = 1


@click.command()
@click.option("--headless", is_flag=True, help="Play the story offscreen, even where there is a screen.")
@click.option("--sales", default=DEFAULT_SALES, show_default=True, type=click.IntRange(0, 200), help="Extra sales.")
@click.option("--seed", default=DEFAULT_SEED, show_default=True, help="The same seed plays the same story.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write what happened here.")
@click.option("--shots", type=click.Path(file_okay=False, path_type=Path), help="Folder for screenshots.")
@click.option("--no-window", is_flag=True, help="The story without a window and without screenshots.")
@click.option("--lan", is_flag=True, help="Phones on the same network may open the pay page (test mode).")
@click.option("--address", default="", help="This machine's address for --lan; found by itself otherwise.")
def demo(
    headless: bool,
    sales: int,
    seed: int,
    json_file: Path | None,
    shots: Path | None,
    no_window: bool,
    lan: bool,
    address: str,
) -> None:
    """A sample shop with relay, bank, two gateways and a till; nothing of it moves money or stays on this machine.

    Example: pos demo --headless --shots out/shots
    """
    if not headless and has_screen():
        _window(lan, address)
        return
    started = time.monotonic()
    folder = shots or Path("out") / "shots"
    with world(pending_s=2.0) as made:
        clean, acts = _story(made, seed, sales, None if no_window else folder)
    took = time.monotonic() - started
    click.echo(f"seed {seed}, {len(acts)} things happened, {took:.1f} s")
    if not no_window:
        click.echo(f"screenshots of every screen: {folder}")
    if json_file is not None:
        json_file.write_text(json.dumps({"seed": seed, "clean": clean, "acts": acts}, indent=2), encoding="utf-8")
    sys.exit(0 if clean else 1)


def has_screen() -> bool:
    if sys.platform != "linux":
        return True
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    return platform != "offscreen" and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _window(lan: bool, address: str) -> None:
    """Relay, bank and till, until the window is closed."""
    from pos.app.desktop import main

    where = (address or lan_address()) if lan else ""
    with world(lan=where) as made:
        if lan:
            click.secho("TEST MODE: anybody on this network can open the pay and return pages.", fg="red", bold=True)
            bank, relay = (url.rpartition(":")[2] for url in (made.bank, made.relay))
            click.echo(f"pay pages: http://{where}:{bank}, return pages: http://{where}:{relay}")
        os.environ.update(made.environment)
        sys.exit(main(made.home))


def lan_address() -> str:
    """The address by which this machine would reach others; nothing is sent.

    Raises:
        BadInput: there is no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: a datagram socket sends nothing when it connects
        except OSError as error:
            raise BadInput("This machine is on no network.", "Give its address with --address.") from error
        return str(probe.getsockname()[0])


def _story(made: World, seed: int, sales: int, shots: Path | None) -> tuple[bool, list[dict[str, Any]]]:
    random.seed(seed)
    if shots is None:
        return asyncio.run(_play_plain(made, seed, sales))
    from pos.app.desktop import run_story

    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    shots.mkdir(parents=True, exist_ok=True)

    async def play(till: Till, stage: Stage) -> tuple[bool, list[dict[str, Any]]]:
        return await _play(till, made, stage, seed, sales)

    os.environ.update(made.environment)
    result: tuple[bool, list[dict[str, Any]]] = run_story(made.home, shots, play)
    return result


async def _play_plain(made: World, seed: int, sales: int) -> tuple[bool, list[dict[str, Any]]]:
    from pos.app.demo.play import NoStage

    till = made.open_till()
    work = asyncio.ensure_future(background(till).run())
    try:
        return await _play(till, made, NoStage(), seed, sales)
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await till.close()


async def _play(till: Till, made: World, stage: Stage, seed: int, sales: int) -> tuple[bool, list[dict[str, Any]]]:
    story = Story(till, made, stage, seed=seed, sales=sales, say=click.echo)
    try:
        clean = await story.play()
    except PosError as error:
        click.echo(f"pos: {error}", err=True)
        clean = False
    return clean, story.told.acts
