"""Whose a captured payment is that belongs to no order here (M10, M11): it stays, visible, and is no error.

`orphan`: our reference, and no order here: something is lost, a person looks. `another`: another shop or till of ours
on the same account, by the marks that it left at the gateway; it keeps its own books. `foreign`: neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from pos.domain.facts import Fact, Kind
from pos.domain.payment import parse_reference
from pos.domain.store_port import Tx
from pos.services.context import ShopSettings

ORPHAN, ANOTHER, FOREIGN = "orphan", "another", "foreign"


def whose(tx: Tx, shop: ShopSettings, facts: Sequence[Fact]) -> tuple[str, str]:
    """(kind, what it names as its owner) from the facts of one payment without an order."""
    references = sorted(f.target for f in facts if f.kind is Kind.PAYMENT_OF_REFERENCE)
    marks = sorted(f.target for f in facts if f.kind is Kind.PAYMENT_OF_SHOP)
    others = [mark for mark in marks if not _ours(tx, shop, mark)]
    if others:
        return ANOTHER, others[0]
    owner = references[0] if references else ""
    return (ORPHAN if any(parse_reference(text) for text in references) else FOREIGN), owner


def _ours(tx: Tx, shop: ShopSettings, mark: str) -> bool:
    """Of this shop and of a till that writes into these books: it has a journal here, or is this one."""
    name, _, till = mark.partition("/")
    return name == shop.shop_id and (till == shop.till or tx.journal.knows(till))
