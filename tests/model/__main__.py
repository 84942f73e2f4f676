"""`./run prove model`: every property holds on the protocol, and each planted fault breaks the one it should.

Debian's `spin` turns `protocol.pml` into a checker in C, which visits every state; see spinroot.com/spin/Man/Pan.html
for its options. Weak fairness is asked for the properties that say "in the end".
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = HERE / "protocol.pml"
PROPERTIES = ("once", "honest", "heard0", "heard1")
IN_THE_END = ("heard0", "heard1")
WORLDS = ((), ("LATE",), ("OVERRIDE",), ("LATE", "OVERRIDE"))
"""What the gateway and a manager may do beside the ordinary."""
FAULTS = {
    "NO_FENCE": "once",
    "CLOCK_IS_FENCE": "once",
    "CASH_NO_FENCE": "once",
    "FENCE_IN_FLIGHT": "once",
    "ABSENT_IS_FAILED": "once",
    "FORGET_ON_CRASH": "once",
    "KEY_PER_RETRY": "once",
    "SHOW_ANY_ANSWER": "once",
    "HINT_IS_FACT": "honest",
    "NO_PROBER": "heard0",
}
DEPTH = 1_000_000
BUILD_S, RUN_S = 120, 600


@dataclass(frozen=True)
class Seen:
    """One run of the checker: whether the property held, and how many states it took."""

    holds: bool
    states: int


def available() -> bool:
    return bool(shutil.which("spin") and shutil.which("cc"))


class Checker:
    """The model with some switches on, built once in `folder`."""

    def __init__(self, folder: Path, switches: tuple[str, ...]) -> None:
        self._folder = folder / "-".join(("model", *switches))
        self._folder.mkdir()
        shutil.copy(MODEL, self._folder)
        self._run(["spin", "-a", *(f"-D{switch}" for switch in switches), MODEL.name])
        # NFAIR: room for weak fairness among nine processes; COLLAPSE: states take less memory
        self._run(["cc", "-O1", "-w", "-DNFAIR=3", "-DCOLLAPSE", "-o", "pan", "pan.c"])

    def check(self, name: str) -> Seen:
        fair = ["-f"] if name in IN_THE_END else []
        said = self._run(["./pan", "-a", *fair, "-N", name, f"-m{DEPTH}"])
        errors, states = re.search(r"errors: (\d+)", said), re.search(r"(\d+) states, stored", said)
        if errors is None or states is None or "max search depth too small" in said:
            raise SystemExit(f"the checker did not finish: {said[-1000:]}")
        return Seen(errors.group(1) == "0", int(states.group(1)))

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, timeout=RUN_S)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return done.stdout


def main() -> int:
    if not available():
        print("NOT RUN: it needs Debian's packages spin and gcc", file=sys.stderr)
        return 1
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="truetill-model-") as folder:
        for world in WORLDS:
            checker = Checker(Path(folder), world)
            for name in PROPERTIES:
                seen = checker.check(name)
                words = "holds" if seen.holds else "DOES NOT HOLD"
                print(f"{name} {' '.join(world).lower() or 'ordinary'}: {words}, {seen.states} states", flush=True)
                wrong += not seen.holds
        for fault, name in FAULTS.items():
            seen = Checker(Path(folder), (fault,)).check(name)
            print(
                f"{fault.lower()}: {name} {'STILL HOLDS' if seen.holds else 'is broken, as it should be'}", flush=True
            )
            wrong += seen.holds
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
