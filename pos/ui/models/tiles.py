"""Products as tiles: the catalogue's favourites, one category, or what a search found."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt

from pos.ui.models.rows import ROOT, VALUE, Index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pos.domain.catalogue import Product
    from pos.words.formats import Formats

MAX_FOUND = 50
"""Products that a search shows; who sees fifty types one more letter."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A product and the index of its colour among the theme's tiles."""

    product: Product
    color: int


class TilesModel(QAbstractListModel):
    """Shows one set of tiles at a time; another set is another list, so here a reset is what happened."""

    def __init__(self, formats: Formats) -> None:
        super().__init__()
        self._formats = formats
        self.tiles: list[Tile] = []

    def show(self, tiles: Sequence[Tile]) -> None:
        self.beginResetModel()
        self.tiles = list(tiles)
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.tiles)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.tiles):
            return None
        tile = self.tiles[index.row()]
        if role == VALUE:
            return tile
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{tile.product.name}, {self._formats.money(tile.product.price_minor)}"
        return None

    def product(self, index: QModelIndex) -> Product:
        return self.tiles[index.row()].product


class Catalogue:
    """The products in memory: by code for the scanner, by letters for the search. Built once per catalogue."""

    def __init__(self, products: Iterable[Product] = ()) -> None:
        self.tiles = [Tile(product, at) for at, product in enumerate(products)]
        self._by_code: dict[str, Product] = {}
        for tile in self.tiles:
            self._by_code.setdefault(tile.product.sku.casefold(), tile.product)
        for tile in self.tiles:
            if tile.product.barcode:
                self._by_code[tile.product.barcode.casefold()] = tile.product
        entries = [f"{t.product.name} {t.product.sku} {t.product.barcode}".casefold() for t in self.tiles]
        self._text = "\n".join(entries)
        self._starts = [0]
        for entry in entries:
            self._starts.append(self._starts[-1] + len(entry) + 1)

    def by_code(self, code: str) -> Product | None:
        """By barcode or SKU, whatever the case."""
        return self._by_code.get(code.strip().casefold())

    def categories(self) -> list[str]:
        """In the catalogue's own order."""
        return list(dict.fromkeys(t.product.category for t in self.tiles if t.product.category))

    def favourites(self) -> list[Tile]:
        """The favourites, or everything where none is marked."""
        return [t for t in self.tiles if t.product.favourite] or self.tiles

    def of(self, category: str) -> list[Tile]:
        return [t for t in self.tiles if t.product.category == category]

    def search(self, text: str) -> list[Tile]:
        """At most `MAX_FOUND` products whose name, SKU or barcode holds every word of `text`.

        One find over one long string: a hundred thousand products in about a millisecond.
        """
        words = text.casefold().split()
        if not words:
            return []
        found: list[Tile] = []
        longest = max(words, key=len)
        at = self._text.find(longest)
        while at >= 0 and len(found) < MAX_FOUND:
            entry = bisect_right(self._starts, at) - 1
            end = self._starts[entry + 1]
            line = self._text[self._starts[entry] : end]
            if all(word in line for word in words):
                found.append(self.tiles[entry])
            at = self._text.find(longest, end)
        return found
