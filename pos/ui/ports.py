"""What the window asks of the machine it stands on; pos.app.desktop hands it in. Nothing here touches a device."""

from __future__ import annotations

from typing import Protocol


class Desk(Protocol):
    """Sound, paper and files of this till. Every call returns at once; work is done elsewhere."""

    def play(self, name: str) -> None:
        """One of `paid`, `error`, `scan`, `unknown`; silence is no error."""
        ...

    async def print_slip(self, title: str, lines: list[str]) -> None:
        """Plain text on the receipt printer.

        Raises:
            Unreachable: no printer stands there; the title and hint say what to do.
        """
        ...

    async def save(self, name: str, data: bytes) -> str:
        """Keep a file beside the till's receipts; returns where it lies.

        Raises:
            Broken: the disk does not take it.
        """
        ...


class NoDesk:
    """A till without devices: silent, and honest about it."""

    def play(self, name: str) -> None:
        return

    async def print_slip(self, title: str, lines: list[str]) -> None:
        from pos.domain.errors import Unreachable
        from pos.words.devices import Devices

        raise Unreachable(Devices.NO_PRINTER, Devices.NO_PRINTER_HINT)

    async def save(self, name: str, data: bytes) -> str:
        from pos.domain.errors import Broken
        from pos.words.devices import Devices

        raise Broken(Devices.NOT_SAVED, Devices.NOT_SAVED_HINT)
