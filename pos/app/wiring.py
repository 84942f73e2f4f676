"""All construction in one readable place, top to bottom. Qt-free."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pos.app.clock import SystemClock, SystemIds
from pos.app.config import GatewaySettings, Settings, load
from pos.app.secrets import open_secrets
from pos.domain.errors import BadInput, NotFound, PosError
from pos.domain.facts import Mode
from pos.domain.ports import Adapter, Clock, Gateway, Ids, SecretStore
from pos.domain.store_port import Person, Tx
from pos.gateways import registry
from pos.gateways.base import NamesAccount
from pos.gateways.http import HttpGateway
from pos.services.books import Books
from pos.services.bus import Bus
from pos.services.captures import Captures
from pos.services.cash import Cash
from pos.services.catalogue import Catalogue
from pos.services.checkout import Checkout
from pos.services.context import Context, ShopSettings
from pos.services.dayend import DayEnd
from pos.services.desk import Desk, Enrolled
from pos.services.hints import Hints
from pos.services.issue import Issuer
from pos.services.looks import Looks
from pos.services.people import People, seed
from pos.services.queries import Queries, RelayHealth
from pos.services.reconcile import Reconcile
from pos.services.refunds import Refunds
from pos.services.selling import Selling
from pos.services.settle import Settle
from pos.store.engine import Database, make_engine, sqlite_url
from pos.store.upgrade import upgrade
from pos.sync.follower import Follower
from pos.sync.listener import Listener
from pos.sync.prober import Prober
from pos.sync.publisher import Publisher
from pos.sync.relay_client import RelayClient, RelayShortLinks
from pos.sync.supervisor import Loop, Supervisor
from pos.sync.sweeper import Sweeper
from pos.sync.watching import Watching
from pos.words import language
from pos.words.formats import Formats

DATABASE = "till.db"
log = logging.getLogger("pos.app")


@dataclass(frozen=True, slots=True)
class Outside:
    """What tests replace: the clock, the ids, the secrets, the connections."""

    clock: Clock = field(default_factory=SystemClock)
    ids: Ids = field(default_factory=SystemIds)
    secrets: SecretStore | None = None


class Till:
    """Everything together; `TillApi` for windows and commands, and the parts that the background work needs."""

    def __init__(self, home: Path, settings: Settings, outside: Outside) -> None:
        self.home = home
        self.settings = settings
        self.secrets = outside.secrets or open_secrets(home)
        self.database = open_database(home, settings)
        shop_id, people = self.database.write_now(_first_start)
        self.shop = shop_settings(settings, shop_id)
        language.use(settings.shop.locale)
        self.formats = Formats(settings.shop.locale, settings.shop.currency, settings.shop.time_zone)
        self.bus = Bus()
        owner = f"{settings.till.id}:{outside.ids.token()}"
        self.context = Context(self.database, outside.clock, outside.ids, self.bus, self.shop, owner)
        self.desk = Desk(self.context, enrolled_gateways(settings, self.secrets))
        self.settle = Settle(self.context)
        self.people = People(people, people[0].name)
        self.captures = Captures(self.context, self.desk, self.settle)
        self.looks = Looks(self.context, self.desk, self.settle, self.captures)
        self.selling = Selling(self.context, self.people)
        self.relay = relay_client(self.shop, self.secrets)
        short = RelayShortLinks(self.relay, self.shop.relay_public_url) if self.relay else None
        issuer = Issuer(self.context, self.desk, self.settle, self.selling, short)
        self.checkout = Checkout(self.context, issuer, self.settle, self.looks, self.selling, self.people)
        self.cash = Cash(self.context, self.settle, self.checkout, self.selling)
        self.refunds = Refunds(self.context, self.desk, self.settle, self.people)
        self.reconcile = Reconcile(self.context, self.desk, self.settle, self.captures)
        self.hints = Hints(self.context, self.desk, self.settle, self.looks, self.captures)
        self.books = Books(self.context)
        self.day = DayEnd(self.context, self.reconcile, self.settle, self.people, self.books, self.desk.names())
        self.relay_health = RelayHealth()
        self.queries = Queries(self.context, self.desk, self.people, self.relay_health, self.formats)
        self.catalogue = Catalogue(self.context)
        self.sync = Watching()

    @property
    def currency(self) -> str:
        return self.shop.currency

    @property
    def locale(self) -> str:
        return self.shop.locale

    @property
    def shop_name(self) -> str:
        return self.shop.name

    @property
    def till(self) -> str:
        return self.shop.till

    @property
    def time_zone(self) -> str:
        return self.shop.time_zone

    @property
    def tax_included(self) -> bool:
        return self.shop.tax_included

    @property
    def test_mode(self) -> bool:
        return self.shop.test_mode

    def gateway(self, wanted: str = "") -> str:
        """The gateway to use: the one named, or the first that is set up.

        Raises:
            NotFound: not in the settings.
            BadInput: none is set up.
        """
        names = self.desk.names()
        if wanted and wanted not in names:
            raise NotFound(f"There is no gateway {wanted!r} here.", f"Choose one of: {', '.join(names) or 'none'}.")
        if names:
            return wanted or names[0]
        raise BadInput("No gateway is set up.", "Add one to settings.toml, for example [gateways.stripe].")

    async def close(self) -> None:
        """Let go of connections and of the database; what was queued is written first."""
        await self.desk.close()
        if self.relay is not None:
            await self.relay.close()
        self.database.close()


def open_till(home: Path, outside: Outside | None = None) -> Till:
    """A till on a home folder.

    Raises:
        BadInput: the settings cannot work.
        Broken: the database is of a newer version, damaged, or cannot be written.
    """
    return Till(home, load(home), outside or Outside())


def open_database(home: Path, settings: Settings) -> Database:
    url = settings.database.url
    if url == "sqlite":
        (home / DATABASE).touch(mode=0o600)  # the books are nobody else's business
    engine = make_engine(sqlite_url(home / DATABASE) if url == "sqlite" else url)
    upgrade(engine)
    return Database(engine, settings.till.id)


def shop_settings(settings: Settings, shop_id: str) -> ShopSettings:
    return ShopSettings(
        shop_id=shop_id,
        name=settings.shop.name,
        currency=settings.shop.currency,
        time_zone=settings.shop.time_zone,
        locale=settings.shop.locale,
        till=settings.till.id,
        day_cut_off=settings.cut_off,
        tax_included=settings.shop.prices_include_tax,
        look_back_hours=settings.sync.look_back_hours,
        sync_every_minutes=settings.sync.every_minutes,
        relay_url=settings.relay.url.rstrip("/"),
        relay_public_url=(settings.relay.public_url or settings.relay.url).rstrip("/"),
        open_pass=settings.people.open_pass,
        test_mode=settings.test_mode,
    )


def _own_page(settings: Settings, gateway: GatewaySettings) -> str:
    """Where customers come back to without a relay: in test mode the test server's own front page."""
    if gateway.mode == "live":
        return settings.relay.public_url or settings.relay.url
    return gateway.api_base + "/" if gateway.api_base else "https://example.com/"


def _first_start(tx: Tx) -> tuple[str, list[Person]]:
    """The shop's own UUID, made once, and its people."""
    shop_id = tx.shop.meta("shop_id")
    if shop_id is None:
        shop_id = str(uuid.uuid4())
        tx.shop.set_meta("shop_id", shop_id)
    return shop_id, seed(tx)


def enrolled_gateways(settings: Settings, secrets: SecretStore) -> dict[str, Enrolled]:
    """Every enabled gateway of the settings, ready to be opened, in the order of their use."""
    ranked = sorted(settings.gateways.items(), key=lambda item: item[1].rank)  # stable: else as they are written
    return {name: enrolled(settings, name, entry, secrets) for name, entry in ranked if entry.enabled}


def enrolled(settings: Settings, name: str, entry: GatewaySettings, secrets: SecretStore) -> Enrolled:
    """One gateway, ready to be opened.

    Raises:
        NotFound, Broken: there is no such gateway, or its package does not load.
        BadInput: it cannot make the codes that are wanted.
    """
    adapter = registry.adapter(name, Mode(entry.mode))
    able = adapter.capabilities
    if entry.qr not in ("auto", "gateway", "relay", *able.collects):
        raise BadInput(f"{able.title} makes no {entry.qr.upper()} codes.", f"Set gateways.{name}.qr to auto.")
    keys, closed = _keys(secrets, name, able.secrets)
    return Enrolled(
        name=name,
        title=able.title,
        mode=entry.mode,
        key_print=hashlib.sha256("|".join([entry.api_base, *keys.values()]).encode()).hexdigest()[:16],
        capabilities=able,
        connect=partial(connect, adapter, entry, keys, closed),
        own_account=adapter.account_of(keys) if isinstance(adapter, NamesAccount) else "",
        return_url=entry.return_url or _own_page(settings, entry),
        qr=entry.qr,
    )


def _keys(secrets: SecretStore, gateway: str, wanted: Sequence[str]) -> tuple[dict[str, str], PosError | None]:
    """A gateway's keys by name, "" where there is none; and what kept one of them from being read, if anything did."""
    keys, closed = dict.fromkeys(wanted, ""), None
    for name in wanted:
        try:
            keys[name] = secrets.get(f"gateways.{gateway}.{name}") or ""
        except PosError as error:  # told when somebody wants to use the gateway: cash needs no key
            closed = error
    return keys, closed


def _secret(secrets: SecretStore, name: str) -> str:
    """A secret, or "" where it cannot be had: a locked keyring must not stop a shop from taking cash."""
    try:
        return secrets.get(name) or ""
    except PosError as error:
        log.warning("%s cannot be read: %s", name, error)
        return ""


def connect(
    adapter: Adapter, entry: GatewaySettings, keys: Mapping[str, str], closed: PosError | None, account: str
) -> Gateway:
    """A gateway with its connection. `closed`: why a key could not be read.

    Raises:
        BadInput: a key is missing, or must not be sent to this address.
        PosError: what is in `closed`, when a key is missing because of it.
    """
    missing = [name for name, value in keys.items() if not value]
    if missing and closed is not None:
        raise closed
    if missing:
        title, names = adapter.capabilities.title, " and ".join(name.replace("_", " ") for name in missing)
        hint = f"Set it in Manage > Gateways, or with `pos secrets set gateways.{adapter.name}.{missing[0]}`."
        raise BadInput(f"The {names} of {title} is not set.", hint)
    base = entry.api_base or f"https://{adapter.capabilities.hosts[0]}"
    return HttpGateway(adapter.with_account(account), base, keys)


def background(till: Till, only: str = "") -> Supervisor:
    """The loops of a till: probes, sweeps, other processes' writes; with a relay also listening and telling."""
    prober = prober_of(till)
    sweeper = Sweeper(till.context, till.reconcile)
    parts: dict[str, Loop] = {
        "probe": prober.run,
        "outbox": prober.run_outbox,
        "sweep": sweeper.run,
        "follow": Follower(till.context, till.queries).run,
    }
    client = till.relay
    if client is not None:
        publisher = Publisher(
            till.context, client, till.bus, till.queries.order, till.formats.money, till.formats.date_time
        )
        listener = Listener(till.context, client, till.hints, till.relay_health, till.reconcile.sweep_all)
        parts |= {"relay": listener.run, "publish": publisher.run}
    return Supervisor(parts, only=only)


def prober_of(till: Till) -> Prober:
    return Prober(till.context, till.looks, till.refunds, till.hints, till.relay_health, till.sync)


def relay_client(shop: ShopSettings, secrets: SecretStore) -> RelayClient | None:
    """The relay as the settings name it; None without one, or without a token: the till then asks the gateways itself.

    A relay that is set up wrongly must not keep a shop from selling; `pos doctor` says what is missing.
    """
    token = _secret(secrets, "relay.till_token") if shop.relay_url else ""
    return RelayClient(shop.relay_url, token) if token else None
