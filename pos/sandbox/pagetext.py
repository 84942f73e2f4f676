"""The pay page as HTML: the template filled with escaped text, and the headers that keep it in its place."""

from __future__ import annotations

import html
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from starlette.responses import FileResponse, Response

from pos.sandbox.currencies import written
from pos.sandbox.records import Link

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
FOLDER = RESOURCES / "sandbox"
ACCENT = "#0b6e6e"  # where a page is nobody's in particular
LONG_AMOUNT = 9  # characters that fit in large type on the narrowest phone
FONTS = frozenset(f"Inter-{weight}.otf" for weight in ("Regular", "Medium", "SemiBold", "Bold"))


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay that the page offers; all of them are make-believe."""

    id: str
    name: str
    hint: str
    icon: str


CARD = Method("card", "Card", "4242 4242 4242 4242 always pays", "credit-card")
_METHODS = {
    "inr": (
        Method("upi", "UPI", "Any UPI app", "smartphone"),
        CARD,
        Method("netbanking", "Net banking", "Test bank", "banknote"),
    ),
    "eur": (CARD, Method("ideal", "iDEAL", "Test bank", "banknote")),
}
_OTHERWISE = (CARD, Method("paypal", "Wallet", "Test wallet", "smartphone"))


def methods_of(link: Link) -> tuple[Method, ...]:
    """What the page offers: any method of the currency, or those that the link was made for."""
    methods = _METHODS.get(link.currency, _OTHERWISE)
    only = link.more.get("methods")
    return tuple(method for method in methods if method.id in only) if only else methods


@dataclass(frozen=True, slots=True)
class Shown:
    """What one showing of a page says."""

    link: Link
    shop: str
    gateway: str
    accent: str
    state: str  # open | already_paid | in_flight | not_completed | expired
    token: str
    declined: bool
    seconds_left: int
    pending_s: float


@dataclass(frozen=True, slots=True)
class Message:
    status: int
    tone: str  # paid | waiting | failed | gone
    icon: str
    title: str
    text: str


MESSAGES = {
    "already_paid": Message(200, "paid", "check", "Paid", "This has been paid. Nothing more is to be done here."),
    "in_flight": Message(200, "waiting", "clock", "On its way", "Your payment is on its way. Do not pay again."),
    "not_completed": Message(200, "failed", "x", "Not paid", "The payment did not arrive. Ask at the counter."),
    "expired": Message(410, "gone", "clock", "Expired", "This link can no longer be paid. Ask for a new one."),
    "unknown": Message(404, "gone", "x", "Not found", "There is no such payment link."),
    "again": Message(403, "gone", "x", "Please open the link again", "This page was too old to act on."),
    "left": Message(200, "gone", "x", "Not paid", "You left without paying. You can close this page."),
    "card_number": Message(
        400,
        "failed",
        "x",
        "No card numbers here",
        "Something that looks like a card number was sent. It was refused, and not kept.",
    ),
    "not_a_form": Message(415, "failed", "x", "Not understood", "Only this page's own buttons work here."),
    "too_large": Message(413, "failed", "x", "Too large", "Only this page's own buttons work here."),
}


@cache
def _template(name: str) -> Template:
    return Template((FOLDER / name).read_text(encoding="utf-8"))


@cache
def _icon(name: str) -> str:
    """An outline of the one set of icons, ours or the window's; drawn in the colour of its text."""
    own = FOLDER / "icons" / f"{name}.svg"
    path = own if own.exists() else RESOURCES / "icons" / f"{name}.svg"
    drawing = path.read_text(encoding="utf-8").partition("<svg")[2].strip()  # its licence stands in a file beside it
    return '<svg aria-hidden="true" ' + " ".join(drawing.split())


def font(name: str) -> Response:
    """One of the page's own fonts; the page loads nothing from elsewhere."""
    path = RESOURCES / "fonts" / name
    if name not in FONTS or not path.exists():
        return Response("No such font.", 404, media_type="text/plain")
    return FileResponse(path, media_type="font/otf", headers={"Cache-Control": "public, max-age=86400"})


def pay_page(shown: Shown | None) -> Response:
    """The page of a link, or what there is to say instead."""
    if shown is None:
        return message_page("unknown")
    if shown.state != "open":
        return message_page(shown.state, shown)
    link = shown.link
    amount = written(link.amount_minor, link.currency)
    body = _template("open.html").substitute(
        initial=html.escape(shown.shop[:1].upper()),
        shop=html.escape(shown.shop),
        title=html.escape(link.title),
        clock=_icon("clock"),
        left=_left(shown.seconds_left),
        seconds=shown.seconds_left,
        amount=html.escape(amount),
        long=" long" if len(amount) > LONG_AMOUNT else "",
        notice=_notice(shown.declined),
        methods="".join(_method(method, first=not number) for number, method in enumerate(methods_of(link))),
        token=html.escape(shown.token),
        lock=_icon("lock"),
        cross=_icon("x"),
        gateway=html.escape(shown.gateway),
        pending=f"{shown.pending_s:g}",
    )
    return _document(f"Pay {shown.shop}", body, 200, link, shown.accent)


def message_page(name: str, shown: Shown | None = None) -> Response:
    """A clear page with one sentence."""
    message = MESSAGES[name]
    amount = written(shown.link.amount_minor, shown.link.currency) if shown and message.tone != "gone" else ""
    body = _template("message.html").substitute(
        tone=message.tone,
        icon=_icon(message.icon),
        name=name,
        title=html.escape(message.title),
        amount=html.escape(amount),
        text=html.escape(message.text),
        shop=html.escape(f"{shown.shop} · {shown.link.title}" if shown else ""),
    )
    return _document(message.title, body, message.status, None)


def _notice(declined: bool) -> str:
    if not declined:
        return ""
    return f'<p class="notice" role="alert">{_icon("x")}<span>Declined. Nothing was taken; try again.</span></p>'


def _method(method: Method, *, first: bool) -> str:
    return _template("method.html").substitute(
        id=method.id,
        name=html.escape(method.name),
        hint=html.escape(method.hint),
        icon=_icon(method.icon),
        checked=" checked" if first else "",
    )


def _left(seconds: int) -> str:
    """The time left as it is shown where no script counts it down."""
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}"


def _document(title: str, body: str, status: int, link: Link | None, accent: str = ACCENT) -> Response:
    nonce = secrets.token_urlsafe(16)
    page = _template("page.html").substitute(nonce=nonce, heading=html.escape(title), body=body, accent=accent)
    return Response(page, status, _headers(nonce, link), "text/html")


def _headers(nonce: str, link: Link | None) -> dict[str, str]:
    """Nothing from elsewhere, no framing, no copy kept. A form may go where its answer redirects to."""
    onward = [_origin(address) for address in (link.success_url, link.cancel_url) if address] if link else []
    policy = {
        "default-src": "'none'",
        "style-src": f"'nonce-{nonce}'",
        "script-src": f"'nonce-{nonce}'",
        "font-src": "'self'",
        "form-action": " ".join(["'self'", *sorted(set(onward))]),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }


def _origin(address: str) -> str:
    parts = urlsplit(address)
    host = "".join(char for char in parts.netloc if char.isalnum() or char in ".-:[]_")
    return f"{parts.scheme}://{host}"
