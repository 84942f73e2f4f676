"""All construction in one readable place, top to bottom. Qt-free."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pos.app.clock import SystemClock, SystemIds
from pos.app.config import Settings
from pos.app.enrolling import GatewayEntries, Shelf, enrolled_gateways, kept
from pos.app.instance import HomeIdentity
from pos.app.keysafe import Safe
from pos.app.secrets import open_secrets
from pos.app.settingsfile import SettingsFile
from pos.domain.errors import BadInput, NotFound, PosError, ReadOnly
from pos.domain.ports import Clock, Ids, SecretStore
from pos.domain.rows import Person
from pos.domain.store_port import Tx
from pos.services.approvals import Approvals, NamedApprovals
from pos.services.bookmode import META, mode_of, mode_with
from pos.services.books import Books
from pos.services.bus import Bus
from pos.services.captures import Captures
from pos.services.cash import Cash
from pos.services.catalogue import Catalogue
from pos.services.checkout import Checkout
from pos.services.context import Context, ShopSettings
from pos.services.dayend import DayEnd
from pos.services.desk import Desk
from pos.services.exceptions import Exceptions
from pos.services.gatecheck import GateCheck
from pos.services.givebacks import GiveBacks
from pos.services.givingup import GivingUp
from pos.services.handback import HandBack
from pos.services.hints import Hints
from pos.services.issue import Issuer
from pos.services.looks import Looks
from pos.services.othertenders import OtherTenders
from pos.services.people import OWNER, People, seed
from pos.services.queries import Queries, RelayHealth
from pos.services.reconcile import Reconcile
from pos.services.refundrows import RefundRows
from pos.services.refunds import Refunds
from pos.services.returns import Returns
from pos.services.selling import Selling
from pos.services.settle import Settle
from pos.services.setup import GatewaySetup
from pos.services.splitting import Splits
from pos.services.tendering import Tendering
from pos.services.vaults import Vaults
from pos.services.webhooks import Webhooks
from pos.store.engine import Database, make_engine, sqlite_url
from pos.store.upgrade import upgrade
from pos.sync.follower import Follower
from pos.sync.listener import Listener
from pos.sync.presence import Presence
from pos.sync.prober import Prober
from pos.sync.publisher import Publisher
from pos.sync.relay_client import RelayClient, RelayHooks, RelayShortLinks
from pos.sync.settings import SettingsWatcher
from pos.sync.supervisor import Loop, Supervisor
from pos.sync.sweeper import Sweeper
from pos.sync.watching import Watching
from pos.words import language
from pos.words.formats import Formats

DATABASE = "till.db"


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
        self.settings_file = SettingsFile(home)
        try:
            start = _start(self.database, settings)
        except PosError:
            self.database.close()
            raise
        shop, people = shop_settings(settings, start.shop_id, start.mode), start.people
        language.use(settings.shop.locale)
        self.formats = Formats(settings.shop.locale, settings.shop.currency, settings.shop.time_zone)
        self.bus = Bus()
        owner = f"{settings.till.id}:{outside.ids.token()}"
        self.context = Context(self.database, outside.clock, outside.ids, self.bus, shop, owner)
        self.desk = Desk(self.context, enrolled_gateways(settings, self.secrets))
        self.settle = Settle(self.context)
        self.people = People(people, people[0].name)
        approvals = NamedApprovals(self.context, self.people)
        self.captures = Captures(self.context, self.desk, self.settle)
        self.looks = Looks(self.context, self.desk, self.settle, self.captures)
        self.selling = Selling(self.context, self.people)
        self.relay = relay_client(self.shop, self.secrets)
        short = RelayShortLinks(self.relay, self.shop.relay_public_url) if self.relay else None
        issuer = Issuer(self.context, self.desk, self.settle, self.selling, short)
        self.checkout = Checkout(self.context, issuer, self.settle, self.looks, self.selling, approvals)
        tendering = Tendering(self.context, self.settle, self.selling)
        self.cash = Cash(self.context, tendering, self.checkout, self.selling)
        self._wire_managers_acts(tendering, approvals)
        self.reconcile = Reconcile(self.context, self.desk, self.settle, self.captures)
        self.hints = Hints(self.context, self.desk, self.settle, self.looks, self.captures)
        self.books = Books(self.context)
        self.day = DayEnd(self.context, self.reconcile, self.settle, self.people, self.books, self.desk)
        self.exceptions = Exceptions(self.context, approvals, self.checkout, self.refunds, self.day)
        self.relay_health = RelayHealth()
        self.queries = Queries(self.context, self.desk, self.people, self.relay_health, self.formats)
        self.catalogue = Catalogue(self.context)
        self.sync = Watching()
        self._make_setup()

    def _make_setup(self) -> None:
        safe = Safe(self.secrets)
        entries, shelf = GatewayEntries(self.settings_file), Shelf(self.settings_file, self.secrets)
        self.setup = GatewaySetup(self.context, self.desk, self.people, entries, shelf, safe)
        self.gatecheck = GateCheck(self.context, self.desk, self.relay_health, self.formats)
        self.vaults = Vaults(safe, self.people, self.setup)
        doors = RelayHooks(self.relay, self.shop.relay_public_url) if self.relay else None
        self.webhooks = Webhooks(self.context, doors)

    def _wire_managers_acts(self, tendering: Tendering, approvals: Approvals) -> None:
        self.tenders = OtherTenders(self.context, tendering, self.checkout, approvals)
        self.splits = Splits(self.context, self.checkout, self.people)
        self.backs = GiveBacks(self.context, self.desk, tendering, approvals)
        rows = RefundRows(self.context, self.desk)
        self.refunds = Refunds(self.context, self.desk, self.settle, approvals, rows)
        handback = HandBack(self.context, tendering)
        self.givingup = GivingUp(self.context, self.checkout, self.refunds, handback)
        self.returns = Returns(self.context, self.refunds, handback, approvals, self.formats)

    @property
    def shop(self) -> ShopSettings:
        """As it is now: a setting may change while the till runs."""
        return self.context.shop

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
        raise BadInput("No gateway is set up.", "Add one in Manage > Gateways, or with `pos gateways add`.")

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
    return Till(home, SettingsFile(home).read(), outside or Outside())


def open_database(home: Path, settings: Settings) -> Database:
    url = settings.database.url
    if url == "sqlite":
        (home / DATABASE).touch(mode=0o600)  # the books are nobody else's business
    engine = make_engine(sqlite_url(home / DATABASE) if url == "sqlite" else url)
    upgrade(engine)
    return Database(engine, settings.till.id, HomeIdentity(home))


def shop_settings(settings: Settings, shop_id: str, mode: str = "") -> ShopSettings:
    """`mode` of the books, where they have one: it stays when no gateway is switched on."""
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
        second_above_minor=settings.second_above_minor,
        payout_tolerance_minor=settings.minor(settings.shop.payout_tolerance),
        cash_tolerance_minor=settings.minor(settings.shop.cash_tolerance),
        test_mode=mode != "live" if mode else settings.test_mode,
    )


@dataclass(frozen=True, slots=True)
class Start:
    """What the books say at the start. `mode`: test, live, or "" before the first gateway."""

    shop_id: str
    people: list[Person]
    mode: str


def _start(database: Database, settings: Settings) -> Start:
    """Where these books may only be read here, the till opens to look at them; each write says why it may not."""
    try:
        return database.write_now(partial(_first_start, settings=settings))
    except ReadOnly:
        return database.read_now(partial(_as_it_is, settings=settings))


def _as_it_is(tx: Tx, settings: Settings) -> Start:
    names = tuple(settings.gateways)
    return Start(tx.shop.meta("shop_id") or "", tx.shop.people() or [OWNER], mode_of(tx, names))


def _first_start(tx: Tx, settings: Settings) -> Start:
    """The shop's own UUID, made once, its people, and which mode its books are of.

    Raises:
        BadInput: the settings are of the other mode.
    """
    shop_id = tx.shop.meta("shop_id")
    if shop_id is None:
        shop_id = str(uuid.uuid4())
        tx.shop.set_meta("shop_id", shop_id)
    names = tuple(settings.gateways)
    mode = mode_with(tx, names, [entry.mode for entry in settings.gateways.values() if entry.enabled])
    if tx.shop.meta(META) is None and (known := mode_of(tx, names)):  # books from before this was written down
        tx.shop.set_meta(META, known)
    return Start(shop_id, seed(tx), mode)


def background(till: Till, only: str = "") -> Supervisor:
    """The loops of a till: probes, sweeps, other processes' writes; with a relay also listening and telling."""
    prober = prober_of(till)
    sweeper = Sweeper(till.context, till.reconcile)
    parts: dict[str, Loop] = {
        "probe": prober.run,
        "outbox": prober.run_outbox,
        "sweep": sweeper.run,
        "follow": Follower(till.context, till.queries).run,
        "settings": SettingsWatcher(till.setup.reload).run,
    }
    if till.database.shared:
        parts["presence"] = Presence(till.context).run
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
    token = kept(secrets, "relay.till_token") if shop.relay_url else ""
    return RelayClient(shop.relay_url, token) if token else None
