"""What every adapter needs: the ports under one name, form encoding, strict JSON, the shape of a login.

Nothing here knows a particular gateway, opens a connection or reads a clock.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from pos.domain.facts import Fact, Kind, Mode, shop_mark
from pos.domain.ports import (
    Adapter,
    Answer,
    Capabilities,
    LinkInfo,
    LinkRequest,
    NoAnswer,
    NotSent,
    Operation,
    Outcome,
    Part,
    PreparedCall,
    Reading,
    RefundRequest,
)

__all__ = [
    "Adapter",
    "Answer",
    "Authorising",
    "Capabilities",
    "Fact",
    "Kind",
    "LinkInfo",
    "LinkRequest",
    "Mode",
    "NamesAccount",
    "NoAnswer",
    "NotSent",
    "NotUnderstood",
    "Operation",
    "Outcome",
    "Part",
    "PreparedCall",
    "Reading",
    "RefundRequest",
    "decode",
    "form",
    "parameters",
    "plain",
    "retry_after",
    "segment",
    "shop_mark",
    "understood",
    "with_query",
]

RETRY_AFTER_MAX_S = 3600.0  # a gateway that asks for more is asked again after an hour
MESSAGE_CHARS = 300
"""Characters of a gateway's own sentence that are kept for the call log and for managers."""
_KEYS = re.compile(r"\b(?:sk|rk|pk|whsec|rzp)_[A-Za-z0-9_*]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

Pairs = Sequence[tuple[str, str]]
T = TypeVar("T")


@runtime_checkable
class Authorising(Protocol):
    """An adapter whose gateway does not take `Authorization: Bearer <secret key>` says here what it takes."""

    def authorization(self, secrets: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Headers that log in with these secrets, by their names in `Capabilities.secrets`.

        They are added when a call is sent and never stored.
        """
        ...


@runtime_checkable
class NamesAccount(Protocol):
    """An adapter whose gateway has no call that says which account a key belongs to (`names_account` is False)."""

    def account_of(self, secrets: Mapping[str, str]) -> str:
        """A public name for the account, from what is no secret among the credentials (a key's id)."""
        ...


class NotUnderstood(ValueError):
    """An answer that cannot be read. Stays inside an adapter: `read` turns it into `Outcome.UNKNOWN`."""


def decode(body: bytes | msgspec.Raw, shape: type[T]) -> T:
    """The body as `shape`: strict types, unknown fields skipped.

    Raises:
        NotUnderstood: HTML, empty, cut off, missing or ill-typed fields, words that are not listed, absurd nesting.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise NotUnderstood(plain(str(error))) from None
    except RecursionError:
        raise NotUnderstood("nested too deeply") from None


def understood(
    rows: Iterable[tuple[str, msgspec.Raw]], read: Callable[[bytes], Iterable[Fact]]
) -> tuple[list[Fact], tuple[str, ...]]:
    """Facts of a report's rows, and those rows that are not understood: what is odd about one hides no other's money.

    Rows come with their ids; `read` raises NotUnderstood for an odd one.
    """
    facts, odd = list[Fact](), list[str]()
    for identifier, row in rows:
        try:
            facts += list(read(row))
        except NotUnderstood as problem:
            odd.append(plain(f"{identifier}: {problem}"))
    return facts, tuple(odd)


def plain(text: str | None) -> str:
    """A foreign sentence on one line, short, with anything that looks like a key taken out."""
    clean = _CONTROL.sub(" ", text or "").strip()
    return _KEYS.sub("[key]", clean)[:MESSAGE_CHARS]


def form(pairs: Iterable[tuple[str, str]]) -> bytes:
    """An `application/x-www-form-urlencoded` body."""
    return urlencode(list(pairs)).encode("ascii")


def with_query(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    query = urlencode(list(pairs))
    return f"{path}?{query}" if query else path


def retry_after(answer: Answer) -> float | None:
    """Seconds to wait, where the answer names a sensible number."""
    try:
        seconds = float(answer.header("retry-after"))
    except ValueError:
        return None
    return min(seconds, RETRY_AFTER_MAX_S) if math.isfinite(seconds) and seconds >= 0 else None


def segment(identifier: str) -> str:
    """One path segment; an id with a slash or a question mark cannot reach another resource."""
    return quote(identifier, safe="")


def parameters(text: str | bytes) -> dict[str, str]:
    """The parameters of a path with a query, or of a form body; the last of equal names."""
    raw = text.decode("ascii", "replace") if isinstance(text, bytes) else urlsplit(text).query
    return dict(parse_qsl(raw, keep_blank_values=True))
