"""Testing a connection: five things that were really looked at, each with what was measured. Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

from pos.domain.errors import NotFound, OutcomeUnknown, PosError
from pos.domain.ports import Asked, NoAnswer, NotSent
from pos.domain.rows import Account
from pos.domain.store_port import Tx
from pos.services.context import Context
from pos.services.desk import Desk, Enrolled, check_introduction
from pos.services.queries import RelayHealth
from pos.services.setup_views import Check, Tested
from pos.words.formats import Formats
from pos.words.gateways import Able, Connection

CLOCK_LIMIT_MS = 120_000
"""Two minutes: what `pos doctor` calls bad."""
HOURS_AFTER_MIN = 120


@dataclass(frozen=True, slots=True)
class Heard:
    """What the gateway said, how long that took with a connection of its own, and who we were before."""

    took_ms: int
    asked: Asked | None
    problem: PosError | None
    before: Account | None
    webhook_ms: int | None


class GateCheck:
    def __init__(self, context: Context, desk: Desk, relay: RelayHealth, formats: Formats) -> None:
        self._context = context
        self._desk = desk
        self._relay = relay
        self._formats = formats

    async def test(self, name: str) -> Tested:
        """Ask over a new connection, so that address and certificate are really tried.

        Raises:
            NotFound: not enrolled: not in the settings, or switched off.
        """
        entry = self._desk.enrolled.get(name)
        if entry is None:
            raise NotFound(f"{name!r} takes no payments here.", "Add its keys, or switch it on.")
        heard = await self._hear(entry)
        checks = (
            _address(entry, heard),
            _keys(entry, heard),
            self._account(entry, heard),
            _clocks(heard, self._context.now_ms(), self._formats),
            self._webhook(heard),
        )
        return Tested(name, self._context.now_ms(), checks)

    async def _hear(self, entry: Enrolled) -> Heard:
        def read(tx: Tx) -> tuple[Account | None, int | None]:
            return tx.shop.account(entry.name), tx.facts.last_webhook_ms(entry.name)

        before, webhook = await self._context.store.read(read)
        started_s, asked, problem = self._context.clock.monotonic_s(), None, None
        try:
            gateway = entry.connect("")
            try:
                asked = await self._desk.ask(gateway, gateway.adapter.whoami())
            finally:
                await gateway.close()
        except PosError as error:
            problem = error
        took = round((self._context.clock.monotonic_s() - started_s) * 1000)
        return Heard(took, asked, problem, before, webhook)

    def _account(self, entry: Enrolled, heard: Heard) -> Check:
        if heard.asked is None or _refusal(entry, heard.asked) is not None:
            return Check("account", "none", Connection.WHICH_ACCOUNT, Connection.NOT_LOOKED_AT)
        before = heard.before if heard.before is not None and heard.before.mode == entry.mode else None
        named = heard.asked.reading.account or (before.account if before else entry.own_account)
        currency = self._context.shop.currency
        if before is not None and named != before.account:
            return Check("account", "bad", Connection.OTHER_ACCOUNT, named, f"{before.account} -> {named}")
        return Check("account", "ok", Connection.RIGHT_ACCOUNT.format(account=named), currency)

    def _webhook(self, heard: Heard) -> Check:
        shop, now = self._context.shop, self._context.now_ms()
        if not shop.relay_url:
            return Check("webhook", "none", Connection.NO_RELAY)
        if self._relay.word(True, now) != "ok":
            return Check("webhook", "bad", Connection.RELAY_DOWN, hint=shop.relay_url)
        if heard.webhook_ms is None:
            return Check("webhook", "none", Connection.NO_WEBHOOK)
        return Check("webhook", "ok", Connection.WEBHOOK, _ago(now - heard.webhook_ms))


def _address(entry: Enrolled, heard: Heard) -> Check:
    here = entry.address.startswith("http://")
    title = Connection.ADDRESS_HERE if here else Connection.ADDRESS
    if isinstance(heard.problem, NotSent | NoAnswer):
        return Check("address", "bad", title, hint=str(heard.problem))
    if heard.problem is not None:  # nothing was sent: a key is missing, or must not go there
        return Check("address", "none", title, Connection.NOT_LOOKED_AT)
    return Check("address", "ok", title, Connection.MS.format(n=heard.took_ms))


def _keys(entry: Enrolled, heard: Heard) -> Check:
    if isinstance(heard.problem, NotSent | NoAnswer):
        return Check("keys", "none", Connection.KEYS, Connection.NOT_LOOKED_AT)
    problem = heard.problem or (_refusal(entry, heard.asked) if heard.asked else None)
    if problem is not None:
        if isinstance(problem, OutcomeUnknown):
            return Check("keys", "none", Connection.KEYS, hint=str(problem))
        title = Connection.KEYS_NOT_SENT if heard.problem else Connection.KEYS_REFUSED
        return Check("keys", "bad", title, hint=str(problem))
    return Check("keys", "ok", Connection.KEYS_LIVE if entry.mode == "live" else Connection.KEYS_TEST)


def _refusal(entry: Enrolled, asked: Asked) -> PosError | None:
    try:
        check_introduction(entry, asked.reading)
    except PosError as error:
        return error
    return None


def _clocks(heard: Heard, now_ms: int, formats: Formats) -> Check:
    if heard.asked is None:
        return Check("clock", "none", Connection.CLOCKS, Connection.NOT_LOOKED_AT)
    if heard.asked.gateway_now_ms is None:
        return Check("clock", "none", Connection.CLOCKS_UNKNOWN)
    apart = abs(heard.asked.gateway_now_ms - now_ms)
    state = "ok" if apart < CLOCK_LIMIT_MS else "bad"
    title = Connection.CLOCKS if state == "ok" else Connection.CLOCKS_APART
    return Check("clock", state, title, Connection.SECONDS.format(n=formats.quantity(round(apart, -2))))


def _ago(ms: int) -> str:
    minutes = max(0, ms) // 60_000
    if minutes < 1:
        return Connection.AGO.format(time=Connection.SECONDS.format(n=max(0, ms) // 1000))
    hours = minutes // 60
    return Connection.AGO.format(time=Able.MINUTES(minutes) if minutes < HOURS_AFTER_MIN else Able.HOURS(hours))
