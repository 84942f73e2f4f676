"""Makes the till's sounds: a few soft tones as WAV, so that nobody's recording is shipped. Pure arithmetic.

`python -m pos.devices.tones FOLDER` writes them; resources/sounds was made so.
"""

from __future__ import annotations

import io
import math
import struct
import sys
import wave
from pathlib import Path

RATE_HZ = 16_000
LOUDNESS = 0.35
FADE_S = 0.012
# name -> (frequency in Hz, seconds) one after the other; paid rises, unknown hangs, error falls, scan is a tick.
SOUNDS: dict[str, tuple[tuple[float, float], ...]] = {
    "paid": ((659.3, 0.11), (880.0, 0.11), (1318.5, 0.26)),
    "unknown": ((587.3, 0.18), (0.0, 0.06), (587.3, 0.18)),
    "error": ((392.0, 0.16), (261.6, 0.26)),
    "scan": ((1760.0, 0.045),),
}


def sound(name: str) -> bytes:
    """One sound as a WAV file, 16 bit mono; KeyError for a name that is none."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        for frequency, seconds in SOUNDS[name]:
            file.writeframes(_tone(frequency, seconds))
    return out.getvalue()


def _tone(frequency_hz: float, seconds: float) -> bytes:
    count = round(RATE_HZ * seconds)
    fade = max(1, round(RATE_HZ * FADE_S))
    samples = []
    for at in range(count):
        swell = min(1.0, at / fade, (count - 1 - at) / fade)
        value = math.sin(2 * math.pi * frequency_hz * at / RATE_HZ) * LOUDNESS * swell
        samples.append(round(value * 32_767))
    return struct.pack(f"<{count}h", *samples)


def write_all(folder: Path) -> list[Path]:
    """Every sound as `<name>.wav`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in SOUNDS:
        path = folder / f"{name}.wav"
        path.write_bytes(sound(name))
        written.append(path)
    return written


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
