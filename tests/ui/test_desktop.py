"""The app as it is started: the first paint is light, one window a home, real services behind it, a clean end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pos.app import config, desktop
from pos.domain.errors import BadInput
from pos.sandbox import customer
from pos.ui import main_window, shop
from pos.ui.counter import Stage
from pos.ui.theme import Theme
from tests.postgres import cluster
from tests.processes import ROOT, begin, environment, run_pos, serve
from tests.shop import CAKE, TEA, Bank, bank_process, open_shop, settings_text
from tests.ui.conftest import QuietDesk, Stand
from tests.ui.test_sell import CONTROL

HEAVY = (
    "sqlalchemy",
    "alembic",
    "httpx",
    "keyring",
    "zxingcpp",
    "segno",
    "cryptography",
    "pos.store",
    "pos.gateways.http",
)
START_S = 60.0


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with bank_process(tmp_path_factory.mktemp("bank")) as made:
        yield made


@pytest.fixture
def home(bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop with two products, and its gateway's key where a server would have it."""
    made = open_shop(bank, tmp_path / "home")
    with ThreadPoolExecutor(1) as away:  # a loop of Qt may run in this thread already
        away.submit(lambda: asyncio.run(made.till.close())).result(START_S)
    for name, value in made.keys.items():
        monkeypatch.setenv("POS_SECRET_" + name.upper().replace(".", "_"), value)
    monkeypatch.setenv("POS_HOME", str(made.home))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    return made.home


def test_the_first_paint_is_light(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(settings_text("http://127.0.0.1:9"), encoding="utf-8")
    shop.keep(tmp_path, desktop.facts_of(config.load(tmp_path)), [TEA, CAKE], shop.stamp(tmp_path / "settings.toml"))
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from pos.app import config, desktop\n"
        "from pos.ui.ports import NoDesk\n"
        "home = Path(sys.argv[1])\n"
        "app = desktop.application()\n"
        "window = desktop.first_paint(app, home, desktop.facts_of(config.load(home)), NoDesk())\n"
        "print(json.dumps({'modules': list(sys.modules), 'tiles': window.panels.sell.model.rowCount(),\n"
        "    'name': window.top.name.text(), 'blank': window.grab().toImage().isNull()}))\n"
    )
    env = environment({"QT_QPA_PLATFORM": "offscreen"})
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=START_S, cwd=ROOT, env=env)
    said = json.loads(done.stdout)
    loaded = [name for name in said["modules"] if name in HEAVY or name.startswith(tuple(f"{h}." for h in HEAVY))]
    assert loaded == []
    assert (said["tiles"], said["name"], said["blank"]) == (1, "Corner Café", False)


def test_the_command_imports_nothing_heavy_before_the_window() -> None:
    script = "import sys; import pos.cli.till; print([m for m in sys.argv[1:] if m in sys.modules])"
    command = [sys.executable, "-c", script, *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=START_S, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_one_window_a_home_and_a_clean_end(home: Path) -> None:
    with serve(["till"], ready_s=START_S) as first:
        assert first.url == desktop.server_name(home)
        second = run_pos(["till"], within_s=START_S)
        assert second.returncode == 0, second.stderr
        assert "ready" not in second.stdout
        assert first.process.poll() is None
        assert first.stop(within_s=15.0) == 0
    assert (home / shop.FILE_NAME).is_file()
    assert run_pos(["books", "verify"], within_s=START_S).returncode == 0
    trouble = [line for line in (home / "logs" / "till.log").read_text("utf-8").splitlines() if '"error"' in line]
    assert trouble == []


def test_a_lock_left_by_a_crash_does_not_keep_the_till_shut(home: Path) -> None:
    with serve(["till"], ready_s=START_S) as first:
        first.kill()
    with serve(["till"], ready_s=START_S) as again:
        # told to leave before it has settled: it is gone in time, by itself or cut off (see `end_for_sure`)
        assert again.stop(within_s=desktop.GONE_WITHIN_S + 5.0) in (0, 1)


def test_a_till_that_hangs_at_its_end_is_cut_off_and_says_where(home: Path) -> None:
    script = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from pos.app import desktop, wiring\n"
        "async def hang(self):\n"
        "    threading.Event().wait()\n"
        "wiring.Till.close, desktop.GONE_WITHIN_S = hang, 1.0\n"
        "sys.exit(desktop.main(Path(sys.argv[1])))\n"
    )
    hanging = begin([sys.executable, "-c", script, str(home)])
    hanging.wait_ready(START_S)
    assert hanging.stop(within_s=15.0) == 1
    assert "in hang" in (home / "logs" / desktop.CRASHES).read_text("utf-8")
    with serve(["till"], ready_s=START_S):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_window_between_two_events(
    number: signal.Signals, qtbot: QtBot, dressed: Theme, tmp_path: Path, qapp: QApplication
) -> None:
    (tmp_path / "settings.toml").write_text(settings_text("http://127.0.0.1:9"), encoding="utf-8")
    window = desktop.first_paint(qapp, tmp_path, desktop.facts_of(config.load(tmp_path)), QuietDesk())
    qtbot.addWidget(window)
    closed: list[bool] = []
    window.closed.connect(lambda: closed.append(True))
    before = signal.getsignal(number)
    deaf = desktop.leave_when_told(window)
    try:
        os.kill(os.getpid(), number)
        assert closed == []  # what runs is not cut in two
        qtbot.waitUntil(lambda: closed == [True])
    finally:
        deaf()
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(
    ("screen", "size"),
    [
        ((1920, 1080), (1440, 900)), ((1440, 900), (1440, 900)), ((1366, 728), (1366, 728)),
        ((1024, 768), (1024, 768)), ((800, 600), (1024, 700)), ((1920, 720), (1440, 720)),
    ],
)  # fmt: skip
def test_the_window_opens_no_larger_than_its_screen(screen: tuple[int, int], size: tuple[int, int]) -> None:
    """On a till's small screen the keys at the right and the total stood outside of it."""
    opened = desktop.opening_size(QSize(*screen), QSize(main_window.MIN_WIDTH, main_window.MIN_HEIGHT))
    assert (opened.width(), opened.height()) == size


def test_the_first_paint_has_that_size(qtbot: QtBot, dressed: Theme, tmp_path: Path, qapp: QApplication) -> None:
    (tmp_path / "settings.toml").write_text(settings_text("http://127.0.0.1:9"), encoding="utf-8")
    window = desktop.first_paint(qapp, tmp_path, desktop.facts_of(config.load(tmp_path)), QuietDesk())
    qtbot.addWidget(window)
    assert window.size() == desktop.opening_size(qapp.primaryScreen().availableSize(), window.minimumSize())
    window.close()


def test_no_shop_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        desktop.main(tmp_path)
    env = {"POS_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    done = run_pos(["till"], env)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "settings.toml" in done.stderr


def test_a_database_that_cannot_be_opened_keeps_the_window_and_says_so(
    qtbot: QtBot, loop: asyncio.AbstractEventLoop, dressed: Theme, tmp_path: Path, qapp: QApplication
) -> None:
    (tmp_path / "settings.toml").write_text(settings_text("http://127.0.0.1:9"), encoding="utf-8")
    (tmp_path / "till.db").write_bytes(b"this is no database" * 400)
    window = desktop.first_paint(qapp, tmp_path, desktop.facts_of(config.load(tmp_path)), QuietDesk())
    qtbot.addWidget(window)
    ended = loop.create_task(desktop.live(qapp, tmp_path, window))
    qtbot.waitUntil(window.banner.isVisible, timeout=20_000)
    assert window.banner.title.text()
    assert window.banner.hint.text()
    window.close()
    qtbot.waitUntil(ended.done, timeout=5_000)
    assert ended.result() != 0


def test_a_database_server_that_is_down_at_the_start_is_waited_for(
    qtbot: QtBot,
    loop: asyncio.AbstractEventLoop,
    dressed: Theme,
    tmp_path: Path,
    qapp: QApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desktop, "AGAIN_S", 0.2)
    with cluster() as server, server.database() as url:
        server.stop()
        (tmp_path / "settings.toml").write_text(
            settings_text("http://127.0.0.1:9", database=f'url = "{url}"'), encoding="utf-8"
        )
        window = desktop.first_paint(qapp, tmp_path, desktop.facts_of(config.load(tmp_path)), QuietDesk())
        qtbot.addWidget(window)
        ended = loop.create_task(desktop.live(qapp, tmp_path, window))
        qtbot.waitUntil(window.banner.isVisible, timeout=20_000)
        assert window.banner.title.text() == "The database server does not answer."
        server.start()
        qtbot.waitUntil(lambda: window.flow.counter.ready, timeout=20_000)
        window.close()
        qtbot.waitUntil(ended.done, timeout=15_000)
        assert ended.result() == 0


def test_a_sale_by_keys_on_the_real_till(
    qtbot: QtBot, loop: asyncio.AbstractEventLoop, dressed: Theme, home: Path, qapp: QApplication
) -> None:
    desk = QuietDesk()
    window = desktop.first_paint(qapp, home, desktop.facts_of(config.load(home)), desk)
    qtbot.addWidget(window)
    started = loop.create_task(desktop.build(home, window))
    qtbot.waitUntil(started.done, timeout=30_000)
    till, ending = started.result()
    hands = Stand(qtbot, till, window, desk)  # type: ignore[arg-type]
    counter = window.flow.counter
    hands.until(lambda: window.kit.tasks.running == 0)
    hands.scan(TEA.barcode)
    hands.scan(CAKE.barcode)
    hands.press(Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: counter.stage is Stage.WAITING, timeout=15_000)
    view = counter.view
    assert view is not None
    assert view.attempt is not None
    assert hands.text("pay.amount") == "₹200.00"
    pays = loop.run_in_executor(None, customer.pay, view.attempt.link_url, "paid")
    qtbot.waitUntil(lambda: counter.stage is Stage.PAID, timeout=20_000)
    assert desk.played[-1] == "paid"
    qtbot.waitUntil(pays.done, timeout=5_000)
    hands.press(Qt.Key.Key_Return)
    hands.scan(TEA.barcode)
    hands.press(Qt.Key.Key_F9)
    hands.until(hands.find("cash.given").hasFocus)
    hands.type("100")
    hands.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: counter.stage is Stage.PAID, timeout=10_000)
    assert hands.text("outcome.amount") == "₹40.00"
    checked = loop.create_task(till.books.verify())
    qtbot.waitUntil(checked.done, timeout=10_000)
    assert [str(broken) for broken in checked.result()] == []
    window.close()
    ended = loop.create_task(ending())  # type: ignore[arg-type]
    qtbot.waitUntil(ended.done, timeout=10_000)
    assert os.path.exists(home / "till.db")


def test_a_gateway_whose_package_is_gone_stops_no_sale_in_the_window(
    qtbot: QtBot, loop: asyncio.AbstractEventLoop, dressed: Theme, home: Path, qapp: QApplication
) -> None:
    """It says so when it is asked, and on its card; cash and the rest are as ever."""
    settings = '[shop]\nname = "Corner Café"\ncurrency = "INR"\n[gateways.copper_bank]\nmode = "test"\n'
    (home / "settings.toml").write_text(settings, encoding="utf-8")
    desk = QuietDesk()
    window = desktop.first_paint(qapp, home, desktop.facts_of(config.load(home)), desk)
    qtbot.addWidget(window)
    started = loop.create_task(desktop.build(home, window))
    qtbot.waitUntil(started.done, timeout=30_000)
    till, ending = started.result()
    hands = Stand(qtbot, till, window, desk)  # type: ignore[arg-type]
    hands.until(lambda: window.kit.tasks.running == 0)
    hands.scan(TEA.barcode)
    hands.press(Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: "copper_bank" in hands.text("bannerTitle"), timeout=15_000)
    assert "pos gateways disable copper_bank" in hands.text("bannerHint")
    hands.press(Qt.Key.Key_F9)
    hands.until(hands.find("cash.given").hasFocus)
    hands.type("100")
    hands.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.flow.counter.stage is Stage.PAID, timeout=10_000)
    hands.press(Qt.Key.Key_G, CONTROL)
    qtbot.waitUntil(lambda: bool(window.setup.cards), timeout=10_000)
    hands.settle()
    assert {card.name for card in window.setup.cards} == {"copper_bank", "stripe", "razorpay"}
    assert "There is no gateway 'copper_bank'." in hands.find("gateway.copper_bank").accessibleName()
    window.close()
    ended = loop.create_task(ending())  # type: ignore[arg-type]
    qtbot.waitUntil(ended.done, timeout=10_000)


def test_the_first_gateway_is_added_in_the_running_window_and_the_next_key_uses_it(
    qtbot: QtBot, loop: asyncio.AbstractEventLoop, dressed: Theme, home: Path, bank: Bank, qapp: QApplication
) -> None:
    (home / "settings.toml").write_text('[shop]\nname = "Corner Café"\ncurrency = "INR"  # ours\n', encoding="utf-8")
    desk = QuietDesk()
    window = desktop.first_paint(qapp, home, desktop.facts_of(config.load(home)), desk)
    qtbot.addWidget(window)
    started = loop.create_task(desktop.build(home, window))
    qtbot.waitUntil(started.done, timeout=30_000)
    till, ending = started.result()
    hands = Stand(qtbot, till, window, desk)  # type: ignore[arg-type]
    hands.until(lambda: window.kit.tasks.running == 0)
    assert till.queries.gateways() == []
    hands.press(Qt.Key.Key_G, CONTROL)
    qtbot.waitUntil(lambda: bool(window.setup.cards), timeout=10_000)
    qtbot.waitUntil(window.commands["gateway.add"].isEnabled, timeout=10_000)
    hands.press(Qt.Key.Key_N, CONTROL)
    qtbot.waitUntil(lambda: window.flow.overlay == "keys", timeout=5_000)
    hands.find("keys.which.stripe").click()  # type: ignore[attr-defined]
    hands.find("keys.server").setText(bank.url)  # type: ignore[attr-defined]
    qtbot.waitUntil(window.can_confirm, timeout=5_000)
    window.confirm()
    qtbot.waitUntil(lambda: window.flow.overlay == "", timeout=15_000)
    assert [choice.name for choice in till.queries.gateways()] == ["stripe"]
    assert "# ours" in (home / "settings.toml").read_text("utf-8")
    hands.press(Qt.Key.Key_1, CONTROL)
    hands.scan(TEA.barcode)
    hands.press(Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: window.flow.counter.stage is Stage.WAITING, timeout=15_000)
    assert window.panels.pay.sheet.test.isVisible()
    window.close()
    ended = loop.create_task(ending())  # type: ignore[arg-type]
    qtbot.waitUntil(ended.done, timeout=10_000)
