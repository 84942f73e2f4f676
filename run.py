"""Truetill's one door: `./run` (or `py run.py`) lists what it can do.

Standard library only, Python 3.11-3.13. Makes `.venv`, installs the packages pinned by hash, finds
the system libraries that are missing, then hands over to the real program.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
QT_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
}
WINDOW_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}
TEST_PROGRAMS = {
    "chromium": "chromium",
    "Xvfb": "xvfb",
    "xdotool": "xdotool",
    "node": "nodejs",
    "npm": "npm",
    "dbus-run-session": "dbus",
    "gnome-keyring-daemon": "gnome-keyring",
    "secret-tool": "libsecret-tools",
    "spin": "spin",
    "cc": "gcc libc6-dev",
    "postgres": "postgresql",
}
SERVER_PROGRAMS = "/usr/lib/postgresql"
"""Where Debian keeps PostgreSQL's server, off the path, a folder for each version."""
JUDGES = "tests/judges"
USAGE = """Truetill

  ./run demo              a sample shop: relay, sandbox bank and till; without a screen, the story
  ./run demo --headless   the story offscreen: prints what happened, exits 0 only if the books verify
  ./run demo --lan        a phone on the same network may open the pay page (test mode)
  ./run test [ARGS]       the whole test suite, offscreen
  ./run check             format, lint, types, import contracts
  ./run bench [NAME]      speed as ratios against a peer or a limit, JSON into out/bench
  ./run prove [NAME]      the long proofs
  ./run shots             screenshots of every screen into out/shots
  ./run pos ...           any command of the till: ./run pos --help

  --python X.Y            first argument after the command: use that Python
"""


def say(text: str) -> None:
    """Progress goes to standard error, so that `--json` output stays clean."""
    print(text, file=sys.stderr, flush=True)


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def apt_install(packages: list[str], why: str) -> bool:
    """Install Debian packages when we may; otherwise say the one line that would."""
    if not packages:
        return True
    line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if not is_root() or not shutil.which("apt-get"):
        say(f"{why} Please run once:\n  sudo {line}")
        return False
    say(f"installing {' '.join(packages)} ...")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update"], check=False, **quiet)  # type: ignore[call-overload]
    done = subprocess.run(line.split(), check=False, env=env, stdout=subprocess.DEVNULL)
    return done.returncode == 0


def pick_python(wanted: str | None) -> str:
    if wanted is None:
        return sys.executable
    found = shutil.which(f"python{wanted}")
    works = found and subprocess.run([found, "-c", "pass"], check=False, capture_output=True).returncode == 0
    if not works:
        say(f"Python {wanted} is not on this machine.")
        raise SystemExit(2)
    return str(found)


def venv_python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_venv(python: str, folder: Path) -> None:
    if venv_python(folder).exists() and (folder / "pyvenv.cfg").exists():
        return
    probe = subprocess.run([python, "-c", "import ensurepip, venv"], check=False, capture_output=True)
    if probe.returncode and not apt_install(["python3-venv"], "Python's venv module is missing."):
        raise SystemExit(2)
    say(f"making {folder.name} ...")
    made = subprocess.run([python, "-m", "venv", str(folder)], check=False)
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise SystemExit(2)


def install(python: Path, lock: str) -> None:
    """Install one lock file, once: a stamp holds the digest of what is installed."""
    digest = hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()
    stamp = python.parent.parent / f"{lock}.installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    say(f"installing the packages of {lock} (once) ...")
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
    done = subprocess.run([str(python), "-m", "pip", "install", *options, "-r", str(ROOT / lock)], check=False, env=env)
    if done.returncode:
        say("The packages could not be installed. Is there a connection to the package index?")
        raise SystemExit(4)
    stamp.write_text(digest)


def missing_libraries(table: dict[str, str]) -> list[str]:
    if platform.system() != "Linux":
        return []
    missing = []
    for library, package in table.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def prepare(python: str, *, dev: bool, name: str) -> Path:
    folder = ROOT / name
    make_venv(python, folder)
    install(venv_python(folder), "requirements.lock")
    if dev:
        install(venv_python(folder), "requirements-dev.lock")
    return venv_python(folder)


def need_qt(*, window: bool) -> None:
    missing = missing_libraries(QT_LIBRARIES)
    if window:
        missing += missing_libraries(WINDOW_LIBRARIES)
    if missing and not apt_install(missing, "The window needs a few system libraries."):
        raise SystemExit(2)


def has_program(name: str) -> bool:
    return shutil.which(name) is not None or any(Path(SERVER_PROGRAMS).glob(f"*/bin/{name}"))


def need_test_programs() -> None:
    """A browser, a screen, a keyring, Node: tests that need one say so and are skipped where it cannot be had.

    A PostgreSQL server as well, and without that its tests fail: half of what a shop may keep its books in is no extra.
    """
    if platform.system() == "Linux":
        missing = [package for program, package in TEST_PROGRAMS.items() if not has_program(program)]
        apt_install(missing, "Some tests need these programs and are skipped without them.")


def install_judges() -> None:
    """The servers that judge us in tests, once per lock file. Without them their tests say so and are skipped."""
    npm, folder = shutil.which("npm"), ROOT / JUDGES
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".installed"
    if npm is None or (stamp.exists() and stamp.read_text() == digest):
        return
    say(f"installing the packages of {JUDGES}/package-lock.json (once) ...")
    done = subprocess.run([npm, "ci", "--ignore-scripts", "--silent"], check=False, cwd=folder)
    if done.returncode:
        say("They could not be installed; the tests that need them are skipped.")
    else:
        stamp.write_text(digest)


def child_env(*, offscreen: bool) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPATH"] = str(ROOT)
    if offscreen:
        env["QT_QPA_PLATFORM"] = "offscreen"
    return env


def has_display() -> bool:
    return platform.system() != "Linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def hand_over(command: list[str], *, offscreen: bool) -> int:
    try:
        return subprocess.run(command, check=False, env=child_env(offscreen=offscreen)).returncode
    except KeyboardInterrupt:
        return 130


def check(python: Path) -> int:
    """Format, lint, types, import contracts; all of them, then the verdict."""
    steps = [
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["lint-imports"],
    ]
    failed = []
    for tool, *rest in steps:
        say(f"$ {tool} {' '.join(rest)}")
        if hand_over([str(python.parent / tool), *rest], offscreen=False):
            failed.append(tool)
    say(f"check: {'failed: ' + ', '.join(failed) if failed else 'all good'}")
    return 1 if failed else 0


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    command, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    wanted = None
    if rest[:1] == ["--python"] and len(rest) > 1:
        wanted, rest = rest[1], rest[2:]
    if command not in {"demo", "test", "check", "bench", "prove", "shots", "pos"}:
        print(USAGE)
        return 0 if command in {"help", "-h", "--help"} else 2
    dev = command in {"test", "check", "bench", "prove"}
    python = prepare(pick_python(wanted), dev=dev, name=f".venv-{wanted}" if wanted else ".venv")
    if command == "check":
        return check(python)
    story = command == "demo" and ("--headless" in rest or not has_display())
    offscreen = story or command in {"test", "bench", "prove", "shots"} or not has_display()
    windowless = command in {"check", "prove"} or "--no-window" in rest
    if not windowless and (command != "pos" or rest[:1] in (["till"], ["demo"])):
        need_qt(window=not offscreen)
    if command in {"test", "prove"}:
        need_test_programs()
        install_judges()
    return hand_over([str(python), *program(command, rest, story)], offscreen=offscreen)


def program(command: str, rest: list[str], story: bool) -> list[str]:
    if command == "pos":
        return ["-m", "pos", *rest]
    if command == "demo":
        return ["-m", "pos", "demo", *([] if not story or "--headless" in rest else ["--headless"]), *rest]
    if command == "shots":
        return ["-m", "pos", "demo", "--headless", "--shots", "out/shots", *rest]
    if command == "test":
        return ["-m", "pytest", *rest]
    return ["-m", command, *rest] if command == "bench" else ["-m", "tests.prove", *rest]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
