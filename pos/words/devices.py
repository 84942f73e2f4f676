"""Words about printers, sounds and files."""

from __future__ import annotations

from pos.words.language import Text


class Devices:
    NO_PRINTER = Text("No receipt printer is set up.")
    NO_PRINTER_HINT = Text("Save the receipt as PDF instead, or name a printer in the settings.")
    PRINTER_GONE = Text("The receipt printer does not answer.")
    PRINTER_GONE_HINT = Text("Check its paper, cable and power, then print again.")
    NOT_SAVED = Text("The file could not be saved.")
    NOT_SAVED_HINT = Text("Check that the disk has room and that the till may write there.")
