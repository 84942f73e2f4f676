"""The counter's left side: scan field, categories, tiles, and above them the tray when it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QListView, QScrollBar, QWidget

from pos.ui.delegates.tile import GAP, TileDelegate
from pos.ui.models.tiles import Catalogue, Tile, TilesModel
from pos.ui.widgets.button import CommandButton, focusless
from pos.ui.widgets.chips import Chips
from pos.ui.widgets.fields import ScanField
from pos.ui.widgets.labels import column, keep_place, label, line
from pos.words.sell import Sell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction, QKeyEvent, QResizeEvent

    from pos.domain.catalogue import Product
    from pos.ui.kit import Kit
    from pos.ui.views.tray import Tray

FAVOURITES = "*"
OTHER = "-"
MIN_COLUMNS = 3
GAP_COMPACT = 10
MIN_TILE = 180
SEARCH_PAUSE_MS = 40
"""Typing rests this long before tiles change, so that a fast typist does not repaint for every letter."""


class TileGrid(QListView):
    """Every tap is one `chosen(index)`, the second of a quick pair too; so is Enter."""

    chosen = Signal(QModelIndex)

    def __init__(self) -> None:
        super().__init__()
        self.clicked.connect(self.chosen)
        self.doubleClicked.connect(self.chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


class SideBar(QScrollBar):
    """A grid's scroll bar beside it: the grid's own would take its room before it knows whether it is needed."""

    def __init__(self, grid: QListView) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self.setFixedWidth(6)
        keep_place(self)
        inner = grid.verticalScrollBar()
        inner.rangeChanged.connect(self._range)
        inner.valueChanged.connect(self.setValue)
        self.valueChanged.connect(inner.setValue)
        self._range(inner.minimum(), inner.maximum())

    def _range(self, low: int, high: int) -> None:
        self.setRange(low, high)
        self.setPageStep(self.height())
        self.setVisible(high > low)


class SellPanel(QWidget):
    """`entered(text)` on Enter in the scan field; `picked(Product)` for a tile; `walked(step)` for the cart."""

    entered = Signal(str)
    picked = Signal(object)
    walked = Signal(int)

    def __init__(self, kit: Kit, held: QAction, hold: QAction, tray: Tray) -> None:
        super().__init__()
        self._kit = kit
        self.catalogue = Catalogue()
        self._compact = False
        self.tray = tray
        self.scan = ScanField(kit.theme, "scanField", Sell.SCAN, "F2")
        self.held = CommandButton(kit.theme, held, Sell.HELD.format(n=0), "field")
        self.held.show_key_of(hold)  # with an empty cart F6 leads here too
        self.chips = Chips("categories", Sell.CATEGORIES)
        self.grid, self.model, self.delegate = self._make_grid()
        self.bar = SideBar(self.grid)
        self.nothing = label("", "hint", name="nothingFound", wrap=True)
        self.nothing.hide()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._assemble()
        self._connect()

    def _make_grid(self) -> tuple[TileGrid, TilesModel, TileDelegate]:
        grid, model, delegate = TileGrid(), TilesModel(self._kit.formats), TileDelegate(self._kit)
        grid.setObjectName("tiles")
        grid.setAccessibleName(Sell.PRODUCTS)
        grid.setViewMode(QListView.ViewMode.IconMode)
        grid.setMovement(QListView.Movement.Static)
        grid.setResizeMode(QListView.ResizeMode.Adjust)
        grid.setLayoutMode(QListView.LayoutMode.Batched)
        grid.setUniformItemSizes(True)
        grid.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        grid.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        grid.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        grid.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        grid.setModel(model)
        grid.setItemDelegate(delegate)
        return grid, model, delegate

    def _assemble(self) -> None:
        focusless(self.held)
        self._top = line(self.scan, 10, self.held, margins=(20, 18, 20, 0))
        self._chips_box = line(self.chips, margins=(20, 8, 20, 0))
        self._grid_box = line(self.grid, self.bar, margins=(20, 8, 1, 0))
        box = column(self.tray, self._top, self._chips_box, self.nothing, self._grid_box)
        box.setStretch(4, 1)
        self.nothing.setContentsMargins(20, 14, 20, 0)
        self.setLayout(box)

    def _connect(self) -> None:
        self.scan.returnPressed.connect(lambda: self.entered.emit(self.scan.text()))
        self.scan.textChanged.connect(lambda: self._pause.start(SEARCH_PAUSE_MS))
        self.scan.walked.connect(self.walked)
        self._pause.timeout.connect(self.refresh)
        self.chips.chosen.connect(self._choose)
        self.grid.chosen.connect(self._pick)
        self._kit.theme.changed.connect(self.fit)

    def set_products(self, products: Catalogue | Sequence[Product]) -> None:
        """Show these; a large catalogue is best built away from this thread and handed in whole."""
        self.catalogue = products if isinstance(products, Catalogue) else Catalogue(products)
        chips = [(FAVOURITES, Sell.FAVOURITES), *((name, name) for name in self.catalogue.categories())]
        if any(not tile.product.category for tile in self.catalogue.tiles) and len(chips) > 1:
            chips.append((OTHER, Sell.OTHER))
        self.chips.set(chips, FAVOURITES)
        self.refresh()

    def set_held(self, count: int) -> None:
        self.held.setText(Sell.HELD.format(n=count))

    def set_compact(self, compact: bool) -> None:
        self._compact = compact
        side, top = (16, 14) if compact else (20, 18)
        self._top.setContentsMargins(side, top, side, 0)
        self._chips_box.setContentsMargins(side, 6 if compact else 8, side, 0)
        self._grid_box.setContentsMargins(side, 6 if compact else 8, 1, 0)
        self.scan.set_hint(Sell.SCAN_SHORT if compact else Sell.SCAN)
        self.chips.set_small(compact)
        self.fit()

    def focus_first(self) -> None:
        self.scan.setFocus()

    def refresh(self) -> None:
        """Tiles for what is typed, else for the chosen category."""
        typed = self.scan.text().strip()
        searching = bool(typed) and not typed.endswith("*")
        tiles = self._found(typed) if searching else self._chosen()
        self.model.show(tiles)
        nothing = Sell.NOTHING_FOUND.format(text=typed) if searching else Sell.NO_PRODUCTS
        self.nothing.setText(nothing)
        self.nothing.setVisible(not tiles)

    def first_found(self) -> Product | None:
        """The first product of the search as typed now."""
        found = self._found(self.scan.text())
        return found[0].product if found else None

    def fit(self) -> None:
        """Tiles as wide as fill the room, at least three in a row."""
        room = self.grid.width() - 1
        gap = self.delegate.gap = GAP_COMPACT if self._compact else GAP
        columns = max(MIN_COLUMNS, room // (MIN_TILE + gap))
        width = max(96, room // columns - gap)
        small = self._compact or self.tray.isVisible()
        self.delegate.size = QSize(width, 126 if self._compact else 135 if small else 148)
        self.delegate.band = 65 if self._compact else 70 if small else 79
        self.grid.setGridSize(QSize(width + gap, self.delegate.size.height() + gap))
        self.grid.doItemsLayout()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self.fit)

    def _found(self, text: str) -> list[Tile]:
        return self.catalogue.search(text)

    def _chosen(self) -> list[Tile]:
        if self.chips.key in ("", FAVOURITES):
            return self.catalogue.favourites()
        return self.catalogue.of("" if self.chips.key == OTHER else self.chips.key)

    def _choose(self) -> None:
        self.scan.clear()
        self.refresh()
        self.grid.scrollToTop()

    def _pick(self, index: QModelIndex) -> None:
        self.picked.emit(self.model.product(index))
