"""`pos sandbox`: serve the bank in the box, and be a customer of it. No rule of the bank lives here."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from pos.domain.errors import BadInput
from pos.sandbox import customer
from pos.sandbox.accounts import DEFAULT_KEYS, Hook


@click.group()
def sandbox() -> None:
    """The bank in the box: a test gateway, and customers in a script."""


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=0, show_default="a free one", type=click.IntRange(0, 65535))
@click.option("--data", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="Its folder.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    help=f"A test key, or ID:SECRET; each has its own account.  [default: {' and '.join(DEFAULT_KEYS)}]",
)
@click.option(
    "--webhook",
    "webhooks",
    multiple=True,
    help="Address told of events of the first account; razorpay=URL of that one.",
)
@click.option(
    "--webhook-secret-env",
    "secret_envs",
    multiple=True,
    help="Environment variable with the secret; one per --webhook.",
)
@click.option("--pending-seconds", type=click.FloatRange(0, 86400), help='How long "Pay later" takes.  [default: 40]')
@click.option("--public-url", default="", help="Where pay pages are reached, if not at the served address.")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Write one line per request here.")
def serve(
    host: str,
    port: int,
    folder: Path,
    keys: tuple[str, ...],
    webhooks: tuple[str, ...],
    secret_envs: tuple[str, ...],
    pending_seconds: float | None,
    public_url: str,
    log: Path | None,
) -> None:
    """Serve the bank until it is told to stop; prints one line `ready ADDRESS`.

    Example: pos sandbox serve --port 8420 --data ./bank
    """
    from pos.sandbox.server import Options
    from pos.sandbox.server import serve as run

    options = Options(
        folder=folder,
        host=host,
        port=port,
        keys=keys or DEFAULT_KEYS,
        webhooks=_hooks(webhooks, secret_envs),
        settings={} if pending_seconds is None else {"pending_s": pending_seconds},
        public_url=public_url,
        log=log,
    )
    run(options, _say_ready)


def _say_ready(url: str) -> None:
    click.echo(f"ready {url}")
    sys.stdout.flush()


def _hooks(webhooks: tuple[str, ...], secret_envs: tuple[str, ...]) -> tuple[Hook, ...]:
    secrets = [os.environ.get(name, "") for name in secret_envs]
    if len(secrets) != len(webhooks) or not all(secrets):
        raise BadInput("Each --webhook needs a secret.", "Name its environment variable with --webhook-secret-env.")
    hooks = []
    for text, secret in zip(webhooks, secrets, strict=True):
        dialect, equals, url = text.partition("=")
        named = bool(equals) and dialect.isalpha()  # an address has a colon before any other sign
        hooks.append(Hook(url, secret, dialect) if named else Hook(text, secret))
    return tuple(hooks)


@sandbox.command()
@click.argument("link")
@click.option("--outcome", default="paid", show_default=True, help=f"One of {', '.join(customer.OUTCOMES)}.")
@click.option("--method", help="One of the methods that the page offers.")
@click.option(
    "--sandbox",
    "address",
    default=customer.DEFAULT_SANDBOX,
    show_default=True,
    help="Where the sandbox is, for a upi:// text, which does not say.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
def pay(link: str, outcome: str, method: str | None, address: str, as_json: bool) -> None:
    """Open LINK as a customer would, and pay it, or not. LINK is an address, or the text of a UPI QR code.

    Exit status: 0 done as asked; 1 declined, or the link could not be paid any more; 2 bad input; 4 not reachable.

    Example: pos sandbox pay http://127.0.0.1:8420/c/pay/cs_test_... --outcome declined
    """
    result = customer.pay(link, outcome.replace("-", "_"), method=method, sandbox=address)
    if as_json:
        click.echo(json.dumps({"link": result.link, "outcome": result.outcome, "location": result.location}))
    else:
        click.echo(result.outcome)
    if not result.done or result.outcome == "declined":
        sys.exit(1)
