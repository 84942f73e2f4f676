"""What every view needs and nobody owns: formats, theme, clock, tasks. Handed down, never looked up."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pos.ui.tasks import Tasks
    from pos.ui.theme import Theme
    from pos.words.formats import Formats


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Kit:
    """`now_ms` is the wall clock in ms since 1970 UTC; tests and pictures hand in one that stands still."""

    formats: Formats
    theme: Theme
    tasks: Tasks
    now_ms: Callable[[], int] = field(default=wall_clock_ms)
