"""The judges are pinned by digest, and no address to load them from stands here."""

from __future__ import annotations

import json

from tests.judges.conftest import HERE


def test_the_lock_holds_digests_and_no_address() -> None:
    text = (HERE / "package-lock.json").read_text("utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    pinned = {name: package for name, package in packages.items() if name}
    assert len(pinned) > 50
    assert all(package["integrity"].startswith("sha512-") for package in pinned.values())
    assert not any(package.keys() & {"resolved", "hasInstallScript"} for package in pinned.values())


def test_the_judges_are_the_ones_that_were_looked_at() -> None:
    wanted = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]
    assert wanted == {"emulate": "0.11.2", "stripe-stateful-mock": "0.0.16"}
    locked = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_npm_is_told_of_no_host() -> None:
    settings = (HERE / ".npmrc").read_text("utf-8")
    assert "registry=" not in settings
    assert "//" not in settings
    assert "ignore-scripts=true" in settings
