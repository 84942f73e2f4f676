"""Reading what a caller sends to the Stripe dialect: bracketed form fields, typed, with Stripe's error for each.

Whatever is read is marked as known; `done` refuses the rest, as Stripe does. Nothing here knows what fields mean.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from pos.sandbox.front import ApiError
from pos.sandbox.stripe_errors import invalid

MOST_FIELDS = 1000
MOST_METADATA_KEYS = 50
LONGEST_METADATA_KEY = 40
LONGEST_METADATA_VALUE = 500
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_INTEGER = re.compile(r"-?[0-9]{1,15}")


def decode(text: str) -> dict[str, Any]:
    """`a[b][0][c]=1` -> {"a": {"b": {"0": {"c": "1"}}}}; `a[]=1` counts up.

    Raises:
        ApiError: too many fields, or a name that cannot be read.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise invalid("Invalid request: the parameters could not be read.") from None
    root: dict[str, Any] = {}
    for name, value in pairs:
        match = _KEY.fullmatch(name)
        if match is None:
            raise invalid(f"Invalid parameter name: {name[:80]}", param=name[:80])
        _put(root, [match[1], *_PART.findall(match[2])], value, name)
    return root


def _put(root: dict[str, Any], path: list[str], value: str, name: str) -> None:
    here = root
    for part in path[:-1]:
        below = here.setdefault(part or str(len(here)), {})
        if not isinstance(below, dict):
            raise invalid(f"Invalid hash: {name[:80]}", param=name[:80])
        here = below
    here[path[-1] or str(len(here))] = value


class Params:
    """A view of decoded parameters, at one depth. `at` is the way here, for error messages."""

    def __init__(self, values: dict[str, Any], at: str = "") -> None:
        self._values = values
        self._at = at
        self._known: set[str] = set()

    def name(self, field: str) -> str:
        return f"{self._at}[{field}]" if self._at else field

    def has(self, field: str) -> bool:
        return field in self._values

    def raw(self, field: str) -> Any:
        self._known.add(field)
        return self._values.get(field)

    def text(self, field: str, *, most: int = 5000, required: bool = False) -> str | None:
        value = self.raw(field)
        if value is None or value == "":
            if required:
                raise self.missing(field)
            return None
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {value}", param=self.name(field))
        if len(value) > most:
            raise invalid(f"Invalid string: must be at most {most} characters", param=self.name(field))
        return value

    def needed(self, field: str, *, most: int = 5000) -> str:
        value = self.text(field, most=most, required=True)
        assert value is not None
        return value

    def integer(self, field: str) -> int | None:
        value = self.text(field)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            error = invalid(f"Invalid integer: {value}", param=self.name(field), code="parameter_invalid_integer")
            raise error
        return int(value)

    def choice(self, field: str, *allowed: str) -> str | None:
        value = self.text(field)
        if value is not None and value not in allowed:
            words = ", ".join(allowed[:-1]) + (" or " if len(allowed) > 1 else "") + allowed[-1]
            raise invalid(f"Invalid {self.name(field)}: must be one of {words}", param=self.name(field))
        return value

    def flag(self, field: str) -> bool | None:
        value = self.choice(field, "true", "false")
        return None if value is None else value == "true"

    def sub(self, field: str) -> Params:
        """The fields below; none where nothing was sent."""
        value = self.raw(field)
        if value is None or value == "":
            return Params({}, self.name(field))
        if not isinstance(value, dict):
            raise invalid(f"Invalid object: {value}", param=self.name(field))
        return Params(value, self.name(field))

    def rows(self, field: str) -> list[Params]:
        """The entries of a list, each with fields of its own."""
        below = self.sub(field)
        return [below.sub(index) for index in below._values]

    def words(self, field: str) -> list[str]:
        """The entries of a list of strings."""
        below = self.sub(field)
        return [text for index in below._values if (text := below.text(index)) is not None]

    def metadata(self, field: str = "metadata") -> dict[str, str]:
        """Up to 50 keys of 40 characters, values of 500."""
        value = self.sub(field)._values
        if len(value) > MOST_METADATA_KEYS:
            raise invalid(f"Metadata can have up to {MOST_METADATA_KEYS} keys.", param=self.name(field))
        for key, item in value.items():
            if not isinstance(item, str) or len(item) > LONGEST_METADATA_VALUE or len(key) > LONGEST_METADATA_KEY:
                raise invalid("Metadata keys can be 40 and values 500 characters long.", param=self.name(field))
        return {key: item for key, item in value.items() if item != ""}

    def done(self) -> None:
        """Nothing was sent that nobody read."""
        for field in self._values:
            if field not in self._known:
                name = self.name(field)
                raise invalid(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")

    def missing(self, field: str) -> ApiError:
        name = self.name(field)
        return invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
