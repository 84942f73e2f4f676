"""Which language is spoken: a gettext catalogue, compiled at load from resources/translations/<language>.po.

`Text` and `Plural` are looked up each time they are read, so that a sentence can stand in a class body and still
follow the language. Never a sentence itself, never Qt.
"""

from __future__ import annotations

import gettext
import io
from pathlib import Path

TRANSLATIONS = Path(__file__).resolve().parents[2] / "resources" / "translations"
SOURCE_LANGUAGE = "en"


class _Spoken:
    catalogue: gettext.NullTranslations = gettext.NullTranslations()
    language: str = SOURCE_LANGUAGE


def use(locale: str) -> str:
    """Speak the language of `locale` ("de_DE", "en_IN") from now on; returns the language really spoken."""
    language = locale.replace("-", "_").split("_")[0].lower()
    path = TRANSLATIONS / f"{language}.po"
    if language == SOURCE_LANGUAGE or not path.is_file():
        _Spoken.catalogue, _Spoken.language = gettext.NullTranslations(), SOURCE_LANGUAGE
    else:
        _Spoken.catalogue, _Spoken.language = _compiled(path), language
    return _Spoken.language


def spoken() -> str:
    return _Spoken.language


def translate(source: str) -> str:
    """`source` in the language spoken; the source itself where there is no translation, and for ""."""
    return _Spoken.catalogue.gettext(source) if source else ""


def _compiled(path: Path) -> gettext.NullTranslations:
    # Babel is imported here: the source language needs no catalogue and starts without it.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class Text:
    """A sentence in a class body; reading it gives it in the language spoken now."""

    __slots__ = ("source",)

    def __init__(self, source: str) -> None:
        self.source = source

    def __get__(self, instance: object, owner: type | None = None) -> str:
        return translate(self.source)


class Plural:
    """A sentence with a count: call it with `n`, which also fills `{n}`."""

    __slots__ = ("many", "one")

    def __init__(self, one: str, many: str) -> None:
        self.one = one
        self.many = many

    def __call__(self, n: int, **fields: str) -> str:
        return _Spoken.catalogue.ngettext(self.one, self.many, n).format(n=n, **fields)
