"""`settings.toml`: read strictly, refused with the line that is wrong."""

from __future__ import annotations

import os
import re
import tomllib
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import platformdirs

from pos.domain.errors import BadInput
from pos.domain.money import exponent, parse_major

FILE = "settings.toml"
MINUTES_MIN, MINUTES_MAX = 0.05, 720.0
HOURS_MAX = 24 * 35.0
QR_KINDS = ("auto", "gateway", "relay", "upi")
EXAMPLE = """[shop]
name = "Corner Café"
currency = "INR"
time_zone = "Asia/Kolkata"
locale = "en_IN"

[till]
id = "1"

[gateways.stripe]
mode = "test"
"""


class Shop(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The shop. `day_cut_off` is HH:MM in its time zone.

    `cash_tolerance`, `payout_tolerance`: amounts in major units ("1.00") that the drawer, and a gateway's payout or its
    fee, may be off before somebody must look; "" = none.
    """

    name: str = "My shop"
    currency: str = "EUR"
    time_zone: str = "UTC"
    locale: str = "en"
    day_cut_off: str = "04:00"
    prices_include_tax: bool = True
    cash_tolerance: str = ""
    payout_tolerance: str = ""


class Till(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    id: str = "1"


class Database(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`sqlite` (a file in the home), or `postgresql+psycopg://...` for a shop with several tills."""

    url: str = "sqlite"


class Relay(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`url` is what the till connects to, `public_url` what customers' phones open."""

    url: str = ""
    public_url: str = ""


class Sync(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    every_minutes: float = 5.0
    look_back_hours: float = 24.0


class People(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`open_pass`: no PIN is asked; in test mode only.

    `second_person_above`: an amount in major units ("500.00"); above it a second manager must approve; "" = never.
    """

    open_pass: bool = False
    second_person_above: str = ""


class GatewaySettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`api_base` may point at a server that speaks the same API, in test mode only; the lowest `rank` is used first."""

    enabled: bool = True
    mode: str = "test"
    api_base: str = ""
    return_url: str = ""
    qr: str = "auto"
    rank: int = 0


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    shop: Shop = Shop()
    till: Till = Till()
    database: Database = Database()
    relay: Relay = Relay()
    sync: Sync = Sync()
    people: People = People()
    gateways: dict[str, GatewaySettings] = {}

    @property
    def test_mode(self) -> bool:
        return not any(g.enabled and g.mode == "live" for g in self.gateways.values())

    @property
    def second_above_minor(self) -> int | None:
        """In minor units; None where one manager is enough for any amount."""
        limit = self.people.second_person_above
        return self.minor(limit) if limit else None

    def minor(self, amount: str) -> int:
        """An amount of these settings in minor units of the shop's currency; 0 where none is given.

        Raises:
            BadInput: it is no amount in this currency.
        """
        return parse_major(amount, self.shop.currency) if amount else 0

    @property
    def cut_off(self) -> time:
        return time.fromisoformat(self.shop.day_cut_off)


def home_folder(given: str | None = None) -> Path:
    """`POS_HOME`, or the platform's data folder."""
    text = given or os.environ.get("POS_HOME") or ""
    return Path(text) if text else Path(platformdirs.user_data_dir("truetill", appauthor=False))


def load(home: Path) -> Settings:
    """The settings of a home.

    Raises:
        BadInput: no file, not TOML, an unknown key, or a value that cannot work; names the line.
    """
    path = home / FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        hint = f"Put a {FILE} there (README, Settings), or try `./run demo`, which brings its own."
        raise BadInput(f"There is no shop in {home}.", hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read.", "It must be a text file in UTF-8.") from error
    return parse(text)


def parse(text: str) -> Settings:
    """As `load`, from text."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{FILE} is not valid TOML: {error}.", "Correct that line.") from error
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise BadInput(f"{FILE}{_line(text, str(error))}: {error}.", "See the list of settings in README.") from error
    _check(settings, text)
    return settings


def _line(text: str, message: str) -> str:
    """`, line N` of the key that a validation message is about."""
    path = re.search(r"`\$\.?([^`]*)`$", message)
    unknown = re.search(r"unknown field `([^`]+)`", message)
    section = path.group(1).replace("[...]", ".*") if path else ""
    key = unknown.group(1) if unknown else section.rpartition(".")[2]
    table = section if unknown else section.rpartition(".")[0]
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[([^\]]+)\]", line)
        if head:
            current = head.group(1).strip()
            if current == key or _is(current, f"{table}.{key}".strip(".")):
                return f", line {number}"
        elif re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line) and (not table or _is(current, table)):
            return f", line {number}"
    return ""


def _is(table: str, wanted: str) -> bool:
    """Whether a table's name fits a path, in which `*` stands for any name."""
    return len(table.split(".")) == len(wanted.split(".")) and all(
        w in ("*", t) for t, w in zip(table.split("."), wanted.split("."), strict=True)
    )


def _check(settings: Settings, text: str) -> None:
    def refuse(key: str, why: str, hint: str) -> BadInput:
        return BadInput(f"{FILE}{_line(text, f'at `$.{key}`')}: {why}", hint)

    exponent(settings.shop.currency)
    try:
        ZoneInfo(settings.shop.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise refuse("shop.time_zone", "time_zone is not known.", "For example Asia/Kolkata.") from error
    try:
        time.fromisoformat(settings.shop.day_cut_off)
    except ValueError as error:
        raise refuse("shop.day_cut_off", "day_cut_off is not a time.", "Write it as 04:00.") from error
    sync = settings.sync
    if not MINUTES_MIN <= sync.every_minutes <= MINUTES_MAX:
        raise refuse("sync.every_minutes", "every_minutes cannot work.", "Choose between 1 and 720 minutes.")
    if not 0 < sync.look_back_hours <= HOURS_MAX or sync.look_back_hours * 60 < 2 * sync.every_minutes:
        why = "look_back_hours is shorter than two rounds of the sync, so payments could fall between them."
        raise refuse("sync.look_back_hours", why, "Choose at least twice every_minutes; 24 hours are usual.")
    if not re.fullmatch(r"[A-Za-z0-9]{1,10}", settings.till.id):
        raise refuse("till.id", "id must be 1 to 10 letters or digits.", 'For example id = "2".')
    for name, gateway in settings.gateways.items():
        if gateway.mode not in ("test", "live"):
            raise refuse(f"gateways.{name}.mode", "mode is neither test nor live.", "Choose one of them.")
        if gateway.qr not in QR_KINDS:
            raise refuse(f"gateways.{name}.qr", f"qr is none of {', '.join(QR_KINDS)}.", "auto fits most shops.")
    modes = {gateway.mode for gateway in settings.gateways.values() if gateway.enabled}
    if len(modes) > 1:
        odd = next(name for name, gateway in settings.gateways.items() if gateway.enabled and gateway.mode == "test")
        why = "one gateway is for tests and another for real money; they cannot share books."
        raise refuse(f"gateways.{odd}.mode", why, "Set enabled = false for one of them, or the same mode for both.")
    if settings.people.open_pass and not settings.test_mode:
        raise refuse("people.open_pass", "open_pass is for test mode only.", "Remove it, or use test mode.")
    amounts = {
        "people.second_person_above": settings.people.second_person_above,
        "shop.cash_tolerance": settings.shop.cash_tolerance,
        "shop.payout_tolerance": settings.shop.payout_tolerance,
    }
    for name, amount in amounts.items():
        try:
            settings.minor(amount)
        except BadInput as error:
            why = f"{name.partition('.')[2]} is no amount in {settings.shop.currency}."
            raise refuse(name, why, 'Write it in quotes, for example "500.00".') from error
