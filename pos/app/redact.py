"""Taking secrets out of texts that are written or shown: what looks like one, and what this process knows to be one.

Imported by whatever handles a secret or writes a line; imports nothing itself.
"""

from __future__ import annotations

import re

BLANK = "[…]"
HIDDEN_MAX = 500  # values remembered per process; a till has a handful
HIDDEN_MIN_CHARS = 6  # anything shorter would blank out ordinary words
_LOOKS_SECRET = re.compile(
    r"(?<![A-Za-z])(?:sk|rk|pk|whsec|rzp|tt_till)_[A-Za-z0-9_\-]{6,}"
    r"|\b(?:Bearer|bearer|Basic)\s+[A-Za-z0-9+/=_.~\-]{8,}"
    r"|\b(?:\d[ -]?){13,19}\b"
)
_hidden: dict[str, None] = {}


def hide(value: str) -> str:
    """Remember a secret that this process holds, so that `redact` knows it however it looks; returns it."""
    if len(value) >= HIDDEN_MIN_CHARS and value not in _hidden:
        if len(_hidden) >= HIDDEN_MAX:
            _hidden.pop(next(iter(_hidden)))
        _hidden[value] = None
    return value


def redact(text: str) -> str:
    """The text with every known secret, and all that looks like a key, a token or a card number, blanked out."""
    for value in sorted(_hidden, key=len, reverse=True):
        for form in {value, repr(value)[1:-1]}:
            text = text.replace(form, BLANK)
    return _LOOKS_SECRET.sub(BLANK, text)
