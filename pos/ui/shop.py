"""What the window knows of the shop before the till is ready: a small file written at the last start.

It lets the first paint show the right name, currency and tiles. It is a copy for the eye, never the truth.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pos.domain.catalogue import Product

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pos.services.api import TillApi

log = logging.getLogger(__name__)
FILE_NAME = "window.json"
VERSION = 3
MAX_CACHED_PRODUCTS = 2_000
"""Products kept for the first paint; a larger catalogue comes a moment later from the database."""
MAX_FILE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Shop:
    """The till's own facts, as `TillApi` gives them."""

    name: str = ""
    till: str = "1"
    currency: str = "EUR"
    locale: str = "en"
    time_zone: str = "UTC"
    tax_included: bool = True
    test_mode: bool = False


def shop_of(till: TillApi) -> Shop:
    return Shop(
        till.shop_name, till.till, till.currency, till.locale, till.time_zone, till.tax_included, till.test_mode
    )


def load(folder: Path, shop: Shop) -> list[Product]:
    """The catalogue of the last start, if it was of this same shop; nothing where nothing readable lies there."""
    path = folder / FILE_NAME
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return []
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["version"] != VERSION or Shop(**kept["shop"]) != shop:
            return []
        return [Product(**product) for product in kept["products"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.info("no picture of the last start: %s", error)
        return []


def remembered(folder: Path, settings: str) -> Shop | None:
    """The facts of the last start, if the settings have not been touched since; None: read them anew."""
    path = folder / FILE_NAME
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["version"] != VERSION or kept["settings"] != stamp(folder / settings):
            return None
        return Shop(**kept["shop"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def stamp(path: Path) -> str:
    """When a file was changed last, and how long it is."""
    stat = path.stat()
    return f"{stat.st_mtime_ns}:{stat.st_size}"


def texts(folder: Path) -> dict[str, dict[str, str]]:
    """Amounts as they were written at the last start; nothing where nothing readable lies there."""
    try:
        kept = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return {kind: dict(known) for kind, known in kept["texts"].items()} if kept["version"] == VERSION else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def keep(
    folder: Path,
    shop: Shop,
    products: Sequence[Product],
    settings: str,
    written: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write what the next start shows first; a failure costs that start its picture, nothing else."""
    path = folder / FILE_NAME
    partial = path.with_suffix(".partial")
    kept = {
        "version": VERSION,
        "settings": settings,
        "texts": written or {},
        "shop": asdict(shop),
        "products": [asdict(product) for product in products[:MAX_CACHED_PRODUCTS]],
    }
    try:
        partial.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        log.warning("the picture for the next start was not kept: %s", error)
