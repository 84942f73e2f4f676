"""How the relay's pages look, and their sentences. Pure text: everything that comes in here is escaped already."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple


class Look(NamedTuple):
    """One state of a page. `colour` is a class of the style sheet; `waits`: it asks again by itself."""

    mark: str
    colour: str
    title: str
    note: str = ""
    strong: str = ""
    foot: tuple[str, str] = ("You may put your phone away.", "The cashier sees the result too.")
    waits: bool = False
    amount: bool = True
    details: bool = False


class Facts(NamedTuple):
    order: str = ""
    amount: str = ""
    method: str = ""
    when: str = ""
    receipt: str = ""


AGAIN = ("Scanning the same code again shows this page.", "It cannot charge you twice.")

CHECKING = Look(
    "clock",
    "waiting",
    "Checking…",
    "Your bank has not told us yet. This page turns green by itself, and so does the till.",
    "Please do not pay again.",
    waits=True,
)
PAID = Look("tick", "paid", "Paid, thank you", foot=AGAIN, details=True)
REPLACED = Look("arrows", "gone", "There is a new code", "Please scan the code that the till shows now.", foot=("", ""))
EXPIRED = Look("hourglass", "gone", "This code has expired", "Please ask the cashier for a new one.", foot=("", ""))
CLOSED = Look(
    "cross", "gone", "This code is closed", "It cannot be paid any more. Please look at the till.", foot=("", "")
)
LOOK_AT_THE_TILL = Look(
    "till", "accent", "Please look at the till", "It knows whether your payment has arrived.", amount=False
)
NOT_HERE = Look(
    "cross", "gone", "Nothing here", "This code is not known. Please ask the cashier.", foot=("", ""), amount=False
)
NO_RECEIPT = Look(
    "cross", "gone", "No receipt here", "Receipts are removed after a while.", foot=("", ""), amount=False
)
BUSY = Look("clock", "waiting", "One moment", "Please try again in a few seconds.", foot=("", ""), amount=False)

RETURN_STATES = {
    "open": CHECKING,
    "checking": CHECKING,
    "paid": PAID,
    "replaced": REPLACED,
    "expired": EXPIRED,
    "closed": CLOSED,
}
PAY_STATES = {state: look for state, look in RETURN_STATES.items() if state != "open"}

STYLE = """
*{box-sizing:border-box}
:root{--ink:#14202b;--secondary:#4a5a68;--line:#e1e7ec;--card:#fff;--accent:#0b6e6e;--on:#fff;
--paid:#137a3f;--waiting:#a05a00;--waiting-soft:#fff0d6;--waiting-ink:#6b3d00;--gone:#5c6b78;--gone-soft:#e8edf1;
--accent-soft:#dff1f0;--desk:#dde5ea}
html{font:15px/23px Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:var(--ink);
background:var(--card);font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
body{margin:0 auto;min-height:100vh;min-height:100svh;max-width:390px;padding:30px;display:flex;flex-direction:column;
background:var(--card);overflow-wrap:anywhere}
header{display:flex;align-items:center;gap:13px;min-height:46px;margin-left:-6px}
header i{flex:none;width:46px;height:46px;border-radius:12px;background:var(--accent);color:var(--on);
font-weight:700;font-size:20px;line-height:46px;font-style:normal;text-align:center}
header b{display:block;font-size:17px;line-height:22px}
header span{color:var(--secondary)}
main{flex:1;text-align:center;padding-top:78px}
svg{display:block;margin:0 auto}
h1{font-size:30px;line-height:38px;font-weight:700;letter-spacing:-.01em;margin:38px 0 0}
.amount{font-size:38px;line-height:46px;font-weight:700;margin:8px 0 0}
.paid h1{color:var(--paid)}
.note{margin:21px 0 0;padding:16px 18px;font-size:16px;border-radius:14px;text-align:left;background:var(--gone-soft)}
.waiting .note{background:var(--waiting-soft);color:var(--waiting-ink)}
.accent .note{background:var(--accent-soft)}
dl{margin:21px 0 0;padding:5px 18px;border:1px solid var(--line);border-radius:14px;text-align:left}
dl div{display:flex;justify-content:space-between;gap:16px;padding:10px 0}
dl div+div{border-top:1px solid var(--line)}
dt{color:var(--secondary)}
dd{margin:0;text-align:right}
.button{display:block;margin:17px 0 0;padding:16px;border-radius:14px;background:var(--accent);color:var(--on);
font-weight:600;font-size:17px;line-height:24px;text-decoration:none}
.button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
footer{padding:40px 0 0;text-align:center;color:var(--secondary);font-size:13px;line-height:19px}
pre{margin:24px 0 0;padding:18px;border:1px solid var(--line);border-radius:14px;white-space:pre-wrap;text-align:left;
font:13px/19px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
.spin{transform-origin:50% 50%;animation:turn 1.6s linear infinite}
@keyframes turn{to{transform:rotate(360deg)}}
@media (prefers-reduced-motion:reduce){.spin{animation:none}}
@media (min-width:431px){html{background:var(--desk)}
body{margin:28px auto;min-height:844px;border-radius:34px;box-shadow:0 16px 40px rgba(20,32,43,.12)}}
@media (prefers-color-scheme:dark){:root{--ink:#e8eef1;--secondary:#a9bac4;--line:#2a3a44;--card:#162129;
--accent:#0d7a78;--paid:#62d394;--waiting:#f0b45a;--waiting-soft:#3a2a0c;--waiting-ink:#f0b45a;--gone:#a9bac4;
--gone-soft:#22313b;--accent-soft:#12383a;--desk:#0d151a}}
"""

_STROKE = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'


def _disc(colour: str, drawing: str) -> str:
    return (
        f'<svg width="148" height="148" viewBox="0 0 148 148" role="img" aria-hidden="true">'
        f'<circle cx="74" cy="74" r="74" fill="var(--{colour})"/>'
        f'<g {_STROKE} stroke="var(--card)" stroke-width="10">{drawing}</g></svg>'
    )


MARKS = {
    "clock": '<svg width="148" height="148" viewBox="0 0 148 148" role="img" aria-hidden="true">'
    f'<g {_STROKE} stroke-width="12"><circle cx="74" cy="74" r="66" stroke="var(--waiting-soft)"/>'
    '<path class="spin" d="M116 23.1A66 66 0 0 1 114.600 126" stroke="var(--waiting)"/></g>'
    f'<g {_STROKE} stroke-width="4" stroke="var(--waiting)"><circle cx="74" cy="74" r="22"/>'
    '<path d="M74 61v13l8.500 4.500"/></g></svg>',
    "tick": _disc("paid", '<path d="M45 76l18 18 40-41"/>'),
    "cross": _disc("gone", '<path d="M52 52l44 44M96 52L52 96"/>'),
    "hourglass": _disc("gone", '<path d="M50 42h48M50 106h48M56 42c0 40 36 24 36 64M92 42c0 40-36 24-36 64"/>'),
    "arrows": _disc("gone", '<path d="M42 62h58l-14-14M106 88H48l14 14"/>'),
    "till": _disc("accent", '<path d="M42 56h64v42H42zM42 74h64M60 112h28"/>'),
}

CSP = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def headers() -> dict[str, str]:
    """For every page and redirect."""
    return {
        "content-security-policy": CSP,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex, nofollow",
    }


def page(look: Look, shop: str, facts: Facts, refresh_s: int) -> str:
    """A whole page. Arguments are HTML already."""
    again = f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else ""
    amount = f'<p class="amount">{facts.amount}</p>' if facts.amount and look.amount else ""
    strong = f"<strong>{look.strong}</strong> " if look.strong else ""
    note = f'<p class="note" role="status">{strong}{look.note}</p>' if look.note else ""
    order = f"Order {facts.order}" if facts.order else ""
    foot = "<br>".join(line for line in look.foot if line)
    return (
        f"{_top(look.title, again)}"
        f'<body class="{look.colour}">{_header(shop, order)}'
        f"<main>{MARKS[look.mark]}<h1>{look.title}</h1>{amount}{note}{_details(look, facts)}</main>"
        f"<footer>{foot}</footer></body></html>"
    )


def receipt(shop: str, text: str) -> str:
    return f"{_top('Receipt', '')}<body>{_header(shop, 'Receipt')}<pre>{text}</pre></body></html>"


def _top(title: str, extra: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="color-scheme" content="light dark">{extra}<title>{title}</title><style>{STYLE}</style></head>'
    )


def _header(shop: str, below: str) -> str:
    if not shop:
        return "<header></header>"
    initial = shop[0] if shop[0] != "&" else "•"
    second = f"<span>{below}</span>" if below else ""
    return f'<header><i aria-hidden="true">{initial.upper()}</i><div><b>{shop}</b>{second}</div></header>'


def _details(look: Look, facts: Facts) -> str:
    if not look.details:
        return ""
    rows = [("Paid by", facts.method), ("When", facts.when)]
    filled = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows if value)
    button = f'<a class="button" href="{facts.receipt}">See the receipt</a>' if facts.receipt else ""
    return (f"<dl>{filled}</dl>" if filled else "") + button
