"""The one place in the window where coroutines are started. A task belongs to a QObject and dies with it.

Nothing is decided here; what a failure means to people is the handler's business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Signal

from pos.domain.errors import PosError
from pos.words.shell import Banner

if TYPE_CHECKING:
    import asyncio  # 60 ms: imported with the first task, after the first paint

log = logging.getLogger(__name__)
Result = TypeVar("Result")
OnDone = Callable[[Any], None]
OnError = Callable[[PosError], None]


class Tasks(QObject):
    """Starts coroutines for views. `failed(PosError)` is told where no `on_error` was given; `idle` when none runs."""

    failed = Signal(object)
    idle = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: set[asyncio.Task[Any]] = set()

    @property
    def running(self) -> int:
        return len(self._running)

    def start(
        self,
        owner: QObject,
        work: Coroutine[Any, Any, Any],
        on_done: OnDone | None = None,
        on_error: OnError | None = None,
    ) -> asyncio.Task[Any]:
        """Run `work`; then `on_done(result)` or `on_error(error)`, neither if `owner` is gone or the task cancelled."""
        import asyncio

        task: asyncio.Task[Any] = asyncio.get_event_loop().create_task(self._run(owner, work, on_done, on_error))
        self._running.add(task)
        tie = owner.destroyed.connect(lambda: task.cancel())

        def finished(done: asyncio.Task[Any]) -> None:
            if shiboken6.isValid(owner):
                QObject.disconnect(tie)  # an owner that lives all day must not gather one tie a task
            self._finished(done)

        task.add_done_callback(finished)
        return task

    async def quiet(self) -> None:
        """Until no task runs; never awaited by one of them."""
        import asyncio

        while self._running:
            await asyncio.wait(tuple(self._running))

    def cancel_all(self) -> None:
        for task in tuple(self._running):
            task.cancel()

    async def _run(
        self, owner: QObject, work: Coroutine[Any, Any, Any], on_done: OnDone | None, on_error: OnError | None
    ) -> None:
        try:
            result = await work
            if on_done is not None and shiboken6.isValid(owner):
                on_done(result)
        except PosError as error:
            self._tell(owner, error, on_error)
        except Exception as error:  # the edge of the window, the one broad except: a bug becomes one plain message
            log.exception("a task of %s failed", type(owner).__name__)
            self._tell(owner, as_ours(error), on_error)

    def _tell(self, owner: QObject, error: PosError, on_error: OnError | None) -> None:
        if on_error is not None and shiboken6.isValid(owner):
            on_error(error)
        elif shiboken6.isValid(self):
            self.failed.emit(error)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not self._running and shiboken6.isValid(self):
            self.idle.emit()


def as_ours(error: BaseException) -> PosError:
    """A bug in our own words: our fault, nothing charged, what to do."""
    if isinstance(error, PosError):
        return error
    return PosError(Banner.OUR_FAULT, Banner.OUR_FAULT_HINT)
