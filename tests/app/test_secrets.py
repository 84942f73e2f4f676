"""Secrets: environment before file before keyring; never in plain text, never printed, never from a sham keyring."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import keyring.errors
import pytest
from click.testing import CliRunner

from pos.app import secrets as module
from pos.app.secrets import ChainedSecrets, EnvironmentSecrets, FileSecrets, KeyringSecrets, is_real, open_secrets
from pos.cli.secrets import secrets as command
from pos.domain.errors import BadInput, NotFound, Unreachable
from tests.processes import ROOT, environment

NAME = "gateways.stripe.secret_key"
CANARY = "sk_test_canary_7f3a"


class FakeKeyring:
    """A keyring that works, as far as we use one."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.touched = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.touched += 1
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("No such password!")


class Failing(FakeKeyring):
    """One that throws what real ones throw."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error


class Forgetful(FakeKeyring):
    """Takes everything and keeps nothing, like keyring's null backend."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


@pytest.fixture
def ring() -> FakeKeyring:
    return FakeKeyring()


def chain(ring: FakeKeyring | None, env: dict[str, str] | None = None) -> ChainedSecrets:
    return ChainedSecrets([EnvironmentSecrets(env or {}), KeyringSecrets(load=lambda: ring)])


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
    assert module._system_keyring() is Chainer.backends[1]


def test_homes_are_set_apart(ring: FakeKeyring, tmp_path: Path) -> None:
    one = KeyringSecrets(module._owner(tmp_path / "one"), lambda: ring)
    two = KeyringSecrets(module._owner(tmp_path / "two"), lambda: ring)
    one.set(NAME, CANARY)
    assert two.get(NAME) is None
    assert module._owner(Path(module.platformdirs.user_data_dir("truetill", appauthor=False))) == ""


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
    monkeypatch.setattr(module, "_system_keyring", lambda: ring)
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
    assert shell.invoke(command, ["set", NAME, CANARY]).exit_code == 2
    assert isinstance(shell.invoke(command, ["set", NAME], input="").exception, BadInput)
    assert ring.entries == {}


STORY = """
from pos.app.secrets import KeyringSecrets
store = KeyringSecrets("test")
store.set("gateways.stripe.secret_key", "sk_test_canary")
assert KeyringSecrets("test").get("gateways.stripe.secret_key") == "sk_test_canary"
assert KeyringSecrets("other").get("gateways.stripe.secret_key") is None
assert store.names() == ["gateways.stripe.secret_key"]
store.remove("gateways.stripe.secret_key")
assert store.get("gateways.stripe.secret_key") is None and store.usable()
print("kept and forgotten")
"""


def in_a_session(tmp_path: Path, script: str, *, unlock: bool) -> subprocess.CompletedProcess[str]:
    """Run Python under a message bus of its own, with a keyring of its own."""
    for program in ("dbus-run-session", "gnome-keyring-daemon"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: dbus, gnome-keyring)")
    folders = {name: str(tmp_path / name.lower()) for name in ("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")}
    for folder in folders.values():
        Path(folder).mkdir(mode=0o700)
    env = environment(folders)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS"):
        env.pop(name, None)
    start = "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; " if unlock else ""
    (tmp_path / "story.py").write_text(script)
    return subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", f'{start}exec "$0" "$1"', sys.executable, str(tmp_path / "story.py")],
        cwd=ROOT,
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(os.name != "posix", reason="Secret Service is a Linux affair")
def test_a_real_secret_service_keeps_and_forgets(tmp_path: Path) -> None:
    done = in_a_session(tmp_path, STORY, unlock=True)
    assert done.stdout.strip() == "kept and forgotten", done.stderr
    for file in (path for path in tmp_path.rglob("*") if path.is_file() and path.name != "story.py"):
        assert b"sk_test_canary" not in file.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="Secret Service is a Linux affair")
def test_a_secret_service_that_stays_locked_is_one_sentence(tmp_path: Path) -> None:
    script = """
from pos.app.secrets import KeyringSecrets
from pos.domain.errors import Unreachable
try:
    KeyringSecrets("test").set("a.b", "sk_test_canary")
except Unreachable as refused:
    print(refused.title, bool(refused.hint))
"""
    done = in_a_session(tmp_path, script, unlock=False)
    assert done.stdout.startswith("The keyring does not open"), done.stderr


def test_a_machine_without_a_keyring_says_so(tmp_path: Path) -> None:
    script = "from pos.app.secrets import KeyringSecrets as K; print(K('t').get('a.b'), K('t').usable())"
    env = environment({"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/nobody", "XDG_RUNTIME_DIR": str(tmp_path)})
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "None False", done.stderr
