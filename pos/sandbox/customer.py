"""A customer in a script: opens a pay page over HTTP, finds its token, presses one of its buttons.

Knows the page only, as a browser does; used by `pos sandbox pay`, the story and the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html.parser import HTMLParser

import httpx

from pos.domain.errors import BadInput, Unreachable

TIMEOUT_S = 30.0
DEFAULT_SANDBOX = "http://127.0.0.1:8420"
UPI = "upi://pay?"
UPI_APP = "/upi?"
ACTIONS = {
    "paid": "pay",
    "declined": "decline",
    "pending": "later",
    "pending_fails": "later_fails",
    "late": "late",
    "failed_then_late": "fails_late",
    "leave": "leave",
}
OUTCOMES = tuple(ACTIONS)
OUTCOME_HEADER = "Sandbox-Outcome"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. `outcome`: paid, declined, pending, late, failed_then_late, left, or why nothing could be done:
    already_paid, in_flight, expired, not_completed, unknown, again. `location`: where the browser would go next."""

    link: str
    outcome: str
    location: str | None

    @property
    def done(self) -> bool:
        """The customer could do what was meant to be done."""
        return self.outcome in ("paid", "declined", "pending", "late", "failed_then_late", "left")


class _Page(HTMLParser):
    """The token of the form, the methods to choose from, or the state of a page without a form."""

    def __init__(self) -> None:
        super().__init__()
        self.token = ""
        self.state = ""
        self.methods: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "input" and values.get("name") == "token":
            self.token = values.get("value", "")
        if tag == "input" and values.get("name") == "method":
            self.methods.append(values.get("value", ""))
        if tag == "main":
            self.state = values.get("data-state", "")


def pay(
    link: str,
    outcome: str = "paid",
    *,
    method: str | None = None,
    client: httpx.Client | None = None,
    sandbox: str = DEFAULT_SANDBOX,
) -> Result:
    """Open `link` and act on it once. The text of a UPI QR code (`upi://pay?...`) is taken to the UPI app of `sandbox`.

    Raises:
        BadInput: an unknown outcome or method, or the link is no pay page of a sandbox.
        Unreachable: nobody answered.
    """
    if outcome not in ACTIONS:
        raise BadInput(f"There is no outcome {outcome!r}.", f"Known: {', '.join(OUTCOMES)}.")
    address = sandbox.rstrip("/") + UPI_APP + link.removeprefix(UPI) if link.startswith(UPI) else link
    if not address.startswith(("http://", "https://")):
        raise BadInput(f"{link!r} is not a link.", "Give the whole address or text that the QR code carries.")
    if client is not None:
        return replace(_pay(client, address, outcome, method), link=link)
    with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as own:
        return replace(_pay(own, address, outcome, method), link=link)


def _pay(client: httpx.Client, link: str, outcome: str, method: str | None) -> Result:
    try:
        address, page = _opened(client, link)
        if page.state:
            return Result(link, page.state, None)
        if method is not None and method not in page.methods:
            raise BadInput(f"The page offers no {method!r}.", f"It offers {', '.join(page.methods)}.")
        chosen = method or (page.methods[0] if page.methods else "")
        fields = {"token": page.token, "action": ACTIONS[outcome], "method": chosen}
        answer = client.post(address, data=fields, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        server, upi, _ = link.partition(UPI_APP)  # a UPI text does not say where its bank is: the server was guessed
        hint = "Is the sandbox there? Give its address with --sandbox." if upi else "Is the sandbox running?"
        raise Unreachable(f"Nobody answered at {server}.", f"{hint} ({type(error).__name__})") from None
    return Result(link, answer.headers.get(OUTCOME_HEADER, "unknown"), answer.headers.get("location"))


def _opened(client: httpx.Client, link: str) -> tuple[str, _Page]:
    """The page and its own address; a relay's short link, or a UPI app, may have led to it."""
    answer = client.get(link, follow_redirects=True)
    page = _Page()
    page.feed(answer.text)
    if not page.token and not page.state:
        raise BadInput(f"{link} is not a pay page of the sandbox.", f"It answered {answer.status_code}.")
    return str(answer.url), page
