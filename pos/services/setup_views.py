"""What is shown of the gateways while they are set up. Plain values; of a secret only where it lies, no part of it.

Amounts in minor units of the shop's currency, times in milliseconds, moments since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class SecretView:
    """One of the names that log in. `place`: keyring, vault, environment, file, other; locked where that cannot be

    told before the vault or keyring is open; "" where it is not set.

    `shown` is the beginning of what is no secret (a key's id), "" for what must never be seen again.
    """

    name: str
    title: str
    place: str
    secret: bool
    shown: str = ""

    @property
    def known(self) -> bool:
        return self.place not in ("", LOCKED)

    @property
    def fixed(self) -> bool:
        """It comes from where this program only reads: it is changed there, and needs no place here."""
        return self.place in ("environment", "file")


@dataclass(frozen=True, slots=True)
class Ability:
    """One row of the table of capabilities: `good` as it is, else the till makes up for it; `text` how."""

    key: str
    title: str
    good: bool
    text: str


@dataclass(frozen=True, slots=True)
class GatewayCard:
    """One gateway, set up or not.

    `listed`: it stands in the settings. `health`: ok, slow, down, or "" before the first question of this session;
    `asked`, `timed_out`, `median_ms` are this session's. `place` is where in the order of use it stands, from 1; 0 off.
    `before` the title of the gateway that is used before it. `minimum_minor` of the shop's currency, where known.
    """

    name: str
    title: str
    listed: bool
    enabled: bool
    mode: str
    host: str
    own_host: bool
    account: str
    account_name: str
    health: str
    asked: int
    timed_out: int
    median_ms: int | None
    secrets: tuple[SecretView, ...]
    place: int
    before: str
    minimum_minor: int | None
    qr: str
    qr_kinds: tuple[str, ...]
    abilities: tuple[Ability, ...]
    problem: str = ""

    @property
    def locked(self) -> bool:
        return any(secret.place == LOCKED for secret in self.secrets)

    @property
    def keys_known(self) -> bool:
        return all(secret.known for secret in self.secrets)

    @property
    def keys_given(self) -> bool:
        """From where this program only reads; never so of a package that does not load, whose keys nobody knows."""
        return bool(self.secrets) and all(secret.fixed for secret in self.secrets)

    @property
    def takes_payments(self) -> bool:
        return self.listed and self.enabled and self.keys_known and not self.problem


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `state`: ok, bad, or none where it does not apply; `figure` what was measured."""

    key: str
    state: str
    title: str
    figure: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test of the connection found, and when."""

    gateway: str
    at_ms: int
    checks: tuple[Check, ...]

    @property
    def good(self) -> int:
        return sum(1 for check in self.checks if check.state == "ok")

    @property
    def bad(self) -> bool:
        return any(check.state == "bad" for check in self.checks)

    @property
    def unreachable(self) -> bool:
        return any(check.state == "bad" and check.key == "address" for check in self.checks)


@dataclass(frozen=True, slots=True)
class SafeView:
    """Where keys can be kept here: `keyring`; `vault` (which then is open, locked or missing); `nowhere`."""

    kind: str
    vault: str = ""

    @property
    def open(self) -> bool:
        return self.kind == "keyring" or (self.kind == "vault" and self.vault == "open")


@dataclass(frozen=True, slots=True)
class HookView:
    """Where a gateway's webhooks go, for a person to paste there. `address` only where `state` is known.

    `state`: none (this till has no relay), unheard (the relay does not say now), missing (it has no door for this
    gateway yet), known.
    """

    state: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class NewKeys:
    """What somebody typed to set a gateway up. `secrets` by the names in `Capabilities.secrets`; "" = as it was.

    `other_account`: it is meant that they are of another account than before.
    """

    gateway: str
    mode: str
    secrets: dict[str, str]
    api_base: str = ""
    qr: str = ""
    other_account: bool = False

    def __repr__(self) -> str:
        return f"NewKeys({self.gateway}, {self.mode})"
