"""A shop sets its gateway up by commands: what somebody types, in a home without a keyring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pos.cli.doctor import _seconds
from tests.journeys.conftest import COMMAND_S, Done
from tests.packages import BROKEN, write_package
from tests.processes import ROOT
from tests.shop import Bank, bank_process

KEYS = "POS_SECRETS_FILE"


@dataclass
class Hands:
    home: Path
    bank: Bank

    def pos(self, *words: str, stdin: str = "", **environment: str) -> Done:
        base = {
            "PATH": "/usr/bin:/bin",
            "POS_HOME": str(self.home),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        done = subprocess.run(
            [sys.executable, "-m", "pos", *words],
            input=stdin, capture_output=True, text=True, check=False, cwd=ROOT, env=base | environment,
            timeout=COMMAND_S,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text('# ours\n[shop]\nname = "Corner"\ncurrency = "INR"\n', encoding="utf-8")
    with bank_process(tmp_path / "bank") as bank:
        yield Hands(home, bank)


def test_a_proxy_setting_that_cannot_be_used_stops_no_cash(hands: Hands, tmp_path: Path) -> None:
    """With a relay and a gateway set up: both are asked later, and say which variable it is."""
    settings = hands.home / "settings.toml"
    text = settings.read_text("utf-8") + '[relay]\nurl = "https://relay.example"\n[gateways.stripe]\nmode = "test"\n'
    settings.write_text(text, encoding="utf-8")
    (tmp_path / "goods.csv").write_text("sku,name,price\nTEA,Tea,5.00\n", encoding="utf-8")
    given = {"POS_SECRET_RELAY_TILL_TOKEN": "t", "POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY": "sk_test_1"}
    for proxy in ({"all_proxy": "socks://127.0.0.1:1080/"}, {"ALL_PROXY": "socks5://127.0.0.1:1080"}):
        odd = given | proxy
        goods = hands.pos("catalogue", "import", str(tmp_path / "goods.csv"), **odd)
        assert goods.status == 0, goods.err
        assert hands.pos("sell", *SALE, "--cash", "500", **odd).status == 0
        asked = hands.pos("sell", *SALE, "--qr", "stripe", **odd)
        assert (asked.status, "Traceback" in asked.err) == (2, False)
        assert f"{next(iter(proxy))} in the environment" in asked.err
        doctor = hands.pos("doctor", **odd)
        assert (doctor.status, doctor.err) == (1, "")
        assert [line[:3] for line in doctor.out.splitlines() if "_proxy" in line.lower()] == ["BAD", "BAD"]


SALE = ("--line", "TEA")


@pytest.mark.parametrize("installed", [True, False])
def test_a_package_that_does_not_load_stops_no_cash_and_is_switched_off_by_a_command(
    hands: Hands, tmp_path: Path, installed: bool
) -> None:
    """Nobody should have to edit a file to sell tea: every command but those that need this gateway does its work."""
    settings = hands.home / "settings.toml"
    settings.write_text(settings.read_text("utf-8") + '[gateways.copper_bank]\nmode = "test"\n', encoding="utf-8")
    site = write_package(tmp_path / "site", BROKEN["import"]) if installed else tmp_path / "nothing"
    path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
    (tmp_path / "goods.csv").write_text("sku,name,price\nTEA,Tea,5.00\n", encoding="utf-8")
    goods = hands.pos("catalogue", "import", str(tmp_path / "goods.csv"), **path)
    assert goods.status == 0, goods.err
    cash = hands.pos("sell", *SALE, "--cash", "500", "--json", **path)
    assert (cash.status, cash.json["money"]) == (0, "paid"), cash.err
    assert hands.pos("order", cash.json["number"], **path).status == 0
    asked = hands.pos("sell", *SALE, "--qr", "copper_bank", **path)
    assert (asked.status, "Traceback" in asked.err, "'copper_bank'" in asked.err) == (1, False, True)
    assert "pos gateways disable copper_bank" in asked.err
    tested = hands.pos("gateways", "test", "copper_bank", **path)
    assert (tested.status, "'copper_bank'" in tested.err) == (1, True)
    for words in (("list",), ("show", "copper_bank")):
        shown = hands.pos("gateways", *words, **path)
        assert shown.status == 0, shown.err
        assert "cannot be loaded" in shown.out
        assert "pos gateways disable copper_bank" in shown.out
    doctor = hands.pos("doctor", **path)
    assert (doctor.status, doctor.err) == (1, "")
    row = next(line for line in doctor.out.splitlines() if "copper_bank" in line)
    assert row.startswith("BAD")
    assert "database" in doctor.out
    assert "relay" in doctor.out
    off = hands.pos("gateways", "disable", "copper_bank", **path)
    assert (off.status, off.out) == (0, "copper_bank takes no payments.\n"), off.err
    on = hands.pos("gateways", "enable", "copper_bank", **path)
    assert on.status != 0
    assert "copper_bank" in on.err
    gone = hands.pos("gateways", "remove", "copper_bank", **path)
    assert gone.status == 0, gone.err
    assert "copper_bank" not in settings.read_text("utf-8")
    assert hands.pos("doctor", **path).status == 0


def keys_file(hands: Hands, key: str) -> dict[str, str]:
    path = hands.home / "keys.toml"
    path.write_text(f'gateways.stripe.secret_key = "{key}"\n', encoding="utf-8")
    path.chmod(0o600)
    return {KEYS: str(path)}


def test_a_gateway_from_the_first_key_to_the_last(hands: Hands) -> None:
    """Add, list, test, sell, try to leave, settle, leave."""
    listed = hands.pos("gateways", "list", "--json")
    assert [(card["name"], card["listed"]) for card in listed.json if card["name"] == "stripe"] == [("stripe", False)]
    nowhere = hands.pos(
        "gateways", "add", "stripe", "--mode", "test", "--api-base", hands.bank.url, stdin="sk_test_x1\n"
    )
    assert nowhere.status in (1, 4), nowhere.err
    assert "sk_test_x1" not in nowhere.err + nowhere.out
    key = hands.bank.new_keys()["gateways.stripe.secret_key"]
    given = keys_file(hands, key)
    added = hands.pos("gateways", "add", "stripe", "--mode", "test", "--api-base", hands.bank.url, **given)
    assert added.status == 0, added.err
    assert "accepted the keys" in added.out
    tested = hands.pos("gateways", "test", "stripe", "--json", **given)
    assert tested.status == 0
    assert [check["state"] for check in tested.json["checks"]] == ["ok", "ok", "ok", "ok", "none"]
    shown = hands.pos("gateways", "show", "stripe", **given)
    assert "Checkout Session" in shown.out
    assert key not in shown.out
    assert key not in json.dumps(hands.pos("gateways", "show", "stripe", "--json", **given).json)
    assert "TEST" in hands.pos("day", "preview", "--no-refresh", **given).out
    assert "the till makes up for" in hands.pos("doctor", **given).out
    assert hands.pos("gateways", "disable", "stripe", **given).status == 0
    assert hands.pos("gateways", "test", "stripe", **given).status == 2
    assert hands.pos("gateways", "enable", "stripe", "--as", "Nobody", **given).status == 2
    assert hands.pos("gateways", "enable", "stripe", **given).status == 0
    removed = hands.pos("gateways", "remove", "stripe", **given)
    assert (removed.status, "file" in removed.err) == (2, True)
    hands.bank.served.kill()
    down = hands.pos("gateways", "test", "stripe", **given)
    assert down.status == 4
    assert "BAD" in down.out
    assert (hands.home / "settings.toml").read_text(encoding="utf-8").startswith("# ours\n")


def test_a_gateway_that_does_not_exist_is_told_with_those_that_do(hands: Hands) -> None:
    asked = hands.pos("gateways", "test", "nosuch")
    assert asked.status == 2
    assert "'nosuch'" in asked.err
    assert "razorpay, stripe" in asked.err


def test_the_doctor_calls_no_place_for_keys_in_order_only_where_none_is_needed(hands: Hands) -> None:
    def secrets(**environment: str) -> str:
        lines = hands.pos("doctor", **environment).out.splitlines()
        return next(line for line in lines if line.split()[1] == "secrets")

    assert secrets().startswith("ok "), "cash only"
    settings = hands.home / "settings.toml"
    settings.write_text(
        settings.read_text("utf-8") + f'[gateways.stripe]\napi_base = "{hands.bank.url}"\n', encoding="utf-8"
    )
    assert secrets().startswith("BAD")
    key = hands.bank.new_keys()["gateways.stripe.secret_key"]
    assert secrets(POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY=key).startswith("ok ")
    assert secrets(**keys_file(hands, key)).startswith("ok ")
    settings.write_text(settings.read_text("utf-8") + "enabled = false\n", encoding="utf-8")
    assert secrets().startswith("ok ")


@pytest.mark.parametrize(
    ("ms", "said"), [(-400, "0 s"), (0, "0 s"), (499, "0 s"), (-1_600, "-2 s"), (130_000, "+130 s")]
)
def test_the_doctor_says_no_minus_of_nothing(ms: int, said: str) -> None:
    assert _seconds(ms) == said


def test_keys_come_on_standard_input_one_a_line(hands: Hands) -> None:
    empty = hands.pos("gateways", "add", "stripe", "--mode", "test", "--api-base", hands.bank.url)
    assert empty.status == 2
    assert "secret key" in empty.err
    two = hands.pos("gateways", "add", "stripe", "--mode", "test", stdin="sk_test_1\nsk_test_2\n")
    assert (two.status, "sk_test" in two.err) == (2, False)
    live = hands.pos("gateways", "add", "stripe", "--mode", "test", stdin="sk_live_1\n")
    assert live.status == 2
    assert "real money" in live.err
