"""A till's shift: the period that one Z closes."""

from __future__ import annotations

from pos.domain.store_port import Shift, Tx
from pos.services.context import Context


def open_shift(tx: Tx, context: Context, actor: str) -> Shift:
    """The till's open shift; a new one with no float where none is open."""
    till = context.shop.till
    found = tx.days.open_shift(till)
    if found is not None:
        return found
    shift = Shift(context.ids.uuid7(), till, tx.days.last_shift_no(till) + 1, context.now_ms(), actor, 0)
    tx.days.put_shift(shift)
    return shift
