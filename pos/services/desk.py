"""The gateways at hand: who we are there, whether they answer, and how far their clock is from ours."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from pos.domain.errors import NotFound, OutcomeUnknown, PosError, Refused
from pos.domain.ports import Asked, Capabilities, Gateway, NoAnswer, NotSent, Outcome, PreparedCall, Reading
from pos.domain.rows import Account
from pos.domain.store_port import Tx
from pos.services.bookmode import take_mode
from pos.services.context import Context

ASK_TIMEOUT_S = 10.0
SLOW_AFTER_FAILURES = 1
DOWN_AFTER_FAILURES = 3
ANSWERS_KEPT = 500
"""Answer times of a gateway that are kept in memory for the median."""
CLOCK_JUMP_MS = 60_000
"""A clock that has moved by this much more or less than the time that passed has been set, or the machine slept."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A gateway as the settings describe it. `connect(account)` opens it; `key_print` is a digest of its keys.

    `own_account` names the account where the gateway itself does not (`Capabilities.names_account`); `return_url` is
    where customers come back to without a relay; `qr` what the code carries: auto, gateway, relay, upi; `address` the
    server that is asked.
    """

    name: str
    title: str
    mode: str
    key_print: str
    capabilities: Capabilities
    connect: Callable[[str], Gateway]
    own_account: str = ""
    return_url: str = ""
    qr: str = "auto"
    address: str = ""
    locked: bool = False
    """Whether its keys lie in what is not open now."""

    @property
    def collect(self) -> str:
        return "upi" if self.qr == "upi" else "link"


@dataclass(frozen=True, slots=True)
class Unloaded:
    """A gateway of the settings that cannot be used: its package is not there, or does not load.

    It takes no payments, and whoever asks for it is told `problem`; everything else goes on as without it.
    """

    name: str
    mode: str
    problem: PosError


@dataclass(slots=True)
class Health:
    """How a gateway answered lately; milliseconds since 1970 UTC."""

    answered_at_ms: int | None = None
    failures: int = 0
    skew_ms: int = 0
    skew_from_s: float = 0.0
    """The machine's monotonic clock when the skew was measured."""
    unauthorized: bool = False
    asked: int = 0
    timed_out: int = 0
    """Questions without an answer, whether or not they left."""
    took_ms: deque[int] = field(default_factory=lambda: deque(maxlen=ANSWERS_KEPT))

    def skew_now_ms(self, now_ms: int, monotonic_s: float) -> int | None:
        """How far the gateway's clock is ahead of ours; None before the first answer, or when ours was set since."""
        if self.answered_at_ms is None:
            return None
        passed_ms = (monotonic_s - self.skew_from_s) * 1000
        return self.skew_ms if abs(now_ms - self.answered_at_ms - passed_ms) < CLOCK_JUMP_MS else None

    @property
    def median_ms(self) -> int | None:
        """Of the answers that came lately; None before the first."""
        return round(median(self.took_ms)) if self.took_ms else None

    @property
    def word(self) -> str:
        if self.unauthorized or self.failures >= DOWN_AFTER_FAILURES:
            return "down"
        return "slow" if self.failures >= SLOW_AFTER_FAILURES else "ok"


class Desk:
    """Opens gateways when they are first needed and remembers which account answered."""

    def __init__(self, context: Context, found: Mapping[str, Enrolled | Unloaded]) -> None:
        self._context = context
        self.enrolled: dict[str, Enrolled] = {}
        self.unloaded: dict[str, Unloaded] = {}
        self._open: dict[str, Gateway] = {}
        self._retired: list[Gateway] = []
        self.health: dict[str, Health] = {}
        self.enrol(list(found.values()))

    def names(self) -> list[str]:
        return list(self.enrolled)

    def title(self, name: str) -> str:
        return self.enrolled[name].title if name in self.enrolled else name

    def check_loaded(self, name: str) -> None:
        """Raises:
        Broken: it stands in the settings, and its package does not load.
        """
        if name in self.unloaded:
            raise self.unloaded[name].problem

    def at_hand(self, name: str) -> Gateway | None:
        """The gateway, if it was opened before."""
        return self._open.get(name)

    def reaches(self, tx: Tx, gateway: str, account: str) -> bool:
        """Whether this account can be asked: its gateway is set up, with a key that is not known to be another's.

        One whose package does not load counts as set up: its money waits for the package, and is not given out in cash.
        """
        if gateway in self.unloaded:
            return True
        entry, known = self.enrolled.get(gateway), tx.shop.account(gateway)
        if entry is None or known is None:
            return entry is not None
        return known.account == account or (known.key_print, known.mode) != (entry.key_print, entry.mode)

    async def get(self, name: str) -> Gateway:
        """The gateway with its account known; asks it who we are the first time a key is used.

        Raises:
            NotFound: not in the settings.
            Broken: its package does not load.
            Refused: the key is not accepted.
            NotSent, OutcomeUnknown: it cannot be reached, or does not say.
        """
        if name in self._open:
            return self._open[name]
        self.check_loaded(name)
        if name not in self.enrolled:
            raise NotFound(
                f"There is no gateway {name!r} here.", f"Choose one of: {', '.join(self.names()) or 'none'}."
            )
        entry = self.enrolled[name]
        known = await self._context.store.read(lambda tx: tx.shop.account(name))
        if known is None or known.key_print != entry.key_print or known.mode != entry.mode:
            known = await self._introduce(entry)
        return self._open.setdefault(name, entry.connect(known.account))

    async def _introduce(self, entry: Enrolled) -> Account:
        account = await self.meet(entry, self._health_of(entry.name))
        await self._context.store.write(lambda tx: self.keep(tx, account))
        return account

    async def meet(self, entry: Enrolled, health: Health | None = None) -> Account:
        """Ask a gateway who we are with these keys; nothing is kept.

        Without `health` this is a trial: keys that are not accepted say nothing of the gateway that is in use.

        Raises:
            BadInput: a key is missing, or must not be sent to this address.
            Refused: the key is not accepted, or is one of the other mode.
            NotSent, OutcomeUnknown: it cannot be reached, or does not say.
        """
        gateway = entry.connect("")
        try:
            health = health or Health()
            reading = (await self.ask(gateway, gateway.adapter.whoami(), health=health)).reading
            check_introduction(entry, reading)
            named = reading.account or await self._by_witness(entry, gateway, health)
            if not named:
                raise OutcomeUnknown(f"{entry.title} did not say which account this is.", "Try again in a moment.")
        finally:
            await gateway.close()
        return Account(entry.name, named, entry.mode, reading.account_name, entry.key_print)

    def keep(self, tx: Tx, account: Account) -> None:
        """Write down who answered; from then on these are books of that mode.

        Raises:
            BadInput: the books are of the other mode.
        """
        take_mode(tx, account.mode, tuple(self.enrolled))
        tx.shop.put_account(account)
        body = {"account": account.account, "mode": account.mode, "name": account.name}
        tx.journal.append(self._context.now_ms(), "", "gateway.enrolled", account.gateway, body)

    def enrol(self, entries: Sequence[Enrolled | Unloaded]) -> None:
        """These gateways from now on, in this order. One whose keys or address changed is opened anew.

        A connection that is no longer used is closed with the desk: a call may be on its way over it.
        """
        self.unloaded = {entry.name: entry for entry in entries if isinstance(entry, Unloaded)}
        before, self.enrolled = self.enrolled, {e.name: e for e in entries if isinstance(e, Enrolled)}
        for name, old in before.items():
            new = self.enrolled.get(name)
            if new is None or (new.key_print, new.mode) != (old.key_print, old.mode):
                if name in self._open:
                    self._retired.append(self._open.pop(name))
                self.health[name] = Health()
        for name in self.enrolled:
            self.health.setdefault(name, Health())

    async def _by_witness(self, entry: Enrolled, gateway: Gateway, health: Health) -> str:
        """Which account this is where the gateway has no call that says so.

        A new key of an account we know can see the last link that was made there; a key of another account cannot.
        Without this a replaced key would look like another account, and every payment of the old one like an intruder.
        Every account of ours is asked about, since a wrong key may have been used in between.

        Raises:
            OutcomeUnknown: the gateway does not say.
        """
        links = await self._context.store.read(lambda tx: tx.attempts.newest_links(entry.name, entry.mode))
        for account, link in links:
            outcome = (await self.ask(gateway, gateway.adapter.fetch(link), health=health)).reading.outcome
            if outcome is Outcome.OK:
                return account
            if outcome is not Outcome.NOT_FOUND:
                raise OutcomeUnknown(f"{entry.title} did not say which account this is.", "Try again in a moment.")
        return entry.own_account

    def _health_of(self, name: str) -> Health:
        return self.health.setdefault(name, Health())

    async def ask(
        self, gateway: Gateway, call: PreparedCall, *, timeout_s: float = ASK_TIMEOUT_S, health: Health | None = None
    ) -> Asked:
        """Ask once, and note how the gateway does: in its own `health`, or in the one that is given.

        Raises:
            NotSent, NoAnswer: as the gateway's connection says.
        """
        health = health or self._health_of(gateway.adapter.name)
        started_s = self._context.clock.monotonic_s()
        health.asked += 1
        try:
            asked = await gateway.ask(call, timeout_s=timeout_s)
        except (NotSent, NoAnswer):
            health.failures += 1
            health.timed_out += 1
            raise
        health.took_ms.append(round((self._context.clock.monotonic_s() - started_s) * 1000))
        health.failures = health.failures + 1 if asked.reading.outcome is Outcome.UNKNOWN else 0
        health.unauthorized = asked.reading.outcome is Outcome.UNAUTHORIZED
        health.answered_at_ms = self._context.now_ms()
        if asked.gateway_now_ms is not None:
            health.skew_ms = asked.gateway_now_ms - health.answered_at_ms
            health.skew_from_s = self._context.clock.monotonic_s()
        return asked

    async def close(self) -> None:
        for gateway in (*self._open.values(), *self._retired):
            await gateway.close()
        self._open.clear()
        self._retired.clear()


def check_introduction(entry: Enrolled, reading: Reading) -> None:
    """Raises:
    Refused: the key is not accepted, or is one of the other mode.
    OutcomeUnknown: the gateway does not say.
    """
    if reading.outcome is Outcome.UNAUTHORIZED:
        raise Refused(f"{entry.title} does not accept the key.", "Copy it again from the gateway's own pages.")
    if reading.outcome is not Outcome.OK:
        raise OutcomeUnknown(f"{entry.title} did not say which account this is.", "Try again in a moment.")
    if reading.mode is not None and reading.mode != entry.mode:
        raise Refused(f"The key of {entry.title} is for {reading.mode} mode.", f"The settings say {entry.mode}.")
