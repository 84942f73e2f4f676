"""Packages of other people, as they lie on a machine: a module, and the metadata that announces a gateway."""

from __future__ import annotations

from pathlib import Path

BROKEN = {
    "import": "import nosuchmodule\n",
    "division": "1 / 0\n",
    "leaves": "import sys\nsys.exit('not here')\n",
    "factory": "def make(mode):\n    raise ValueError('no such mode\\nsee the log')\n",
    "no factory": "",
    "nothing": "def make(mode):\n    return None\n",
    "no comma": (
        "from pos.gateways.stripe.adapter import StripeAdapter\n"
        "class Adapter(StripeAdapter):\n"
        "    @property\n"
        "    def capabilities(self):\n"
        "        return super().capabilities._replace(page_hosts=('pay.copper-bank.example'))\n"
        "def make(mode):\n"
        "    return Adapter(mode=mode)\n"
    ),
    "misspelt": (
        "from pos.domain.ports import Capabilities\n"
        "class Adapter:\n"
        "    name, account = 'copper_bank', ''\n"
        "    @property\n"
        "    def capabilities(self):\n"
        "        return Capabilities(titel='Copper Bank')\n"
        "def make(mode):\n"
        "    return Adapter()\n"
    ),
}
"""What the module of an adapter may hold that does not work, by what is wrong with it."""


def write_package(folder: Path, source: str, gateway: str = "copper_bank") -> Path:
    """An installed package with one adapter; the folder is to be put on Python's path."""
    about = folder / f"truetill_{gateway}-1.0.dist-info"
    about.mkdir(parents=True)
    name = f"truetill-{gateway.replace('_', '-')}"
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    points = f"[pos.gateways]\n{gateway} = {gateway}_adapter:make\n"
    (about / "entry_points.txt").write_text(points, encoding="utf-8")
    (folder / f"{gateway}_adapter.py").write_text(source, encoding="utf-8")
    return folder
