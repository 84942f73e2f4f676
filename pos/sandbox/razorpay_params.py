"""Reading what a caller sends to the Razorpay dialect: JSON bodies and query strings, typed, with its error for each.

Whatever is read is marked as known; `done` refuses the rest. Nothing here knows what fields mean.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from pos.sandbox.front import ApiError
from pos.sandbox.razorpay_errors import invalid

MOST_FIELDS = 200
MOST_NOTES = 15
LONGEST_NOTE = 256  # characters, of a key and of a value
_INTEGER = re.compile(r"-?[0-9]{1,15}")


def decode(query: str, body: bytes) -> dict[str, Any]:
    """One object of the query string and the JSON body.

    Raises:
        ApiError: it cannot be read.
    """
    try:
        fields: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        sent = json.loads(body) if body.strip() else {}
        json.dumps(sent, ensure_ascii=False).encode("utf-8")  # half of a pair of surrogates is no text
    except (ValueError, RecursionError):
        raise invalid("The request body is not valid JSON.") from None
    if sent is None or sent == []:
        sent = {}
    if not isinstance(sent, dict):
        raise invalid("The request body must be a JSON object.")
    return {**fields, **sent}


class Params:
    """A view of the decoded fields. `at` is the way here, for error messages."""

    def __init__(self, values: dict[str, Any], at: str = "") -> None:
        self._values = values
        self._at = at
        self._known: set[str] = set()

    def name(self, field: str) -> str:
        return f"{self._at}.{field}" if self._at else field

    def raw(self, field: str) -> Any:
        self._known.add(field)
        return self._values.get(field)

    def text(self, field: str, *, most: int = 255) -> str | None:
        value = self.raw(field)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.wrong(field, "must be a string.")
        if len(value) > most:
            raise self.wrong(field, f"the length must be no more than {most}.")
        return value

    def needed(self, field: str, *, most: int = 255) -> str:
        value = self.text(field, most=most)
        if value is None:
            raise self.missing(field)
        return value

    def integer(self, field: str) -> int | None:
        """A whole number; in a query string it is text."""
        value = self.raw(field)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**15:
            raise self.wrong(field, "must be an integer.")
        return value

    def flag(self, field: str) -> bool | None:
        value = self.raw(field)
        if value is None or value == "":
            return None
        known = {str(word).lower(): word for word in (True, False)} | {"1": True, "0": False}
        if str(value).lower() in known:
            return known[str(value).lower()]
        raise self.wrong(field, "must be a boolean.")

    def choice(self, field: str, *allowed: str) -> str | None:
        value = self.text(field)
        if value is not None and value not in allowed:
            raise self.wrong(field, f"must be one of {', '.join(allowed)}.")
        return value

    def sub(self, field: str) -> Params:
        """The fields below; none where nothing was sent."""
        value = self.raw(field)
        if value in (None, "", []):
            return Params({}, self.name(field))
        if not isinstance(value, dict):
            raise self.wrong(field, "must be an object.")
        return Params(value, self.name(field))

    def notes(self, field: str = "notes") -> dict[str, str]:
        """Up to 15 pairs of 256 characters (API reference, "notes"). Numbers become text."""
        below = self.sub(field)._values
        if len(below) > MOST_NOTES:
            raise self.wrong(field, f"the number of fields must be less than or equal to {MOST_NOTES}.")
        for key, value in below.items():
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise self.wrong(field, "must hold texts only.")
            if len(key) > LONGEST_NOTE or len(str(value)) > LONGEST_NOTE:
                raise self.wrong(field, f"the length must not be greater than {LONGEST_NOTE}.")
        return {key: str(value) for key, value in below.items()}

    def done(self) -> None:
        """Nothing was sent that nobody read."""
        unread = [self.name(field) for field in self._values if field not in self._known]
        if unread:
            raise invalid(f"{', '.join(unread)} is/are not required and should not be sent", field=unread[0])

    def missing(self, field: str) -> ApiError:
        return self.wrong(field, "cannot be blank.")

    def wrong(self, field: str, text: str) -> ApiError:
        name = self.name(field)
        return invalid(f"{name}: {text}", field=name)
