"""Products: finding one by its code, and the list for the tiles."""

from __future__ import annotations

from collections.abc import Sequence

from pos.domain.catalogue import Product
from pos.domain.errors import NotFound
from pos.domain.store_port import Tx
from pos.services.context import Context


class Catalogue:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def products(self) -> list[Product]:
        return await self._context.store.read(lambda tx: tx.shop.products())

    async def find(self, code: str) -> Product:
        """By barcode or SKU.

        Raises:
            NotFound: no product has this code.
        """
        product = await self._context.store.read(lambda tx: tx.shop.product(code))
        if product is None:
            raise NotFound(f"No product has the code {code!r}.", "Check the label, or search by name.")
        return product

    async def put(self, products: Sequence[Product], *, actor: str = "") -> None:
        """Add or change products."""
        now = self._context.now_ms()

        def write(tx: Tx) -> None:
            tx.shop.put_products(products)
            tx.journal.append(now, actor, "catalogue.changed", "", {"products": len(products)})

        await self._context.store.write(write)
