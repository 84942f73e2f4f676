"""Products and their taxes, as the counter sees them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One thing that can be sold. `price_minor` is per piece; `tax_ppm` in millionths (5 % = 50,000)."""

    sku: str
    name: str
    price_minor: int
    tax_ppm: int = 0
    tax_name: str = ""
    barcode: str = ""
    category: str = ""
    favourite: bool = False
