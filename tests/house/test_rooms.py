"""The rooms stand where the map says, and the core lives without Qt."""

import pkgutil
import subprocess
import sys

import pos

ROOMS = {"domain", "words", "services", "store", "gateways", "devices", "wire", "relay", "sandbox", "sync", "ui", "app"}


def test_every_room_has_a_door() -> None:
    found = {module.name for module in pkgutil.iter_modules(pos.__path__)} - {"__main__"}
    assert found == ROOMS | {"cli"}


def test_the_core_imports_with_qt_blocked() -> None:
    script = (
        "import sys, pkgutil, importlib\n"
        "for name in ('PySide6', 'qasync', 'shiboken6'): sys.modules[name] = None\n"
        "import pos\n"
        "for m in pkgutil.walk_packages(pos.__path__, 'pos.'):\n"
        "    entries = ('pos.app.desktop', 'pos.__main__', 'pos.store.migrations.env')  # alembic runs the last\n"
        "    if not m.name.startswith('pos.ui') and m.name not in entries:\n"
        "        importlib.import_module(m.name)\n"
        "print('clean')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "clean", done.stderr
