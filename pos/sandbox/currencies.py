"""Which currencies the bank takes, how many minor units they have, and within which amounts.

Its own table, after Stripe's documentation of currencies, and not the till's: the two must be able to disagree.
"""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_currency

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
TWO_DECIMAL = frozenset(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc "
    "cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr "
    "kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk "
    "php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu "
    "uzs wst xcd yer zar zmw".split()
)
SUPPORTED = ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL

DEFAULT_MINIMUM_MINOR = 50
MINIMUM_MINOR = {
    "aed": 200, "bgn": 100, "cop": 200_000, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17_500,
    "idr": 1_000_000, "kwd": 150, "mxn": 1000, "myr": 200, "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
DEFAULT_MAXIMUM_MINOR = 99_999_999  # eight digits
MAXIMUM_MINOR = {
    "idr": 999_999_999_999,
    "cop": 9_999_999_999,
    "huf": 9_999_999_999,
    "inr": 999_999_999,
    "jpy": 999_999_999,
}


def exponent(currency: str) -> int:
    """Decimals of a currency, lower case."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def minimum_minor(currency: str) -> int:
    return MINIMUM_MINOR.get(currency, DEFAULT_MINIMUM_MINOR)


def maximum_minor(currency: str) -> int:
    return MAXIMUM_MINOR.get(currency, DEFAULT_MAXIMUM_MINOR)


def written(amount_minor: int, currency: str) -> str:
    """As people write it: 98400 inr -> "₹984.00"."""
    decimals = exponent(currency)
    locale = "en_IN" if currency == "inr" else "en_US"
    pattern = "¤#,##,##0" if currency == "inr" else "¤#,##0"
    pattern += "." + "0" * decimals if decimals else ""
    value = Decimal(amount_minor).scaleb(-decimals)
    return format_currency(value, currency.upper(), format=pattern, locale=locale, currency_digits=False)


def fee_minor(amount_minor: int, per_mille: int, fixed_minor: int) -> int:
    """What the bank keeps of a payment: a share in tenths of a percent, rounded half up, and a fixed part.

    Never more than the payment itself.
    """
    return min(amount_minor, (amount_minor * per_mille * 2 + 1000) // 2000 + fixed_minor)
