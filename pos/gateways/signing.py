"""Signatures of gateways' webhooks: pure functions over raw bytes, constant time, nothing lenient.

No I/O, no clock and no knowledge of what a message means lives here; times and secrets come in as arguments.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

STRIPE_TOLERANCE_S = 300  # stripe-python `Webhook.DEFAULT_TOLERANCE`; here it holds for the future as well
MAX_HEADER_BYTES = 2048
MAX_SIGNATURES = 16  # v1 entries in one header; a rotation needs two
MAX_FIELD = 255  # characters of one field of a signed callback; gateways' ids are shorter
_HEX = re.compile(r"[0-9a-f]{64}")

Headers = Sequence[tuple[bytes, bytes]]
"""As ASGI gives them: lower-case names, raw bytes."""


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a signature holds; `reason` is one word for logs and counters."""

    ok: bool
    reason: str

    def __bool__(self) -> bool:
        return self.ok


GOOD = Check(True, "good")
MISSING = Check(False, "missing")
MALFORMED = Check(False, "malformed")
STALE = Check(False, "stale")
WRONG = Check(False, "wrong")


def only_header(headers: Headers, name: bytes) -> bytes | None:
    """The value of a header that must come exactly once; None if it is absent or repeated."""
    values = [value for key, value in headers if key == name]
    return values[0] if len(values) == 1 else None


def hmac_hex(secret: str, *parts: bytes) -> bytes:
    """HMAC-SHA256 as lower-case hex in ASCII bytes; bytes, because `compare_digest` refuses non-ASCII text."""
    made = hmac.new(secret.encode(), digestmod=hashlib.sha256)
    for part in parts:
        made.update(part)
    return made.hexdigest().encode("ascii")


def any_matches(secrets: Sequence[str], candidates: Sequence[bytes], *parts: bytes) -> bool:
    """Whether one candidate is the HMAC under one secret. Looks at all of them, and never uses a blank secret."""
    found = False
    for secret in secrets:
        if not _usable(secret):
            continue
        wanted = hmac_hex(secret, *parts)
        for candidate in candidates:
            found |= hmac.compare_digest(wanted, candidate)
    return found


def _usable(secret: str) -> bool:
    """A blank key verifies for whoever guesses that it is blank; one with half a surrogate has no bytes at all."""
    return bool(secret.strip()) and _utf8(secret) is not None


def _utf8(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def check_stripe(header: bytes | None, body: bytes, secrets: Sequence[str], now: float) -> Check:
    """`Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=...]` over `<t>.<raw body>`.

    Stricter than the official SDK: one `t` only, digits only, and a time in the future is refused like an old one.
    """
    if not header:
        return MISSING
    parsed = _stripe_parts(header)
    if parsed is None:
        return MALFORMED
    stamp, candidates = parsed
    if abs(now - int(stamp)) > STRIPE_TOLERANCE_S:
        return STALE
    return GOOD if any_matches(secrets, candidates, stamp, b".", body) else WRONG


def _stripe_parts(header: bytes) -> tuple[bytes, list[bytes]] | None:
    if len(header) > MAX_HEADER_BYTES:
        return None
    pairs = [part.partition(b"=") for part in header.split(b",")]
    stamps = [value for name, _, value in pairs if name == b"t"]
    candidates = [value for name, _, value in pairs if name == b"v1"]
    if len(stamps) != 1 or not 1 <= len(candidates) <= MAX_SIGNATURES:
        return None
    stamp = stamps[0]
    if not (stamp.isdigit() and len(stamp) <= 12):  # bytes.isdigit knows ASCII digits only
        return None
    return stamp, candidates


def check_body(header: bytes | None, body: bytes, secrets: Sequence[str]) -> Check:
    """A bare hex HMAC-SHA256 of the raw body (Razorpay). It has no time: replays are caught by event id alone.

    Exactly 64 lower-case hex digits; nothing else reaches the comparison.
    """
    if not header:
        return MISSING
    if not _HEX.fullmatch(header.decode("latin-1")):
        return MALFORMED
    return GOOD if any_matches(secrets, [header], body) else WRONG


def check_callback(signature: object, fields: Sequence[object], secret: str) -> Check:
    """The query of a browser that comes back (Razorpay): hex HMAC-SHA256 of the fields, joined by `|`.

    The caller names the fields, never the query: Razorpay's own helper takes a key from a parameter called `secret`.
    A `|` inside a field is refused, since "a|b","c" and "a","b|c" would have one signature. So is an empty one.
    """
    texts = [field for field in fields if isinstance(field, str) and field]
    if not (isinstance(signature, str) and signature) or len(texts) != len(fields):
        return MISSING
    if not _HEX.fullmatch(signature) or any("|" in text or len(text) > MAX_FIELD for text in texts):
        return MALFORMED
    message = _utf8("|".join(texts))
    if message is None:
        return MALFORMED
    return GOOD if any_matches([secret], [signature.encode("ascii")], message) else WRONG
