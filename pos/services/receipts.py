"""A receipt as plain lines, for paper, screen and command line."""

from __future__ import annotations

from collections.abc import Callable

from pos.domain.money import to_major
from pos.domain.returning import Return
from pos.services.views import OrderView
from pos.words.happened import Receipt

WIDTH = 42


def receipt_lines(shop: str, view: OrderView, money: Callable[[int], str], when: str, *, test: bool) -> list[str]:
    """42 characters wide; amounts right-aligned."""
    lines = [shop.center(WIDTH).rstrip()]
    if test:
        lines.append(Receipt.TEST.center(WIDTH).rstrip())
    lines += [_pair(Receipt.ORDER.format(number=view.number), when), "-" * WIDTH]
    for line in view.lines:
        pieces = f"{line.quantity_milli / 1000:g} x {money(line.unit_price_minor)}"
        lines += [line.name[:WIDTH], _pair("  " + pieces, money(line.amount_minor))]
    lines.append("-" * WIDTH)
    if view.totals.discount_minor:
        lines += [
            _pair(Receipt.SUBTOTAL, money(view.totals.subtotal_minor)),
            _pair(Receipt.DISCOUNT, money(-view.totals.discount_minor)),
        ]
    for tax in view.totals.taxes:
        word = Receipt.TAX if view.totals.tax_included else Receipt.TAX_ADDED
        lines.append(_pair(word.format(name=f"{tax.name} {tax.rate_ppm / 10_000:g} %"), money(tax.amount_minor)))
    lines.append(_pair(Receipt.TOTAL, money(view.totals.total_minor)))
    if len(view.paid_by) > 1:
        lines += [_pair(paid.text, money(paid.amount_minor)) for paid in view.paid_by]
    elif view.payment_text:
        lines.append(_pair(view.payment_text, money(view.kept_minor)))
    if view.change_minor:
        lines.append(_pair(Receipt.CHANGE, money(view.change_minor)))
    if view.left_minor:
        lines.append(_pair(Receipt.LEFT, money(view.left_minor)))
    return [*lines, "", Receipt.THANKS.center(WIDTH).rstrip()]


def credit_note_lines(shop: str, note: Return, sale: str, when: str, *, test: bool) -> list[str]:
    """A credit note: what came back of which sale, its taxes, and why. Amounts as the sale has them, not negative."""

    def money(amount_minor: int) -> str:
        return to_major(amount_minor, note.currency)

    lines = [shop.center(WIDTH).rstrip()]
    if test:
        lines.append(Receipt.TEST.center(WIDTH).rstrip())
    lines += [
        _pair(Receipt.CREDIT_NOTE.format(number=note.number), when),
        Receipt.OF_SALE.format(number=sale),
        "-" * WIDTH,
    ]
    for line in note.lines:
        pieces = f"{line.quantity_milli / 1000:g} x {money(line.unit_price_minor)}"
        lines += [line.name[:WIDTH], _pair("  " + pieces, money(line.amount_minor))]
    lines.append("-" * WIDTH)
    discount = sum(line.discount_minor for line in note.lines)
    if discount:
        lines.append(_pair(Receipt.DISCOUNT, money(-discount)))
    for tax in note.taxes:
        word = Receipt.TAX if note.tax_included else Receipt.TAX_ADDED
        lines.append(_pair(word.format(name=f"{tax.name} {tax.rate_ppm / 10_000:g} %"), money(tax.amount_minor)))
    lines.append(_pair(Receipt.CREDITED, money(note.total_minor)))
    if note.reason:
        lines.append(Receipt.REASON.format(reason=note.reason)[:WIDTH])
    return lines


def _pair(left: str, right: str) -> str:
    room = WIDTH - len(right) - 1
    return f"{left[:room]:<{room}} {right}"
