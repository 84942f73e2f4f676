"""Stripe's webhooks and the return of a customer's browser, as envelopes: ids and Stripe's own word.

Light on purpose: the relay imports this. No HTTP client, no amount, no status and no fact may be read here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pos.domain.envelope import Envelope, Refs
from pos.domain.errors import BadInput
from pos.gateways import signing
from pos.gateways.messages import body_id, inner, json_object, word

GATEWAY = "stripe"
SIGNATURE_HEADER = b"stripe-signature"
PAGE_HOSTS = ("checkout.stripe.com",)
"""Hosts of the hosted page; a short link redirects nowhere else."""

NO_EVENT = "This is no Stripe event."
_SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,250}", re.ASCII)


def verify(secrets: Sequence[str], headers: signing.Headers, body: bytes, now: float) -> signing.Check:
    """Whether the raw body was signed with one of the endpoint's secrets, within 300 s of `now` (unix seconds)."""
    return signing.check_stripe(signing.only_header(headers, SIGNATURE_HEADER), body, secrets, now)


def read_webhook(body: bytes, headers: signing.Headers = ()) -> Envelope:
    """Read an event. Types that we do not know still give an envelope, with the ids that could be found.

    `headers` say nothing here: the event's id is in the body, where it is signed.

    Raises:
        BadInput: not a JSON object, nested too deeply, or without a type.
    """
    event = json_object(body, NO_EVENT)
    type_ = _text(event, "type")
    if not type_:
        raise BadInput(NO_EVENT, "It has no type; nothing was stored.")
    live = event.get("livemode")
    return Envelope(
        gateway=GATEWAY,
        event=_text(event, "id") or body_id(body),
        type=type_,
        refs=_refs(inner(inner(event, "data"), "object")),
        account=_text(event, "account") or None,
        live=live if isinstance(live, bool) else None,
    )


def read_callback(query: Mapping[str, str]) -> Envelope:
    """Read the query of a return URL made with `{CHECKOUT_SESSION_ID}`. Unsigned: anybody may have typed it."""
    session = query.get("session_id", "")
    link = session if _SESSION.fullmatch(session) else ""
    return Envelope(gateway=GATEWAY, event="", type="return", refs=Refs(link=link))


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
    return _text(thing, "client_reference_id") or _text(inner(thing, "metadata"), "reference")


def _charge_of_session(session: dict[str, Any]) -> str:
    # an id, unless the event was made with expansion
    return _text(inner(session, "payment_intent"), "latest_charge")


def _text(thing: dict[str, Any], name: str) -> str:
    """An id at `name`, also where the object itself stands in place of its id; empty if it cannot be one."""
    value = thing.get(name)
    return word(value.get("id") if isinstance(value, dict) else value)
