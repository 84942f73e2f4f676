"""Small parts by themselves: rate limits, the vault, tenants beside a running relay, files that cannot be used."""

import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.envelope import Envelope, Refs
from pos.domain.errors import BadInput, Broken, NotFound
from pos.relay import database, log_sqlite
from pos.relay.limits import Buckets, OncePer
from pos.relay.log import webhook_hint
from pos.relay.tenants import Tenants
from pos.relay.vault import open_vault
from tests.relay.conftest import NOW, Running


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    buckets = Buckets(per_s=2, burst=3)
    assert [buckets.wait_s("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait_s("b", 0.0) == 0
    assert buckets.wait_s("a", 0.5) == 0
    assert buckets.wait_s("a", 0.5) > 0
    assert [Buckets(0, 0).wait_s("a", 0.0) for _ in range(9)] == [0] * 9


@given(st.lists(st.floats(0, 5), max_size=200))
def test_never_more_than_burst_plus_rate(gaps: list[float]) -> None:
    buckets, now, allowed = Buckets(per_s=2, burst=3), 0.0, 0
    for gap in gaps:
        now += gap
        allowed += buckets.wait_s("a", now) == 0
    assert allowed <= 3 + 2 * now + 1e-6


def test_limits_forget_the_oldest_keys() -> None:
    buckets, once = Buckets(1, 1, max_keys=2), OncePer(60, max_keys=2)
    for key in "abc":
        assert buckets.wait_s(key, 0.0) == 0
        assert once.may(key, 0.0)
    assert buckets.wait_s("a", 0.0) == 0, "forgotten, so it starts anew"
    assert buckets.wait_s("c", 0.0) > 0
    assert not once.may("c", 59.9)
    assert once.may("c", 60.0)


def test_the_vault_opens_only_what_it_sealed_for_the_same_thing(tmp_path: Path) -> None:
    vault = open_vault(tmp_path)
    sealed = vault.seal("whsec_1", "shop a")
    assert open_vault(tmp_path).open(sealed, "shop a") == "whsec_1"
    assert vault.seal("whsec_1", "shop a") != sealed
    for wrong, about in ((sealed, "shop b"), (sealed[:-1] + b"x", "shop a"), (sealed[:5], "shop a"), (b"", "shop a")):
        with pytest.raises(Broken):
            vault.open(wrong, about)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_vault(tmp_path)
    (tmp_path / "relay.key").chmod(0o640)
    with pytest.raises(Broken, match="chmod 600"):
        open_vault(tmp_path)
    (tmp_path / "relay.key").chmod(0o600)
    (tmp_path / "relay.key").write_bytes(b"short")
    with pytest.raises(Broken, match="damaged"):
        open_vault(tmp_path)


def test_a_lost_key_is_named(tmp_path: Path) -> None:
    tenants = Tenants(tmp_path)
    tenants.add_shop("Café", {"stripe": "whsec_0123456"}, NOW)
    tenants.close()
    (tmp_path / "relay.key").unlink()
    with pytest.raises(Broken, match=r"relay\.key"):
        Tenants(tmp_path)


async def test_a_running_relay_sees_what_is_added_beside_it(running: Running) -> None:
    beside = Tenants(running.core.settings.data)
    shop = beside.add_shop("Added", {"stripe": "whsec_added_beside"}, NOW)
    till, token = beside.add_till(shop, NOW)
    assert (await running.client.ask("GET", "/v1/whoami", token=token)).json["shop"] == shop
    answer = await running.client.hook(
        beside.hook_paths(shop)["stripe"], {"type": "x"}, "whsec_added_beside", t=int(NOW)
    )
    assert answer.status == 200
    beside.revoke_till(till, NOW)
    assert (await running.client.ask("GET", "/v1/whoami", token=token)).status == 401
    beside.close()


def test_tenants_refuse_what_cannot_be(tmp_path: Path) -> None:
    tenants = Tenants(tmp_path)
    shop = tenants.add_shop("Café", {"stripe": "whsec_0123456"}, NOW)
    for name in ("", " Café", "x" * 61, "a\nb", "a\0b"):
        with pytest.raises(BadInput):
            tenants.add_shop(name, {}, NOW)
    for secret in ("", "short", "with\nline feed in it", " blanks around ", "x" * 600):
        with pytest.raises(BadInput):
            tenants.rotate_secret(shop, "stripe", secret, NOW)
    with pytest.raises(BadInput, match="has stripe already"):
        tenants.add_shop("Café", {"stripe": "whsec_0123456"}, NOW)
    for call in (
        lambda: tenants.find_shop("nobody"),
        lambda: tenants.revoke_till("nobody", NOW),
        lambda: tenants.rotate_secret(shop, "razorpay", "whsec_0123456", NOW),
    ):
        with pytest.raises(NotFound):
            call()
    assert tenants.find_shop("Café") == tenants.find_shop(shop) == shop
    tenants.close()


async def test_tenants_that_cannot_be_read_are_a_503(running: Running) -> None:
    running.core.tenants.close()
    answers = [
        await running.client.ask("POST", running.cafe.hook, b"{}"),
        await running.client.ask("GET", "/v1/events", token=running.cafe.token),
        await running.client.ask("GET", "/v1/whoami", token=running.cafe.token),
    ]
    assert [answer.status for answer in answers] == [503, 503, 503]


def test_a_refused_shop_leaves_nothing_half_done(tmp_path: Path) -> None:
    tenants = Tenants(tmp_path)
    with pytest.raises(BadInput):
        tenants.add_shop("Café", {"stripe": "short"}, NOW)
    assert tenants.shops() == {}
    tenants.close()


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log.db").write_bytes(content)
    if not content:  # an empty file is a new database
        database.open_database(tmp_path / "log.db", log_sqlite.SCHEMA, 1).close()
        return
    with pytest.raises(Broken):
        database.open_database(tmp_path / "log.db", log_sqlite.SCHEMA, 1)
    assert (tmp_path / "log.db").read_bytes() == content


def test_a_newer_file_is_refused_unchanged(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "log.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(Broken, match="newer"):
        database.open_database(tmp_path / "log.db", log_sqlite.SCHEMA, 1)


def test_a_commit_here_survives_a_power_cut(tmp_path: Path) -> None:
    db = database.open_database(tmp_path / "log.db", log_sqlite.SCHEMA, 1)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    db.close()


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_files_are_for_their_owner(tmp_path: Path) -> None:
    Tenants(tmp_path / "relay").close()
    assert (tmp_path / "relay").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "relay").iterdir())


def test_words_that_cannot_travel_are_left_out() -> None:
    odd = Envelope("stripe", "e\n1", "a.b", Refs(link="x" * 256, payment="ok", refund="a\0", reference="\ud800"))
    hint = webhook_hint("s", odd, 1)
    assert hint.event.startswith("sha256:")
    assert (hint.refs.link, hint.refs.payment, hint.refs.refund, hint.refs.reference) == ("", "ok", "", "")
