"""The relay's settings and bounds, each with its unit. Files and environment are read by the command, never here."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """What one relay process takes at once. A rate of 0 means: no limit."""

    hook_body_bytes: int = 256 * 1024
    api_body_bytes: int = 16 * 1024
    headers_bytes: int = 64 * 1024
    headers_within_s: float = 5.0
    body_within_s: float = 10.0
    connections: int = 12_000
    hooks_in_flight: int = 1024
    writes_queued: int = 8192
    streams: int = 10_000
    streams_per_till: int = 2
    ip_per_s: float = 500.0
    ip_burst: float = 2000.0
    shop_per_s: float = 200.0
    shop_burst: float = 5000.0
    pages_per_s: float = 20.0
    pages_burst: float = 200.0
    unknown_returns_per_s: float = 0.2
    unknown_returns_burst: float = 20.0
    pairings_per_s: float = 0.2
    pairings_burst: float = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """`public_url` is what customers and gateways use, without a slash at its end; empty: as the request says."""

    data: Path
    public_url: str = ""
    page_hosts: tuple[str, ...] = ()
    heartbeat_s: float = 10.0
    retention_s: float = 30 * DAY_S
    hint_again_s: float = 60.0
    send_within_s: float = 30.0
    tenants_check_s: float = 0.5
    limits: Limits = field(default_factory=Limits)

    @property
    def test_mode(self) -> bool:
        """A relay that is not reached over https can only be a test: short links may lead to this machine."""
        return not self.public_url.startswith("https://")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def page_url_problem(url: str, hosts: tuple[str, ...], settings: Settings) -> str:
    """Why a short link must not lead to `url`; the empty string if it may.

    https and an allow-listed host, no user name, no odd characters. In test mode also this machine, and the hosts
    named with `--page-host`, over plain http.
    """
    if not url.isascii() or not url.isprintable() or len(url) > 2048 or any(c in url for c in " \\\"'<>`{}|^"):
        return "odd characters, or longer than 2048"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "no address"
    if "@" in parts.netloc:
        return "a user name in the address"
    if parts.scheme == "https" and host in hosts and port in (None, 443):
        return ""
    named = host in settings.page_hosts
    if parts.scheme == "https" and named:
        return ""
    if settings.test_mode and parts.scheme in ("http", "https") and (named or is_loopback(host)):
        return ""
    return "not one of the gateway's hosts"
