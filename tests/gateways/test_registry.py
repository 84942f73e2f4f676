"""Which gateways there are, from a checkout as from an installation."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from pos.domain.errors import Broken, NotFound
from pos.domain.facts import Mode
from pos.gateways import registry
from pos.relay import doors
from tests.packages import BROKEN, write_package
from tests.processes import ROOT


def announce(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    found = [EntryPoint(name, value, registry.GROUP) for name, value in points]
    monkeypatch.setattr(registry, "entry_points", lambda group: found if group == registry.GROUP else [])


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("name", ["stripe", "razorpay"])
def test_what_is_in_the_box_is_there_without_an_installation(
    monkeypatch: pytest.MonkeyPatch, name: str, mode: Mode
) -> None:
    announce(monkeypatch)
    adapter = registry.adapter(name, mode)
    assert (adapter.name, adapter.mode, adapter.account) == (name, mode, "")
    assert registry.names() == ["razorpay", "stripe"]


def test_what_is_built_in_is_announced_in_the_project_file_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["entry-points"][registry.GROUP] == registry.BUILT_IN


def test_other_packages_add_gateways_but_cannot_take_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "pos.gateways.stripe.adapter:StripeAdapter"
    announce(monkeypatch, ("acme", "pos.gateways.stripe.adapter:make"), ("stripe", other))
    assert registry.names() == ["acme", "razorpay", "stripe"]
    assert registry.adapter("acme", Mode.TEST).name == "stripe"
    assert registry.adapter("stripe", Mode.LIVE).mode is Mode.LIVE


def test_an_unknown_gateway_is_said_so_with_those_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch)
    with pytest.raises(NotFound, match="stripe"):
        registry.adapter("paypal", Mode.TEST)


@pytest.mark.parametrize("value", ["no.such.module:make", "pos.gateways.stripe.adapter:nothing"])
def test_a_package_that_cannot_be_loaded_is_said_so(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    announce(monkeypatch, ("acme", value))
    with pytest.raises(Broken, match="acme"):
        registry.adapter("acme", Mode.TEST)


@pytest.mark.parametrize("wrong", list(BROKEN))
def test_whatever_is_wrong_with_a_package_is_one_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: str
) -> None:
    """Code of other people is run here: what it raises must not reach somebody at a counter."""
    name = f"acme_{wrong.replace(' ', '_')}"  # modules that were imported stay: each has a name of its own
    monkeypatch.syspath_prepend(str(write_package(tmp_path, BROKEN[wrong], name)))
    assert name in registry.names()
    with pytest.raises(Broken) as caught:
        registry.adapter(name, Mode.TEST)
    assert repr(name) in caught.value.title
    assert "\n" not in str(caught.value)
    assert f"truetill-{name}".replace("_", "-") in caught.value.hint


def test_an_account_that_an_adapter_cannot_name_is_one_sentence_without_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = (
        "from pos.gateways.stripe.adapter import StripeAdapter\n"
        "class Adapter(StripeAdapter):\n"
        "    def account_of(self, secrets):\n"
        "        raise ValueError(secrets['secret_key'])\n"
        "def make(mode):\n"
        "    return Adapter(mode)\n"
    )
    monkeypatch.syspath_prepend(str(write_package(tmp_path, source, "acme_account")))
    adapter = registry.adapter("acme_account", Mode.TEST)
    with pytest.raises(Broken, match="acme_account") as caught:
        registry.account_of("acme_account", adapter, {"secret_key": "sk_test_unsaid"})
    assert "unsaid" not in str(caught.value)
    assert registry.account_of("stripe", registry.adapter("stripe", Mode.TEST), {"secret_key": "sk_test_1"}) == ""


@pytest.mark.parametrize("source", ["1 / 0\n", "read_webhook = print\n", "PAGE_HOSTS = 5\nread_webhook = print\n"])
def test_an_envelope_that_cannot_be_loaded_is_one_sentence_for_who_runs_the_relay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    (tmp_path / "acme_envelope.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "acme_envelope", raising=False)
    point = EntryPoint("acme", "acme_envelope", doors.GROUP)
    monkeypatch.setattr(doors, "entry_points", lambda group: [point] if group == doors.GROUP else [])
    with pytest.raises(Broken, match="'acme' cannot be loaded") as caught:
        doors.find_doors()
    assert "acme_envelope" in caught.value.hint
