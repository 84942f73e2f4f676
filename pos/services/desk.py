"""The gateways at hand: who we are there, whether they answer, and how far their clock is from ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pos.domain.errors import NotFound, OutcomeUnknown, Refused
from pos.domain.ports import Asked, Capabilities, Gateway, NoAnswer, NotSent, Outcome, PreparedCall
from pos.domain.store_port import Account, Tx
from pos.services.context import Context

ASK_TIMEOUT_S = 10.0
SLOW_AFTER_FAILURES = 1
DOWN_AFTER_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A gateway as the settings describe it. `connect(account)` opens it; `key_print` is a digest of its key."""

    name: str
    title: str
    mode: str
    key_print: str
    capabilities: Capabilities
    connect: Callable[[str], Gateway]


@dataclass(slots=True)
class Health:
    """How a gateway answered lately; milliseconds since 1970 UTC."""

    answered_at_ms: int | None = None
    failures: int = 0
    skew_ms: int = 0
    unauthorized: bool = False

    @property
    def word(self) -> str:
        if self.unauthorized or self.failures >= DOWN_AFTER_FAILURES:
            return "down"
        return "slow" if self.failures >= SLOW_AFTER_FAILURES else "ok"


class Desk:
    """Opens gateways when they are first needed and remembers which account answered."""

    def __init__(self, context: Context, enrolled: Mapping[str, Enrolled]) -> None:
        self._context = context
        self.enrolled = dict(enrolled)
        self._open: dict[str, Gateway] = {}
        self.health: dict[str, Health] = {name: Health() for name in enrolled}

    def names(self) -> list[str]:
        return list(self.enrolled)

    def title(self, name: str) -> str:
        return self.enrolled[name].title if name in self.enrolled else name

    def at_hand(self, name: str) -> Gateway | None:
        """The gateway, if it was opened before."""
        return self._open.get(name)

    async def get(self, name: str) -> Gateway:
        """The gateway with its account known; asks it who we are the first time a key is used.

        Raises:
            NotFound: not in the settings.
            Refused: the key is not accepted.
            NotSent, OutcomeUnknown: it cannot be reached, or does not say.
        """
        if name in self._open:
            return self._open[name]
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
        gateway = entry.connect("")
        try:
            asked = await self.ask(gateway, gateway.adapter.whoami())
        finally:
            await gateway.close()
        reading = asked.reading
        if reading.outcome is Outcome.UNAUTHORIZED:
            raise Refused(f"{entry.title} does not accept the key.", "Set it again with `pos secrets set`.")
        if reading.outcome is not Outcome.OK:
            raise OutcomeUnknown(f"{entry.title} did not say which account this is.", "Try again in a moment.")
        if reading.mode is not None and reading.mode != entry.mode:
            raise Refused(f"The key of {entry.title} is for {reading.mode} mode.", f"The settings say {entry.mode}.")
        account = Account(entry.name, reading.account, entry.mode, reading.account_name, entry.key_print)
        now = self._context.now_ms()

        def keep(tx: Tx) -> None:
            tx.shop.put_account(account)
            body = {"account": account.account, "mode": account.mode, "name": account.name}
            tx.journal.append(now, "", "gateway.enrolled", account.gateway, body)

        await self._context.store.write(keep)
        return account

    async def ask(self, gateway: Gateway, call: PreparedCall, *, timeout_s: float = ASK_TIMEOUT_S) -> Asked:
        """Ask once, and note how the gateway does.

        Raises:
            NotSent, NoAnswer: as the gateway's connection says.
        """
        health = self.health.setdefault(gateway.adapter.name, Health())
        try:
            asked = await gateway.ask(call, timeout_s=timeout_s)
        except (NotSent, NoAnswer):
            health.failures += 1
            raise
        health.failures = health.failures + 1 if asked.reading.outcome is Outcome.UNKNOWN else 0
        health.unauthorized = asked.reading.outcome is Outcome.UNAUTHORIZED
        health.answered_at_ms = self._context.now_ms()
        if asked.gateway_now_ms is not None:
            health.skew_ms = asked.gateway_now_ms - health.answered_at_ms
        return asked

    async def close(self) -> None:
        for gateway in self._open.values():
            await gateway.close()
        self._open.clear()
