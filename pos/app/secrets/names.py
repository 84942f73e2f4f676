"""What a secret is called, what can be one, and what a place for secrets can do. No place lives here."""

from __future__ import annotations

import re
from typing import Protocol

from pos.domain.errors import BadInput
from pos.domain.ports import SecretStore

SERVICE = "truetill"
PREFIX = "POS_SECRET_"
FILE_VARIABLE = "POS_SECRETS_FILE"
NAME_MAX_CHARS = 100
VALUE_MAX_CHARS = 4096
NAMES_KEPT = 200  # entries of ours in one keyring or vault
PASSPHRASE = "vault.passphrase"  # noqa: S105 - the name of a secret, not one
LIVE_PREFIXES = ("sk_live_", "rk_live_", "rzp_live_")
_NAME = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+")


class NamedSource(SecretStore, Protocol):
    """A store that can say where a secret comes from."""

    @property
    def title(self) -> str: ...


def is_name(text: str) -> bool:
    return len(text) <= NAME_MAX_CHARS and _NAME.fullmatch(text) is not None


def check_name(name: str) -> str:
    """The name itself, if it is one: `gateways.stripe.secret_key`.

    Raises:
        BadInput: it is not.
    """
    if not is_name(name):
        raise BadInput(f"{name[:NAME_MAX_CHARS]!r} is no name of a secret.", "For example: gateways.stripe.secret_key.")
    return name


def check_value(value: str) -> str:
    """The value itself, if it can be a key.

    Raises:
        BadInput: empty, too long, or with characters that no key has.
    """
    if not value or len(value) > VALUE_MAX_CHARS or not value.isprintable():
        raise BadInput("That is no secret: it is empty, too long, or has line breaks in it.", "Copy it again.")
    return value


def is_live(value: str) -> bool:
    """Whether a key moves real money, by how Stripe's and Razorpay's live keys begin (their own documentation)."""
    return value.startswith(LIVE_PREFIXES)


def variable(name: str) -> str:
    """The environment variable of a secret's name."""
    return PREFIX + name.upper().replace(".", "_")
