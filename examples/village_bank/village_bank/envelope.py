"""Webhooks, as envelopes: ids and the bank's own word. The relay loads this module and nothing else of the package.

No HTTP client, no amount, no status and no fact may be read here: a message is a reason to ask, never a truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

from msgspec import DecodeError, Meta, Struct
from msgspec.json import decode

from pos.domain.envelope import Envelope, Refs
from pos.domain.errors import BadInput
from pos.gateways import signing

GATEWAY = "village_bank"
SIGNATURE_HEADER = b"village-signature"
PAGE_HOSTS = ("pay.village-bank.example",)
"""Hosts of the hosted page; a short link redirects nowhere else."""

Id = Annotated[str, Meta(max_length=60)]


class Message(Struct):
    event: Id
    kind: Id
    request: Id = ""
    payment: Id = ""
    refund: Id = ""


def verify(secrets: Sequence[str], headers: signing.Headers, body: bytes, now: float) -> signing.Check:
    """Hex HMAC-SHA256 of the raw body. Leave `verify` out where a gateway does not sign."""
    return signing.check_body(signing.only_header(headers, SIGNATURE_HEADER), body, secrets)


def read_webhook(body: bytes, headers: signing.Headers = ()) -> Envelope:
    """Raises BadInput for what is no message of this bank; nothing else."""
    try:
        said = decode(body, type=Message)
    except (DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput("This is no message of the Village Bank.", "Nothing was stored.") from error
    event = said.event or "sha256:" + hashlib.sha256(body).hexdigest()[:32]
    return Envelope(GATEWAY, event, said.kind, Refs(link=said.request, payment=said.payment, refund=said.refund))
