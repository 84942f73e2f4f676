"""The real `pos secrets` commands against a real Secret Service: open, locked, silent, and not there at all."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Secret Service is a Linux affair")

NAME = "gateways.stripe.secret_key"
CANARY = "sk_live_canary_of_the_service"
SESSION_S = 120.0
NEEDED = {"dbus-run-session": "dbus", "gnome-keyring-daemon": "gnome-keyring", "secret-tool": "libsecret-tools"}
PRELUDE = f"""
import os, subprocess, sys
from pathlib import Path
from pos.app.secrets import KeyringSecrets, open_secrets
from pos.app.secrets.ring import Patience
NAME, CANARY, HOME = {NAME!r}, {CANARY!r}, Path(os.environ["POS_HOME"])
def pos(*words, stdin="", **env):
    done = subprocess.run([sys.executable, "-m", "pos", "secrets", *words], input=stdin, env=os.environ | env,
                          capture_output=True, text=True)
    assert "Traceback" not in done.stderr and CANARY not in done.stdout + done.stderr, done.stderr
    return done.returncode, done.stdout.strip(), done.stderr.strip()
"""


def bare(tmp_path: Path) -> dict[str, str]:
    """An environment with folders of its own, no screen, no bus and no keyring chosen."""
    folders = {name: str(tmp_path / name.lower()) for name in ("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "POS_HOME")}
    for folder in folders.values():
        Path(folder).mkdir(mode=0o700)
    env = environment({**folders, "PYTHONPATH": str(ROOT)})
    gone = ("DISPLAY", "WAYLAND_DISPLAY", "PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS", "POS_SECRETS_FILE")
    return {name: value for name, value in env.items() if name not in gone and not name.startswith("POS_SECRET_")}


def run_story(tmp_path: Path, script: str, env: dict[str, str], *wrapper: str) -> None:
    """Run Python that prints `done` if all went as it asserts; nothing it kept may be found on the disk."""
    (tmp_path / "story.py").write_text(PRELUDE + script + "\nprint('done')\n")
    done = subprocess.run(
        [*wrapper, sys.executable, str(tmp_path / "story.py")],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=SESSION_S,
        check=False,
    )
    assert done.stdout.strip() == "done", done.stdout + done.stderr
    for file in (path for path in tmp_path.rglob("*") if path.is_file() and path.name != "story.py"):
        assert CANARY.encode() not in file.read_bytes(), file


def in_a_session(tmp_path: Path, script: str, *, unlock: bool) -> None:
    """The same under a message bus of its own, with a keyring of its own."""
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    if missing:
        text = f"not installed: {' '.join(missing)}"
        if os.geteuid() == 0:
            pytest.fail(f"{text}; `./run test` installs them")
        pytest.skip(text)
    start = "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; " if unlock else ""
    run_story(tmp_path, script, bare(tmp_path), "dbus-run-session", "--", "sh", "-c", f'{start}exec "$0" "$1"')


def test_the_commands_keep_list_and_forget(tmp_path: Path) -> None:
    script = """
assert pos("list", "--json") == (0, "[]", "")
assert pos("set", NAME, stdin=CANARY + "\\n") == (0, f"{NAME} is kept in the keyring.", "")
assert pos("list") == (0, f"{NAME}  (the keyring)", "")
assert open_secrets(HOME).get(NAME) == CANARY
assert open_secrets(HOME).source_of(NAME) == "the keyring"
assert open_secrets(HOME / "other").get(NAME) is None  # homes are set apart
assert open_secrets(HOME).place() == (True, "keys are kept in the keyring")
judged = subprocess.run(["secret-tool", "search", "--all", "service", "truetill"], capture_output=True, text=True)
assert CANARY in judged.stdout and NAME in judged.stderr + judged.stdout, judged
assert pos("set", NAME, stdin=CANARY + "2")[0] == 0
assert open_secrets(HOME).get(NAME) == CANARY + "2"
assert pos("remove", NAME) == (0, f"{NAME} is forgotten.", "")
assert open_secrets(HOME).get(NAME) is None and open_secrets(HOME).names() == []
status, out, err = pos("remove", NAME)
assert status == 2 and err.count("\\n") == 0, err
assert list(HOME.iterdir()) == []
"""
    in_a_session(tmp_path, script, unlock=True)


def test_a_vault_and_a_keyring_that_appears_later_are_both_read(tmp_path: Path) -> None:
    script = """
words = {"POS_SECRET_VAULT_PASSPHRASE": "horse battery staple"}
open_secrets(HOME).vault.create(words["POS_SECRET_VAULT_PASSPHRASE"])
vault = open_secrets(HOME, words).vault
vault.wake()
vault.set("relay.till_token", CANARY)
assert pos("set", NAME, stdin=CANARY, **words)[1] == f"{NAME} is kept in the keyring."
found = pos("list", **words)[1].splitlines()
assert f"{NAME}  (the keyring)" in found and "relay.till_token  (the vault)" in found, found
"""
    in_a_session(tmp_path, script, unlock=True)


def test_one_that_stays_locked_is_one_sentence_and_a_vault_helps(tmp_path: Path) -> None:
    script = """
status, out, err = pos("set", NAME, stdin=CANARY)
assert (status, out) == (4, "") and err.count("\\n") == 0, err
assert "no keyring here that can keep a key for real money" in err and "pos secrets vault create" in err, err
assert pos("list")[0] == 4
assert "The keyring does not open" in pos("list")[2]
assert pos("vault", "create", stdin="horse battery staple\\n")[0] == 0
words = {"POS_SECRET_VAULT_PASSPHRASE": "horse battery staple"}
assert pos("set", NAME, stdin=CANARY, **words) == (0, f"{NAME} is kept in the vault.", "")
assert f"{NAME}  (the vault)" in pos("list", **words)[1]
assert open_secrets(HOME, words).get(NAME) == CANARY
"""
    in_a_session(tmp_path, script, unlock=False)


NOBODY = """
assert KeyringSecrets("t", patience=Patience(5.0)).get("a.b") is None
assert not KeyringSecrets("t", patience=Patience(5.0)).usable()
status, out, err = pos("set", NAME, stdin=CANARY)
assert (status, out) == (4, "") and "no vault" in err and err.count("\\n") == 0, err
assert pos("list", "--json") == (0, "[]", "")
assert pos("vault", "create", stdin="horse battery staple\\n")[0] == 0
words = {"POS_SECRET_VAULT_PASSPHRASE": "horse battery staple"}
assert pos("set", NAME, stdin=CANARY, **words)[1] == f"{NAME} is kept in the vault."
"""


def test_no_bus_at_all(tmp_path: Path) -> None:
    address = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/nobody"}
    run_story(tmp_path, NOBODY, bare(tmp_path) | address)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name, which may have 108 bytes in all."""
    with tempfile.TemporaryDirectory(prefix="tt") as folder:
        yield Path(folder)


def test_a_bus_without_a_secret_service(tmp_path: Path, short: Path) -> None:
    if shutil.which("dbus-daemon") is None:
        pytest.skip("not installed: dbus")
    env = bare(tmp_path)
    bus = tmp_path / "bus.conf"  # starts nothing by itself
    bus.write_text(
        '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" '
        '"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd"><busconfig><type>session</type>'
        f"<listen>unix:dir={short}</listen>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>'
        '<allow own="*"/></policy></busconfig>'
    )
    run_story(tmp_path, NOBODY, env, "dbus-run-session", f"--config-file={bus}", "--")


@pytest.mark.parametrize("chosen", ["null", "fail", "chainer"])
def test_a_sham_that_is_chosen_keeps_nothing(tmp_path: Path, chosen: str) -> None:
    name = {"chainer": "ChainerBackend"}.get(chosen, "Keyring")
    env = bare(tmp_path) | {"PYTHON_KEYRING_BACKEND": f"keyring.backends.{chosen}.{name}"}
    run_story(tmp_path, NOBODY, env)


def test_a_bus_that_takes_the_call_and_says_nothing(tmp_path: Path, short: Path) -> None:
    script = """
import time
started = time.monotonic()
ring = KeyringSecrets("t", patience=Patience(0.5))
for act in (lambda: ring.get("a.b"), lambda: ring.set("a.b", CANARY)):
    try:
        act()
    except Exception as error:
        assert type(error).__name__ == "Unreachable", error
    assert not ring.usable()
assert time.monotonic() - started < 20
"""
    address = short / "silent"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(address))
        silent.listen(16)
        run_story(tmp_path, script, bare(tmp_path) | {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={address}"})
