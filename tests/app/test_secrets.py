"""Secrets: environment before file before keyring; never in plain text, never printed, never from a sham keyring."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import keyring.errors
import platformdirs
import pytest
from click.testing import CliRunner

from pos.app.secrets import (
    ChainedSecrets,
    EnvironmentSecrets,
    FileSecrets,
    KeyringSecrets,
    Vault,
    is_real,
    open_secrets,
)
from pos.app.secrets import ring as ring_module
from pos.app.secrets.ring import Patience, owner_of
from pos.cli.secrets import secrets as command
from pos.domain.errors import BadInput, NotFound, Unreachable
from tests.app.rings import Failing, FakeKeyring, Forgetful, Silent

NAME = "gateways.stripe.secret_key"
CANARY = "sk_test_canary_7f3a"


@pytest.fixture
def ring() -> FakeKeyring:
    return FakeKeyring()


def chain(ring: FakeKeyring | None, env: dict[str, str] | None = None) -> ChainedSecrets:
    return ChainedSecrets([EnvironmentSecrets(env or {})], KeyringSecrets(load=lambda: ring), Vault(Path("/nowhere")))


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_keyring_keeps_lists_and_forgets(ring: FakeKeyring) -> None:
    store = chain(ring)
    assert store.get(NAME) is None
    store.set(NAME, CANARY)
    assert store.get(NAME) == CANARY
    assert ring.entries[("truetill", NAME)] == CANARY
    assert (store.names(), store.source_of(NAME)) == ([NAME], "the keyring")
    store.remove(NAME)
    assert (store.get(NAME), store.names()) == (None, [])
    with pytest.raises(NotFound):
        store.remove(NAME)


def test_the_self_test_leaves_nothing_behind(ring: FakeKeyring) -> None:
    KeyringSecrets(load=lambda: ring).self_test()
    assert ring.entries == {}


def test_the_environment_wins_and_cannot_be_overwritten(ring: FakeKeyring) -> None:
    store = chain(ring, {"POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY": CANARY})
    assert store.get(NAME) == CANARY
    assert ring.touched == 0
    assert store.source_of(NAME) == "the environment"
    for act in (lambda: store.set(NAME, "other"), lambda: store.remove(NAME)):
        with pytest.raises(BadInput) as refused:
            act()
        assert CANARY not in str(refused.value)


def test_names_in_the_environment_are_read_back() -> None:
    env = {
        "POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY": "a",
        "POS_SECRET_RELAY_TILL_TOKEN": "b",
        "POS_SECRET_PIN_PEPPER": "c",
        "POS_SECRET_EMPTY_ONE": "",
        "POS_SECRETS_FILE": "/x",
        "HOME": "/root",
    }
    assert EnvironmentSecrets(env).names() == [NAME, "pin.pepper", "relay.till_token"]


@pytest.mark.parametrize(
    "text",
    [
        f'[gateways.stripe]\nsecret_key = "{CANARY}"\n',
        f'gateways.stripe.secret_key = "{CANARY}"\n',
        f"# keys\n\ngateways.stripe.secret_key={CANARY}\nrelay.till_token = abc\n",
    ],
)
def test_a_private_file_is_read(tmp_path: Path, text: str) -> None:
    path = private(tmp_path / "s", text)
    store = open_secrets(tmp_path, {"POS_SECRETS_FILE": str(path)})
    assert store.get(NAME) == CANARY
    assert store.source_of(NAME) == f"the file {path}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620, 0o777])
def test_a_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = private(tmp_path / "s", f"a.b={CANARY}", mode)
    with pytest.raises(BadInput, match="chmod 600") as refused:
        FileSecrets(path)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [CANARY, f"a.b {CANARY}", f'a.b = "{CANARY}', "[a]\nb = 5", "[a]\nb = ['x']", "A B=c", "a.b=", "x" * 70_000],
)
def test_a_file_that_cannot_be_understood_is_refused_without_its_contents(tmp_path: Path, text: str) -> None:
    path = private(tmp_path / "s", text)
    with pytest.raises(BadInput) as refused:
        FileSecrets(path)
    assert CANARY not in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'# keys\n\n{CANARY} = "gateways.stripe.secret_key"\n', 3),
        (f'[gateways.stripe]\nsecret_key = "x"\n[gateways.razorpay]\n{CANARY} = "secret_key"\n', 4),
        (f'[gateways.stripe]\nsecret_key = "x"\n[gateways.razorpay]\n# {CANARY}\nsecret_key = ""\n', 5),
        (f'"{CANARY}" = """\nx"""\n', 0),
        (f'a.b = "x"\n"{CANARY[:-1]}\\u{ord(CANARY[-1]):04x}" = "x"\n', 0),
        (f"gateways.razorpay.key_id = x\n{CANARY}=\n", 2),
        (f"relay.till_token = x\n\n{CANARY}==\n", 3),
    ],
)
def test_a_key_on_the_wrong_side_is_told_by_its_line_and_never_said(tmp_path: Path, text: str, line: int) -> None:
    path = private(tmp_path / "s", text)
    with pytest.raises(BadInput) as refused:
        FileSecrets(path)
    assert CANARY[:-1] not in str(refused.value)
    assert (f"line {line}," in refused.value.title) is bool(line)


@pytest.mark.skipif(os.name != "posix", reason="a pipe in the file system")
def test_a_pipe_is_refused_and_nobody_waits_for_what_comes_out_of_it(tmp_path: Path) -> None:
    """The start of the till hung on it, until somebody wrote."""
    path = tmp_path / "s"
    os.mkfifo(path, 0o600)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    script = f"from pathlib import Path\nfrom pos.app.secrets import FileSecrets\nFileSecrets(Path({str(path)!r}))\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert "is no plain file" in done.stderr
    for _ in range(3):
        with pytest.raises(BadInput, match="no plain file"):
            FileSecrets(path)
    assert not before or len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(BadInput):
            open_secrets(tmp_path, {"POS_SECRETS_FILE": str(path)})


def test_files_are_never_written(tmp_path: Path) -> None:
    path = private(tmp_path / "s", "a.b=c")
    store = FileSecrets(path)
    for act in (lambda: store.set("a.b", "d"), lambda: store.remove("a.b")):
        with pytest.raises(BadInput):
            act()
    assert path.read_text() == "a.b=c"


def test_without_a_keyring_nothing_is_kept_and_the_sentence_says_what_to_do() -> None:
    store = chain(None)
    assert (store.get(NAME), store.names()) == (None, [])
    with pytest.raises(Unreachable) as refused:
        store.set(NAME, CANARY)
    assert "POS_SECRETS_FILE" in refused.value.hint
    assert not KeyringSecrets(load=lambda: None).usable()


def test_a_keyring_that_forgets_is_not_trusted() -> None:
    with pytest.raises(Unreachable):
        chain(Forgetful()).set(NAME, CANARY)


@pytest.mark.parametrize(
    "error",
    [
        keyring.errors.InitError("Prompt dismissed"),
        keyring.errors.KeyringLocked(CANARY),
        keyring.errors.PasswordSetError("x"),
        keyring.errors.NoKeyringError("x"),
        EOFError(),
        ConnectionResetError(),
        RuntimeError("bus"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_keyring_throws_is_one_sentence(error: Exception) -> None:
    store = chain(Failing(error))
    for act in (lambda: store.get(NAME), lambda: store.set(NAME, CANARY)):
        with pytest.raises(Unreachable) as refused:
            act()
        assert CANARY not in str(refused.value)


def test_a_prompt_that_nobody_answers_does_not_hang_the_till() -> None:
    silent = Silent()
    asked = Patience(within_s=0.05)
    store = KeyringSecrets(load=lambda: silent, patience=asked)
    with pytest.raises(Unreachable, match=r"has not answered for 0\.05 s") as refused:
        store.get(NAME)
    assert "password" in refused.value.hint
    asked.within_s = 30.0  # had it waited again, the test would take that long
    for act in (lambda: store.get(NAME), lambda: store.set(NAME, CANARY), store.self_test):
        with pytest.raises(Unreachable, match="still does not answer"):
            act()
    assert not store.usable()
    silent.answered.set()  # somebody comes back to the counter
    assert asked._open is not None
    asked._open.join(30.0)
    store.set(NAME, CANARY)
    assert store.get(NAME) == CANARY


def test_a_backend_that_is_searched_for_is_not_waited_for_either() -> None:
    never = threading.Event()
    store = KeyringSecrets(load=never.wait, patience=Patience(within_s=0.05))
    with pytest.raises(Unreachable, match="has not answered"):
        store.get(NAME)
    never.set()


def test_our_own_mistake_is_no_keyrings_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told at once and as what it is, not after the time is up."""
    crashed = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: crashed.set())
    with pytest.raises(ZeroDivisionError):
        Patience(within_s=30.0).ask(lambda: 1 // 0)
    assert crashed.wait(30.0)


def test_only_real_keyrings_are_used() -> None:
    from keyring.backends.fail import Keyring as Fail
    from keyring.backends.null import Keyring as Null

    assert not is_real(Fail())
    assert not is_real(Null())
    assert not is_real(FakeKeyring())

    def like(module_name: str, name: str, priority: float) -> Any:
        return type(name, (), {"__module__": module_name, "priority": priority})()

    assert is_real(like("keyring.backends.SecretService", "Keyring", 5))
    assert not is_real(like("keyring.backends.SecretService", "Keyring", 0.5))
    assert not is_real(like("keyrings.alt.file", "PlaintextKeyring", 5))


def test_a_chained_choice_falls_to_the_first_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Chainer:
        backends: list[Any] = [  # noqa: RUF012
            type("PlaintextKeyring", (), {"__module__": "keyrings.alt.file", "priority": 9})(),
            type("Keyring", (), {"__module__": "keyring.backends.SecretService", "priority": 5})(),
        ]

    monkeypatch.setattr(keyring, "get_keyring", Chainer)
    assert ring_module.system_keyring() is Chainer.backends[1]


def test_homes_are_set_apart(ring: FakeKeyring, tmp_path: Path) -> None:
    one = KeyringSecrets(owner_of(tmp_path / "one"), lambda: ring)
    two = KeyringSecrets(owner_of(tmp_path / "two"), lambda: ring)
    one.set(NAME, CANARY)
    assert two.get(NAME) is None
    assert owner_of(Path(platformdirs.user_data_dir("truetill", appauthor=False))) == ""


@pytest.mark.parametrize("name", ["", "x", "A.b", "a..b", "a.b\n", "../etc", "a" * 101 + ".b"])
def test_what_is_no_name_is_refused(ring: FakeKeyring, name: str) -> None:
    with pytest.raises(BadInput):
        chain(ring).set(name, CANARY)


@pytest.mark.parametrize("value", ["", "two\nlines", "x" * 5000, "nul\0"])
def test_what_is_no_value_is_refused(ring: FakeKeyring, value: str) -> None:
    with pytest.raises(BadInput) as refused:
        chain(ring).set(NAME, value)
    assert "two" not in str(refused.value)
    assert ring.entries == {}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, ring: FakeKeyring, tmp_path: Path) -> CliRunner:
    monkeypatch.setenv("POS_HOME", str(tmp_path))
    monkeypatch.delenv("POS_SECRETS_FILE", raising=False)
    monkeypatch.setattr(ring_module, "system_keyring", lambda: ring)
    return CliRunner()


def test_the_command_takes_values_from_standard_input_and_prints_none(shell: CliRunner, ring: FakeKeyring) -> None:
    done = shell.invoke(command, ["set", NAME], input=CANARY + "\n")
    listed = shell.invoke(command, ["list"])
    as_json = shell.invoke(command, ["list", "--json"])
    assert (done.exit_code, listed.exit_code, as_json.exit_code) == (0, 0, 0)
    assert CANARY in ring.entries.values()
    assert as_json.output.strip() == f'[{{"name": "{NAME}", "source": "the keyring"}}]'
    assert shell.invoke(command, ["remove", NAME]).exit_code == 0
    assert CANARY not in done.output + listed.output + as_json.output
    assert shell.invoke(command, ["list", "--json"]).output.strip() == "[]"


def test_the_command_refuses_a_value_as_argument_and_an_empty_one(shell: CliRunner, ring: FakeKeyring) -> None:
    refused = shell.invoke(command, ["set", NAME, CANARY])
    assert (refused.exit_code, CANARY in refused.output) == (2, False)
    assert "never an argument" in refused.output
    assert isinstance(shell.invoke(command, ["set", NAME], input="").exception, BadInput)
    assert ring.entries == {}
