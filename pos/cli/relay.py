"""`pos relay ...`: serve, and add shops, tills and secrets beside a running relay. Words and options only."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pos.domain.errors import BadInput

DEFAULT_PORT = 8700
SECRET_VARIABLE = "POS_SECRET_WEBHOOK_"  # noqa: S105 - the name of a variable, not a secret
HOUR_S = 3600.0


def _default_data() -> Path:
    given = os.environ.get("POS_RELAY_DATA")
    if given:
        return Path(given)
    import platformdirs

    return platformdirs.user_data_path("truetill") / "relay"


def _data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=_default_data,
        show_default="POS_RELAY_DATA, or the platform's data folder",
        help="Folder of the relay's files.",
    )(command)


_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _say(as_json: bool, content: dict[str, Any], lines: list[str]) -> None:
    click.echo(json.dumps(content) if as_json else "\n".join(lines))


@click.group()
def relay() -> None:
    """The relay and its tenants.

    \b
    Example:
      pos relay add-shop "Corner Café" --gateway stripe --data relay < secret.txt
      pos relay add-till "Corner Café" --data relay
      pos relay serve --data relay --public-url https://relay.example
    """


@relay.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="0 takes any free one.")
@_data_option
@click.option("--public-url", default="", help="What customers and gateways use; without https it is a test relay.")
@click.option("--page-host", multiple=True, help="A further host that short links may lead to. Repeatable.")
@click.option("--heartbeat-s", default=10.0, show_default=True, help="Seconds between heartbeats of a stream.")
@click.option("--ip-per-s", default=500.0, show_default=True, help="Webhooks per second from one address; 0: any.")
@click.option("--shop-per-s", default=200.0, show_default=True, help="Events per second for one shop; 0: any.")
@click.option("--new-epoch", is_flag=True, help="After a restore from a backup: every till sweeps.")
def serve(host: str, port: int, **options: Any) -> None:
    """Serve until SIGTERM. Prints one line, `ready <address>`.

    \b
    Example:
      pos relay serve --host 127.0.0.1 --port 8700 --data relay --public-url https://relay.example
    """
    from pos.relay.server import serve as run

    run(_settings(**options), host, port, _ready, new_epoch=options["new_epoch"])


def _settings(data: Path, public_url: str, page_host: tuple[str, ...], heartbeat_s: float, **limits: float) -> Any:
    """Raises BadInput for a heartbeat that a till would take for silence."""
    from pos.relay.settings import Limits, Settings

    if not 0.05 <= heartbeat_s <= 25:
        raise BadInput("A heartbeat comes every 0.05 to 25 s.", "A till gives up on a stream after 30 s of silence.")
    rates = Limits(ip_per_s=max(0.0, limits["ip_per_s"]), shop_per_s=max(0.0, limits["shop_per_s"]))
    return Settings(data, public_url.rstrip("/"), page_host, heartbeat_s, limits=rates)


def _ready(address: str) -> None:
    click.echo(f"ready {address}")
    sys.stdout.flush()


@relay.command("add-shop")
@click.argument("name")
@click.option("--gateway", "gateways", multiple=True, required=True, help="Repeatable.")
@_data_option
@_json_option
def add_shop(name: str, gateways: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Add a shop, or a gateway to the shop of that name; prints the paths to give to the gateways.

    The webhook secret of each gateway comes from POS_SECRET_WEBHOOK_<GATEWAY>, else one line each from standard
    input, in the order of the options.

    \b
    Example:
      echo whsec_... | pos relay add-shop "Corner Café" --gateway stripe --json
    """
    tenants = _tenants(data)
    shop = tenants.add_shop(name, _secrets(gateways), time.time())
    hooks = tenants.hook_paths(shop)
    _say(as_json, {"shop": shop, "hooks": hooks}, [f"shop {shop}", *(f"{name} {path}" for name, path in hooks.items())])


def _tenants(data: Path) -> Any:
    from pos.relay.tenants import Tenants

    return Tenants(data)


def _secrets(gateways: tuple[str, ...]) -> dict[str, str | None]:
    """Secret per gateway; None for one that does not sign. Raises BadInput."""
    from pos.relay.doors import find_doors

    doors, found = find_doors(), dict[str, str | None]()
    for gateway in gateways:
        if gateway not in doors:
            raise BadInput(f"This relay does not know {gateway!r}.", "It knows " + ", ".join(sorted(doors)) + ".")
        found[gateway] = _secret(gateway) if doors[gateway].verify else None
    return found


def _secret(gateway: str) -> str:
    variable = SECRET_VARIABLE + gateway.upper()
    secret = os.environ.get(variable, "")
    if not secret and sys.stdin.isatty():
        secret = click.prompt(f"Webhook secret of {gateway}", hide_input=True, err=True)
    elif not secret:
        secret = sys.stdin.readline()
    if not secret.strip():
        raise BadInput(f"No webhook secret for {gateway}.", f"Give it on standard input, or as {variable}.")
    return secret.strip()


@relay.command("add-till")
@click.argument("shop")
@_data_option
@_json_option
def add_till(shop: str, data: Path, as_json: bool) -> None:
    """Add a till to SHOP (id or name); prints its token, this once.

    \b
    Example:
      pos relay add-till "Corner Café" --json
    """
    tenants = _tenants(data)
    till, token = tenants.add_till(tenants.find_shop(shop), time.time())
    _say(as_json, {"till": till, "token": token}, [f"till {till}", f"token {token}"])


@relay.command()
@click.argument("shop")
@_data_option
@_json_option
def pair(shop: str, data: Path, as_json: bool) -> None:
    """Print a code with which one till can add itself to SHOP within ten minutes.

    \b
    Example:
      pos relay pair "Corner Café"
    """
    tenants = _tenants(data)
    code = tenants.pairing_code(tenants.find_shop(shop), time.time())
    grouped = "-".join(code[n : n + 4] for n in range(0, len(code), 4))
    _say(as_json, {"code": grouped}, [grouped])


@relay.command("revoke-till")
@click.argument("till")
@_data_option
@_json_option
def revoke_till(till: str, data: Path, as_json: bool) -> None:
    """Revoke a till's token at once; its open streams are ended.

    \b
    Example:
      pos relay revoke-till t0123456789ab
    """
    _tenants(data).revoke_till(till, time.time())
    _say(as_json, {"till": till, "revoked": True}, [f"revoked {till}"])


@relay.command("rotate-secret")
@click.argument("shop")
@click.option("--gateway", required=True)
@click.option("--keep-old-hours", default=96.0, show_default=True, help="How long the old secret stays valid.")
@_data_option
@_json_option
def rotate_secret(shop: str, gateway: str, keep_old_hours: float, data: Path, as_json: bool) -> None:
    """Give SHOP a new webhook secret; the old one stays valid for a while, for what the gateway sends again.

    \b
    Example:
      echo whsec_new | pos relay rotate-secret "Corner Café" --gateway stripe
    """
    tenants = _tenants(data)
    found = tenants.find_shop(shop)
    old_until = time.time() + max(0.0, keep_old_hours) * HOUR_S
    tenants.rotate_secret(found, gateway, _secret(gateway), old_until)
    _say(
        as_json,
        {"shop": found, "gateway": gateway},
        [f"rotated {gateway}; the old secret ends in {keep_old_hours:g} h"],
    )


@relay.command()
@_data_option
@_json_option
def stats(data: Path, as_json: bool) -> None:
    """Shops, gateways, tills, and how many events are kept.

    \b
    Example:
      pos relay stats --json
    """
    from pos.relay.log_sqlite import count_events

    counts = count_events(data)
    shops = [{**shop, "events": counts.get(shop["shop"], 0)} for shop in _tenants(data).stats()]
    lines = [
        f"{s['shop']} {s['name']}: {', '.join(s['gateways'])}; {len(s['tills'])} tills; {s['events']} events"
        for s in shops
    ]
    _say(as_json, {"shops": shops}, lines or ["no shops"])
