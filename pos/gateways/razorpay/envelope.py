"""Razorpay's webhooks and the return of a customer's browser, as envelopes: ids and Razorpay's own word.

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

GATEWAY = "razorpay"
SIGNATURE_HEADER = b"x-razorpay-signature"
EVENT_HEADER = b"x-razorpay-event-id"
PAGE_HOSTS = ("rzp.io",)
"""Hosts of the hosted page; a short link redirects nowhere else."""

NO_EVENT = "This is no Razorpay event."
SIGNATURE = "razorpay_signature"
LINK, REFERENCE = "razorpay_payment_link_id", "razorpay_payment_link_reference_id"
STATUS, PAYMENT = "razorpay_payment_link_status", "razorpay_payment_id"
SIGNED = (LINK, REFERENCE, STATUS, PAYMENT)
"""What a callback's signature covers, in the order of Razorpay's documentation on payment links."""

_LINK = re.compile(r"plink_[A-Za-z0-9]{1,64}")
_PAYMENT = re.compile(r"pay_[A-Za-z0-9]{1,64}")
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,40}")  # 40 is the most that Razorpay keeps


def verify(secrets: Sequence[str], headers: signing.Headers, body: bytes, now: float) -> signing.Check:
    """Whether the raw body was signed with one of the webhook's secrets.

    Razorpay signs no time, so `now` cannot be compared with anything: a message that was overheard holds for as long
    as its secret. The event's id stops it from being stored twice, and a hint never says more than "ask about this".
    """
    return signing.check_body(signing.only_header(headers, SIGNATURE_HEADER), body, secrets)


def read_webhook(body: bytes, headers: signing.Headers = ()) -> Envelope:
    """Read an event. Types that we do not know still give an envelope.

    The event's id is in a header (https://razorpay.com/docs/webhooks/best-practices/), which is not signed; without
    a usable one the body's digest stands in.

    Raises:
        BadInput: not a JSON object, nested too deeply, or without a type.
    """
    event = json_object(body, NO_EVENT)
    type_ = word(event.get("event"))
    if not type_:
        raise BadInput(NO_EVENT, "It has no type; nothing was stored.")
    return Envelope(
        gateway=GATEWAY,
        event=_event_id(headers) or body_id(body),
        type=type_,
        refs=_refs(type_, inner(event, "payload")),
        account=word(event.get("account_id")) or None,
        live=None,  # no object of Razorpay's names its mode
    )


def read_callback(query: Mapping[str, str]) -> Envelope:
    """Read the query of a callback address. The signature is not looked at: anybody may have typed this."""
    refs = Refs(
        link=_named(query, LINK, _LINK),
        payment=_named(query, PAYMENT, _PAYMENT),
        reference=_named(query, REFERENCE, _REFERENCE),
    )
    return Envelope(gateway=GATEWAY, event="", type="return", refs=refs)


def verify_callback(secret: str, query: Mapping[str, object]) -> signing.Check:
    """Whether a callback's query was signed with the API key's secret. Other parameters are never looked at."""
    return signing.check_callback(query.get(SIGNATURE), [query.get(name) for name in SIGNED], secret)


def _event_id(headers: signing.Headers) -> str:
    value = signing.only_header(headers, EVENT_HEADER) or b""
    return word(value.decode("latin-1")) if value.isascii() else ""


def _refs(type_: str, payload: dict[str, Any]) -> Refs:
    """Ids per kind of event: https://razorpay.com/docs/webhooks/payloads/ has a sample of each."""

    def entity(name: str) -> dict[str, Any]:
        return inner(inner(payload, name), "entity")

    payment = word(entity("payment").get("id"))
    if type_.startswith("payment_link."):
        link = entity("payment_link")
        return Refs(word(link.get("id")), payment, reference=word(link.get("reference_id")) or _marked(link))
    if type_.startswith("qr_code."):
        code = entity("qr_code")
        return Refs(word(code.get("id")), payment, reference=_marked(code))
    if type_.startswith("refund."):
        refund = entity("refund")
        about = word(refund.get("payment_id")) or payment
        return Refs(payment=about, refund=word(refund.get("id")), reference=_marked(refund))
    if type_.startswith("payment.dispute."):
        return Refs(payment=word(entity("dispute").get("payment_id")) or payment)
    if type_.startswith(("payment.", "order.")):
        return Refs(payment=payment, reference=_marked(entity("payment")))
    return Refs()


def _marked(entity: dict[str, Any]) -> str:
    """Our reference among the notes, which are `[]` where nobody wrote any."""
    return word(inner(entity, "notes").get("truetill_reference"))


def _named(query: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = query.get(name)
    return value if isinstance(value, str) and shape.fullmatch(value) else ""
