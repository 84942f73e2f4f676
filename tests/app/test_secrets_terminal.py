"""At a terminal: passphrases and keys are asked for and never shown; without one nobody is asked."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pos.app.secrets import Vault
from tests.journeys.conftest import furnish, plain_environment
from tests.processes import ROOT, run_pos
from tests.shop import settings_text

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a POSIX affair")

NAME, KEY, PASSPHRASE, SECOND = (
    "gateways.stripe.secret_key",
    "sk_test_typed_5b1e",
    "horse battery staple",
    "another one",
)
ANSWER_S = 60.0
SPAWN = "import pty, os, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    furnish(tmp_path / "home", settings_text("http://127.0.0.1:9"))
    return plain_environment() | {
        "POS_HOME": str(tmp_path / "home"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


def typed(env: dict[str, str], command: str, *answers: tuple[str, str]) -> tuple[int, str]:
    """Run a shell's line at a terminal, typing answers as prompts are shown: (exit status, all that was shown)."""
    process = subprocess.Popen(
        [sys.executable, "-c", SPAWN, "sh", "-c", command.replace("pos ", f"{sys.executable} -m pos ", 1)],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    shown = ""
    for prompt, answer in answers:
        shown += _until(process, prompt)
        process.stdin.write(answer.encode() + b"\n")
        process.stdin.flush()
    shown += _until(process, None)
    process.stdin.close()
    process.stdout.close()
    return process.wait(ANSWER_S), shown


def _until(process: subprocess.Popen[bytes], wanted: str | None) -> str:
    """What is shown up to `wanted`, or to the end."""
    assert process.stdout is not None
    shown, until = b"", time.monotonic() + ANSWER_S
    while wanted is None or wanted.encode() not in shown:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
        more = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not more:
            assert wanted is None, f"no {wanted!r} in {shown!r}"
            break
        shown += more
    return shown.decode()


def test_a_vault_is_made_and_changed_unseen(env: dict[str, str]) -> None:
    first, again = "New passphrase of the vault:", "Repeat for confirmation:"
    status, shown = typed(env, "pos secrets vault create", (first, PASSPHRASE), (again, PASSPHRASE))
    assert (status, PASSPHRASE in shown) == (0, False), shown
    old = "Old passphrase of the vault:"
    answers = ((old, PASSPHRASE), (first, SECOND), (again, "mistyped it"), (first, SECOND), (again, SECOND))
    status, shown = typed(env, "pos secrets vault change", *answers)
    assert status == 0, shown
    assert not any(secret in shown for secret in (PASSPHRASE, SECOND, "mistyped"))
    Vault(Path(env["POS_HOME"])).unlock(SECOND)


def test_a_key_from_a_file_and_the_passphrase_from_the_terminal_behind_it(env: dict[str, str], tmp_path: Path) -> None:
    vault = Vault(Path(env["POS_HOME"]))
    vault.create(PASSPHRASE)
    (tmp_path / "key.txt").write_text(KEY + "\n")
    status, shown = typed(env, f"pos secrets set {NAME} < {tmp_path}/key.txt", ("Passphrase of the vault", PASSPHRASE))
    assert status == 0, shown
    assert f"{NAME} is kept in the vault." in shown
    status, more = typed(env, f"pos secrets set {NAME}", (f"{NAME}:", KEY + "2"), ("Passphrase of the", PASSPHRASE))
    assert (status, vault.get(NAME)) == (0, KEY + "2"), more
    status, listed = typed(env, "pos secrets list", ("Passphrase of the vault", PASSPHRASE))
    assert (status, f"{NAME}  (the vault)" in listed) == (0, True)
    assert not any(secret in shown + more + listed for secret in (PASSPHRASE, KEY))


def test_a_till_asks_once_and_goes_on_without(env: dict[str, str]) -> None:
    vault = Vault(Path(env["POS_HOME"]))
    vault.create(PASSPHRASE)
    vault.set(NAME, KEY)
    status, shown = typed(env, "pos sell --line TEA --cash 100", ("Enter: go on without", ""))
    assert (status, shown.count("Passphrase of the vault")) == (0, 1), shown
    status, shown = typed(env, "pos doctor", ("Enter: go on without", PASSPHRASE))
    assert "keys are kept in the vault, which is open" in shown
    status, shown = typed(env, "pos doctor", ("Enter: go on without", "not this one"))
    assert "That is not the passphrase of the vault" in shown
    assert "Traceback" not in shown


def test_without_a_terminal_nobody_is_asked(env: dict[str, str]) -> None:
    vault = Vault(Path(env["POS_HOME"]))
    vault.create(PASSPHRASE)
    told = run_pos(["doctor"], env)
    assert "the vault is locked" in told.stdout
    assert "Passphrase" not in told.stdout + told.stderr
    kept = run_pos(["secrets", "set", NAME], env, stdin=KEY)
    assert (kept.returncode, kept.stderr.count("\n")) == (4, 1)
    assert kept.stderr.startswith("pos: The vault is locked.")


def test_a_link_wants_the_vault_open_and_says_so(env: dict[str, str]) -> None:
    """It said that the key was not set, and a shop would have set it again."""
    vault = Vault(Path(env["POS_HOME"]))
    vault.create(PASSPHRASE)
    vault.set(NAME, KEY)
    told = run_pos(["sell", "--line", "TEA", "--qr", "stripe", "--key", "k"], env)
    assert (told.returncode, told.stderr.count("\n")) == (4, 1)
    assert told.stderr.startswith("pos: The vault is locked.")
    assert run_pos(["order", "k"], env).returncode == 0  # the order is saved, to be paid later
    opened = run_pos(["pay", "k", "--qr", "stripe"], env | {"POS_SECRET_VAULT_PASSPHRASE": PASSPHRASE})
    assert "cannot be reached" in opened.stderr  # nobody is there, but the key was
