"""Money as whole minor units beside an ISO 4217 code. No floats, no silent rounding of what people type."""

from __future__ import annotations

import re

from pos.domain.errors import BadInput

# ISO 4217: number of decimals where it is not two.
_EXPONENTS = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys(["CLF", "UYW"], 4)
)
_TWO = set(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW "
    "CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR "
    "ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV "
    "MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD "
    "SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG".split()
)
CURRENCIES = frozenset(_EXPONENTS) | _TWO
MAX_AMOUNT_MINOR = 99_999_999_999  # far above any counter, far below 2**53: safe in every JSON reader
_PLAIN = re.compile(r"[0-9]{1,15}(?:\.[0-9]+)?")


def exponent(currency: str) -> int:
    """Decimals of a currency (ISO 4217).

    Raises:
        BadInput: the code is not an ISO 4217 currency.
    """
    if currency not in CURRENCIES:
        raise BadInput(f"{currency!r} is not a currency code.", "Use a code of ISO 4217, such as INR, EUR or USD.")
    return _EXPONENTS.get(currency, 2)


def parse_major(text: str, currency: str) -> int:
    """Minor units of an amount typed in major units with a point: "12.50" INR -> 1250.

    Raises:
        BadInput: not a plain number, more decimals than the currency has, or too large.
    """
    digits = exponent(currency)
    clean = text.strip()
    if not clean.isascii() or not _PLAIN.fullmatch(clean):
        raise BadInput(f"{text!r} is not an amount.", "Type digits with a point, for example 12.50.")
    whole, _, fraction = clean.partition(".")
    if len(fraction) > digits:
        raise BadInput(f"{text} has too many decimals.", f"{currency} has {digits}.")
    amount = int(whole) * 10**digits + int((fraction or "0").ljust(digits, "0") or "0")
    return check_amount(amount)


def check_amount(amount_minor: int) -> int:
    """The amount itself, if a gateway and a drawer could hold it.

    Raises:
        BadInput: negative or above `MAX_AMOUNT_MINOR`.
    """
    if amount_minor < 0:
        raise BadInput("The amount is negative.", "Type an amount of zero or more.")
    if amount_minor > MAX_AMOUNT_MINOR:
        raise BadInput("The amount is too large.", "Split the order into smaller ones.")
    return amount_minor


def to_major(amount_minor: int, currency: str) -> str:
    """Plain major units with a point, for machines: 1250 INR -> "12.50"."""
    digits = exponent(currency)
    sign = "-" if amount_minor < 0 else ""
    whole, fraction = divmod(abs(amount_minor), 10**digits)
    return f"{sign}{whole}.{fraction:0{digits}d}" if digits else f"{sign}{whole}"


def round_half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest whole, halves away from zero; exact integer arithmetic."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    numerator, denominator = abs(numerator), abs(denominator)
    return sign * ((2 * numerator + denominator) // (2 * denominator))
