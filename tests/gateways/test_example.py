"""The example of an adapter in a package of its own: installed as a stranger would, found, held to the contract."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import httpx
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


@pytest.mark.skipif(os.name != "posix", reason="the guide's lines are for a shell")
def test_the_lines_of_the_guide_lead_from_nothing_to_a_sale(tmp_path: Path) -> None:
    """Typed as they stand: a copy under another name keeps the contract, and a shop sells through it.

    The checkout is one of its own, whose Python has the packages of this one: nothing is installed into ours.
    """
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/write-an-adapter.md").read_text("utf-8"), re.M | re.S)
    assert len(blocks) == 3
    checkout, said = own_checkout(tmp_path / "truetill"), tmp_path / "said"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("POS_", "PYTHON", "PYTEST"))}
    with said.open("w", encoding="utf-8") as out:
        typed = subprocess.Popen(
            ["sh", "-eux", "-c", "".join(blocks)],
            cwd=checkout, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
        try:
            status = typed.wait(300)
            told = said.read_text(encoding="utf-8")
            assert status == 0, told
            page = re.search(r"^http://127\.0\.0\.1:\d+/page/req_\w+$", told, re.M)
            assert page is not None, told
            paid = httpx.post(page.group(), data={"does": "paid"}, trust_env=False, timeout=10.0)
            assert "250 cents in EUR, paid." in paid.text
        finally:
            os.killpg(typed.pid, signal.SIGKILL)  # the bank is still serving
    assert re.search(r"= [1-9]\d* passed in", told), told
    assert "Copper Bank accepted the keys" in told
    assert "Capabilities(title='Copper Bank'" in told
    assert not list((ROOT / "examples").rglob("*copper*"))


def own_checkout(folder: Path) -> Path:
    """What `./run` finds where everything has been installed once."""
    folder.mkdir()
    for name in ("run", "run.py", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("pos", "resources", "examples"):
        (folder / name).symlink_to(ROOT / name)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")], check=True, timeout=60)
    ours = sysconfig.get_path("purelib")
    theirs = sysconfig.get_path("purelib", vars={"base": str(folder / ".venv")})
    (Path(theirs) / "ours.pth").write_text(f"{ours}\n", encoding="utf-8")
    for lock in ("requirements.lock", "requirements-dev.lock"):
        digest = hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()
        (folder / ".venv" / f"{lock}.installed").write_text(digest, encoding="utf-8")
    return folder


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
