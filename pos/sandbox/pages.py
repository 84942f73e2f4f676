"""The hosted pay page: what a customer sees, and the one state change each showing of it allows.

Works without JavaScript, takes no card number, and refuses whatever looks like one without keeping it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pos.sandbox import faults, lifecycle
from pos.sandbox.accounts import account
from pos.sandbox.bank import Bank
from pos.sandbox.books import Refusal
from pos.sandbox.connections import Connections
from pos.sandbox.dialect import random_text
from pos.sandbox.lifecycle import Try
from pos.sandbox.pagetext import Shown, message_page, methods_of, pay_page
from pos.sandbox.records import Fault, Link, PageToken
from pos.sandbox.spoil import answer_through
from pos.sandbox.store import Tx

FORM_LIMIT_BYTES = 16 * 1024
TOKENS_PER_LINK = 100  # showings of one page that can still act; older ones must be opened again
# Thirteen to nineteen digits in a row, in any script, however they are spaced.
CARD_LIKE = re.compile(r"(?<!\d)(?:\d[\s.\-/]{0,2}){12,18}\d(?!\d)")
ACTIONS = {
    "pay": "paid",
    "decline": "declined",
    "later": "pending",
    "later_fails": "pending_fails",
    "late": "late",
    "fails_late": "failed_then_late",
}
_CAME_TO = {"captured": "paid", "authorized": "paid", "failed": "declined"}
OUTCOME_HEADER = "Sandbox-Outcome"  # for customers in a script


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of a customer's action; `location` where the browser goes next, if anywhere."""

    outcome: str  # paid declined pending late left already_paid in_flight expired again unknown
    location: str | None = None


class Pages:
    """Shows links and takes customers' actions."""

    def __init__(self, bank: Bank, connections: Connections) -> None:
        self._bank = bank
        self._connections = connections

    async def show(self, request: Request) -> Response:
        async def work() -> Response:
            name = request.path_params["link"]
            shown = await self._bank.run(lambda tx: self._shown(tx, name))
            return pay_page(shown)

        fault = await self._bank.run(lambda tx: faults.take(tx, "page.show"))
        return await answer_through(fault, work, _refuse, self._connections)

    async def act(self, request: Request) -> Response:
        fields = await _form(request)
        if isinstance(fields, Response):
            return fields
        name = request.path_params["link"]
        fault = await self._bank.run(lambda tx: faults.take(tx, "page.pay"))

        async def work() -> Response:
            acted = await self._bank.run(lambda tx: self._act(tx, name, fields, fault))
            response = self._after(acted)
            response.headers[OUTCOME_HEADER] = acted.outcome
            return response

        return await answer_through(fault, work, _refuse, self._connections)

    # -- in the bank's thread ------------------------------------------------------------------------------------------

    def _shown(self, tx: Tx, name: str) -> Shown | None:
        """The page of a link, with a fresh token while there is something to do on it."""
        link = _link_of(tx, name)
        if link is None:
            return None
        owner = account(tx, link.account)
        books = self._bank.books(tx, owner)
        payments = books.payments_of_link(link)
        payable = lifecycle.is_payable(books, link)
        return Shown(
            link=link,
            shop=owner.name,
            gateway=books.dialect.title,
            accent=books.dialect.accent,
            state="open" if payable else _why_not(link, [payment.state for payment in payments]),
            token=self._new_token(tx, link, books.now) if payable else "",
            declined=bool(payments) and payments[0].state == "failed",
            seconds_left=max(0, link.expires_at - books.now),
            pending_s=self._bank.settings.pending_s,
        )

    @staticmethod
    def _new_token(tx: Tx, link: Link, now: int) -> str:
        token = "".join(letter for letter in random_text(96).lower() if letter.isalpha())[:40]
        tx.insert("page_token", {"token": token, "link": link.id, "created": now})
        tx.execute(
            "DELETE FROM page_token WHERE link = ? AND outcome IS NULL AND rowid NOT IN"
            " (SELECT rowid FROM page_token WHERE link = ? ORDER BY rowid DESC LIMIT ?)",
            link.id, link.id, TOKENS_PER_LINK,
        )  # fmt: skip
        return token

    def _act(self, tx: Tx, name: str, fields: dict[str, str], fault: Fault | None) -> Acted:
        link = _link_of(tx, name)
        if link is None:
            return Acted("unknown")
        token = tx.one(PageToken, "WHERE token = ? AND link = ?", fields.get("token", ""), link.id)
        if token is None:
            return Acted("again")
        outcome = token.outcome or self._carry_out(tx, link, fields, fault)
        tx.execute("UPDATE page_token SET outcome = ? WHERE token = ?", outcome, token.token)
        return Acted(outcome, self._next(tx, link, outcome))

    def _carry_out(self, tx: Tx, link: Link, fields: dict[str, str], fault: Fault | None) -> str:
        action = fields.get("action", "")
        if action == "leave":
            return "left"
        if action not in ACTIONS:
            return "again"
        outcome, amount_minor = ACTIONS[action], None
        if fault is not None and fault.kind == "late" and outcome == "paid":
            outcome = "late"
        if fault is not None and fault.kind == "other_amount":
            amount_minor = int(fault.more["amount_minor"]) or None
        books = self._bank.books(tx, account(tx, link.account))
        if outcome == "failed_then_late" and not books.dialect.late_authorization:
            return "again"
        offered = [known.id for known in methods_of(link)]
        method = fields.get("method", "")
        method = method if method in offered else "card" if "card" in offered else offered[0]
        try:
            payment = lifecycle.try_to_pay(books, link, Try(outcome, method, amount_minor))
        except Refusal:
            return _why_not(link, [payment.state for payment in books.payments_of_link(link)])
        return outcome if outcome in ("late", "failed_then_late") else _CAME_TO.get(payment.state, "pending")

    def _next(self, tx: Tx, link: Link, outcome: str) -> str | None:
        if outcome == "again":
            return None
        books = self._bank.books(tx, account(tx, link.account))
        onward = None
        if outcome in ("paid", "pending", "left"):
            onward = books.dialect.return_url(books, books.get(Link, link.id), outcome)
        if outcome == "left":
            return onward
        return onward or books.dialect.page_path(link)  # the page says how things stand

    def _after(self, acted: Acted) -> Response:
        """A redirect after every change, so that a reload changes nothing again."""
        if acted.location is None:
            return message_page(acted.outcome)
        return RedirectResponse(acted.location, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _link_of(tx: Tx, name: str) -> Link | None:
    """The link that the last part of a page's path names: its page's own name, or its id where it has none."""
    return tx.one(Link, "WHERE page = ? OR (page IS NULL AND id = ?)", name, name)


def _why_not(link: Link, states: list[str]) -> str:
    """Why nothing can be done on a page any more."""
    if "captured" in states or "authorized" in states:
        return "already_paid"
    if "pending" in states:
        return "in_flight"
    return "not_completed" if link.state == "complete" else "expired"


def _refuse(name: str, more: dict[str, Any]) -> Response:
    status = {"rate_limited": 429, "unauthorized": 401}[name]
    return Response("The sandbox was asked to refuse this.", status, media_type="text/plain")


async def _form(request: Request) -> dict[str, str] | Response:
    """The posted fields, or a refusal: too large, not a form, or something that looks like a card number."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return message_page("not_a_form")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_LIMIT_BYTES:
            return message_page("too_large")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        return message_page("not_a_form")
    if any(CARD_LIKE.search(text) for pair in pairs for text in pair):
        return message_page("card_number")
    return dict(pairs)
