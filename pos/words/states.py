"""Words for every state of a payment, and the tone and icon that go with them: colour + icon + word, one table.

A tone is the name of a theme token pair (`paid` on `paid_soft`), never a colour. Never a decision about money.
"""

from __future__ import annotations

from dataclasses import dataclass

from pos.domain.status import Shown
from pos.words.language import Text, translate


@dataclass(frozen=True, slots=True)
class Look:
    """`short` for lists, `long` for headings; both source texts, read through `short_word` and `long_word`."""

    tone: str
    icon: str
    short: str
    long: str

    @property
    def short_word(self) -> str:
        return translate(self.short)

    @property
    def long_word(self) -> str:
        return translate(self.long)


def _(source: str) -> str:
    """Marks a source text for the catalogue without translating it yet."""
    return source


LOOKS: dict[Shown, Look] = {
    Shown.PAID_TWICE: Look("double", "copy", _("Paid twice"), _("Paid twice")),
    Shown.OVERPAID: Look("double", "copy", _("Overpaid"), _("Overpaid")),
    Shown.DISPUTED: Look("failed", "scale", _("Disputed"), _("Disputed")),
    Shown.RETURNED: Look("gone", "undo-2", _("Returned"), _("Returned")),
    Shown.REFUNDED: Look("gone", "undo-2", _("Refunded"), _("Refunded")),
    Shown.PART_REFUNDED: Look("gone", "undo-2", _("Part refunded"), _("Part refunded")),
    Shown.PAID: Look("paid", "check", _("Paid"), _("Paid")),
    Shown.UNKNOWN: Look("unknown", "circle-question-mark", _("Unknown"), _("Outcome unknown")),
    Shown.WAITING: Look("waiting", "clock", _("Waiting"), _("Waiting for payment")),
    Shown.PART_PAID: Look("waiting", "chart-pie", _("Part paid"), _("Part paid")),
    Shown.FAILED: Look("failed", "x", _("Failed"), _("Payment failed")),
    Shown.EXPIRED: Look("gone", "minus", _("Expired"), _("Link expired")),
    Shown.CANCELLED: Look("gone", "ban", _("Cancelled"), _("Cancelled")),
    Shown.HELD: Look("gone", "pause", _("Held"), _("Held")),
    Shown.UNPAID: Look("gone", "minus", _("Unpaid"), _("Not paid yet")),
}


class Steps:
    """The four steps of a payment by link."""

    ASKING = Text("Asking for a link")
    LINK_READY = Text("Link ready")
    OPENED = Text("Opened")
    PAYING = Text("Paying")
    NOT_KNOWN = Text("Not known")
    PAID = Text("Paid")
    NOT_PAID = Text("Not paid")


class Progress:
    """What a waiting order's card says below its bar."""

    NOT_SCANNED = Text("Not scanned yet")
    PAGE_OPENED = Text("Page opened")
    AT_THE_BANK = Text("At the bank")
    NO_ANSWER = Text("No answer yet")
    PAID = Text("Paid")


SOURCES: dict[str, str] = {
    "till": _("till"),
    "gateway": _("gateway"),
    "webhook": _("webhook"),
    "callback": _("callback"),
    "poll": _("poll"),
    "report": _("report"),
    "manager": _("manager"),
}


def source_word(source: str) -> str:
    """Who told us, for a timeline's chip; an unknown source as it stands."""
    return translate(SOURCES.get(source, source))
