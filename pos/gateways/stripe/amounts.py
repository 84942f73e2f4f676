"""Stripe's way of writing money: its own smallest unit per currency, lower-case codes, minimum amounts.

Exact integer arithmetic only; what cannot be said exactly is refused, never rounded.
Source: Stripe's "Supported currencies" page (zero-decimal list, special cases, minimum charge amounts).
"""

from __future__ import annotations

from pos.domain.errors import BadInput
from pos.domain.money import CURRENCIES, exponent, to_major
from pos.gateways.base import NotUnderstood

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
"""Currencies whose API amount is in whole units. MGA is one of them although ISO gives it two decimals."""
WRITTEN_WITH_TWO = frozenset({"ISK"})
"""No decimals by ISO, but written with two at Stripe, the two always being zero."""
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
"""Taken with three decimals, the last of which must be zero."""
NOT_TAKEN = frozenset(
    "BTN CHE CHW CLF COU CUP ERN GHS IQD IRR KPW LYD MRU MXV SDG SSP STN SVC SYP TMT UGX USN UYI UYW VED VES".split()
)
"""Not offered, or (UGX) described in two ways that differ by a factor of one hundred: refused rather than guessed."""

# In our minor units. Stripe compares in the account's settlement currency; its own refusal has the last word.
MINIMUM_MINOR: dict[str, int] = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30,
    "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200,
    "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip


def _stripe_exponent(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 2 if currency in WRITTEN_WITH_TWO else exponent(currency)


def takes(currency: str) -> bool:
    return currency in CURRENCIES and currency not in NOT_TAKEN


def to_stripe(amount_minor: int, currency: str) -> int:
    """Our minor units (ISO 4217) in Stripe's.

    Raises:
        BadInput: a currency Stripe does not take, or an amount it cannot say exactly.
    """
    if not takes(currency):
        raise BadInput(f"Stripe does not take {currency}.", "Choose another gateway, or cash.")
    amount = _scaled(amount_minor, _stripe_exponent(currency) - exponent(currency))
    if amount is None or (currency in THREE_DECIMAL and amount % 10):
        written = to_major(amount_minor, currency)
        raise BadInput(f"Stripe cannot take exactly {written} {currency}.", "Round the total, or take cash.")
    return amount


def check_charge(amount_minor: int, currency: str) -> int:
    """The amount in Stripe's units, if a link for it can be made.

    Raises:
        BadInput: as `to_stripe`; nothing to pay; below Stripe's minimum for the currency.
    """
    amount = to_stripe(amount_minor, currency)
    minimum = MINIMUM_MINOR.get(currency, 1)
    if amount_minor < minimum:
        written = to_major(minimum, currency)
        raise BadInput(f"Stripe takes no payment under {written} {currency}.", "Take cash, or add to the order.")
    return amount


def from_stripe(amount: int, code: str) -> tuple[int, str]:
    """(our minor units, upper-case code) of an amount in an answer.

    A currency that is no ISO 4217 code, which no order of ours can have, keeps its amount as it is written.

    Raises:
        NotUnderstood: the amount has a fraction that the currency does not have (ISK 5.50).
    """
    currency = code.upper()
    if currency not in CURRENCIES:
        return amount, currency
    ours = _scaled(amount, exponent(currency) - _stripe_exponent(currency))
    if ours is None:
        raise NotUnderstood(f"{amount} {code} is not a whole amount")
    return ours, currency


def _scaled(amount: int, digits: int) -> int | None:
    """amount x 10^digits, or None if that is not whole."""
    if digits >= 0:
        return int(amount * 10**digits)
    whole, rest = divmod(amount, 10**-digits)
    return None if rest else whole
