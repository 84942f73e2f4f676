"""What the services need from the world: gateways, clock, ids, secrets, sound, printer. Protocols only.

A gateway is split in two: an `Adapter` is pure (`prepare -> bytes`, `read -> facts and bindings`); a `Gateway` is an
adapter with a connection, whose `ask` sends one prepared call and reads the answer. The store's port is in
`pos.domain.store_port`. What travels between them, here and in `pos.domain.facts`, are named tuples: a frozen dataclass
takes a millisecond to make, and the import of an adapter is measured (`bench link`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from pos.domain.errors import OutcomeUnknown, Unreachable
from pos.domain.facts import Fact, Mode

DAY_S = 86_400


class NotSent(Unreachable):
    """Provably never left: refused connection, no DNS, TLS failure. Another gateway may be tried at once."""


class NoAnswer(OutcomeUnknown):
    """Sent, or perhaps sent, and no answer came that can be read. Neither success nor failure."""


class Operation(StrEnum):
    CREATE = "create"
    FIND = "find"
    FETCH = "fetch"
    FETCH_PAYMENT = "fetch_payment"
    FETCH_REFUND = "fetch_refund"
    CLOSE = "close"
    CAPTURE = "capture"
    REFUND = "refund"
    REPORT = "report"
    WHOAMI = "whoami"


class Part(StrEnum):
    """Parts of a gateway's report, read one after the other."""

    PAYMENTS = "payments"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    PAYOUTS = "payouts"


class Outcome(StrEnum):
    """How an answer is to be taken. Everything that is not understood is UNKNOWN, never a failure.

    OK: done. REFUSED: a definite no (4xx) that changed nothing. GONE: the object is past this (a close of a link that
    is already paid or expired: fetch it). NOT_FOUND. BUSY: 429 or a conflict in progress; ask again after
    `retry_after_s`. UNAUTHORIZED: the key is not accepted. UNKNOWN: 5xx, HTML, truncated, unlisted words.
    KEY_REUSED: the same key came with other parameters: an integrity alarm.
    """

    OK = "ok"
    REFUSED = "refused"
    GONE = "gone"
    NOT_FOUND = "not_found"
    BUSY = "busy"
    UNAUTHORIZED = "unauthorized"
    KEY_REUSED = "key_reused"
    UNKNOWN = "unknown"


class PreparedCall(NamedTuple):
    """One request, byte for byte, without credentials: kept in the outbox and sent again unchanged.

    `path` includes the query string; `key` is the idempotency key (also in `headers` where the gateway wants it).
    """

    gateway: str
    operation: Operation
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    key: str = ""


class Answer(NamedTuple):
    """What came back: status, headers with lower-case names, raw body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


class LinkInfo(NamedTuple):
    """A gateway's link as it is now. `state`: open, closed (paid or complete), expired, unknown.

    `url` is what the QR code carries: the hosted page, or a `upi://pay?...` text. `amount_minor` and `currency` where
    the gateway names them; what was made for another amount is never shown.

    `complete_look`: the payments listed with it were read at the same moment or later than its state, and all of them.
    `collect`: what kind it is, as `LinkRequest.collect`: only a UPI code may carry a UPI text.
    """

    id: str
    state: str
    url: str = ""
    reference: str = ""
    expires_at_ms: int | None = None
    complete_look: bool = False
    amount_minor: int | None = None
    currency: str = ""
    collect: str = "link"


class Reading(NamedTuple):
    """An answer in our words. `next` is the following page of a report or list, None at the end.

    `refund_id`: the gateway's id of the refund a refund call made. `account`/`mode`: answers to WHOAMI, and mode
    wherever the object names it. `message` is the gateway's own sentence, for the call log and for managers.
    `row_ids`: the ids of a report's rows as they came; what an adapter asks for twice on purpose, so that nothing is
    missed where pages move, is left out.
    `lacks`: ways to collect (`LinkRequest.collect`) that an answer to WHOAMI says this account does not have.
    `odd`: rows of a report that were not understood, each by its id and why. The others count; the run is not whole.
    `given_back_minor`: of a payment that was fetched by itself, what it says has gone back of it in all. Refunds that
    are listed with it and make up less are not all of them, and nothing is concluded from one that is missing.
    """

    outcome: Outcome
    facts: tuple[Fact, ...] = ()
    links: tuple[LinkInfo, ...] = ()
    rows: int = 0
    next: PreparedCall | None = None
    refund_id: str = ""
    account: str = ""
    account_name: str = ""
    mode: Mode | None = None
    message: str = ""
    retry_after_s: float | None = None
    lacks: tuple[str, ...] = ()
    row_ids: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    given_back_minor: int | None = None


class Asked(NamedTuple):
    """A reading with where it came from: digest of the raw bytes and the gateway's clock (its `Date` header)."""

    reading: Reading
    raw_sha256: str
    gateway_now_ms: int | None
    status: int


class LinkRequest(NamedTuple):
    """Everything a link needs; made by `services.issue` from the order on record, by nobody else.

    `collect`: `link` for the gateway's hosted page, `upi` for a single-use UPI QR code, where the gateway has it.
    """

    key: str
    reference: str
    amount_minor: int
    currency: str
    description: str
    shop: str
    till: str
    return_url: str
    expires_at_ms: int | None = None
    collect: str = "link"


class RefundRequest(NamedTuple):
    """`refund_id` is our row's id, sent as metadata; `reference` the attempt's, so that the report can tell."""

    key: str
    refund_id: str
    payment: str
    amount_minor: int
    currency: str
    reference: str = ""


class Capabilities(NamedTuple):
    """What a gateway can do, used by the services and shown to the manager. Seconds unless named otherwise."""

    title: str
    key_life_s: int
    """How long a create call's idempotency key is remembered; 0: there is none, and a link whose answer was lost is
    looked for by our reference before anything is sent again."""
    can_close: bool
    single_use: bool
    expiry_min_s: int | None
    expiry_max_s: int | None
    find_by_reference: str
    """`search`: exact look-up; `list`: by walking a window of the list; `none`."""
    report_lag_s: int
    paging: str
    """`cursor` or `skip`."""
    refund_key: bool
    """Whether a refund call carries a key that makes it safe to repeat for `key_life_s`; past that, and where
    `key_life_s` is 0, what was given back is looked at before it is repeated."""
    signed_webhooks: bool
    hosts: tuple[str, ...]
    """API hosts of the real service; live keys go nowhere else."""
    page_hosts: tuple[str, ...]
    """Hosts of its hosted pages; a link elsewhere is not shown (test mode: the configured `api_base`'s host too)."""
    parts: tuple[Part, ...] = (Part.PAYMENTS, Part.REFUNDS)
    secrets: tuple[str, ...] = ("secret_key",)
    """Names of what logs in, below `gateways.<name>.`; the last is the one that must never be seen again."""
    minimum_minor: Mapping[str, int] = MappingProxyType({})
    link_title: str = "link"
    """What a link is called there, for people: `Checkout Session`."""
    collects: tuple[str, ...] = ("link",)
    """Values of `LinkRequest.collect` it knows; the first is the usual one."""
    timed_webhooks: bool = False
    """Whether the signature covers a time, so that an old message cannot be played again."""
    report_names_reference: bool = True
    """Whether a payment in the report leads to our reference; else the till asks for what it does not know yet."""
    names_shop: bool = False
    """Whether a payment that is asked for by itself names the shop and till whose link it was paid through."""
    names_account: bool = True
    """Whether WHOAMI says which account this is; else the adapter's `account_of` names it from the credentials."""
    part_refunds: bool = True


class Adapter(Protocol):
    """Pure: builds requests, reads answers. No I/O, no clock. Third parties implement this."""

    @property
    def name(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def capabilities(self) -> Capabilities: ...

    def with_account(self, account: str) -> Adapter: ...
    def whoami(self) -> PreparedCall: ...
    def create(self, request: LinkRequest) -> PreparedCall: ...
    def find(self, reference: str, since_ms: int, until_ms: int) -> PreparedCall: ...
    def fetch(self, link_id: str) -> PreparedCall: ...
    def fetch_payment(self, payment_id: str) -> PreparedCall: ...
    def fetch_refund(self, refund_id: str) -> PreparedCall: ...
    def close(self, link_id: str) -> PreparedCall: ...
    def capture(self, payment_id: str, amount_minor: int, currency: str, key: str) -> PreparedCall: ...
    def refund(self, request: RefundRequest) -> PreparedCall: ...
    def report(self, part: Part, from_ms: int, to_ms: int) -> PreparedCall: ...
    def read(self, call: PreparedCall, answer: Answer) -> Reading: ...


class Gateway(Protocol):
    """An adapter with a connection."""

    @property
    def adapter(self) -> Adapter: ...

    def page_allowed(self, url: str, collect: str = "link") -> bool:
        """Whether a link's address may be shown: https, on the adapter's hosts (test mode: the configured host too).

        Of a UPI code (`collect`) only a UPI text: that text says itself whom it pays and how much.
        """
        ...

    async def ask(self, call: PreparedCall, *, timeout_s: float) -> Asked:
        """Send once and read.

        Raises:
            NotSent: provably never sent.
            NoAnswer: no readable answer within the time.
        """
        ...

    async def close(self) -> None: ...


class ShortLinks(Protocol):
    """The relay's short pay links, for addresses that would make a code too dense."""

    async def shop_id(self) -> str:
        """Our shop's id at the relay, "" when it does not answer soon."""
        ...

    async def take(self, token: str, body: dict[str, str]) -> str:
        """The short address once the relay has stored it, "" when it has not within `SHORT_LINK_S`."""
        ...


class Clock(Protocol):
    def now_ms(self) -> int:
        """Wall clock, milliseconds since 1970 UTC."""
        ...

    def monotonic_s(self) -> float: ...


class Ids(Protocol):
    def uuid7(self) -> str: ...

    def token(self) -> str:
        """128 random bits, URL-safe."""
        ...


class SecretStore(Protocol):
    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...
    def remove(self, name: str) -> None: ...
    def names(self) -> list[str]: ...


class Sound(Protocol):
    """A short sound for a person who looks elsewhere. Silence is no error."""

    def play(self, name: str) -> None: ...


class Printer(Protocol):
    """Prints plain text slips; raises `Unreachable` when nothing stands there."""

    def print_slip(self, title: str, lines: list[str]) -> None: ...


class Documents(Protocol):
    """Writes a page as PDF."""

    def write_pdf(self, path: str, title: str, html: str) -> None: ...
