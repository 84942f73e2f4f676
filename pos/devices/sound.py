"""Plays the till's sounds through the machine's own player. Silence is no error, and nothing ever waits for a sound."""

from __future__ import annotations

import logging
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pos.devices import child

if TYPE_CHECKING:
    import subprocess

SOUNDS = Path(__file__).resolve().parents[2] / "resources" / "sounds"
PLAYERS = ("pw-play", "paplay", "aplay", "afplay")
"""Tried in this order: PipeWire, PulseAudio, ALSA, macOS."""
log = logging.getLogger(__name__)


class Speaker:
    """One sound at a time: a new one cuts the last short. Without a player it is silent."""

    def __init__(self, folder: Path = SOUNDS, player: str | None = None) -> None:
        self._folder = folder
        self._player = player if player is not None else find_player()
        self._playing: subprocess.Popen[bytes] | None = None

    def play(self, name: str) -> None:
        path = self._folder / f"{name}.wav"
        if sys.platform == "win32":
            _play_on_windows(path)
            return
        if not self._player or not path.is_file():
            return
        import subprocess  # the first paint does without

        self.hush()
        try:
            self._playing = subprocess.Popen(  # noqa: S603 - a player found on this machine, our own file
                [self._player, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=child.environment(),
            )
        except OSError as error:
            log.info("no sound: %s", error)
            self._player = ""

    def hush(self) -> None:
        """Stop what is playing and let go of its process."""
        if self._playing is not None:
            self._playing.kill()
            self._playing.wait()
            self._playing = None


def find_player() -> str:
    """The first player this machine has, or ""."""
    return next((found for name in PLAYERS if (found := shutil.which(name))), "")


def _play_on_windows(path: Path) -> None:
    import winsound  # only there

    flags = winsound.SND_FILENAME | winsound.SND_ASYNC | winsound.SND_NODEFAULT  # type: ignore[attr-defined,unused-ignore]
    winsound.PlaySound(str(path), flags)  # type: ignore[attr-defined,unused-ignore]
