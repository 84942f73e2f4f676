"""Stripe's webhooks and the return of a customer's browser, as envelopes: ids and Stripe's own word.

Light on purpose: the relay imports this. No HTTP client, no amount, no status and no fact may be read here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pos.domain.envelope import Envelope, Refs
from pos.domain.errors import BadInput
from pos.gateways import signing

GATEWAY = "stripe"
SIGNATURE_HEADER = b"stripe-signature"
PAGE_HOSTS = ("checkout.stripe.com",)
"""Hosts of the hosted page; a short link redirects nowhere else."""

MAX_ID = 255  # characters; Stripe documents this as the longest id it will ever make
_SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,250}", re.ASCII)


def verify(secrets: Sequence[str], headers: signing.Headers, body: bytes, now: float) -> signing.Check:
    """Whether the raw body was signed with one of the endpoint's secrets, within 300 s of `now` (unix seconds)."""
    return signing.check_stripe(signing.only_header(headers, SIGNATURE_HEADER), body, secrets, now)


def read_webhook(body: bytes) -> Envelope:
    """Read an event. Types that we do not know still give an envelope, with the ids that could be found.

    Raises:
        BadInput: not a JSON object, nested too deeply, or without a type.
    """
    event = _object(body)
    type_ = _text(event, "type")
    if not type_:
        raise BadInput("This is no Stripe event.", "It has no type; nothing was stored.")
    live, data = event.get("livemode"), event.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    return Envelope(
        gateway=GATEWAY,
        event=_text(event, "id") or "sha256:" + hashlib.sha256(body).hexdigest()[:32],
        type=type_,
        refs=_refs(thing) if isinstance(thing, dict) else Refs(),
        account=_text(event, "account") or None,
        live=live if isinstance(live, bool) else None,
    )


def read_callback(query: Mapping[str, str]) -> Envelope:
    """Read the query of a return URL made with `{CHECKOUT_SESSION_ID}`. Unsigned: anybody may have typed it."""
    session = query.get("session_id", "")
    link = session if _SESSION.fullmatch(session) else ""
    return Envelope(gateway=GATEWAY, event="", type="return", refs=Refs(link=link))


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("This is no Stripe event.", "Its body is not JSON.") from error
    if not isinstance(found, dict):
        raise BadInput("This is no Stripe event.", "Its body is not a JSON object.")
    return found


def _refs(thing: dict[str, Any]) -> Refs:
    """Ids per kind of object: https://docs.stripe.com/api, resource `object` of each."""
    reference = _reference(thing)
    match thing.get("object"):
        case "checkout.session":
            return Refs(link=_text(thing, "id"), payment=_charge_of_session(thing), reference=reference)
        case "charge":
            return Refs(payment=_text(thing, "id"), reference=reference)
        case "payment_intent":
            return Refs(payment=_text(thing, "latest_charge"), reference=reference)
        case "refund":
            return Refs(refund=_text(thing, "id"), payment=_text(thing, "charge"), reference=reference)
        case "dispute":
            return Refs(payment=_text(thing, "charge"), reference=reference)
    return Refs(reference=reference)


def _reference(thing: dict[str, Any]) -> str:
    metadata = thing.get("metadata")
    named = _text(metadata, "reference") if isinstance(metadata, dict) else ""
    return _text(thing, "client_reference_id") or named


def _charge_of_session(session: dict[str, Any]) -> str:
    intent = session.get("payment_intent")  # an id, unless the event was made with expansion
    return _text(intent, "latest_charge") if isinstance(intent, dict) else ""


def _text(thing: dict[str, Any], name: str) -> str:
    """An id at `name`, also where the object itself stands in place of its id; empty if it cannot be one."""
    value = thing.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, str) and len(value) <= MAX_ID and value.isprintable():
        return value
    return ""
