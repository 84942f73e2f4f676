"""How the bank signs its webhooks. Written apart from the code that verifies them, on purpose: they can disagree."""

from __future__ import annotations

import hashlib
import hmac


def stripe_signature(secret: str, body: bytes, at: int) -> str:
    """`t=<Unix time>,v1=<hex HMAC-SHA256 of "t.body">`, after Stripe's documentation of webhook signatures."""
    signed = str(at).encode("ascii") + b"." + body
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
