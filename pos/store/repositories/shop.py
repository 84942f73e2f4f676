"""The shop itself: settings kept in the books, products, people, gateway accounts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, or_, select

from pos.domain.catalogue import Product
from pos.domain.rows import Account, Person
from pos.store import mapping, tables
from pos.store.repositories.base import Rows

_m = tables.meta
_p = tables.product
_PERSON = mapping.Loader(Person, tables.person)
_ACCOUNT = mapping.Loader(Account, tables.account)
_META = select(_m.c.value).where(_m.c.key == bindparam("key"))
_PEOPLE = select(*_PERSON.columns).order_by(tables.person.c.name)
_OF_GATEWAY = select(*_ACCOUNT.columns).where(tables.account.c.gateway == bindparam("gateway"))


class ShopRows(Rows):
    def meta(self, key: str) -> str | None:
        found: str | None = self._value(_META, key=key)
        return found

    def set_meta(self, key: str, value: str) -> None:
        self._put(_m, {"key": key, "value": value})

    def products(self) -> list[Product]:
        return [mapping.load(Product, row) for row in self._all(select(_p).order_by(_p.c.position, _p.c.name))]

    def put_products(self, products: Sequence[Product]) -> None:
        for position, product in enumerate(products):
            self._put(_p, mapping.dump(product, position=position))

    def product(self, code: str) -> Product | None:
        by_barcode = (_p.c.barcode == code) & (_p.c.barcode != "")
        row = self._one(select(_p).where(or_(_p.c.sku == code, by_barcode)).order_by(_p.c.sku == code).limit(1))
        return mapping.load(Product, row) if row is not None else None

    def people(self) -> list[Person]:
        return _PERSON.all(self._read(_PEOPLE))

    def put_person(self, person: Person) -> None:
        self._put(tables.person, mapping.dump(person))

    def account(self, gateway: str) -> Account | None:
        return next(iter(_ACCOUNT.all(self._read(_OF_GATEWAY, gateway=gateway))), None)

    def put_account(self, account: Account) -> None:
        self._put(tables.account, mapping.dump(account))
