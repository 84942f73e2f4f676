"""Razorpay's way of writing money: the smallest unit of each currency, upper-case codes, a minimum for rupees.

Exact integer arithmetic only. Source: Razorpay's API reference (field `amount`: three-decimal currencies end in zero,
zero-decimal ones are written whole) and its list of international currencies.
"""

from __future__ import annotations

from pos.domain.errors import BadInput
from pos.domain.money import to_major

WITHOUT_DECIMALS = frozenset({"JPY"})
THREE_DECIMAL = frozenset({"BHD", "KWD", "OMR"})
"""Taken with three decimals, the last of which must be zero."""
TWO_DECIMAL = frozenset(
    "AED ALL AMD ARS AUD AWG BBD BDT BMD BND BOB BSD BWP BZD CAD CHF CNY COP CRC CZK DKK DOP DZD EGP ETB EUR FJD GBP "
    "GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT "
    "MOP MUR MVR MWK MXN MYR NAD NGN NIO NOK NPR NZD PEN PGK PHP PKR QAR SAR SCR SEK SGD SOS SSP SVC SZL THB TTD TZS "
    "USD UYU UZS YER ZAR".split()
)
TAKEN = WITHOUT_DECIMALS | THREE_DECIMAL | TWO_DECIMAL
"""Currencies whose unit Razorpay's pages name; others are refused rather than guessed."""
MINIMUM_MINOR: dict[str, int] = {"INR": 100}


def check_amount(amount_minor: int, currency: str) -> int:
    """The amount in Razorpay's units, which are ours (ISO 4217).

    Raises:
        BadInput: a currency it does not take, or an amount it cannot say exactly.
    """
    if currency not in TAKEN:
        raise BadInput(f"Razorpay does not take {currency}.", "Choose another gateway, or cash.")
    if currency in THREE_DECIMAL and amount_minor % 10:
        written = to_major(amount_minor, currency)
        raise BadInput(f"Razorpay cannot take exactly {written} {currency}.", "Round the total, or take cash.")
    return amount_minor


def check_charge(amount_minor: int, currency: str) -> int:
    """The amount, if a link for it can be made.

    Raises:
        BadInput: as `check_amount`; nothing to pay; below Razorpay's minimum for the currency.
    """
    minimum = MINIMUM_MINOR.get(currency, 1)
    if check_amount(amount_minor, currency) < minimum:
        written = to_major(minimum, currency)
        raise BadInput(f"Razorpay takes no payment under {written} {currency}.", "Take cash, or add to the order.")
    return amount_minor
