"""A short form of the power cuts of `./run prove crash`, and that they find what they are for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.powercut import Log, Tally, check_whole, points, record, replay
from tests.crash.writelog import MODES, Disk
from tests.shop import Bank, bank_process

CUTS, ORDERS, SEED = 40, 8, 7
FEW = 12


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with bank_process(tmp_path_factory.mktemp("bank")) as made:
        yield made


def cut(log: Log, cuts: int) -> Tally:
    tally = replay(log, points(len(log.records), cuts, SEED), SEED)
    print(f"{tally}\nagain: python -m tests.crash.powercut --cuts {cuts} --orders {ORDERS} --seed {SEED}")
    return tally


def test_nothing_acknowledged_is_lost_in_a_power_cut(bank: Bank, tmp_path: Path) -> None:
    tally = cut(record(bank, tmp_path, ORDERS, SEED), CUTS)
    assert tally.failures == []
    assert tally.cuts.total() == CUTS
    assert set(tally.cuts) == set(MODES)
    assert tally.undone > CUTS // 2
    assert tally.orders > CUTS
    assert tally.payments > CUTS


@pytest.mark.parametrize("plant", ["normal", "early"])
def test_a_till_that_acknowledges_what_is_not_on_the_disk_is_found(bank: Bank, tmp_path: Path, plant: str) -> None:
    tally = cut(record(bank, tmp_path, ORDERS, SEED, plant), FEW)
    assert tally.lossy, tally
    assert tally.half == 0  # what was lost was lost whole


def test_a_commit_in_two_parts_is_found(bank: Bank, tmp_path: Path) -> None:
    assert cut(record(bank, tmp_path, ORDERS, SEED, "halves"), FEW).half


def test_a_log_with_a_gap_is_refused(bank: Bank, tmp_path: Path) -> None:
    log = record(bank, tmp_path, 1, SEED)
    records = log.records
    whole, gap = Disk.holding(tmp_path / "before"), Disk.holding(tmp_path / "before")
    last = max(at for at, each in enumerate(records) if each.what == "W")
    for at, each in enumerate(records):
        whole.take(each)
        if at != last:
            gap.take(each)
    check_whole(whole, tmp_path / "home")
    with pytest.raises(RuntimeError, match="does not give the files"):
        check_whole(gap, tmp_path / "home")
