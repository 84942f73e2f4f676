"""Gateways put together from the settings and their keys, and the ports that setting them up needs. Qt-free.

Nothing is asked and nothing is written here but through `SettingsFile` and the secret store.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from functools import partial

from pos.app.config import GatewaySettings, Settings
from pos.app.redact import hide
from pos.app.settingsfile import Change, SettingsFile
from pos.domain.errors import BadInput, Broken, NotFound, PosError
from pos.domain.facts import Mode
from pos.domain.ports import Adapter, Capabilities, Gateway, SecretStore
from pos.gateways import registry
from pos.gateways.http import HttpGateway
from pos.services.desk import Enrolled, Unloaded
from pos.services.setup_ports import Changes, Entry

log = logging.getLogger("pos.app")


class Shelf:
    """The gateways that exist: `pos.services.setup_ports.GatewayShelf`."""

    def __init__(self, settings: SettingsFile, secrets: SecretStore) -> None:
        self._settings = settings
        self._secrets = secrets

    def names(self) -> list[str]:
        return registry.names()

    def capabilities(self, name: str) -> Capabilities:
        return registry.adapter(name, Mode.TEST).capabilities

    def enrolled(self, entry: Entry, keys: Mapping[str, str]) -> Enrolled:
        typed = {
            name: hide(value) if value else "" for name, value in keys.items()
        }  # no log may have it, tried or kept
        return enrolled_with(self._settings.read(), entry.name, _settings_of(entry), typed)

    def enrolled_kept(self, entry: Entry) -> Enrolled | Unloaded:
        return enrolled(self._settings.read(), entry.name, _settings_of(entry), self._secrets)


def _settings_of(entry: Entry) -> GatewaySettings:
    return GatewaySettings(entry.enabled, entry.mode, entry.api_base, entry.return_url, entry.qr, entry.rank)


class GatewayEntries:
    """The part of `settings.toml` that is about gateways: `pos.services.setup_ports.GatewaySettingsFile`."""

    def __init__(self, file: SettingsFile) -> None:
        self._file = file

    def entries(self) -> list[Entry]:
        found = self._file.read().gateways
        return [
            Entry(name, each.enabled, each.mode, each.api_base, each.return_url, each.qr, each.rank)
            for name, each in sorted(found.items(), key=lambda item: item[1].rank)  # stable: else as written
        ]

    def change(self, changes: Changes) -> None:
        wanted: list[Change] = []
        for name, values in changes.items():
            if values is None:
                wanted.append((("gateways", name), None))
            else:
                wanted += [(("gateways", name, key), value) for key, value in values.items()]
        self._file.change(wanted)

    def report_every(self, minutes: float) -> None:
        self._file.change([(("sync", "every_minutes"), minutes)])

    def stamp(self) -> str:
        return self._file.stamp()


def enrolled_gateways(settings: Settings, secrets: SecretStore) -> dict[str, Enrolled | Unloaded]:
    """Every enabled gateway of the settings, ready to be opened or with what keeps it, in the order of their use."""
    ranked = sorted(settings.gateways.items(), key=lambda item: item[1].rank)  # stable: else as they are written
    return {name: enrolled(settings, name, entry, secrets) for name, entry in ranked if entry.enabled}


def enrolled(settings: Settings, name: str, entry: GatewaySettings, secrets: SecretStore) -> Enrolled | Unloaded:
    """One gateway of the settings with the keys that are kept, ready to be opened; or why it cannot be.

    A package that is not there or does not load must not keep a shop from taking cash, nor by its other gateways.

    Raises:
        BadInput: it cannot make the codes that are wanted.
    """
    try:
        keys, closed = _keys(secrets, name, registry.adapter(name, Mode(entry.mode)).capabilities.secrets)
        return enrolled_with(settings, name, entry, keys, closed)
    except NotFound as error:
        hint = f"{error.hint} Install it, correct the name in settings.toml, or `pos gateways disable {name}`."
        return Unloaded(name, entry.mode, Broken(error.title, hint))
    except Broken as error:
        hint = f"{error.hint} Until then: `pos gateways disable {name}`."
        return Unloaded(name, entry.mode, Broken(error.title, hint))


def _keys(secrets: SecretStore, gateway: str, wanted: Sequence[str]) -> tuple[dict[str, str], PosError | None]:
    """A gateway's keys by name, "" where there is none; and what kept one of them from being read, if anything did."""
    keys, closed = dict.fromkeys(wanted, ""), None
    for name in wanted:
        try:
            keys[name] = secrets.get(f"gateways.{gateway}.{name}") or ""
        except PosError as error:  # told when somebody wants to use the gateway: cash needs no key
            closed = error
    return keys, closed


def enrolled_with(
    settings: Settings, name: str, entry: GatewaySettings, keys: Mapping[str, str], closed: PosError | None = None
) -> Enrolled:
    """One gateway with these keys, ready to be opened. `closed`: why a key could not be read.

    Raises:
        NotFound, Broken: there is no such gateway, or its package does not load.
        BadInput: it cannot make the codes that are wanted.
    """
    adapter = registry.adapter(name, Mode(entry.mode))
    able = adapter.capabilities
    if entry.qr not in ("auto", "gateway", "relay", *able.collects):
        raise BadInput(f"{able.title} makes no {entry.qr.upper()} codes.", f"Set gateways.{name}.qr to auto.")
    return Enrolled(
        name=name,
        title=able.title,
        mode=entry.mode,
        key_print=hashlib.sha256("|".join([entry.api_base, *keys.values()]).encode()).hexdigest()[:16],
        capabilities=able,
        connect=partial(connect, adapter, entry, keys, closed),
        own_account=registry.account_of(name, adapter, keys),
        return_url=entry.return_url or _own_page(settings, entry),
        qr=entry.qr,
        address=base_of(adapter, entry),
        locked=closed is not None and not all(keys.values()),
    )


def known_secrets(beside: str = "") -> list[str]:
    """Names of the secrets that something reads here: the relay's, and those of every gateway that loads.

    One that does not load cannot say which are its: of that one `beside` is believed.
    """
    found = ["relay.till_token"]
    for name in registry.names():
        try:
            able = registry.adapter(name, Mode.TEST).capabilities
        except Broken:
            found += [beside] if beside.startswith(f"gateways.{name}.") else []
        else:
            found += [f"gateways.{name}.{secret}" for secret in able.secrets]
    return sorted(found)


def base_of(adapter: Adapter, entry: GatewaySettings) -> str:
    """The server that is asked: the settings' own, or the gateway's."""
    return entry.api_base or f"https://{adapter.capabilities.hosts[0]}"


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
    return HttpGateway(adapter.with_account(account), base_of(adapter, entry), keys)


def _own_page(settings: Settings, gateway: GatewaySettings) -> str:
    """Where customers come back to without a relay: in test mode the test server's own front page."""
    if gateway.mode == "live":
        return settings.relay.public_url or settings.relay.url
    return gateway.api_base + "/" if gateway.api_base else "https://example.com/"
