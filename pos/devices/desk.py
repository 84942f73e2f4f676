"""The machine the till stands on: its speaker, its printer, its folder of receipts. Slow work goes to a thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pos.domain.errors import Broken
from pos.words.devices import Devices

if TYPE_CHECKING:
    from pos.devices.printer import EscPosPrinter, NoPrinter
    from pos.devices.sound import Speaker

FOLDER = "receipts"
MAX_FILE_BYTES = 20 << 20


@dataclass(frozen=True, slots=True)
class MachineDesk:
    """`home` is the till's own folder."""

    home: Path
    speaker: Speaker
    printer: EscPosPrinter | NoPrinter

    def play(self, name: str) -> None:
        self.speaker.play(name)

    async def print_slip(self, title: str, lines: list[str]) -> None:
        """Raises Unreachable when no printer answers."""
        import asyncio  # not needed for the first paint

        await asyncio.to_thread(self.printer.print_slip, title, lines)

    async def save(self, name: str, data: bytes) -> str:
        """Keep a file in the home's receipts; returns its path.

        Raises:
            Broken: the disk does not take it, or the name is none.
        """
        import asyncio  # not needed for the first paint

        return str(await asyncio.to_thread(self._save, name, data))

    def _save(self, name: str, data: bytes) -> Path:
        path = self.home / FOLDER / Path(name).name
        try:
            if not path.name or len(data) > MAX_FILE_BYTES:
                raise OSError("no name, or too large")
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(path.suffix + ".partial")
            partial.write_bytes(data)
            partial.replace(path)
        except OSError as error:
            raise Broken(Devices.NOT_SAVED, Devices.NOT_SAVED_HINT) from error
        return path
