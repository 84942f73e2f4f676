"""Two tills as processes of their own on one PostgreSQL: started at once on an empty database, Pay pressed at once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tests.processes import ROOT, run_pos
from tests.shop import Bank, bank_process, settings_text

COMMAND_S = 90.0
TILLS = ("1", "2")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with bank_process(tmp_path_factory.mktemp("bank")) as made:
        yield made


@pytest.fixture
def homes(bank: Bank, postgresql: Cluster, tmp_path: Path) -> Iterator[dict[str, dict[str, str]]]:
    """What each till's commands find in their environment; nobody has opened the database yet."""
    keys = {"POS_SECRET_" + name.upper().replace(".", "_"): value for name, value in bank.new_keys().items()}
    with postgresql.database(empty=True) as url:
        found = {}
        for till in TILLS:
            home = tmp_path / f"till-{till}"
            home.mkdir()
            text = settings_text(bank.url, database=f'url = "{url}"', till=f'id = "{till}"')
            (home / "settings.toml").write_text(text, encoding="utf-8")
            found[till] = keys | {"POS_HOME": str(home)}
        yield found


def at_once(homes: dict[str, dict[str, str]], *words: str) -> dict[str, subprocess.CompletedProcess[str]]:
    """The same command typed at each till."""

    def type_at(till: str) -> subprocess.CompletedProcess[str]:
        return run_pos(words, homes[till], within_s=COMMAND_S)

    with ThreadPoolExecutor(len(TILLS)) as hands:
        return dict(zip(TILLS, hands.map(type_at, TILLS), strict=True))


def test_two_tills_begin_at_once_sell_at_once_and_press_pay_at_once(homes: dict[str, dict[str, str]]) -> None:
    products = ROOT / "resources" / "samples" / "cafe.csv"
    for till, done in at_once(homes, "catalogue", "import", str(products)).items():
        assert done.returncode == 0, (till, done.stderr)

    sold = at_once(homes, "sell", "--line", "FLAT", "--qr", "stripe", "--key", "table-7", "--json")
    first = {till: json.loads(done.stdout) for till, done in sold.items() if done.returncode == 0}
    assert set(first) == set(TILLS), sold
    assert len({order["order_id"] for order in first.values()}) == 1  # the same key is the same order

    paid = at_once(homes, "pay", "table-7", "--qr", "stripe", "--json")
    shown = {json.loads(done.stdout)["attempt"]["link_url"] for done in paid.values()}
    assert len(shown) == 1, paid
    link = shown.pop()
    assert run_pos(["sandbox", "pay", link, "--outcome", "paid"], homes["1"]).returncode == 0

    for till, done in at_once(homes, "sync", "--once", "--json").items():
        assert done.returncode == 0, (till, done.stderr)
    order = json.loads(run_pos(["order", "table-7", "--json"], homes["2"]).stdout)
    assert (order["shown"], order["captured_minor"], order["attempt"]["no"]) == ("paid", order["due_minor"], 1)
    verified = run_pos(["books", "verify"], homes["1"])
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_second_machine_with_the_same_till_id_may_look_and_not_sell(
    homes: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    products = str(ROOT / "resources" / "samples" / "cafe.csv")
    assert run_pos(["catalogue", "import", products], homes["1"]).returncode == 0
    copied = tmp_path / "copied"
    copied.mkdir()
    (copied / "settings.toml").write_bytes((Path(homes["1"]["POS_HOME"]) / "settings.toml").read_bytes())
    there = homes["1"] | {"POS_HOME": str(copied)}
    refused = run_pos(["sell", "--line", "FLAT", "--cash", "1000", "--json"], there)
    assert refused.returncode == 1
    assert "Till 1 is in use on another machine." in refused.stderr
    assert run_pos(["orders"], there).returncode == 0
