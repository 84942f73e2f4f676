"""What every `envelope` module does with a gateway's message: read its JSON, pick ids out of it, name it by its bytes.

Light on purpose: the relay imports this. No HTTP client, and no knowledge of any one gateway's events.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from pos.domain.errors import BadInput

MAX_ID = 255  # characters; the longest id that Stripe documents, and more than any other gateway makes
DIGEST_CHARS = 32  # 128 bits in hex


def json_object(body: bytes, title: str) -> dict[str, Any]:
    """The body as a JSON object; of equal keys the last wins, as in the gateways' own clients.

    Raises:
        BadInput: not JSON, nested too deeply, a number beyond numbers, or another thing than an object.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput(title, "Its body is not JSON.") from error
    if not isinstance(found, dict):
        raise BadInput(title, "Its body is not a JSON object.")
    return found


def inner(thing: dict[str, Any], name: str) -> dict[str, Any]:
    """The object at `name`; an empty one where there is none."""
    value = thing.get(name)
    return value if isinstance(value, dict) else {}


def word(value: object) -> str:
    """A value as an id or another short word; the empty string if it cannot be one."""
    return value if isinstance(value, str) and len(value) <= MAX_ID and value.isprintable() else ""


def body_id(body: bytes) -> str:
    """An id for a message that came without one: the same bytes are the same event."""
    return "sha256:" + hashlib.sha256(body).hexdigest()[:DIGEST_CHARS]
