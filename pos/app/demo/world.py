"""The processes of the demo: relay, bank, and a throw-away home for the till; as in production, on this machine."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from pos.app.config import load
from pos.app.demo.sample import sample_products, settings_text
from pos.app.wiring import Outside, Till, open_database, open_till
from pos.devices import child
from pos.domain.errors import Broken, Unreachable
from pos.sandbox.accounts import DEFAULT_KEY, DEFAULT_PAIR

READY_S = 30.0
STOP_S = 5.0
DESK_TIMEOUT_S = 10.0
WEBHOOK_SECRET = "whsec_demo_only_never_for_real_money"  # noqa: S105 - of a throw-away bank on this machine
WEBHOOK_VARIABLE = "TRUETILL_DEMO_WEBHOOK"
GATEWAYS = ("stripe", "razorpay")
"""What the sample shop sells through, in the order of use."""
ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Process:
    """A running `pos` command that printed its `ready` line."""

    popen: subprocess.Popen[str]
    url: str

    def stop(self) -> None:
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(STOP_S)
        if self.popen.stdout is not None:
            self.popen.stdout.close()


@dataclass(frozen=True)
class World:
    """Where everything is. `hooks`: where each gateway sends its webhooks; `token`: the till's at the relay."""

    folder: Path
    home: Path
    relay: str
    bank: str
    hooks: dict[str, str]
    token: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def hook(self) -> str:
        """Where the first gateway sends its webhooks."""
        return self.hooks[GATEWAYS[0]]

    def desk(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the bank's control desk."""
        try:
            answer = httpx.request(
                method, f"{self.bank}/_sandbox{path}", json=body, timeout=DESK_TIMEOUT_S, trust_env=False
            )
        except httpx.HTTPError as error:
            raise Unreachable("The demo's bank does not answer.", "Start the demo again.") from error
        if answer.status_code >= 300:
            raise Broken(f"The demo's bank refused {path}.", answer.text[:200])
        return answer.json()

    def open_till(self) -> Till:
        """The till of the demo's home, its secrets from the environment as on a server."""
        os.environ.update(self.environment)
        return open_till(self.home, Outside())


@contextmanager
def world(*, lan: str = "", pending_s: float = 40.0) -> Iterator[World]:
    """Start relay and bank, enrol the till, fill the catalogue; everything is stopped and thrown away afterwards.

    `lan`: an address of this machine that phones on the same network reach.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="truetill-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        host = "0.0.0.0" if lan else "127.0.0.1"  # noqa: S104 - asked for, in test mode, and said loudly
        pages = ["--page-host", lan] if lan else []
        relay = _serve(stack, "relay", "serve", "--host", host, "--port", "0", "--data", folder / "relay", *pages)
        relay_url = _local(relay.url)
        paths, token = _enrol(folder / "relay")
        hooks = {name: relay_url + path for name, path in paths.items()}
        bank_url = _local(_bank(stack, folder, host, hooks, pending_s, lan).url)
        public = f"http://{lan}:{relay_url.rpartition(':')[2]}" if lan else ""
        home = _home(folder, bank_url, relay_url, public)
        key_id, _, secret = DEFAULT_PAIR.partition(":")
        environment = {
            "POS_HOME": str(home),
            "POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY": DEFAULT_KEY,
            "POS_SECRET_GATEWAYS_RAZORPAY_KEY_ID": key_id,
            "POS_SECRET_GATEWAYS_RAZORPAY_SECRET_KEY": secret,
            "POS_SECRET_RELAY_TILL_TOKEN": token,
        }
        made = World(folder, home, relay_url, bank_url, hooks, token, environment)
        for account in made.desk("GET", "/accounts"):
            made.desk("POST", f"/accounts/{account['id']}", {"name": load(home).shop.name})
        yield made


def _bank(stack: ExitStack, folder: Path, host: str, hooks: dict[str, str], pending_s: float, lan: str) -> Process:
    """The bank in the box, which tells both hooks."""
    os.environ[WEBHOOK_VARIABLE] = WEBHOOK_SECRET
    port = _free_port() if lan else 0
    words: list[Any] = ["--host", host, "--port", port, "--data", folder / "bank", "--pending-seconds", pending_s]
    for name, hook in hooks.items():
        words += ["--webhook", f"{name}={hook}", "--webhook-secret-env", WEBHOOK_VARIABLE]
    if lan:
        words += ["--public-url", f"http://{lan}:{port}"]
    return _serve(stack, "sandbox", "serve", *words)


def _serve(stack: ExitStack, *words: Any) -> Process:
    process = _start([str(word) for word in words])
    stack.callback(process.stop)
    return process


def _start(words: list[str]) -> Process:
    popen = subprocess.Popen(  # noqa: S603 - our own program with words of our own
        [sys.executable, "-m", "pos", *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=child.environment(PYTHONPATH=str(ROOT)),
    )
    assert popen.stdout is not None
    line = _first_line(popen.stdout)
    word, _, url = line.strip().partition(" ")
    if word != "ready":
        popen.kill()
        popen.wait()
        raise Broken(f"`pos {' '.join(words[:2])}` did not start.", "Its own message stands above.")
    return Process(popen, url.rstrip("/"))


def _first_line(stream: IO[str]) -> str:
    """The first line, or "" when none comes in time."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    try:
        return lines.get(timeout=READY_S)
    except queue.Empty:
        return ""


def _enrol(data: Path) -> tuple[dict[str, str], str]:
    """The shop's webhook paths by gateway and the till's token, by the same commands that a shop uses."""
    secrets = {f"POS_SECRET_WEBHOOK_{name.upper()}": WEBHOOK_SECRET for name in GATEWAYS}
    chosen = [word for name in GATEWAYS for word in ("--gateway", name)]
    shop = _run(["relay", "add-shop", "Corner Café", *chosen, "--data", str(data), "--json"], secrets)
    till = _run(["relay", "add-till", shop["shop"], "--data", str(data), "--json"], {})
    return shop["hooks"], till["token"]


def _run(words: list[str], more: dict[str, str]) -> Any:
    done = subprocess.run(  # noqa: S603 - our own program with words of our own
        [sys.executable, "-m", "pos", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=child.environment(PYTHONPATH=str(ROOT)) | more,
        timeout=READY_S,
    )
    if done.returncode:
        raise Broken(f"`pos {' '.join(words[:2])}` failed.", done.stderr.strip()[-300:])
    return json.loads(done.stdout)


def _home(folder: Path, bank: str, relay: str, public: str) -> Path:
    home = folder / "home"
    home.mkdir()
    (home / "settings.toml").write_text(settings_text(bank, relay, public), encoding="utf-8")
    settings = load(home)
    database = open_database(home, settings)
    database.write_now(lambda tx: tx.shop.put_products(sample_products(settings.shop.currency)))
    database.close()
    return home


def _local(url: str) -> str:
    return url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - read, not bound


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
