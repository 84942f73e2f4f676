"""How the bank signs its webhooks. Written apart from the code that verifies them, on purpose: they can disagree."""

from __future__ import annotations

import hashlib
import hmac


def stripe_signature(secret: str, body: bytes, at: int) -> str:
    """`t=<Unix time>,v1=<hex HMAC-SHA256 of "t.body">`, after Stripe's documentation of webhook signatures."""
    signed = str(at).encode("ascii") + b"." + body
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def razorpay_webhook_signature(secret: str, body: bytes) -> str:
    """Hex HMAC-SHA256 of the body, after Razorpay's "Validate and test webhooks". No time is signed."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def razorpay_callback_signature(secret: str, link: str, reference: str, status: str, payment: str) -> str:
    """Hex HMAC-SHA256 of "link|reference|status|payment" under the key's secret, after "Verify payment signature"."""
    signed = "|".join((link, reference, status, payment))
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
