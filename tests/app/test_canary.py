"""A shop is run on secrets that nobody could mistake; then everything it left behind is searched for them (S8)."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.canaries import LOOK_S, Canaries, shapes
from tests.journeys.conftest import Street, Town, furnish, plain_environment
from tests.processes import ROOT, Served, serve
from tests.shop import Bank, settings_text

KEY, TOKEN, PEPPER = "gateways.stripe.secret_key", "relay.till_token", "pin.pepper"
START_S = 60.0
CRASHING = """
import sys
from pos.cli import main
from pos.gateways.http import HttpGateway

async def ask(self, call, *, timeout_s):
    headers = dict(self._client.headers)
    raise ZeroDivisionError(f"sent {headers} of {vars(self)}")

HttpGateway.ask = ask
main.run(sys.argv[1:])
"""
"""The program, with a mistake that puts all it knows of a connection into a traceback."""


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    canaries = Canaries.of(key="sk_test_", phrase="horse battery ")
    assert canaries.in_folder(tmp_path) == []
    for number, (form, shape) in enumerate(shapes(canaries["phrase"]).items()):
        (tmp_path / "x").write_bytes(b"\0" * number + b"before" + shape + b"after")
        assert any(f"phrase ({form})" in found for found in canaries.in_folder(tmp_path)), form
    (tmp_path / "x").unlink()
    with contextlib.closing(sqlite3.connect(tmp_path / "some.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE t (v)")
        database.execute("INSERT INTO t VALUES (?)", (canaries["key"],))
        database.commit()
        assert any("some.db-wal: key (plain)" in found for found in canaries.in_folder(tmp_path))
    (tmp_path / canaries["key"]).touch()
    assert len(canaries.in_folder(tmp_path, but=("key",))) == 0
    assert len(canaries.in_folder(tmp_path)) > 1


@pytest.mark.skipif(sys.platform != "linux", reason="command lines are read from /proc")
def test_the_watch_sees_a_command_line() -> None:
    canaries = Canaries.of(key="sk_test_")
    with canaries.watching_command_lines() as found:
        script = "import sys; print('up', flush=True); sys.stdin.read()"
        child = subprocess.Popen(
            [sys.executable, "-c", script, canaries["key"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        _wait_for(found)
        child.communicate()
    assert "key (plain)" in found[0]


def _wait_for(found: list[str]) -> None:
    """Until the watcher has had its turn; bounded."""
    for _ in range(500):
        if found:
            return
        threading.Event().wait(LOOK_S)


class Run:
    """A street whose secrets are canaries in a vault, and all that its processes say."""

    def __init__(
        self, folder: Path, canaries: Canaries, bank: Bank, relay: Served, stack: contextlib.ExitStack
    ) -> None:
        env = plain_environment() | {
            "POS_HOME": str(folder / "home"),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",  # nobody's own keyring is touched
        }
        self.canaries = canaries
        self.street = Street(Town(folder, bank, relay, env), folder, folder / "home", "stripe", stack, environment=env)
        self.said: list[tuple[str, str]] = []

    def pos(self, *words: str, stdin: str = "", status: int = 0, **more: str) -> str:
        done = self.street.pos(*words, stdin=stdin, **more)
        assert done.status == status, (words, done.err)
        self.said.append((" ".join(words), done.out + done.err))
        return done.out

    def hear(self, name: str, served: Served) -> None:
        self.said.append((name, "\n".join([*served.output, *served.errors])))

    def crash(self, *words: str) -> str:
        """The same command, with the mistake in it."""
        done = subprocess.run(
            [sys.executable, "-c", CRASHING, *words],
            cwd=ROOT,
            env=self.street.environment,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        self.said.append(("crash", done.stdout + done.stderr))
        return done.stderr


def enrol(run: Run) -> None:
    """The bank's account, the relay's shop and till, and a vault with all of the till's secrets."""
    street, canaries = run.street, run.canaries
    key_id = "rzp_test_of_the_shop"  # no secret: it names the account, and stands in the books
    street.bank.desk("POST", "/accounts", {"key": canaries["key"], "dialect": "stripe"})
    street.bank.desk("POST", "/accounts", {"key": f"{key_id}:{canaries['razorpay']}"})
    data = ["--data", str(street.folder / "relay"), "--json"]
    run.pos("relay", "add-shop", "Café", "--gateway", "stripe", *data, stdin=canaries["hook"] + "\n")
    token = street.pos("relay", "add-till", "Café", *data).json["token"]  # printed once, on purpose: not searched
    canaries.add("token", token)
    furnish(street.home, settings_text(street.bank.url, relay=f'url = "{street.relay.url}"'))
    run.pos("secrets", "vault", "create", stdin=canaries["phrase"] + "\n")
    street.environment["POS_SECRET_VAULT_PASSPHRASE"] = canaries["phrase"]
    kept = {KEY: canaries["key"], TOKEN: token, PEPPER: canaries["pepper"]}
    kept |= {"gateways.razorpay.key_id": key_id, "gateways.razorpay.secret_key": canaries["razorpay"]}
    for name, value in kept.items():
        run.pos("secrets", "set", name, stdin=value + "\n")


def trade(run: Run) -> None:
    """A day with everything that writes something down: commands, background work, the window, mistakes, an end."""
    street = run.street
    order = street.sell("--line", "TEA", "--qr", "stripe")
    other = street.sell("--line", "TEA", "--qr", "razorpay")
    street.pays(order)
    street.pays(other)
    run.pos("sync", "--once")
    street.until(order["number"], shown="paid")
    street.until(other["number"], shown="paid")
    run.pos("sell", "--line", "CAKE", "--cash", "200")
    run.pos("order", order["number"], "--json")
    run.pos("refund", order["number"], "--reason", "cold")
    for words in (["doctor"], ["secrets", "list", "--json"], ["secrets", "vault", "status"], ["orders"]):
        run.pos(*words)
    run.pos("sell", "--line", "TEA", "--qr", "stripe", status=2, POS_SECRET_VAULT_PASSPHRASE=run.canaries["wrong"])
    run.pos("day", "close", "--counted", "140.00")
    run.pos("books", "export", "--to", str(street.folder / "export.jsonl"))
    run.pos("catalogue", "export", str(street.folder / "catalogue.csv"))
    shutil.copytree(street.home, street.folder / "backup-of-the-home")
    with serve(["sync", "--follow"], street.environment) as follower:
        assert "Traceback" in run.crash("sell", "--line", "TEA", "--qr", "stripe")
    run.hear("follower", follower)
    with serve(["till"], street.environment, ready_s=START_S) as window:
        window.process.send_signal(signal.SIGABRT)  # a hard crash: the fault handler's turn
        window.process.wait(START_S)
    run.hear("window", window)
    with contextlib.closing(sqlite3.connect(street.home / "till.db")) as books:
        backups = street.home / "backups"
        backups.mkdir(exist_ok=True)
        books.execute("VACUUM INTO ?", (str(backups / "till.db"),))


def crash_in_the_background(run: Run) -> None:
    """The same mistake where only the log hears of it; killed, so that the journal of the database stays."""
    street = run.street
    street.sell("--line", "TEA", "--qr", "stripe")
    script = CRASHING.replace("main.run(", "print('ready here', flush=True); main.run(")
    process = subprocess.Popen(
        [sys.executable, "-c", script, "sync", "--follow", "--only", "probe"],
        cwd=ROOT,
        env=street.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    served = Served(process)
    served.wait_ready(START_S)
    log = street.home / "logs" / "till.log"
    for _ in range(int(START_S / 0.05)):
        if "ZeroDivisionError" in log.read_text("utf-8"):
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    served.kill()
    run.hear("background", served)
    assert "ZeroDivisionError" in log.read_text("utf-8"), served.errors


@pytest.mark.skipif(sys.platform != "linux", reason="command lines are read from /proc")
def test_nothing_that_a_shop_leaves_behind_holds_a_secret(tmp_path: Path) -> None:
    canaries = Canaries.of(
        key="sk_test_", razorpay="", hook="whsec_", phrase="horse battery ", pepper="pepper", wrong="wrong one "
    )
    with contextlib.ExitStack() as stack:
        command_lines = stack.enter_context(canaries.watching_command_lines())
        env = plain_environment()
        relay = stack.enter_context(serve(["relay", "serve", "--port", "0", "--data", str(tmp_path / "relay")], env))
        wanted = ["--port", "0", "--data", str(tmp_path / "bank"), "--pending-seconds", "0.3"]
        bank = stack.enter_context(serve(["sandbox", "serve", *wanted, "--log", str(tmp_path / "bank.log")], env))
        run = Run(tmp_path, canaries, Bank(bank, tmp_path / "bank"), relay, stack)
        enrol(run)
        trade(run)
        crash_in_the_background(run)
        stack.pop_all().close()
    run.hear("relay", relay)
    run.hear("bank", bank)
    bank_folder = tmp_path / "bank"  # the gateway's side: it signs with this key's secret, so it must have it
    found = canaries.in_folder(bank_folder, but=("razorpay",)) + command_lines
    shutil.rmtree(bank_folder)
    found += canaries.in_folder(tmp_path)
    for who, text in run.said:
        found += canaries.sightings(f"what {who} said", text.encode())
    assert found == []
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left >= {"till.db", "secrets.vault", "till.log", "crash.log", "export.jsonl", "tenants.db", "bank.log"}
    assert "Fatal Python error: Aborted" in (run.street.home / "logs" / "crash.log").read_text("utf-8")
