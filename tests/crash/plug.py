"""Kill -9 of any process at any moment, and starting it again: relay, bank, the till's background work, a command.

Sales go on all the while; at the end every order that a customer paid is paid here, once, and the books verify.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pos.app.config import load
from pos.app.demo.world import WEBHOOK_SECRET
from pos.app.wiring import open_database
from pos.domain.errors import PosError
from pos.sandbox import customer
from tests.crash.driver import OTHER
from tests.processes import ROOT, Served, run_pos, start
from tests.shop import CAKE, SANDBOX_KEYS, TEA, Bank, settings_text

LONGEST_S = 1.5
KILLED = 0.5  # of the commands
SWITCHED = 0.3  # of the orders
PAID = 0.8  # of the links
HEAL_TRIES = 12


class Town:
    """Processes that can be killed and come back at the same address."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("POS_")} | {"PYTHONPATH": str(ROOT)}
        self.words: dict[str, list[str]] = {
            "relay": ["relay", "serve", "--port", "0", "--data", str(folder / "relay")],
            "bank": ["sandbox", "serve", "--port", "0", "--data", str(folder / "bank")],
        }
        self.served = {name: self._start(name) for name in ("relay", "bank")}
        for name, served in self.served.items():
            at = self.words[name].index("--port") + 1
            self.words[name][at] = served.url.rpartition(":")[2]
        self._enrol()
        self.words["till"] = ["sync", "--follow"]
        self.served["till"] = self._start("till")

    def _start(self, name: str) -> Served:
        served = start(self.words[name], self.env)
        served.wait_ready()
        return served

    def _enrol(self) -> None:
        data = ["--data", str(self.folder / "relay"), "--json"]
        secrets = {f"POS_SECRET_WEBHOOK_{name.upper()}": WEBHOOK_SECRET for name in OTHER}
        words = [word for name in OTHER for word in ("--gateway", name)]
        shop = json.loads(run_pos(["relay", "add-shop", "Town", *words, *data], self.env | secrets).stdout)
        till = json.loads(run_pos(["relay", "add-till", shop["shop"], *data], self.env).stdout)
        bank = Bank(self.served["bank"], self.folder)
        for name, path in shop["hooks"].items():
            hook = self.served["relay"].url + path
            bank.desk("POST", "/webhooks", {"url": hook, "secret": WEBHOOK_SECRET, "dialect": name})
        home = self.folder / "home"
        home.mkdir()
        text = settings_text(self.served["bank"].url, relay=f'url = "{self.served["relay"].url}"')
        (home / "settings.toml").write_text(text, encoding="utf-8")
        database = open_database(home, load(home))
        database.write_now(lambda tx: tx.shop.put_products([TEA, CAKE]))
        database.close()
        self.env |= {
            "POS_HOME": str(home),
            **SANDBOX_KEYS,
            "POS_SECRET_RELAY_TILL_TOKEN": till["token"],
        }

    def kill_one(self) -> str:
        name = self.random.choice(list(self.served))
        self.served[name].kill()
        self.served[name] = self._start(name)
        return name

    def sell(self, key: str) -> dict[str, Any]:
        """A sale through either gateway; of some the customer then wants the other one."""
        gateway = self.random.choice(list(OTHER))
        order = self._type("sell", "--line", "TEA", "--qr", gateway, "--key", key)
        if order and self.random.random() < SWITCHED:
            order = self._type("pay", order["number"], "--qr", OTHER[gateway]) or self._type("order", order["number"])
        return order

    def _type(self, *words: str) -> dict[str, Any]:
        """A command that may be killed at any moment and is then typed again; what it printed, or nothing."""
        if self.random.random() < KILLED:
            command = [sys.executable, "-m", "pos", *words]
            doomed = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                doomed.wait(self.random.uniform(0.2, LONGEST_S))
            except subprocess.TimeoutExpired:
                doomed.kill()
                doomed.wait()
        done = run_pos([*words, "--json"], self.env)
        found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
        return found

    def stop(self) -> None:
        for served in self.served.values():
            served.kill()


def one_town(folder: Path, rounds: int, seed: int) -> list[str]:
    town = Town(folder, seed)
    wrong: list[str] = []
    paid: list[str] = []
    try:
        for number in range(rounds):
            killed = town.kill_one()
            order = town.sell(f"k{number}")
            link = (order.get("attempt") or {}).get("qr_text")
            if link and town.random.random() < PAID:
                try:
                    if customer.pay(link, "paid").outcome == "paid":
                        paid.append(f"k{number}")
                except PosError as error:
                    print(f"  the customer of k{number} met a dead bank: {error.title}")
            gateway = (order.get("attempt") or {}).get("gateway", "-")
            print(f"round {number}: killed {killed}, order {order.get('number', '-')} by {gateway}", flush=True)
        for _ in range(HEAL_TRIES):
            run_pos(["sync", "--once"], town.env)
            rows = json.loads(run_pos(["orders", "--status", "paid", "--json", "--limit", "1000"], town.env).stdout)
            if len(rows) >= len(paid):
                break
            time.sleep(1)
        for key in paid:
            order = json.loads(run_pos(["order", key, "--json"], town.env).stdout)
            if order["money"] != "paid" or order["captured_minor"] != order["due_minor"]:
                wrong.append(f"{key} was paid and reads {order['shown']}, captured {order['captured_minor']}")
        books = run_pos(["books", "verify"], town.env)
        wrong += [] if books.returncode == 0 else [books.stdout]
        print(f"seed {seed}: {rounds} kills, {len(paid)} customers paid, {len(wrong)} wrong")
    finally:
        town.stop()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong = one_town(Path(folder), given.rounds, given.seed)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
