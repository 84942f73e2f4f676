"""Two cards beside a payment: what happens next with an unknown one, and the receipt of a paid one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QGridLayout, QLabel

from pos.ui.widgets.labels import column, label, line
from pos.ui.widgets.qrview import QrView
from pos.words.pay import Paid, Unknown

if TYPE_CHECKING:
    from pos.services.views import OrderView
    from pos.ui.kit import Kit

MANAGER_AFTER_MS = 600_000
"""Nothing stays unknown for more than ten minutes without an exception (payment-truth, I16)."""
RECEIPT_QR = 136


class NextCard(QFrame):
    """Three lines: we ask again, the report is read, the manager."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._view: OrderView | None = None
        self.setObjectName("nextCard")
        self.when = [label("", "strong", tone="unknown", name=f"next.{at}") for at in range(3)]
        self.ask = label("", "strong", wrap=True)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(0)
        grid.setHorizontalSpacing(10)
        grid.setColumnMinimumWidth(0, 54)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[QLabel, str], ...] = (
            (self.ask, Unknown.ASK_AGAIN_HINT),
            (label(Unknown.REPORT, "strong"), Unknown.REPORT_HINT),
            (label(Unknown.MANAGER, "strong", wrap=True), Unknown.MANAGER_HINT),
        )
        for at, (what, hint) in enumerate(rows):
            grid.addWidget(self.when[at], 3 * at, 0)
            grid.addWidget(what, 3 * at, 1)
            grid.addWidget(label(hint, "small", wrap=True), 3 * at + 1, 1)
            if at < 2:
                grid.setRowMinimumHeight(3 * at + 2, 15)
        self.setLayout(column(label(Unknown.NEXT, "part"), 10, grid, margins=(16, 15, 16, 15)))

    def show_order(self, view: OrderView) -> None:
        self._view = view
        gateway = view.attempt.gateway_title if view.attempt else ""
        self.ask.setText(Unknown.ASK_AGAIN.format(gateway=gateway))
        self.when[1].setText(Unknown.REPORT_WHEN)
        if view.unknown_since_ms is not None:
            self.when[2].setText(self._kit.formats.time(view.unknown_since_ms + MANAGER_AFTER_MS))
        self.tick()

    def tick(self) -> None:
        attempt = self._view.attempt if self._view else None
        due = attempt.next_look_at_ms if attempt else None
        seconds = (due - self._kit.now_ms()) // 1000 if due is not None else 0
        self.when[0].setText(Unknown.SECONDS.format(n=seconds) if seconds > 0 else Unknown.NOW)


class ReceiptCard(QFrame):
    """A code with the receipt's own words: any phone reads it, no server is asked."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("receiptCard")
        self.code = QrView(kit, "receiptQr", RECEIPT_QR)
        self.code.setFixedSize(RECEIPT_QR, RECEIPT_QR)
        self.title = label("", "part", wrap=True)
        self.hint = label(Paid.RECEIPT_HINT, "row", name="receipt.hint", wrap=True)
        words = column(0, self.title, 2, self.hint, 0)
        box = line(self.code, 20, words, margins=(14, 14, 14, 14))
        box.setStretch(2, 1)
        self.setLayout(box)

    def show_display(self, on: bool) -> None:
        self.hint.setText(Paid.RECEIPT_HINT_DISPLAY if on else Paid.RECEIPT_HINT)

    def show_order(self, view: OrderView) -> None:
        self.title.setText(Paid.RECEIPT.format(number=view.number))
        self.code.show_text(receipt_words(view, self._kit), Paid.RECEIPT_QR.format(number=view.number))


def receipt_words(view: OrderView, kit: Kit) -> str:
    """The short receipt that a code carries: number, time, total, how it was paid."""
    when = kit.formats.date_time(view.paid_at_ms or view.created_at_ms)
    captured = [payment.id for payment in view.payments if payment.captured_minor]
    parts = [
        Paid.RECEIPT.format(number=view.number),
        when,
        kit.formats.money(view.totals.total_minor),
        view.payment_text,
        *captured[:1],
    ]
    return "\n".join(part for part in parts if part)
