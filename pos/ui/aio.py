"""The one place that knows qasync: an asyncio loop that Qt drives. No rule, no widget, no task stands here.

Two traps are closed here: qasync sets no hook for asynchronous generators (a stream left early would leak its
connection), and a dialog's exec() inside a coroutine stalls every other task for good, so nothing offers one.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import qasync

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

    from PySide6.QtWidgets import QApplication

CLOSE_GENERATOR_S = 2.0
LEAVE_S = 3.0
"""Seconds that tasks get to end when the loop is left."""


def make_loop(app: QApplication) -> asyncio.AbstractEventLoop:
    """An event loop on Qt's, set as the current one."""
    loop: asyncio.AbstractEventLoop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    return loop


def run(loop: asyncio.AbstractEventLoop, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run `main` until it returns its exit status, then end what is left, bounded, and close the loop."""
    before = sys.get_asyncgen_hooks()
    hook_asyncgens(loop)
    try:
        return loop.run_until_complete(main())
    finally:
        loop.run_until_complete(leave())
        sys.set_asyncgen_hooks(*before)
        loop.close()


def hook_asyncgens(loop: asyncio.AbstractEventLoop) -> None:
    """Close abandoned asynchronous generators on the loop, as plain asyncio does and qasync does not."""

    def finalize(generator: AsyncGenerator[Any, Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(lambda: loop.create_task(_close(generator)))

    sys.set_asyncgen_hooks(finalizer=finalize)


async def leave() -> None:
    """Cancel every other task and wait for them, `LEAVE_S` at the most."""
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=LEAVE_S)


async def _close(generator: AsyncGenerator[Any, Any]) -> None:
    try:
        async with asyncio.timeout(CLOSE_GENERATOR_S):
            await generator.aclose()
    except (TimeoutError, RuntimeError):
        # RuntimeError: somebody else is closing it already. Nothing is lost but a connection that ends by itself.
        return
