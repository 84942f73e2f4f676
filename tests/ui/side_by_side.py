"""Draws every screen that has a target picture, and lays both beside each other.

    .venv/bin/python -m tests.ui.side_by_side OURS_DIR [--targets DIR --beside DIR] [--only 01 07]

Ours go to OURS_DIR/NN-name.png. With --targets, ours | target go to the folder of --beside.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtWidgets import QApplication, QWidget

from pos.services.views import PaymentView, TimelineRow
from pos.ui import aio, shots, theme
from pos.ui.main_window import MainWindow
from pos.ui.theme import Theme
from tests.ui import scenes
from tests.ui.conftest import QuietDesk, make_window
from tests.ui.fake_till import FakeTill
from tests.ui.scenes import at

SETTLE_S = 5.0


class Studio:
    """One scene at a time: a till, its window, and the time until nothing moves."""

    def __init__(self, worn: Theme, folder: Path) -> None:
        self.worn = worn
        self.folder = folder
        self.till: FakeTill = scenes.till()
        self.window: MainWindow = None  # type: ignore[assignment]

    async def open(self, till: FakeTill, name: str = "light") -> MainWindow:
        self.till = till
        self.worn.wear(QApplication.instance(), name)  # type: ignore[arg-type]
        self.window = make_window(till, self.worn, QuietDesk())
        self.window.resize(*shots.SIZE)
        self.window.show()
        self.window.attach(till, till.goods)
        await self.settle()
        return self.window

    async def settle(self) -> None:
        """Until no task runs and what it changed is painted, twice over: answers start new questions."""
        async with asyncio.timeout(SETTLE_S):
            for _ in range(4):
                while self.window.kit.tasks.running:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)

    async def ring(self) -> None:
        """The three lines of the pictures; the last one is chosen."""
        view = self.till.make(scenes.lines(), number="2-01873", created_at_ms=at("13:41:02"))
        self.window.flow.counter.put_down(view)
        await self.settle()

    async def pay(self) -> str:
        await self.ring()
        self.till.clock.ms = at("13:41:03")
        self.window.commands["pay.qr"].trigger()
        await self.settle()
        return self.window.flow.counter.order_id

    def say(self, order_id: str, *rows: tuple[str, str, str]) -> None:
        self.till.timelines[order_id] = [TimelineRow(at(t), "till", text, state) for t, text, state in rows]

    def shoot(self, name: str, widget: QWidget | None = None, size: tuple[int, int] = shots.SIZE) -> Path:
        return shots.take(widget or self.window, self.folder, name, size)

    def close(self) -> None:
        self.window.kit.tasks.cancel_all()
        self.window.close()
        self.window.deleteLater()


async def sell(studio: Studio, name: str, worn: str = "light", size: tuple[int, int] = shots.SIZE) -> Path:
    till = scenes.till()
    scenes.hold_two(till)
    scenes.waiting(till, "2-01872", 9000, "13:40:00", steps=1)
    window = await studio.open(till, worn)
    window.resize(*size)
    await studio.ring()
    return studio.shoot(name, size=size)


async def s01(studio: Studio) -> Path:
    return await sell(studio, "01-sell")


async def s18(studio: Studio) -> Path:
    return await sell(studio, "18-sell-dark", "dark")


async def s19(studio: Studio) -> Path:
    return await sell(studio, "19-sell-1024", size=(1024, 768))


async def waiting(studio: Studio) -> str:
    await studio.open(scenes.till("13:41:02"))
    order_id = await studio.pay()
    till = studio.till
    till.customer_opens(order_id)
    view = till.orders[order_id]
    till.change(order_id, payments=(PaymentView("pay_x", "razorpay", 1, "pending", 0, None, 0),), opened=True)
    assert view.attempt is not None
    till.orders[order_id] = replace(
        till.orders[order_id], attempt=replace(view.attempt, expires_at_ms=at("13:42") + 852_500)
    )
    studio.say(
        order_id, ("13:41:02", "Order saved on this till", "ok"), ("13:41:02", "Link requested from Razorpay", "ok"),
        ("13:41:03", "Link ready, QR shown", "ok"), ("13:41:20", "Customer opened the payment page", "ok"),
    )  # fmt: skip
    till.clock.ms = at("13:42")
    till.set_status(relay_heard_at_ms=till.clock.ms - 2000, reconciled_at_ms=till.clock.ms - 240_000)
    studio.window.flow.counter.reload()
    await studio.settle()
    studio.window.panels.pay.tick()
    return order_id


async def s02(studio: Studio) -> Path:
    await waiting(studio)
    return studio.shoot("02-pay")


async def s04(studio: Studio) -> Path:
    await waiting(studio)
    studio.window.toggle_display()
    display = studio.window.display
    assert display is not None
    display.resize(*shots.SIZE)
    await studio.settle()
    return studio.shoot("04-customer", display)


async def s06(studio: Studio) -> Path:
    order_id = await waiting(studio)
    till = studio.till
    studio.say(
        order_id, ("13:41:03", "Link ready, QR shown", "ok"), ("13:41:20", "Customer opened the payment page", "ok"),
        ("13:42:05", "Customer came back: “processing”", "waiting"),
        ("13:42:16", "Asked Razorpay, no answer in 10 s", "unknown"),
        ("13:43:39", "Asked 7 times, no answer yet", "unknown"),
    )  # fmt: skip
    rows = list(till.timelines[order_id])
    till.clock.ms = at("13:42:16")
    till.gateway_falls_silent(order_id)
    till.timelines[order_id] = rows
    till.clock.ms = at("13:43:43")
    view = till.orders[order_id]
    assert view.attempt is not None
    till.orders[order_id] = replace(view, attempt=replace(view.attempt, next_look_at_ms=till.clock.ms + 11_500))
    till.set_status(gateway="down", relay_heard_at_ms=till.clock.ms - 2000, reconciled_at_ms=till.clock.ms - 300_000)
    studio.window.flow.counter.reload()
    await studio.settle()
    studio.window.panels.pay.tick()
    return studio.shoot("06-unknown")


async def s07(studio: Studio) -> Path:
    order_id = await waiting(studio)
    till = studio.till
    till.clock.ms = at("13:42:09")
    till.customer_pays(order_id)
    studio.say(
        order_id, ("13:41:03", "Link ready, QR shown", "ok"), ("13:41:20", "Customer opened the payment page", "ok"),
        ("13:42:09", "₹984.00 captured at Razorpay", "ok"), ("13:42:09", "Signed webhook, amount agrees", "ok"),
        ("13:42:10", "Link closed, it cannot be paid again", "ok"),
    )  # fmt: skip
    till.set_status(relay_heard_at_ms=till.clock.ms - 2000, reconciled_at_ms=till.clock.ms - 241_000)
    await studio.settle()
    studio.window.flow.counter.reload()
    await studio.settle()
    return studio.shoot("07-paid")


async def s03(studio: Studio) -> Path:
    till = scenes.till(user="Meera")
    scenes.end_of_day(till)
    scenes.waiting(till, "2-01872", 9000, "13:40:00", steps=1)
    window = await studio.open(till)
    window.commands["day"].trigger()
    await studio.settle()
    return studio.shoot("03-reconcile")


async def s05(studio: Studio) -> Path:
    till = scenes.till()
    order_id = scenes.history(till)
    return await _orders(studio, till, order_id, "05-orders")


async def s08(studio: Studio) -> Path:
    till = scenes.till(user="Meera")
    order_id = scenes.double(till)
    scenes.waiting(till, "2-01839", 9000, "11:00:00", steps=1)
    return await _orders(studio, till, order_id, "08-double")


async def _orders(studio: Studio, till: FakeTill, order_id: str, name: str) -> Path:
    window = await studio.open(till)
    window.commands["orders"].trigger()
    await studio.settle()
    window.panels.orders.select(order_id)
    await studio.settle()
    return studio.shoot(name)


async def s09(studio: Studio) -> Path:
    till = scenes.till()
    scenes.waiting(till, "2-01872", 9000, "13:40:00", steps=1)
    window = await studio.open(till)
    await studio.ring()
    window.commands["cash"].trigger()
    await studio.settle()
    window.panels.cash.field.set_minor(150_000)
    await studio.settle()
    return studio.shoot("09-cash")


async def s10(studio: Studio) -> Path:
    till = scenes.till("13:46:16")
    scenes.hold_two(till)
    first = scenes.waiting(till, "2-01873", 98400, "13:41:03", steps=3)
    scenes.waiting(till, "2-01874", 43000, "13:45:04", steps=3)
    scenes.waiting(till, "2-01875", 126000, "13:45:30", steps=2)
    scenes.waiting(till, "2-01876", 9000, "13:45:58", steps=1)
    window = await studio.open(till)
    window.commands["tray"].trigger()
    await studio.settle()
    till.clock.ms = at("13:45:58")
    till.customer_pays(first.order_id)
    till.clock.ms = at("13:46:16")
    till.set_status(relay_heard_at_ms=till.clock.ms - 2000, reconciled_at_ms=till.clock.ms - 180_000)
    lines = [
        replace(scenes.one(6000, "Masala chai")[0], quantity_milli=2000, note="Less sugar"),
        replace(scenes.one(24000, "Paneer sandwich")[0], sku="P09"),
        replace(scenes.one(14000, "Banana bread")[0], sku="P08", note="Warm"),
    ]
    window.flow.counter.put_down(till.make(lines, number="2-01877"))
    await studio.settle()
    return studio.shoot("10-tray")


async def gateways(studio: Studio, name: str, worn: str = "light", size: tuple[int, int] = shots.SIZE) -> Path:
    till = scenes.till(user="Meera")
    scenes.gateways(till)
    scenes.waiting(till, "2-01872", 9000, "13:40:00", steps=1)
    window = await studio.open(till, worn)
    window.resize(*size)
    window.commands["gateways"].trigger()
    await studio.settle()
    till.clock.ms = at("13:41")
    window.commands["gateway.test"].trigger()
    await studio.settle()
    till.clock.ms = at("13:42")
    window.top.tick()
    return studio.shoot(name, size=size)


async def s15(studio: Studio) -> Path:
    return await gateways(studio, "15-settings-gateways")


SCENES: dict[str, Callable[[Studio], object]] = {
    "01": s01, "02": s02, "03": s03, "04": s04, "05": s05, "06": s06, "07": s07, "08": s08, "09": s09, "10": s10,
    "15": s15, "18": s18, "19": s19,
}  # fmt: skip


def beside(ours: Path, targets: Path, folder: Path) -> None:
    """One picture: ours, a gap, the target."""
    target = targets / ours.name
    if not target.is_file():
        return
    left, right = Image.open(ours).convert("RGB"), Image.open(target).convert("RGB")
    both = Image.new("RGB", (left.width + right.width + 24, max(left.height, right.height)), (120, 120, 120))
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 24, 0))
    folder.mkdir(parents=True, exist_ok=True)
    # 256 colours are enough for flat screens, and a quarter of the size
    both.quantize(256, dither=Image.Dither.NONE).save(folder / ours.name, optimize=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours", type=Path)
    parser.add_argument("--targets", type=Path)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    app = QApplication([])
    theme.load_fonts()
    studio = Studio(Theme("light"), options.ours)

    async def work() -> int:
        for name in options.only or SCENES:
            path = await SCENES[name](studio)  # type: ignore[misc]
            studio.close()
            if options.targets and options.beside:
                beside(path, options.targets, options.beside)
            print(path)
        return 0

    return aio.run(aio.make_loop(app), work)


if __name__ == "__main__":
    raise SystemExit(main())
