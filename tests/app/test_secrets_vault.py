"""The vault: what reaches the disk, what opens it, what damage and strangers do to it, and who writes when."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pos.app.secrets import ChainedSecrets, EnvironmentSecrets, KeyringSecrets, Vault, files, open_secrets, sealed
from pos.app.secrets import ring as ring_module
from pos.app.secrets.sealed import HEAD, SUM_BYTES, Head, read_head
from pos.cli.secrets import secrets as command
from pos.domain.errors import BadInput, Broken, NotAllowed, NotFound, PosError, Unreachable
from tests.app.rings import Failing, FakeKeyring, Forgetful
from tests.packages import BROKEN, write_package
from tests.processes import ROOT

NAME, OTHER = "gateways.stripe.secret_key", "relay.till_token"
CANARY = "sk_live_canary_5b1e9c"
PASSPHRASE = "horse battery staple"
VARIABLE = "POS_SECRET_VAULT_PASSPHRASE"
WRITERS, EACH = 4, 5


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least work that a head may ask for, so that hundreds of openings stay quick. One test looks at the real."""
    monkeypatch.setattr(sealed, "MEMORY_KIB", sealed.MEMORY_KIB_MIN)
    monkeypatch.setattr(sealed, "PASSES", 1)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path)
    made.create(PASSPHRASE)
    return made


def again(vault: Vault, passphrase: str = PASSPHRASE) -> Vault:
    """The same vault in another process."""
    other = Vault(vault.path.parent)
    other.unlock(passphrase)
    return other


def chain(vault: Vault, ring: FakeKeyring | None, env: dict[str, str] | None = None) -> ChainedSecrets:
    return ChainedSecrets([EnvironmentSecrets(env or {})], KeyringSecrets(load=lambda: ring), vault)


def everything_on_disk(folder: Path) -> bytes:
    return b"".join(path.name.encode() + path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_is_kept_comes_back_in_another_process(vault: Vault) -> None:
    vault.set(NAME, CANARY)
    vault.set(OTHER, "tökén")
    other = again(vault)
    assert (other.get(NAME), other.get(OTHER), other.names()) == (CANARY, "tökén", [NAME, OTHER])
    other.remove(NAME)
    assert (vault.get(NAME), vault.names()) == (None, [OTHER])
    with pytest.raises(NotFound):
        vault.remove(NAME)


def test_nothing_in_plain_text_reaches_the_disk(vault: Vault) -> None:
    vault.set(NAME, CANARY)
    vault.change(PASSPHRASE, "another passphrase")
    vault.set(OTHER, CANARY + "x")
    found = everything_on_disk(vault.path.parent)
    for secret in (CANARY, NAME, OTHER, PASSPHRASE, "another passphrase"):
        assert secret.encode() not in found
        assert secret.encode().hex().encode() not in found
    assert sorted(path.name for path in vault.path.parent.iterdir()) == ["secrets.vault", "secrets.vault.lock"]


def test_the_costs_are_those_of_the_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    made = Vault(tmp_path)
    made.create(PASSPHRASE)
    head = read_head(made.path.read_bytes())
    assert (head.memory_kib, head.passes, head.lanes) == (64 * 1024, 3, 1)
    again(made)


def test_every_write_has_a_nonce_of_its_own_and_every_vault_a_salt(vault: Vault, tmp_path: Path) -> None:
    heads = []
    for _ in range(20):
        vault.set(NAME, CANARY)
        heads.append(read_head(vault.path.read_bytes()))
    assert len({head.nonce for head in heads}) == 20
    assert len({head.salt for head in heads}) == 1
    vault.change(PASSPHRASE, PASSPHRASE)
    assert read_head(vault.path.read_bytes()).salt != heads[0].salt


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes; the home lies in the user's own profile")
def test_the_file_is_the_owners_alone(vault: Vault) -> None:
    before = os.umask(0)
    try:
        vault.set(NAME, CANARY)
    finally:
        os.umask(before)
    assert vault.path.stat().st_mode & 0o777 == 0o600
    for mode in (0o640, 0o604, 0o660, 0o620):
        vault.path.chmod(mode)
        for act in (lambda: again(vault), lambda: vault.get(NAME), lambda: vault.set(NAME, "x" * 9)):
            with pytest.raises(BadInput, match="chmod 600"):
                act()


def test_locked_it_tells_nothing(vault: Vault) -> None:
    vault.set(NAME, CANARY)
    vault.lock()
    assert (vault.exists, vault.unlocked, vault.names()) == (True, False, [])
    for act in (lambda: vault.get(NAME), lambda: vault.set(NAME, CANARY), lambda: vault.remove(NAME)):
        with pytest.raises(Unreachable, match=r"^The vault is locked\. ") as refused:
            act()
        assert "Manage > Gateways" in refused.value.hint
    vault.unlock(PASSPHRASE)
    assert vault.get(NAME) == CANARY


def test_a_wrong_passphrase_is_one_sentence_and_changes_nothing(vault: Vault) -> None:
    vault.set(NAME, CANARY)
    before = vault.path.read_bytes()
    for wrong in ("", "horse battery stapl", PASSPHRASE + " ", "x" * 5000):
        for act in (lambda: again(vault, wrong), lambda: vault.change(wrong, "another passphrase")):  # noqa: B023
            with pytest.raises(NotAllowed, match="not the passphrase") as refused:
                act()
            assert refused.value.hint
    assert vault.path.read_bytes() == before
    assert vault.get(NAME) == CANARY  # a mistyped try locks nobody out who is in


def test_the_same_letters_from_two_keyboards_open_it(tmp_path: Path) -> None:
    made = Vault(tmp_path)
    made.create("Kaffeemu\u0308hle!")  # u and two dots, as some keyboards send it
    again(made, "Kaffeem\u00fchle!")


@pytest.mark.parametrize("passphrase", ["", "short77", " leading space", "trailing space ", "two\nlines", "x" * 1025])
def test_what_is_no_passphrase_is_refused(vault: Vault, passphrase: str) -> None:
    with pytest.raises(BadInput) as refused:
        vault.change(PASSPHRASE, passphrase)
    assert refused.value.hint
    fresh = Vault(vault.path.parent / "other")
    with pytest.raises(BadInput):
        fresh.create(passphrase)
    assert not fresh.exists


def test_after_a_change_only_the_new_one_opens_it(vault: Vault) -> None:
    vault.set(NAME, CANARY)
    running = again(vault)
    vault.change(PASSPHRASE, "another passphrase")
    assert vault.get(NAME) == CANARY
    with pytest.raises(NotAllowed):
        again(vault)
    with pytest.raises(Unreachable, match="changed elsewhere"):
        running.get(NAME)
    assert not running.unlocked
    assert again(vault, "another passphrase").get(NAME) == CANARY


def test_a_second_vault_is_never_made_over_the_first(vault: Vault) -> None:
    vault.set(NAME, CANARY)
    with pytest.raises(BadInput, match="already"):
        Vault(vault.path.parent).create("another passphrase")
    assert vault.get(NAME) == CANARY


def test_without_a_vault_it_says_how_to_make_one(tmp_path: Path) -> None:
    none = Vault(tmp_path)
    assert (none.exists, none.get(NAME), none.names()) == (False, None, [])
    for act in (lambda: none.unlock(PASSPHRASE), lambda: none.set(NAME, CANARY), lambda: none.remove(NAME)):
        with pytest.raises(NotFound) as refused:
            act()
        assert "pos secrets vault create" in refused.value.hint


def test_one_that_vanishes_while_open_is_missed(vault: Vault) -> None:
    vault.set(NAME, CANARY)
    vault.path.unlink()
    with pytest.raises(NotFound):
        vault.get(NAME)


# Damage and forgery ---------------------------------------------------------------------------------------------------


def told(act: Callable[[], object]) -> PosError:
    """The one error with a title and a hint that an act ends in."""
    with pytest.raises(PosError) as refused:
        act()
    assert refused.value.title
    assert refused.value.hint
    return refused.value


def resum(raw: bytes) -> bytes:
    """As a forger would: the digest fits again."""
    return raw[:-SUM_BYTES] + hashlib.sha256(raw[:-SUM_BYTES]).digest()


def put_head(vault: Vault, **changed: int) -> None:
    raw = vault.path.read_bytes()
    head = read_head(raw)
    values = {name: getattr(head, name) for name in Head.__slots__} | changed
    vault.path.write_bytes(resum(Head(**values).packed() + raw[HEAD.size :]))


def test_every_cut_is_damage(vault: Vault) -> None:
    vault.set(NAME, CANARY)
    raw = vault.path.read_bytes()
    for length in range(len(raw)):
        vault.path.write_bytes(raw[:length])
        assert isinstance(told(lambda: again(vault)), Broken)
    vault.path.write_bytes(raw + b"\0")
    assert "damaged" in told(lambda: again(vault)).title


def test_every_changed_byte_is_damage_also_while_it_is_open(vault: Vault) -> None:
    vault.set(NAME, CANARY)
    raw = vault.path.read_bytes()
    for at in range(len(raw)):
        vault.path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        assert isinstance(told(lambda: vault.get(NAME)), Broken)
    vault.path.write_bytes(raw)
    assert vault.get(NAME) == CANARY


def test_a_forger_who_mends_the_digest_changes_nothing_unseen(vault: Vault) -> None:
    """Every byte of head and body is authenticated by the passphrase's key."""
    vault.set(NAME, CANARY)
    raw = vault.path.read_bytes()
    for at in range(len(raw) - SUM_BYTES):
        vault.path.write_bytes(resum(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]))
        assert isinstance(told(lambda: vault.get(NAME)), NotAllowed | Broken | Unreachable)
        vault.path.write_bytes(raw)
        vault.unlock(PASSPHRASE)


@pytest.mark.parametrize(
    "costs",
    [
        {"memory_kib": 0xFFFFFFFF},
        {"memory_kib": 256 * 1024 + 1},
        {"memory_kib": 0},
        {"memory_kib": 1024},
        {"passes": 255},
        {"passes": 0},
        {"lanes": 255},
        {"lanes": 0},
    ],
    ids=str,
)
def test_a_forged_head_cannot_eat_the_machine(
    vault: Vault, costs: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_head(vault, **costs)
    monkeypatch.setattr("argon2.low_level.hash_secret_raw", lambda *_, **__: pytest.fail("it began to work"))
    assert "more work" in told(lambda: again(vault)).title


def test_weaker_costs_of_a_forger_do_not_open_it(vault: Vault) -> None:
    put_head(vault, passes=2)
    assert isinstance(told(lambda: again(vault)), NotAllowed)


def test_a_newer_version_is_left_alone(vault: Vault) -> None:
    raw = bytearray(vault.path.read_bytes())
    raw[8] = 2
    vault.path.write_bytes(resum(bytes(raw)))
    for act in (lambda: again(vault), lambda: vault.set(NAME, CANARY), vault.check):
        assert "newer version" in told(act).title
    assert vault.path.read_bytes() == resum(bytes(raw))


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"SQLite format 3\0" * 99, b"TRUETILL", b"x" * 3_000_000])
def test_what_is_no_vault_is_one_sentence(vault: Vault, content: bytes) -> None:
    vault.path.write_bytes(content)
    told(lambda: again(vault))


def test_a_folder_in_its_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "secrets.vault").mkdir()
    told(lambda: Vault(tmp_path).unlock(PASSPHRASE))


@given(raw=st.binary(max_size=300))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_refused_with_a_sentence(raw: bytes) -> None:
    for given_bytes in (raw, b"TRUETILL\x01" + raw, resum(b"TRUETILL\x01" + raw + b"\0" * 64)):
        told(lambda: sealed.unseal(given_bytes, b"\0" * 32))  # noqa: B023


def test_a_machine_without_memory_says_so(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2.exceptions import HashingError

    def none_left(*_: object, **__: object) -> bytes:
        raise HashingError("Memory allocation error")

    monkeypatch.setattr("argon2.low_level.hash_secret_raw", none_left)
    assert "memory" in told(lambda: again(vault)).hint


# Writing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_vault(vault: Vault, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    vault.set(NAME, CANARY)
    before = vault.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os if step == "fsync" else Path, step, full)
        assert "No space left" in told(lambda: vault.set(NAME, "sk_test_other")).title
    assert vault.path.read_bytes() == before
    assert [path.name for path in vault.path.parent.glob("*.new")] == []
    assert vault.get(NAME) == CANARY


def test_file_and_folder_are_synced_around_the_rename(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    sync, move = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        steps.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        sync(handle)

    def replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return move(path, target)

    monkeypatch.setattr(files.os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    vault.set(NAME, CANARY)
    wanted = ["file", "rename", "folder"] if sys.platform == "linux" else ["file", "rename"]
    assert steps[: len(wanted)] == wanted


def test_what_a_killed_writer_left_is_swept(vault: Vault) -> None:
    draft = vault.path.with_name("secrets.vault.new")
    draft.write_bytes(b"half of one")
    vault.set(NAME, CANARY)
    assert not draft.exists()
    assert again(vault).get(NAME) == CANARY


def _many_sets(home: str, number: int) -> None:
    vault = Vault(Path(home))
    vault.unlock(PASSPHRASE)
    for count in range(EACH):
        vault.set(f"writer.n{number}_{count}", f"value {number} {count}")


def test_processes_that_write_at_once_lose_nothing(vault: Vault) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_many_sets, args=(str(vault.path.parent), n)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    kept = {name: vault.get(name) for name in vault.names()}
    assert kept == {f"writer.n{n}_{c}": f"value {n} {c}" for n in range(WRITERS) for c in range(EACH)}


def test_threads_of_one_window_that_write_at_once_lose_nothing(vault: Vault) -> None:
    def sets(number: int) -> None:
        for count in range(EACH):
            vault.set(f"thread.n{number}_{count}", "value")

    threads = [threading.Thread(target=sets, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(vault.names()) == WRITERS * EACH


def test_a_writer_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    target = tmp_path / "secrets.vault"
    with (
        files.only_writer(target),
        pytest.raises(Unreachable, match="Another program"),
        files.only_writer(target, 0.05),
    ):
        pytest.fail("two writers at once")
    with files.only_writer(target, 0.0):  # and it is free again
        assert not target.exists()


def test_a_home_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = Vault(tmp_path / "file" / "home")
    assert isinstance(told(lambda: made.create(PASSPHRASE)), Broken)
    assert not made.unlocked


def test_a_full_vault_says_so(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "NAMES_KEPT", 2)
    vault.set("a.a", "one")
    vault.set("a.b", "two")
    with pytest.raises(BadInput, match="full"):
        vault.set("a.c", "three")
    vault.set("a.b", "other")
    assert vault.names() == ["a.a", "a.b"]


# In its place after the others ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ring", [None, Forgetful(), Failing(RuntimeError("bus"))], ids=["none", "sham", "locked"])
def test_where_no_keyring_can_be_relied_on_the_vault_keeps(vault: Vault, ring: FakeKeyring | None) -> None:
    store = chain(vault, ring)
    store.set(NAME, CANARY)
    assert (store.get(NAME), store.source_of(NAME), store.names()) == (CANARY, "the vault", [NAME])
    assert store.place() == (True, "keys are kept in the vault, which is open")
    store.remove(NAME)
    assert vault.get(NAME) is None


def test_a_real_keyring_comes_first_and_both_are_read(vault: Vault) -> None:
    vault.set(NAME, "sk_test_old")
    vault.set(OTHER, "of the vault")
    ring = FakeKeyring()
    store = chain(vault, ring)
    store.set(NAME, CANARY)
    assert ring.entries["truetill", NAME] == CANARY
    assert (store.get(NAME), store.get(OTHER)) == (CANARY, "of the vault")
    assert (store.source_of(NAME), store.source_of(OTHER)) == ("the keyring", "the vault")
    assert store.names() == [NAME, OTHER]
    assert vault.get(NAME) is None  # an old copy would come back on the day the keyring is gone
    store.remove(OTHER)
    assert vault.names() == []


def test_what_lies_in_both_is_forgotten_in_both(vault: Vault) -> None:
    ring = FakeKeyring()
    KeyringSecrets(load=lambda: ring).set(NAME, CANARY)
    vault.set(NAME, CANARY)
    store = chain(vault, ring)
    store.remove(NAME)
    assert store.get(NAME) is None
    with pytest.raises(NotFound):
        store.remove(NAME)


@pytest.mark.parametrize("ring", [None, FakeKeyring(), Failing(RuntimeError("bus"))], ids=["none", "empty", "locked"])
def test_a_locked_vault_is_not_the_same_as_not_knowing(vault: Vault, ring: FakeKeyring | None) -> None:
    vault.set(NAME, CANARY)
    vault.lock()
    store = chain(vault, ring)
    for act in (lambda: store.get(NAME), lambda: store.remove(NAME)):
        with pytest.raises(Unreachable, match="The vault is locked"):
            act()
    assert (store.source_of(NAME), store.names()) == ("", [])
    assert store.place()[0] == (type(ring) is FakeKeyring)


@pytest.mark.parametrize("key", ["sk_live_abcdefgh12", "rk_live_abcdefgh12", "rzp_live_abcdefgh12"])
def test_a_live_key_is_kept_sealed_or_not_at_all(tmp_path: Path, key: str) -> None:
    store = chain(Vault(tmp_path), None)
    with pytest.raises(Unreachable, match="real money") as refused:
        store.set(NAME, key)
    assert "pos secrets vault create" in refused.value.hint
    assert list(tmp_path.iterdir()) == []
    store.vault.create(PASSPHRASE)
    store.vault.lock()
    with pytest.raises(Unreachable, match="The vault is locked"):
        store.set(NAME, key)
    store.vault.unlock(PASSPHRASE)
    store.set(NAME, key)
    assert key.encode() not in everything_on_disk(tmp_path)


def test_its_own_passphrase_is_kept_nowhere(vault: Vault) -> None:
    ring = FakeKeyring()
    with pytest.raises(BadInput, match="kept nowhere"):
        chain(vault, ring).set("vault.passphrase", PASSPHRASE)
    assert ring.entries == {}


# How it is unlocked ---------------------------------------------------------------------------------------------------


@pytest.fixture
def no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "system_keyring", lambda: None)


def test_the_environment_or_a_private_file_unlocks_it_when_it_is_needed(vault: Vault, no_ring: None) -> None:
    vault.set(NAME, CANARY)
    home = vault.path.parent
    given_file = home / "given"
    given_file.write_text(f'[vault]\npassphrase = "{PASSPHRASE}"\n')
    given_file.chmod(0o600)
    for env in ({VARIABLE: PASSPHRASE}, {"POS_SECRETS_FILE": str(given_file)}):
        store = open_secrets(home, env)
        assert not store.vault.unlocked
        assert store.get(NAME) == CANARY
        assert store.vault.unlocked


def test_locked_by_hand_it_stays_locked(vault: Vault, no_ring: None) -> None:
    vault.set(NAME, CANARY)
    store = open_secrets(vault.path.parent, {VARIABLE: PASSPHRASE})
    assert store.get(NAME) == CANARY
    store.vault.lock()
    with pytest.raises(Unreachable, match="locked"):
        store.get(NAME)
    store.vault.unlock(PASSPHRASE)
    assert store.get(NAME) == CANARY


def test_a_person_is_asked_once_and_only_when_nobody_else_knows(vault: Vault, no_ring: None) -> None:
    vault.set(NAME, CANARY)
    asked: list[str] = []

    def ask() -> str:
        asked.append("?")
        return PASSPHRASE

    store = open_secrets(vault.path.parent, {"POS_SECRET_RELAY_TILL_TOKEN": "given"}, ask)
    assert (store.get(OTHER), asked) == ("given", [])
    assert (store.get(NAME), store.get("a.b"), asked) == (CANARY, None, ["?"])
    silent = open_secrets(vault.path.parent, {}, lambda: asked.append("!") or "")
    for _ in range(2):
        with pytest.raises(Unreachable):
            silent.get(NAME)
    assert asked == ["?", "!"]


def test_a_wrong_one_in_the_environment_is_said_each_time_and_tried_once(
    vault: Vault, no_ring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_secrets(vault.path.parent, {VARIABLE: "not this one"})
    with pytest.raises(NotAllowed):
        store.get(NAME)
    monkeypatch.setattr("argon2.low_level.hash_secret_raw", lambda *_, **__: pytest.fail("tried again"))
    with pytest.raises(NotAllowed):
        store.get(NAME)
    assert store.place()[0] is False
    assert "not the passphrase" in store.place()[1]


# The commands ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_ring: None) -> Callable[..., Result]:
    monkeypatch.setenv("POS_HOME", str(tmp_path))
    for name in (VARIABLE, "POS_SECRETS_FILE"):
        monkeypatch.delenv(name, raising=False)

    def type_(*words: str, stdin: str = "", **env: str) -> Result:
        return CliRunner().invoke(command, list(words), input=stdin, env=env)

    return type_


def test_the_whole_life_of_a_vault_by_command(shell: Callable[..., Result], tmp_path: Path) -> None:
    assert "there is no vault" in shell("vault", "status").output
    made = shell("vault", "create", stdin=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert (made.exit_code, PASSPHRASE in made.output) == (0, False)
    assert isinstance(shell("set", NAME, stdin=CANARY).exception, Unreachable)
    kept = shell("set", NAME, stdin=CANARY, **{VARIABLE: PASSPHRASE})
    assert kept.output == f"{NAME} is kept in the vault.\n"
    listed = shell("list", **{VARIABLE: PASSPHRASE}).output
    assert f"{NAME}  (the vault)" in listed
    locked = shell("list")
    assert (locked.exit_code, NAME in locked.output, "vault is locked" in locked.output) == (0, False, True)
    assert shell("vault", "change", stdin=f"{PASSPHRASE}\nanother passphrase\n").exit_code == 0
    assert isinstance(shell("list", **{VARIABLE: PASSPHRASE}).exception, NotAllowed)
    status = shell("vault", "status", "--json", **{VARIABLE: "another passphrase"})
    assert '"unlocked": true' in status.output
    assert shell("remove", NAME, **{VARIABLE: "another passphrase"}).exit_code == 0
    for secret in (CANARY, PASSPHRASE, "another passphrase"):
        assert secret.encode() not in everything_on_disk(tmp_path)


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("gateways.strpe.secret_key", True),
        ("gateways.stripe.nosuch", True),
        ("relay.till_tokn", True),
        ("gateways.stripe.secret_key", False),
        ("gateways.razorpay.key_id", False),
        ("relay.till_token", False),
    ],
)
def test_a_name_that_nothing_reads_is_kept_with_a_word(
    shell: Callable[..., Result], vault: Vault, name: str, warned: bool
) -> None:
    """Most likely it is misspelt; but its package may come later."""
    kept = shell("set", name, stdin=CANARY, **{VARIABLE: PASSPHRASE})
    assert (kept.exit_code, kept.stdout) == (0, f"{name} is kept in the vault.\n")
    assert (f"Nothing here reads {name}." in kept.stderr) is warned
    assert ("gateways.stripe.secret_key, relay.till_token" in kept.stderr) is warned
    assert name in shell("list", **{VARIABLE: PASSPHRASE}).output


def test_what_a_gateway_that_does_not_load_may_read_is_not_called_unread(
    shell: Callable[..., Result], vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(write_package(tmp_path / "site", BROKEN["import"])))
    kept = shell("set", "gateways.copper_bank.secret_key", stdin=CANARY, **{VARIABLE: PASSPHRASE})
    assert (kept.exit_code, kept.stderr) == (0, "")


@pytest.mark.parametrize("stdin", ["", "short\n", f"{PASSPHRASE}\nother one here\n", "a\nb\nc\n"])
def test_what_is_no_passphrase_on_standard_input_makes_no_vault(
    shell: Callable[..., Result], tmp_path: Path, stdin: str
) -> None:
    assert isinstance(shell("vault", "create", stdin=stdin).exception, BadInput)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["vault", "create"], ["vault", "change"], ["set", NAME]], ids=" ".join)
def test_a_passphrase_or_key_as_argument_is_refused_and_not_repeated(
    shell: Callable[..., Result], words: list[str]
) -> None:
    refused = shell(*words, CANARY)
    assert (refused.exit_code, CANARY in refused.output) == (2, False)
    assert "never an argument" in refused.output


def test_status_of_a_damaged_vault_says_so(shell: Callable[..., Result], vault: Vault) -> None:
    vault.path.write_bytes(vault.path.read_bytes()[:-1])
    assert "damaged" in str(shell("vault", "status").exception)


def test_starting_a_till_loads_no_cipher() -> None:
    """They cost start-up time; a home without a vault never needs them."""
    script = (
        "import sys; from pathlib import Path; from pos.app.secrets import open_secrets;"
        "s = open_secrets(Path('/nowhere'), {}); s.vault.get('a.b'); s.vault.names();"
        "print([m for m in ('argon2', 'cryptography', 'keyring', 'fcntl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
