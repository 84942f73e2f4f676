"""A receipt printer that speaks ESC/POS, on the network or at a device file. Text only, handed in from above."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pos.domain.errors import Unreachable
from pos.words.devices import Devices

PORT = 9100
TIMEOUT_S = 3.0
MAX_LINES = 500
_INIT = b"\x1b@"
_BOLD_ON, _BOLD_OFF = b"\x1bE\x01", b"\x1bE\x00"
_CUT = b"\n\n\n\x1dV\x42\x00"
# ESC t 19: code page 858, the Western one with the euro sign that almost every printer has.
_PAGE, _ENCODING = b"\x1bt\x13", "cp858"


@dataclass(frozen=True, slots=True)
class EscPosPrinter:
    """`target`: "host" or "host:port" on the network, or a device file such as /dev/usb/lp0."""

    target: str

    def print_slip(self, title: str, lines: list[str]) -> None:
        """Print and cut. Blocks up to `TIMEOUT_S`: call it in a thread.

        Raises:
            Unreachable: the printer does not answer.
        """
        try:
            self._send(slip(title, lines))
        except OSError as error:
            raise Unreachable(Devices.PRINTER_GONE, Devices.PRINTER_GONE_HINT) from error

    def _send(self, data: bytes) -> None:
        if self.target.startswith("/"):
            with Path(self.target).open("wb", buffering=0) as device:
                device.write(data)
            return
        host, _, port = self.target.partition(":")
        import socket  # the first paint does without

        with socket.create_connection((host, int(port or PORT)), timeout=TIMEOUT_S) as connection:
            connection.sendall(data)


@dataclass(frozen=True, slots=True)
class NoPrinter:
    """No printer is set up: says so, with what to do instead."""

    def print_slip(self, title: str, lines: list[str]) -> None:
        raise Unreachable(Devices.NO_PRINTER, Devices.NO_PRINTER_HINT)


def slip(title: str, lines: list[str]) -> bytes:
    """ESC/POS bytes of a slip; letters the printer does not have become question marks."""
    parts = [_INIT, _PAGE, _BOLD_ON, _text(title), b"\n", _BOLD_OFF]
    parts += [_text(line) + b"\n" for line in lines[:MAX_LINES]]
    return b"".join([*parts, _CUT])


def _text(line: str) -> bytes:
    """One line; control characters of names are never sent to the machine."""
    clean = "".join(letter for letter in line if letter.isprintable())
    return clean.encode(_ENCODING, errors="replace")


def printer(target: str) -> EscPosPrinter | NoPrinter:
    return EscPosPrinter(target) if target else NoPrinter()
