"""The till as a desktop app: one instance, the window first, the heavy rest after the first paint, a clean end.

Nothing is imported at the top of this file that the first paint can do without (a test looks at sys.modules).
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLockFile, QMessageLogContext, QSize, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from pos.devices.desk import MachineDesk
from pos.devices.printer import printer
from pos.devices.sound import Speaker
from pos.domain.errors import PosError, Unreachable
from pos.ui import shop, theme
from pos.ui.kit import Kit
from pos.ui.main_window import MainWindow
from pos.ui.ports import Desk
from pos.ui.shop import Shop
from pos.ui.tasks import Tasks, as_ours
from pos.ui.theme import Theme
from pos.words import language
from pos.words.formats import Formats

if TYPE_CHECKING:
    import asyncio

    from PySide6.QtNetwork import QLocalServer

    from pos.app.config import Settings
    from pos.app.wiring import Till
    from pos.ui.stage import WindowStage

LOCK, CRASHES, SETTINGS = "till.lock", "crash.log", "settings.toml"
RAISE_MS = 1_000
"""How long a second start waits for the first window to hear it."""
AGAIN_S = 3.0
"""After this the database server is tried again at the start."""
GONE_WITHIN_S = 12.0
"""After its window was closed the process ends, whatever it waits for: one that hangs would keep the next one shut."""
USUAL_SIZE = (1440, 900)
"""Width and height of the window in logical pixels, on a screen that has the room."""
PRINTER = "POS_PRINTER"
SWITCH_S = 0.0002
"""The window's thread waits this long at most for one that computes (a page of the report is folded, a list is made),

and it waits each time Qt calls into Python: with Python's own 5 ms a few calls make a frame late. What it costs is a
switch more often, and only while somebody waits: measured, the other thread does not get slower.
"""
log = logging.getLogger("pos.desktop")
Play = Callable[["Till", "WindowStage"], Awaitable[Any]]


def main(home: Path) -> int:
    """Open the till's window on a home folder; returns the exit status when it is closed.

    A second start on the same home raises the window that is there, and returns 0 at once.

    Raises:
        BadInput: there is no shop in `home`, or its settings cannot work.
    """
    facts = facts_at(home)
    app = application()
    lock = QLockFile(str(home / LOCK))
    lock.setStaleLockTime(0)  # a lock whose process is gone is taken over; one that lives is not, however old
    if not lock.tryLock(0):
        return 0 if raise_first(home) else 1
    window = first_paint(app, home, facts, MachineDesk(home, Speaker(), printer(os.environ.get(PRINTER, ""))))
    window.listen()
    app.processEvents()  # what was scanned meanwhile
    window.complete()
    gc.enable()
    gc.freeze()  # what stands now stands all day: later collections need not look at it
    from pos.ui import aio  # the loop and what it imports cost 100 ms that the first paint does not need

    watch_for_trouble(home)
    loop = aio.make_loop(app)
    server = listen(home, window)
    window.closed.connect(lambda: end_for_sure(home))
    deaf = leave_when_told(window)
    try:
        return aio.run(loop, lambda: live(app, home, window))
    finally:
        deaf()
        server.close()
        lock.unlock()


def leave_when_told(window: MainWindow) -> Callable[[], None]:
    """Close the window on SIGTERM and Ctrl-C, from Qt's loop; call the result to stop listening.

    Python would run a handler between any two steps of whatever runs just then: the loop's own bookkeeping, a half
    begun wait for this very window's end. A byte on a socket is heard at once, and between two events.
    """
    import socket

    from PySide6.QtCore import QSocketNotifier

    heard, rung = socket.socketpair()
    heard.setblocking(False)
    rung.setblocking(False)
    wakeup = signal.set_wakeup_fd(rung.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    notifier = QSocketNotifier(heard.fileno(), QSocketNotifier.Type.Read, window)

    def told() -> None:
        heard.recv(64)
        window.close()

    def stop() -> None:
        notifier.setEnabled(False)
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        heard.close()
        rung.close()

    notifier.activated.connect(told)
    return stop


def run_story(home: Path, shots: Path, play: Play) -> Any:
    """Play a story on a real till behind a real window, offscreen where there is no screen; returns what it returns."""
    from pos.ui import aio
    from pos.ui.stage import WindowStage

    app = application()
    loop = aio.make_loop(app)
    window = first_paint(app, home, facts_at(home), MachineDesk(home, Speaker(player=""), printer("")))
    window.resize(*USUAL_SIZE)  # its pictures are of one size, whatever screen there is
    told: list[Any] = []

    async def work() -> int:
        till, ending = await build(home, window)
        try:
            told.append(await play(till, WindowStage(window, shots)))
        finally:
            await ending()
        return 0

    aio.run(loop, work)
    window.close()
    return told[0]


def application() -> QApplication:
    """The one QApplication, with the font; made on first use."""
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("Truetill")
    sys.setswitchinterval(SWITCH_S)
    app.setQuitOnLastWindowClosed(False)  # the till decides when it ends, after its books are closed
    theme.load_fonts()
    return app


def facts_at(home: Path) -> Shop:
    """What the first paint needs: as remembered while the settings are untouched, else read from them.

    Raises:
        BadInput: there is no shop in `home`, or its settings cannot work.
    """
    known = shop.remembered(home, SETTINGS)
    if known is not None:
        return known
    from pos.app import config

    return facts_of(config.load(home))


def facts_of(settings: Settings) -> Shop:
    """What the first paint needs of the settings."""
    return Shop(
        name=settings.shop.name,
        till=settings.till.id,
        currency=settings.shop.currency,
        locale=settings.shop.locale,
        time_zone=settings.shop.time_zone,
        tax_included=settings.shop.prices_include_tax,
        test_mode=settings.test_mode,
    )


def first_paint(app: QApplication, home: Path, facts: Shop, desk: Desk) -> MainWindow:
    """The sell screen with the catalogue of the last start, painted. Scans are taken from here on."""
    language.use(facts.locale)
    formats = Formats(facts.locale, facts.currency, facts.time_zone)
    formats.remember(shop.texts(home) if shop.remembered(home, SETTINGS) == facts else {})
    direction = app.layoutDirection().RightToLeft if formats.right_to_left else app.layoutDirection().LeftToRight
    app.setLayoutDirection(direction)
    worn = Theme("light")
    worn.wear(app)
    window = MainWindow(Kit(formats, worn, Tasks()), facts, desk, whole=False)
    window.set_products(shop.load(home, facts))
    window.resize(opening_size(app.primaryScreen().availableSize(), window.minimumSize()))
    window.show()
    app.processEvents()
    return window


def opening_size(screen: QSize, least: QSize) -> QSize:
    """The usual size, less where the screen has less room, and never so little that panels would not fit."""
    return QSize(*USUAL_SIZE).boundedTo(screen).expandedTo(least)


async def live(app: QApplication, home: Path, window: MainWindow) -> int:
    """From the first paint to the last: build the till, work until the window is closed, end cleanly."""
    import asyncio

    closed = asyncio.Event()
    window.closed.connect(closed.set)
    app.commitDataRequest.connect(lambda _: window.close())
    while True:
        try:
            _, ending = await build(home, window)
        except PosError as error:
            log.error("the till cannot start: %s", error)
            window.show_error(error)
            if await _given_up(closed, AGAIN_S if isinstance(error, Unreachable) else None):
                return error.exit_status
        else:
            break
    gc.freeze()  # the till stands too: a collection of all of it would take longer than a frame
    sys.stdout.write(f"ready {server_name(home)}\n")
    sys.stdout.flush()
    await closed.wait()
    await ending()
    return 0


async def _given_up(closed: asyncio.Event, within_s: float | None) -> bool:
    """Whether the window was closed; a shop's database server is tried again after a while, by itself."""
    import asyncio

    try:
        await asyncio.wait_for(closed.wait(), within_s)
    except TimeoutError:
        return False
    return True


async def build(home: Path, window: MainWindow) -> tuple[Till, Callable[[], Awaitable[None]]]:
    """The real till behind the window, its background work running; and what ends both."""
    import asyncio

    from pos.ui import aio
    from pos.ui.models.tiles import Catalogue

    if not window.whole:
        window.complete()
    read = shop.stamp(home / SETTINGS)
    till, products = await asyncio.to_thread(_open, home)
    goods = await products(till)
    window.attach(till, await asyncio.to_thread(Catalogue, goods))
    prices = {0, *(product.price_minor for product in goods[: shop.MAX_CACHED_PRODUCTS])}
    shop.keep(home, window.shop, goods, read, window.kit.formats.texts_of(prices))
    work = asyncio.create_task(_background(till), name="background")

    async def ending() -> None:
        window.kit.tasks.cancel_all()
        work.cancel()
        await asyncio.wait([work], timeout=aio.LEAVE_S)
        await till.close()

    return till, ending


def _open(home: Path) -> tuple[Till, Callable[[Till], Awaitable[Any]]]:
    """In a thread: the imports and the database cost a second that no hand at the counter should feel."""
    from pos.app.wiring import open_till

    return open_till(home), lambda till: till.catalogue.products()


async def _background(till: Till) -> None:
    from pos.app.wiring import background

    await background(till).run()


# One instance ---------------------------------------------------------------------------------------------------------


def server_name(home: Path) -> str:
    """The same for every start on the same home, short enough for a socket's path."""
    import hashlib

    return "truetill-" + hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]


def listen(home: Path, window: MainWindow) -> QLocalServer:
    """Raise the window whenever a second start knocks. The lock file decides who is first; this only carries a word."""
    from PySide6.QtNetwork import QLocalServer

    server = QLocalServer(window)
    server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
    QLocalServer.removeServer(server_name(home))
    server.newConnection.connect(lambda: _raised(server, window))
    if not server.listen(server_name(home)):
        log.warning("a second start cannot raise this window: %s", server.errorString())
    return server


def raise_first(home: Path) -> bool:
    """Ask the first window to come forward; False when nobody hears."""
    from PySide6.QtNetwork import QLocalSocket

    socket = QLocalSocket()
    socket.connectToServer(server_name(home))
    heard = socket.waitForConnected(RAISE_MS)
    socket.disconnectFromServer()
    return heard


def _raised(server: QLocalServer, window: MainWindow) -> None:
    while server.hasPendingConnections():
        connection = server.nextPendingConnection()
        connection.disconnected.connect(connection.deleteLater)
        connection.disconnectFromServer()
    window.come_forward()


# Trouble --------------------------------------------------------------------------------------------------------------


def watch_for_trouble(home: Path) -> None:
    """Logs, a file for hard crashes, Qt's own messages, and slots that raise: one plain message each."""
    from pos.app import logs

    logs.start(home)
    # kept open for the life of the process: the handler writes when nothing else can
    faulthandler.enable((home / "logs" / CRASHES).open("a", encoding="utf-8"))
    qInstallMessageHandler(_qt_said)
    sys.excepthook = _unexpected


def end_for_sure(home: Path) -> None:
    """From now on the process has `GONE_WITHIN_S` to end by itself.

    After that it is cut off, with exit status 1, and the file of crashes says what every thread was waiting for.
    Nothing is lost: what was acknowledged is on the disk, as when the plug is pulled.
    """
    faulthandler.dump_traceback_later(
        GONE_WITHIN_S, exit=True, file=(home / "logs" / CRASHES).open("a", encoding="utf-8")
    )


def _qt_said(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    level = {QtMsgType.QtWarningMsg: logging.WARNING, QtMsgType.QtCriticalMsg: logging.ERROR}
    logging.getLogger("qt").log(level.get(kind, logging.INFO), "%s", message)


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A slot raised: it is logged whole, and people read one sentence."""
    if issubclass(kind, KeyboardInterrupt):
        QApplication.quit()
        return
    log.error("unexpected", exc_info=(kind, error, trace))
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, MainWindow):
            widget.show_error(as_ours(error))
