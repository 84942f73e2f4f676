"""How money, numbers, times and dates are written, by Babel, in the shop's locale and time zone.

Counters use the 24-hour clock everywhere: short, and the same on screen, receipt and Z. Never a sentence, never Qt.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pos.domain.money import exponent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from babel import Locale  # with its data 25 ms: imported with the first text that nobody remembers

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EM DASH}"
MILLI = 1000
CACHED_AMOUNTS = 4096
RIGHT_TO_LEFT = frozenset("ar arc ckb dv fa he ks ps sd ug ur yi".split())
_WEEKDAY_DATE = {"en": "EEEE d MMMM", "de": "EEEE, d. MMMM"}


class Formats:
    """Writes values for one shop. Amounts in minor units of its currency, times in ms since 1970 UTC."""

    def __init__(self, locale: str, currency: str, time_zone: str) -> None:
        self._tag = locale
        self._remembered: Mapping[str, Mapping[str, str]] = {}
        self.currency = currency
        self.zone = ZoneInfo(time_zone)
        self._digits = exponent(currency)
        # A cart repaints the same few amounts again and again.
        self.money = lru_cache(CACHED_AMOUNTS)(self._money)
        self.amount = lru_cache(CACHED_AMOUNTS)(self._amount)

    @cached_property
    def locale(self) -> Locale:
        return _locale(self._tag)

    @property
    def right_to_left(self) -> bool:
        return self._tag.replace("-", "_").split("_")[0].lower() in RIGHT_TO_LEFT

    def remember(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        """Amounts as written at the last start ("money" and "amount", by minor units): for the first paint."""
        self._remembered = texts

    def texts_of(self, amounts_minor: set[int]) -> dict[str, dict[str, str]]:
        """What `remember` takes."""
        return {
            "money": {str(minor): self.money(minor) for minor in sorted(amounts_minor)},
            "amount": {str(minor): self.amount(minor) for minor in sorted(amounts_minor)},
        }

    def _money(self, amount_minor: int) -> str:
        """With the currency's sign: ₹1,02,310.00."""
        known = self._remembered.get("money", {}).get(str(amount_minor))
        if known is not None:
            return known
        from babel.numbers import format_currency

        return format_currency(self._major(amount_minor), self.currency, locale=self.locale).replace("-", MINUS)

    def _amount(self, amount_minor: int) -> str:
        """Without the sign, for columns: 1,02,310.00."""
        known = self._remembered.get("amount", {}).get(str(amount_minor))
        if known is not None:
            return known
        from babel.numbers import format_decimal

        pattern = self.locale.decimal_formats[None].pattern.split(";")[0].split(".")[0]
        places = "." + "0" * self._digits if self._digits else ""
        text = format_decimal(self._major(amount_minor), format=pattern + places, locale=self.locale)
        return text.replace("-", MINUS)

    def short_money(self, amount_minor: int) -> str:
        """Without decimals where there are none: ₹1,000 on a note's key."""
        from babel.numbers import format_currency

        if amount_minor % 10**self._digits:
            return self.money(amount_minor)
        text = format_currency(
            self._major(amount_minor), self.currency, locale=self.locale, currency_digits=False, format=self._whole
        )
        return text.replace("-", MINUS)

    @property
    def _whole(self) -> str:
        pattern = str(self.locale.currency_formats["standard"].pattern)
        return pattern.split(";")[0].replace(".00", "")

    def money_or_dash(self, amount_minor: int | None) -> str:
        return NOTHING if amount_minor is None else self.money(amount_minor)

    def number(self, value: int) -> str:
        from babel.numbers import format_decimal

        return str(format_decimal(value, locale=self.locale))

    def quantity(self, quantity_milli: int) -> str:
        """Pieces or weight: 2, 0.25."""
        from babel.numbers import format_decimal

        return format_decimal(Decimal(quantity_milli) / MILLI, format="#,##0.###", locale=self.locale)

    def tenths(self, milli: int) -> str:
        """What was measured in thousandths, to the tenth: 0.8, or 0,8."""
        from babel.numbers import format_decimal

        return str(format_decimal(Decimal(milli) / MILLI, format="0.0", locale=self.locale))

    def percent(self, ppm: int) -> str:
        """From millionths: 50,000 -> 5 %."""
        from babel.numbers import format_decimal

        return f"{format_decimal(Decimal(ppm) / 10_000, format='0.##', locale=self.locale)} %"

    def time(self, at_ms: int) -> str:
        return self._local(at_ms).strftime("%H:%M")

    def time_s(self, at_ms: int) -> str:
        return self._local(at_ms).strftime("%H:%M:%S")

    def day_of(self, at_ms: int) -> str:
        """The calendar day as an ISO date in the shop's zone."""
        return self._local(at_ms).date().isoformat()

    def long_day(self, iso_day: str) -> str:
        """Sunday 22 November."""
        from babel.dates import format_date

        pattern = _WEEKDAY_DATE.get(self.locale.language, "EEEE d MMMM")
        return format_date(date.fromisoformat(iso_day), pattern, locale=self.locale)

    def short_day(self, at_ms: int) -> str:
        """21 Nov, for a narrow column."""
        from babel.dates import format_skeleton

        return format_skeleton("MMMd", self._local(at_ms), locale=self.locale)

    def date_time(self, at_ms: int) -> str:
        from babel.dates import format_date

        local = self._local(at_ms)
        return f"{format_date(local.date(), 'medium', locale=self.locale)} {local:%H:%M}"

    def timer(self, seconds: int) -> str:
        """A running clock: 1:27, 14:12, 2:05:09."""
        minutes, rest = divmod(max(0, seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

    def decimal_point(self) -> str:
        from babel.numbers import format_decimal

        return format_decimal(Decimal("0.1"), format="0.0", locale=self.locale)[1:-1]

    def _major(self, amount_minor: int) -> Decimal:
        return Decimal(amount_minor).scaleb(-self._digits)

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, self.zone)


def _locale(tag: str) -> Locale:
    """The locale, or English where Babel does not know it: a till must open."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")
