"""Books of test mode and books of real money are two sets of books. Which these are is written into them.

No settings are read here, no key is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

from pos.domain.errors import BadInput
from pos.domain.store_port import Tx

META = "mode"
WORDS = {"test": "test mode", "live": "real money"}


def mode_of(tx: Tx, gateways: tuple[str, ...] = ()) -> str:
    """`test`, `live`, or "" while no gateway was used; books from before this was written down know it by accounts."""
    known = tx.shop.meta(META)
    if known:
        return known
    modes = {account.mode for name in gateways if (account := tx.shop.account(name)) is not None}
    return modes.pop() if len(modes) == 1 else ""


def check_mode(known: str, wanted: str) -> None:
    """Raises:
    BadInput: the books are of the other mode.
    """
    if known and known != wanted:
        raise BadInput(
            f"These books are of {WORDS[known]}; {WORDS[wanted]} needs books of its own.",
            "Use another home for it (POS_HOME); `pos catalogue export` takes the products there. "
            f"These books go on with mode = {known} for every gateway.",
        )


def mode_with(tx: Tx, gateways: tuple[str, ...], enabled: Iterable[str]) -> str:
    """Which mode holds with these modes of the enabled gateways; "" where neither books nor settings say.

    Raises:
        BadInput: the books are of the other mode, and there are orders in them.
    """
    known, wanted = mode_of(tx, gateways), next(iter(enabled), "")
    if known and wanted and known != wanted and tx.orders.ids():
        check_mode(known, wanted)
    return wanted or known


def take_mode(tx: Tx, wanted: str, gateways: tuple[str, ...] = ()) -> None:
    """Write down that the books are of this mode from now on. Before the first order it may still be the other one.

    Raises:
        BadInput: the books are of the other mode, and there are orders in them.
    """
    known = mode_of(tx, gateways)
    if known == wanted and tx.shop.meta(META):
        return
    if known and known != wanted and tx.orders.ids():
        check_mode(known, wanted)
    tx.shop.set_meta(META, wanted)
