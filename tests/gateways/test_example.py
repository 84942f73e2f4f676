"""The example of an adapter in a package of its own: installed as a stranger would, found, held to the contract."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.processes import ROOT

EXAMPLE = ROOT / "examples" / "village_bank"
LOOK = """
import json
from pos.domain.facts import Mode
from pos.gateways import registry
from pos.relay.doors import find_doors
adapter = registry.adapter("village_bank", Mode.TEST)
door = find_doors()["village_bank"]
body = b'{"event": "e1", "kind": "paid", "request": "req_1", "payment": "pay_1"}'
envelope = door.read_webhook(body, ())
print(json.dumps([registry.names(), sorted(find_doors()), adapter.capabilities.title, envelope.refs.link,
                  door.verify(["some secret"], (), body, 0.0).reason]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the example's package is installed."""
    folder = tmp_path_factory.mktemp("example")
    source, target = folder / "source", folder / "site"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "--target", str(target), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{target}"}


def python(environment: Mapping[str, str], *words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env=dict(environment),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_till_and_relay_find_it_by_its_entry_points(installed: dict[str, str]) -> None:
    done = python(installed, "-c", LOOK)
    assert done.returncode == 0, done.stderr
    names, doors, title, link, reason = json.loads(done.stdout)
    assert names == ["razorpay", "stripe", "village_bank"]
    assert doors == ["razorpay", "stripe", "village_bank"]
    assert (title, link, reason) == ("Village Bank", "req_1", "missing")


def test_its_own_tests_pass_where_it_is_installed(installed: dict[str, str]) -> None:
    done = python(installed, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", str(EXAMPLE))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no tests ran" not in done.stdout


def test_a_shop_sells_through_it(installed: dict[str, str], tmp_path: Path) -> None:
    """With nothing but its name in settings.toml."""
    home = tmp_path / "home"
    home.mkdir()
    script = tmp_path / "shop.py"
    script.write_text(SHOP.format(example=str(EXAMPLE), home=str(home)), encoding="utf-8")
    done = python(installed, str(script))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["waiting", "paid", 1250, True, "QR · Village Bank"]


SHOP = """
import asyncio, json, os, sys
from pathlib import Path
sys.path.insert(0, {example!r})
from bank import KEY, running
from pos.app.wiring import open_till
from pos.domain.basket import Line

async def main():
    with running() as bank:
        home = Path({home!r})
        settings = '[shop]\\ncurrency = "EUR"\\n[gateways.village_bank]\\napi_base = "%s"\\n' % bank.url
        (home / "settings.toml").write_text(settings)
        os.environ["POS_SECRET_GATEWAYS_VILLAGE_BANK_SECRET_KEY"] = KEY
        till = open_till(home)
        view = await till.checkout.sell([Line("TEA", "Tea", 1000, 1250, 0, "")], "village_bank")
        bank.pay(view.attempt.link_url, "paid")
        paid = await till.checkout.check_now(view.order_id)
        run = await till.reconcile.sweep("village_bank")
        assert await till.books.verify() == []
        print(json.dumps([view.shown, paid.shown, paid.captured_minor, run.complete, paid.payment_text]))
        await till.close()

asyncio.run(main())
"""
