"""`pos` commands without half a second of imports each: a process that has read the code forks one for every command.

Each command is a process of its own, with its own arguments, environment, standard streams and exit status. What is not
the same is the start of the interpreter itself, which real starts cover: every `serve`, every till with a window, the
crash harness, and commands whose environment says something to the interpreter or the loader (`STARTED`).

    python -m tests.warmed FD        the process: takes commands from the socket FD until that is closed
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from tests.processes import ROOT

ORDER_BYTES = 256 * 1024
STARTED = ("LD_", "PYTHON", "MALLOC_", "LC_", "LANG")
"""Variables that count when a process begins: where one differs, the command is started for real."""
NEVER_MIND = {"PYTHON_KEYRING_BACKEND"}
"""Read by a package, when it is used."""
Done = subprocess.CompletedProcess[str]


class Warmed:
    """Runs commands; `close` ends the process behind it. Safe to be used by several threads at once."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ORDER_BYTES)
        self._socket = ours
        kept = {k: v for k, v in os.environ.items() if not k.startswith("POS_") and k != "PYTHONDONTWRITEBYTECODE"}
        self._begun = kept | {"PYTHONPATH": str(ROOT)}
        with theirs:
            command = [sys.executable, "-m", "tests.warmed", str(theirs.fileno())]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._begun, pass_fds=[theirs.fileno()])

    def run(
        self, words: Sequence[str], env: Mapping[str, str], *, stdin: str = "", within_s: float, cwd: str = str(ROOT)
    ) -> Done:
        """As `subprocess.run`, with exactly `env`; `pos` itself is not among the words.

        Raises:
            subprocess.TimeoutExpired: it took too long, and was killed.
        """
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            files[0].write(stdin.encode())
            files[0].seek(0)
            told, tell = os.pipe()
            stack.callback(os.close, told)
            order = json.dumps({"words": list(words), "env": dict(env), "cwd": cwd}).encode()
            try:
                socket.send_fds(self._socket, [order], [*(file.fileno() for file in files), tell])
            finally:
                os.close(tell)
            status = _await(told, words, within_s)
            return Done(["pos", *words], status, _text(files[1]), _text(files[2]))

    def fits(self, env: Mapping[str, str]) -> bool:
        """Whether a process that begins with this environment is like this one."""

        def said(variables: Mapping[str, str]) -> dict[str, str]:
            return {k: v for k, v in variables.items() if k.startswith(STARTED) and k not in NEVER_MIND}

        return said(env) == said(self._begun)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(10)


def _await(told: int, words: Sequence[str], within_s: float) -> int:
    """The exit status that the command's keeper tells, after its process id."""
    text, until = b"", time.monotonic() + within_s
    while b"\n" not in text.partition(b"\n")[2]:
        ready, _, _ = select.select([told], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(text.partition(b"\n")[0]), signal.SIGKILL)
            raise subprocess.TimeoutExpired(["pos", *words], within_s)
        part = os.read(told, 64)
        assert part, "the process that forks commands has died"
        text += part
    return int(text.split(b"\n")[1])


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


_lock = threading.Lock()
_kept: list[Warmed] = []


def command(words: Sequence[str], env: Mapping[str, str], *, stdin: str = "", within_s: float = 60.0) -> Done:
    """One `pos` command to its end, with exactly `env`."""
    with _lock:
        if not _kept:
            _kept.append(Warmed())
    warmed = _kept[0]
    if warmed.fits(env):
        return warmed.run(words, env, stdin=stdin, within_s=within_s)
    return subprocess.run(
        [sys.executable, "-m", "pos", *words],
        input=stdin, capture_output=True, text=True, check=False, cwd=ROOT, env=dict(env), timeout=within_s,
    )  # fmt: skip


def let_go() -> None:
    while _kept:
        _kept.pop().close()


# The process --------------------------------------------------------------------------------------------------------


def _read_the_code() -> None:
    """Everything that a command may need, none of it run."""
    import pos.cli

    for module in pkgutil.walk_packages(pos.cli.__path__, "pos.cli."):
        importlib.import_module(module.name)
    for name in ("pos.app.wiring", "pos.relay.server", "pos.gateways.stripe.adapter", "pos.gateways.razorpay.adapter"):
        importlib.import_module(name)
    for name in ("babel.numbers", "babel.dates", "cryptography.hazmat.primitives.ciphers.aead", "sqlalchemy"):
        importlib.import_module(name)


def _orders(inbox: socket.socket) -> Iterator[tuple[dict[str, Any], list[int]]]:
    while True:
        order, files, _, _ = socket.recv_fds(inbox, ORDER_BYTES, 4)
        if not order:
            return
        yield json.loads(order), files


def main(number: int) -> None:
    _read_the_code()
    gc.collect()
    gc.freeze()
    assert threading.active_count() == 1, "what is forked must have one thread"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are waited for by nobody
    with socket.socket(fileno=number) as inbox:
        for order, files in _orders(inbox):
            if os.fork() == 0:
                inbox.close()
                _keep(order, files)
                return
            for file in files:
                os.close(file)


def _keep(order: dict[str, Any], files: list[int]) -> None:
    """The command's keeper: forks it, tells its id and how it ended. The command itself returns from here."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    tell = files[3]
    child = os.fork()
    if child:
        os.write(tell, b"%d\n" % child)
        _, ended = os.waitpid(child, 0)
        os.write(tell, b"%d\n" % os.waitstatus_to_exitcode(ended))
        os._exit(0)
    os.close(tell)
    for at, file in enumerate(files[:3]):
        os.dup2(file, at)
        os.close(file)
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    os.chdir(order["cwd"])
    random.seed()
    sys.argv = ["pos", *order["words"]]
    from pos.cli.main import run

    run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
